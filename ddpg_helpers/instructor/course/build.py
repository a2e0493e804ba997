"""build: make the release and the reading edition, and what lies beside notebooks, from the source.

Nothing that this writes is edited by hand. ``check`` compares, without executing anything.
"""

import base64
import copy
import hashlib
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, SaveCells
from traitlets.config import Config

from ddpg_helpers.instructor.course import stored_checks
from ddpg_helpers.instructor.course.layout import (
    NOTEBOOKS,
    PACKAGE,
    ROOT,
    UNITS,
    reading_notebook,
    source_notebook,
)
from ddpg_helpers.instructor.course.student_edition import student_hash, student_python
from ddpg_helpers.instructor.grading.kernel import StudentKernelManager

REFERENCE = PACKAGE / "instructor" / "reference"
# Answers to earlier units that come beside a notebook.
BESIDE = {
    "06_ddpg_agent": ("updates.py",),
    "07_experiments": ("updates.py", "agent.py"),
}
_PACKAGE_IMPORT = re.compile(
    r"^from ddpg_helpers\.instructor\.reference\.updates import (.*)\n", re.MULTILINE
)
_SOLUTION_MARK = re.compile(r"^[^\n]*### (BEGIN|END) SOLUTION[^\n]*\n?", re.MULTILINE)
KEY = "ddpg_course"
UNCOMPARED = "nbval-ignore-output"  # the tag of cells whose outputs nbval is not to compare
# The README's picture: what a cell of an executed notebook shows.
PICTURE = NOTEBOOKS / "pendulum.png"
PICTURE_FROM = ("06_ddpg_agent", "animation")


def beside(name: str) -> str:
    """The text of a reference module as it lies beside a notebook."""
    text = (REFERENCE / name).read_text(encoding="utf-8")
    found = _PACKAGE_IMPORT.search(text)
    if found:  # beside the notebook, updates is a module of its own, sorted among the libraries
        text = _PACKAGE_IMPORT.sub("", text)
        text = text.replace(
            "from torch import nn\n", f"from torch import nn\nfrom updates import {found[1]}\n"
        )
    return text


def source_hash(unit: str) -> str:
    """A hash of all that a unit's executed notebook follows from."""
    digest = hashlib.sha256(student_hash().encode())
    for path in sorted(source_notebook(unit).parent.iterdir()):
        if path.suffix in (".ipynb", ".py"):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def reading_cells(unit: str) -> NotebookNode:
    """A unit's notebook for readers, not yet executed: no hidden test, no mark scheme, solutions
    folded."""
    notebook = nbformat.read(source_notebook(unit), as_version=4)
    for clear in (ClearHiddenTests(), ClearMarkScheme(enforce_metadata=False)):
        notebook, _ = clear.preprocess(notebook, {})
    for cell in notebook.cells:
        about = cell.metadata.pop("nbgrader", {})
        if cell.cell_type == "code" and about.get("solution"):
            cell.metadata["jupyter"] = {"source_hidden": True}
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        cell.source = without_marks(cell.source)
        if cell.cell_type == "code" and draws(cell):
            # nbval runs cells without a history, where IPython overlooks the semicolon.
            cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), UNCOMPARED})
    return notebook


def without_marks(source: str) -> str:
    """A cell with its solution, but without the lines that mark where it begins and ends."""
    return _SOLUTION_MARK.sub("", source).rstrip("\n")


def draws(cell: NotebookNode) -> bool:
    """Whether all that a cell shows is a figure: it ends with a semicolon."""
    return cell.source.rstrip().endswith(";")


def write_beside() -> list[Path]:
    """Bring the modules beside the source notebooks up to date; return those that changed."""
    changed = _outdated_beside()
    for path in changed:
        path.write_text(beside(path.name), encoding="utf-8", newline="\n")
    return changed


def _outdated_beside() -> list[Path]:
    paths = [source_notebook(unit).parent / n for unit, names in BESIDE.items() for n in names]
    paths += [NOTEBOOKS / name for name in sorted({n for names in BESIDE.values() for n in names})]
    return [p for p in paths if not p.exists() or p.read_text(encoding="utf-8") != beside(p.name)]


def generate_release(folder: Path) -> None:
    """Make the release of every unit in ``folder``, with nbgrader's own generate step."""
    with tempfile.TemporaryDirectory() as scratch:
        course = Path(scratch)
        shutil.copytree(ROOT / "source", course / "source", ignore=_not_source)
        config = Config()
        config.CourseDirectory.root = str(course)
        config.ClearMarkScheme.enforce_metadata = False
        config.GenerateAssignment.no_database = True
        config.GenerateAssignment.preprocessors = _without_database()
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        for unit in UNITS:
            done = api.generate_assignment(unit, create=False)
            if not done["success"]:
                raise RuntimeError(f"nbgrader could not release {unit}:\n{done.get('error', done)}")
        for unit in UNITS:
            for path in sorted((course / "release" / unit).iterdir()):
                (folder / unit).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / unit / path.name)


def _without_database() -> list:
    """nbgrader's steps but for the one that writes the gradebook: a build grades nobody."""
    default = GenerateAssignment.class_traits()["preprocessors"].default()
    return [step for step in default if step is not SaveCells]


def _not_source(folder: str, names: list[str]) -> list[str]:
    return [n for n in names if Path(folder, n).is_file() and not n.endswith((".ipynb", ".py"))]


def execute(unit: str) -> NotebookNode:
    """Execute a unit's notebook for readers in a fresh folder, with the student edition.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised an error.
    """
    notebook = reading_cells(unit)
    with tempfile.TemporaryDirectory() as folder:
        for name in BESIDE.get(unit, ()):
            Path(folder, name).write_text(beside(name), encoding="utf-8")
        NotebookClient(
            notebook,
            timeout=1200,
            kernel_manager_class=StudentKernelManager,
            shutdown_kernel="immediate",
            record_timing=False,
            resources={"metadata": {"path": folder}},
        ).execute()
    notebook.metadata[KEY] = {"source_hash": source_hash(unit)}
    return notebook


def build(units: tuple[str, ...] = UNITS) -> list[Path]:
    """Bring everything up to date; return the files that changed."""
    changed = stored_checks.write() + write_beside()
    with tempfile.TemporaryDirectory() as scratch:
        generate_release(Path(scratch))
        changed += _differing(Path(scratch), ROOT / "release")
        shutil.rmtree(ROOT / "release", ignore_errors=True)
        shutil.copytree(scratch, ROOT / "release")
        (ROOT / "release").chmod(0o755)  # and not that of a temporary folder
    student_python()
    for unit in units:
        if not _reading_is_current(unit):
            _write(execute(unit), reading_notebook(unit))
            changed.append(reading_notebook(unit))
    if not _picture_is_current():
        PICTURE.write_bytes(_picture())
        changed.append(PICTURE)
    return changed


def outdated() -> list[Path]:
    """The files that a build would change."""
    found = stored_checks.outdated() + _outdated_beside()
    with tempfile.TemporaryDirectory() as scratch:
        generate_release(Path(scratch))
        found += _differing(Path(scratch), ROOT / "release")
    found += [reading_notebook(unit) for unit in UNITS if not _reading_is_current(unit)]
    return found if _picture_is_current() else [*found, PICTURE]


def _picture() -> bytes:
    unit, name = PICTURE_FROM
    cells = nbformat.read(reading_notebook(unit), as_version=4).cells
    (cell,) = (cell for cell in cells if cell.id == name)
    return base64.b64decode(cell.outputs[-1].data["image/png"])


def _picture_is_current() -> bool:
    return PICTURE.exists() and PICTURE.read_bytes() == _picture()


def _differing(new: Path, old: Path) -> list[Path]:
    names = {p.relative_to(new) for p in new.rglob("*") if p.is_file()}
    names |= {p.relative_to(old) for p in old.rglob("*") if p.is_file()} if old.exists() else set()
    return sorted(old / name for name in names if _text(new / name) != _text(old / name))


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _reading_is_current(unit: str) -> bool:
    path = reading_notebook(unit)
    if not path.exists():
        return False
    kept = nbformat.read(path, as_version=4)

    def form(notebook: NotebookNode) -> list[tuple]:
        return [(c.id, c.cell_type, c.source, c.metadata.get("tags")) for c in notebook.cells]

    is_of_today = kept.metadata.get(KEY, {}).get("source_hash") == source_hash(unit)
    return is_of_today and form(kept) == form(reading_cells(unit))


def _write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook with no metadata but what it means: one source line a line."""
    notebook = copy.deepcopy(notebook)
    known = ("kernelspec", KEY)
    notebook.metadata = NotebookNode({k: v for k, v in notebook.metadata.items() if k in known})
    notebook.metadata["language_info"] = {"name": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
