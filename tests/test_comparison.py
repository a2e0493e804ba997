"""Interquartile means, bootstrap bands, and settings compared."""

import numpy as np
import pandas as pd
import pytest

from ddpg_helpers.comparison import (
    bootstrap_band,
    compare,
    compare_all,
    interquartile_mean,
    learning_curves,
    mean_returns,
)
from ddpg_helpers.experiments import load_recorded


def table_of(returns):
    """{setting: {seed: returns}} as a sweep's table."""
    rows = [
        (setting, seed, episode, value)
        for setting, runs in returns.items()
        for seed, values in runs.items()
        for episode, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["setting", "seed", "episode", "return"])


def test_interquartile_mean_is_the_mean_of_the_middle_half():
    assert interquartile_mean(np.array([-1000.0, 1, 2, 3, 4, 5, 6, 1000])) == 3.5


def test_a_band_holds_the_mean_of_the_population_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    bands = [bootstrap_band(rng.normal(size=20), np.mean) for _ in range(200)]
    held = np.mean([low <= 0 <= high for low, high in bands])
    assert 0.88 <= held <= 0.98  # the percentile bootstrap of 20 values is a little too narrow


def test_a_band_is_the_same_each_time_and_a_point_for_one_seed():
    values = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(bootstrap_band(values), bootstrap_band(values))
    np.testing.assert_array_equal(bootstrap_band([[3.0, 4.0]]), [[3, 4], [3, 4]])


def test_learning_curves_take_the_running_mean_of_each_seed_first():
    table = table_of({"b": {0: [0, 9, 0], 1: [9, 0, 0], 2: [0, 0, 9]}, "a": {0: [1, 2]}})
    curves = learning_curves(table, window=3)
    assert curves["setting"].tolist() == ["b"] * 3 + ["a"] * 2
    assert curves["seeds"].tolist() == [3] * 3 + [1] * 2
    np.testing.assert_allclose(curves["mean"], [3, 3, 3, 1, 1.5])
    assert (curves["low"] <= curves["mean"]).all() and (curves["mean"] <= curves["high"]).all()


def test_mean_returns_are_of_the_episodes_from_first_to_last():
    table = table_of({"b": {4: [1, 2, 3, 4], 2: [5, 6, 7, 8]}, "a": {4: [0, 0, 1, 1]}})
    means = mean_returns(table, 2, 3)
    assert means.columns.tolist() == ["b", "a"] and means.index.tolist() == [2, 4]
    assert means["b"].tolist() == [6.5, 2.5] and means.loc[4, "a"] == 0.5
    with pytest.raises(ValueError, match="no episode from 5 to 9"):
        mean_returns(table, 5, 9)


def test_compare_says_how_often_one_run_tells_another_story():
    means = pd.DataFrame({"a": [3.0, 5.0, 7.0, 9.0], "b": [4.0, 1.0, 2.0, 3.0]})
    found = compare(means, "a", "b")
    assert found["difference"] == 3.5
    assert found["low"] < 3.5 < found["high"]
    assert found["first is better"] == 14.5 / 16  # one pair is tied, one the other way
    assert found["any two runs: wrong"] == 1.5 / 16
    assert found["same seed: wrong"] == 1 / 4


def test_compare_takes_the_seeds_that_both_settings_have():
    means = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": [0.0, 0.0, 50.0]})
    assert compare(means, "a", "b")["difference"] == 1.5


def test_compare_all_has_a_row_for_each_pair():
    means = pd.DataFrame({name: np.arange(3.0) + i for i, name in enumerate("abc")})
    assert compare_all(means).index.tolist() == ["a, b", "a, c", "b, c"]
    assert compare_all(means, ["c", "a"]).index.tolist() == ["c, a"]


def test_recorded_sweep_tells_tau_1e_5_from_the_default_with_any_seed():
    found = compare(mean_returns(load_recorded(), 41, 50), "default", "tau 1e-5")
    assert found["first is better"] == 1 and found["low"] > 0
