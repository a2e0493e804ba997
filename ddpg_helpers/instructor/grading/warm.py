"""The warm process: waits inside the sandbox with torch imported, and forks one kernel at a time.

It runs as a script with the student edition's Python and imports nothing of the instructor's. It
reads one JSON line a request from standard input and answers with one on standard output:

- {"start": "7"} forks a kernel for the folder /exchange/7; answers {"pid": ...}
- {"signal": 2} sends the kernel a signal
- {"poll": true} answers {"status": null}, or the exit status of the kernel that has ended

No student code runs in this process. A forked kernel gets namespaces of its own (mounts, processes,
network, IPC), empty temporary file systems as the only places to write to, limits, and no
privileges, before it reads anything of the student's.
"""

import ctypes
import errno
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import socket
import sys

PRELOADED = (
    "torch", "torch.nn.functional", "torch.optim", "numpy", "pandas", "scipy.stats", "gymnasium",
    "gymnasium.envs.classic_control", "matplotlib.pyplot",
    "contourpy", "PIL.PngImagePlugin", "IPython.core.interactiveshell", "IPython.core.completer",
    "IPython.core.ultratb", "stack_data", "executing", "pygments.lexers.python",
    "pygments.formatters.terminal256", "ipykernel.kernelapp", "ipykernel.ipkernel",
    "ipykernel.zmqshell", "zmq.asyncio", "tqdm", "joblib",
    "ddpg_helpers.checks.remote", "ddpg_helpers.checks.visible", "ddpg_helpers.comparison",
    "ddpg_helpers.environments", "ddpg_helpers.experiments", "ddpg_helpers.glossary",
    "ddpg_helpers.memory", "ddpg_helpers.networks", "ddpg_helpers.noise", "ddpg_helpers.plotting",
    "ddpg_helpers.training",
    "torch._dynamo",  # takes a second, and every optimiser imports it on its first call
)  # fmt: skip
CHANNELS = ("shell", "iopub", "stdin", "hb", "control")
SANDBOX = "/sandbox"  # the one place where a kernel can write
WORK, TEMPORARY = f"{SANDBOX}/work", f"{SANDBOX}/tmp"

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 0x4000, 0x40000
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Import, say that all is ready, and serve requests until the other side goes away."""
    settings = json.loads(sys.argv[1])
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()  # kernels share these pages as long as no collector goes through them
    _answer({"ready": True})
    kernel = None  # (pid of its first process, pid of the one that waits for it)
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            kernel = _start(request["start"], settings)
            _answer({"pid": kernel[0]})
        elif "signal" in request:
            try:
                os.kill(kernel[0], request["signal"])
            except ProcessLookupError:
                pass
            _answer({})
        else:
            _answer({"status": _status(kernel[1])})


def _answer(content: dict) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


_ended: dict[int, int] = {}


def _status(waiter: int) -> int | None:
    if waiter not in _ended:
        pid, status = os.waitpid(waiter, os.WNOHANG)
        if pid:
            _ended[waiter] = os.waitstatus_to_exitcode(status)
    return _ended.get(waiter)


def _start(name: str, settings: dict) -> tuple[int, int]:
    """Fork a kernel into namespaces of its own; return its process id and its waiter's."""
    read, write = os.pipe()
    waiter = os.fork()
    if waiter == 0:
        try:
            os.close(read)
            _call("unshare", CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC)
            kernel = os.fork()  # the first process of the new namespace: with it all others end
            if kernel == 0:
                os.close(write)
                _become_kernel(name, settings)
            os.write(write, str(kernel).encode())
            os.close(write)
            _, status = os.waitpid(kernel, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        except BaseException as error:
            print(f"a kernel could not be started: {error!r}", file=sys.stderr, flush=True)
            os._exit(70)
    os.close(write)
    with os.fdopen(read) as pipe:
        return int(pipe.read() or 0), waiter


def _become_kernel(name: str, settings: dict) -> None:
    """Close the doors, then turn into a kernel that serves its five sockets until it ends."""
    try:
        exchange = f"/exchange/{name}"
        with open("/proc/self/statm") as file:
            in_use = int(file.read().split()[0]) * resource.getpagesize()
        with open(f"{exchange}/kernel.json") as file:
            connection = json.load(file)
        sockets = _bind(exchange)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1):
            os.dup2(nowhere, descriptor)
        kept = {nowhere, *(one.fileno() for one in sockets.values())}
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor > 2 and descriptor not in kept:
                _close(descriptor)
        _mount_folders(exchange, settings)
        _limit(settings, in_use)
        _drop_privileges(settings["uid"])
        os.environ.clear()
        os.environ.update(settings["environment"], HOME=WORK)
        os.chdir(WORK)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
        _serve(connection, sockets, nowhere)
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(71)


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # that of the listing itself
        pass


def _bind(exchange: str) -> dict[str, socket.socket]:
    """Open the five sockets; the folder that they lie in is out of the student's sight later."""
    sockets = {}
    for number, channel in enumerate(CHANNELS, start=1):
        sockets[channel] = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sockets[channel].bind(f"{exchange}/kernel-{number}")
        sockets[channel].listen(128)
        sockets[channel].setblocking(False)
    return sockets


def _mount_folders(exchange: str, settings: dict) -> None:
    uid = settings["uid"]
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    options = f"size={settings['disk_megabytes']}m,nr_inodes=20000,mode=755"
    _mount("tmpfs", SANDBOX, "tmpfs", MS_NOSUID | MS_NODEV, options)
    for folder in (WORK, TEMPORARY):
        os.mkdir(folder)
    if os.path.isdir(f"{exchange}/files"):
        shutil.copytree(f"{exchange}/files", WORK, dirs_exist_ok=True, symlinks=True)
    _mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, options.replace("755", "1777"))
    # Nothing of the exchange folder, other kernels' sockets included, is to be seen.
    _mount("tmpfs", "/exchange", "tmpfs", MS_RDONLY, "size=4k")
    for folder, folders, files in os.walk(SANDBOX):
        for entry in (folder, *(os.path.join(folder, one) for one in (*folders, *files))):
            if uid is not None:
                os.lchown(entry, uid, uid)
    try:
        _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        # An unprivileged user may not mount another proc: then there is none.
        _mount("tmpfs", "/proc", "tmpfs", MS_RDONLY, "size=4k")


def _limit(settings: dict, in_use: int) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, in_use + settings["memory_megabytes"] * 2**20),
        (resource.RLIMIT_NPROC, settings["processes"]),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, settings["disk_megabytes"] * 2**20),
        (resource.RLIMIT_CPU, settings["cpu_seconds"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 2**16),
        (resource.RLIMIT_MSGQUEUE, 2**16),
        (resource.RLIMIT_SIGPENDING, 1024),
    ):
        resource.setrlimit(limit, (value, value))


def _drop_privileges(uid: int | None) -> None:
    """Leave every capability, for good, while there is one thread only."""
    last = 40
    for capability in range(last + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if uid is not None:  # started by root: become nobody that exists
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _seed() -> None:
    """The same random numbers in every kernel, so that a grading can be made again."""
    import random

    import numpy
    import torch

    random.seed(0)
    numpy.random.seed(0)  # noqa: NPY002  (a student may use numpy's old functions)
    torch.manual_seed(0)


def _serve(connection: dict, sockets: dict[str, socket.socket], nowhere: int) -> None:
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    numbers = {number: sockets[name].fileno() for number, name in enumerate(CHANNELS, start=1)}

    class SandboxedKernelApp(IPKernelApp):
        """Takes the sockets that are open already."""

        def _try_bind_socket(self, s: zmq.Socket, port: int) -> int:
            s.setsockopt(zmq.USE_FD, numbers[port])
            s.bind(f"ipc://{self.ip}-{port}")
            return port

        def init_heartbeat(self) -> None:
            """Nobody listens to the heartbeat: the process itself is watched."""

        def init_poller(self) -> None:
            """The parent process is not to be seen from here."""

    with open(f"{TEMPORARY}/kernel.json", "w") as file:
        json.dump({**connection, "ip": f"{TEMPORARY}/kernel"}, file)
    app = SandboxedKernelApp.instance()
    app.initialize(["-f", f"{TEMPORARY}/kernel.json", "--HistoryManager.hist_file=:memory:"])
    _seed()
    os.dup2(nowhere, 2)  # from here on, what the kernel says goes through its sockets alone
    app.start()


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    _call(
        "mount", source.encode(), target.encode(), kind.encode() if kind else None, flags,
        options.encode() or None,
    )  # fmt: skip


def _call(function: str, *arguments: object) -> None:
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
