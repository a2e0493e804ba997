"""The kernels in which a student's code runs: the student edition, nothing else."""

import asyncio
import atexit
import json
import os
import shutil
import signal
import stat
import tempfile
import time
from pathlib import Path
from queue import Empty
from types import ModuleType
from typing import Any

import psutil
import zmq
import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from ddpg_helpers.instructor.course.student_edition import student_python
from ddpg_helpers.instructor.grading.sandbox import Limits, SandboxError, WarmProcess

resource: ModuleType | None
try:
    import resource
except ImportError:  # on Windows
    resource = None

# Variables that a student's kernel keeps from the grader's environment, outside a sandbox.
KEPT_VARIABLES = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR",
    "USERPROFILE",
)  # fmt: skip
MAX_MESSAGE_BYTES = 32_000_000  # a longer message ends the connection to the kernel
SEND_MILLISECONDS = 5000
MAX_WAITING = 30  # messages that wait here; more wait in the kernel, and are dropped there


class StudentKernelClient(AsyncKernelClient):
    """Reads no message of endless size, and is ready as soon as the kernel is heard."""

    def _create_connected_socket(self, *args: Any, **kwargs: Any) -> Any:
        """Not part of jupyter_client's interface: where a channel's socket is made."""
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.context.setsockopt(zmq.RCVHWM, MAX_WAITING)
        # A kernel that reads nothing, or has closed its sockets, must not hold up who writes to it.
        self.context.setsockopt(zmq.SNDTIMEO, SEND_MILLISECONDS)
        self.context.setsockopt(zmq.LINGER, 0)
        return super()._create_connected_socket(*args, **kwargs)

    def start_channels(self, *args: Any, **kwargs: Any) -> None:
        """Without a heartbeat: the kernel's process is watched."""
        super().start_channels(*args, **{**kwargs, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its outputs arrive."""
        deadline = time.monotonic() + (60 if timeout is None else timeout)
        answered = heard = False
        self.kernel_info()
        while not (answered and heard):
            for get, seconds in ((self.get_shell_msg, 0.5), (self.get_iopub_msg, 0.02)):
                try:
                    message = await get(timeout=seconds)
                except Empty:
                    continue
                if message["msg_type"] == "kernel_info_reply":
                    answered = True
                elif message["parent_header"].get("msg_type") == "kernel_info_request":
                    heard = True
            if not (answered and heard):
                if not await self.parent.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info")
                if time.monotonic() > deadline:
                    raise RuntimeError("Kernel didn't respond in time")
                if answered:  # the outputs' channel was not there yet: make another one
                    self.kernel_info()


class StudentKernelManager(AsyncKernelManager):
    """Starts kernels of the student edition, on sockets in a private folder instead of TCP ports.

    Whatever kernel a notebook asks for, it gets this one. By default it is no boundary: the kernel
    is a process of the user who grades.

    Attributes:
        limits: what each process of the kernel may use, as far as the platform can limit it; None
            for the instructor's own notebooks.
        variables: of the kernel's environment, besides those that it always has.
        uid: number of the user who runs the kernel, who owns nothing and runs nothing else; only
            root can start such a kernel. None for the user who grades.
    """

    client_class = f"{__name__}.StudentKernelClient"
    client_factory = StudentKernelClient
    limits: Limits | None = None
    uid: int | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.variables: dict[str, str] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="ddpg-"))
        if os.name != "nt":
            self.transport = "ipc"
        self.connection_file = str(self._folder / "kernel.json")

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one kernel that there is."""
        return KernelSpec(
            argv=[str(student_python()), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="DDPG course, student edition",
            language="python",
        )

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        kwargs["env"] = {
            **kept,
            **self.variables,
            "IPYTHONDIR": str(self._folder / "ipython"),
            "MPLCONFIGDIR": str(self._folder / "matplotlib"),
            "OMP_NUM_THREADS": "1",  # the networks are small: more threads only wait
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if self.uid is not None:
            kwargs |= {"user": self.uid, "group": self.uid, "extra_groups": []}
            home = self._folder / "work"
            shutil.rmtree(home, ignore_errors=True)
            copy_files(Path(kwargs["cwd"]), home, self.limits.disk_megabytes * 2**20)
            kwargs["cwd"] = str(home)
            kwargs["env"] |= {"HOME": str(home), "TMPDIR": str(self._folder), "USER": "student"}
        command, kwargs = await super()._async_pre_start_kernel(**kwargs)
        if self.uid is not None:
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, self.uid, self.uid)
        return command, kwargs

    pre_start_kernel = _async_pre_start_kernel

    async def _async_post_start_kernel(self, **kwargs: Any) -> None:
        await super()._async_post_start_kernel(**kwargs)
        if self.limits is not None:
            limit_process(self.provisioner.pid, self.limits, processes=self.uid is not None)

    post_start_kernel = _async_post_start_kernel

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if self.uid is not None:
            end_processes(self.uid)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


def limit_process(pid: int, limits: Limits, *, processes: bool) -> None:
    """Limit what a process and those it starts may use each, where the platform can.

    Args:
        pid: of the process.
        limits: of them, what the platform can limit.
        processes: whether to limit the number of processes as well: all those of its user.
    """
    if not hasattr(resource, "prlimit"):
        return
    chosen = {
        resource.RLIMIT_DATA: limits.memory_megabytes * 2**20,
        resource.RLIMIT_FSIZE: limits.disk_megabytes * 2**20,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_CORE: 0,
    }
    if processes:
        chosen[resource.RLIMIT_NPROC] = limits.processes
    for limit, value in chosen.items():
        try:
            resource.prlimit(pid, limit, (value, value))
        except (PermissionError, ValueError):  # it is lower already
            continue
        except ProcessLookupError:
            return


def end_processes(uid: int) -> None:
    """End all processes of a user, those too that they start meanwhile."""
    for _ in range(100):
        found = [p for p in psutil.process_iter(["uids"]) if p.info["uids"].real == uid]
        if not found:
            return
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(found, timeout=1)


class SandboxedKernelManager(AsyncKernelManager):
    """Starts kernels of the student edition inside the sandbox.

    Attributes:
        limits: what each kernel may use.
    """

    client_class = f"{__name__}.StudentKernelClient"
    client_factory = StudentKernelClient
    limits = Limits()

    def __init__(self, **kwargs: Any) -> None:
        # One context for all kernels: to end one takes a quarter of a second.
        super().__init__(**{**kwargs, "context": zmq.asyncio.Context.instance()})

    def client(self, **kwargs: Any) -> StudentKernelClient:
        """Get a client for the kernel, in the same context."""
        return super().client(**{"context": self.context, **kwargs})

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one kernel that there is."""
        return KernelSpec(argv=[], display_name="DDPG course, sandboxed", language="python")

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        self.transport = "ipc"
        if self.provisioner is None:
            self.provisioner = SandboxProvisioner(
                kernel_id="student", kernel_spec=self.kernel_spec, parent=self
            )
        return await super()._async_pre_start_kernel(**kwargs)

    pre_start_kernel = _async_pre_start_kernel


class SandboxProvisioner(KernelProvisionerBase):
    """Has the warm process of this one fork a kernel."""

    _folder: Path | None = None
    _status: int | None = None
    _running = False

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started and not yet waited for."""
        return self._running

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Make the kernel's folder, with a copy of the submission's files."""
        manager = self.parent
        self._warm = warm_process(manager.limits)
        self._folder = self._warm.new_folder()
        manager.ip = str(self._folder / "kernel")
        for number, channel in enumerate(("shell", "iopub", "stdin", "hb", "control"), start=1):
            setattr(manager, f"{channel}_port", number)
        self.connection_info = manager.get_connection_info()
        connection = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in self.connection_info.items()
        }
        (self._folder / "kernel.json").write_text(json.dumps(connection))
        if kwargs.get("cwd"):
            budget = manager.limits.disk_megabytes * 2**20 // 2
            copy_files(Path(kwargs.pop("cwd")), self._folder / "files", budget)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Fork the kernel."""
        self._status = None
        self._warm.start(self._folder)
        self._running = True
        return self.connection_info

    async def poll(self) -> int | None:
        """The exit status of the kernel, None while it runs."""
        if self._running and self._status is None:
            try:
                self._status = self._warm.poll()
            except (SandboxError, OSError, ValueError):
                self._status = 137
        return self._status

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        while await self.poll() is None:
            await asyncio.sleep(0.005)
        self._running = False
        return self._status

    async def send_signal(self, signum: int) -> None:
        """Send the kernel a signal, if it runs."""
        if await self.poll() is None:
            self._warm.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel, and with it all that it started."""
        await self.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 5
        while await self.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)

    async def terminate(self, restart: bool = False) -> None:
        """The same: nothing of a student's kernel needs saving."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the kernel's folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def killed_for_memory(self) -> bool:
        """Whether the kernel was ended because it used too much memory."""
        return self._warm.killed_for_memory


EXCHANGE: str | None = None  # folder for the sandbox's exchange folder; the system's if None
_warm: WarmProcess | None = None


def warm_process(limits: Limits) -> WarmProcess:
    """The warm process of this process; started on first use, and again if it has ended."""
    global _warm
    usable = _warm is not None and _warm.alive and _warm.exchange.is_dir()
    if not usable or _warm.limits != limits:
        end_warm_process()
    if _warm is None:
        _warm = WarmProcess(limits, EXCHANGE)
    return _warm


@atexit.register
def end_warm_process() -> None:
    """End the warm process, if there is one."""
    global _warm
    if _warm is not None:
        _warm.close()
    _warm = None


def copy_files(source: Path, target: Path, budget: int) -> None:
    """Copy plain files and folders, no links and nothing special, as far as the bytes go."""
    target.mkdir()
    for folder, folders, files in os.walk(source):
        folders.sort()
        inside = target / os.path.relpath(folder, source)
        for name in folders:
            if not Path(folder, name).is_symlink():
                (inside / name).mkdir(exist_ok=True)
        for name in sorted(files):
            path = Path(folder, name)
            about = path.lstat()
            if not stat.S_ISREG(about.st_mode) or about.st_size > budget:
                continue
            budget -= about.st_size
            shutil.copyfile(path, inside / name)
