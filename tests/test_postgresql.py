"""The gradebook in a real PostgreSQL server, which the test starts."""

import csv
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.grade import SAMPLE, GradingError, course_config, grade_class
from ddpg_helpers.instructor.course.grades import export_grades, read_grades

pytestmark = pytest.mark.full
UNIT = "04_critic_loss"
CLASS = {"full": 10, "half": 4, "mask_missing": 9}


def programs():
    """The newest server's programs; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and shutil.which("initdb") is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    return (found[-1] if found else Path(shutil.which("initdb"))).parent


@pytest.fixture
def server():
    """The address of a database on a server of its own."""
    pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")
    # pytest's own temporary folders are closed to other users.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        yield from running(programs(), Path(folder))


def running(bin, folder):
    user = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, options = folder / "data", f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **user}
    subprocess.run(
        [bin / "initdb", "-D", data, "-U", "ddpg", "-A", "trust", "--no-sync"], **quiet
    )
    control = [bin / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **quiet)
    try:
        subprocess.run(
            [bin / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "ddpg", "class"], **quiet
        )
        yield f"postgresql+psycopg://ddpg@127.0.0.1:{port}/class"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def lay_out(root, db_url):
    config = (layout.ROOT / "nbgrader_config.py").read_text()
    (root / "nbgrader_config.py").write_text(f"{config}\nc.CourseDirectory.db_url = {db_url!r}\n")
    shutil.copytree(layout.SOURCE / UNIT, root / "source" / UNIT)
    for student in CLASS:
        shutil.copytree(SAMPLE / student / UNIT, root / "submitted" / student / UNIT)
    return root


def scores(db_url):
    with Gradebook(db_url, "ddpg") as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(UNIT)}


def test_a_class_is_graded_kept_and_exported(server, tmp_path):
    root = lay_out(tmp_path, server)
    assert course_config(root).CourseDirectory.db_url == server
    first = grade_class([UNIT], root=root)
    assert len(first.graded) == len(CLASS) and scores(server) == CLASS
    assert not (root / "gradebook.db").exists()
    again = grade_class([UNIT], root=root)
    assert len(again.kept) == len(CLASS) and scores(server) == CLASS
    shutil.copytree(SAMPLE / "full" / UNIT, root / "submitted" / "half" / UNIT, dirs_exist_ok=True)
    changed = grade_class([UNIT], root=root)
    assert changed.graded == [(UNIT, "half")] and scores(server) == {**CLASS, "half": 10}
    assert export_grades(read_grades(root=root), "class", root / "grades_class.csv") == []
    with (root / "grades_class.csv").open(newline="") as file:
        found = {row["student"]: float(row["points"]) for row in csv.DictReader(file)}
    assert found == {**CLASS, "half": 10}


def test_a_server_that_is_not_there_is_told_in_one_sentence(tmp_path):
    pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")
    root = lay_out(tmp_path, "postgresql+psycopg://ddpg@127.0.0.1:1/class")
    with pytest.raises(GradingError, match="the gradebook cannot be reached"):
        grade_class([UNIT], root=root)
