"""The rewrite bank: a right answer gets full marks, however it is written."""

import sys
from collections import Counter

import pytest
import torch
from rewrites import all_rewrites, rewrites_of

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome
from ddpg_helpers.checks.visible import verdict_on
from ddpg_helpers.instructor.grading.judge import judge, outcome_of

SEEDS = (1, 2, 3)
REWRITES = all_rewrites()
EACH_ASPECT = [
    pytest.param(rewrite, aspect, id=f"{rewrite.exercise}-{rewrite.name}-{aspect}")
    for rewrite in REWRITES
    for aspect in ASPECTS[rewrite.exercise]
]

# What an answer warns of is its student's business. (What it prints, pytest captures.)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("rewrite", "aspect"), EACH_ASPECT)
def test_rewrite_gets_the_points_of_the_hidden_test(rewrite, aspect):
    for seed in SEEDS:
        verdict = judge(
            rewrite.exercise,
            aspect,
            lambda exercise, probe: outcome_of(exercise, probe, rewrite.answer),
            seed,
        )
        assert verdict.outcome is Outcome.RIGHT, f"seed {seed}: {verdict.message}"


@pytest.mark.parametrize(("rewrite", "aspect"), EACH_ASPECT)
def test_rewrite_passes_the_visible_check(rewrite, aspect, monkeypatch):
    notebook = vars(sys.modules[rewrite.answer.__module__])
    monkeypatch.setitem(notebook, rewrite.exercise.partition(".")[0], rewrite.answer)
    verdict = verdict_on(rewrite.exercise, aspect, notebook)
    assert verdict.outcome is Outcome.RIGHT, f"{verdict.message} {verdict.case}"


def test_bank_is_large_and_names_are_unique_in_an_exercise():
    assert len({rewrite.answer for rewrite in REWRITES}) >= 70
    assert max(Counter((r.exercise, r.name) for r in REWRITES).values()) == 1


@pytest.mark.parametrize("exercise", ASPECTS)
def test_every_exercise_has_rewrites(exercise):
    assert len(rewrites_of(exercise)) >= 2
