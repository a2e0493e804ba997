"""The autograder for Gradescope: its zip, and what it does in folders laid out as Gradescope's."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat
import pytest

from ddpg_helpers.instructor.course.grade import SAMPLE
from ddpg_helpers.instructor.course.gradescope.make import (
    STUDENT_UID,
    GradescopeError,
    autograded_points,
    write_autograder,
)
from ddpg_helpers.instructor.course.gradescope.run import READ, grade

_spec = importlib.util.spec_from_file_location("sample_class", SAMPLE / "make.py")
sample_class = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sample_class)

UNIT = "04_critic_loss"


def unpacked(unit, folder, **options):
    """Gradescope's folder with the autograder of a unit in it."""
    path = write_autograder(unit, folder / "autograder.zip", **options)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "autograder" / "source")
    return folder / "autograder"


def hand_in(autograder, unit, student):
    """Put a submission of the sample class where Gradescope puts it."""
    shutil.rmtree(autograder / "submission", ignore_errors=True)
    shutil.copytree(SAMPLE / student / unit, autograder / "submission")
    about = {"users": [{"email": f"{student}@example.org", "id": 7, "name": student}]}
    (autograder / "submission_metadata.json").write_text(json.dumps(about))


def points(results):
    return sum(test["score"] for test in results["tests"])


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    return unpacked(UNIT, tmp_path_factory.mktemp("gradescope"))


@pytest.fixture
def results(autograder):
    """Grades a submission of the sample class in this process."""

    def results(student):
        hand_in(autograder, UNIT, student)
        return grade(autograder, autograder / "source" / "course", UNIT, "after_published")

    return results


def test_the_scripts_are_where_gradescope_looks_for_them(tmp_path):
    path = write_autograder(UNIT, tmp_path / "autograder.zip", torch_index="https://x.org/cpu")
    with zipfile.ZipFile(path) as archive:
        for script in ("setup.sh", "run_autograder"):
            assert archive.getinfo(script).external_attr >> 16 == 0o755
            assert archive.read(script).startswith(b"#!/usr/bin/env bash\n")
        assert archive.read("torch_index") == b"https://x.org/cpu"
        units = {n.split("/")[2] for n in archive.namelist() if n.startswith("course/source/")}
    assert units == {UNIT}
    assert path.stat().st_size < 3_000_000


@pytest.mark.parametrize("script", ["setup.sh", "run_autograder"])
def test_the_scripts_are_valid_bash(autograder, script):
    subprocess.run(["bash", "-n", autograder / "source" / script], check=True)


@pytest.mark.parametrize("options", [{"unit": "04"}, {"unit": UNIT, "visibility": "never"}])
def test_what_gradescope_does_not_know_is_refused(tmp_path, options):
    with pytest.raises(GradescopeError):
        write_autograder(output=tmp_path / "autograder.zip", **options)


def test_each_aspect_is_a_test_and_the_points_add_up(results):
    found = results("full")
    read, *tests = found["tests"]
    assert read["name"] == READ and read["visibility"] == "visible"
    assert tests[0]["name"] == "td_target: the shape [N, 1]"
    assert {test["visibility"] for test in tests} == {"after_published"}
    assert all(test["status"] == "passed" and "output" not in test for test in tests)
    assert points(found) == sum(t["max_score"] for t in tests) == autograded_points(UNIT) == 10


def test_a_lost_aspect_names_the_mistake(results):
    found = results("mask_missing")
    (lost,) = (test for test in found["tests"] if test["status"] == "failed")
    assert lost["name"] == "td_target: terminal transitions" and lost["score"] == 0
    assert lost["output"].startswith("Your target bootstraps from terminal states too.")
    assert points(found) == 9


@pytest.mark.full
def test_what_failed_on_the_way_is_told_to_the_student(results):
    found = results("kernel_dies")
    assert "kernel ended" in found["tests"][0]["output"]
    assert points(found) == 7


def test_a_submission_that_cannot_be_graded_says_why_at_once(autograder, results):
    hand_in(autograder, UNIT, "full")
    submitted = autograder / "submission"
    (submitted / f"{UNIT}.ipynb").rename(submitted / "my_homework.ipynb")
    found = grade(autograder, autograder / "source" / "course", UNIT, "hidden")
    (told,) = found["tests"]
    assert told["status"] == "failed" and told["visibility"] == "visible"
    assert "there is no notebook 04_critic_loss.ipynb; there is my_homework" in told["output"]
    assert found["extra_data"] == {"state": "could not be graded"}


@pytest.mark.full
def test_questions_that_a_person_grades_are_no_tests(tmp_path):
    autograder = unpacked("07_experiments", tmp_path)
    hand_in(autograder, "07_experiments", "full")
    found = grade(autograder, autograder / "source" / "course", "07_experiments", "visible")
    assert "A person grades: " in found["output"]
    assert points(found) == autograded_points("07_experiments")


# --- in folders laid out as in Gradescope's container -------------------------------------------


def others_may_enter(path):
    return all(folder.stat().st_mode & 1 for folder in Path(path).resolve().parents)


@pytest.fixture
def container():
    """Makes Gradescope's folder for a unit, in a place where other users may look; the sandbox
    does not work, and ``setup.sh`` has done all but install."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("needs root, as in Gradescope's container")
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    pythons = [sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")]
    usable = [path for path in pythons if path and others_may_enter(path)]
    if not usable or not others_may_enter(sys.prefix):
        pytest.skip("other users may not run this Python, and there is no other one")
    with tempfile.TemporaryDirectory(prefix="gradescope-") as folder:
        os.chmod(folder, 0o755)

        def make(unit):
            autograder = unpacked(unit, Path(folder, unit))
            subprocess.run([usable[0], "-m", "venv", "--without-pip", autograder / "python"],
                           check=True)  # fmt: skip
            (site,) = (autograder / "python" / "lib").glob("python*/site-packages")
            site.rmdir()
            site.symlink_to(Path(sys.prefix, "lib", version, "site-packages"))
            source = autograder / "source"
            shutil.copy(source / "run_autograder", autograder)
            (autograder / "run_autograder").chmod(0o755)
            (autograder / "bin").mkdir()
            (autograder / "bin" / "bwrap").write_text("#!/bin/sh\nexit 1\n")
            (autograder / "bin" / "bwrap").chmod(0o755)
            after = (source / "setup.sh").read_text().partition("# Students' code runs as")[2]
            assert after
            script = f"set -eu\nautograder={autograder}\ncourse={source}/course\n#{after}"
            bash(autograder, "-c", script)
            return autograder

        yield make


def bash(autograder, *arguments):
    environment = {"PATH": f"{autograder}/bin:/usr/bin:/bin:{sys.prefix}/bin"}
    done = subprocess.run(["bash", *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def run_autograder(autograder):
    bash(autograder, autograder / "run_autograder")
    return json.loads((autograder / "results" / "results.json").read_text())


@pytest.mark.full
@pytest.mark.parametrize("unit", [UNIT, "06_ddpg_agent"])
def test_the_sample_class_gets_the_same_points_as_from_grade(container, unit):
    autograder = container(unit)
    found, expected = {}, {s: p[unit] for s, p in sample_class.POINTS.items() if unit in p}
    for student in expected:
        hand_in(autograder, unit, student)
        found[student] = points(run_autograder(autograder))
    assert found == expected and len(set(expected.values())) > 2


SPY = """
import os, pathlib
def look(path):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
        return True
    except PermissionError:
        return False
course = pathlib.Path({course!r})
names = ["ddpg_helpers", "source", "course_secret", "gradebook.db", "nbgrader_config.py"]
print(os.getuid(), [name for name in [*names, "../settings.json"] if look(course / name)])
try:
    open({results!r}, "w")
except PermissionError:
    print("not written")
"""


@pytest.mark.full
def test_students_code_runs_as_a_user_who_sees_nothing_of_the_course(container):
    autograder = container(UNIT)
    course = autograder / "source" / "course"
    hand_in(autograder, UNIT, "full")
    path = autograder / "submission" / f"{UNIT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    spy = SPY.format(course=str(course), results=str(autograder / "results" / "results.json"))
    notebook.cells.append(nbformat.v4.new_code_cell(spy))
    nbformat.write(notebook, path)
    assert points(run_autograder(autograder)) == 10
    (graded,) = (course / "autograded").rglob("*.ipynb")
    (said,) = nbformat.read(graded, as_version=4).cells[-1].outputs
    assert said["text"] == f"{STUDENT_UID} []\nnot written\n"
