"""The figures of the course, one function each: curves, bands, traces, heat maps, an animation.

Every figure function returns the Axes that it drew on (an array of them where there are several),
so that what is drawn can be asserted; a notebook shows the figure at the end of the cell, once.
None of them calls ``plt.show`` or trains anything. "Series" below means a list, an array or a
tensor of shape [T] or [T, 1]; what is drawn never requires grad. Actions are the agent's, in
[-1, 1]; Pendulum's torque is twice that, in newton metres.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike
from PIL import Image as Picture
from torch import Tensor, nn

from ddpg_helpers.comparison import learning_curves
from ddpg_helpers.environments import make_env
from ddpg_helpers.training import WINDOW, TrainingRun, running_mean

SECONDS_PER_STEP = 0.05  # Pendulum-v1
MAX_TORQUE = 2.0  # N m, Pendulum-v1
MAX_VELOCITY = 8.0  # rad/s, Pendulum-v1

# Okabe and Ito's palette, which colour-blind readers can tell apart, without its yellow: too faint
# on white.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
)  # fmt: skip
GREY = "#8C8C8C"
_DASHES = ("-", "--", "-.", ":")

_WIDTH = 7.5  # inches: a notebook's width
_STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E5E5E5",
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
}


@contextmanager
def _styled() -> Iterator[None]:
    """Draw in the course's style and put the caller's settings back.

    ``plt.rc_context`` would put all settings back, and so undo the interactive mode that a
    notebook's first figure switches on: no later figure would be shown.
    """
    before = {key: plt.rcParams[key] for key in _STYLE}
    plt.rcParams.update(_STYLE)
    try:
        yield
    finally:
        plt.rcParams.update(before)


# The algorithm ------------------------------------------------------------------------------------

# Boxes of the diagram: centre and size in inches, heading, formula or words under it.
_ALGORITHM = {
    "act": ((1.25, 4.5), (1.8, 0.62), "1  actor + noise", r"$a = \mu(s) + \mathcal{N}$"),
    "environment": ((3.4, 4.5), (1.1, 0.62), "environment", ""),
    "memory": ((5.28, 4.5), (1.3, 0.62), "2  store", "replay memory"),
    "batch": ((6.83, 4.5), (1.06, 0.62), "2  sample", r"batch of $N$"),
    "target": (
        (6.27, 2.95), (2.12, 1.0), "3  TD target",
        "$y = r + \\gamma\\, Q'(s', \\mu'(s'))$\nterminated: $y = r$",
    ),
    "critic step": (
        (3.75, 2.95), (2.04, 1.0), "4  critic step",
        "minimise\n" r"$\dfrac{1}{N}\sum_i\, (y_i - Q(s_i, a_i))^2$",
    ),
    "actor step": (
        (1.35, 2.95), (1.9, 1.0), "5  actor step",
        "maximise\n" r"$\dfrac{1}{N}\sum_i\, Q(s_i, \mu(s_i))$",
    ),
    "actor": ((1.35, 1.72), (1.3, 0.4), r"actor $\mu$", ""),
    "critic": ((3.75, 1.72), (1.3, 0.4), r"critic $Q$", ""),
    "target networks": ((6.27, 1.72), (1.9, 0.4), r"targets $\mu'$, $Q'$", ""),
    "soft updates": (
        (2.55, 0.78), (2.7, 0.62), "6  soft updates",
        r"$\theta' \leftarrow \tau\,\theta + (1 - \tau)\,\theta'$",
    ),
}  # fmt: skip
# Where the two learning rates stand, beside the arrow from a step to the network that it moves.
_RATES = {"actor rate": (1.42, 2.2), "critic rate": (3.82, 2.2)}
_UPDATE = ((0.06, 0.3), (7.38, 3.5))  # the frame of one update: corner and size
_ALGORITHM_PARTS = (*_ALGORITHM, *_RATES, "update")


@_styled()
def algorithm(lit: Sequence[str] = ()) -> Axes:
    """Draw Algorithm 1 of Lillicrap et al. (2015) as a diagram, with some of its parts lit.

    Args:
        lit: names of the parts to light, with a thick frame, a tinted ground and a bold heading:
            "act", "environment", "memory", "batch", "target", "critic step", "actor step", "actor",
            "critic", "target networks", "soft updates", the learning rates "actor rate" and
            "critic rate", and "update", the frame around all that happens on one batch.

    Returns:
        The axes, in inches; each part is a patch or a text whose ``get_gid()`` is its name.

    Raises:
        ValueError: a name is not among these.
    """
    lit = [lit] if isinstance(lit, str) else list(lit)
    unknown = [name for name in lit if name not in _ALGORITHM_PARTS]
    if unknown:
        raise ValueError(
            f"lit names {', '.join(map(repr, unknown))}; the diagram's parts are "
            f"{', '.join(_ALGORITHM_PARTS)}"
        )
    ax = _axes(height=5.0)
    ax.set(xlim=(0, _WIDTH), ylim=(0, 5.0))
    ax.set_axis_off()
    _part(ax, "update", *_UPDATE, "update" in lit)
    weight = "bold" if "update" in lit else "normal"
    ax.text(3.75, 3.62, "one update, all on this batch", ha="center", va="center", weight=weight)
    for name, (centre, size, heading, words) in _ALGORITHM.items():
        _box(ax, name, centre, size, heading, words, name in lit)
    for name, (x, y) in _RATES.items():
        text = ax.text(x, y, "learning rate", fontsize=9, va="center", gid=name)
        if name in lit:
            text.set(weight="bold", bbox=dict(_LIT, boxstyle="round,pad=0.25"))
            text.set_x(x + 0.06)
    for path in (
        [(2.15, 4.6), (2.85, 4.6)],  # act to environment
        [(2.85, 4.38), (2.15, 4.38)],  # and back
        [(3.95, 4.5), (4.63, 4.5)],  # environment to memory
        [(5.93, 4.5), (6.3, 4.5)],  # memory to batch
        [(6.83, 4.19), (6.83, 3.8)],  # batch to the update
        [(5.21, 2.95), (4.77, 2.95)],  # target to critic step
        [(2.73, 2.95), (2.3, 2.95)],  # critic step to actor step
        [(1.35, 2.45), (1.35, 1.92)],  # actor step to actor
        [(3.75, 2.45), (3.75, 1.92)],  # critic step to critic
        [(1.7, 1.52), (1.7, 1.09)],  # actor to soft updates
        [(3.4, 1.52), (3.4, 1.09)],  # critic to soft updates
        [(3.9, 0.78), (6.27, 0.78), (6.27, 1.52)],  # soft updates to targets
        [(6.27, 1.92), (6.27, 2.45)],  # targets to target
        [(0.7, 1.72), (0.22, 1.72), (0.22, 4.5), (0.35, 4.5)],  # actor to act
    ):
        _arrow(ax, path)
    for x, y, label in (
        (2.5, 4.72, "$a$"), (2.5, 4.25, "$s$"), (4.29, 4.66, "$s, a, r, s'$"), (4.99, 3.07, "$y$"),
    ):  # fmt: skip
        ax.text(x, y, label, ha="center", va="center")
    if lit:
        ax.add_patch(FancyBboxPatch((0.2, 0.05), 0.3, 0.12, boxstyle="round,pad=0.02", **_LIT))
        ax.text(0.6, 0.11, "this unit", fontsize=9, weight="bold", va="center")
    return ax


# Learning curves ----------------------------------------------------------------------------------


@_styled()
def reward_curve(
    returns: ArrayLike | TrainingRun,
    *,
    window: int = WINDOW,
    evaluation: tuple[ArrayLike, ArrayLike] | None = None,
    ax: Axes | None = None,
    label: str | None = None,
) -> Axes:
    """Draw the return of each episode, its running mean and the evaluations without noise.

    Args:
        returns: series of E training returns, or a ``TrainingRun``, whose evaluations are drawn
            too unless ``evaluation`` gives others.
        window: episodes in the running mean; see ``ddpg_helpers.training.running_mean``.
        evaluation: (episodes trained before each evaluation, its return), two series.
        ax: where to draw; a new figure by default. Several runs may share one.
        label: name of the run, put before the legend's entries.

    Raises:
        ValueError: there is no return to draw, or the evaluation's two series differ in length.
    """
    if isinstance(returns, TrainingRun):
        if evaluation is None:
            evaluation = (returns.evaluation_episodes, returns.evaluation_returns)
        returns = returns.returns
    returns = _series(returns, "returns")
    episodes = np.arange(1, len(returns) + 1)
    ax = _axes() if ax is None else ax
    prefix = f"{label}: " if label else ""
    (each,) = ax.plot(
        episodes, returns, ".-", alpha=0.45, linewidth=0.8, label=f"{prefix}each episode"
    )
    ax.plot(
        episodes,
        running_mean(returns, window),
        color=each.get_color(),
        linewidth=2.2,
        label=f"{prefix}mean of the last {window}",
    )
    if evaluation is not None and len(evaluation[0]):
        trained, measured = (_series(part, "evaluation") for part in evaluation)
        if len(trained) != len(measured):
            raise ValueError(
                f"evaluation has {len(trained)} episodes and {len(measured)} returns; "
                "give one return for each"
            )
        label = f"{prefix}evaluation without noise"
        _markers(ax, trained, measured, each.get_color(), label)
    ax.xaxis.get_major_locator().set_params(integer=True)
    _describe(ax, "episode", "return")
    _legend(ax)
    return ax


@_styled()
def compare_settings(
    table: pd.DataFrame, *, window: int = WINDOW, baseline: str | None = None
) -> Axes:
    """Draw each setting's interquartile mean over seeds, with its 95% bootstrap band.

    The running mean over episodes is taken of each seed's returns first. Where seeds differ in
    length, the line ends with the shortest. One seed draws a line without a band.

    Args:
        table: columns setting, seed, episode and return; one row an episode.
        window: episodes in the running mean.
        baseline: the setting that the others are compared with; it is drawn in black and first.

    Raises:
        ValueError: a column is missing, an episode stands twice, or ``baseline`` is no setting.
    """
    settings = list(dict.fromkeys(setting for setting, _ in _runs(table)))
    if baseline is not None:
        if baseline not in settings:
            raise ValueError(f"baseline is {baseline!r}; the table's settings are {settings}")
        settings.sort(key=lambda setting: setting != baseline)
    curves = dict(iter(learning_curves(table, window).groupby("setting")))
    ax = _axes(height=4.0)
    for index, setting in enumerate(settings):
        curve, look = curves[setting], _look(index, baseline is not None)
        seeds = int(curve["seeds"].iloc[0])
        if seeds > 1:
            ax.fill_between(
                curve["episode"], curve["low"], curve["high"], color=look["color"], alpha=0.18,
                linewidth=0,
            )  # fmt: skip
        ax.plot(curve["episode"], curve["mean"], label=f"{setting} ({_seeds(seeds)})", **look)
    ax.xaxis.get_major_locator().set_params(integer=True)
    title = "interquartile mean over seeds, with its 95% bootstrap band"
    _describe(ax, "episode", f"return, mean of the last {window}", title)
    _legend(ax)
    return ax


@_styled()
def curve_gallery(table: pd.DataFrame, *, window: int = WINDOW) -> np.ndarray:
    """Draw each setting's curve in a small panel of its own, all with the same axes.

    A panel holds the interquartile mean over seeds with its 95% bootstrap band, and the single
    seeds as thin lines.

    Args:
        table: columns setting, seed, episode and return; one row an episode.
        window: episodes in the running mean, which is taken of each seed's returns first.

    Raises:
        ValueError: a column is missing, or an episode stands twice.
    """
    runs = _runs(table)
    settings = list(dict.fromkeys(setting for setting, _ in runs))
    curves = dict(iter(learning_curves(table, window).groupby("setting")))
    columns = min(3, len(settings))
    rows = -(-len(settings) // columns)
    _, axes = plt.subplots(
        rows, columns, figsize=(_WIDTH, 1.75 * rows + 0.5), sharex=True, sharey=True, squeeze=False
    )
    for ax, setting in zip(axes.flat, settings, strict=False):
        curve = curves[setting]
        for (name, _), run in runs.items():
            if name == setting:
                ax.plot(run.index, running_mean(run, window), color=GREY, linewidth=0.5, alpha=0.6)
        ax.fill_between(
            curve["episode"], curve["low"], curve["high"], color=COLOURS[0], alpha=0.3, linewidth=0
        )
        ax.plot(curve["episode"], curve["mean"], color=COLOURS[0], linewidth=2)
        seeds = _seeds(int(curve["seeds"].iloc[0]))
        ax.set_title(f"{setting} ({seeds})", loc="left")
    for ax in axes.flat[len(settings):]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("episode")
    for ax in axes[:, 0]:
        ax.set_ylabel(f"return, mean of {window}")
    return axes


@_styled()
def final_performance(
    table: pd.DataFrame,
    *,
    last: int = 10,
    points: Mapping[str, float] | None = None,
    points_label: str = "one run of the original tutorial",
) -> Axes:
    """Draw one dot a seed, the mean of its last returns, in one row a setting.

    Args:
        table: columns setting, seed, episode and return; one row an episode.
        last: episodes at the end of each run that its dot averages over, fewer where the run is
            shorter.
        points: further values by setting, drawn with a marker of their own; a setting that the
            table lacks gets a row.
        points_label: what they are, for the legend.

    Returns:
        The axes: lines are, in this order, dots and median of each setting, then ``points``.

    Raises:
        ValueError: a column is missing, an episode stands twice, or ``last`` is below 1.
    """
    if last < 1:
        raise ValueError(f"last is {last}; it counts episodes and must be at least 1")
    points = points or {}
    runs = _runs(table)
    settings = list(dict.fromkeys([setting for setting, _ in runs] + list(points)))
    ax = _axes(height=1.4 + 0.5 * len(settings))
    for row, setting in enumerate(settings):
        means = [runs[key].iloc[-last:].mean() for key in runs if key[0] == setting]
        if not means:
            continue
        spread = row + np.linspace(-0.16, 0.16, len(means)) if len(means) > 1 else [row]
        first = row == 0
        ax.plot(
            means, spread, "o", color=BLUE, markersize=6, alpha=0.75,
            label="one seed" if first else None,
        )  # fmt: skip
        ax.plot(
            [np.median(means)] * 2, [row - 0.26, row + 0.26], color=BLACK,
            label="median over seeds" if first else None,
        )  # fmt: skip
    if points:
        rows = [settings.index(setting) + 0.34 for setting in points]  # beneath the dots
        _markers(ax, list(points.values()), rows, VERMILLION, points_label)
    counts = [sum(name == setting for name, _ in runs) for setting in settings]
    names = [
        f"{setting} ({_seeds(count)})" if count else setting
        for setting, count in zip(settings, counts, strict=True)
    ]
    ax.set_yticks(range(len(settings)), names)
    ax.set_ylim(len(settings) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    _describe(ax, f"return, mean of the last {last} episodes", "")
    _legend(ax)
    return ax


# Noise --------------------------------------------------------------------------------------------


@_styled()
def noise_traces(ou: ArrayLike, gaussian: ArrayLike, *, lags: int = 40) -> np.ndarray:
    """Draw two noise traces, one above the other, and beside them their autocorrelations.

    Args:
        ou: series of T values of Ornstein-Uhlenbeck noise.
        gaussian: series of T values of independent Gaussian noise.
        lags: the greatest lag, in steps.

    Returns:
        Three axes: OU trace, Gaussian trace, autocorrelations over lags 0 to ``lags``.

    Raises:
        ValueError: a trace is not longer than ``lags`` or does not vary.
    """
    _, panels = plt.subplot_mosaic(
        [["ou", "both"], ["gaussian", "both"]],
        figsize=(_WIDTH, 4.2),
        width_ratios=(1.6, 1),
    )
    traces = {"ou": (ou, "Ornstein-Uhlenbeck", BLUE), "gaussian": (gaussian, "Gaussian", ORANGE)}
    limit = 1.1 * max(np.abs(_series(trace, name)).max() for name, (trace, *_) in traces.items())
    for index, (panel, (trace, name, colour)) in enumerate(traces.items()):
        trace = _series(trace, panel)
        panels[panel].plot(np.arange(len(trace)), trace, color=colour, linewidth=1)
        panels[panel].set_ylim(-limit, limit)
        _describe(panels[panel], "environment step" if index else "", "noise", f"{name} noise")
        correlation = _autocorrelation(trace, lags)
        panels["both"].plot(
            np.arange(lags + 1), correlation, _DASHES[index], marker=".", color=colour, label=name
        )
    panels["both"].axhline(0, color=GREY, linewidth=0.8)
    _describe(panels["both"], "lag (steps)", "autocorrelation")
    _legend(panels["both"])
    return np.array([panels["ou"], panels["gaussian"], panels["both"]])


@_styled()
def stationary_std(measured: ArrayLike, predicted: float, sigma: float) -> Axes:
    """Draw the noise's measured standard deviation over time against two horizontal lines.

    Args:
        measured: series of T running standard deviations, one an environment step.
        predicted: the stationary standard deviation, sigma / sqrt(1 - (1 - theta)^2).
        sigma: the scale of the fresh noise in a step.
    """
    measured = _series(measured, "measured")
    ax = _axes()
    ax.plot(np.arange(1, len(measured) + 1), measured, color=BLUE, label="measured")
    ax.axhline(predicted, color=VERMILLION, linestyle="--", label=f"predicted: {predicted:.3g}")
    ax.axhline(sigma, color=BLACK, linestyle=":", label=f"sigma: {sigma:.3g}")
    ax.set_ylim(bottom=0)
    _describe(ax, "environment step", "standard deviation of the noise")
    _legend(ax)
    return ax


@_styled()
def sigma_decay(steps: ArrayLike, sigmas: ArrayLike) -> Axes:
    """Draw the noise's sigma over environment steps, two series of equal length."""
    steps, sigmas = _pair(steps, sigmas, "steps", "sigmas")
    ax = _axes(height=2.8)
    ax.plot(steps, sigmas, color=BLUE)
    ax.set_ylim(bottom=0)
    _describe(ax, "environment steps since training began", "sigma")
    return ax


# Replay memory ------------------------------------------------------------------------------------


@_styled()
def memory_occupancy(contents: Sequence[ArrayLike], max_size: int | None = None) -> Axes:
    """Draw which transitions a memory holds after each push: the oldest goes first when full.

    Args:
        contents: for the k-th push, the numbers of the transitions held after it (the first one
            pushed is number 1), in any order; shapes [up to M].
        max_size: marks the push after which the memory is full.

    Returns:
        The axes: its first line has one square for each transition held at each time.
    """
    held = [np.asarray(_array(numbers)).ravel() for numbers in contents]
    if not held:
        raise ValueError("contents is empty: give what the memory holds after each push")
    pushes = np.repeat(np.arange(1, len(held) + 1), [len(numbers) for numbers in held])
    ax = _axes(height=3.6)
    square = np.clip(150 / len(held), 1.5, 9)  # points: squares of neighbours nearly touch
    ax.plot(
        pushes, np.concatenate(held), "s", color=BLUE, markersize=square, label="in the memory"
    )
    if max_size is not None:
        ax.axvline(
            max_size + 0.5, color=VERMILLION, linestyle="--", label=f"full: {max_size} transitions"
        )
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.yaxis.get_major_locator().set_params(integer=True)
    _describe(ax, "transitions pushed so far", "transition, in order pushed")
    _legend(ax)
    return ax


@_styled()
def sampled_rows(angles: ArrayLike, consecutive: ArrayLike, sampled: ArrayLike) -> np.ndarray:
    """Draw where a batch of consecutive transitions and a sampled batch lie in the memory.

    Args:
        angles: series of M pendulum angles in radians, one a stored transition, oldest first.
        consecutive: row numbers of the first batch, shape [N].
        sampled: row numbers of the second, shape [N].

    Returns:
        Two axes, one a batch; the first line is all transitions, the second the batch.

    Raises:
        ValueError: a row number is not in the memory.
    """
    angles = _series(angles, "angles")
    _, axes = plt.subplots(2, 1, figsize=(_WIDTH, 4.4), sharex=True, sharey=True)
    batches = {"consecutive": consecutive, "sampled": sampled}
    for ax, (name, batch) in zip(axes, batches.items(), strict=True):
        rows = _series(batch, name).astype(int)
        if rows.min() < 0 or rows.max() >= len(angles):
            raise ValueError(
                f"{name} asks for rows {rows.min()} to {rows.max()}; "
                f"the memory's rows are 0 to {len(angles) - 1}"
            )
        ax.plot(np.arange(len(angles)), angles, ".", color="#BDBDBD", markersize=3)
        ax.plot(rows, angles[rows], "o", color=VERMILLION, markersize=4.5)
        _describe(ax, "", "angle (rad)", f"{len(rows)} {name} transitions")
        _angle_ticks(ax.yaxis)
    axes[-1].set_xlabel("row of the memory, oldest first (one environment step each)")
    return axes


@_styled()
def batch_correlation(
    consecutive: ArrayLike,
    sampled: ArrayLike,
    names: Sequence[str] = ("cos(angle)", "sin(angle)", "velocity"),
) -> Axes:
    """Draw, for each state component, the correlation between neighbours in a batch.

    Args:
        consecutive: states of a batch of consecutive transitions, in order, [N, S].
        sampled: states of a sampled batch, in the order sampled, [N, S].
        names: names of the S components.

    Returns:
        The axes: S bars for the consecutive batch, then S for the sampled one.

    Raises:
        ValueError: a shape does not fit the names, or a component does not vary in a batch.
    """
    ax = _axes(height=3.0)
    batches = {"consecutive": (consecutive, VERMILLION), "sampled": (sampled, BLUE)}
    for offset, (name, (states, colour)) in zip((-0.18, 0.18), batches.items(), strict=True):
        states = _array(states)
        if states.ndim != 2 or states.shape[1] != len(names) or len(states) < 3:
            raise ValueError(
                f"{name} has shape {states.shape}; it must be [N, {len(names)}] with N at least 3, "
                f"for {', '.join(names)}"
            )
        heights = [_autocorrelation(column, 1)[1] for column in states.T]
        bars = ax.bar(
            np.arange(len(names)) + offset, heights, 0.34, color=colour, label=f"{name} batch"
        )
        # Adding 0 turns a rounded -0.0 into 0.0.
        ax.bar_label(bars, [f"{round(h, 2) + 0:.2f}" for h in heights], padding=2, fontsize=9)
    ax.axhline(0, color=BLACK, linewidth=0.8)
    ax.set_xticks(range(len(names)), names)
    ax.margins(y=0.15)
    ax.grid(axis="x", visible=False)
    _describe(ax, "component of the state", "correlation of neighbours\nin the batch")
    _legend(ax)
    return ax


# Networks -----------------------------------------------------------------------------------------


@_styled()
def action_scaling(actor_outputs: ArrayLike, low: float, high: float) -> Axes:
    """Draw how the actor's output in [-1, 1] becomes a torque in the environment's range.

    Args:
        actor_outputs: series of N outputs of the actor's tanh.
        low: the environment's least torque in N m.
        high: its greatest.

    Returns:
        The axes: the last line has one point an output, (output, torque).

    Raises:
        ValueError: an output is outside [-1, 1], or ``low`` is not below ``high``.
    """
    outputs = _series(actor_outputs, "actor_outputs")
    low, high = float(np.squeeze(_array(low))), float(np.squeeze(_array(high)))
    if np.abs(outputs).max() > 1:
        raise ValueError(
            f"an actor output is {outputs[np.abs(outputs).argmax()]:.3g}; all must lie in [-1, 1], "
            "where tanh puts them"
        )
    if low >= high:
        raise ValueError(f"low ({low}) must be below high ({high})")
    ax = _axes()
    ax.plot([-1, 1], [low, high], color=GREY, label="low + (high - low) (output + 1) / 2")
    for bound, name in ((low, "low"), (high, "high")):
        ax.axhline(bound, color=VERMILLION, linestyle=":", linewidth=1.2)
        ax.annotate(
            f"{name} = {bound:g} N m",
            (-1 if bound == high else 1, bound),
            xytext=(0, -4 if bound == high else 4),
            textcoords="offset points",
            ha="left" if bound == high else "right",
            va="top" if bound == high else "bottom",
        )
    torques = low + (high - low) * (outputs + 1) / 2
    ax.plot(outputs, torques, "o", color=BLUE, markersize=6, label="the actor's outputs")
    _describe(ax, "output of the actor (tanh), the agent's action", "torque (N m)")
    _legend(ax)
    return ax


@_styled()
def tanh_squash(limit: float = 4.0) -> Axes:
    """Draw tanh, which squashes any number into (-1, 1), and its slope 1 - tanh^2.

    Args:
        limit: the curve runs from minus this input to this.
    """
    inputs = np.linspace(-limit, limit, 201)
    ax = _axes(height=3.2)
    for bound in (-1, 1):
        ax.axhline(bound, color=GREY, linestyle=":", linewidth=1.2)
    ax.plot(inputs, np.tanh(inputs), color=BLUE, label="tanh: the action")
    slope = 1 - np.tanh(inputs) ** 2
    ax.plot(inputs, slope, "--", color=ORANGE, label="slope: the factor on a gradient")
    _describe(ax, "output of the last linear layer", "value")
    _legend(ax)
    return ax


@_styled()
def activations(layers: Mapping[str, ArrayLike], *, bins: int = 30) -> np.ndarray:
    """Draw a histogram of each layer's outputs, with the share of them that is exactly 0.

    Args:
        layers: outputs by the layer's name, any shape each.
        bins: bars in a histogram.

    Returns:
        One axes a layer, in the order given.

    Raises:
        ValueError: there is no layer, or a layer has no outputs.
    """
    if not layers:
        raise ValueError("layers is empty: give the outputs of at least one layer")
    outputs = {name: _array(values).ravel() for name, values in layers.items()}
    for name, values in outputs.items():
        if not len(values):
            raise ValueError(f"{name} has no outputs: there is nothing to draw")
    _, axes = plt.subplots(1, len(outputs), figsize=(_WIDTH, 3.0), squeeze=False)
    for ax, colour, (name, values) in zip(axes[0], COLOURS, outputs.items(), strict=False):
        ax.hist(values, bins, weights=np.full(len(values), 100 / len(values)), color=colour)
        ax.grid(axis="x", visible=False)
        _describe(ax, "output", "", f"{name}\n{100 * np.mean(values == 0):.0f} % are exactly 0")
    axes[0, 0].set_ylabel("share of the outputs (%)")
    return axes[0]


# Critic -------------------------------------------------------------------------------------------


@_styled()
def td_targets(
    values: ArrayLike,
    rewards: ArrayLike,
    discounted_next_values: ArrayLike,
    targets: ArrayLike,
    terminated: ArrayLike,
) -> Axes:
    """Draw an arrow from Q(s, a) to the TD target for each transition of a small batch.

    Bars show what a target is made of: the reward, and from its end on the discounted value of the
    next state. Where the transition terminated, the second bar is left empty: it does not count.

    Args:
        values: Q(s, a), series of N.
        rewards: r, series of N.
        discounted_next_values: gamma Q'(s', mu'(s')), before the mask; series of N.
        targets: the TD targets (Lillicrap et al. 2015, equation 5), series of N; drawn as given.
        terminated: 1 or True where the next state is terminal; series of N.

    Returns:
        The axes: line "Q(s, a)" and line "TD target" have one marker a transition.

    Raises:
        ValueError: the lengths differ.
    """
    names = ("values", "rewards", "discounted_next_values", "targets", "terminated")
    columns = [
        _series(column, name)
        for name, column in zip(
            names, (values, rewards, discounted_next_values, targets, terminated), strict=True
        )
    ]
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(
            f"{name} {len(column)}" for name, column in zip(names, columns, strict=True)
        )
        raise ValueError(f"one entry a transition is needed in each; the lengths are {lengths}")
    values, rewards, next_values, targets, terminated = columns
    over = terminated > 0.5
    at = np.arange(len(values))
    ax = _axes(height=4.2)
    bar = {"width": 0.16, "linewidth": 1.2}
    ax.bar(at + 0.2, rewards, color=SKY, label="reward r", **bar)
    ax.bar(
        (at + 0.36)[~over], next_values[~over], bottom=rewards[~over], color=GREEN,
        label="+ discounted next value", **bar,
    )  # fmt: skip
    ax.bar(
        (at + 0.36)[over], next_values[over], bottom=rewards[over], color="none",
        edgecolor=BLACK, linestyle=":", label="terminal: not counted", **bar,
    )  # fmt: skip
    for x, value, target in zip(at, values, targets, strict=True):
        ax.annotate(
            "", (x, target), (x - 0.3, value),
            arrowprops={"arrowstyle": "->", "color": BLACK, "shrinkA": 5, "shrinkB": 5},
        )  # fmt: skip
    ax.plot(at - 0.3, values, "o", color=BLUE, markersize=8, label="Q(s, a)")
    _markers(ax, at, targets, VERMILLION, "TD target")
    ax.axhline(0, color=BLACK, linewidth=0.8)
    ax.use_sticky_edges = False  # bars would end the axes at 0, through a marker there
    ax.margins(y=0.08)
    ax.set_xticks(at, [f"{i}\n(terminated)" if end else str(i) for i, end in enumerate(over)])
    ax.grid(axis="x", visible=False)
    _describe(ax, "transition of the batch", "value (sum of discounted rewards)")
    _legend(ax, points_below=50)
    return ax


@_styled()
def bug_losses(losses: Mapping[str, float], right: str = "right") -> Axes:
    """Draw the loss under each bug as a bar, and the right loss as a vertical line.

    Args:
        losses: loss by name, bugs in the order wanted, the right one among them.
        right: the right one's name.

    Returns:
        The axes: one bar a bug, top down.

    Raises:
        ValueError: ``right`` is no key of ``losses``.
    """
    if right not in losses:
        raise ValueError(f"losses has no entry {right!r} for the right loss, only {list(losses)}")
    bugs = {name: float(loss) for name, loss in losses.items() if name != right}
    expected = float(losses[right])
    ax = _axes(height=1.3 + 0.4 * len(bugs))
    bars = ax.barh(list(bugs), list(bugs.values()), 0.6, color=ORANGE)
    patch = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # a label may lie on the line
    ax.bar_label(bars, fmt="%.3g", padding=4, fontsize=9, bbox=patch)
    ax.axvline(expected, color=BLACK, linestyle="--", label=f"{right}: {expected:.3g}")
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    _describe(ax, "critic loss", "")
    _legend(ax)
    return ax


# Actor --------------------------------------------------------------------------------------------


@_styled()
def climb(q_function: Callable[[Tensor], Tensor], actions: ArrayLike) -> Axes:
    """Draw an actor's successive actions, one-dimensional, on the curve of a known Q.

    Args:
        q_function: maps actions, a float32 tensor [N, 1], to their values, [N] or [N, 1].
        actions: series of the actor's actions, before the first step and after each.

    Returns:
        The axes: the first line is the curve, the second the path.
    """
    path = _series(actions, "actions")
    edge = max(1.0, np.abs(path).max())
    grid = np.linspace(-edge, edge, 201)
    ax = _axes()
    ax.plot(grid, _values(q_function, grid[:, None]), color=GREY, label="Q(s, a)")
    heights = _values(q_function, path[:, None])
    ax.plot(path, heights, "-", color=VERMILLION, linewidth=1, zorder=2.5)
    _steps(ax, path, heights)
    _describe(ax, "action a", "Q(s, a)")
    _legend(ax)
    return ax


@_styled()
def climb_surface(q: Callable[[Tensor], Tensor], path: ArrayLike, *, grid: int = 101) -> Axes:
    """Draw an actor's successive actions, two-dimensional, on the contours of a known Q.

    Args:
        q: maps actions, a float32 tensor [N, 2], to their values, [N] or [N, 1].
        path: the actor's actions, before the first step and after each, [K, 2].
        grid: points a side where Q is computed.

    Returns:
        The axes: the first line is the path.

    Raises:
        ValueError: ``path`` is not [K, 2].
    """
    path = _array(path)
    if path.ndim != 2 or path.shape[1] != 2 or not len(path):
        raise ValueError(f"path has shape {path.shape}; it must be [K, 2], one action a row")
    side = np.linspace(-1, 1, grid)
    first, second = np.meshgrid(side, side)
    values = _values(q, np.stack([first.ravel(), second.ravel()], axis=1)).reshape(grid, grid)
    ax = _axes(width=6.0, height=4.8)
    filled = ax.contourf(first, second, values, levels=15, cmap="cividis")
    ax.figure.colorbar(filled, ax=ax, label="Q(s, a)")
    ax.plot(*path.T, "-", color="white", linewidth=1.5)
    _steps(ax, *path.T)
    ax.set(aspect="equal", xticks=np.linspace(-1, 1, 5), yticks=np.linspace(-1, 1, 5))
    _describe(ax, "action, first dimension", "action, second dimension")
    _legend(ax)
    return ax


@_styled()
def loss_curve(losses: ArrayLike, label: str = "loss") -> Axes:
    """Draw a loss over optimiser steps, on a logarithmic axis.

    Args:
        losses: one positive number a step, series of T.
        label: what the loss is of, for the vertical axis.

    Returns:
        The axes: one line with x from 0.
    """
    losses = _series(losses, "losses")
    ax = _axes()
    ax.plot(losses, color=BLUE)
    ax.set_yscale("log")
    _describe(ax, "optimiser step", label)
    return ax


# Agent --------------------------------------------------------------------------------------------


@_styled()
def target_lag(online: ArrayLike, targets: Mapping[float, ArrayLike]) -> Axes:
    """Draw one weight of the online network over updates, and of targets with several tau.

    (The soft updates of Lillicrap et al. 2015, Algorithm 1.)

    Args:
        online: series of T values of the weight.
        targets: for each tau, a series of T values of the target's weight.

    Returns:
        The axes: first the online line, then one line a tau.
    """
    online = _series(online, "online")
    ax = _axes()
    ax.plot(np.arange(len(online)), online, color=GREY, linewidth=3, alpha=0.7, label="online")
    for index, (tau, weights) in enumerate(targets.items()):
        _, weights = _pair(online, weights, "online", f"the target of tau {tau:g}")
        ax.plot(
            np.arange(len(weights)), weights, label=f"target, tau = {tau:g}", **_look(index)
        )
    _describe(ax, "update", "value of one weight")
    _legend(ax)
    return ax


@_styled()
def policy_and_value(agent: Any, *, grid: int = 61) -> np.ndarray:
    """Draw Pendulum's policy mu(s) and value Q(s, mu(s)) over angle and angular velocity.

    Args:
        agent: has ``actor``, states [N, 3] to actions [N, 1], and ``critic``, states and actions to
            values [N, 1]; a state is (cos angle, sin angle, velocity).
        grid: points a side.

    Returns:
        Two axes, policy and value. The mesh of each, ``ax.collections[0].get_array()``, has shape
        [grid, grid]: velocity from -8 to 8 rad/s along the first axis, angle from -pi to pi along
        the second.
    """
    angles = np.linspace(-np.pi, np.pi, grid)
    velocities = np.linspace(-MAX_VELOCITY, MAX_VELOCITY, grid)
    actions, values = _networks_over(agent.actor, agent.critic, angles, velocities)
    _, axes = plt.subplots(1, 2, figsize=(_WIDTH, 3.5), sharey=True)
    panels = (
        (actions, "PuOr_r", {"vmin": -1, "vmax": 1}, "action; torque (N m) = 2 × action"),
        (values, "cividis", {}, "value (sum of discounted rewards)"),
    )
    titles = ("policy: mu(s)", "value: Q(s, mu(s))")
    for ax, title, (grid_of, colours, limits, label) in zip(axes, titles, panels, strict=True):
        mesh = ax.pcolormesh(
            angles, velocities, grid_of, cmap=colours, shading="nearest", rasterized=True, **limits
        )
        ax.figure.colorbar(mesh, ax=ax, label=label, location="bottom", aspect=30)
        ax.grid(visible=False)
        _angle_ticks(ax.xaxis)
        _describe(ax, "angle (rad), 0 is upright", "", title)
    axes[0].set_ylabel("angular velocity (rad/s)")
    axes[0].set_yticks(np.linspace(-MAX_VELOCITY, MAX_VELOCITY, 5))
    return axes


def pendulum_episode(
    agent: Any, *, seed: int = 0, steps: int = 200
) -> tuple[np.ndarray, np.ndarray]:
    """Run the agent's policy without noise on Pendulum-v1; return its states and actions.

    Args:
        agent: has ``get_action(state)``, one action of shape [1] in [-1, 1].
        seed: of the reset.
        steps: at most; an episode has 200.

    Returns:
        states [T, 3] (cos angle, sin angle, velocity in rad/s) and actions [T], the one taken in
        each state, limited to [-1, 1].
    """
    env = make_env("Pendulum-v1")
    state, _ = env.reset(seed=seed)
    states, actions = [], []
    over = False
    while not over and len(states) < steps:
        action = np.clip(agent.get_action(state), env.action_space.low, env.action_space.high)
        states.append(state)
        actions.append(float(action[0]))
        state, _, terminated, truncated, _ = env.step(action)
        over = terminated or truncated
    env.close()
    return np.array(states), np.array(actions)


@_styled()
def pendulum_trace(states: ArrayLike, actions: ArrayLike) -> np.ndarray:
    """Draw Pendulum's angle, angular velocity and torque over time, 0.05 s a step.

    Args:
        states: [T, 3], (cos angle, sin angle, velocity in rad/s).
        actions: series of T actions in [-1, 1]; the torque is twice that.

    Returns:
        Three axes, one line each.

    Raises:
        ValueError: ``states`` is not [T, 3] with one action each.
    """
    states, actions = _array(states), _series(actions, "actions")
    if states.shape != (len(actions), 3):
        raise ValueError(
            f"states has shape {states.shape} and there are {len(actions)} actions; "
            f"states must be [{len(actions)}, 3]"
        )
    seconds = SECONDS_PER_STEP * np.arange(len(states))
    _, axes = plt.subplots(3, 1, figsize=(_WIDTH, 5.2), sharex=True)
    # Dots: a line would cross the whole panel where the angle goes from pi to -pi.
    axes[0].plot(seconds, np.arctan2(states[:, 1], states[:, 0]), ".", color=BLUE, markersize=4)
    axes[0].set_ylim(-1.1 * np.pi, 1.1 * np.pi)
    _angle_ticks(axes[0].yaxis)
    axes[1].plot(seconds, states[:, 2], color=GREEN)
    axes[2].step(seconds, MAX_TORQUE * actions, where="post", color=VERMILLION, linewidth=1.2)
    axes[2].set_ylim(-1.1 * MAX_TORQUE, 1.1 * MAX_TORQUE)
    labels = ("angle (rad)\n0 is upright", "velocity (rad/s)", "torque (N m)")
    for ax, label in zip(axes, labels, strict=True):
        _describe(ax, "", label)
    axes[-1].set_xlabel("time (s)")
    return axes


def animate_pendulum(agent: Any, *, seed: int = 0, steps: int = 200, every: int = 2) -> Image:
    """Return an animation of the agent's policy, without noise, on Pendulum-v1.

    It is an animated PNG that a notebook stores and shows without a display server or a player; it
    runs in real time and shows time and torque. Where animations aren't supported, its first frame
    is shown.

    Args:
        agent: has ``get_action(state)``.
        seed: of the reset.
        steps: at most; an episode has 200.
        every: draw one frame in so many steps.

    Raises:
        ValueError: ``steps`` or ``every`` is below 1.
    """
    if steps < 1 or every < 1:
        raise ValueError(f"steps ({steps}) and every ({every}) must be at least 1")
    states, actions = pendulum_episode(agent, seed=seed, steps=steps)
    frames = _pendulum_frames(states[::every], actions[::every], every * SECONDS_PER_STEP)
    # One palette for all frames, without dithering: flat areas that don't change cost nothing.
    sample = Picture.fromarray(np.concatenate(frames[:: max(1, len(frames) // 8)]))
    palette = sample.quantize(64, method=Picture.Quantize.MAXCOVERAGE)
    pictures = [
        Picture.fromarray(frame).quantize(palette=palette, dither=Picture.Dither.NONE)
        for frame in frames
    ]
    stored = io.BytesIO()
    pictures[0].save(
        stored, "PNG", save_all=True, append_images=pictures[1:], loop=0, optimize=True,
        duration=round(1000 * every * SECONDS_PER_STEP),
    )  # fmt: skip
    alt = f"A pendulum moved by the agent for {SECONDS_PER_STEP * len(states):.1f} seconds"
    return Image(stored.getvalue(), format="png", alt=alt)


# Shared by the figures ----------------------------------------------------------------------------


def _axes(width: float = _WIDTH, height: float = 3.4) -> Axes:
    return plt.subplots(figsize=(width, height))[1]


def _describe(ax: Axes, xlabel: str, ylabel: str, title: str = "") -> None:
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if title:
        ax.set_title(title, loc="left")


_LIT = {"facecolor": "#CFE6F5", "edgecolor": BLUE, "linewidth": 2.8}
_UNLIT = {"facecolor": "white", "edgecolor": GREY, "linewidth": 0.9}


def _part(
    ax: Axes, name: str, corner: tuple[float, float], size: tuple[float, float], lit: bool
) -> None:
    """Draw the frame of a part of the diagram of Algorithm 1."""
    look = dict(_LIT if lit else _UNLIT)
    if name == "update":  # others lie on it
        look |= {"facecolor": "none", "linestyle": "--"}
    box = FancyBboxPatch(corner, *size, boxstyle="round,pad=0,rounding_size=0.08", **look)
    box.set_gid(name)
    ax.add_patch(box)


def _box(
    ax: Axes,
    name: str,
    centre: tuple[float, float],
    size: tuple[float, float],
    heading: str,
    words: str,
    lit: bool,
) -> None:
    """Draw a part with its heading and, where there are any, words under it."""
    (x, y), (width, height) = centre, size
    _part(ax, name, (x - width / 2, y - height / 2), size, lit)
    weight = "bold" if lit else "normal"
    if not words:
        ax.text(x, y, heading, ha="center", va="center", weight=weight)
        return
    top = y + height / 2 - 0.18
    ax.text(x, top, heading, ha="center", va="center", weight=weight)
    ax.text(x, (top + y - height / 2) / 2 - 0.03, words, ha="center", va="center")


def _arrow(ax: Axes, path: Sequence[tuple[float, float]]) -> None:
    """Draw an arrow through the points of ``path``."""
    ax.add_patch(
        FancyArrowPatch(
            path=Path(path), arrowstyle="-|>", mutation_scale=11, color="#595959", linewidth=1.1,
            shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


def _legend(ax: Axes, points_below: float = 38) -> None:
    """Put the legend under the axes and their labels, where it hides no data."""
    below = ax.transAxes + ScaledTranslation(0, -points_below / 72, ax.figure.dpi_scale_trans)
    labels = ax.get_legend_handles_labels()[1]
    widths = [0.7 + 0.07 * len(label) for label in labels]  # inches, about
    room = 1.15 * ax.figure.get_figwidth() * ax.get_position().width
    columns = len(labels)
    while columns > 1 and sum(max(part) for part in np.array_split(widths, columns)) > room:
        columns -= 1
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=columns,
        borderaxespad=0,
    )  # fmt: skip


def _look(index: int, baseline: bool = False) -> dict[str, str]:
    """Colour and dashes of the line number ``index``; black and solid for a baseline."""
    if baseline and index == 0:
        return {"color": BLACK, "linestyle": "-"}
    index -= baseline
    colours = COLOURS[:-1]  # all but black
    return {
        "color": colours[index % len(colours)],
        "linestyle": _DASHES[(index + index // len(colours) + baseline) % len(_DASHES)],
    }


def _markers(ax: Axes, x: ArrayLike, y: ArrayLike, colour: str, label: str) -> None:
    """Draw diamonds that stand out from what lies under them."""
    ax.plot(
        x, y, "D", color=colour, markeredgecolor=BLACK, markersize=7, label=label, zorder=3
    )  # fmt: skip


def _steps(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw an actor's successive points, the first and the last with markers of their own."""
    edge = {"markeredgecolor": "white", "zorder": 3}
    ax.plot(x, y, ".", color=VERMILLION, markersize=8, label="after each step", **edge)
    ax.plot(x[:1], y[:1], "s", color=BLUE, markersize=9, label="start", **edge)
    ax.plot(x[-1:], y[-1:], "*", color=BLACK, markersize=15, label=f"step {len(x) - 1}", **edge)


def _angle_ticks(axis: Any) -> None:
    axis.set_ticks(np.pi * np.array([-1, -0.5, 0, 0.5, 1]), ["-π", "-π/2", "0", "π/2", "π"])


def _array(values: ArrayLike | Tensor) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def _series(values: ArrayLike | Tensor, name: str) -> np.ndarray:
    """Return float64 of shape [T] from [T] or [T, 1]."""
    array = _array(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}; it must be [T] or [T, 1]")
    if not len(array):
        raise ValueError(f"{name} is empty: there is nothing to draw")
    return array


def _pair(
    first: ArrayLike, second: ArrayLike, first_name: str, second_name: str
) -> tuple[np.ndarray, np.ndarray]:
    first, second = _series(first, first_name), _series(second, second_name)
    if len(first) != len(second):
        raise ValueError(
            f"{first_name} has {len(first)} values and {second_name} has {len(second)}; "
            "they must be equally many"
        )
    return first, second


def _seeds(number: int) -> str:
    return "1 seed" if number == 1 else f"{number} seeds"


def _runs(table: pd.DataFrame) -> dict[tuple[str, Any], pd.Series]:
    """Return each run's returns over its episodes, by setting and seed, in the table's order."""
    wanted = ["setting", "seed", "episode", "return"]
    missing = [column for column in wanted if column not in table.columns]
    if missing or table.empty:
        problem = f"lacks {', '.join(missing)}" if missing else "is empty"
        raise ValueError(f"the table {problem}; it needs the columns {', '.join(wanted)}")
    if table.duplicated(wanted[:3]).any():
        raise ValueError(
            "the table has an episode of a run twice; give each run its own setting or seed"
        )
    groups = table.groupby(["setting", "seed"], sort=False, dropna=False)
    return {key: run.set_index("episode")["return"].sort_index() for key, run in groups}


def _autocorrelation(trace: np.ndarray, lags: int) -> np.ndarray:
    """The autocorrelation at lags 0 to ``lags``, each sum divided by the one at lag 0."""
    if len(trace) <= lags:
        raise ValueError(
            f"a trace of {len(trace)} steps is too short for {lags} lags; "
            "give a longer one or fewer lags"
        )
    centred = trace - trace.mean()
    if not centred.any():
        raise ValueError("a trace does not vary, so it has no autocorrelation")
    whole = centred @ centred
    sums = [centred[: len(trace) - lag] @ centred[lag:] for lag in range(lags + 1)]
    return np.array(sums) / whole


def _values(q_function: Callable[[Tensor], Tensor], actions: np.ndarray) -> np.ndarray:
    """Call ``q_function`` on actions [N, A]; return the N values."""
    values = _series(q_function(torch.as_tensor(actions, dtype=torch.float32)), "Q's result")
    if len(values) != len(actions):
        raise ValueError(
            f"Q gave {len(values)} values for {len(actions)} actions; "
            "it must map actions [N, A] to values [N] or [N, 1]"
        )
    return values


@torch.no_grad()
def _networks_over(
    actor: nn.Module, critic: nn.Module, angles: np.ndarray, velocities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mu(s) and Q(s, mu(s)) on the grid, each [len(velocities), len(angles)]."""
    angle, velocity = np.meshgrid(angles, velocities)
    states = np.stack([np.cos(angle), np.sin(angle), velocity], axis=-1).reshape(-1, 3)
    parameter = next(actor.parameters())
    states = torch.as_tensor(states, dtype=parameter.dtype, device=parameter.device)
    actions = actor(states)
    values = critic(states, actions)
    return _array(actions).reshape(angle.shape), _array(values).reshape(angle.shape)


@_styled()
def _pendulum_frames(
    states: np.ndarray, actions: np.ndarray, seconds_per_frame: float
) -> list[np.ndarray]:
    """Draw one picture, uint8 [H, W, 3], of each state with the torque applied in it."""
    # Without pyplot, so that a notebook doesn't show the last frame as a figure of its own.
    figure = Figure(figsize=(3.6, 4.0), dpi=100)
    canvas = FigureCanvasAgg(figure)
    scene, gauge = figure.subplots(2, 1, height_ratios=(9, 1))
    scene.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    scene.set_axis_off()
    (rod,) = scene.plot([], [], color=VERMILLION, linewidth=14, solid_capstyle="round")
    scene.plot(0, 0, "o", color=BLACK, markersize=7)
    clock = scene.set_title("time", loc="left")
    reading = scene.set_title("torque", loc="right")
    (bar,) = gauge.barh(0, 0, color=BLUE)
    gauge.axvline(0, color=BLACK, linewidth=0.8)
    gauge.set(xlim=(-MAX_TORQUE, MAX_TORQUE), xticks=[-2, -1, 0, 1, 2], yticks=[])
    gauge.set_xlabel("torque (N m), positive: counter-clockwise")
    canvas.draw()
    figure.set_layout_engine("none")  # made once: anew for each frame it takes half the time
    frames = []
    for number, ((cosine, sine, _), action) in enumerate(zip(states, actions, strict=True)):
        rod.set_data([0, -sine], [0, cosine])  # upright at angle 0, counter-clockwise positive
        bar.set_width(MAX_TORQUE * action)
        clock.set_text(f"time {seconds_per_frame * number:.1f} s")
        reading.set_text(f"torque {MAX_TORQUE * action:+.1f} N m")
        canvas.draw()
        frames.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    return frames
