"""What an attack is, where it is entered, and the submission that it edits."""

import functools
import importlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from ddpg_helpers.instructor.course.build import without_marks
from ddpg_helpers.instructor.course.layout import ROOT, release_notebook, source_notebook

CRITIC = "04_critic_loss"
EXERCISES = {
    "01_ou_noise": ("ou_noise",),
    CRITIC: ("td_target", "critic_loss", "update_critic"),
    "05_actor_loss": ("actor_loss", "update_actor"),
}
FAMILIES = (
    "hooks", "metadata", "patches", "liars", "reading", "shadowing", "recalling", "channel",
    "processes", "killing", "bombs", "stopping", "timestamps", "pages",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Where an attack takes place, and what it must not reach.

    Attributes:
        root: the course's folder that is graded.
        canaries: a folder outside of every submission; nothing may appear in it.
        secret: a text that lies in the course's folder, the home, another student's submission and
            the grader's environment. No output may hold it.
        marker: a word in the command line of every process that an attack starts.
        port: a port of this machine on which somebody listens; nobody may connect.
    """

    root: Path
    canaries: Path
    secret: str
    marker: str
    port: int

    def fill(self, code: str) -> str:
        """Put this scene's values for the words between @ signs into an attack's code.

        Raises:
            ValueError: the code has a word between @ signs that no scene has.
        """
        values = {
            "ROOT": str(self.root), "CANARIES": str(self.canaries), "MARKER": self.marker,
            "PORT": str(self.port),
        }  # fmt: skip
        filled = re.sub(
            r"@([A-Z]+)@", lambda found: values.get(found[1], found[0]), code
        )
        left = re.search(r"@[A-Z]+@", filled)
        if left:
            raise ValueError(f"a scene has no {left[0]}; it has {', '.join(values)}")
        return filled


class Submission:
    """A release notebook in a student's folder, for an attack to edit."""

    def __init__(self, unit: str, folder: Path, scene: Scene) -> None:
        self.unit = unit
        self.folder = folder
        self.scene = scene
        self.notebook = nbformat.read(release_notebook(unit), as_version=4)

    @property
    def tests(self) -> list[nbformat.NotebookNode]:
        """The cells that give points."""
        return [c for c in self.notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]

    def cell(self, name: str) -> nbformat.NotebookNode:
        """The cell with this id.

        Raises:
            KeyError: the notebook has none.
        """
        for cell in self.notebook.cells:
            if cell.get("id") == name:
                return cell
        raise KeyError(f"{self.unit} has no cell {name!r}")

    def solve(self, *names: str) -> None:
        """Write the right answers into these cells, or into all that want one."""
        source = nbformat.read(source_notebook(self.unit), as_version=4)
        right = {c.id: c.source for c in source.cells}
        for name in names or EXERCISES[self.unit]:
            self.cell(name).source = without_marks(right[name])

    def write(self, name: str, code: str) -> None:
        """Replace a cell's text."""
        self.cell(name).source = self.scene.fill(code).strip("\n")

    def append(self, name: str, code: str) -> None:
        """Add code below what stands in a cell."""
        self.cell(name).source += "\n\n" + self.scene.fill(code).strip("\n")

    def first(self, code: str) -> None:
        """Add a code cell above all others."""
        self.notebook.cells.insert(0, new_code_cell(self.scene.fill(code).strip("\n")))

    def after_imports(self, code: str) -> None:
        """Add a code cell below the notebook's imports."""
        index = self.notebook.cells.index(self.cell("imports"))
        self.notebook.cells.insert(index + 1, new_code_cell(self.scene.fill(code).strip("\n")))

    def text(self, markdown: str) -> None:
        """Add a Markdown cell above all others."""
        self.notebook.cells.insert(0, new_markdown_cell(self.scene.fill(markdown)))

    def file(self, path: str, content: str) -> None:
        """Add a text file to the submission's folder."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self.scene.fill(content), encoding="utf-8")

    def save(self) -> None:
        """Write the notebook as it stands, valid or not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.unit}.ipynb"
        path.write_text(nbformat.writes(self.notebook, version=nbformat.NO_CONVERT), "utf-8")


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: also the name of the student who hands it in.
        family: what it abuses.
        tries: one sentence on what it tries.
        edit: makes the attack of a submission.
        unit: the unit it hands in.
        deserves: the most points that its answers deserve without the attack, or, where it makes
            up numbers, those that a wrong answer gets.
        at_least: the points that it keeps all the same, for right answers beside an attack.
        destructive: whether it may harm the machine where no sandbox holds it.
        bites: whether a grader that judges inside of the student's kernel, or with the probes of
            the visible checks, would give it more than it deserves.
    """

    name: str
    family: str
    tries: str
    edit: Callable[[Submission], None]
    unit: str = CRITIC
    deserves: float = 0.0
    at_least: float = 0.0
    destructive: bool = False
    bites: bool = False

    def lay_out(self, scene: Scene, submitted: Path) -> Submission:
        """Write the attack as a submission: ``submitted/NAME/UNIT/``."""
        folder = submitted / self.name / self.unit
        folder.mkdir(parents=True)
        submission = Submission(self.unit, folder, scene)
        self.edit(submission)
        submission.save()
        return submission


_ATTACKS: dict[str, Attack] = {}


def attack(family: str, tries: str, **more) -> Callable:
    """Enter the function below as an attack; its name is the attack's name.

    Raises:
        ValueError: the name is taken or the family unknown.
    """

    def enter(edit: Callable[[Submission], None]) -> Callable[[Submission], None]:
        name = edit.__name__
        if name in _ATTACKS:
            raise ValueError(f"there are two attacks with the name {name}")
        if family not in FAMILIES:
            raise ValueError(f"{family!r} is no family; add it to FAMILIES or use one of them")
        _ATTACKS[name] = Attack(name, family, tries, edit, **more)
        return edit

    return enter


def all_attacks() -> dict[str, Attack]:
    """Every attack by its name, family after family."""
    for family in FAMILIES:
        importlib.import_module(f".{family}", __package__)
    ordered = sorted(_ATTACKS.values(), key=lambda a: FAMILIES.index(a.family))
    return {a.name: a for a in ordered}


@functools.cache
def honest_points() -> dict[str, dict[str, float]]:
    """What the sample class deserves: {student: {unit: points}}."""
    path = ROOT / "tests" / "sample_class" / "make.py"
    spec = importlib.util.spec_from_file_location("sample_class", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.POINTS
