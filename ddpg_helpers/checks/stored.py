"""The stored probes and outcomes that the visible checks compare with: data, no code."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ddpg_helpers.checks.verdict import Mistake
from ddpg_helpers.checks.wire import (
    Observation,
    Probe,
    dump_observation,
    dump_probe,
    load_observation,
    load_probe,
)


@dataclass(frozen=True)
class StoredAspect:
    """The probe that isolates an aspect, the right outcomes on it, and those of the mistakes in
    it."""

    probe: Probe
    right: list[Observation]
    mistakes: dict[str, Observation]


@dataclass(frozen=True)
class StoredExercise:
    """All that a visible check knows of an exercise."""

    aspects: dict[str, StoredAspect]
    diagnosing: Probe
    diagnosing_right: Observation
    mistakes: dict[str, Mistake]


def number_under_mistakes(exercise: str, key: str) -> dict[str, float]:
    """One observed number, such as "loss", of the right answer and of each known mistake.

    Returns:
        The number by the mistake's name in words, "right" first. All are measured on the stored
        diagnosing probe; mistakes that stop with an error before it are left out.
    """
    known = load(exercise)
    outcomes = {"right": known.diagnosing_right} | {
        name.replace("_", " "): mistake.outcome for name, mistake in known.mistakes.items()
    }
    return {
        name: float(outcome.numbers[key])
        for name, outcome in outcomes.items()
        if key in outcome.numbers
    }


def file_name(exercise: str) -> str:
    """The file in ``checks/data`` that holds an exercise."""
    return f"{exercise}.json"


@cache
def load(exercise: str) -> StoredExercise:
    """Read what is stored for an exercise."""
    return loads(resources.files(__package__).joinpath("data", file_name(exercise)).read_text())


def loads(text: str) -> StoredExercise:
    """Decode what ``dumps`` wrote."""
    content = json.loads(text)
    return StoredExercise(
        aspects={
            name: StoredAspect(
                load_probe(json.dumps(aspect["probe"])),
                [load_observation(json.dumps(outcome)) for outcome in aspect["right"]],
                {n: load_observation(json.dumps(o)) for n, o in aspect["mistakes"].items()},
            )
            for name, aspect in content["aspects"].items()
        },
        diagnosing=load_probe(json.dumps(content["diagnosing"]["probe"])),
        diagnosing_right=load_observation(json.dumps(content["diagnosing"]["right"])),
        mistakes={
            name: Mistake(mistake["says"], load_observation(json.dumps(mistake["outcome"])))
            for name, mistake in content["mistakes"].items()
        },
    )


def dumps(exercise: StoredExercise) -> str:
    """Encode an exercise, one aspect or mistake a line."""
    lines = ["{", ' "aspects": {']
    lines += _entries(
        {
            name: f'{{"probe": {dump_probe(aspect.probe)}, "right": '
            f"[{', '.join(dump_observation(outcome) for outcome in aspect.right)}], "
            f'"mistakes": {{{", ".join(_observations(aspect.mistakes))}}}}}'
            for name, aspect in exercise.aspects.items()
        }
    )
    lines += [
        " },",
        f' "diagnosing": {{"probe": {dump_probe(exercise.diagnosing)}, '
        f'"right": {dump_observation(exercise.diagnosing_right)}}},',
        ' "mistakes": {',
    ]
    lines += _entries(
        {
            name: f'{{"says": {json.dumps(mistake.says)}, '
            f'"outcome": {dump_observation(mistake.outcome)}}}'
            for name, mistake in exercise.mistakes.items()
        }
    )
    return "\n".join([*lines, " }", "}", ""])


def _observations(mistakes: dict[str, Observation]) -> list[str]:
    return [f"{json.dumps(name)}: {dump_observation(o)}" for name, o in mistakes.items()]


def _entries(entries: dict[str, str]) -> list[str]:
    lines = [f"  {json.dumps(name)}: {text}" for name, text in entries.items()]
    return [line + "," for line in lines[:-1]] + lines[-1:]
