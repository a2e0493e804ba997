"""grades: the gradebook as a file for people, for Canvas or for Moodle."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

from ddpg_helpers.instructor.course.grade import course_config
from ddpg_helpers.instructor.course.layout import ROOT, UNITS
from ddpg_helpers.instructor.course.roster import FORMULA, Student, read_roster
from ddpg_helpers.instructor.grading.export import state_of

GRADED, NOT_SUBMITTED = "graded", "not submitted"  # as state_of says
_CANVAS_IDS = ("canvas_id", "sis_user_id", "sis_login_id")
_MOODLE_IDS = {"id_number": "ID number", "email": "Email address"}


class GradesError(ValueError):
    """There are no grades to write as asked for; says what to do."""


@dataclass(frozen=True)
class Grade:
    """What a student has for a unit.

    Attributes:
        student: the id in this course.
        unit: "04_critic_loss".
        points: late penalty taken off; None where there is no grade, which is not a zero.
        of: the unit's points.
        penalty: the points taken off; None where there is no grade.
        waiting: answers with points that a person has still to grade; ``points`` are without them.
        note: why there are no points, or not all of them; empty otherwise.
    """

    student: str
    unit: str
    points: float | None
    of: float
    penalty: float | None = None
    waiting: int = 0
    note: str = ""


@dataclass(frozen=True)
class Grades:
    """The grades of a class.

    Attributes:
        units: with their points.
        students: by their id in this course.
        table: the grade of every student in every unit.
    """

    units: dict[str, float]
    students: dict[str, Student]
    table: dict[tuple[str, str], Grade]


def read_grades(
    units: Sequence[str] = (), *, roster: Path | None = None, root: Path = ROOT
) -> Grades:
    """Read the gradebook.

    Args:
        units: those to read; all of which something was submitted when empty.
        roster: who is in the class; when None, who has submitted something.
        root: the course's folder.

    Raises:
        GradesError: there is no gradebook, or not of such a unit; or somebody has submitted
            something and is not in the roster.
        RosterError: the roster can't be used.
    """
    unknown = [unit for unit in units if unit not in UNITS]
    if unknown:
        raise GradesError(f"there is no unit {unknown[0]!r}; there are {', '.join(UNITS)}")
    students = read_roster(roster) if roster is not None else {}
    with open_gradebook(root) as gradebook:
        known = {a.name: float(a.max_score) for a in gradebook.assignments}
        missing = [unit for unit in units if unit not in known]
        if missing:
            raise GradesError(
                f"{missing[0]} was not graded yet: run `ddpg-course grade {missing[0]}`"
            )
        submitters = {unit: _submitters(root, unit) for unit in units or known}
        chosen = {unit: known[unit] for unit in sorted(submitters) if units or submitters[unit]}
        everybody = sorted(set().union(*submitters.values()))
        if roster is None:
            students = {name: Student(name) for name in everybody}
        strangers = [name for name in everybody if name not in students]
        if strangers:
            raise GradesError(
                f"{', '.join(strangers)} submitted work and {'are' if strangers[1:] else 'is'} "
                f"not in {roster.name}: add a line for each, or correct the folders in submitted/"
            )
        table = {
            (name, unit): _grade(gradebook, name, unit, of, root)
            for name in students for unit, of in chosen.items()
        }  # fmt: skip
    return Grades(chosen, students, table)


def open_gradebook(root: Path) -> Gradebook:
    """The course's gradebook.

    Raises:
        GradesError: there is none.
    """
    course = CourseDirectory(config=course_config(root))
    if course.db_url.startswith("sqlite:///"):
        if not Path(course.db_url.removeprefix("sqlite:///")).exists():
            raise GradesError("there is no gradebook yet: run `ddpg-course grade`")
    return Gradebook(course.db_url, course.course_id)


def _submitters(root: Path, unit: str) -> set[str]:
    return {folder.parent.name for kept in ("submitted", "autograded")
            for folder in (root / kept).glob(f"*/{unit}")}  # fmt: skip


def graded_notebook(root: Path, student: str, unit: str) -> Path:
    """Where a graded submission lies; nothing lies there where grading failed."""
    return root / "autograded" / student / unit / f"{unit}.ipynb"


def _grade(gradebook: Gradebook, student: str, unit: str, of: float, root: Path) -> Grade:
    state = state_of(root, student, unit)
    if state != GRADED:  # the gradebook may hold zeros, or the points of an earlier submission
        return Grade(student, unit, None, of, note=state)
    try:
        submission = gradebook.find_submission(unit, student)
    except MissingEntry:
        note = f"not in the gradebook; remove autograded/{student}/{unit}, or grade it again"
        return Grade(student, unit, None, of, note=note)
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    waiting = sum(bool(g.needs_manual_grade and g.max_score) for g in grades)
    penalty = float(submission.late_submission_penalty or 0)
    points = max(0.0, float(submission.score) - penalty)
    answers = "answer waits" if waiting == 1 else "answers wait"
    note = f"{waiting} {answers} to be graded by hand; the rest has {points:g} points"
    return Grade(student, unit, points, of, penalty, waiting, note if waiting else "")


def export_grades(grades: Grades, form: str, path: Path, *, partial: bool = False) -> list[str]:
    """Write grades to a CSV file.

    "class" is for people: a line for every student and unit, with notes. "canvas" and "moodle" are
    what their gradebooks import. What could not be graded and what waits for a person has no
    points: an empty cell, and "-" for Moodle, which does not take an empty cell of a new grade item
    for no grade.

    Args:
        grades: see ``read_grades``.
        form: "class", "canvas" or "moodle".
        path: is written over.
        partial: whether the points so far are written where answers wait for a person.

    Returns:
        A sentence for every submission whose points were left out.

    Raises:
        GradesError: a student has no id that the platform knows.
    """
    rows = {"class": _class_rows, "canvas": _canvas_rows, "moodle": _moodle_rows}[form](
        grades, partial
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return [
        f"{grade.student}, {grade.unit}: no grade is written: {grade.note}"
        for grade in grades.table.values()
        if grade.note != NOT_SUBMITTED and _points(grade, partial) is None
    ]


def _class_rows(grades: Grades, partial: bool) -> Iterable[list[str]]:
    yield ["student", "name", "section", "unit", "points", "of", "late_penalty", "note"]
    for (name, unit), grade in grades.table.items():
        student = grades.students[name]
        yield [
            safe(name), safe(student.name), safe(student.section), unit,
            _number(_points(grade, partial)), _number(grade.of), _number(grade.penalty), grade.note,
        ]  # fmt: skip


def _canvas_rows(grades: Grades, partial: bool) -> Iterable[list[str]]:
    for student in grades.students.values():
        if not any(getattr(student, column) for column in _CANVAS_IDS):
            raise GradesError(
                f"Canvas would not find {student.student!r}: give the roster one of the columns "
                f"{', '.join(_CANVAS_IDS)}, as in a gradebook exported from Canvas"
            )
    rows = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *grades.units],
        ["    Points Possible", "", "", "", "", *map(_number, grades.units.values())],
    ]
    for name, student in grades.students.items():
        ids = [getattr(student, column) for column in _CANVAS_IDS]
        points = [_number(_points(grades.table[name, unit], partial)) for unit in grades.units]
        rows.append([safe(student.name or name), *ids, safe(student.section), *points])
    return rows


def _moodle_rows(grades: Grades, partial: bool) -> Iterable[list[str]]:
    students = grades.students.values()
    columns = [c for c in _MOODLE_IDS if all(getattr(student, c) for student in students)]
    if not columns:
        without = next(s.student for s in students if not (s.email and s.id_number))
        raise GradesError(
            "Moodle finds students by one column: give every line of the roster an email, or every "
            f"line an id_number ({without!r} lacks one)"
        )
    rows = [[*(_MOODLE_IDS[column] for column in columns), *grades.units]]
    for name, student in grades.students.items():
        points = [_number(_points(grades.table[name, unit], partial)) for unit in grades.units]
        rows.append([*(getattr(student, c) for c in columns), *(p or "-" for p in points)])
    return rows


def _points(grade: Grade, partial: bool) -> float | None:
    return None if grade.waiting and not partial else grade.points


def _number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 4):g}"


def safe(text: str) -> str:
    """Text that a spreadsheet shows and does not run."""
    return f"'{text}" if text.startswith(FORMULA) else text
