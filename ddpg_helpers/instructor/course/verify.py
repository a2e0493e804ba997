"""verify: the grader held against known wrong answers and known right ones."""

import contextlib
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import ModuleType

import joblib

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.stored import file_name, loads
from ddpg_helpers.checks.verdict import Outcome, Verdict
from ddpg_helpers.checks.visible import verdict_on
from ddpg_helpers.instructor.course.layout import CHECKS_DATA, ROOT
from ddpg_helpers.instructor.grading.judge import (
    DIAGNOSING_SEED,
    REFERENCE,
    NoProbeError,
    draw_probe,
    judge,
    never_told_apart,
    outcome_of,
)
from ddpg_helpers.instructor.mutants import all_mutants, mutants_of
from ddpg_helpers.instructor.mutants.registry import Mutant

LEAST_MUTANTS, LEAST_REWRITES = 60, 40
LEAST_NAMED, MOST_MISNAMED = 0.9, 0.02  # of the mutants
BASE_SEED = 1
TESTS = ("hidden test", "visible check")


@dataclass
class Count:
    """How one aspect fares in one kind of test.

    Attributes:
        broken: mutants that are wrong in the aspect.
        caught: those of them that lose it.
        named: those of them that are named rightly.
        misnamed: those of them that are given another mistake's name.
        lost: mutants that are right in the aspect and lose it all the same.
        rewrites_lost: right answers that lose it.
        cannot_judge: why nothing was counted, one line a reason; empty where it was.
    """

    broken: list[str] = field(default_factory=list)
    caught: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    rewrites_lost: list[str] = field(default_factory=list)
    cannot_judge: list[str] = field(default_factory=list)


Counts = dict[tuple[str, str, str], Count]  # by exercise, aspect and kind of test
Place = tuple[str, str, str]  # exercise, mutant or rewrite, aspect


def load_rewrites() -> ModuleType | None:
    """The bank of right answers in ``tests/rewrites``; None where the tests are not at hand."""
    tests = ROOT / "tests"
    if not (tests / "rewrites" / "__init__.py").exists():
        return None
    if str(tests) not in sys.path:
        sys.path.append(str(tests))
    return importlib.import_module("rewrites")


def hidden_verdict(exercise: str, aspect: str, answer: object, seed: int) -> Verdict:
    """What a hidden test says of an answer of the instructor's own."""
    with _silence():
        return judge(exercise, aspect, lambda name, probe: outcome_of(name, probe, answer), seed)


def visible_verdict(exercise: str, aspect: str, answer: object) -> Verdict:
    """What the visible check says of an answer of the instructor's own."""
    namespace = dict(vars(sys.modules[answer.__module__]))
    with _silence():
        return verdict_on(exercise, aspect, {**namespace, exercise.partition(".")[0]: answer})


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Rewrites print and warn, as students do."""
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def count(exercise: str) -> Counts:
    """Hold both kinds of test of an exercise against all its mutants and rewrites."""
    families = {mutant.name: mutant.family for mutant in mutants_of(exercise)}
    rewrites = load_rewrites()
    right = rewrites.rewrites_of(exercise) if rewrites else []
    counts: Counts = {}
    undiagnosed = _no_probe(exercise, None, DIAGNOSING_SEED)
    for aspect in ASPECTS[exercise]:
        for test in TESTS:
            counted = counts[exercise, aspect, test] = Count()
            if test == "hidden test":
                counted.cannot_judge = undiagnosed or _no_probe(exercise, aspect, BASE_SEED)
            elif not _is_stored(exercise, aspect):
                counted.cannot_judge = [f"{exercise}: nothing is stored; run `ddpg-course build`"]
            if counted.cannot_judge:
                continue
            for mutant in mutants_of(exercise):
                _count_mutant(counted, mutant, aspect, _verdict(test, mutant, aspect), families)
            for rewrite in right:
                if _verdict(test, rewrite, aspect).outcome is not Outcome.RIGHT:
                    counted.rewrites_lost.append(rewrite.name)
    return counts


def _no_probe(exercise: str, aspect: str | None, seed: int) -> list[str]:
    """Why no probe can be drawn, one line for each mutant or pair; empty where one can."""
    try:
        with _silence():
            draw_probe(exercise, aspect, seed)
            return []
    except NoProbeError:
        with _silence():
            cases = never_told_apart(exercise, aspect)
    place = exercise if aspect is None else f"{exercise} {aspect}"
    told = {1: "{} is not told from the right answer", 2: "{} and {} are not told from each other"}
    return [f"{place}: {told[len(case)].format(*case)}" for case in cases] or [
        f"{place}: no probe serves for all known answers, though each is told apart by some probe"
    ]


def _is_stored(exercise: str, aspect: str) -> bool:
    """Whether the visible check of an aspect has its stored probe."""
    path = CHECKS_DATA / file_name(exercise)
    return path.exists() and aspect in loads(path.read_text()).aspects


def _verdict(test: str, known: Mutant, aspect: str) -> Verdict:
    """The verdict on a mutant or a rewrite."""
    if test == "hidden test":
        return hidden_verdict(known.exercise, aspect, known.answer, BASE_SEED)
    return visible_verdict(known.exercise, aspect, known.answer)


def _count_mutant(
    counted: Count, mutant: Mutant, aspect: str, verdict: Verdict, families: dict[str, str]
) -> None:
    wrong = verdict.outcome is not Outcome.RIGHT
    if aspect not in mutant.breaks:
        if wrong:
            counted.lost.append(mutant.name)
        return
    counted.broken.append(mutant.name)
    if wrong:
        counted.caught.append(mutant.name)
    if verdict.mistake is not None:
        rightly = families[verdict.mistake] == mutant.family
        (counted.named if rightly else counted.misnamed).append(mutant.name)


def changed_verdicts(exercise: str, aspect: str, seeds: range) -> list[str]:
    """Right answers that lose an aspect on fresh probes, as "name, seed 17".

    Wrong ones can't keep it: a probe is drawn until every known mistake lies far from the right
    outcome. Each seed takes the reference, and in turn every tenth of the rewrites and of the
    mutants that are right in the aspect.
    """
    rewrites = load_rewrites()
    bank = [mutant for mutant in mutants_of(exercise) if aspect not in mutant.breaks]
    bank += rewrites.rewrites_of(exercise) if rewrites else []
    changed = []
    for seed in seeds:
        if _no_probe(exercise, aspect, seed):
            changed.append(f"no probe to be had, seed {seed}")
            continue
        answers = {"the reference": REFERENCE[exercise.partition(".")[0]]}
        answers |= {known.name: known.answer for known in bank[seed % 10 :: 10]}
        for name, answer in answers.items():
            verdict = hidden_verdict(exercise, aspect, answer, seed)
            if verdict.outcome is not Outcome.RIGHT:
                changed.append(f"{name}, seed {seed}")
    return changed


def verify(seeds: int = 0, exercises: Iterable[str] = ()) -> bool:
    """Print the table of the grader against the banks; return whether all its bars are met.

    Args:
        seeds: fresh seeds to draw each hidden probe with, besides; 0 for none.
        exercises: the exercises to look at; all when empty.

    Raises:
        ValueError: there is no such exercise.
    """
    chosen = tuple(exercises) or tuple(ASPECTS)
    unknown = [name for name in chosen if name not in ASPECTS]
    if unknown:
        raise ValueError(f"there is no exercise {unknown[0]!r}; there are {', '.join(ASPECTS)}")
    counts: Counts = {}
    for part in joblib.Parallel(n_jobs=-1)(joblib.delayed(count)(e) for e in chosen):
        counts |= part
    print("\n".join(_table(counts)))
    met = [_say(*bar) for bar in _bars(counts)]
    if seeds:
        met.append(_verify_seeds(seeds, chosen))
    return all(met)


def _table(counts: Counts) -> Iterator[str]:
    yield (
        f"{'':44}{'hidden test':>24}{'visible check':>24}{'lost though right':>20}\n"
        f"{'exercise':24}{'aspect':20}{'caught':>14}{'named':>10}{'caught':>14}{'named':>10}"
        f"{'mutants':>10}{'rewrites':>10}"
    )
    for exercise, aspect in dict.fromkeys(place[:2] for place in counts):
        hidden, visible = (counts[exercise, aspect, test] for test in TESTS)
        row = f"{exercise:24}{aspect:20}"
        for one in (hidden, visible):
            caught = "-" if one.cannot_judge else f"{len(one.caught)} of {len(one.broken)}"
            row += f"{caught:>14}{len(one.named):>10}"
        lost = {*hidden.lost, *visible.lost}
        rewrites = {*hidden.rewrites_lost, *visible.rewrites_lost}
        yield row + f"{len(lost):>10}{len(rewrites):>10}"


def _bars(counts: Counts) -> Iterator[tuple[str, bool, list[Place] | list[str]]]:
    """What is measured, whether it is as it must be, and the places where it is not."""
    mutants = all_mutants()
    looked_at = [mutant for mutant in mutants if any(mutant.exercise == e for e, _, _ in counts)]
    classes = len({(mutant.exercise, mutant.family) for mutant in mutants})
    rewrites = load_rewrites()
    right = rewrites.all_rewrites() if rewrites else []
    yield (
        f"{len(mutants)} mutants in {classes} classes, {len(right)} rewrites",
        len(mutants) >= LEAST_MUTANTS and (rewrites is None or len(right) >= LEAST_REWRITES),
        [],
    )
    for test in TESTS:
        uncaught = _places(counts, test, lambda one: {*one.broken} - {*one.caught})
        lost = _places(counts, test, lambda one: one.lost)
        rewrites_lost = _places(counts, test, lambda one: one.rewrites_lost)
        reasons = [one.cannot_judge for (_, _, kind), one in counts.items() if kind == test]
        impossible = list(dict.fromkeys(reason for some in reasons for reason in some))
        idle = [
            f"{exercise} {aspect}: no mutant breaks it"
            for (exercise, aspect, kind), one in counts.items()
            if kind == test and not one.broken and not one.cannot_judge
        ]
        yield f"{test}s: each can tell right from wrong", not impossible, impossible
        yield f"{test}s: each has a mutant to catch", not idle, idle
        yield f"{test}s: every mutant loses each aspect that it breaks", not uncaught, uncaught
        yield f"{test}s: no mutant loses an aspect that it does not break", not lost, lost
        yield f"{test}s: no rewrite loses any", not rewrites_lost, rewrites_lost
        unnamed = _places(counts, test, lambda one: {*one.broken} - {*one.named})
        misnamed = _places(counts, test, lambda one: one.misnamed)
        named = 1 - _share(unnamed, looked_at)
        wrongly = _share(misnamed, looked_at)
        yield f"{test}s: {named:.1%} of the mutants named rightly", named >= LEAST_NAMED, unnamed
        yield f"{test}s: {wrongly:.1%} named wrongly", wrongly <= MOST_MISNAMED, misnamed


def _places(counts: Counts, test: str, of: Callable[[Count], Iterable[str]]) -> list[Place]:
    return [
        (exercise, name, aspect)
        for (exercise, aspect, kind), one in counts.items()
        if kind == test
        for name in sorted(of(one))
    ]


def _share(places: list[Place], mutants: list[Mutant]) -> float:
    return len({(exercise, name) for exercise, name, _ in places}) / len(mutants)


def _say(sentence: str, met: bool, places: Iterable[object]) -> bool:
    print(f"{'ok  ' if met else 'FAIL'}  {sentence}")
    for place in places:
        print(f"{'':6}{' '.join(place) if isinstance(place, tuple) else place}")
    return met


def _verify_seeds(seeds: int, exercises: Iterable[str]) -> bool:
    """Draw each hidden probe with fresh seeds, a part of them at a time."""
    parts = [
        (exercise, aspect, range(start, min(start + 50, seeds)))
        for exercise in exercises
        for aspect in ASPECTS[exercise]
        for start in range(0, seeds, 50)
    ]
    found = joblib.Parallel(n_jobs=-1)(joblib.delayed(changed_verdicts)(*part) for part in parts)
    changed = [
        f"{exercise} {aspect}: {name}"
        for (exercise, aspect, _), names in zip(parts, found, strict=True)
        for name in names
    ]
    sentence = f"{seeds} fresh seeds of each hidden probe: no verdict changes"
    return _say(sentence, not changed, changed)
