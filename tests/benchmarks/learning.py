"""Is learning traded away for speed? The course's default setting against the original's loop.

    make benchmark-learning      (or: python tests/benchmarks/learning.py)

Runs the original tutorial's loop over 20 seeds of its own (about 10 minutes on two cores; kept in
original_loop.csv beside this file, one seed at a time, so that it can go on later) and compares
the mean of the last ten training returns, noise included, with the course's recorded sweep.
"""

import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import torch
from peers import original_returns
from scipy import stats

from ddpg_helpers.comparison import CONFIDENCE, mean_returns
from ddpg_helpers.experiments import load_recorded

KEPT = Path(__file__).with_name("original_loop.csv")
SEEDS, EPISODES = range(20), 50


def one_run(seed: int) -> pd.DataFrame:
    """The returns of one seed of the original's loop."""
    torch.set_num_threads(1)
    returns = original_returns(seed, EPISODES)
    return pd.DataFrame(
        {"setting": "original", "seed": seed, "episode": range(EPISODES), "return": returns}
    )


def original_table() -> pd.DataFrame:
    """The kept runs, and those that are missing."""
    table = pd.read_csv(KEPT) if KEPT.exists() else pd.DataFrame(columns=["seed"])
    missing = [seed for seed in SEEDS if seed not in set(table["seed"])]
    parallel = joblib.Parallel(n_jobs=-1, return_as="generator_unordered", batch_size=1)
    for run in parallel(joblib.delayed(one_run)(seed) for seed in missing):
        table = pd.concat([table, run], ignore_index=True) if len(table) else run
        table = table.sort_values(["seed", "episode"]).round({"return": 2})
        table.to_csv(KEPT, index=False)
        print(f"{table['seed'].nunique()} of {len(SEEDS)} seeds", flush=True)
    return table


def main() -> int:
    """Print the difference and its band; fail where the band lies below zero."""
    last = EPISODES - 9, EPISODES
    ours = mean_returns(load_recorded(), *last)["default"].to_numpy()
    theirs = mean_returns(original_table(), *last)["original"].to_numpy()

    def difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return a.mean(axis=axis) - b.mean(axis=axis)

    band = stats.bootstrap(
        (ours, theirs), difference, vectorized=True, confidence_level=CONFIDENCE,
        method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    met = band.high >= 0
    print(f"course, {len(ours)} seeds: {ours.mean():.0f}   original, {len(theirs)} seeds: "
          f"{theirs.mean():.0f}")  # fmt: skip
    print(f"{'ok  ' if met else 'FAIL'}  difference {ours.mean() - theirs.mean():.0f}, 95% band "
          f"{band.low:.0f} to {band.high:.0f}; it must reach 0 or better")  # fmt: skip
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
