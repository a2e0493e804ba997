"""How a wrong answer is written down: the answer, what it breaks, and what its student is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ddpg_helpers.checks.aspects import ASPECTS

Answer = TypeVar("Answer", bound=Callable)


@dataclass(frozen=True)
class Mutant:
    """A wrong answer.

    Attributes:
        exercise: the exercise that it answers, such as "td_target".
        name: its misconception.
        breaks: the aspects in which it is wrong; in the others it is right.
        says: the sentences for the student: what is wrong, why it matters, where to look.
        answer: the function, or the class that holds the wrong method.
        family: the class of mutants that no probe can tell from this one, which share their
            sentences; the mutant's own name where it stands alone.
    """

    exercise: str
    name: str
    breaks: frozenset[str]
    says: str
    answer: Any
    family: str


_MUTANTS: list[Mutant] = []


def mutant(
    exercise: str, *, breaks: list[str], says: str, family: str | None = None
) -> Callable[[Answer], Answer]:
    """Register the decorated function or class as a wrong answer; its name is the mutant's
    ("TanhMissing" gives "tanh_missing").

    Raises:
        ValueError: it breaks nothing, or an aspect that the exercise does not have; or its family
            has other sentences.
    """
    unknown = set(breaks) - ASPECTS[exercise].keys()
    if unknown or not breaks:
        aspects = ", ".join(ASPECTS[exercise])
        raise ValueError(f"a mutant of {exercise} breaks one or more of {aspects}, not {breaks}")

    def register(answer: Answer) -> Answer:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", answer.__name__).lower()
        new = Mutant(exercise, name, frozenset(breaks), says, answer, family or name)
        for old in _MUTANTS:
            if (old.exercise, old.family) == (exercise, new.family) and old.says != says:
                raise ValueError(f"{name} and {old.name} are one family: give them one sentence")
        _MUTANTS.append(new)
        return answer

    return register


def registered() -> list[Mutant]:
    """The mutants registered so far."""
    return list(_MUTANTS)
