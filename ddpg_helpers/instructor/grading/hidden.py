"""grade: the one call of a hidden test, whose value is the cell's score."""

import hashlib
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

from ddpg_helpers.checks.aspects import UNITS
from ddpg_helpers.checks.observe import observe
from ddpg_helpers.checks.verdict import Outcome, Verdict
from ddpg_helpers.checks.wire import Observation, Probe
from ddpg_helpers.instructor.course.layout import source_notebook
from ddpg_helpers.instructor.grading.judge import Ask, judge


@dataclass
class Grading:
    """A test cell that is being autograded.

    Attributes:
        ask: runs the student's answer on a probe, in the student's kernel.
        seed: of the hidden probe, for this exercise and aspect.
        points: what the cell is worth.
        verdicts: what was judged so far, by (exercise, aspect).
        observations: what the answer did on each probe, in the order asked.
    """

    ask: Ask
    seed: "Seed"
    points: float
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    observations: list[tuple[Probe, Observation]] = field(default_factory=list)

    def observe(self, exercise: str, probe: Probe) -> Observation:
        """Ask, and keep the answer."""
        observation = self.ask(exercise, probe)
        self.observations.append((probe, observation))
        return observation


class Seed:
    """Seeds of hidden probes: a hash of the course's secret, the exercise, aspect and student."""

    def __init__(self, secret: str, student: str) -> None:
        self.secret = secret
        self.student = student

    def __call__(self, exercise: str, aspect: str) -> int:
        text = "\0".join((self.secret, exercise, aspect, self.student))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])


_grading: ContextVar[Grading | None] = ContextVar("grading", default=None)


@contextmanager
def grading(cell: Grading) -> Iterator[Grading]:
    """While it lasts, ``grade`` judges for this cell."""
    token = _grading.set(cell)
    try:
        yield cell
    finally:
        _grading.reset(token)


def grade(exercise: str, aspect: str) -> float:
    """Judge one aspect of an answer on a fresh probe and return the points it earns.

    While autograding, the answer is asked for in the student's kernel. In an instructor's
    notebook it is found by its name there, the probe is a new one at each call, and what is wrong
    is printed.

    Args:
        exercise: such as "td_target".
        aspect: such as "mask".
    """
    cell = _grading.get()
    if cell is None:
        namespace = sys._getframe(1).f_globals
        verdict = judge(
            exercise, aspect, lambda name, probe: observe(name, probe, namespace),
            secrets.randbits(64),
        )  # fmt: skip
        if verdict.message:
            print(verdict.message)
        points = points_of(exercise, aspect)
    else:
        verdict = judge(exercise, aspect, cell.observe, cell.seed(exercise, aspect))
        cell.verdicts[exercise, aspect] = verdict
        points = cell.points
    return points if verdict.outcome is Outcome.RIGHT else 0.0


@cache
def points_of(exercise: str, aspect: str) -> float:
    """The points of an aspect's test cell, as its source notebook says.

    Raises:
        KeyError: no source notebook tests the aspect.
    """
    unit = next(unit for unit, exercises in UNITS.items() if exercise in exercises)
    call = f'grade("{exercise}", aspect="{aspect}")'
    for cell in json.loads(source_notebook(unit).read_text(encoding="utf-8"))["cells"]:
        if call in "".join(cell["source"]):
            return float(cell["metadata"]["nbgrader"]["points"])
    raise KeyError(f"no test cell in {source_notebook(unit).name} holds {call}")
