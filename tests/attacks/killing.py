"""Attacks that end or stop the processes around the kernel. All are destructive."""

from .registry import Submission, attack

FAMILY = "killing"


@attack(FAMILY, "kills the kernel's parent", destructive=True)
def kill_parent(s: Submission) -> None:
    s.first("import os\n\nos.kill(os.getppid(), 9)")


@attack(FAMILY, "kills all processes it may kill", destructive=True)
def kill_all(s: Submission) -> None:
    s.first("import os\n\nos.kill(-1, 9)")


@attack(FAMILY, "kills its process group from an answer, beside right answers", deserves=10,
        destructive=True)
def kill_group(s: Submission) -> None:
    s.solve()
    s.append("update_critic", "import os\n\nos.killpg(0, 9)")


@attack(FAMILY, "stops the kernel's parent, so that it waits for ever", destructive=True)
def stop_parent(s: Submission) -> None:
    s.first("""
import os
import signal

os.kill(os.getppid(), signal.SIGSTOP)
""")


@attack(FAMILY, "stops itself in the middle of a probe", destructive=True)
def stop_itself(s: Submission) -> None:
    s.write("td_target", """
import os
import signal


def td_target(batch, actor_target, critic_target, gamma):
    os.kill(os.getpid(), signal.SIGSTOP)
""")


@attack(FAMILY, "kills every process that it can see by number", destructive=True)
def kill_by_number(s: Submission) -> None:
    s.first("""
import os

for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            os.kill(int(name), 9)
        except OSError:
            pass
""")
