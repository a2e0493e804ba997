"""How fast a class is graded, against plain ``nbgrader autograde`` in its default configuration.

Both grade the same notebooks on the same machine, as whole processes. The class is made up of the
sample class's submissions to units 04 and 05, over and over, under other names. Plain nbgrader
grades the first of them (--plain), since it takes several seconds for each.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("04_critic_loss", "05_actor_loss")
# Those that end by themselves: one that hangs measures a time limit.
STUDENTS = {
    "04_critic_loss": ("full", "half", "mask_missing", "flat_target", "online_critic_in_target"),
    "05_actor_loss": ("full", "half", "wrong_sign"),
}


def lay_out(root: Path, size: int, units: tuple[str, ...] = UNITS) -> None:
    """Write a course whose class handed in ``size`` submissions, as many to each unit."""
    for unit in units:
        shutil.copytree(ROOT / "source" / unit, root / "source" / unit)
        for number, student in enumerate(islice(cycle(STUDENTS[unit]), size // len(units))):
            sample = ROOT / "tests" / "sample_class" / student / unit
            shutil.copytree(sample, root / "submitted" / f"s{number:05}" / unit)


@dataclass
class Memory:
    """Megabytes, looked at every five seconds.

    Attributes:
        worker: the largest process that judges.
        sandbox: the largest process in a sandbox, what it shares with others included.
        early: the most that all processes together used in the first half of the time; what two
            processes share counts half for each.
        late: the same in the second half.
    """

    worker: float = 0.0
    sandbox: float = 0.0
    early: float = 0.0
    late: float = 0.0


def timed(command: list[str], root: Path) -> tuple[float, Memory]:
    """Run a command; return its seconds, and its processes' memory."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    memory, totals = Memory(), []
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=said, stderr=said)
        while True:
            try:
                process.wait(5)
                break
            except subprocess.TimeoutExpired:
                totals.append(_look(process.pid, memory))
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{said.read().decode()[-2000:]}")
    half = len(totals) // 2
    memory.early, memory.late = (max(part, default=0.0) for part in (totals[:half], totals[half:]))
    return seconds, memory


def _look(pid: int, memory: Memory) -> float:
    """Note the memory of a process's family; return its total."""
    total = 0.0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in family:
        try:
            command, used = process.cmdline(), process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        total += used.pss / 2**20
        kind = "sandbox" if "/warm.py" in command else "worker"
        setattr(memory, kind, max(getattr(memory, kind), used.rss / 2**20))
    return total


def plain(size: int) -> float:
    """Seconds a submission with plain nbgrader."""
    seconds = 0.0
    for unit in UNITS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            lay_out(root, size // len(UNITS), (unit,))
            nbgrader = [sys.executable, "-m", "nbgrader"]
            timed([*nbgrader, "generate_assignment", unit], root)
            seconds += timed([*nbgrader, "autograde", unit], root)[0]
    return seconds / size


def course(size: int, jobs: int) -> tuple[float, float, Memory]:
    """Seconds a submission, seconds of a second grading, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay_out(root, size)
        shutil.copy(ROOT / "nbgrader_config.py", root)
        grade = (
            "from pathlib import Path\n"
            "from ddpg_helpers.instructor.course.grade import grade_class\n"
            f"grade_class([], root=Path({str(root)!r}), jobs={jobs}, require_sandbox=True)"
        )
        first, memory = timed([sys.executable, "-c", grade], root)
        again, _ = timed([sys.executable, "-c", grade], root)
    return first / size, again, memory


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=60, help="submissions of the class")
    parser.add_argument("--plain", type=int, default=16, help="of which plain nbgrader grades")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    chosen = parser.parse_args()
    slow = plain(chosen.plain)
    print(f"plain nbgrader autograde: {slow:.2f} s a submission ({chosen.plain} submissions)")
    alone = None
    for jobs in chosen.jobs:
        fast, again, memory = course(chosen.size, jobs)
        alone = fast if alone is None else alone
        print(
            f"ddpg-course grade, {jobs} workers, sandbox, judge and feedback pages: {fast:.2f} s a "
            f"submission, {slow / fast:.1f} x plain; efficiency {alone / fast / jobs:.0%}; again "
            f"without a change {again / (fast * chosen.size):.0%} of the first\n"
            f"  memory: a judging process {memory.worker:.0f} MB, one in a sandbox "
            f"{memory.sandbox:.0f} MB; all together {memory.early:.0f} MB in the first half, "
            f"{memory.late:.0f} MB in the second", flush=True,
        )  # fmt: skip
    command = [str(Path(sys.executable).with_name("ddpg-course")), "--help"]
    seconds = min(timed(command, ROOT)[0] for _ in range(5))
    print(f"ddpg-course --help: {seconds:.2f} s")


if __name__ == "__main__":
    main()
