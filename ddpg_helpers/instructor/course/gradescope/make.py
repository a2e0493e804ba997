"""gradescope: write the zip that Gradescope takes as the autograder of a unit."""

import json
import zipfile
from pathlib import Path

import nbformat
from nbgrader.utils import is_grade, is_solution

from ddpg_helpers.instructor.course.layout import PACKAGE, ROOT, SOURCE, UNITS, source_notebook
from ddpg_helpers.instructor.grading.execute import course_secret

HERE = Path(__file__).parent
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
# Of a user whom no image of Gradescope's has.
STUDENT_UID = 60_123
_SETTINGS = f"""
# In Gradescope's container, where there may be no sandbox, and is no database.
c.ExecuteSubmission.student_uid = {STUDENT_UID}
c.CourseDirectory.pop("db_url", None)
"""


class GradescopeError(ValueError):
    """The autograder can't be made as asked for; says what to do."""


def write_autograder(
    unit: str, output: Path, *, visibility: str = "after_published", torch_index: str = ""
) -> Path:
    """Write the autograder of a unit and return its path.

    It holds the hidden tests, the answers and the course's secret: it is for Gradescope alone.

    Args:
        unit: such as "04_critic_loss".
        output: the zip's path.
        visibility: when students see the result of each hidden test, in Gradescope's words.
        torch_index: address of a package index with builds of torch for the CPU; pip's own
            when empty.

    Raises:
        GradescopeError: there is no such unit or visibility.
    """
    if unit not in UNITS:
        raise GradescopeError(f"there is no unit {unit!r}; there are {', '.join(UNITS)}")
    if visibility not in VISIBILITIES:
        raise GradescopeError(
            f"Gradescope knows no visibility {visibility!r}; it has {', '.join(VISIBILITIES)}"
        )
    paths = [path for path in PACKAGE.rglob("*") if path.is_file()]
    paths += [path for path in (SOURCE / unit).rglob("*") if path.is_file()]
    paths += [ROOT / name for name in ("pyproject.toml", "requirements.txt", "LICENSE")]
    files = {
        f"course/{path.relative_to(ROOT).as_posix()}": path.read_bytes()
        for path in paths
        if not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    }
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    files["course/nbgrader_config.py"] = (config + _SETTINGS).encode()
    files["course/course_secret"] = course_secret(ROOT / "course_secret").encode()
    files["settings.json"] = json.dumps({"unit": unit, "visibility": visibility}).encode()
    files["torch_index"] = torch_index.encode()
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for script in ("setup.sh", "run_autograder"):
            entry = zipfile.ZipInfo(script)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, (HERE / script).read_text().replace("\r\n", "\n"))
        for name in sorted(files):
            archive.writestr(name, files[name])
    return output


def autograded_points(unit: str) -> float:
    """The points of a unit that no person gives."""
    notebook = nbformat.read(source_notebook(unit), as_version=4)
    cells = [cell for cell in notebook.cells if is_grade(cell) and not is_solution(cell)]
    return sum(float(cell.metadata.nbgrader["points"]) for cell in cells)
