"""The judge: draws a fresh probe, has the answer observed on it, and compares with the reference.

It runs in the instructor's process and never executes a student's code: what it gets from the
student's side are numbers.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from ddpg_helpers import memory, networks, noise
from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.compare import distance, same_end
from ddpg_helpers.checks.observe import builds_on, observe_answer
from ddpg_helpers.checks.verdict import Mistake, Outcome, Verdict, judge_aspect
from ddpg_helpers.checks.wire import Observation, Probe
from ddpg_helpers.instructor.grading.probes import make_probe
from ddpg_helpers.instructor.mutants import mutants_of
from ddpg_helpers.instructor.reference import agent, updates
from ddpg_helpers.memory import Batch

SEPARATION = 100  # tolerances between a right outcome and a wrong one, at the least
DIAGNOSING_SEED = 0
DRAWS = 200  # probes tried before giving up on one that separates

Ask = Callable[[str, Probe], Observation]


class NoProbeError(RuntimeError):
    """No probe tells the right answer and the known mistakes of an exercise apart."""


REFERENCE: dict[str, Any] = {
    "OUNoise": noise.OUNoise,
    "ReplayMemory": memory.ReplayMemory,
    "Actor": networks.Actor,
    "Critic": networks.Critic,
    "make_target": networks.make_target,
    "td_target": updates.td_target,
    "critic_loss": updates.critic_loss,
    "update_critic": updates.update_critic,
    "actor_loss": updates.actor_loss,
    "update_actor": updates.update_actor,
    "soft_update": agent.soft_update,
    "DDPGAgent": agent.DDPGAgent,
}


def outcome_of(exercise: str, probe: Probe, answer: Any) -> Observation:
    """What an answer of the instructor's own does on a probe."""
    return observe_answer(exercise, probe, answer, vars(sys.modules[answer.__module__]))


def right_outcomes(exercise: str, probe: Probe) -> list[Observation]:
    """The right outcomes on a probe: with stand-ins for earlier exercises, with some of them, and
    without.

    An answer that writes everything out itself never meets a stand-in, and is as right.
    """
    answer = REFERENCE[exercise.partition(".")[0]]
    ways = [True, *builds_on(exercise), False] if probe["stand_in"] else [False]
    return [outcome_of(exercise, {**probe, "stand_in": way}, answer) for way in ways]


def mistakes_on(exercise: str, probe: Probe, aspect: str | None = None) -> dict[str, Mistake]:
    """The outcomes of the known mistakes on a probe: of those in an aspect, or of all."""
    return {
        mutant.name: Mistake(mutant.says, outcome_of(exercise, probe, mutant.answer))
        for mutant in mutants_of(exercise)
        if aspect is None or aspect in mutant.breaks
    }


def draw_probe(exercise: str, aspect: str | None, seed: int | list[int]) -> Probe:
    """Draw probes until one tells right from every known wrong answer; the same for a seed.

    Args:
        exercise: such as "td_target".
        aspect: the aspect to isolate, None for a diagnosing probe.
        seed: of the generator.

    Raises:
        NoProbeError: none does; ``ddpg-course verify`` says which answers are not told apart.
    """
    return _draw(exercise, aspect, seed if isinstance(seed, int) else tuple(seed)).probe


@dataclass(frozen=True)
class _Drawn:
    """A probe, the right outcomes on it, and the known mistakes' (those in its aspect)."""

    probe: Probe
    right: list[Observation]
    mistakes: dict[str, Mistake]


@lru_cache(maxsize=256)
def _draw(exercise: str, aspect: str | None, seed: int | tuple[int, ...]) -> _Drawn:
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        probe = make_probe(exercise, aspect, rng)
        right = right_outcomes(exercise, probe)
        if not _holds_still(exercise, aspect, probe, right[0]):
            continue
        drawn = _Drawn(probe, right, mistakes_on(exercise, probe, aspect))
        if _separates(exercise, aspect, drawn):
            return drawn
    raise NoProbeError(
        f"no probe of {DRAWS} tells right from wrong in {exercise}, {aspect or 'all aspects'}; "
        f"`ddpg-course verify {exercise}` says which answers are not told apart"
    )


def _separates(exercise: str, aspect: str | None, drawn: _Drawn) -> bool:
    """Whether right and wrong are far apart on a probe, and on a diagnosing one all mistakes."""
    return next(_too_close(exercise, aspect, drawn), None) is None


def _too_close(exercise: str, aspect: str | None, drawn: _Drawn) -> Iterator[tuple[str, ...]]:
    """The mutants that a probe does not tell from the right answer, and, on a diagnosing one, the
    pairs of mutants that it does not tell apart."""
    keys = None if aspect is None else ASPECTS[exercise][aspect].keys
    outcomes = {name: mistake.outcome for name, mistake in drawn.mistakes.items()}
    for name, outcome in outcomes.items():
        if any(distance(exercise, outcome, right, keys) <= SEPARATION for right in drawn.right):
            yield (name,)
    if aspect is None:
        for one, other in combinations(mutants_of(exercise), 2):
            known = outcomes[one.name], outcomes[other.name]
            if one.family != other.family and not apart(exercise, *known):
                yield (one.name, other.name)


def never_told_apart(exercise: str, aspect: str | None, draws: int = 20) -> list[tuple[str, ...]]:
    """The mutants that no probe tells from the right answer, each as (mutant,), and the pairs that
    no diagnosing probe tells apart. Empty where each is told apart by some probe, but never all by
    the same one.

    Args:
        exercise: such as "td_target".
        aspect: the aspect that the probes isolate, None for diagnosing probes.
        draws: probes to try.
    """
    rng, found = np.random.default_rng(DIAGNOSING_SEED), []
    for draw in range(draws):
        probe = make_probe(exercise, aspect, rng)
        drawn = _Drawn(
            probe, right_outcomes(exercise, probe), mistakes_on(exercise, probe, aspect)
        )
        close = list(_too_close(exercise, aspect, drawn))
        found = [case for case in found if case in close] if draw else close
    return found


def apart(exercise: str, one: Observation, other: Observation) -> bool:
    """Whether two wrong outcomes on a diagnosing probe are never taken for each other."""
    return not same_end(one, other) or distance(exercise, one, other) > SEPARATION


def _holds_still(exercise: str, aspect: str | None, probe: Probe, right: Observation) -> bool:
    """Whether the order of the transitions in a batch, which changes the last bits of every sum,
    leaves the right outcome as it is. Adam can make much of the last bits of a gradient."""
    if "optimizer" not in probe and exercise != "DDPGAgent.update":
        return True
    keys = None if aspect is None else ASPECTS[exercise][aspect].keys
    answer = REFERENCE[exercise.partition(".")[0]]
    for shift in (None, 1, 2):
        reordered = {**probe, **{name: _reorder(probe[name], shift) for name in Batch._fields}}
        if distance(exercise, outcome_of(exercise, reordered, answer), right, keys) > 0.1:
            return False
    return True


def _reorder(rows: np.ndarray, shift: int | None) -> np.ndarray:
    return rows[::-1].copy() if shift is None else np.roll(rows, shift, axis=0)


def judge(exercise: str, aspect: str, ask: Ask, seed: int | list[int]) -> Verdict:
    """Judge one aspect of an answer on a fresh probe.

    The points hang on that probe alone. A mistake is named on a diagnosing probe that is the same
    for all answers.

    Args:
        exercise: such as "td_target".
        aspect: such as "mask".
        ask: runs the student's answer on a probe and gives back what it did.
        seed: fixes the probe, so that the same judgement can be made again.
    """
    drawn = _draw(exercise, aspect, seed if isinstance(seed, int) else tuple(seed))

    def diagnose() -> tuple[Observation, dict[str, Mistake]]:
        diagnosing = _draw(exercise, None, DIAGNOSING_SEED)
        return ask(exercise, diagnosing.probe), diagnosing.mistakes

    observed = ask(exercise, drawn.probe)
    verdict = judge_aspect(
        exercise, aspect, drawn.probe, observed, drawn.right, drawn.mistakes, diagnose
    )
    if verdict.outcome is Outcome.RIGHT and not _believed(exercise, aspect, drawn, observed):
        return Verdict(Outcome.WRONG, _NOT_BELIEVED.format(exercise), alone=False)
    return verdict


_NOT_BELIEVED = (
    "This part cannot be told: beside it, {0} gave numbers that are neither right nor those of a "
    "known mistake. Mend the other parts of {0} first."
)


def _believed(exercise: str, aspect: str, drawn: _Drawn, observed: Observation) -> bool:
    """Whether an aspect whose keys are the same on every probe was really observed.

    Such keys could be told by heart. The numbers beside them, which differ from probe to probe,
    must be those of a right answer or of a known mistake, and not all of them nothing.
    """
    shown_by = ASPECTS[exercise][aspect].shown_by
    if not shown_by or any(
        distance(exercise, observed, right, shown_by) <= 1 for right in drawn.right
    ):
        return True
    known = [*drawn.right, *(m.outcome for m in mistakes_on(exercise, drawn.probe).values())]
    told = [key for key in shown_by if np.any(observed.numbers.get(key, 0))]
    return bool(told) and all(
        any(_alike(exercise, key, observed, outcome) for outcome in known) for key in shown_by
    )


def _alike(exercise: str, key: str, one: Observation, other: Observation) -> bool:
    if key not in one.numbers or key not in other.numbers:
        return key not in one.numbers and key not in other.numbers
    return distance(exercise, one, other, (key,)) <= 1
