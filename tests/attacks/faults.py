"""Faults: submissions that are broken without ill will, and how grading each should end."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import nbformat
from nbformat.v4 import new_output

from .registry import CRITIC, Scene, Submission

NAME = f"{CRITIC}.ipynb"


class Ending(Enum):
    """How grading a submission can end."""

    GRADED = "graded"
    PART = "graded, a part failed and the reason is said"
    NOT_GRADABLE = "not gradable, and the reason is said"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: also the name of the student who hands it in.
        what: what is wrong, in words.
        write: writes it into a submission's empty folder.
        endings: how grading may end.
        points: the least and the most points that it may get where it is graded.
        says: where it is not graded in full, a pattern of words that the reason holds.
        destructive: whether it may harm the machine where no sandbox holds it.
    """

    name: str
    what: str
    write: Callable[[Submission], None]
    endings: tuple[Ending, ...]
    points: tuple[float, float] = (0, 0)
    says: str = ""
    destructive: bool = False

    def lay_out(self, scene: Scene, submitted: Path) -> Path:
        """Write the fault as a submission; return its folder, ``submitted/NAME/UNIT/``."""
        folder = submitted / self.name / CRITIC
        folder.mkdir(parents=True)
        self.write(Submission(CRITIC, folder, scene))
        return folder


_FAULTS: dict[str, Fault] = {}
GRADED, PART, NOT_GRADABLE = Ending.GRADED, Ending.PART, Ending.NOT_GRADABLE


def fault(what: str, *endings: Ending, **more) -> Callable:
    """Enter the function below as a fault; its name with ``fault_`` is the fault's name."""

    def enter(write: Callable[[Submission], None]) -> Callable[[Submission], None]:
        name = f"fault_{write.__name__}"
        _FAULTS[name] = Fault(name, what, write, endings, **more)
        return write

    return enter


def all_faults() -> dict[str, Fault]:
    """Every fault by its name."""
    return dict(_FAULTS)


def _raw(s: Submission, content: bytes | str) -> None:
    content = content.encode() if isinstance(content, str) else content
    (s.folder / NAME).write_bytes(content)


def _solved(s: Submission) -> dict:
    """The solved notebook as plain JSON."""
    s.solve()
    return json.loads(nbformat.writes(s.notebook))


@fault("a text that is no notebook", NOT_GRADABLE, says="notebook|json|read")
def not_a_notebook(s: Submission) -> None:
    _raw(s, "My answers are on the next page.\n")


@fault("an empty file", NOT_GRADABLE, says="empty|notebook|json")
def empty_file(s: Submission) -> None:
    _raw(s, "")


@fault("JSON, but a list of numbers", NOT_GRADABLE, says="notebook")
def another_json(s: Submission) -> None:
    _raw(s, "[1, 2, 3]")


@fault("a notebook without cells", GRADED, NOT_GRADABLE, says="cell|notebook")
def no_cells(s: Submission) -> None:
    s.notebook.cells = []
    s.save()


@fault("a notebook whose cells are numbers", NOT_GRADABLE, says="notebook|cell")
def cells_that_are_numbers(s: Submission) -> None:
    _raw(s, json.dumps({"cells": [1, 2], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@fault("another unit's notebook under this unit's name", GRADED, NOT_GRADABLE,
       says="another|unit|notebook|cells")
def another_units_notebook(s: Submission) -> None:
    other = Submission("01_ou_noise", s.folder, s.scene)
    other.solve()
    _raw(s, nbformat.writes(other.notebook))


@fault("a right notebook in format 3", GRADED, NOT_GRADABLE, points=(0, 10),
       says="format|version|notebook")
def format_3(s: Submission) -> None:
    s.solve()
    _raw(s, nbformat.writes(nbformat.convert(s.notebook, 3), version=3))


@fault("a notebook of format 99", NOT_GRADABLE, says="format|version|notebook")
def format_99(s: Submission) -> None:
    _raw(s, json.dumps(_solved(s) | {"nbformat": 99}))


@fault("200 megabytes of stored outputs, beside right answers", GRADED, NOT_GRADABLE,
       points=(10, 10), says="large|size|MB|megabyte")
def large_outputs(s: Submission) -> None:
    s.solve()
    text = ("x" * 999 + "\n") * 1000
    s.cell("your_loss").outputs = [
        new_output("display_data", {"text/plain": text}) for _ in range(200)
    ]
    s.save()


@fault("the notebook is a link to another student's", NOT_GRADABLE, says="link")
def link_to_another_student(s: Submission) -> None:
    (s.folder / NAME).symlink_to(f"../../full/{CRITIC}/{NAME}")


@fault("a link to the machine's accounts, beside right answers", GRADED, NOT_GRADABLE,
       points=(10, 10), says="link")
def link_to_accounts(s: Submission) -> None:
    s.solve()
    s.save()
    (s.folder / "data.txt").symlink_to("/etc/passwd")


@fault("a link to the folder itself, beside right answers", GRADED, NOT_GRADABLE,
       points=(10, 10), says="link")
def link_in_a_circle(s: Submission) -> None:
    s.solve()
    s.save()
    (s.folder / "again").symlink_to(".")
    (s.folder / "nowhere").symlink_to("nowhere")


@fault("a pipe beside right answers: who reads it waits for ever", GRADED, NOT_GRADABLE,
       points=(10, 10), says="pipe|file")
def pipe(s: Submission) -> None:
    s.solve()
    s.save()
    os.mkfifo(s.folder / "pipe")


@fault("an empty folder", NOT_GRADABLE, says="no notebook|missing|not found|no file|without")
def missing_notebook(s: Submission) -> None:
    pass


@fault("the notebook has another name, as a browser gives at a second download", NOT_GRADABLE,
       says="name|missing|no notebook|not found|without")
def downloaded_twice(s: Submission) -> None:
    s.solve()
    s.save()
    (s.folder / NAME).rename(s.folder / f"{CRITIC} (1).ipynb")


@fault("a folder with the notebook's name", NOT_GRADABLE, says="folder|directory|notebook")
def folder_named_like_the_notebook(s: Submission) -> None:
    (s.folder / NAME).mkdir()


@fault("bytes that are no UTF-8", NOT_GRADABLE, says="utf|encod|decod|text|notebook|read")
def not_utf_8(s: Submission) -> None:
    _raw(s, json.dumps(_solved(s)).encode().replace(b"critic", b"\xff\xfe\xe9"))


@fault("a byte-order mark before right answers", GRADED, NOT_GRADABLE, points=(10, 10),
       says="byte|bom|utf|notebook|json")
def byte_order_mark(s: Submission) -> None:
    _raw(s, b"\xef\xbb\xbf" + json.dumps(_solved(s)).encode())


@fault("right answers in cells without ids", GRADED, points=(10, 10))
def cells_without_ids(s: Submission) -> None:
    content = _solved(s)
    for cell in content["cells"]:
        cell.pop("id")
    _raw(s, json.dumps(content))


@fault("right answers in cells that all have one id", GRADED, points=(10, 10))
def one_id_for_all_cells(s: Submission) -> None:
    content = _solved(s)
    for cell in content["cells"]:
        cell["id"] = "same"
    _raw(s, json.dumps(content))


@fault("NaN in a cell's metadata, beside right answers", GRADED, NOT_GRADABLE, points=(10, 10),
       says="notebook|json|metadata|nan")
def nan_in_metadata(s: Submission) -> None:
    content = _solved(s)
    content["cells"][8]["metadata"]["height"] = float("nan")
    _raw(s, json.dumps(content))


@fault("half a character in a cell's text, beside right answers", GRADED, NOT_GRADABLE,
       points=(10, 10), says="notebook|character|utf|encod")
def lone_surrogate(s: Submission) -> None:
    content = _solved(s)
    content["cells"][5]["source"] = "half a face: \ud83d"
    _raw(s, json.dumps(content))


@fault("JSON a hundred thousand levels deep", NOT_GRADABLE, says="notebook|json|deep|read")
def deep_json(s: Submission) -> None:
    _raw(s, '{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}")


@fault("the file was cut off in the middle", NOT_GRADABLE, says="notebook|json|read")
def cut_off(s: Submission) -> None:
    text = json.dumps(_solved(s))
    _raw(s, text[: len(text) // 2])


@fault("a merge conflict left in the file", NOT_GRADABLE, says="notebook|json|read")
def merge_conflict(s: Submission) -> None:
    text = json.dumps(_solved(s), indent=1).splitlines()
    _raw(s, "\n".join([*text[:40], "<<<<<<< HEAD", *text[40:]]))


@fault("a cell that never ends, between right answers", PART, points=(4, 10), says="time|long")
def runs_into_the_time_limit(s: Submission) -> None:
    s.solve()
    s.write("your_loss", "while True:\n    pass")
    s.save()


@fault("a cell that takes more memory than there is, between right answers", PART, GRADED,
       points=(4, 10), says="memory|kernel", destructive=True)
def killed_for_memory(s: Submission) -> None:
    s.solve()
    s.write("your_loss", "held = [bytearray(b'x') * 10**8 for _ in range(120)]")
    s.save()


@fault("a cell that ends the kernel, between right answers", PART, points=(4, 10), says="kernel")
def kernel_dies_in_a_cell(s: Submission) -> None:
    s.solve()
    s.write("your_loss", "import os\n\nos._exit(1)")
    s.save()


@fault("a folder that is read-only, with right answers", GRADED, points=(10, 10))
def read_only_folder(s: Submission) -> None:
    s.solve()
    s.save()
    (s.folder / NAME).chmod(0o444)
    s.folder.chmod(0o555)


@fault("files with odd names beside right answers", GRADED, points=(10, 10))
def odd_file_names(s: Submission) -> None:
    s.solve()
    s.save()
    for name in ("-rf", "--help", "a b'\"$(x)`;&|<>*?.txt", "zwei\nZeilen", "\u202egnp.exe", "é",
                 "x" * 250, ".hidden", "%2e%2e%2f"):
        (s.folder / name).write_text("x", encoding="utf-8")


@fault("a second notebook beside right answers", GRADED, points=(10, 10))
def second_notebook(s: Submission) -> None:
    s.solve()
    s.save()
    (s.folder / "scratch.ipynb").write_text("not even JSON", encoding="utf-8")


@fault("right answers with an imported package that is not installed", PART, GRADED,
       points=(10, 10), says="No module|not installed|ModuleNotFound")
def package_that_is_missing(s: Submission) -> None:
    s.solve()
    s.write("your_loss", "import a_package_that_nobody_has")
    s.save()
