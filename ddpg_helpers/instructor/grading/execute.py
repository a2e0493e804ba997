"""nbgrader plug-in: run and judge a submission outside nbgrader's own process."""

import json
import os
import secrets
import warnings
from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Integer, Unicode

from ddpg_helpers.instructor.grading import records
from ddpg_helpers.instructor.grading.rebuild import KEY
from ddpg_helpers.instructor.grading.sandbox import Limits, SandboxError, bubblewrap
from ddpg_helpers.instructor.grading.submission import (
    Record,
    Settings,
    Submission,
    grade_submission,
)


class ExecuteSubmission(NbGraderPreprocessor):
    """Takes the place of nbgrader's step that executes; see ``submission.SubmissionRun``.

    What it finds among the records was run before, with the same notebook, files and package.
    """

    timeout = Float(30, help="Seconds that a cell may take.").tag(config=True)
    answer_timeout = Float(
        10, help="Seconds that a student's answer may take on one probe."
    ).tag(config=True)  # fmt: skip
    impatient_timeout = Float(
        3,
        help="Seconds for a cell or an answer once one has timed out in the same submission, so "
        "that an endless loop is not waited for again and again.",
    ).tag(config=True)
    submission_timeout = Float(
        300, help="Seconds for one submission; its remaining cells are not run then."
    ).tag(config=True)  # fmt: skip
    max_restarts = Integer(
        5, help="New kernels for one submission before its remaining cells are left out."
    ).tag(config=True)
    memory_megabytes = Integer(
        2048, help="Memory that a submission's processes may use together, in the sandbox."
    ).tag(config=True)
    require_sandbox = Bool(
        False, help="Whether to refuse to grade where there is no sandbox."
    ).tag(config=True)  # fmt: skip
    student_uid = Integer(
        None,
        allow_none=True,
        help="Number of a user who owns nothing and runs nothing else. Where there is no sandbox, "
        "students' code runs as that user; grading must be started by root. In a container that "
        "allows no sandbox, this is the next best.",
    ).tag(config=True)
    use_records = Bool(
        True, help="Whether a submission that was run before is taken from its record."
    ).tag(config=True)  # fmt: skip
    secret_file = Unicode(
        "course_secret",
        help="File in the course's folder with its secret, which seeds the hidden tests. Made on "
        "first use; keep it private, and keep it for appeals.",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute and judge a submission."""
        about = resources["nbgrader"]
        submission = self.submission(
            nb, about["student"], about["assignment"], resources["metadata"]["path"]
        )
        record = self.record(submission)
        judged = nbformat.from_dict(json.loads(record.notebook))
        judged.metadata[KEY] = {
            **judged.metadata.get(KEY, {}),
            "problems": record.problems,
            "verdicts": record.verdicts,
            "seconds": record.seconds,
        }
        for problem in record.problems:
            self.log.warning("%s", problem)
        return judged, resources

    def submission(self, nb: NotebookNode, student: str, unit: str, folder: str) -> Submission:
        """A submission with all that running it needs."""
        sandbox = self._sandbox()
        settings = Settings(
            cell_timeout=self.timeout,
            answer_timeout=self.answer_timeout,
            impatient_timeout=self.impatient_timeout,
            submission_timeout=self.submission_timeout,
            max_restarts=self.max_restarts,
            sandbox=sandbox,
            uid=None if sandbox else self.student_uid,
            limits=self._limits(),
        )
        notebook = json.dumps(nb, ensure_ascii=False, sort_keys=True)
        return Submission(student, unit, notebook, folder, self.secret(), settings)

    def record(self, submission: Submission) -> Record:
        """The record of a submission: the one that is kept, or a new one, which is kept."""
        root = Path(CourseDirectory(config=self.config).root)
        key = records.key(submission)
        record = records.load(root, key) if self.use_records else None
        if record is None:
            record = grade_submission(submission)
            records.save(root, key, record)
        return record

    def _limits(self) -> Limits:
        return Limits(memory_megabytes=self.memory_megabytes)

    def sandbox_limits(self) -> Limits | None:
        """What a kernel in the sandbox may use; None where there is no sandbox."""
        return self._limits() if bubblewrap() is not None else None

    def _sandbox(self) -> bool:
        found = bubblewrap() is not None
        if not found and self.require_sandbox:
            raise SandboxError(
                "there is no sandbox here: install bubblewrap (Debian: apt install bubblewrap), or "
                "leave out --require-sandbox"
            )
        if not found and self.student_uid is None:
            warnings.warn(NO_SANDBOX, stacklevel=2)
        if not found and self.student_uid is not None and os.geteuid() != 0:
            raise SandboxError(
                "student_uid lets another user run students' code, which only root can do: start "
                "grading as root, or leave the setting out"
            )
        return found

    def secret(self) -> str:
        """The course's secret, made on first use."""
        path = Path(CourseDirectory(config=self.config).root, self.secret_file)
        if not path.exists():
            self.log.warning("Making a new course secret in %s; keep it private", path)
        return course_secret(path)


def course_secret(path: Path) -> str:
    """The secret in a file, which is made where it is missing."""
    if not path.exists():
        path.write_text(secrets.token_hex(32) + "\n")
        path.chmod(0o600)
    return path.read_text().strip()


NO_SANDBOX = (
    "Students' code runs without a sandbox, as a process of your own user, which is no boundary: "
    "it can read and change what you can. Install bubblewrap (Linux), or grade on a machine that "
    "holds nothing else."
)

