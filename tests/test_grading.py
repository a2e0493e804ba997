"""Grading a class: several processes, interruptions, faults outside the submissions."""

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import nbformat
import pytest
from nbgrader.api import Gradebook

from ddpg_helpers.instructor.course import grade as grading
from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.grade import SAMPLE, GradingError, grade_class
from ddpg_helpers.instructor.grading import execute, records
from ddpg_helpers.instructor.grading.submission import Settings, Submission, grade_submission

UNIT = "04_critic_loss"
CLASS = {"blank": 0, "full": 10, "half": 4, "mask_missing": 9}


def lay_out(root, students=CLASS):
    shutil.copy(layout.ROOT / "nbgrader_config.py", root)
    (root / "source").mkdir()
    shutil.copytree(layout.ROOT / "source" / UNIT, root / "source" / UNIT)
    for student in students:
        sample = layout.ROOT / "tests" / "sample_class" / student / UNIT
        shutil.copytree(sample, root / "submitted" / student / UNIT)
    (root / "course_secret").write_text("a secret of the tests\n")
    return root


@pytest.fixture
def course(tmp_path):
    return lay_out(tmp_path)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course that was graded once, with two workers."""
    root = lay_out(tmp_path_factory.mktemp("graded"))
    grade_class([UNIT], root=root, jobs=2)
    return root


def book(root):
    return Gradebook(f"sqlite:///{root / 'gradebook.db'}", "ddpg")


def scores(root):
    with book(root) as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(UNIT)}


def made(root):
    """What a grading makes, without time stamps and times."""
    with (root / "grades.csv").open(newline="") as file:
        made = {"grades": [{**row, "timestamp": ""} for row in csv.DictReader(file)]}
    for student in CLASS:
        made[student] = (root / "feedback" / student / UNIT / f"{UNIT}.html").read_bytes()
        path = root / "autograded" / student / UNIT / f"{UNIT}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        del notebook.metadata["ddpg_course"]["seconds"]
        made[student, "graded"] = notebook
    return made


def copy_of(graded, tmp_path):
    shutil.copytree(graded, tmp_path / "course", symlinks=True)
    return tmp_path / "course"


def written(root):
    """When each record was written."""
    return {p.name: p.stat().st_mtime_ns for p in (root / records.FOLDER).glob("*.json")}


def run_grade(root, *options):
    code = (
        "import sys; from pathlib import Path\n"
        "from ddpg_helpers.instructor.course.grade import grade_class\n"
        f"s = grade_class([{UNIT!r}], root=Path({str(root)!r}), {', '.join(options)})\n"
        "sys.exit(130 if s.interrupted else 0)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def test_two_workers_grade_a_class(graded):
    assert scores(graded) == CLASS


@pytest.mark.full
@pytest.mark.parametrize("jobs", [1, 4])
def test_any_number_of_workers_makes_the_same(graded, course, jobs):
    grade_class([UNIT], root=course, jobs=jobs)
    assert made(course) == made(graded)


def test_what_has_not_changed_is_not_graded_again(graded, tmp_path, monkeypatch):
    course = copy_of(graded, tmp_path)
    before = made(course)
    monkeypatch.setattr(grading.worker, "work", None)
    monkeypatch.setattr(execute, "grade_submission", None)
    summary = grade_class([UNIT], root=course)
    assert [student for _, student in summary.kept] == list(CLASS) and not summary.graded
    assert made(course) == before


def test_what_has_changed_is_graded_again_and_force_grades_all(graded, tmp_path):
    course = copy_of(graded, tmp_path)
    full, blank = (course / "submitted" / s / UNIT / f"{UNIT}.ipynb" for s in ("full", "blank"))
    shutil.copy(full, blank)
    summary = grade_class([UNIT], root=course, jobs=2)
    assert summary.graded == [(UNIT, "blank")] and scores(course)["blank"] == 10
    for student in ("half", "mask_missing", "full"):
        shutil.rmtree(course / "submitted" / student)
    assert grade_class([UNIT], root=course, force=True, jobs=1).graded == [(UNIT, "blank")]


def test_beside_a_feedback_page_lies_only_what_releasing_it_needs(tmp_path):
    course = lay_out(tmp_path, ["blank"])
    needed = {"timestamp.txt", "submission_secret.txt"}
    for name in (*needed, "mine.py"):
        (course / "submitted" / "blank" / UNIT / name).write_text("2027-02-01 08:00:00 UTC")
    grade_class([UNIT], root=course, jobs=1)
    folder = course / "feedback" / "blank" / UNIT
    assert {path.name for path in folder.iterdir()} == {f"{UNIT}.html", *needed}


def test_the_sample_class_is_not_mixed_with_a_real_one(graded, tmp_path):
    course = copy_of(graded, tmp_path)
    (course / "submitted" / "half").rename(course / "submitted" / "noether")
    with pytest.raises(GradingError, match=r"class of your own \(noether\)"):
        grade_class([UNIT], root=course, sample=True)
    assert len(list((course / "submitted").iterdir())) == len(CLASS)


def test_points_and_comments_given_by_hand_survive_a_second_grading(graded, tmp_path, capsys):
    course = copy_of(graded, tmp_path)
    with book(course) as gradebook:
        one = gradebook.find_grade("test_td_target_mask", UNIT, UNIT, "mask_missing")
        one.manual_score, one.extra_credit = 0.5, 0.25
        notebook = gradebook.find_submission_notebook(UNIT, UNIT, "mask_missing")
        notebook.late_submission_penalty = 1.0
        gradebook.find_comment("td_target", UNIT, UNIT, "mask_missing").manual_comment = "See me."
        gradebook.db.commit()
    grade_class([UNIT], root=course, force=True, jobs=2)
    with book(course) as gradebook:
        one = gradebook.find_grade("test_td_target_mask", UNIT, UNIT, "mask_missing")
        comment = gradebook.find_comment("td_target", UNIT, UNIT, "mask_missing")
        assert (one.manual_score, one.extra_credit) == (0.5, 0.25)
        assert comment.manual_comment == "See me."
        submission = gradebook.find_submission(UNIT, "mask_missing")
        assert (submission.score, submission.late_submission_penalty) == (9.75, 1.0)
    printed = capsys.readouterr().out
    assert re.search(r"^mask_missing +8\.75!\*? +8\.75$", printed, re.MULTILINE)


def test_a_killed_grading_goes_on_where_it_was(course, graded):
    process = run_grade(course, "jobs=1")
    deadline = time.monotonic() + 120
    while len(list((course / records.FOLDER).glob("*.json"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = written(course)
    assert 2 <= len(kept) < len(CLASS)
    summary = grade_class([UNIT], root=course, jobs=2)
    after = written(course)
    assert kept.items() <= after.items() and len(after) == len(CLASS)
    assert len(summary.graded) + len(summary.kept) == len(CLASS)
    assert made(course) == made(graded)


def test_ctrl_c_ends_cleanly_and_what_is_done_is_kept(course):
    process = run_grade(course, "jobs=1")
    deadline = time.monotonic() + 120
    while not list((course / records.FOLDER / "state").glob("*/*.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "Interrupted. What is done is kept" in printed and "Traceback" not in printed
    assert set(scores(course)) < set(CLASS)
    summary = grade_class([UNIT], root=course, jobs=2)
    assert summary.kept and scores(course) == CLASS


def test_a_locked_gradebook_is_told_and_nothing_is_lost(graded, tmp_path):
    course = copy_of(graded, tmp_path)
    holder = sqlite3.connect(course / "gradebook.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(GradingError, match="the gradebook is locked by another program"):
        grade_class([UNIT], root=course, force=True, jobs=1)
    holder.execute("ROLLBACK")
    holder.close()
    assert scores(course) == CLASS


def test_a_full_disk_is_told_and_what_is_done_is_kept(course, monkeypatch):
    real, saved = records.save, []

    def save(root, key, record):
        if saved:
            raise OSError(28, "No space left on device")
        saved.append(key)
        real(root, key, record)

    monkeypatch.setattr(records, "save", save)
    with pytest.raises(GradingError, match="the disk is full: make room"):
        grade_class([UNIT], root=course, jobs=1)
    monkeypatch.setattr(records, "save", real)
    summary = grade_class([UNIT], root=course, jobs=2)
    assert len(summary.kept) == 1 and scores(course) == CLASS


def test_what_cannot_be_graded_is_no_zero_anywhere(graded, tmp_path, capsys):
    course = copy_of(graded, tmp_path)
    (course / "submitted" / "half" / UNIT / f"{UNIT}.ipynb").write_text("not a notebook")
    broken = course / "submitted" / "new" / UNIT
    broken.mkdir(parents=True)
    summary = grade_class([UNIT], root=course, jobs=1)
    assert summary.failed == {
        (UNIT, "half"): "the file is not a notebook: it is no JSON",
        (UNIT, "new"): f"there is no notebook {UNIT}.ipynb",
    }
    printed = capsys.readouterr().out
    assert re.search(r"^half +failed +-$", printed, re.MULTILINE)
    assert f"could not be graded: {UNIT} of half: the file is not a notebook" in printed
    with (course / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert (rows["half"]["score"], rows["half"]["state"]) == ("", "could not be graded")
    assert rows["full"]["score"] == "10.0" and "new" not in scores(course)


def test_without_a_sandbox_it_warns_or_refuses(course, monkeypatch, capsys):
    monkeypatch.setattr(grading, "bubblewrap", lambda: None)
    monkeypatch.setattr(execute, "bubblewrap", lambda: None)
    with pytest.raises(GradingError, match="there is no sandbox here: install bubblewrap"):
        grade_class([UNIT], root=course, require_sandbox=True)
    for student in ("blank", "half", "mask_missing"):
        shutil.rmtree(course / "submitted" / student)
    with pytest.warns(UserWarning, match="which is no boundary"):
        grade_class([UNIT], root=course, jobs=1)
    assert "which is no boundary" in capsys.readouterr().out
    assert scores(course) == {"full": 10}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows can't limit what a process uses")
def test_without_a_sandbox_processes_are_limited_all_the_same():
    cell = nbformat.v4.new_code_cell(
        "import os, resource\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), os.environ['NBGRADER_EXECUTION'])"
    )
    notebook = json.dumps(nbformat.v4.new_notebook(cells=[cell]))
    folder = str(SAMPLE / "full" / UNIT)
    submission = Submission("ada", UNIT, notebook, folder, "secret", Settings(sandbox=False))
    (ran,) = json.loads(grade_submission(submission).notebook)["cells"]
    assert ran["outputs"][0]["text"] == "(0, 0) autograde\n"


def test_a_wrong_hidden_test_stops_the_grading_and_is_named(course):
    path = course / "source" / UNIT / f"{UNIT}.ipynb"
    text = path.read_text().replace(
        'grade(\\"td_target\\", aspect=\\"mask\\")', 'grade(\\"td_target\\", aspect=\\"mask\\") + 5'
    )
    path.write_text(text)
    with pytest.raises(GradingError, match="the hidden test of cell 'test_td_target_mask' gave"):
        grade_class([UNIT], root=course, jobs=1)


@pytest.mark.full
def test_plain_nbgrader_gives_the_same(graded, tmp_path):
    course = lay_out(tmp_path)
    for command in (["generate_assignment", UNIT, "--force"], ["autograde", UNIT],
                    ["generate_feedback", UNIT]):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command], cwd=course, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert scores(course) == scores(graded)
    for student in CLASS:
        page = f"feedback/{student}/{UNIT}/{UNIT}.html"
        assert (course / page).read_bytes() == (graded / page).read_bytes()


@pytest.mark.full
def test_a_dask_cluster_that_loses_a_worker_gives_the_same(course, graded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen([*dask, "scheduler", *common, "--port", "0"], **quiet)]
    worker = [*dask, "worker", *common, "--nthreads", "1", "--no-nanny"]
    processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while not file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        time.sleep(5)
        grade = run_grade(course, f"scheduler={address!r}")
        while not list((course / records.FOLDER).glob("*.json")):
            assert grade.poll() is None
            time.sleep(0.05)
        processes[1].kill()
        printed = grade.communicate(timeout=300)[0]
        assert grade.returncode == 0, printed
    finally:
        for process in processes:
            process.kill()
    assert made(course) == made(graded)


def test_the_package_loads_neither_torch_nor_matplotlib_until_they_are_used():
    code = (
        "import sys, ddpg_helpers, ddpg_helpers.instructor.course.cli\n"
        "print(sorted({'torch', 'matplotlib', 'nbgrader'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
