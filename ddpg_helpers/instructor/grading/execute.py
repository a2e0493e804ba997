"""nbgrader plug-in: run a submission in the student's kernel, judge its test cells outside it."""

import ast
import html
import re
import secrets
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_solution
from traitlets import Float, Integer, Unicode

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome, Verdict
from ddpg_helpers.instructor.grading.channel import KernelChannel
from ddpg_helpers.instructor.grading.hidden import Grading, Seed, grading
from ddpg_helpers.instructor.grading.kernel import StudentKernelManager

_HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n(.*?)^[^\n]*END HIDDEN TESTS[^\n]*$",
    re.DOTALL | re.MULTILINE,
)


class HiddenTestError(Exception):
    """A hidden test in the source notebook is wrong: the instructor must mend it."""


class ExecuteSubmission(Execute):
    """Runs every cell of a submission; judges test cells with a hidden part in this process.

    A test cell's score is what the judge says, whatever the student's kernel displayed: text on
    stderr costs nothing, and a cell without a result earns nothing. A cell that hangs, or that
    kills the kernel, is left behind: a new kernel runs the cells before it again and goes on.

    Attributes:
        gradings: how each test cell with a hidden part was judged, in their order.
    """

    answer_timeout = Float(
        10, help="Seconds that a student's answer may take on one probe."
    ).tag(config=True)  # fmt: skip
    impatient_timeout = Float(
        3,
        help="Seconds for a cell or an answer once one has timed out in the same submission, so "
        "that an endless loop is not waited for again and again.",
    ).tag(config=True)
    max_restarts = Integer(
        5, help="New kernels for one submission before its remaining cells are left out."
    ).tag(config=True)
    secret_file = Unicode(
        "course_secret",
        help="File in the course's folder with its secret, which seeds the hidden tests. Made on "
        "first use; keep it private, and keep it for appeals.",
    ).tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("kernel_manager_class", StudentKernelManager)
        super().__init__(*args, **kwargs)
        self.shutdown_kernel = "immediate"
        self.skip_cells_with_tag = ""  # a submission's own tags skip nothing

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, km: Any = None
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute and judge a submission."""
        self._ran: list[int] = []
        self._restarts = 0
        self._timed_out = False
        self.gradings: list[Grading] = []
        self._seed = Seed(self._secret(), resources["nbgrader"]["student"])
        return super().preprocess(nb, resources, km)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute or judge one cell."""
        if cell.cell_type == "code":
            if is_grade(cell) and not is_solution(cell):
                self._test(cell, index)
            else:
                self._run(cell, index)
        return cell, resources

    # --- running -----------------------------------------------------------------------------

    def _run(self, cell: NotebookNode, index: int) -> None:
        """Run a cell in the student's kernel; replace the kernel if the cell took it down."""
        cell.outputs = []
        if self._restarts > self.max_restarts:
            cell.outputs = [_error("NotRun", "Not run: the kernel had ended too many times.")]
            return
        try:
            self.execute_cell(cell, index, store_history=True)
        except CellTimeoutError:
            self._timed_out = True
            problem = f"The cell ran for {self.timeout} seconds and could not be interrupted."
        except DeadKernelError:
            problem = "The kernel ended while it ran this cell."
        else:
            if any(output.get("ename") == "CellTimeoutError" for output in cell.outputs):
                self._timed_out = True
            else:
                self._ran.append(index)
            return
        self.log.warning("Cell '%s': %s", cell.get("id", index), problem)
        cell.outputs.append(_error("CellFailed", problem))
        self._restart()

    def _get_timeout(self, cell: NotebookNode | None) -> float | None:
        """Asked for by nbclient before each cell."""
        full = super()._get_timeout(cell)
        return self.impatient_timeout if self._timed_out and full is not None else full

    def _restart(self) -> None:
        """Start a new kernel and run again what had run before."""
        self._restarts += 1
        if self._restarts > self.max_restarts:
            return
        self._cleanup_kernel()
        self.km = self.create_kernel_manager()
        self.start_new_kernel()
        self.start_new_kernel_client()
        before, self._ran = self._ran, []
        for index in before:
            shown = self.nb.cells[index].outputs
            again = NotebookNode(self.nb.cells[index])
            self._run(again, index)
            self.nb.cells[index].outputs = shown

    # --- judging -----------------------------------------------------------------------------

    def _test(self, cell: NotebookNode, index: int) -> None:
        points = float(cell.metadata.nbgrader["points"])
        hidden = _HIDDEN.search(cell.source)
        if hidden is None:
            self._run(cell, index)
            failed = index not in self._ran or any(o.output_type == "error" for o in cell.outputs)
            verdict_outputs, score = [], 0.0 if failed else points
        else:
            verdict_outputs, score = self._judge(cell, hidden.group(1), points)
            cell.outputs = []
        cell.outputs = [
            *(_harmless(output) for output in cell.outputs),
            *verdict_outputs,
            new_output("execute_result", {"text/plain": f"{score:g}"}, execution_count=index + 1),
        ]

    def _judge(
        self, cell: NotebookNode, hidden: str, points: float
    ) -> tuple[list[NotebookNode], float]:
        name = cell.metadata.nbgrader["grade_id"]
        timeout = self.impatient_timeout if self._timed_out else self.answer_timeout
        channel = KernelChannel(self.kc, self.km.is_alive, self.km.interrupt_kernel, timeout)
        if self._restarts > self.max_restarts:
            channel.stuck = True
        with grading(Grading(channel.ask, self._seed, points)) as judged:
            score = _value_of(hidden, name)
        self.gradings.append(judged)
        self._timed_out |= channel.timed_out
        if not isinstance(score, int | float) or not 0 <= score <= points:
            raise HiddenTestError(
                f"the hidden test of cell '{name}' gave {score!r}; its last line must be a number "
                f"from 0 to {points:g}, such as a call of grade"
            )
        if channel.stuck and self._restarts <= self.max_restarts:
            self.log.warning("Cell '%s': the kernel ended or hung while it was tested", name)
            self._restart()
        outputs = [_verdict_output(*key, verdict) for key, verdict in judged.verdicts.items()]
        return outputs, float(score)

    def _secret(self) -> str:
        path = Path(CourseDirectory(config=self.config).root, self.secret_file)
        if not path.exists():
            path.write_text(secrets.token_hex(32) + "\n")
            path.chmod(0o600)
            self.log.warning("Made a new course secret in %s; keep it private", path)
        return path.read_text().strip()


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


def _harmless(output: NotebookNode) -> NotebookNode:
    """The output in a form from which nbgrader reads no score."""
    if output.output_type == "error":
        return new_output("stream", name="stdout", text="\n".join(output.traceback) + "\n")
    if output.output_type == "stream":
        return new_output("stream", name="stdout", text=output.text)
    if output.output_type == "execute_result":
        return new_output("display_data", output.data, metadata=output.metadata)
    return output


def _error(name: str, text: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=[text])
