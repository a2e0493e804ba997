"""Bombs: too many processes, threads and files; too much memory, disk and output.

Each has a bound, far above what any honest answer needs, so that a machine without a sandbox is
slowed but not lost. All but the smallest are destructive.
"""

from .registry import Submission, attack

FAMILY = "bombs"


@attack(FAMILY, "forks without end, beside right answers", deserves=10, destructive=True)
def fork_bomb(s: Submission) -> None:
    s.solve()
    s.append("td_target", """
import os
import time

first = os.getpid()
for _ in range(12):  # 4,096 processes
    try:
        os.fork()
    except OSError:
        pass
if os.getpid() != first:
    time.sleep(600)
""")


@attack(FAMILY, "takes twelve gigabytes of memory, beside right answers", deserves=10,
        destructive=True)
def memory_bomb(s: Submission) -> None:
    s.solve()
    s.write("your_loss", """
held = []
for _ in range(120):
    held.append(bytearray(b"x") * 10**8)
""")


@attack(FAMILY, "takes twelve gigabytes of memory in an answer, while a probe is out",
        destructive=True)
def memory_bomb_in_a_probe(s: Submission) -> None:
    s.write("td_target", """
def td_target(batch, actor_target, critic_target, gamma):
    held = [bytearray(b"x") * 10**8 for _ in range(120)]
    return batch.rewards.repeat(len(held), len(held))
""")


@attack(FAMILY, "fills its folder, /tmp and shared memory, beside right answers", deserves=10,
        destructive=True)
def disk_bomb(s: Submission) -> None:
    s.solve()
    s.write("your_loss", """
for place in ("bomb", "/tmp/bomb-@MARKER@", "/dev/shm/bomb-@MARKER@"):
    try:
        with open(place, "wb") as file:
            for _ in range(60):  # six gigabytes
                file.write(b"x" * 10**8)
    except OSError:
        pass
""")


@attack(FAMILY, "writes two hundred thousand small files into its folder", destructive=True)
def file_bomb(s: Submission) -> None:
    s.first("""
import os

os.makedirs("many", exist_ok=True)
for number in range(200_000):
    try:
        open(f"many/{number}", "w").close()
    except OSError:
        break
""")


@attack(FAMILY, "a folder in a folder, three hundred deep")
def deep_folders(s: Submission) -> None:
    s.first("""
import os

home = os.getcwd()
for _ in range(300):
    os.mkdir("d")
    os.chdir("d")
os.chdir(home)
""")


@attack(FAMILY, "prints three hundred megabytes, beside right answers", deserves=10,
        destructive=True)
def output_bomb(s: Submission) -> None:
    s.solve()
    s.write("your_loss", "for _ in range(3000):\n    print('x' * 100_000)")


@attack(FAMILY, "prints ten megabytes, beside right answers", deserves=10, at_least=10)
def small_output_bomb(s: Submission) -> None:
    s.solve()
    s.write("your_loss", "for _ in range(1000):\n    print('x' * 10_000)")


@attack(FAMILY, "shows fifty pictures of a megabyte each", destructive=True)
def display_bomb(s: Submission) -> None:
    s.first("""
from IPython.display import HTML, display

for _ in range(50):
    display(HTML("<p>" + "x" * 10**6 + "</p>"))
""")


@attack(FAMILY, "prints without end from a probe", destructive=True)
def output_bomb_in_a_probe(s: Submission) -> None:
    s.write("td_target", """
def td_target(batch, actor_target, critic_target, gamma):
    while True:
        print("x" * 10_000)
""")


@attack(FAMILY, "starts five thousand threads, beside right answers", deserves=10,
        destructive=True)
def thread_bomb(s: Submission) -> None:
    s.solve()
    s.write("your_loss", """
import threading
import time

for _ in range(5000):
    try:
        threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
    except RuntimeError:
        break
""")


@attack(FAMILY, "opens files until no more can be opened, beside right answers", deserves=10)
def open_file_bomb(s: Submission) -> None:
    s.solve()
    s.write("your_loss", """
held = []
try:
    while len(held) < 100_000:
        held.append(open("/dev/null"))
except OSError:
    pass
""")


@attack(FAMILY, "an exception whose text has fifty megabytes")
def long_exception(s: Submission) -> None:
    s.write("td_target", """
def td_target(batch, actor_target, critic_target, gamma):
    raise ValueError("x" * (50 * 10**6))
""")


@attack(FAMILY, "busy threads take all processors while others are graded", destructive=True)
def processor_bomb(s: Submission) -> None:
    s.first("""
import subprocess
import sys

for _ in range(16):
    subprocess.Popen([sys.executable, "-c", "while True: pass", "@MARKER@"], start_new_session=True)
""")
