"""Grade attacks, faults and honest submissions together, and say what came of each."""

import hashlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbgrader.api import Gradebook, MissingEntry

from ddpg_helpers.instructor.course.layout import ROOT

from .active import active_content
from .faults import Ending, Fault
from .registry import CRITIC, Attack, Scene, Submission, honest_points

WAITS = 8  # seconds after grading in which a process that was left may still show itself
LARGEST = 64 * 2**20  # bytes of a file that are searched
_GRADE = "from ddpg_helpers.instructor.course.grade import grade_class; grade_class([])"
_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


class NoSandboxError(Exception):
    """Student code would run among this machine's own processes."""


@dataclass
class Report:
    """What came of a run.

    Attributes:
        points: by student and unit; None where a submission was not graded.
        findings: what is wrong, by student; under "" what concerns all.
        printed: what the grader printed, both streams.
        seconds: how long grading took.
        code: the grader's exit code; None where it had to be ended.
    """

    points: dict[tuple[str, str], float | None] = field(default_factory=dict)
    findings: dict[str, list[str]] = field(default_factory=dict)
    printed: str = ""
    seconds: float = 0.0
    code: int | None = None

    def find(self, student: str, what: str) -> None:
        """Note a finding."""
        self.findings.setdefault(student, []).append(what)


class Listener:
    """Listens on a port of this machine and counts who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            line.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def run(
    attacks: Iterable[Attack],
    faults: Iterable[Fault] = (),
    *,
    honest: Iterable[tuple[str, str]] | None = None,
    folder: Path | None = None,
    limit: float = 7200,
) -> Report:
    """Lay out a course with these submissions, grade it once, and look at what happened.

    Args:
        attacks: the attacks.
        faults: the broken submissions.
        honest: students of the sample class and units; by default all of unit 04, and the full
            student's 01 and 05.
        folder: where to lay the course out, kept afterwards; a temporary folder otherwise.
        limit: seconds after which the grader is ended, which is a finding.

    Raises:
        NoSandboxError: one of them may do harm and no sandbox holds a student's kernel.
    """
    attacks, faults = list(attacks), list(faults)
    if any(item.destructive for item in (*attacks, *faults)):
        require_sandbox()
    if honest is None:
        honest = [(s, CRITIC) for s, points in honest_points().items() if CRITIC in points]
        honest += [("full", "01_ou_noise"), ("full", "05_actor_loss")]
    honest = list(dict.fromkeys([("full", a.unit) for a in attacks] + list(honest)))
    top = Path(tempfile.mkdtemp(prefix="attacks-")) if folder is None else folder.resolve()
    listener = Listener()
    try:
        return _run(attacks, faults, honest, top, listener, limit)
    finally:
        listener.close()
        if folder is None:
            _remove(top)


def _run(
    attacks: list[Attack],
    faults: list[Fault],
    honest: list[tuple[str, str]],
    top: Path,
    listener: Listener,
    limit: float,
) -> Report:
    scene = Scene(
        root=top / "course",
        canaries=top / "canaries",
        secret=f"secret-{secrets.token_hex(8)}",
        marker=f"attacker-{secrets.token_hex(8)}",
        port=listener.port,
    )
    lay_out(scene, attacks, faults, honest)
    before = _fingerprints(scene.root)
    report = Report()
    try:
        _grade(scene, report, limit)
        time.sleep(WAITS)
        _look_for_processes(scene, report)
        _look_outside(scene, report, before, listener)
        _read_points(scene, report, attacks, faults, honest)
        _judge_attacks(scene, report, attacks)
        _judge_faults(scene, report, faults)
        _judge_honest(report, honest)
    finally:
        for place in _left_in_shared_folders(scene):
            _remove(place)
    return report


def lay_out(
    scene: Scene,
    attacks: Iterable[Attack],
    faults: Iterable[Fault] = (),
    honest: Iterable[tuple[str, str]] = (),
) -> None:
    """Write a course with these submissions, and secrets where nobody should read them."""
    submitted = scene.root / "submitted"
    submitted.mkdir(parents=True)
    scene.canaries.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", scene.root)
    shutil.copytree(ROOT / "source", scene.root / "source")
    sample = ROOT / "tests" / "sample_class"
    for student, unit in honest:
        shutil.copytree(sample / student / unit, submitted / student / unit)
    (scene.root / "home").mkdir()
    for folder in (scene.root, scene.root / "home", submitted / "full" / CRITIC):
        if folder.is_dir():
            (folder / "secret.txt").write_text(scene.secret, encoding="utf-8")
    for item in (*attacks, *faults):
        item.lay_out(scene, submitted)


def require_sandbox() -> None:
    """Grade one harmless submission that says which process namespace it runs in.

    Raises:
        NoSandboxError: it is the grader's own, or it did not say.
    """
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        top = Path(folder)
        scene = Scene(top / "course", top / "canaries", "none", "none", 0)

        def scout(s: Submission) -> None:
            s.first("import os\n\nprint('namespace', os.readlink('/proc/self/ns/pid'))")

        lay_out(scene, [Attack("scout", "reading", "says where it runs", scout)])
        _grade(scene, Report(), 600)
        texts = _output_texts(scene.root / "autograded" / "scout" / CRITIC / f"{CRITIC}.ipynb")
    said = re.search(r"namespace (pid:\[\d+\])", "\n".join(texts))
    if said is None:
        raise NoSandboxError(
            "A harmless submission could not be graded, so it is not known whether a sandbox holds "
            "student code. Run the harmless attacks alone with --harmless."
        )
    if said[1] == os.readlink("/proc/self/ns/pid"):
        raise NoSandboxError(
            "Student code runs among this machine's processes, without a sandbox: destructive "
            "attacks would do harm here. Run the harmless ones alone with --harmless."
        )


def _grade(scene: Scene, report: Report, limit: float) -> None:
    """Grade the course in a process of its own, which an attack may end."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "HOME": str(scene.root / "home"),
        "DDPG_ATTACK_SECRET": scene.secret,
    }
    code = _GRADE.replace("([])", f"([], root=Path({str(scene.root)!r}))")
    started = time.monotonic()
    with (scene.root / "printed.txt").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", f"from pathlib import Path; {code}"],
            cwd=scene.root, env=environment, stdin=subprocess.DEVNULL, stdout=printed,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            report.code = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            report.find("", f"grading did not end within {limit:.0f} s")
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    report.seconds = time.monotonic() - started
    with (scene.root / "printed.txt").open("rb") as file:
        report.printed = file.read(LARGEST).decode("utf-8", "replace")
    if report.code is not None and report.code < 0:
        report.find("", f"the grader was killed by signal {-report.code}")


# --- what was touched ----------------------------------------------------------------------------


def _fingerprints(root: Path) -> dict[str, str]:
    """A hash of every file that grading must leave as it is."""
    kept = {}
    for top in ("source", "submitted", "nbgrader_config.py", "secret.txt", "home"):
        start = root / top
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            name = str(path.relative_to(root))
            if path.is_symlink():
                kept[name] = f"link to {os.readlink(path)}"
            elif path.is_file():
                kept[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif top != "home":
                kept[name] = "other"
    return kept


def _look_outside(
    scene: Scene, report: Report, before: dict[str, str], listener: Listener
) -> None:
    for path in sorted(scene.canaries.iterdir()):
        report.find(path.name, f"wrote the canary {path.name} outside of the sandbox")
    after = _fingerprints(scene.root)
    for name in sorted(before.keys() | after.keys()):
        of_tools = name.startswith("home/") and "write_outside" not in name
        if before.get(name) != after.get(name) and not of_tools:
            student = name.split("/")[1] if name.startswith("submitted/") else ""
            report.find(student, f"{name} was changed")
    for place in _left_in_shared_folders(scene):
        report.find(place.name.split("-")[0], f"left {place} on this machine")
    if listener.connections:
        report.find("network", f"connected to the network {listener.connections} times")
    if scene.secret in report.printed or "FOUND:" in report.printed:
        report.find("", "the grader's own output holds a secret")


def _left_in_shared_folders(scene: Scene) -> list[Path]:
    return [p for folder in _SHARED_FOLDERS for p in Path(folder).glob(f"*{scene.marker}*")]


def _look_for_processes(scene: Scene, report: Report) -> None:
    """Note and end whatever the grading has left running."""
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            words = process.cmdline()
            is_left = any(scene.marker in word for word in words) or (
                process.environ().get("DDPG_ATTACK_SECRET") == scene.secret
                or Path(process.cwd()).is_relative_to(scene.root)
            )
        except (psutil.Error, OSError):
            continue
        if is_left:
            report.find("", f"left running: {' '.join(words)[:150]}")
            try:
                process.kill()
            except psutil.Error:
                pass


# --- what was read -------------------------------------------------------------------------------


def _output_texts(path: Path) -> list[str]:
    """All texts among a notebook's outputs; none where there is no notebook."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # whatever an attack may have made of it
        return []
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return [str(output) for output in outputs]


def _look_at_results(scene: Scene, report: Report, student: str, unit: str) -> None:
    """Look for secrets and for active content in what grading made of a submission."""
    for output in _output_texts(scene.root / "autograded" / student / unit / f"{unit}.ipynb"):
        for words in re.findall(r"FOUND:[^\n\\]{0,120}", output)[:3]:
            report.find(student, f"read something: {words}")
    for top in ("autograded", "feedback"):
        for path in sorted((scene.root / top / student).rglob("*")):
            if not path.is_file():
                continue
            try:
                with path.open("rb") as file:
                    content = file.read(LARGEST)
            except OSError:
                continue
            if scene.secret.encode() in content or b"root:x:0:0" in content:
                report.find(student, f"a secret is in {top}/{path.name}")
    page = scene.root / "feedback" / student / unit / f"{unit}.html"
    honest = scene.root / "feedback" / "full" / unit / f"{unit}.html"
    usual = active_content(honest.read_text("utf-8")) if honest.is_file() else set()
    for path in sorted(page.parent.rglob("*")) if page.parent.is_dir() else []:
        if path.is_file() and path.suffix.lower() in (".html", ".htm", ".svg", ".xhtml"):
            with path.open(encoding="utf-8", errors="replace") as file:
                active = active_content(file.read(LARGEST))
            for what in sorted(active - usual)[:3]:
                report.find(student, f"active in feedback/{path.name}: {what[:120]}")


# --- points --------------------------------------------------------------------------------------


def _read_points(
    scene: Scene,
    report: Report,
    attacks: list[Attack],
    faults: list[Fault],
    honest: list[tuple[str, str]],
) -> None:
    asked = [(a.name, a.unit) for a in attacks] + [(f.name, CRITIC) for f in faults] + honest
    report.points = dict.fromkeys(asked)
    if not (scene.root / "gradebook.db").is_file():
        report.find("", "there is no gradebook")
        return
    with Gradebook(f"sqlite:///{scene.root}/gradebook.db") as book:
        for student, unit in asked:
            try:
                report.points[student, unit] = book.find_submission(unit, student).score
            except MissingEntry:
                pass


def _judge_attacks(scene: Scene, report: Report, attacks: list[Attack]) -> None:
    for a in attacks:
        points = report.points[a.name, a.unit] or 0.0
        if not points <= a.deserves:
            report.find(a.name, f"got {points:g} points and deserves {a.deserves:g} at most")
        if points < a.at_least:
            report.find(a.name, f"got {points:g} points and deserves {a.at_least:g} at least")
        _look_at_results(scene, report, a.name, a.unit)


def _judge_faults(scene: Scene, report: Report, faults: list[Fault]) -> None:
    for f in faults:
        points = report.points[f.name, CRITIC]
        least, most = f.points
        # What is exported for a submission that could not be graded is no points.
        graded = points is not None and least <= points <= most
        reason = f.says and re.search(f.says, _said_of(scene, report, f.name), re.IGNORECASE)
        ended = (
            (Ending.GRADED in f.endings and graded)
            or (Ending.PART in f.endings and graded and reason)
            or (Ending.NOT_GRADABLE in f.endings and not points and reason)
        )
        if not ended:
            wanted = " or ".join(e.value for e in f.endings)
            report.find(f.name, f"got {_number(points)} points; should end: {wanted}")
        _look_at_results(scene, report, f.name, CRITIC)


def _said_of(scene: Scene, report: Report, student: str) -> str:
    """What the grader printed about a student, and the feedback page's outputs."""
    lines = report.printed.splitlines()
    said = [
        "\n".join(lines[i : i + 3]).replace(student, "").replace(CRITIC, "")
        for i, line in enumerate(lines)
        if student in line
    ]
    autograded = scene.root / "autograded" / student / CRITIC / f"{CRITIC}.ipynb"
    return "\n".join([*said, *_output_texts(autograded)])


def _judge_honest(report: Report, honest: list[tuple[str, str]]) -> None:
    for student, unit in honest:
        points, right = report.points[student, unit], honest_points()[student][unit]
        if points != right:
            report.find(student, f"{unit}: got {_number(points)} points and deserves {right:g}")


# --- the table -----------------------------------------------------------------------------------


def table(report: Report, attacks: Iterable[Attack], faults: Iterable[Fault]) -> str:
    """What came of each attack and fault, a line each, and the findings."""
    lines = [f"{'attack':38} {'got':>5} {'deserves':>8}  tries"]
    for a in attacks:
        got = _number(report.points[a.name, a.unit])
        sign = "!" if report.findings.get(a.name) else " "
        lines.append(f"{sign}{a.name:37} {got:>5} {a.deserves:>8g}  {a.family}: {a.tries}")
    for f in faults:
        got, (least, most) = _number(report.points[f.name, CRITIC]), f.points
        may = f"{most:g}" if least == most else f"{least:g}-{most:g}"
        sign = "!" if report.findings.get(f.name) else " "
        lines.append(f"{sign}{f.name:37} {got:>5} {may:>8}  fault: {f.what}")
    lines.append("")
    for student, findings in sorted(report.findings.items()):
        lines += [f"{student or 'all'}: {what}" for what in findings]
    count = sum(map(len, report.findings.values()))
    lines.append(f"{count} findings; grading took {report.seconds:.0f} s.")
    return "\n".join(lines)


def _number(points: float | None) -> str:
    return "-" if points is None else f"{points:g}"


def _remove(path: Path) -> None:
    """Remove a file or folder, a read-only one too."""
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
