"""Admission: whether a submission's folder holds a notebook that can be graded, and why not."""

import json
import os
import stat
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ddpg_helpers.instructor.grading.rebuild import NotGradableError

MAX_NOTEBOOK_BYTES = 20_000_000
MAX_FOLDER_BYTES = 50_000_000
MAX_FILES = 500
FORMATS = (3, 4)


def read_submission(folder: Path, unit: str) -> NotebookNode:
    """Read a submitted notebook, in today's format.

    Args:
        folder: of the submission.
        unit: "04_critic_loss"; the notebook is named after it.

    Raises:
        NotGradableError: one sentence says why the submission can't be graded.
    """
    try:
        _check_files(folder)
        path = folder / f"{unit}.ipynb"
        if not path.is_file():
            others = sorted(other.name for other in folder.glob("*.ipynb"))
            seen = f"; there is {', '.join(others)[:200]}" if others else ""
            raise NotGradableError(f"there is no notebook {path.name}{seen}")
        size = path.stat().st_size
        if size == 0:
            raise NotGradableError("the notebook is an empty file")
        if size > MAX_NOTEBOOK_BYTES:
            raise NotGradableError(
                f"the notebook has {size / 1e6:.0f} MB, more than {MAX_NOTEBOOK_BYTES / 1e6:.0f}; "
                "its outputs must be cleared before it is handed in"
            )
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise NotGradableError(f"its files can't be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NotGradableError("the notebook is no text in UTF-8") from None
    return _parsed(text)


def _check_files(folder: Path) -> None:
    total = count = 0
    for where, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            about = os.lstat(os.path.join(where, name))
            if stat.S_ISLNK(about.st_mode):
                raise NotGradableError(
                    f"it holds a link, {name[:100]!r}, which may lead out of the folder; hand in "
                    "the file itself"
                )
            if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
                raise NotGradableError(f"it holds {name[:100]!r}, which is no plain file")
            total, count = total + about.st_size, count + 1
    if total > MAX_FOLDER_BYTES + MAX_NOTEBOOK_BYTES or count > MAX_FILES:
        raise NotGradableError(f"it holds too much: {count} files, {total / 1e6:.0f} MB")


def _raise(error: OSError) -> None:
    raise error


def _parsed(text: str) -> NotebookNode:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise NotGradableError("the file is not a notebook: it is no JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise NotGradableError("the file is not a notebook: it says no format")
    if content["nbformat"] not in FORMATS:
        raise NotGradableError(
            f"the notebook has format {content['nbformat']}, which is not known here"
        )
    try:
        notebook = nbformat.reads(text, as_version=4)
        cells = notebook.cells
        known = all(
            isinstance(cell.cell_type, str)
            and isinstance(cell.source, str | list)
            and isinstance(cell.metadata, dict)
            for cell in cells
        )
    except Exception as error:  # whatever nbformat's converters meet in a file that is none
        raise NotGradableError(f"the file is no valid notebook ({type(error).__name__})") from None
    if not known:
        raise NotGradableError("the file is no valid notebook: its cells are broken")
    if not cells:
        raise NotGradableError("the notebook has no cells")
    return notebook
