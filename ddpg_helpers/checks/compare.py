"""compare: is an observation the right one, and if not, whose mistake is it?"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.wire import Observation

RELATIVE_TOLERANCE = 1e-4  # of the largest number in the right array
SMALLEST_TOLERANCE = 1e-6


class Outcome(Enum):
    """The three ways that a check can end."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer in one aspect.

    Attributes:
        outcome: right, wrong or not attempted.
        message: sentences for the student; empty when right.
        mistake: the name of the known mistake that was recognised, None otherwise.
    """

    outcome: Outcome
    message: str = ""
    mistake: str | None = None


@dataclass(frozen=True)
class Mistake:
    """A known mistake's outcome on a probe, and the sentence for who makes it."""

    says: str
    outcome: Observation


def distance(
    exercise: str, observed: Observation, right: Observation, keys: Iterable[str] | None = None
) -> float:
    """How far two observations are apart, in tolerances: at most 1 is equal.

    Infinite where a number is missing on one side, not finite, or an array has another shape.

    Args:
        exercise: knows the absolute tolerances of numbers that are measured, not computed.
        observed: what is compared.
        right: what it is compared with.
        keys: the numbers that count; all of both when None.
    """
    if keys is None:
        keys = observed.numbers.keys() | right.numbers.keys()
    absolute = {k: t for aspect in ASPECTS[exercise].values() for k, t in aspect.tolerances.items()}
    return max((_distance(observed, right, key, absolute.get(key)) for key in keys), default=0.0)


def _distance(observed: Observation, right: Observation, key: str, absolute: float | None) -> float:
    if key not in observed.numbers or key not in right.numbers:
        return np.inf
    found, wanted = observed.numbers[key], right.numbers[key]
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return np.inf
    if wanted.size == 0:
        return 0.0
    relative = max(RELATIVE_TOLERANCE * np.abs(wanted).max(), SMALLEST_TOLERANCE)
    return float(np.abs(found - wanted).max() / (relative if absolute is None else absolute))


def judge_aspect(
    exercise: str,
    aspect: str,
    observed: Observation,
    right: Iterable[Observation],
    diagnose: Callable[[], tuple[Observation, Mapping[str, Mistake]]],
) -> Verdict:
    """Say whether an answer is right in one aspect, and name the mistake where it is not.

    Args:
        exercise: "td_target".
        aspect: "mask".
        observed: the answer on the probe that isolates the aspect.
        right: the right outcomes on that probe (several where an answer may use a stand-in).
        diagnose: is called for a wrong answer; gives the answer on the probe that tells
            mistakes apart, and the outcomes of the known mistakes on it.
    """
    keys = ASPECTS[exercise][aspect].keys
    if any(distance(exercise, observed, outcome, keys) <= 1 for outcome in right):
        return Verdict(Outcome.RIGHT)
    if not_attempted(exercise, observed):
        return Verdict(
            Outcome.NOT_ATTEMPTED,
            f"{exercise} is not attempted yet. Complete its cell, run it, then run this check.",
        )
    diagnosed, mistakes = diagnose()
    for mistake, known in mistakes.items():
        if same_outcome(exercise, diagnosed, known.outcome):
            return Verdict(Outcome.WRONG, known.says, mistake)
    return Verdict(Outcome.WRONG, _explain(exercise, aspect, observed, list(right)))


def same_outcome(exercise: str, observed: Observation, known: Observation) -> bool:
    """Whether two answers did the same on a probe: equal numbers, and ended by the same error."""
    return same_end(observed, known) and distance(exercise, observed, known) <= 1


def same_end(one: Observation, other: Observation) -> bool:
    """Whether the same error, or none, ended two observations. Numbers in its text do not count:
    they are sizes, or addresses."""
    ends = [(o.raised, re.sub(r"\d+", "", o.message)) for o in (one, other)]
    return ends[0] == ends[1]


def not_attempted(exercise: str, observed: Observation) -> bool:
    """Whether the answer is still the stub, or its cell was not run."""
    name = exercise.partition(".")[0]
    undefined = observed.raised == "NameError" and observed.message == f"{name} is not defined"
    return observed.raised == "NotImplementedError" or undefined


def _explain(exercise: str, aspect: str, observed: Observation, right: list[Observation]) -> str:
    """Say what is off where no known mistake explains it."""
    if observed.raised == "WrongKindError":
        return f"{observed.message[:1].upper()}{observed.message[1:]}."
    if observed.raised is not None and any(
        key not in observed.numbers for key in ASPECTS[exercise][aspect].keys
    ):
        return f"{exercise} stopped with {observed.raised}: {observed.message}"
    return ASPECTS[exercise][aspect].wrong + _shapes(exercise, aspect, observed, right)


def _shapes(exercise: str, aspect: str, observed: Observation, right: list[Observation]) -> str:
    for key in ASPECTS[exercise][aspect].keys:
        if key.endswith("_shape") and key in observed.numbers:
            found = observed.numbers[key].astype(int).tolist()
            wanted = right[0].numbers[key].astype(int).tolist()
            if found != wanted:
                return f" The shape is {found}; it should be {wanted}."
    return ""
