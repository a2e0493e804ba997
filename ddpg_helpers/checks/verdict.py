"""verdict: is an observation the right one, and if not, whose mistake is it?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.compare import distance, same_outcome
from ddpg_helpers.checks.evidence import Evidence, evidence
from ddpg_helpers.checks.wire import Observation, Probe


class Outcome(Enum):
    """The three ways that a check can end."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True)
class Mistake:
    """A known mistake's outcome on a probe, and the sentence for who makes it."""

    says: str
    outcome: Observation


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer in one aspect.

    Attributes:
        outcome: right, wrong or not attempted.
        message: sentences for the student; empty when right. They hold no right number.
        mistake: the name of the known mistake that was recognised, None otherwise.
        alone: whether that mistake explains all that the answer does.
        case: the smallest case that shows it, with the right numbers; empty where there is none.
    """

    outcome: Outcome
    message: str = ""
    mistake: str | None = None
    alone: bool = True
    case: str = ""


def judge_aspect(
    exercise: str,
    aspect: str,
    probe: Probe,
    observed: Observation,
    right: Iterable[Observation],
    mistakes: Mapping[str, Mistake],
    diagnose: Callable[[], tuple[Observation, Mapping[str, Mistake]]],
) -> Verdict:
    """Say whether an answer is right in one aspect, and name the mistake where it is not.

    A mistake is recognised where the answer does the same on the probe that tells mistakes apart.
    Where two mistakes meet, it does not; then the mistake is recognised that alone does the same
    on the probe that isolates the aspect.

    Args:
        exercise: "td_target".
        aspect: "mask".
        probe: the probe that isolates the aspect.
        observed: the answer on it.
        right: the right outcomes on it (several where an answer may use a stand-in).
        mistakes: the known mistakes in this aspect, with their outcomes on it.
        diagnose: is called for a wrong answer; gives the answer on the probe that tells
            mistakes apart, and the outcomes of the known mistakes on it.
    """
    keys, right = ASPECTS[exercise][aspect].keys, list(right)
    if any(distance(exercise, observed, outcome, keys) <= 1 for outcome in right):
        return Verdict(Outcome.RIGHT)
    if not_attempted(exercise, observed):
        return Verdict(
            Outcome.NOT_ATTEMPTED,
            f"{exercise} is not attempted yet. Complete its cell, run it, then run this check.",
        )
    shown = evidence(exercise, aspect, probe, observed, right)
    diagnosed, known = diagnose()
    for name, mistake in known.items():
        if same_outcome(exercise, diagnosed, mistake.outcome):
            return Verdict(Outcome.WRONG, mistake.says, name, case=shown.case)
    same = {
        mistake.says: name
        for name, mistake in mistakes.items()
        if distance(exercise, observed, mistake.outcome, keys) <= 1
    }
    if len(same) == 1:
        ((says, name),) = same.items()
        return Verdict(Outcome.WRONG, says, name, alone=False, case=shown.case)
    message = _explain(exercise, aspect, observed, shown)
    return Verdict(Outcome.WRONG, message, alone=False, case=shown.case)


def not_attempted(exercise: str, observed: Observation) -> bool:
    """Whether the answer is still the stub, or its cell was not run."""
    name = exercise.partition(".")[0]
    undefined = observed.raised == "NameError" and observed.message == f"{name} is not defined"
    return observed.raised == "NotImplementedError" or undefined


def _explain(exercise: str, aspect: str, observed: Observation, shown: Evidence) -> str:
    """Say what is off where no known mistake explains it."""
    if observed.raised == "WrongKindError":
        return f"{observed.message[:1].upper()}{observed.message[1:]}."
    if observed.raised is not None and any(
        key not in observed.numbers for key in ASPECTS[exercise][aspect].keys
    ):
        return f"{exercise} stopped with {observed.raised}: {observed.message}"
    return f"{ASPECTS[exercise][aspect].wrong} {shown.part}".rstrip()
