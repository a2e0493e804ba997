"""The judge believes only what was observed on the probe at hand."""

import numpy as np
import pytest

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome
from ddpg_helpers.checks.wire import Observation
from ddpg_helpers.instructor.grading.judge import (
    DIAGNOSING_SEED,
    REFERENCE,
    draw_probe,
    judge,
    outcome_of,
)

EVERY = [(exercise, aspect) for exercise in ASPECTS for aspect in ASPECTS[exercise]]
SEED = 11


def right_outcome(exercise, probe):
    return outcome_of(exercise, probe, REFERENCE[exercise.partition(".")[0]])


@pytest.mark.parametrize(("exercise", "aspect"), EVERY)
def test_the_right_outcome_of_another_probe_earns_nothing(exercise, aspect):
    """A kernel that sends what was right elsewhere, such as in the stored visible check."""
    here = draw_probe(exercise, aspect, SEED)
    for seed in range(12, 20):
        elsewhere = draw_probe(exercise, aspect, seed)
        if elsewhere.get("max_size") != here.get("max_size"):
            break
    heart = right_outcome(exercise, elsewhere)
    verdict = judge(exercise, aspect, lambda name, probe: heart, SEED)
    assert verdict.outcome is Outcome.WRONG and verdict.message


@pytest.mark.parametrize(("exercise", "aspect"), EVERY)
@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_right_flags_beside_empty_numbers_earn_nothing(exercise, aspect, fill):
    """A kernel that knows which numbers are the same on every probe, and leaves out the rest."""
    first, second = (
        right_outcome(exercise, draw_probe(exercise, aspect, seed)) for seed in (12, 13)
    )
    same = {
        key: value
        if np.array_equal(value, second.numbers.get(key))
        else np.full_like(value, fill)
        for key, value in first.numbers.items()
    }
    verdict = judge(exercise, aspect, lambda name, probe: Observation(same), SEED)
    assert verdict.outcome is Outcome.WRONG


def test_a_right_answer_is_believed_where_a_known_mistake_stands_beside_it():
    """gamma hard-coded loses the bootstrap and keeps the shape."""

    def ask(exercise, probe):
        return outcome_of(exercise, {**probe, "gamma": probe["gamma"] ** 2}, REFERENCE[exercise])

    assert judge("td_target", "shape", ask, SEED).outcome is Outcome.RIGHT
    assert judge("td_target", "bootstrap", ask, SEED).outcome is Outcome.WRONG


def test_the_diagnosing_probe_is_the_same_for_all():
    one, other = (draw_probe("td_target", None, DIAGNOSING_SEED) for _ in range(2))
    assert one["gamma"] == other["gamma"]
