"""Two naive graders, to see that an attack would work where nothing stands against it.

One judges in the student's own kernel, in nbgrader's way: a test cell's last value is its score.
The other asks the kernel for numbers on the probes of the visible checks and judges them outside;
it believes the first reply to its request.
"""

import ast
import os
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbgrader.utils import determine_grade

from ddpg_helpers.checks import stored
from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome, judge_aspect
from ddpg_helpers.checks.wire import Observation, WireError, dump_probe, load_observation
from ddpg_helpers.instructor.course.layout import ROOT

from .registry import EXERCISES, Submission

_HIDDEN = """
from ddpg_helpers.checks.visible import Outcome, verdict_on

0.5 * float(verdict_on({exercise!r}, {aspect!r}, globals()).outcome is Outcome.RIGHT)
"""


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def points_in_the_kernel(submission: Submission) -> float:
    """What a grader gives that judges in the student's kernel, half a point a test.

    Lesson cells that plot are left out: no attack needs them.
    """
    keep = {"imports", "your_loss", "your_prediction", *EXERCISES[submission.unit]}
    known = set(_lesson_cells(submission.unit))
    notebook = submission.notebook
    notebook.cells = [
        c for c in notebook.cells
        if c.metadata.get("nbgrader", {}).get("grade") or c.id in keep or c.id not in known
    ]  # fmt: skip
    for cell in submission.tests:
        call = cell.source if cell.source.startswith("check(") else None
        if call:
            exercise, aspect = asked(call)
            cell.source = call + "\n" + _HIDDEN.format(exercise=exercise, aspect=aspect)
        cell.metadata.nbgrader.points = 0.5
    client = NotebookClient(
        notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": submission.folder}}
    )
    try:
        client.execute(env=_environment())
    except (CellExecutionError, DeadKernelError):
        pass
    return sum((determine_grade(cell)[0] or 0.0) for cell in submission.tests)


def right_when_asked(submission: Submission) -> int:
    """How many aspects a grader finds right that asks with the visible checks' own probes."""
    cells = [c for c in submission.notebook.cells if c.cell_type == "code"]
    known = set(_lesson_cells(submission.unit))
    keep = {"imports", *EXERCISES[submission.unit]}
    manager, client = start_new_kernel(cwd=str(submission.folder), env=_environment())
    right = 0
    try:
        for cell in cells:
            if cell.id in keep or cell.id not in known:
                if not _reply(client, client.execute(cell.source, store_history=False)):
                    return right
        for exercise in _exercises(submission.unit):
            for aspect, about in stored.load(exercise).aspects.items():
                text = _ask(client, exercise, dump_probe(about.probe))
                if text is None:
                    return right
                try:
                    observed = load_observation(text)
                except WireError:
                    continue
                verdict = judge_aspect(
                    exercise, aspect, about.probe, observed, about.right, {},
                    lambda: (Observation(), {}),
                )  # fmt: skip
                right += verdict.outcome is Outcome.RIGHT
        return right
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _exercises(unit: str) -> list[str]:
    names = ("OUNoise",) if unit == "01_ou_noise" else EXERCISES[unit]
    return [exercise for exercise in ASPECTS if exercise.partition(".")[0] in names]


def _ask(client, exercise: str, probe: str) -> str | None:
    call = (
        "__import__('ddpg_helpers.checks.remote', fromlist=['answer'])"
        f".answer({exercise!r}, {probe!r}, globals())"
    )
    reply = _reply(client, client.execute("", store_history=False, user_expressions={"a": call}))
    if reply is None:
        return None
    said = (reply["content"].get("user_expressions") or {}).get("a") or {}
    text = said.get("data", {}).get("text/plain", "''")
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return ""


def _reply(client, request: str) -> dict | None:
    """The first reply to a request that comes; None where the kernel is gone."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            reply = client.get_shell_msg(timeout=1)
        except Exception:  # no message yet, or none that can be read
            if not client.is_alive():
                return None
            continue
        if reply["parent_header"].get("msg_id") == request:
            return reply
    return None


def asked(call: str) -> tuple[str, str]:
    """The exercise and the aspect that a test cell's call names."""
    node = ast.parse(call).body[0].value
    return node.args[0].value, node.keywords[0].value.value


def _lesson_cells(unit: str) -> list[str]:
    path = Path(ROOT) / "release" / unit / f"{unit}.ipynb"
    return [c.id for c in nbformat.read(path, as_version=4).cells]
