"""How fast the course's agent trains: against the machine's own product rate, and against peers.

    make benchmark            (or: python tests/benchmarks/training_speed.py)

Everything is measured in one run, on one core, in rounds that go through all loops; the figures
are medians over the rounds and ratios between them. stable-baselines3 takes part where it is
installed (`pip install stable-baselines3`).
"""

import argparse
import importlib.util
import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from peers import cleanrl_style, original, stable_baselines3

from ddpg_helpers.environments import make_env
from ddpg_helpers.experiments import Setting, sweep
from ddpg_helpers.instructor.reference.agent import DDPGAgent
from ddpg_helpers.memory import ReplayMemory
from ddpg_helpers.noise import OUNoise
from ddpg_helpers.training import train

BATCH_SIZE, HIDDEN_SIZE, STEPS_PER_EPISODE = 128, 256, 200
PRODUCTS = 10  # matrix products of an update: see `floor`
ACCESSORIES = 0.1  # bar: memory, noise and environment together, of a step
BARS = {"floor": 2.2, "peer": 1.8, "sweep": 1.15}


def floor(steps: int) -> float:
    """Seconds that the arithmetic of an update alone takes, for so many updates.

    Ten products of 128 x 256 by 256 x 256: two forward passes for the target; the critic's forward
    and two backward; the actor's forward, the critic's forward and its backward to the action, the
    actor's two backward.
    """
    rows, weights = torch.randn(BATCH_SIZE, HIDDEN_SIZE), torch.randn(HIDDEN_SIZE, HIDDEN_SIZE)
    result = torch.empty(BATCH_SIZE, HIDDEN_SIZE)
    start = time.perf_counter()
    for _ in range(steps * PRODUCTS):
        torch.mm(rows, weights, out=result)
    return time.perf_counter() - start


def course(steps: int) -> float:
    """Seconds of the course's own training loop with the reference agent."""
    env = make_env()
    agent = DDPGAgent(env, HIDDEN_SIZE, seed=0)
    episodes = steps // STEPS_PER_EPISODE
    return train(
        agent, env, episodes, batch_size=BATCH_SIZE, evaluate_every=0, progress=False
    ).seconds


def accessories(steps: int) -> float:
    """Seconds of the environment, the noise and the memory alone, in the course's loop."""
    env = make_env()
    noise = OUNoise(env.action_space, rng=np.random.default_rng(0))
    memory = ReplayMemory(50_000, rng=np.random.default_rng(0))
    state, _ = env.reset(seed=0)
    plain = np.zeros(1, np.float32)
    start = time.perf_counter()
    for step in range(steps):
        action = noise.get_action(plain, t=step)
        next_state, reward, terminated, truncated, _ = env.step(action)
        memory.push(state, action, reward, next_state, terminated)
        if len(memory) > BATCH_SIZE:
            memory.sample(BATCH_SIZE)
        state = env.reset()[0] if truncated else next_state
    return time.perf_counter() - start


def measure(episodes: int, rounds: int) -> dict[str, float]:
    """Median seconds of each loop, for so many episodes."""
    steps = episodes * STEPS_PER_EPISODE
    loops: dict[str, Callable[[int], float]] = {
        "floor": floor, "course": course, "accessories": accessories, "original": original,
        "CleanRL style": cleanrl_style,
    }  # fmt: skip
    if importlib.util.find_spec("stable_baselines3"):
        loops["Stable-Baselines3"] = stable_baselines3
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(rounds):
        for name, loop in loops.items():
            seconds[name].append(loop(steps))
            print(f"round {number + 1}: {name:18} {seconds[name][-1]:6.1f} s", flush=True)
    return {name: median(values) for name, values in seconds.items()}


def sweep_overhead(episodes: int) -> float:
    """Wall time of a sweep over the sum of its single runs, shared by the cores."""
    start = time.perf_counter()
    table = sweep(
        [Setting("a"), Setting("b", tau=0.02)], range(4), DDPGAgent, episodes=episodes,
        progress=False,
    )  # fmt: skip
    wall = time.perf_counter() - start
    runs = table.drop_duplicates(["setting", "seed"])["seconds"]
    return wall / (runs.sum() / min(len(runs), os.cpu_count()))


def say(sentence: str, value: float, met: bool) -> bool:
    """Print a ratio beside its bar; return whether the bar is met."""
    print(f"{'ok  ' if met else 'FAIL'}  {sentence}: {value:.2f}")
    return met


def main() -> int:
    """Measure, print the ratios, and fail where a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=15, help="of each loop in each round")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    seconds = measure(chosen.episodes, chosen.rounds)
    steps = chosen.episodes * STEPS_PER_EPISODE
    print()
    for name, value in seconds.items():
        ratio = value / seconds["floor"]
        print(f"{name:18} {1000 * value / steps:6.2f} ms a step, {ratio:5.2f} x the floor")
    print()
    ratio = seconds["course"] / seconds["floor"]
    met = [say(f"course / floor, at most {BARS['floor']}", ratio, ratio <= BARS["floor"])]
    for name in ("original", "CleanRL style", "Stable-Baselines3"):
        if name in seconds:
            ratio = seconds[name] / seconds["course"]
            sentence = f"{name} / course, at least {BARS['peer']}"
            met.append(say(sentence, ratio, ratio >= BARS["peer"]))
        else:
            print(f"      {name} is not installed and was not measured")
    share = seconds["accessories"] / seconds["course"]
    met.append(say(f"memory, noise and environment, of a step, at most {ACCESSORIES}", share,
                   share <= ACCESSORIES))  # fmt: skip
    overhead = sweep_overhead(chosen.episodes)
    met.append(say(f"sweep: wall time / (single runs / cores), at most {BARS['sweep']}", overhead,
                   overhead <= BARS["sweep"]))  # fmt: skip
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
