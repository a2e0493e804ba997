"""Records of graded submissions, each kept under the hash of all that it follows from.

The same submission is never run twice: a second grading, an interrupted one that goes on, and the
nbgrader commands all find what is there.
"""

import hashlib
import json
import os
import stat
from dataclasses import asdict
from functools import cache
from pathlib import Path

from ddpg_helpers.instructor.course.layout import PACKAGE
from ddpg_helpers.instructor.grading.submission import Record, Submission, settings_as_json

FOLDER = Path(".cache", "graded")


def key(submission: Submission) -> str:
    """The hash of a submission, the files beside it, its settings, and the whole package."""
    digest = hashlib.sha256(package_hash().encode())
    for text in (
        submission.student, submission.unit, submission.notebook, submission.secret,
        settings_as_json(submission.settings), files_hash(Path(submission.folder)),
    ):  # fmt: skip
        digest.update(f"{len(text)}\0{text}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()


def files_hash(folder: Path) -> str:
    """The hash of the plain files in a folder that are not notebooks."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        if stat.S_ISREG(about.st_mode) and path.suffix != ".ipynb":
            name = os.fsencode(path.relative_to(folder))
            digest.update(f"{len(name)}\0{about.st_size}\0".encode() + name + path.read_bytes())
    return digest.hexdigest()


@cache
def package_hash() -> str:
    """The hash of the package's code and data: with it, the judge and the student edition."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(PACKAGE)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def load(root: Path, key: str) -> Record | None:
    """The record kept under a key, None where there is none."""
    try:
        return Record(**json.loads((root / FOLDER / f"{key}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # not there, or not written to its end
        return None


def save(root: Path, key: str, record: Record) -> None:
    """Keep a record; whole or not at all.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{key}.{os.getpid()}"
    try:
        partial.write_text(json.dumps(asdict(record), ensure_ascii=False), encoding="utf-8")
        partial.replace(folder / f"{key}.json")
    finally:
        partial.unlink(missing_ok=True)


def forget(root: Path, key: str) -> None:
    """Remove a record, so that its submission is run again."""
    (root / FOLDER / f"{key}.json").unlink(missing_ok=True)
