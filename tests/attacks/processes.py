"""Attacks with processes that outlive the kernel."""

from .registry import Submission, attack

FAMILY = "processes"


@attack(FAMILY, "a daemon, twice forked, in a session of its own")
def double_fork(s: Submission) -> None:
    s.first("""
import os
import sys

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(900)", "@MARKER@"])
    os._exit(0)
""")


@attack(FAMILY, "a process in a new session, with the kernel's outputs left open")
def new_session(s: Submission) -> None:
    s.first("""
import subprocess
import sys

subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(900)", "@MARKER@"], start_new_session=True
)
""")


@attack(FAMILY, "a process that ignores every signal it can")
def deaf_process(s: Submission) -> None:
    s.first("""
import subprocess
import sys

code = '''
import signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
time.sleep(900)
'''
subprocess.Popen([sys.executable, "-c", code, "@MARKER@"], start_new_session=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
""")


@attack(FAMILY, "two processes that start each other anew when one is ended")
def hydra(s: Submission) -> None:
    s.first("""
import subprocess
import sys

code = '''
import subprocess, sys, time
until = float(sys.argv[2])
while time.time() < until:
    head = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(900)", sys.argv[1]])
    head.wait(timeout=900)
    time.sleep(0.2)
'''
import time

subprocess.Popen([sys.executable, "-c", code, "@MARKER@", str(time.time() + 600)],
                 start_new_session=True)
""")


@attack(FAMILY, "a process waits until grading is over, then writes outside")
def late_writer(s: Submission) -> None:
    s.first("""
import subprocess
import sys

code = '''
import time
for _ in range(100):
    time.sleep(3)
    for place in ("@CANARIES@/late_writer", "@ROOT@/submitted/late_writer"):
        try:
            open(place, "w").write("x")
        except OSError:
            pass
'''
subprocess.Popen([sys.executable, "-c", code, "@MARKER@"], start_new_session=True)
""")


@attack(FAMILY, "threads and exit handlers that keep the kernel from ending")
def kernel_that_stays(s: Submission) -> None:
    s.first("""
import atexit
import signal
import sys
import threading
import time

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
atexit.register(time.sleep, 900)
threading.Thread(target=time.sleep, args=(900,)).start()
""")
