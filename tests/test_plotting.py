"""Figures: what they draw is what they were given, asserted on data and not on pixels."""

import ast
import io
import re
import subprocess
import sys
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from IPython.display import Image
from PIL import Image as Picture
from torch import nn

from ddpg_helpers import plotting
from ddpg_helpers.comparison import learning_curves
from ddpg_helpers.instructor.course import layout
from ddpg_helpers.networks import Actor, Critic
from ddpg_helpers.training import TrainingRun


class Networks:
    """An untrained agent: enough of one for a figure."""

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.actor, self.critic = Actor(3, 1, 8), Critic(3, 1, 8)

    @torch.no_grad()
    def get_action(self, state: np.ndarray) -> np.ndarray:
        return self.actor(torch.as_tensor(state)[None])[0].numpy()


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def table() -> pd.DataFrame:
    """Two settings, "b" first: three seeds of four episodes, and one seed of three."""
    rows = [("b", seed, e, 10.0 * seed + e) for seed in (5, 6, 8) for e in (1, 2, 3, 4)]
    rows += [("a", 5, e, -float(e)) for e in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["setting", "seed", "episode", "return"])


def line(ax, label):
    """The one line whose legend entry is ``label``."""
    (found,) = [each for each in ax.lines if each.get_label() == label]
    return found


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def heights(ax) -> list[float]:
    return [patch.get_height() for patch in ax.patches]


# The algorithm


def frames(ax) -> dict:
    """The parts of the diagram of Algorithm 1 that have a frame, by name."""
    return {patch.get_gid(): patch for patch in ax.patches if patch.get_gid()}


FRAMED = [part for part in plotting._ALGORITHM_PARTS if part not in plotting._RATES]


@pytest.mark.parametrize("part", FRAMED)
def test_a_lit_part_differs_by_line_weight_too_and_the_others_do_not_change(part):
    plain, lit = frames(plotting.algorithm()), frames(plotting.algorithm([part]))
    widths = {name: (plain[name].get_linewidth(), lit[name].get_linewidth()) for name in plain}
    assert widths.pop(part)[1] > 2 * plain[part].get_linewidth()
    assert all(before == after for before, after in widths.values())


def test_a_learning_rate_is_lit_by_a_bold_framed_label():
    ax = plotting.algorithm(["critic rate"])
    labels = {text.get_gid(): text for text in ax.texts if text.get_gid()}
    assert labels["critic rate"].get_weight() == "bold" and labels["critic rate"].get_bbox_patch()
    assert labels["actor rate"].get_weight() == "normal"
    assert labels["actor rate"].get_bbox_patch() is None


def test_the_diagram_numbers_the_steps_and_names_what_is_lit():
    def words(ax):
        return [text.get_text() for text in ax.texts]

    for ax in (plotting.algorithm(), plotting.algorithm("target")):
        headings = [text for text in words(ax) if text[0].isdigit()]
        assert [heading[0] for heading in sorted(headings)] == ["1", "2", "2", "3", "4", "5", "6"]
    assert "this unit" in words(ax) and "this unit" not in words(plotting.algorithm())


@pytest.mark.parametrize("lit", [[], plotting._ALGORITHM_PARTS])
def test_the_words_of_a_part_stay_inside_its_frame(lit):
    ax = plotting.algorithm(lit)
    ax.figure.canvas.draw()
    boxes = {name: box_of(patch, ax.figure) for name, patch in frames(ax).items()}
    del boxes["update"]
    for text in ax.texts:
        box = box_of(text, ax.figure)
        assert all(
            not box.overlaps(frame) or (frame.x0 < box.x0 and box.x1 < frame.x1)
            for frame in boxes.values()
        ), text.get_text()


@pytest.mark.parametrize("unit", layout.UNITS)
def test_each_unit_draws_the_diagram_where_it_says_where_it_is(unit):
    cells = nbformat.read(layout.source_notebook(unit), as_version=4).cells
    place = [cell.id for cell in cells].index("where")
    call = re.fullmatch(r"plotting\.algorithm\(lit=(.+)\);", cells[place + 1].source)
    ax = plotting.algorithm(ast.literal_eval(call[1]))
    assert "this unit" in [text.get_text() for text in ax.texts]


def test_an_unknown_part_of_the_diagram_is_refused():
    with pytest.raises(ValueError, match="lit names 'crtic'; the diagram's parts are act, "):
        plotting.algorithm(["crtic"])


# Learning curves


def test_a_reward_curve_draws_returns_and_their_running_mean_without_nan():
    ax = plotting.reward_curve([1.0, 3.0, 8.0], window=2)
    each, mean = ax.lines
    np.testing.assert_array_equal(each.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(each.get_ydata(), [1, 3, 8])
    np.testing.assert_allclose(mean.get_ydata(), [1, 2, 5.5])
    assert legend(ax) == ["each episode", "mean of the last 2"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("episode", "return")


def test_a_reward_curve_draws_evaluations_apart_from_training_returns():
    ax = plotting.reward_curve([1.0, 3.0], evaluation=([2], [7.0]))
    drawn = line(ax, "evaluation without noise")
    np.testing.assert_array_equal(drawn.get_xydata(), [[2, 7]])
    assert drawn.get_linestyle() == "None" and drawn.get_marker() == "D"


def test_a_reward_curve_takes_a_training_run_with_its_evaluations():
    run = TrainingRun(
        returns=[-5.0, -4.0], evaluation_episodes=[2], evaluation_returns=[-1.0]
    )
    ax = plotting.reward_curve(run)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [-5, -4])
    np.testing.assert_array_equal(
        line(ax, "evaluation without noise").get_xydata(), [[2, -1]]
    )


def test_a_training_run_without_evaluations_draws_none():
    ax = plotting.reward_curve(TrainingRun(returns=[-5.0, -4.0]))
    assert legend(ax) == ["each episode", "mean of the last 10"]


def test_two_reward_curves_share_axes_and_differ_in_colour_and_label():
    ax = plotting.reward_curve([1.0, 2.0], label="mine")
    assert plotting.reward_curve([2.0, 3.0], label="yours", ax=ax) is ax
    mine, yours = (line(ax, f"{name}: mean of the last 10") for name in ("mine", "yours"))
    assert mine.get_color() != yours.get_color()
    assert mine.get_color() == line(ax, "mine: each episode").get_color()
    assert len(legend(ax)) == 4


def test_a_reward_curve_of_nothing_is_refused():
    with pytest.raises(ValueError, match="returns is empty"):
        plotting.reward_curve([])


def test_an_evaluation_of_unequal_series_is_refused():
    with pytest.raises(ValueError, match="1 episodes and 2 returns"):
        plotting.reward_curve([1.0], evaluation=([1], [2.0, 3.0]))


def test_settings_are_compared_by_the_interquartile_mean_of_the_running_means(table):
    ax = plotting.compare_settings(table, window=2)
    middle = line(ax, "b (3 seeds)")
    np.testing.assert_array_equal(middle.get_xdata(), [1, 2, 3, 4])
    curve = learning_curves(table, window=2)
    np.testing.assert_allclose(middle.get_ydata(), curve[curve.setting == "b"]["mean"])
    np.testing.assert_allclose(line(ax, "a (1 seed)").get_ydata(), [-1, -1.5, -2.5])


def test_the_band_is_the_bootstraps_and_one_seed_has_none(table):
    ax = plotting.compare_settings(table, window=1)
    (band,) = ax.collections
    vertices = band.get_paths()[0].vertices
    at_four = np.unique(vertices[vertices[:, 0] == 4, 1])
    curve = learning_curves(table).query("setting == 'b' and episode == 4")
    np.testing.assert_allclose(at_four, curve[["low", "high"]].to_numpy().ravel())


def test_rows_in_any_order_draw_the_same_comparison(table):
    shuffled = table.sample(frac=1, random_state=0)
    ax = plotting.compare_settings(shuffled, window=2)
    np.testing.assert_allclose(
        line(ax, "b (3 seeds)").get_ydata(),
        line(plotting.compare_settings(table, window=2), "b (3 seeds)").get_ydata(),
    )


def test_a_comparison_ends_with_the_shortest_seed(table):
    cut = table[~((table.seed == 8) & (table.episode > 2))]
    ax = plotting.compare_settings(cut)
    np.testing.assert_array_equal(line(ax, "b (3 seeds)").get_xdata(), [1, 2])


def test_a_gallery_has_a_panel_for_each_setting_with_its_curve_and_its_seeds():
    rows = [(name, seed, episode, -episode - seed)
            for name in "abcd" for seed in range(3) for episode in range(5)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["setting", "seed", "episode", "return"])
    axes = plotting.curve_gallery(table, window=1)
    titles = [ax.get_title(loc="left") for ax in axes.flat if ax.axison]
    assert titles == [f"{name} (3 seeds)" for name in "abcd"] and axes.shape == (2, 3)
    assert len(axes[0, 0].lines) == 4  # three seeds and the mean
    np.testing.assert_allclose(axes[0, 0].lines[-1].get_ydata(), -np.arange(5) - 1.0)
    with pytest.raises(ValueError, match="lacks return"):
        plotting.curve_gallery(table[["setting", "seed", "episode"]])


def test_the_baseline_is_first_and_black(table):
    ax = plotting.compare_settings(table, baseline="a")
    assert legend(ax) == ["a (1 seed)", "b (3 seeds)"]
    assert ax.lines[0].get_color() == plotting.BLACK != ax.lines[1].get_color()


def test_without_a_baseline_settings_keep_the_tables_order(table):
    ax = plotting.compare_settings(table)
    assert legend(ax) == ["b (3 seeds)", "a (1 seed)"]
    assert plotting.BLACK not in [each.get_color() for each in ax.lines]


def test_many_settings_all_look_different():
    rows = [(f"s{i}", 0, 1, float(i)) for i in range(20)]
    table = pd.DataFrame(rows, columns=["setting", "seed", "episode", "return"])
    ax = plotting.compare_settings(table, baseline="s0")
    assert len({(each.get_color(), each.get_linestyle()) for each in ax.lines}) == 20


def test_a_run_whose_seed_is_unknown_is_drawn(table):
    ax = plotting.compare_settings(table[table.setting == "a"].assign(seed=np.nan))
    np.testing.assert_allclose(line(ax, "a (1 seed)").get_ydata(), [-1, -1.5, -2])


def test_an_unknown_baseline_is_refused(table):
    with pytest.raises(ValueError, match=r"baseline is 'c'.*'b', 'a'"):
        plotting.compare_settings(table, baseline="c")


@pytest.mark.parametrize("draw", [plotting.compare_settings, plotting.final_performance])
def test_a_table_that_is_not_tidy_is_refused(draw, table):
    with pytest.raises(ValueError, match="lacks seed"):
        draw(table.drop(columns="seed"))
    with pytest.raises(ValueError, match="is empty"):
        draw(table.iloc[:0])
    with pytest.raises(ValueError, match="twice"):
        draw(pd.concat([table, table]))


def test_final_performance_draws_a_dot_a_seed_and_the_median(table):
    ax = plotting.final_performance(table, last=2)
    dots, median, single, single_median = ax.lines
    np.testing.assert_allclose(dots.get_xdata(), [53.5, 63.5, 83.5])
    np.testing.assert_allclose(median.get_xdata(), [63.5, 63.5])
    np.testing.assert_allclose(single.get_xdata(), [-2.5])
    np.testing.assert_allclose(single_median.get_xdata(), [-2.5, -2.5])
    assert np.all(np.abs(dots.get_ydata()) < 0.5) and single.get_ydata() == [1]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["b (3 seeds)", "a (1 seed)"]


def test_final_performance_of_a_short_run_takes_what_there_is(table):
    ax = plotting.final_performance(table[table.setting == "a"], last=10)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [-2])


def test_further_points_lie_in_their_settings_row_with_a_marker_of_their_own(table):
    ax = plotting.final_performance(table, points={"a": -7.0, "new": 3.0})
    points = line(ax, "one run of the original tutorial")
    np.testing.assert_array_equal(points.get_xdata(), [-7, 3])
    np.testing.assert_array_equal(np.round(points.get_ydata()), [1, 2])
    assert points.get_marker() != ax.lines[0].get_marker()
    assert ax.get_yticklabels()[2].get_text() == "new"


def test_final_performance_over_no_episodes_is_refused(table):
    with pytest.raises(ValueError, match="at least 1"):
        plotting.final_performance(table, last=0)


# Noise


def test_noise_traces_are_drawn_beside_their_autocorrelations():
    alternating = np.array([1.0, -1.0] * 50)
    gaussian = np.random.default_rng(0).normal(size=100)
    ou_axes, gaussian_axes, both = plotting.noise_traces(alternating[:, None], gaussian, lags=3)
    np.testing.assert_array_equal(ou_axes.lines[0].get_ydata(), alternating)
    np.testing.assert_array_equal(gaussian_axes.lines[0].get_ydata(), gaussian)
    measured = line(both, "Ornstein-Uhlenbeck")
    np.testing.assert_array_equal(measured.get_xdata(), [0, 1, 2, 3])
    np.testing.assert_allclose(measured.get_ydata(), [1, -0.99, 0.98, -0.97])
    assert line(both, "Gaussian").get_ydata()[0] == pytest.approx(1)
    assert ou_axes.get_ylim() == gaussian_axes.get_ylim()


def test_a_trace_without_an_autocorrelation_is_refused():
    with pytest.raises(ValueError, match="too short for 40 lags"):
        plotting.noise_traces(np.arange(30.0), np.arange(30.0))
    with pytest.raises(ValueError, match="does not vary"):
        plotting.noise_traces(np.zeros(60), np.arange(60.0))


def test_the_measured_std_is_drawn_against_two_horizontal_lines():
    ax = plotting.stationary_std([0.1, 0.5, 0.55], 0.57, 0.3)
    np.testing.assert_array_equal(line(ax, "measured").get_ydata(), [0.1, 0.5, 0.55])
    np.testing.assert_array_equal(line(ax, "predicted: 0.57").get_ydata(), [0.57, 0.57])
    np.testing.assert_array_equal(line(ax, "sigma: 0.3").get_ydata(), [0.3, 0.3])
    low, high = ax.get_ylim()
    assert low == 0 and high > 0.57


def test_sigma_is_drawn_over_steps():
    ax = plotting.sigma_decay([0, 10, 20], [0.3, 0.1, 0.1])
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[0, 0.3], [10, 0.1], [20, 0.1]])
    with pytest.raises(ValueError, match="steps has 2 values and sigmas has 1"):
        plotting.sigma_decay([0, 1], [0.3])


# Replay memory


def test_memory_occupancy_has_one_square_a_stored_transition():
    ax = plotting.memory_occupancy([[1], torch.tensor([[2.0], [1.0]]), [2, 3]], max_size=2)
    drawn = sorted(map(tuple, ax.lines[0].get_xydata()))
    assert drawn == [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]
    assert ax.lines[1].get_xdata()[0] == 2.5
    assert legend(ax) == ["in the memory", "full: 2 transitions"]


def test_occupancy_of_no_pushes_is_refused():
    with pytest.raises(ValueError, match="contents is empty"):
        plotting.memory_occupancy([])


def test_sampled_rows_highlights_the_chosen_rows():
    angles = np.linspace(-3, 3, 10)
    first, second = plotting.sampled_rows(angles, [4, 5, 6], [9, 0, 3])
    for ax, rows in ((first, [4, 5, 6]), (second, [9, 0, 3])):
        everything, chosen = ax.lines
        np.testing.assert_array_equal(everything.get_ydata(), angles)
        np.testing.assert_array_equal(chosen.get_xdata(), rows)
        np.testing.assert_array_equal(chosen.get_ydata(), angles[rows])
    assert first.get_title(loc="left") == "3 consecutive transitions"


def test_a_row_outside_the_memory_is_refused():
    with pytest.raises(ValueError, match="sampled asks for rows 0 to 10"):
        plotting.sampled_rows(np.zeros(10), [1, 2], [0, 10])


def test_batch_correlation_has_one_bar_a_component_and_batch():
    rising = np.stack([np.arange(50.0)] * 3, axis=1)
    mixed = np.random.default_rng(0).permutation(rising)
    ax = plotting.batch_correlation(torch.tensor(rising), mixed)
    assert len(ax.patches) == 6
    assert np.all(np.array(heights(ax)[:3]) > 0.9)
    assert np.all(np.abs(heights(ax)[3:]) < 0.3)
    assert legend(ax) == ["consecutive batch", "sampled batch"]


def test_a_batch_whose_states_have_other_components_is_refused():
    with pytest.raises(ValueError, match=r"consecutive has shape \(5, 2\).*\[N, 3\]"):
        plotting.batch_correlation(np.zeros((5, 2)), np.zeros((5, 3)))


# Networks


def test_action_scaling_maps_the_actors_range_onto_the_environments():
    ax = plotting.action_scaling([-1.0, 0.0, 0.5], np.array([-2.0]), np.array([6.0]))
    np.testing.assert_allclose(ax.lines[-1].get_xydata(), [[-1, -2], [0, 2], [0.5, 4]])
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[-1, -2], [1, 6]])
    assert ax.get_ylabel() == "torque (N m)"


def test_action_scaling_refuses_what_tanh_cannot_give_and_an_empty_range():
    with pytest.raises(ValueError, match=r"an actor output is -1.5"):
        plotting.action_scaling([0.2, -1.5], -2, 2)
    with pytest.raises(ValueError, match="below high"):
        plotting.action_scaling([0.2], 2, -2)


def test_activations_draws_one_histogram_a_layer_with_its_share_of_zeros():
    outputs = {"first": torch.tensor([[0.0, 0.0], [1.0, 3.0]]), "second": [-1.0, 1.0, 2.0, 0.5]}
    first, second = plotting.activations(outputs, bins=4)
    assert heights(first) == [50, 25, 0, 25] and sum(heights(second)) == pytest.approx(100)
    assert first.get_title("left") == "first\n50 % are exactly 0"
    assert second.get_title("left") == "second\n0 % are exactly 0"


@pytest.mark.parametrize("layers", [{}, {"first": []}])
def test_activations_of_nothing_are_refused(layers):
    with pytest.raises(ValueError, match=r"layers is empty|first has no outputs"):
        plotting.activations(layers)


def test_tanh_squash_draws_tanh_and_its_slope():
    ax = plotting.tanh_squash()
    curve, slope = line(ax, "tanh: the action"), line(ax, "slope: the factor on a gradient")
    np.testing.assert_allclose(curve.get_ydata(), np.tanh(curve.get_xdata()))
    measured = np.gradient(curve.get_ydata(), curve.get_xdata())
    np.testing.assert_allclose(slope.get_ydata()[1:-1], measured[1:-1], atol=1e-3)


# Critic


def test_td_targets_draws_an_arrow_from_each_value_to_its_target():
    values = torch.tensor([[2.0], [5.0]], requires_grad=True)
    ax = plotting.td_targets(values, [1, 3], [3.6, 4.5], [4.6, 3.0], [0, 1])
    np.testing.assert_array_equal(line(ax, "Q(s, a)").get_ydata(), [2, 5])
    np.testing.assert_allclose(line(ax, "TD target").get_ydata(), [4.6, 3])
    ends = [(arrow.xyann[1], arrow.xy[1]) for arrow in ax.texts]
    np.testing.assert_allclose(ends, [(2, 4.6), (5, 3)])


def test_td_targets_marks_terminal_transitions_and_leaves_their_next_value_empty():
    ax = plotting.td_targets([2, 5], [1, 3], [3.6, 4.5], [4.6, 3.0], [False, True])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1\n(terminated)"]
    rewards, counted, masked = ax.containers
    assert [bar.get_height() for bar in rewards] == [1, 3]
    assert [(bar.get_y(), bar.get_height()) for bar in counted] == [(1, pytest.approx(3.6))]
    assert [(bar.get_y(), bar.get_height()) for bar in masked] == [(3, 4.5)]
    assert masked[0].get_facecolor()[3] == 0 != counted[0].get_facecolor()[3]


def test_td_targets_of_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="rewards 1, "):
        plotting.td_targets([2, 5], [1], [3.6, 4.5], [4.6, 3.0], [0, 1])


def test_bug_losses_draws_a_bar_a_bug_and_a_line_at_the_right_loss():
    ax = plotting.bug_losses({"no mask": 4.0, "right": 1.5, "sum": 3.0})
    assert [patch.get_width() for patch in ax.patches] == [4, 3]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["no mask", "sum"]
    assert list(line(ax, "right: 1.5").get_xdata()) == [1.5, 1.5]


def test_bug_losses_without_the_right_one_are_refused():
    with pytest.raises(ValueError, match="no entry 'right'"):
        plotting.bug_losses({"no mask": 4.0})


# Actor


@pytest.mark.parametrize("q", [lambda a: -(a**2), lambda a: -(a**2).sum(dim=1)])
def test_climb_draws_the_path_on_the_curve(q):
    ax = plotting.climb(q, [[-0.5], [-0.25], [0.0]])
    curve, path = ax.lines[:2]
    np.testing.assert_allclose(curve.get_ydata(), -(curve.get_xdata() ** 2), atol=1e-6)
    np.testing.assert_allclose(path.get_xydata(), [[-0.5, -0.25], [-0.25, -0.0625], [0, 0]])
    np.testing.assert_allclose(line(ax, "start").get_xydata(), [[-0.5, -0.25]])
    np.testing.assert_allclose(line(ax, "step 2").get_xydata(), [[0, 0]])


def test_climb_takes_a_q_with_parameters():
    network = nn.Linear(1, 1)
    ax = plotting.climb(network, [0.0])
    assert ax.lines[1].get_ydata()[0] == pytest.approx(network.bias.item())


def test_a_q_that_gives_one_number_for_all_actions_is_refused():
    with pytest.raises(ValueError, match="1 values for 201 actions"):
        plotting.climb(lambda a: a.sum()[None], [0.0])


def test_climb_surface_draws_the_path_on_contours_of_q():
    asked = []

    def q(actions):
        asked.append(actions)
        return -((actions[:, 0] - 0.5) ** 2) - actions[:, 1] ** 2

    ax = plotting.climb_surface(q, [[-0.5, 0.5], [0.5, 0.0]], grid=11)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[-0.5, 0.5], [0.5, 0]])
    assert asked[0].shape == (121, 2) and asked[0].dtype == torch.float32
    assert asked[0].min() == -1 and asked[0].max() == 1
    # The highest of the filled contours lies around the maximum, and the first dimension is x.
    top = max(i for i, path in enumerate(ax.collections[0].get_paths()) if len(path.vertices))
    middle = ax.collections[0].get_paths()[top].vertices.mean(axis=0)
    np.testing.assert_allclose(middle, [0.5, 0], atol=0.15)


def test_climb_surface_refuses_a_one_dimensional_path():
    with pytest.raises(ValueError, match=r"path has shape \(2,\)"):
        plotting.climb_surface(lambda a: a.sum(dim=1), [0.0, 1.0])


# Agent


def test_target_lag_draws_online_and_each_target():
    ax = plotting.target_lag([0, 1, 2], {0.5: [0, 0.5, 1.25], 1e-5: [0, 0, 0]})
    assert legend(ax) == ["online", "target, tau = 0.5", "target, tau = 1e-05"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0, 1, 2])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [0, 0.5, 1.25])
    with pytest.raises(ValueError, match=r"the target of tau 0\.5 has 1"):
        plotting.target_lag([0, 1, 2], {0.5: [0]})


def test_policy_and_value_draws_the_networks_over_angle_and_velocity():
    agent = Networks()
    policy, value = plotting.policy_and_value(agent, grid=5)
    meshes = [ax.collections[0].get_array() for ax in (policy, value)]
    # Row 4 is velocity 8 rad/s; column 3 is angle pi / 2, whose sine is 1.
    state = torch.tensor([[0.0, 1.0, 8.0]])
    action = agent.actor(state)
    assert meshes[0].shape == meshes[1].shape == (5, 5)
    assert meshes[0][4, 3] == pytest.approx(action.item(), abs=1e-5)
    assert meshes[1][4, 3] == pytest.approx(agent.critic(state, action).item(), abs=1e-5)
    assert policy.collections[0].get_clim() == (-1, 1)
    assert "rad" in policy.get_xlabel() and "rad/s" in policy.get_ylabel()
    assert policy.get_xlim()[0] < -np.pi and policy.get_ylim()[0] < -8


def test_policy_and_value_leaves_no_gradient_behind():
    agent = Networks()
    plotting.policy_and_value(agent, grid=3)
    networks = (agent.actor, agent.critic)
    assert all(p.grad is None and p.requires_grad for n in networks for p in n.parameters())


def test_a_pendulum_episode_pairs_each_state_with_the_action_taken_in_it():
    agent = Networks()
    states, actions = plotting.pendulum_episode(agent, seed=1)
    assert states.shape == (200, 3) and actions.shape == (200,)
    np.testing.assert_allclose(actions[7], agent.get_action(states[7])[0])
    again, _ = plotting.pendulum_episode(agent, seed=1, steps=3)
    np.testing.assert_array_equal(again, states[:3])


def test_a_pendulum_trace_draws_angle_velocity_and_torque_over_seconds():
    states = [[1.0, 0.0, 0.5], [0.0, 1.0, -2.0], [-1.0, 0.0, 3.0]]
    angle, velocity, torque = plotting.pendulum_trace(states, [[0.0], [-1.0], [0.5]])
    np.testing.assert_allclose(angle.lines[0].get_xdata(), [0, 0.05, 0.1])
    np.testing.assert_allclose(angle.lines[0].get_ydata(), [0, np.pi / 2, np.pi])
    np.testing.assert_array_equal(velocity.lines[0].get_ydata(), [0.5, -2, 3])
    np.testing.assert_array_equal(torque.lines[0].get_ydata(), [0, -2, 1])
    assert torque.get_xlabel() == "time (s)"


def test_a_pendulum_trace_wants_one_action_a_state():
    with pytest.raises(ValueError, match=r"states has shape \(3, 3\) and there are 2 actions"):
        plotting.pendulum_trace(np.zeros((3, 3)), [0.0, 0.0])


def test_the_animation_is_a_small_animated_png_in_real_time():
    animation = plotting.animate_pendulum(Networks(), steps=20, every=4)
    assert isinstance(animation, Image) and animation.format == "png"
    assert len(animation.data) < 100_000
    picture = Picture.open(io.BytesIO(animation.data))
    assert picture.n_frames == 5 and picture.info["duration"] == 200
    first = np.asarray(picture.convert("RGB")).astype(int)
    picture.seek(4)
    assert np.abs(np.asarray(picture.convert("RGB")) - first).max() > 100
    assert not plt.get_fignums()  # a notebook would show it as a second picture


def test_the_animation_shows_the_pendulum_where_it_is():
    def rod(frame):
        """Mean column and row of the pixels in the rod's colour, from the middle of them all."""
        rows, columns = np.nonzero((frame[..., 0] > 180) & (frame[..., 2] < 60))
        return columns.mean(), rows.mean()

    # Upright, then a quarter turn counter-clockwise: the rod points up, then to the left.
    states = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    upright, left = plotting._pendulum_frames(states, np.array([0.0, 1.0]), 0.1)
    assert rod(left)[0] < rod(upright)[0] - 20
    assert rod(upright)[1] < rod(left)[1] - 20


def test_an_animation_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        plotting.animate_pendulum(Networks(), every=0)


# All figures


def every_figure(table: pd.DataFrame) -> dict:
    wave = np.sin(np.arange(60.0)) + 0.1
    states = np.stack([np.cos(wave), np.sin(wave), wave], axis=1)
    return {
        "algorithm": lambda: plotting.algorithm(["act"]),
        "reward_curve": lambda: plotting.reward_curve(wave, evaluation=([3], [0.0])),
        "compare_settings": lambda: plotting.compare_settings(table, baseline="a"),
        "curve_gallery": lambda: plotting.curve_gallery(table),
        "final_performance": lambda: plotting.final_performance(table, points={"a": 1.0}),
        "noise_traces": lambda: plotting.noise_traces(wave, wave),
        "stationary_std": lambda: plotting.stationary_std(np.abs(wave), 0.57, 0.3),
        "sigma_decay": lambda: plotting.sigma_decay(np.arange(60), np.abs(wave)),
        "memory_occupancy": lambda: plotting.memory_occupancy([[1], [1, 2]], 2),
        "sampled_rows": lambda: plotting.sampled_rows(wave, [1, 2], [5, 3]),
        "batch_correlation": lambda: plotting.batch_correlation(states, states),
        "action_scaling": lambda: plotting.action_scaling([0.0], -2, 2),
        "activations": lambda: plotting.activations({"first": wave, "second": wave}),
        "tanh_squash": lambda: plotting.tanh_squash(),
        "td_targets": lambda: plotting.td_targets([1, 2], [1, 1], [0, 1], [1, 1], [0, 1]),
        "bug_losses": lambda: plotting.bug_losses({"right": 1.0, "sum": 2.0}),
        "climb": lambda: plotting.climb(lambda a: -a, [0.0, -0.5]),
        "climb_surface": lambda: plotting.climb_surface(lambda a: a.sum(dim=1), [[0, 0]]),
        "loss_curve": lambda: plotting.loss_curve(np.exp(wave), "critic loss"),
        "target_lag": lambda: plotting.target_lag(wave, {0.1: wave}),
        "policy_and_value": lambda: plotting.policy_and_value(Networks(), grid=3),
        "pendulum_trace": lambda: plotting.pendulum_trace(states, np.clip(wave, -1, 1)),
    }


def drawn(axes) -> list:
    return list(np.ravel(axes))


def box_of(artist, figure):
    return artist.get_window_extent(figure.canvas.get_renderer())


def test_every_figure_function_is_in_the_list_above(table):
    public = {
        name
        for name, value in vars(plotting).items()
        if callable(value)
        and getattr(value, "__module__", "") == plotting.__name__
        and not name.startswith("_")
    }
    assert public - set(every_figure(table)) == {"pendulum_episode", "animate_pendulum"}


@pytest.mark.parametrize("name", sorted(every_figure(pd.DataFrame())))
def test_a_figure_is_labelled_legible_and_as_wide_as_a_notebook(name, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes = drawn(every_figure(table)[name]())
        figure = axes[0].figure
        figure.canvas.draw()
    assert 5.5 <= figure.get_figwidth() <= 8
    if name != "algorithm":  # a diagram: it has no axes to label
        label = axes[0].get_ylabel() + axes[0].get_yticklabels()[0].get_text()
        assert axes[-1].get_xlabel() and label
    texts = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= 9
    labels = [ax.xaxis.label for ax in axes] + [ax.yaxis.label for ax in axes]
    outside = [label for label in labels if label.get_text()]
    outside += [ax.get_legend() for ax in axes if ax.get_legend()]
    for artist in outside:
        box = box_of(artist, figure)
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


@pytest.mark.parametrize("name", sorted(every_figure(pd.DataFrame())))
def test_a_legend_covers_neither_data_nor_labels(name, table):
    axes = drawn(every_figure(table)[name]())
    figure = axes[0].figure
    figure.canvas.draw()
    for ax in axes:
        if ax.get_legend() is None:
            continue
        box = box_of(ax.get_legend(), figure)
        assert not any(box.overlaps(other.get_window_extent()) for other in axes)
        assert not box.overlaps(box_of(ax.xaxis.label, figure))


@pytest.mark.parametrize("name", sorted(every_figure(pd.DataFrame())))
def test_a_figure_leaves_the_callers_settings_as_they_were(name, table):
    with plt.rc_context({"font.size": 23, "axes.grid": False, "legend.frameon": True}):
        before = dict(plt.rcParams)
        every_figure(table)[name]()
        assert {key: plt.rcParams[key] for key in before} == before


def test_the_first_figure_may_switch_on_interactive_mode():
    # A notebook's backend does this when the first figure is made; undone, no later one shows.
    with plotting._styled():
        plt.ion()
    try:
        assert plt.isinteractive()
    finally:
        plt.ioff()


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, ddpg_helpers; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
