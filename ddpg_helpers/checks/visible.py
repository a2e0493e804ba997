"""The visible check: a student calls ``check("td_target")`` and is told at once what is wrong."""

import html
import os
import sys
import textwrap
from typing import Any, NoReturn

from ddpg_helpers.checks import stored
from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.observe import observe
from ddpg_helpers.checks.verdict import (
    Mistake,
    Outcome,
    Verdict,
    judge_aspect,
    not_attempted,
)

_SIGNS = {
    Outcome.RIGHT: "\N{CHECK MARK}",
    Outcome.WRONG: "\N{BALLOT X}",
    Outcome.NOT_ATTEMPTED: "\N{WHITE CIRCLE}",
}
_COLOURS = {Outcome.RIGHT: "#007a5a", Outcome.WRONG: "#b34700", Outcome.NOT_ATTEMPTED: "#555555"}


class Box:
    """What a check says: a small box in Jupyter, plain text elsewhere."""

    def __init__(self, outcome: Outcome, *lines: str) -> None:
        self.outcome = outcome
        self.lines = [f"{_SIGNS[outcome]} {lines[0]}", *(line for line in lines[1:] if line)]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        colour = _COLOURS[self.outcome]
        text = "<br>".join(html.escape(line) for line in self.lines)
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 4px 10px; '
            f'color: {colour}">{text}</div>'
        )


class CheckError(Exception):
    """An answer is wrong or not attempted. Shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Asked for by IPython. Below the box, one line is enough. The dialog of nbgrader's
        Validate does not wrap lines."""
        if _in_notebook():
            return ["The box above says what is left to do."]
        return [part for line in str(self).splitlines() for part in textwrap.wrap(line, 88)]


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
            title = f"{exercise}, {ASPECTS[exercise][name].title}:"
            if _several_mistakes(exercise, name, verdict, namespace):
                title += " more than one thing is off. The first:"
            _fail(Box(verdict.outcome, f"{title} {verdict.message}", verdict.case))
    if aspect is None:
        titles = "; ".join(a.title for a in ASPECTS[exercise].values())
        _show(Box(Outcome.RIGHT, f"{exercise} is right. The hidden tests look at: {titles}."))
    else:
        _show(Box(Outcome.RIGHT, f"{exercise}, {ASPECTS[exercise][aspect].title}: right."))


def verdict_on(exercise: str, aspect: str, namespace: dict[str, Any]) -> Verdict:
    """Judge one aspect of the answer in ``namespace`` by the stored probe and outcomes."""
    known = stored.load(exercise)
    isolating = known.aspects[aspect]
    return judge_aspect(
        exercise,
        aspect,
        isolating.probe,
        observe(exercise, isolating.probe, namespace),
        isolating.right,
        {n: Mistake(known.mistakes[n].says, o) for n, o in isolating.mistakes.items()},
        lambda: (observe(exercise, known.diagnosing, namespace), known.mistakes),
    )


def _several_mistakes(
    exercise: str, aspect: str, verdict: Verdict, namespace: dict[str, Any]
) -> bool:
    """Whether no known mistake explains a wrong answer alone, and another aspect shows another
    known mistake."""
    if verdict.alone or verdict.outcome is not Outcome.WRONG:
        return False
    others = [verdict_on(exercise, name, namespace) for name in ASPECTS[exercise] if name != aspect]
    return any(other.mistake not in (None, verdict.mistake) for other in others)


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
        _fail(
            Box(
                Outcome.NOT_ATTEMPTED,
                f"This cell needs {' and '.join(unfinished)}, not finished yet: complete the cell "
                "above and run it, then run this one.",
            )
        )


def _known(exercise: str, aspect: str | None) -> None:
    if exercise not in ASPECTS:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(ASPECTS)}")
    if aspect is not None and aspect not in ASPECTS[exercise]:
        aspects = ", ".join(ASPECTS[exercise])
        raise ValueError(f"{exercise} has no aspect {aspect!r}; it has {aspects}")


def _show(box: Box) -> None:
    if _in_notebook():
        from IPython.display import display

        display(box)
    else:
        print(box)


def _fail(box: Box) -> NoReturn:
    if _in_notebook():
        _show(box)
    raise CheckError(repr(box))


def _in_notebook() -> bool:
    """Whether boxes are shown: in Jupyter, but not while nbgrader validates, which shows text."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel") and not os.environ.get("NBGRADER_VALIDATING")
