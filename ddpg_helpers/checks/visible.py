"""The visible check: a student calls ``check("td_target")`` and is told at once what is wrong."""

import html
import sys
from typing import Any

from ddpg_helpers.checks import stored
from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.compare import Outcome, Verdict, judge_aspect, not_attempted
from ddpg_helpers.checks.observe import observe

_SIGNS = {Outcome.RIGHT: "\N{CHECK MARK}", Outcome.WRONG: "\N{BALLOT X}"}
_COLOURS = {Outcome.RIGHT: "#007a5a", Outcome.WRONG: "#b34700", Outcome.NOT_ATTEMPTED: "#555555"}


class CheckError(Exception):
    """An answer is wrong or not attempted. Shown as its sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:  # asked for by IPython
        return [str(self)]


class Passed:
    """The green line of a check that passed: a small box in Jupyter, plain text elsewhere."""

    def __init__(self, text: str) -> None:
        self.text = f"{_SIGNS[Outcome.RIGHT]} {text}"

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        colour = _COLOURS[Outcome.RIGHT]
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 4px 10px; '
            f'color: {colour}">{html.escape(self.text)}</div>'
        )


def check(
    exercise: str, aspect: str | None = None, *, namespace: dict[str, Any] | None = None
) -> None:
    """Check your answer to an exercise, or one aspect of it.

    Args:
        exercise: its name, such as "td_target" or "OUNoise.evolve_state".
        aspect: one of the exercise's aspects; None for all of them.
        namespace: where the answer is; by default the notebook that calls.

    Raises:
        CheckError: the answer is wrong (the sentence names the mistake) or not attempted yet.
        ValueError: there is no such exercise or aspect.
    """
    _known(exercise, aspect)
    namespace = sys._getframe(1).f_globals if namespace is None else namespace
    for name in ASPECTS[exercise] if aspect is None else [aspect]:
        verdict = verdict_on(exercise, name, namespace)
        if verdict.outcome is not Outcome.RIGHT:
            sign = _SIGNS.get(verdict.outcome, "\N{WHITE CIRCLE}")
            title = f"{exercise}, {ASPECTS[exercise][name].title}"
            raise CheckError(f"{sign} {title}: {verdict.message}")
    if aspect is None:
        titles = "; ".join(a.title for a in ASPECTS[exercise].values())
        _show(Passed(f"{exercise} is right. The hidden tests look at: {titles}."))
    else:
        _show(Passed(f"{exercise}, {ASPECTS[exercise][aspect].title}: right."))


def verdict_on(exercise: str, aspect: str, namespace: dict[str, Any]) -> Verdict:
    """Judge one aspect of the answer in ``namespace`` by the stored probe and outcomes."""
    known = stored.load(exercise)
    return judge_aspect(
        exercise,
        aspect,
        observe(exercise, known.aspects[aspect].probe, namespace),
        known.aspects[aspect].right,
        lambda: (observe(exercise, known.diagnosing, namespace), known.mistakes),
    )


def needs(*exercises: str) -> None:
    """Stop a cell that uses unfinished answers, with one line that says which.

    Raises:
        CheckError: one of the exercises is not attempted yet.
    """
    namespace = sys._getframe(1).f_globals
    unfinished = []
    for exercise in exercises:
        probe = next(iter(stored.load(exercise).aspects.values())).probe
        if not_attempted(exercise, observe(exercise, probe, namespace)):
            unfinished.append(exercise)
    if unfinished:
        raise CheckError(
            f"This cell needs {' and '.join(unfinished)}, not finished yet: complete the cell "
            "above and run it, then run this one."
        )


def _known(exercise: str, aspect: str | None) -> None:
    if exercise not in ASPECTS:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(ASPECTS)}")
    if aspect is not None and aspect not in ASPECTS[exercise]:
        aspects = ", ".join(ASPECTS[exercise])
        raise ValueError(f"{exercise} has no aspect {aspect!r}; it has {aspects}")


def _show(passed: Passed) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(passed)
        return
    if get_ipython() is None:
        print(passed)
    else:
        display(passed)
