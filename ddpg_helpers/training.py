"""The training loop: any agent that keeps the course's contract, with its result kept in a file."""

import copy
import os
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ddpg_helpers.noise import OUNoise

WINDOW = 10  # episodes in the running mean
SMOKE_EPISODES = 2
MAX_KEPT_BYTES = 20_000_000
MAX_KEPT_EPISODES = 100_000


@dataclass
class TrainingRun:
    """What a training run measured, one entry an episode, and the trained networks' weights."""

    returns: list[float] = field(default_factory=list)  # undiscounted, exploration noise included
    critic_losses: list[float] = field(default_factory=list)  # mean over the episode, NaN before
    actor_losses: list[float] = field(default_factory=list)  # the first update
    evaluation_episodes: list[int] = field(default_factory=list)  # episodes trained before each
    evaluation_returns: list[float] = field(default_factory=list)  # evaluation, without noise
    seconds: float = 0.0
    interrupted: bool = False
    weights: dict[str, np.ndarray] = field(default_factory=dict)  # "actor.linear1.weight": array

    def save(self, path: str | Path) -> None:
        """Write the run to ``path`` (a numpy archive without pickled objects), all or nothing."""
        path = Path(path)
        arrays = {name: np.asarray(getattr(self, name)) for name in _SERIES + _SCALARS}
        weights = {f"weights/{name}": array for name, array in self.weights.items()}
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays, **weights)
        partial.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "TrainingRun":
        """Read a run that ``save`` wrote; nothing is unpickled and every size is bounded.

        Raises:
            ValueError: the file is no such run, or larger than one can be.
        """
        path = Path(path)
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_KEPT_BYTES:
                raise ValueError(f"it unpacks to {size} bytes")
            with np.load(path, allow_pickle=False) as stored:
                series = {name: _numbers(stored[name]).tolist() for name in _SERIES}
                seconds, interrupted = float(stored["seconds"]), bool(stored["interrupted"])
                weights = {
                    name.removeprefix("weights/"): stored[name].astype(np.float32)
                    for name in stored.files
                    if name.startswith("weights/")
                }
        except Exception as error:  # a damaged archive raises a dozen kinds, MemoryError too
            raise ValueError(
                f"{path.name} holds no training run ({error}); delete it and train again"
            ) from None
        return cls(**series, seconds=seconds, interrupted=interrupted, weights=weights)


_SERIES = (
    "returns", "critic_losses", "actor_losses", "evaluation_episodes", "evaluation_returns",
)  # fmt: skip
_SCALARS = ("seconds", "interrupted")


def _numbers(array: np.ndarray | bytes) -> np.ndarray:
    # numpy gives the bytes of an entry that is no array
    is_list = isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "fi"
    if not is_list or len(array) > MAX_KEPT_EPISODES:
        raise ValueError("a series of it is not a list of numbers")
    return array


def running_mean(values: Sequence[float], window: int = WINDOW) -> np.ndarray:
    """The mean of the last ``window`` values at each position, of fewer at the start.

    There is no NaN at the start, and the value at a position is part of its own mean.

    Args:
        values: one number an episode, shape [E].
        window: how many values the mean takes at the most.

    Returns:
        float64 of shape [E]; NaN only where a value in the window is NaN.

    Raises:
        ValueError: ``window`` is below 1.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, not {window}")
    values = np.asarray(values, dtype=np.float64)
    means = [values[max(0, end - window) : end].mean() for end in range(1, len(values) + 1)]
    return np.array(means, dtype=np.float64)


def evaluate(agent: Any, env: gym.Env, episodes: int = 1, seed: int | None = None) -> list[float]:
    """Run the agent's policy without noise and without learning; return each episode's return.

    Args:
        agent: has ``get_action(state)``.
        env: is reset at the start of each episode; use another one than the training's.
        episodes: how many.
        seed: of the first reset; the later ones go on from there.
    """
    returns = []
    for episode in range(episodes):
        state, _ = env.reset(seed=seed if episode == 0 else None)
        episode_return, over = 0.0, False
        while not over:
            state, reward, terminated, truncated, _ = env.step(agent.get_action(state))
            episode_return += float(reward)
            over = terminated or truncated
        returns.append(episode_return)
    return returns


def train(
    agent: Any,
    env: gym.Env,
    episodes: int = 50,
    *,
    batch_size: int = 128,
    noise: OUNoise | None = None,
    seed: int = 0,
    evaluate_every: int = 10,
    evaluation_episodes: int = 3,
    keep: str | Path | None = None,
    progress: bool = True,
) -> TrainingRun:
    """Train ``agent`` on ``env``: Algorithm 1 of Lillicrap et al. (2015), one update a step.

    Updates begin as soon as the memory holds more than a batch. The memory is told whether an
    episode *terminated*; reaching the time limit is not a terminal state. Interrupting the kernel
    (Ctrl-C) ends the training and returns what there is.

    While a notebook is graded or validated (nbgrader sets ``NBGRADER_EXECUTION``) nothing is
    trained again: the run kept in ``keep`` is shown and its weights are put into the agent, or,
    where there is none, a smoke run of two episodes is made and not kept.

    Args:
        agent: has ``get_action(state)``, ``memory.push(...)``, ``len(memory)`` and
            ``update(batch_size)``, which returns (critic loss, actor loss).
        env: actions in [-1, 1]; see ``ddpg_helpers.environments.make_env``.
        episodes: episodes to train.
        batch_size: transitions in each update.
        noise: exploration noise, reset at the start of each episode; by default ``OUNoise`` with
            its default settings and a generator seeded with ``seed``.
        seed: of the environment's resets, of the default noise and of the evaluations. With an
            agent made from a seed, the same seed gives the same numbers on the same machine.
        evaluate_every: episodes between evaluations without noise, on a copy of the environment;
            0 for none.
        evaluation_episodes: episodes that an evaluation averages over, always the same starts.
        keep: file beside the notebook that keeps the result ("06_run.npz"); None keeps nothing.
        progress: whether to show a bar with the return and the mean of the last ten.

    Returns:
        The run: training returns (with noise) and, apart from them, evaluation returns (without).

    Raises:
        ValueError: the agent's actions are not what the environment takes, its update does not
            return two losses, or a size is below 1.
    """
    if episodes < 1 or batch_size < 1:
        raise ValueError(f"episodes ({episodes}) and batch_size ({batch_size}) must be at least 1")
    if os.environ.get("NBGRADER_EXECUTION"):
        if keep is not None and Path(keep).exists():
            return _show_kept(agent, Path(keep))
        print(f"Not training while grading: a smoke run of {SMOKE_EPISODES} episodes.")
        episodes, evaluate_every, keep = min(episodes, SMOKE_EPISODES), 0, None

    if noise is None:
        noise = OUNoise(env.action_space, rng=np.random.default_rng(seed))
    evaluation_env = copy.deepcopy(env) if evaluate_every else None
    run = TrainingRun()
    start = time.perf_counter()
    step = 0
    flushed_before = _flush_denormals(True)
    # A bar on stdout: text on stderr looks like an error in a notebook.
    bar = tqdm(total=episodes, desc="episode", unit="ep", file=sys.stdout, disable=not progress)
    try:
        for episode in range(episodes):
            state, _ = env.reset(seed=seed if episode == 0 else None)
            noise.reset()
            episode_return, losses, over = 0.0, [], False
            while not over:
                action = agent.get_action(state)
                # Before the noise is added, which would stretch a single number to every dimension.
                if np.shape(action) != env.action_space.shape:
                    raise ValueError(
                        f"get_action gave an action of shape {tuple(np.shape(action))}; this "
                        f"environment takes {env.action_space.shape}"
                    )
                action = noise.get_action(action, t=step)
                next_state, reward, terminated, truncated, _ = env.step(action)
                agent.memory.push(state, action, reward, next_state, terminated)
                if len(agent.memory) > batch_size:
                    losses.append(_two_losses(agent.update(batch_size)))
                state, step = next_state, step + 1
                episode_return += float(reward)
                over = terminated or truncated
            critic_loss, actor_loss = np.mean(losses, axis=0) if losses else (np.nan, np.nan)
            run.returns.append(episode_return)
            run.critic_losses.append(float(critic_loss))
            run.actor_losses.append(float(actor_loss))
            if evaluate_every and (episode + 1) % evaluate_every == 0:
                measured = evaluate(agent, evaluation_env, evaluation_episodes, seed=seed + 1)
                run.evaluation_episodes.append(episode + 1)
                run.evaluation_returns.append(float(np.mean(measured)))
            bar.set_postfix_str(
                f"return {episode_return:.0f}, mean of last {min(episode + 1, WINDOW)} "
                f"{np.mean(run.returns[-WINDOW:]):.0f}",
                refresh=False,
            )
            bar.update()
    except KeyboardInterrupt:
        run.interrupted = True
        bar.write(f"Interrupted after {len(run.returns)} of {episodes} episodes.", file=sys.stdout)
    finally:
        bar.close()
        _flush_denormals(flushed_before)
    run.seconds = time.perf_counter() - start
    run.weights = _weights(agent)
    if keep is not None and run.returns:
        run.save(keep)
    return run


def _flush_denormals(flush: bool) -> bool:
    """Switch whether numbers below 1e-38 become 0; return what it was.

    Adam's moments of units that are dead shrink that far, and a processor takes many times as long
    to compute with them. They make no difference to anything else.
    """
    before = bool(torch.tensor(1e-40) * 1.0 == 0)
    torch.set_flush_denormal(flush)
    return before


def _two_losses(losses: Any) -> tuple[float, float]:
    """What ``update`` returned, as floats; a loss may also be a tensor with one number."""
    try:
        critic_loss, actor_loss = losses
        return _number(critic_loss), _number(actor_loss)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(
            f"update must return (critic loss, actor loss), two numbers; it returned {losses!r}"
        ) from None


def _number(loss: Any) -> float:
    return loss.item() if isinstance(loss, torch.Tensor) else float(loss)


def _show_kept(agent: Any, path: Path) -> TrainingRun:
    run = TrainingRun.load(path)
    put_weights(agent, run)
    print(f"Not training while grading: the run kept in {path.name}, {len(run.returns)} episodes.")
    return run


def _networks(agent: Any) -> dict[str, nn.Module]:
    found = {name: getattr(agent, name, None) for name in ("actor", "critic")}
    return {name: network for name, network in found.items() if isinstance(network, nn.Module)}


def _weights(agent: Any) -> dict[str, np.ndarray]:
    return {
        f"{name}.{key}": value.detach().cpu().numpy().copy()
        for name, network in _networks(agent).items()
        for key, value in network.state_dict().items()
    }


def put_weights(agent: Any, run: TrainingRun) -> None:
    """Put the actor's and critic's weights of ``run`` into ``agent``, where they fit."""
    for name, network in _networks(agent).items():
        state = {
            key.removeprefix(f"{name}."): torch.from_numpy(array)
            for key, array in run.weights.items()
            if key.startswith(f"{name}.")
        }
        fits = {key: value.shape for key, value in network.state_dict().items()} == {
            key: value.shape for key, value in state.items()
        }
        if fits:
            network.load_state_dict(state)
