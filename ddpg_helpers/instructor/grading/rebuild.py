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
    noted: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, name: str) -> None:
        """Note what had to be repaired in a cell."""
        names = self.noted.setdefault(what, [])
        if name not in names:
            names.append(name)

    @property
    def repairs(self) -> list[str]:
        """A sentence for each kind of repair."""
        return [f"{_listed(names)} {what}." for what, names in self.noted.items()]


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
    answered = {name for name, one in known.items() if one.solution or one.points is not None}
    if not any(name in answered for name, _ in named):
        raise NotGradableError(
            "none of the unit's cells is in the notebook: it is another unit's, or another file"
        )
    rebuilt = _Rebuilt()
    seen: set[str] = set()
    for name, cell in named:
        if name is None or name not in known:
            if name is not None:
                rebuilt.note("has an unknown id, which was ignored", repr(name[:60]))
            rebuilt.cells.append(_plain(cell))
        elif name in seen:
            rebuilt.note("came more than once; the first one counts", name)
            rebuilt.cells.append(_plain(cell))
        else:
            seen.add(name)
            rebuilt.cells.append(_restored(cell, known[name], rebuilt))
    _in_order(rebuilt, known)
    for number, cell in enumerate(rebuilt.cells):
        cell["id"] = f"cell-{number}"
    return rebuilt


def _grade_id(cell: NotebookNode) -> str | None:
    about = cell.metadata.get("nbgrader")
    name = about.get("grade_id") if isinstance(about, dict) else None
    return name if isinstance(name, str) else None


def _text(cell: NotebookNode) -> str:
    source = cell.source if isinstance(cell.source, str) else "".join(map(str, cell.source))
    return source.encode("utf-8", "replace").decode("utf-8")  # half a character becomes "?"


def _listed(names: list[str]) -> str:
    """Cell a; each of the cells a, b and 3 more."""
    if len(names) == 1:
        return f"Cell {names[0]}"
    shown, rest = (names, []) if len(names) <= 5 else (names[:4], names[4:])
    last = f"{len(rest)} more" if rest else shown[-1]
    first = shown if rest else shown[:-1]
    return f"Each of the cells {', '.join(first)} and {last}"


def _plain(cell: NotebookNode) -> NotebookNode:
    """A cell that nbgrader does not know: its text alone."""
    kind = cell.cell_type if cell.cell_type in _NEW else "raw"
    source = _text(cell)
    return _NEW[kind](source if kind == "code" else harmless_markdown(source))


def _restored(cell: NotebookNode, known: _Known, rebuilt: _Rebuilt) -> NotebookNode:
    source = _text(cell)
    if cell.cell_type != known.kind:
        rebuilt.note(f"is a {known.kind} cell and had been made another", known.name)
    if known.locked:
        if source.strip() not in (released(known.source).strip(), known.source.strip()):
            rebuilt.note("is locked and had been changed; it was put back", known.name)
        source = known.source
    elif known.kind != "code":
        source = harmless_markdown(source)
    about = cell.metadata.get("nbgrader")
    wanted = known.metadata()
    for key in ("points", "grade", "solution", "locked", "task"):
        if key in about and about[key] != wanted.get(key, about[key]):
            rebuilt.note(f"had another {key}; it was put back", known.name)
    tags = cell.metadata.get("tags")
    if isinstance(tags, list) and "skip-execution" in tags:
        rebuilt.note("was tagged to be skipped; it was run", known.name)
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
            rebuilt.note("was missing; it was put back", name)
            place = last + 1
            cells.insert(place, _missing(one))
        elif one.locked and place < last:
            rebuilt.note("had been moved; it was put back", name)
            cells.insert(last, cells.pop(place))
            place = last
        last = max(last, place)


def _place(cells: list[NotebookNode], name: str) -> int | None:
    for place, cell in enumerate(cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name:
            return place
    return None
