"""Run one submission in a student's kernel and judge its test cells outside it.

``grade_submission`` is a pure function: a rebuilt submission goes in, a record comes out. It
touches no gradebook and no folder of the course, so that any process may do it.
"""

import ast
import html
import json
import re
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome, Verdict
from ddpg_helpers.instructor.grading.channel import KernelChannel
from ddpg_helpers.instructor.grading.harmless import MAX_OUTPUTS, MAX_TEXT, harmless_output
from ddpg_helpers.instructor.grading.hidden import Grading, Seed, grading
from ddpg_helpers.instructor.grading.kernel import SandboxedKernelManager, StudentKernelManager
from ddpg_helpers.instructor.grading.sandbox import Limits

_HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n(.*?)^[^\n]*END HIDDEN TESTS[^\n]*$",
    re.DOTALL | re.MULTILINE,
)
_SHOWN = ("stream", "display_data", "execute_result", "error", "update_display_data")


class HiddenTestError(Exception):
    """A hidden test in the source notebook is wrong: the instructor must mend it."""


@dataclass(frozen=True)
class Settings:
    """How submissions are run.

    Attributes:
        cell_timeout: seconds for a cell.
        answer_timeout: seconds for an answer on one probe.
        impatient_timeout: seconds for either once one has timed out in the same submission, so
            that an endless loop is not waited for again and again.
        submission_timeout: seconds after which the remaining cells are not run.
        max_restarts: new kernels before the remaining cells are left out.
        max_output: characters that the cells of a submission may show, all together.
        sandbox: whether to run in the sandbox.
        uid: number of the user who runs kernels outside a sandbox; None for the user who grades.
        limits: what a kernel may use.
    """

    cell_timeout: float = 30
    answer_timeout: float = 10
    impatient_timeout: float = 3
    submission_timeout: float = 300
    max_restarts: int = 5
    max_output: int = 5_000_000
    sandbox: bool = True
    uid: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Submission:
    """A rebuilt submission.

    Attributes:
        student: as in the gradebook.
        unit: "04_critic_loss".
        notebook: as JSON.
        folder: of the files that lie beside it.
        secret: of the course; seeds the hidden tests.
        settings: how to run it.
    """

    student: str
    unit: str
    notebook: str
    folder: str
    secret: str
    settings: Settings


@dataclass
class Record:
    """What came of a submission.

    Attributes:
        notebook: executed and judged, as JSON.
        problems: what failed on the way, a sentence each.
        verdicts: for each aspect its cell, exercise, name, outcome, message, known mistake, points
            and what they are of.
        seconds: that each cell took, by the cell's id.
    """

    notebook: str
    problems: list[str] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def grade_submission(submission: Submission) -> Record:
    """Run a submission and judge its test cells.

    Raises:
        HiddenTestError: a hidden test is wrong, not the submission.
    """
    run = SubmissionRun(submission)
    run.run()
    return run.record()


class SubmissionRun(NotebookClient):
    """Runs every cell; judges test cells with a hidden part in this process.

    A test cell's score is what the judge says, whatever the student's kernel displayed: text on
    stderr costs nothing, and a cell without a result earns nothing. A cell that hangs, or that
    kills the kernel, is left behind: a new kernel runs the cells before it again and goes on.

    Attributes:
        gradings: how each test cell with a hidden part was judged, in their order.
        problems: what failed on the way.
    """

    def __init__(self, submission: Submission) -> None:
        settings = submission.settings
        notebook = nbformat.from_dict(json.loads(submission.notebook))
        kernel = SandboxedKernelManager if settings.sandbox else StudentKernelManager
        super().__init__(
            notebook,
            kernel_manager_class=kernel,
            resources={"metadata": {"path": submission.folder}},
            timeout=settings.cell_timeout,
            interrupt_on_timeout=True,
            allow_errors=True,
            skip_cells_with_tag="",  # a submission's own tags skip nothing
            record_timing=False,
            shutdown_kernel="immediate",
            error_on_timeout={
                "ename": "CellTimeoutError",
                "evalue": "",
                "traceback": ["CellTimeoutError: the cell did not end in time"],
            },
        )
        self.submission = submission
        self.settings = settings
        self.gradings: list[Grading] = []
        self.problems: list[str] = []
        self._verdicts: list[dict[str, Any]] = []
        self._seconds: dict[str, float] = {}
        self._ran: list[int] = []
        self._restarts = 0
        self._timed_out = False
        self._shown = 0
        self._reply: dict[str, Any] = {}
        self.on_cell_executed = self._keep_reply
        self._deadline = time.monotonic() + settings.submission_timeout
        self._seed = Seed(submission.secret, submission.student)

    def record(self) -> Record:
        """What came of it."""
        notebook = json.dumps(self.nb, ensure_ascii=False)
        return Record(notebook, self.problems, self._verdicts, self._seconds)

    def run(self) -> None:
        """Run or judge each cell in turn."""
        self.reset_execution_trackers()
        with self.setup_kernel():
            for index, cell in enumerate(self.nb.cells):
                if cell.cell_type != "code":
                    continue
                started = time.monotonic()
                if _is_test(cell):
                    self._test(cell, index)
                else:
                    self._run(cell, index)
                cell.execution_count = index + 1
                self._seconds[cell.id] = round(time.monotonic() - started, 3)

    # --- running -----------------------------------------------------------------------------

    def create_kernel_manager(self) -> SandboxedKernelManager | StudentKernelManager:
        """Called by nbclient for the first kernel and for each that takes its place."""
        manager = super().create_kernel_manager()
        manager.limits = self.settings.limits
        if isinstance(manager, StudentKernelManager):
            manager.uid = self.settings.uid
            # As nbgrader does: trainings show what they kept. The sandbox has it always.
            manager.variables = {"NBGRADER_EXECUTION": "autograde"}
        return manager

    @property
    def _given_up(self) -> str | None:
        """Why no more cells are run."""
        if self._restarts > self.settings.max_restarts:
            return "Not run: the kernel had ended too many times."
        if time.monotonic() > self._deadline:
            seconds = self.settings.submission_timeout
            return f"Not run: the cells before had taken {seconds:g} seconds in all."
        return None

    def _run(self, cell: NotebookNode, index: int) -> bool:
        """Run a cell in the student's kernel; return whether it ended without an error.

        Replace the kernel if the cell took it down.
        """
        cell.outputs, self._reply = [], {}
        if self._given_up:
            self._tell(self._given_up)
            cell.outputs = [_message(self._given_up)]
            return False
        problem = None
        try:
            self.execute_cell(cell, index, store_history=True)
        except CellTimeoutError:
            self._timed_out = True
            seconds = f"{self._get_timeout(cell):g}"
            problem = f"The cell ran for {seconds} seconds and could not be interrupted."
        except DeadKernelError:
            problem = f"The kernel ended while it ran this cell{self._why_dead()}."
        except Exception as error:  # what arrived from the kernel was no message
            problem = f"The kernel's answer could not be read ({type(error).__name__})."
        late = self._reply.get("ename") == "CellTimeoutError"
        failed = self._reply.get("status") == "error"
        cell.outputs = [
            shown for output in cell.outputs[:MAX_OUTPUTS] if (shown := harmless_output(output))
        ]
        if problem is not None:
            self._tell(f"Cell {_name(cell)}: {problem}")
            cell.outputs.append(_message(problem))
            self._restart()
            return False
        if late:
            self._timed_out = True
            self._tell(f"Cell {_name(cell)}: it did not end in time and was interrupted.")
        else:
            self._ran.append(index)
        return not failed

    def _keep_reply(self, *, execute_reply: dict[str, Any], **_: Any) -> None:
        self._reply = execute_reply["content"]

    def _get_timeout(self, cell: NotebookNode | None) -> float | None:
        """Asked for by nbclient before each cell."""
        settings = self.settings
        usual = settings.impatient_timeout if self._timed_out else settings.cell_timeout
        return max(0.1, min(usual, self._deadline - time.monotonic()))

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take what a cell shows, up to a limit, and nothing that talks to the page."""
        kind = msg["msg_type"]
        if kind.startswith("comm"):
            return None
        if kind in _SHOWN and self._too_much(msg["content"], cell):
            self._tell(f"Cell {_name(cell)}: it shows too much; the rest was left out.")
            return None
        return super().process_message(msg, cell, cell_index)

    def _too_much(self, content: dict[str, Any], cell: NotebookNode) -> bool:
        """Whether a message is over the limit; a long text is cut to what is shown of it."""
        text = content.get("text")
        if isinstance(text, str) and len(text) > MAX_TEXT:
            content["text"] = text = text[: MAX_TEXT + 1]  # one more, which tells that it was cut
            self._tell(f"Cell {_name(cell)}: it shows too much; the rest was left out.")
        self._shown += len(str(content))
        return self._shown > self.settings.max_output or len(cell.outputs) > MAX_OUTPUTS

    def _restart(self) -> None:
        """Start a new kernel and run again what had run before."""
        self._restarts += 1
        if self._given_up:
            return
        self._cleanup_kernel()
        self.create_kernel_manager()
        self.start_new_kernel(cwd=self.submission.folder)
        self.start_new_kernel_client()
        before, self._ran = self._ran, []
        for index in before:
            again = NotebookNode(self.nb.cells[index])
            self._run(again, index)

    def _why_dead(self) -> str:
        if getattr(self.km.provisioner, "killed_for_memory", False):
            return f": it used more than {self.settings.limits.memory_megabytes} MB of memory"
        return ""

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    # --- judging -----------------------------------------------------------------------------

    def _test(self, cell: NotebookNode, index: int) -> None:
        points = float(cell.metadata.nbgrader["points"])
        hidden = _HIDDEN.search(cell.source)
        if hidden is None:
            score = points if self._run(cell, index) else 0.0
        else:
            outputs, score = self._judge(cell, hidden.group(1), points)
            cell.outputs = outputs
        result = {"text/plain": f"{score:g}"}
        cell.outputs.append(new_output("execute_result", result, execution_count=index + 1))

    def _judge(
        self, cell: NotebookNode, hidden: str, points: float
    ) -> tuple[list[NotebookNode], float]:
        name = cell.metadata.nbgrader["grade_id"]
        settings = self.settings
        timeout = settings.impatient_timeout if self._timed_out else settings.answer_timeout
        channel = KernelChannel(self.kc, self.km.is_alive, self.km.interrupt_kernel, timeout)
        channel.stuck = self._given_up is not None
        with grading(Grading(channel.ask, self._seed, points)) as judged:
            score = _value_of(hidden, name)
        self.gradings.append(judged)
        self._timed_out |= channel.timed_out
        if not isinstance(score, int | float) or not 0 <= score <= points:
            raise HiddenTestError(
                f"the hidden test of cell '{name}' gave {score!r}; its last line must be a number "
                f"from 0 to {points:g}, such as a call of grade"
            )
        for (exercise, aspect), verdict in judged.verdicts.items():
            self._verdicts.append(
                {
                    "cell": name, "exercise": exercise, "aspect": aspect,
                    "outcome": verdict.outcome.value, "message": verdict.message,
                    "mistake": verdict.mistake, "points": float(score), "of": points,
                }
            )  # fmt: skip
        if channel.timed_out:
            self._tell(f"Cell {name}: the answer did not come within {timeout:g} seconds.")
        if channel.stuck and not self._given_up:
            self._tell(f"Cell {name}: the kernel ended or hung while it was tested.")
            self._restart()
        return [_verdict_output(*key, one) for key, one in judged.verdicts.items()], float(score)


def settings_as_json(settings: Settings) -> str:
    """The settings as text, for comparing."""
    return json.dumps(asdict(settings), sort_keys=True)


def _is_test(cell: NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return about.get("grade", False) and not about.get("solution", False)


def _name(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id


def _value_of(code: str, name: str) -> Any:
    """Run a hidden test (the instructor's code) and return the value of its last line."""
    tree = ast.parse(code)
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        raise HiddenTestError(f"the hidden test of cell '{name}' must end with a number")
    last = ast.Expression(tree.body.pop().value)
    namespace: dict[str, Any] = {"__name__": "hidden_test"}
    exec(compile(tree, f"<hidden test {name}>", "exec"), namespace)
    return eval(compile(last, f"<hidden test {name}>", "eval"), namespace)


def _verdict_output(exercise: str, aspect: str, verdict: Verdict) -> NotebookNode:
    right = verdict.outcome is Outcome.RIGHT
    title = f"{exercise}, {ASPECTS[exercise][aspect].title}"
    text = f"{title}: {'right.' if right else verdict.message}"
    sign, colour = ("\N{CHECK MARK}", "#007a5a") if right else ("\N{BALLOT X}", "#b34700")
    return new_output(
        "display_data",
        {
            "text/plain": f"{sign} {text}",
            "text/html": f'<div style="border-left: 4px solid {colour}; padding: 4px 10px; '
            f'color: {colour}">{sign} {html.escape(text)}</div>',
        },
    )


def _message(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text + "\n")
