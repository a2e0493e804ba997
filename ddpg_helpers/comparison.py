"""What a table of many seeds says: interquartile means, bootstrap bands, and settings compared."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ddpg_helpers.experiments import final_means
from ddpg_helpers.training import running_mean

TRIMMED = 0.25  # of the seeds at each end that the interquartile mean leaves out
CONFIDENCE = 0.95
RESAMPLES = 5000


def interquartile_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """The mean of the middle half of ``values`` along ``axis``, which outliers do not upset.

    (Agarwal et al. 2021, section 4.3.)
    """
    return stats.trim_mean(values, TRIMMED, axis=axis)


def bootstrap_band(values: np.ndarray, statistic: Any = interquartile_mean) -> np.ndarray:
    """Where a statistic over seeds would lie with other seeds, most of the time.

    The percentile bootstrap: seeds are drawn anew from those that there are, with replacement,
    and the band holds the middle 95% of what the statistic then is.

    Args:
        values: one row a seed, shape [K] or [K, E].
        statistic: takes values and an axis.

    Returns:
        low and high, shape [2] or [2, E]; equal to the statistic where there is one seed.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return np.stack([statistic(values, axis=0)] * 2)
    band = stats.bootstrap(
        (values,), statistic, n_resamples=RESAMPLES, batch=500, vectorized=True, axis=0,
        confidence_level=CONFIDENCE, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return np.stack([band.low, band.high])


def learning_curves(table: pd.DataFrame, window: int = 1) -> pd.DataFrame:
    """Each setting's interquartile mean over seeds at each episode, with its 95% band.

    Args:
        table: columns setting, seed, episode and return; one row an episode.
        window: episodes in the running mean that is taken of each seed's returns first.

    Returns:
        columns setting, episode, mean, low, high and seeds. Where seeds differ in length, a
        setting ends with the shortest.
    """
    parts = []
    for setting in dict.fromkeys(table["setting"]):
        runs = table[table["setting"] == setting].sort_values("episode")
        by_seed = {
            seed: pd.Series(running_mean(run["return"], window), index=run["episode"])
            for seed, run in runs.groupby("seed", sort=False, dropna=False)
        }
        means = pd.DataFrame(by_seed).dropna()
        values = means.to_numpy().T
        low, high = bootstrap_band(values)
        curve = {"episode": means.index, "mean": interquartile_mean(values)}
        parts.append(
            pd.DataFrame(
                {"setting": setting, **curve, "low": low, "high": high, "seeds": len(values)}
            )
        )
    return pd.concat(parts, ignore_index=True)


def mean_returns(table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Each run's mean return from episode ``first`` to ``last``, counted from 1, both included.

    Returns:
        One row a seed, one column a setting.

    Raises:
        ValueError: the table has none of these episodes.
    """
    chosen = table[table["episode"].between(first - 1, last - 1)]
    if chosen.empty:
        raise ValueError(f"the table has no episode from {first} to {last}")
    means = final_means(chosen, last=last - first + 1)
    return means.pivot(index="seed", columns="setting", values="mean_return")[
        list(dict.fromkeys(means["setting"]))
    ]


def compare(means: pd.DataFrame, first: str, second: str) -> dict[str, Any]:
    """Compare two settings over the seeds that both have.

    Args:
        means: one row a seed, one column a setting; see ``mean_returns``.
        first: a column.
        second: another column.

    Returns:
        ``difference``, the mean of first minus second with the same seed, and ``low`` and ``high``
        of its 95% band; ``first is better``, the probability that any run of the first has the
        higher mean than any run of the second (ties count half); ``any two runs: wrong`` and
        ``same seed: wrong``, the share of pairs of runs whose order is not that of the difference.
    """
    both = means[[first, second]].dropna()
    a, b = both[first].to_numpy(), both[second].to_numpy()
    difference = a - b
    low, high = bootstrap_band(difference, np.mean)
    better = stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
    wrong = 1 - better if difference.mean() > 0 else better
    return {
        "pair": f"{first}, {second}",
        "difference": difference.mean(),
        "low": low,
        "high": high,
        "first is better": better,
        "any two runs: wrong": wrong,
        "same seed: wrong": np.mean(np.sign(difference) != np.sign(difference.mean())),
    }


def compare_all(means: pd.DataFrame, settings: list[str] | None = None) -> pd.DataFrame:
    """Compare each setting with each other one; one row a pair, see ``compare``."""
    chosen = list(means.columns) if settings is None else list(settings)
    rows = [compare(means, first, second) for first, second in combinations(chosen, 2)]
    return pd.DataFrame(rows).set_index("pair")
