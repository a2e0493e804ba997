"""What Gradescope runs for each submission: the grading of a class of one, and its results.json."""

import json
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome
from ddpg_helpers.instructor.course.grade import GradingError, grade_class, register
from ddpg_helpers.instructor.course.layout import ROOT
from ddpg_helpers.instructor.course.student_edition import student_python
from ddpg_helpers.instructor.grading.rebuild import KEY

READ = "The notebook was read and run"
Results = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Prepare the image (``--prepare``), or grade the submission in Gradescope's folder."""
    autograder = Path(arguments[0]) if arguments != ["--prepare"] else ROOT.parents[1]
    settings = json.loads((autograder / "source" / "settings.json").read_text())
    if arguments == ["--prepare"]:
        student_python()
        register([settings["unit"]], ROOT)
        return
    started = time.monotonic()
    results = grade(autograder, ROOT, settings["unit"], settings["visibility"])
    results["execution_time"] = round(time.monotonic() - started)
    path = autograder / "results" / "results.json"
    path.write_text(json.dumps(results, indent=1), encoding="utf-8")


def grade(autograder: Path, root: Path, unit: str, visibility: str) -> Results:
    """Grade what lies in Gradescope's folder ``submission``.

    Args:
        autograder: Gradescope's folder.
        root: the course's folder.
        unit: such as "04_critic_loss".
        visibility: when students see the result of each hidden test.

    Returns:
        What results.json holds: a test for each aspect, with its points. Where the submission
        could not be graded, that is what it says, and no points are given or taken.
    """
    student = _student(autograder)
    folder = root / "submitted" / student / unit
    shutil.rmtree(root / "submitted", ignore_errors=True)  # of another try in the same container
    shutil.copytree(autograder / "submission", folder, symlinks=True)
    (folder / "timestamp.txt").unlink(missing_ok=True)  # Gradescope itself knows what is late
    try:
        summary = grade_class([unit], root=root, jobs=1, force=True)
    except GradingError as error:
        raise SystemExit(f"the autograder itself failed: {error}") from error
    place = unit, student
    if place in summary.failed:
        return _not_graded(summary.failed[place])
    tests, by_hand = _tests(root, unit, student, visibility)
    said = summary.problems.get(place, ["All cells were run."])
    read = {
        "name": READ, "status": "passed", "score": 0, "max_score": 0, "visibility": "visible",
        "output": "\n".join(said), "output_format": "text",
    }  # fmt: skip
    waits = f" A person grades: {', '.join(by_hand)}." if by_hand else ""
    return {
        "output": f"Tests with other numbers than those of the notebook's checks.{waits}",
        "output_format": "text",
        "tests": [read, *tests],
        "stdout_visibility": "hidden",
        "extra_data": {"state": "graded"},
    }


def _student(autograder: Path) -> str:
    """Who handed in: the numbers of the hidden tests hang on it, and nothing else."""
    try:
        about = json.loads((autograder / "submission_metadata.json").read_text(encoding="utf-8"))
        names = sorted(str(user.get("email") or user["id"]) for user in about["users"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        names = []
    return re.sub(r"[^\w.@-]", "_", "+".join(names)).strip(".") or "student"


def _not_graded(reason: str) -> Results:
    """Gradescope has no state for it: it wants a score, and shows a test that was not passed."""
    sentence = f"The submission could not be graded: {reason}. Mend this and submit again."
    read = {
        "name": READ, "status": "failed", "score": 0, "max_score": 0, "visibility": "visible",
        "output": sentence, "output_format": "text",
    }  # fmt: skip
    return {
        "score": 0,
        "output": sentence,
        "output_format": "text",
        "tests": [read],
        "stdout_visibility": "hidden",
        "extra_data": {"state": "could not be graded"},
    }


def _tests(root: Path, unit: str, student: str, visibility: str) -> tuple[list[Results], list[str]]:
    """A test for each cell that was judged, and the names of the cells that wait for a person."""
    path = root / "autograded" / student / unit / f"{unit}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    judged = {verdict["cell"]: verdict for verdict in notebook.metadata[KEY]["verdicts"]}
    tests, by_hand = [], []
    with Gradebook(f"sqlite:///{root}/gradebook.db", "ddpg") as gradebook:
        found = gradebook.find_submission_notebook(unit, unit, student)
        scores = {g.name: (g.auto_score, g.max_score) for g in found.grades}
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        score, of = scores.get(name, (None, None))
        if of is None:
            continue
        if score is None:
            by_hand.append(name)
            continue
        test = {
            "name": name, "score": score, "max_score": of, "visibility": visibility,
            "status": "passed" if score == of else "failed", "output_format": "text",
        }  # fmt: skip
        if name in judged:
            test |= _named(judged[name])
        tests.append(test)
    return tests, by_hand


def _named(verdict: dict[str, Any]) -> Results:
    exercise, aspect = verdict["exercise"], verdict["aspect"]
    named = {"name": f"{exercise}: {ASPECTS[exercise][aspect].title}", "tags": [exercise]}
    if verdict["outcome"] != Outcome.RIGHT.value:
        named["output"] = verdict["message"]
    return named


if __name__ == "__main__":
    main(sys.argv[1:])
