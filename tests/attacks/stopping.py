"""Attacks that hang the kernel or end it at a bad moment."""

from .registry import Submission, attack

FAMILY = "stopping"

_TD = "def td_target(batch, actor_target, critic_target, gamma):\n"


@attack(FAMILY, "a loop that swallows interrupts")
def loop_that_swallows_interrupts(s: Submission) -> None:
    s.write("td_target", _TD + """
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
""")


@attack(FAMILY, "ignores signals and sleeps in an answer", deserves=7, at_least=7)
def deaf_sleep(s: Submission) -> None:
    s.solve("td_target", "critic_loss")
    s.write("update_critic", """
import signal
import time


def update_critic(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1000)
""")


@attack(FAMILY, "hangs in compiled code, where no interrupt is looked at")
def hang_in_compiled_code(s: Submission) -> None:
    s.write("td_target", _TD + """
    import re

    return re.match(r"(a|a)*b", "a" * 60)
""")


@attack(FAMILY, "sys.exit in an answer", deserves=7, at_least=7)
def system_exit(s: Submission) -> None:
    s.solve("td_target", "critic_loss")
    s.write("update_critic", """
def update_critic(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    import sys

    sys.exit(0)
""")


@attack(FAMILY, "os._exit with the code of success in every answer")
def hard_exit(s: Submission) -> None:
    s.write("td_target", _TD + "    import os\n\n    os._exit(0)")


@attack(FAMILY, "a segmentation fault beside right answers", deserves=7, at_least=7)
def segmentation_fault(s: Submission) -> None:
    s.solve("td_target", "critic_loss")
    s.write("update_critic", """
def update_critic(batch, critic, critic_optimizer, actor_target, critic_target, gamma):
    import ctypes

    ctypes.string_at(0)
""")


@attack(FAMILY, "closes every file descriptor, the sockets too")
def closed_descriptors(s: Submission) -> None:
    s.write("td_target", _TD + """
    import os

    os.closerange(0, 4096)
    return None
""")


@attack(FAMILY, "stops the kernel's event loop in an answer")
def stopped_event_loop(s: Submission) -> None:
    s.write("td_target", _TD + """
    import asyncio

    kernel = get_ipython().kernel
    for stop in (lambda: kernel.io_loop.stop(), lambda: asyncio.get_event_loop().stop(),
                 lambda: kernel.shell_channel_thread.io_loop.stop()):
        try:
            stop()
        except Exception:
            pass
    return None
""")


@attack(FAMILY, "asks the kernel to quit after the first test")
def polite_quit(s: Submission) -> None:
    s.first("""
get_ipython().events.register("post_execute", lambda: get_ipython().ask_exit())
""")


@attack(FAMILY, "a timer interrupts whatever runs, again and again")
def interval_timer(s: Submission) -> None:
    s.first("""
import signal

signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
""")


@attack(FAMILY, "never more than a second below any limit: each cell sleeps for a while",
        deserves=10)
def slow_cells(s: Submission) -> None:
    s.solve()
    s.first("""
import time

get_ipython().events.register("pre_execute", lambda: time.sleep(2))
""")


@attack(FAMILY, "recursion until the interpreter's stack is gone")
def stack_overflow(s: Submission) -> None:
    s.write("td_target", _TD + """
    import sys

    sys.setrecursionlimit(10**9)
    deep = lambda n: deep(n + 1) + 1
    return deep(0)
""")
