"""The mutant bank and the judge: every wrong answer loses what it breaks, and is named."""

import re
from collections import Counter
from functools import cache
from itertools import combinations

import numpy as np
import pytest
import torch

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.compare import distance, same_outcome
from ddpg_helpers.checks.observe import exercises
from ddpg_helpers.checks.verdict import Outcome, Verdict
from ddpg_helpers.checks.wire import Observation
from ddpg_helpers.instructor.grading.judge import (
    REFERENCE,
    SEPARATION,
    apart,
    draw_probe,
    judge,
    mistakes_on,
    outcome_of,
    right_outcomes,
)
from ddpg_helpers.instructor.mutants import all_mutants, mutants_of
from ddpg_helpers.instructor.mutants.registry import Mutant

SEEDS = (1, 2, 3)
MUTANTS = all_mutants()
EACH_ASPECT = [(exercise, aspect) for exercise in ASPECTS for aspect in ASPECTS[exercise]]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _name(mutant: Mutant) -> str:
    return f"{mutant.exercise}-{mutant.name}"


def _reference(exercise: str):
    return REFERENCE[exercise.partition(".")[0]]


@cache
def _right(exercise: str, aspect: str, seed: int) -> list[Observation]:
    return right_outcomes(exercise, draw_probe(exercise, aspect, seed))


def _lost(mutant: Mutant, seed: int) -> set[str]:
    """The aspects that an answer loses on fresh probes."""
    lost = set()
    for aspect, meaning in ASPECTS[mutant.exercise].items():
        found = outcome_of(
            mutant.exercise, draw_probe(mutant.exercise, aspect, seed), mutant.answer
        )
        right = _right(mutant.exercise, aspect, seed)
        if all(distance(mutant.exercise, found, r, meaning.keys) > 1 for r in right):
            lost.add(aspect)
    return lost


@cache
def _verdicts(mutant: Mutant) -> dict[str, Verdict]:
    """What the judge says of a mutant in each aspect that it breaks."""
    return {
        aspect: judge(
            mutant.exercise, aspect, lambda name, probe: outcome_of(name, probe, mutant.answer), 1
        )
        for aspect in mutant.breaks
    }


# --- what mutants lose, and how they are named ---------------------------------------------------


@pytest.mark.parametrize("mutant", MUTANTS, ids=_name)
def test_mutant_loses_exactly_the_aspects_that_it_breaks(mutant):
    assert [_lost(mutant, seed) for seed in SEEDS] == [mutant.breaks] * len(SEEDS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=_name)
def test_mutant_is_named_in_each_aspect_that_it_breaks(mutant):
    families = {m.name: m.family for m in mutants_of(mutant.exercise)}
    for aspect, verdict in _verdicts(mutant).items():
        assert verdict.outcome is Outcome.WRONG, aspect
        assert families.get(verdict.mistake) == mutant.family, aspect
        assert verdict.message == mutant.says, aspect


# --- the reference -------------------------------------------------------------------------------


@pytest.mark.parametrize(("exercise", "aspect"), EACH_ASPECT)
def test_reference_loses_nothing(exercise, aspect):
    for seed in SEEDS:
        verdict = judge(
            exercise, aspect, lambda e, probe: outcome_of(e, probe, _reference(e)), seed
        )
        assert verdict == Verdict(Outcome.RIGHT)


@pytest.mark.parametrize("exercise", ASPECTS)
def test_reference_runs_without_an_error_on_a_diagnosing_probe(exercise):
    outcome = outcome_of(exercise, draw_probe(exercise, None, 1), _reference(exercise))
    assert outcome.raised is None, outcome.message


# --- outcomes on diagnosing probes ---------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS[:2])
@pytest.mark.parametrize("exercise", ASPECTS)
def test_distinct_outcomes_on_a_diagnosing_probe_lie_far_apart(exercise, seed):
    probe = draw_probe(exercise, None, seed)
    outcomes = {name: m.outcome for name, m in mistakes_on(exercise, probe).items()}
    families = {m.name: m.family for m in mutants_of(exercise)}
    (right,) = right_outcomes(exercise, probe)
    for name, outcome in outcomes.items():
        assert distance(exercise, outcome, right) > SEPARATION, name
    for one, other in combinations(outcomes, 2):
        if families[one] != families[other]:
            assert apart(exercise, outcomes[one], outcomes[other]), (one, other)


@pytest.mark.parametrize("exercise", ASPECTS)
def test_a_family_has_one_outcome(exercise):
    outcomes = mistakes_on(exercise, draw_probe(exercise, None, 1))
    for one, other in combinations(mutants_of(exercise), 2):
        if one.family == other.family:
            known = outcomes[one.name].outcome, outcomes[other.name].outcome
            assert same_outcome(exercise, *known), (one.name, other.name)


@pytest.mark.parametrize("mutant", MUTANTS, ids=_name)
def test_outcome_is_the_same_each_time(mutant):
    probe = draw_probe(mutant.exercise, None, 1)
    outcomes = [outcome_of(mutant.exercise, probe, mutant.answer) for _ in range(2)]
    assert same_outcome(mutant.exercise, *outcomes)


# --- probes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("exercise", "aspect"), EACH_ASPECT)
def test_probe_is_the_same_for_a_seed_and_another_for_another(exercise, aspect):
    # [1] gives the same numbers as 1, but is drawn anew.
    one, same, other = (draw_probe(exercise, aspect, seed) for seed in (1, [1], 2))
    assert _flat(one) == _flat(same)
    assert _flat(one) != _flat(other)


def _flat(probe) -> list:
    if isinstance(probe, dict):
        return [item for key in sorted(probe) for item in _flat(probe[key])]
    return np.ravel(probe).tolist()


def test_every_exercise_has_an_observer_a_reference_and_mutants():
    assert set(exercises()) == set(ASPECTS)
    for exercise in ASPECTS:
        assert exercise.partition(".")[0] in REFERENCE
        assert mutants_of(exercise)


def test_every_aspect_is_broken_by_a_mutant():
    broken = {(m.exercise, aspect) for m in MUTANTS for aspect in m.breaks}
    assert broken == set(EACH_ASPECT)


# --- what students are told ----------------------------------------------------------------------


def test_names_are_unique_in_an_exercise():
    assert max(Counter((m.exercise, m.name) for m in MUTANTS).values()) == 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=_name)
def test_sentences_are_few_and_hold_no_code(mutant):
    sentences = re.findall(r"[.!?](?= |$)", mutant.says)
    assert 1 <= len(sentences) <= 4
    assert len(mutant.says.split()) <= 70
    assert not re.search(r"[`=]|\w\(", mutant.says)
