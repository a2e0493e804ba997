"""What a worker process does: it runs and judges submissions, and knows nothing of the gradebook.

It imports nothing of nbgrader, which takes a second.
"""

import importlib
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

from ddpg_helpers.instructor.grading import kernel
from ddpg_helpers.instructor.grading.sandbox import Limits, SandboxError
from ddpg_helpers.instructor.grading.submission import (
    HiddenTestError,
    Record,
    Submission,
    grade_submission,
)

Place = tuple[str, str]  # unit, student


def get_ready(limits: Limits | None, stage: str) -> None:
    """Do once what the first submission would wait for.

    Args:
        limits: of the sandbox; None where there is none.
        stage: folder of the submissions' files, in which the sandbox exchanges files, too.
    """
    kernel.EXCHANGE = stage
    if limits is not None:
        kernel.warm_process(limits)  # gets ready by itself meanwhile
    importlib.import_module("torch._dynamo")  # the judge's optimisers do so on their first call


def work(place: Place, submission: Submission, stage: str) -> tuple[Place, Record | None, str]:
    """Grade one submission.

    Returns:
        The submission's place, its record, and why there is none.

    Raises:
        HiddenTestError: a hidden test is wrong, not the submission.
    """
    kernel.EXCHANGE = stage
    try:
        return place, grade_submission(submission), ""
    except HiddenTestError:
        raise
    except SandboxError as error:
        return place, None, str(error)
    except Exception as error:  # whatever it is, it is this submission's alone
        print(traceback.format_exc(), file=sys.stderr)
        return place, None, in_short(error)


def work_elsewhere(
    place: Place, submission: Submission, files: dict[str, bytes]
) -> tuple[Place, Record | None, str]:
    """Grade one submission on another machine; see ``packed``."""
    with tempfile.TemporaryDirectory(prefix="ddpg-") as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return work(place, replace(submission, folder=folder), tempfile.gettempdir())


def packed(folder: Path) -> dict[str, bytes]:
    """The files beside a submission, for a worker on another machine."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def in_short(error: Exception) -> str:
    """An error of no known kind, in a line."""
    return f"{type(error).__name__}: {error}"[:300]
