"""grade: autograde all submissions, write feedback and grades.csv, and print the table."""

import logging
import shutil
import warnings
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, PyFileConfigLoader

from ddpg_helpers.instructor.course.layout import CACHE, ROOT, UNITS

SAMPLE = ROOT / "tests" / "sample_class"


class GradingError(RuntimeError):
    """Grading can't begin; says what to do."""


def grade_class(
    units: list[str], *, force: bool = False, sample: bool = False, root: Path = ROOT
) -> None:
    """Grade what lies in ``submitted/``, as the nbgrader commands do in this folder.

    Args:
        units: the units to grade; all that have submissions when empty.
        force: whether to grade again what was graded before.
        sample: whether to copy the sample class into ``submitted/`` first.
        root: the course's folder, with ``nbgrader_config.py``, ``source/`` and ``submitted/``.

    Raises:
        GradingError: a unit does not exist, or there is nothing to grade.
    """
    unknown = set(units) - set(UNITS)
    if unknown:
        raise GradingError(f"there is no unit {sorted(unknown)[0]!r}; there are {', '.join(UNITS)}")
    submitted = root / "submitted"
    if sample:
        shutil.copytree(SAMPLE, submitted, dirs_exist_ok=True, ignore=_not_submissions)
    found = [
        (unit, folder.parent.name)
        for unit in units or UNITS
        for folder in sorted(submitted.glob(f"*/{unit}"))
    ]
    if not found:
        raise GradingError(
            "there is nothing to grade: put submissions into submitted/STUDENT/UNIT/UNIT.ipynb, "
            "or give --sample for the sample class"
        )
    warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, harmless
    api = _api(course_config(root))
    _register(sorted({unit for unit, _ in found}), root)
    failed = {}
    for number, (unit, student) in enumerate(found, start=1):
        print(f"[{number}/{len(found)}] {unit} of {student}", flush=True)
        done = api.autograde(unit, student, force=force, create=True)
        if done["success"]:
            api.generate_feedback(unit, student, force=True)
        else:
            failed[unit, student] = done.get("error") or done.get("log") or "no reason given"
            print(f"    could not be graded: {_last_line(failed[unit, student])}", flush=True)
    with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as gradebook:
        CsvExportPlugin(config=api.config, to=str(root / "grades.csv")).export(gradebook)
        print("\n" + _table(gradebook, set(failed)))
    print(f"\nGrades: {root / 'grades.csv'}")
    print(f"Feedback pages: {root / 'feedback'}/STUDENT/UNIT/UNIT.html")


def course_config(root: Path) -> Config:
    """What ``nbgrader_config.py`` in the course's folder says."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    return config


def _api(config: Config) -> NbGraderAPI:
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def _register(units: list[str], root: Path) -> None:
    """Write the units' cells, points and hidden tests into the gradebook."""
    config = course_config(root)
    # release/ is for `ddpg-course build` to write
    config.CourseDirectory.release_directory = str(root / CACHE.name / "release")
    api = _api(config)
    for unit in units:
        done = api.generate_assignment(unit, force=True, create=True)
        if not done["success"]:
            raise GradingError(f"nbgrader could not read {unit}: {_last_line(str(done))}")


def _table(gradebook: Gradebook, failed: set[tuple[str, str]]) -> str:
    """Students by units with their points; "-" where nothing was submitted, a star where cells wait
    for a person."""
    assignments = sorted(gradebook.assignments, key=lambda a: a.name)
    header = ["student", *(a.name for a in assignments), "total"]
    rows = [header, ["(points)", *(f"{a.max_score:g}" for a in assignments),
                     f"{sum(a.max_score for a in assignments):g}"]]  # fmt: skip
    for student in sorted(gradebook.students, key=lambda s: s.id):
        cells, total = [], 0.0
        for assignment in assignments:
            if (assignment.name, student.id) in failed:
                cells.append("failed")
                continue
            try:
                submission = gradebook.find_submission(assignment.name, student.id)
            except MissingEntry:
                cells.append("-")
                continue
            cells.append(f"{submission.score:g}{'*' if submission.needs_manual_grade else ''}")
            total += submission.score
        rows.append([student.id, *cells, f"{total:g}"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(pairs))
        for pairs in ([*zip(row, widths, strict=True)] for row in rows)
    ]
    if any(cell.endswith("*") for row in rows for cell in row):
        lines.append("* some answers wait to be graded by hand: `nbgrader formgrader` in Jupyter")
    return "\n".join(lines)


def _not_submissions(folder: str, names: list[str]) -> list[str]:
    """Leave out what lies beside the students' folders."""
    return [n for n in names if folder == str(SAMPLE) and not Path(folder, n).is_dir()]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
