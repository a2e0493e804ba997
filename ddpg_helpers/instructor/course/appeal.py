"""appeal: judge one aspect of a graded submission again, with its seed, and show the numbers."""

from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from ddpg_helpers.checks.aspects import ASPECTS, UNITS
from ddpg_helpers.checks.compare import distance
from ddpg_helpers.checks.verdict import Outcome
from ddpg_helpers.checks.wire import Observation
from ddpg_helpers.instructor.course.grade import course_config
from ddpg_helpers.instructor.course.layout import ROOT
from ddpg_helpers.instructor.grading.execute import ExecuteSubmission
from ddpg_helpers.instructor.grading.judge import right_outcomes
from ddpg_helpers.instructor.grading.submission import SubmissionRun

MOST_NUMBERS = 8  # of an array that are printed


class AppealError(RuntimeError):
    """There is nothing to judge again; says what to do."""


def appeal(student: str, unit: str, aspect: str, *, root: Path = ROOT) -> str:
    """Run a graded submission's cells again and judge one aspect with the recorded seed.

    The report is for the instructor: it holds the right numbers of a hidden test.

    Args:
        student: as in the gradebook.
        unit: "04_critic_loss".
        aspect: "mask", or "td_target.mask" where several exercises of the unit have the aspect.
        root: the course's folder.

    Raises:
        AppealError: there is no such unit, aspect or graded submission.
    """
    exercise, aspect = _exercise_and_aspect(unit, aspect)
    path = root / "autograded" / student / unit / f"{unit}.ipynb"
    if not path.exists():
        raise AppealError(f"there is no graded submission {path}; run `ddpg-course grade {unit}`")
    notebook = nbformat.read(path, as_version=4)
    call = f'grade("{exercise}", aspect="{aspect}")'
    notebook.cells = [cell for cell in notebook.cells if not _is_test(cell) or call in cell.source]
    execute = ExecuteSubmission(config=course_config(root))
    run = SubmissionRun(execute.submission(notebook, student, unit, str(path.parent)))
    run.run()
    (grading,) = run.gradings
    ((_, verdict),) = grading.verdicts.items()
    (probe, observed), *_ = grading.observations
    earned = grading.points if verdict.outcome is Outcome.RIGHT else 0
    title = ASPECTS[exercise][aspect].title
    return "\n".join(
        [
            f"{student}, {unit}: {exercise}, {title}",
            f"seed {grading.seed(exercise, aspect)}",
            f"{verdict.outcome.value}, {earned:g} of {grading.points:g} points",
            *([verdict.message] if verdict.message else []),
            *([f"known mistake: {verdict.mistake}"] if verdict.mistake else []),
            *([f"it raised {observed.raised}: {observed.message}"] if observed.raised else []),
            *_numbers(exercise, aspect, observed, right_outcomes(exercise, probe)),
        ]
    )


def _exercise_and_aspect(unit: str, aspect: str) -> tuple[str, str]:
    if unit not in UNITS:
        raise AppealError(f"{unit!r} has no aspects that are judged; {', '.join(UNITS)} have")
    exercise, _, name = aspect.rpartition(".")
    known = [(e, a) for e in UNITS[unit] for a in ASPECTS[e]]
    found = [(e, a) for e, a in known if a == name and exercise in ("", e)]
    if len(found) != 1:
        places = ", ".join(f"{e}.{a}" for e, a in (found or known))
        several = "several exercises have it" if found else "it does not have that aspect"
        raise AppealError(f"{unit}, {aspect!r}: {several}; give one of {places}")
    return found[0]


def _is_test(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and is_grade(cell) and not is_solution(cell)


def _numbers(
    exercise: str, aspect: str, observed: Observation, right: list[Observation]
) -> list[str]:
    """Each number that the aspect looks at: how far off it is, what came out, what is right."""
    keys = ASPECTS[exercise][aspect].keys
    nearest = min(right, key=lambda outcome: distance(exercise, observed, outcome, keys))
    lines = []
    for key in keys:
        apart = distance(exercise, observed, nearest, [key])
        lines += [
            f"\n{key}: {'as it should be' if apart <= 1 else f'off by {apart:.3g} tolerances'}",
            f"    found {_text(observed.numbers.get(key))}",
            f"    right {_text(nearest.numbers.get(key))}",
        ]
    return lines


def _text(array: np.ndarray | None) -> str:
    if array is None:
        return "nothing"
    shown = ", ".join(f"{value:.5g}" for value in array.ravel()[:MOST_NUMBERS])
    more = f", ... ({array.size} numbers)" if array.size > MOST_NUMBERS else ""
    return f"[{shown}{more}], shape {list(array.shape)}"
