"""Make the stored probes and outcomes of the visible checks from the reference and the mutants."""

import zlib
from pathlib import Path

import numpy as np

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.compare import distance
from ddpg_helpers.checks.stored import StoredAspect, StoredExercise, dumps, file_name, loads
from ddpg_helpers.checks.verdict import Mistake
from ddpg_helpers.checks.wire import Observation, dump_probe
from ddpg_helpers.instructor.course.layout import CHECKS_DATA
from ddpg_helpers.instructor.grading.judge import (
    REFERENCE,
    draw_probe,
    mistakes_on,
    outcome_of,
    right_outcomes,
)

SIGNIFICANT_DIGITS = 7


def make(exercise: str) -> StoredExercise:
    """Draw the stored probes of an exercise and note the outcomes on them."""
    seed = zlib.crc32(exercise.encode())
    diagnosing = draw_probe(exercise, None, seed)
    probes = {
        aspect: draw_probe(exercise, aspect, [seed, number])
        for number, aspect in enumerate(ASPECTS[exercise])
    }
    reference = REFERENCE[exercise.partition(".")[0]]
    return StoredExercise(
        aspects={
            aspect: StoredAspect(
                probe,
                [_short(outcome) for outcome in right_outcomes(exercise, probe)],
                {
                    name: _only(ASPECTS[exercise][aspect].keys, _short(mistake.outcome))
                    for name, mistake in mistakes_on(exercise, probe, aspect).items()
                },
            )
            for aspect, probe in probes.items()
        },
        diagnosing=diagnosing,
        diagnosing_right=_short(outcome_of(exercise, diagnosing, reference)),
        mistakes={
            name: Mistake(mistake.says, _short(mistake.outcome))
            for name, mistake in mistakes_on(exercise, diagnosing).items()
        },
    )


def outdated() -> list[Path]:
    """The files in ``checks/data`` that are not what the reference and the mutants give today."""
    files = {CHECKS_DATA / file_name(exercise): exercise for exercise in ASPECTS}
    unexpected = set(CHECKS_DATA.glob("*.json")) - files.keys()
    return sorted(unexpected) + [path for path, ex in files.items() if not _current(path, ex)]


def write() -> list[Path]:
    """Bring ``checks/data`` up to date; return the files that changed."""
    changed = outdated()
    by_path = {CHECKS_DATA / file_name(exercise): exercise for exercise in ASPECTS}
    for path in changed:
        if path in by_path:
            path.write_text(dumps(make(by_path[path])), newline="\n")
        else:
            path.unlink()
    return changed


def _current(path: Path, exercise: str) -> bool:
    """Whether a file holds today's probes and sentences, and outcomes equal within tolerance (the
    last digits differ between processors)."""
    if not path.exists():
        return False
    try:
        old = loads(path.read_text())
    except (KeyError, TypeError, ValueError):
        return False
    new = loads(dumps(make(exercise)))

    def form(stored: StoredExercise) -> tuple:
        return (
            {
                name: (dump_probe(aspect.probe), len(aspect.right), list(aspect.mistakes))
                for name, aspect in stored.aspects.items()
            },
            dump_probe(stored.diagnosing),
            {name: (m.says, m.outcome.raised) for name, m in stored.mistakes.items()},
        )

    def outcomes(stored: StoredExercise) -> list[Observation]:
        aspects = stored.aspects.values()
        right = [outcome for aspect in aspects for outcome in aspect.right]
        wrong = [outcome for aspect in aspects for outcome in aspect.mistakes.values()]
        known = [mistake.outcome for mistake in stored.mistakes.values()]
        return [*right, *wrong, stored.diagnosing_right, *known]

    if form(old) != form(new):
        return False
    pairs = zip(outcomes(old), outcomes(new), strict=True)
    return all(distance(exercise, a, b) <= 1 or _same_gaps(a, b) for a, b in pairs)


def _same_gaps(a: Observation, b: Observation) -> bool:
    """Whether two outcomes are equal though some number of them is not finite."""
    return a.numbers.keys() == b.numbers.keys() and all(
        np.allclose(a.numbers[key], b.numbers[key], rtol=1e-4, atol=1e-6, equal_nan=True)
        for key in a.numbers
        if a.numbers[key].shape == b.numbers[key].shape
    )


def _only(keys: tuple[str, ...], observation: Observation) -> Observation:
    """The numbers that an aspect looks at."""
    return Observation({k: observation.numbers[k] for k in keys if k in observation.numbers})


def _short(observation: Observation) -> Observation:
    def shorten(array: np.ndarray) -> np.ndarray:
        flat = [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in array.ravel()]
        return np.array(flat).reshape(array.shape)

    numbers = {key: shorten(array) for key, array in observation.numbers.items()}
    return Observation(numbers, observation.raised, observation.message)
