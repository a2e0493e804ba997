"""nbgrader plug-in: build a submission anew from what the gradebook knows, before anything runs.

Only two things of a submission are the student's: the text of cells that are not locked, and their
order among each other. Points, ids, locks, tags, cell types and checksums are the instructor's.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from ddpg_helpers.instructor.grading.harmless import harmless_markdown

KEY = "ddpg_course"  # of the notebook's metadata, for what is to be told
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_NOT_RELEASED = re.compile(
    r"^[^\n]*BEGIN (HIDDEN TESTS|MARK SCHEME)[^\n]*\n.*?END \1[^\n]*$\n?", re.DOTALL | re.MULTILINE
)
_MAX_CELLS = 2000


class NotGradableError(Exception):
    """The submission can't be graded; one sentence says why."""


@dataclass
class _Known:
    """What the gradebook knows of a cell."""

    name: str
    kind: str
    locked: bool
    source: str
    checksum: str
    points: float | None
    solution: bool
    task: bool

    def metadata(self) -> dict[str, Any]:
        about = {
            "grade": self.points is not None and not self.task,
            "grade_id": self.name,
            "locked": self.locked,
            "schema_version": 3,
            "solution": self.solution,
            "task": self.task,
            "cell_type": self.kind,
            "checksum": self.checksum,
        }
        return about if self.points is None else {**about, "points": self.points}


@dataclass
class _Rebuilt:
    """The cells as they are to be graded, and what had to be repaired."""

    cells: list[NotebookNode] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)


class RebuildCells(NbGraderPreprocessor):
    """Takes the place of nbgrader's steps that drop doubled cells and overwrite changed ones."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Rebuild a submission.

        Raises:
            NotGradableError: it holds none of the unit's cells, or far too many.
        """
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            known = known_cells(gradebook, about["notebook"], about["assignment"])
        nb, repairs = rebuilt_notebook(nb, known)
        for sentence in repairs:
            self.log.warning("%s", sentence)
        return nb, resources


def rebuilt_notebook(
    nb: NotebookNode, known: dict[str, "_Known"]
) -> tuple[NotebookNode, list[str]]:
    """A new notebook with the cells to be graded, and a sentence for each repair.

    Raises:
        NotGradableError: see ``RebuildCells``.
    """
    rebuilt = rebuild(nb, known)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        KEY: {"repairs": rebuilt.repairs},
    }
    return new_notebook(cells=rebuilt.cells, metadata=metadata), rebuilt.repairs


def known_cells(gradebook: Gradebook, notebook: str, assignment: str) -> dict[str, _Known]:
    """The unit's cells that nbgrader knows, by id, in their order."""
    found = gradebook.find_notebook(notebook, assignment)
    points = {cell.name: float(cell.max_score) for cell in found.grade_cells}
    points |= {cell.name: float(cell.max_score) for cell in found.task_cells}
    solutions = {cell.name for cell in found.solution_cells}
    tasks = {cell.name for cell in found.task_cells}
    return {
        cell.name: _Known(
            cell.name, cell.cell_type, bool(cell.locked), cell.source, cell.checksum,
            points.get(cell.name), cell.name in solutions, cell.name in tasks,
        )
        for cell in found.source_cells
    }  # fmt: skip


def rebuild(nb: NotebookNode, known: dict[str, _Known]) -> _Rebuilt:
    """Make the cells to be graded from those of a submission.

    Raises:
        NotGradableError: see ``RebuildCells``.
    """
    if len(nb.cells) > _MAX_CELLS:
        raise NotGradableError(f"the notebook has {len(nb.cells)} cells, more than {_MAX_CELLS}")
    named = [(_grade_id(cell), cell) for cell in nb.cells]
    if not any(name in known for name, _ in named):
        raise NotGradableError(
            "none of the unit's cells is in the notebook: it is another unit's, or another file"
        )
    rebuilt = _Rebuilt()
    seen: set[str] = set()
    for name, cell in named:
        if name is None or name not in known:
            if name is not None:
                rebuilt.repairs.append(f"A cell has the unknown id {name[:60]!r}; it was ignored.")
            rebuilt.cells.append(_plain(cell))
        elif name in seen:
            rebuilt.repairs.append(f"Cell {name} came more than once; the first one counts.")
            rebuilt.cells.append(_plain(cell))
        else:
            seen.add(name)
            rebuilt.cells.append(_restored(cell, known[name], rebuilt.repairs))
    _in_order(rebuilt, known)
    for number, cell in enumerate(rebuilt.cells):
        cell["id"] = f"cell-{number}"
    return rebuilt


def _grade_id(cell: NotebookNode) -> str | None:
    about = cell.metadata.get("nbgrader")
    name = about.get("grade_id") if isinstance(about, dict) else None
    return name if isinstance(name, str) else None


def _text(cell: NotebookNode) -> str:
    return cell.source if isinstance(cell.source, str) else "".join(map(str, cell.source))


def _plain(cell: NotebookNode) -> NotebookNode:
    """A cell that nbgrader does not know: its text alone."""
    kind = cell.cell_type if cell.cell_type in _NEW else "raw"
    source = _text(cell)
    return _NEW[kind](source if kind == "code" else harmless_markdown(source))


def _restored(cell: NotebookNode, known: _Known, repairs: list[str]) -> NotebookNode:
    source = _text(cell)
    if cell.cell_type != known.kind:
        repairs.append(
            f"Cell {known.name} had been made a {cell.cell_type} cell; it is a {known.kind} cell."
        )
    if known.locked:
        if source.strip() not in (released(known.source).strip(), known.source.strip()):
            repairs.append(f"Cell {known.name} is locked and had been changed; it was put back.")
        source = known.source
    elif known.kind != "code":
        source = harmless_markdown(source)
    about = cell.metadata.get("nbgrader")
    wanted = known.metadata()
    changed = [key for key in ("points", "grade", "solution", "locked", "task")
               if key in about and about[key] != wanted.get(key, about[key])]  # fmt: skip
    if changed:
        listed = " and ".join(changed)
        repairs.append(f"Cell {known.name} had another {listed}; it was put back.")
    if "skip-execution" in (cell.metadata.get("tags") or []):
        repairs.append(f"Cell {known.name} was tagged to be skipped; it was run.")
    return _NEW[known.kind](source, metadata={"nbgrader": wanted})


def _missing(known: _Known) -> NotebookNode:
    """A test is put back; an answer that is not there stays empty: it may stand elsewhere."""
    source = known.source if known.locked else ""
    return _NEW[known.kind](source, metadata={"nbgrader": known.metadata()})


def released(source: str) -> str:
    """A cell as students get it: without hidden test and mark scheme."""
    return _NOT_RELEASED.sub("", source)


def _in_order(rebuilt: _Rebuilt, known: dict[str, _Known]) -> None:
    """Put back what is missing, and put each locked cell behind all that it follows in the unit.

    A test that ran before its answer would judge what is not there yet.
    """
    cells, last = rebuilt.cells, -1
    for name, one in known.items():
        place = _place(cells, name)
        if place is None:
            rebuilt.repairs.append(f"Cell {name} was missing; it was put back.")
            place = last + 1
            cells.insert(place, _missing(one))
        elif one.locked and place < last:
            rebuilt.repairs.append(f"Cell {name} had been moved; it was put back.")
            cells.insert(last, cells.pop(place))
            place = last
        last = max(last, place)


def _place(cells: list[NotebookNode], name: str) -> int | None:
    for place, cell in enumerate(cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name:
            return place
    return None
