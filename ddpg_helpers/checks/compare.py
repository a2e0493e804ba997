"""compare: how far two observations are apart, and whether they are the same."""

import re
from collections.abc import Iterable

import numpy as np

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.wire import Observation

RELATIVE_TOLERANCE = 1e-4  # of the largest number in the right array
SMALLEST_TOLERANCE = 1e-6


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
    absolute = _absolute_tolerances(exercise)
    return max((_distance(observed, right, key, absolute.get(key)) for key in keys), default=0.0)


def _distance(observed: Observation, right: Observation, key: str, absolute: float | None) -> float:
    if key not in observed.numbers or key not in right.numbers:
        return np.inf
    found, wanted = observed.numbers[key], right.numbers[key]
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return np.inf
    if wanted.size == 0:
        return 0.0
    return float(np.abs(found - wanted).max() / _tolerance(wanted, absolute))


def _tolerance(wanted: np.ndarray, absolute: float | None) -> float:
    relative = max(RELATIVE_TOLERANCE * np.abs(wanted).max(), SMALLEST_TOLERANCE)
    return relative if absolute is None else absolute


def _absolute_tolerances(exercise: str) -> dict[str, float]:
    return {k: t for aspect in ASPECTS[exercise].values() for k, t in aspect.tolerances.items()}


def far_apart(exercise: str, key: str, found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where two arrays of one shape are further apart than the tolerance."""
    return np.abs(found - wanted) > _tolerance(wanted, _absolute_tolerances(exercise).get(key))


def same_outcome(exercise: str, observed: Observation, known: Observation) -> bool:
    """Whether two answers did the same on a probe: equal numbers, and ended by the same error."""
    return same_end(observed, known) and distance(exercise, observed, known) <= 1


def same_end(one: Observation, other: Observation) -> bool:
    """Whether the same error, or none, ended two observations. Numbers in its text do not count:
    they are sizes, or addresses."""
    ends = [(o.raised, re.sub(r"\d+", "", o.message)) for o in (one, other)]
    return ends[0] == ends[1]
