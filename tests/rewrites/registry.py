"""How a right answer is written down: the answer, and the exercises that it answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ddpg_helpers.checks.aspects import ASPECTS

Answer = TypeVar("Answer", bound=Callable)


@dataclass(frozen=True)
class Rewrite:
    """A right answer to an exercise.

    Attributes:
        exercise: the exercise that it answers, such as "td_target".
        name: how it is written.
        answer: the function, or the class that holds the method.
    """

    exercise: str
    name: str
    answer: Any


_REWRITES: list[Rewrite] = []


def rewrite(*exercises: str) -> Callable[[Answer], Answer]:
    """Register the decorated function or class as a right answer; its name says how it is written
    ("DequeOfTuples" gives "deque_of_tuples").

    Args:
        exercises: what it answers; a class answers those of its methods that are written anew.

    Raises:
        ValueError: there is no such exercise, or none is given.
    """
    unknown = set(exercises) - ASPECTS.keys()
    if unknown or not exercises:
        raise ValueError(f"a rewrite answers one or more of {', '.join(ASPECTS)}, not {exercises}")

    def register(answer: Answer) -> Answer:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", answer.__name__).lower()
        _REWRITES.extend(Rewrite(exercise, name, answer) for exercise in exercises)
        return answer

    return register


def registered() -> list[Rewrite]:
    """The rewrites registered so far."""
    return list(_REWRITES)
