"""The sandbox in which a student's code runs while grading, made with bubblewrap.

Inside it there is the student edition of the package with the libraries it needs, read-only, and
nothing of the course: no source, gradebook, submissions, instructor's edition, network, home or
environment. ``warm.py`` waits in it and forks a kernel for each submission.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from ddpg_helpers.instructor.course.student_edition import student_python

WARM = Path(__file__).with_name("warm.py")
# System folders that programs need; what else there is, is not to be seen.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache",
    "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/fonts", "/etc/localtime",
    "/nix/store",
)  # fmt: skip
START_SECONDS = 120  # for importing torch and the rest, on a busy machine


class SandboxError(RuntimeError):
    """There is no sandbox, or it could not be started; says what to do."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    memory_megabytes: int = 2048  # all its processes together
    processes: int = 128  # threads included
    cpu_seconds: int = 600
    disk_megabytes: int = 128


@cache
def bubblewrap() -> str | None:
    """The path of a bubblewrap that works here, None where there is none."""
    found = shutil.which("bwrap")
    if found is None or sys.platform != "linux":
        return None
    mounts = [part for path in SYSTEM if Path(path).exists() for part in ("--ro-bind", path, path)]
    done = subprocess.run(
        [found, *_namespaces(), *mounts, "--proc", "/proc", "--dev", "/dev", "true"],
        capture_output=True,
    )
    return found if done.returncode == 0 else None


def _namespaces() -> list[str]:
    """All but the user namespace are new; for an ordinary user that one is new as well."""
    capabilities = ["CAP_SYS_ADMIN", "CAP_SETPCAP", "CAP_DAC_OVERRIDE"]
    if os.geteuid() == 0:
        capabilities += ["CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_KILL"]
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    if os.geteuid() != 0:
        options.append("--unshare-user")
    for capability in capabilities:
        options += ["--cap-add", capability]
    return [*options, "--die-with-parent", "--new-session"]


class WarmProcess:
    """A process inside the sandbox that forks kernels; one at a time.

    It imports what kernels need while its maker goes on; the first request waits for it.

    Args:
        limits: what each kernel may use.
        folder: where the exchange folder is made; among the system's temporary files if None.

    Attributes:
        exchange: the folder on this side in which a kernel's sockets and files lie.
        killed_for_memory: whether the present kernel was ended because it used too much.
    """

    WATCH_SECONDS = 0.2

    def __init__(self, limits: Limits, folder: str | None = None) -> None:
        self.limits = limits
        self.exchange = Path(tempfile.mkdtemp(prefix="ddpg-", dir=folder))
        self.killed_for_memory = False
        self._kernels = 0
        self._inherited = 0.0  # megabytes that are in use before a kernel runs anything
        self._lock = threading.Lock()
        self._ready = False
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            text=True, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    def _command(self) -> list[str]:
        python = student_python()
        command = [bubblewrap() or "bwrap", *_namespaces(), "--clearenv"]
        places = [*SYSTEM, sys.base_prefix, sys.prefix, str(python.parent.parent)]
        for path in dict.fromkeys(places):
            for parent in reversed(Path(path).parents[:-1]):
                command += ["--perms", "0755", "--dir", str(parent)]
            if os.path.islink(path):
                command += ["--symlink", os.readlink(path), path]
            elif os.path.exists(path):
                command += ["--ro-bind", path, path]
        installed = Path(sysconfig.get_path("purelib"), "ddpg_helpers")
        if installed.exists():  # the instructor's edition
            command += ["--tmpfs", str(installed)]
        for name, value in _environment().items():
            command += ["--setenv", name, value]
        settings = {
            **asdict(self.limits),
            # Started by root, each sandbox has a user of its own that exists nowhere else.
            "uid": 0x70000000 + os.getpid() if os.geteuid() == 0 else None,
            "environment": _environment(),
        }
        return [
            *command, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm",
            "--tmpfs", "/sandbox", "--dir", "/sandbox/tmp", "--perms", "0755", "--dir", "/tmp",
            "--bind", str(self.exchange), "/exchange", "--ro-bind", str(WARM), "/warm.py",
            "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/",
            str(python), "/warm.py", json.dumps(settings),
        ]  # fmt: skip

    def _wait_for_ready(self) -> None:
        timer = threading.Timer(START_SECONDS, self._process.kill)
        timer.start()
        try:
            self._ready = bool(self._read())
        finally:
            timer.cancel()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            said = self.log().strip().splitlines()
            self.close()
            raise SandboxError(
                f"the sandbox could not be started ({said[-1] if said else 'no reason given'})"
            )
        return json.loads(line)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if not self._ready:
                self._wait_for_ready()
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return self._read()

    # --- kernels -----------------------------------------------------------------------------

    def new_folder(self) -> Path:
        """Make the folder of the next kernel, for its ``kernel.json`` and its ``files``."""
        self._kernels += 1
        folder = self.exchange / str(self._kernels)
        folder.mkdir()
        return folder

    def start(self, folder: Path) -> None:
        """Fork a kernel for a folder; the one before must have ended."""
        self.killed_for_memory = False
        if not self._ask({"start": folder.name})["pid"]:
            raise SandboxError("a kernel could not be started in the sandbox")
        self._inherited = self._megabytes()
        threading.Thread(target=self._watch, args=(self._kernels,), daemon=True).start()

    def log(self) -> str:
        """What the processes inside said on their way to a running kernel."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def signal(self, number: int) -> None:
        """Send the kernel a signal."""
        self._ask({"signal": number})

    def poll(self) -> int | None:
        """The exit status of the kernel, None while it runs."""
        return self._ask({"poll": True})["status"]

    def close(self) -> None:
        """End the sandbox and all that runs in it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            pipe.close()
        shutil.rmtree(self.exchange, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Whether the warm process itself runs."""
        return self._process.poll() is None

    def _watch(self, kernel: int) -> None:
        """End the kernel when its processes together use too much memory."""
        while kernel == self._kernels:
            time.sleep(self.WATCH_SECONDS)
            try:
                if kernel != self._kernels or self.poll() is not None:
                    return
                if self._megabytes() - self._inherited > self.limits.memory_megabytes:
                    self.killed_for_memory = True
                    self.signal(9)
                    return
            except (SandboxError, ValueError, OSError):
                return

    def _megabytes(self) -> float:
        """The memory of all processes inside. What a fork shares with its parent counts twice."""
        try:
            inside = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return 0.0
        total = 0.0
        for process in inside:
            try:
                used = process.memory_info()
                total += max(used.rss - used.shared, 0)
            except psutil.NoSuchProcess:
                continue
        return total / 2**20


def _environment() -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": "/sandbox/tmp",
        "IPYTHONDIR": "/sandbox/tmp/ipython",
        "MPLCONFIGDIR": "/sandbox/tmp/matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "NBGRADER_EXECUTION": "autograde",
        "OMP_NUM_THREADS": "1",  # the networks are small: more threads only wait
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # the same order of sets in every sandbox
    }
