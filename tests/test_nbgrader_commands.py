"""Plain nbgrader commands in the course's folder do what the course's own commands do."""

import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbgrader.api import Gradebook

from ddpg_helpers.checks.aspects import ASPECTS, UNITS
from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.grade import SAMPLE

UNIT = "04_critic_loss"
POINTS = {"mask_missing": 9.0, "half": 4.0, "kernel_dies": 7.0}


def nbgrader(course, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one unit, graded by nbgrader's commands."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(layout.ROOT / "nbgrader_config.py", folder)
    shutil.copytree(layout.SOURCE / UNIT, folder / "source" / UNIT)
    for student in POINTS:
        shutil.copytree(SAMPLE / student / UNIT, folder / "submitted" / student / UNIT)
    for command in ("generate_assignment", "autograde", "generate_feedback"):
        done = nbgrader(folder, command, UNIT)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("student", POINTS)
def test_autograde_gives_the_points_of_the_sample_class(course, student):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_submission(UNIT, student).score == POINTS[student]


@pytest.fixture
def collected(tmp_path):
    """Zip what lies in a folder, collect it with nbgrader's command, return what was submitted."""

    def collect(*zips):
        course = tmp_path / "course"
        archive = course / "downloaded" / UNIT / "archive"
        shutil.copytree(layout.RELEASE / UNIT, course / "release" / UNIT)
        shutil.copy(layout.ROOT / "nbgrader_config.py", course)
        for name, files in zips:
            (archive / name).parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(archive / name, "w") as file:
                for path in files:
                    file.writestr(path, f"{path} of {name}")
        done = nbgrader(course, "zip_collect", UNIT)
        assert done.returncode == 0, done.stderr
        submitted = course / "submitted"
        files = [path for path in submitted.rglob("*") if path.is_file()]
        return {path.relative_to(submitted).as_posix(): path.read_text() for path in files}

    return collect


FILE = f"{UNIT}/{UNIT}.ipynb"  # in a zip of the notebook's folder


@pytest.mark.parametrize(
    "name",
    [
        "ada_b.zip",
        f"ada_b_4711_99_{UNIT}.zip",
        f"ada_b_LATE_4711_99_{UNIT}-1.zip",
        f"ada_b_4711_assignsubmission_file_{UNIT}.zip",
        f"ada_b_4711_assignsubmission_file/{UNIT}.zip",
        "ada_b_4711_assignsubmission_file/ada_b.zip",
        "ada_b_4711_assignsubmission_file/work.zip",
    ],
)
def test_zip_collect_takes_a_zip_of_the_folder_named_after_the_student(collected, name):
    files = [FILE, f"{UNIT}/agent.py", f"{UNIT}/training.npz", f"{UNIT}/timestamp.txt",
             f"__MACOSX/{UNIT}/._{UNIT}.ipynb",
             f"{UNIT}/.ipynb_checkpoints/{UNIT}-checkpoint.ipynb"]  # fmt: skip
    assert set(collected((name, files))) == {
        f"ada_b/{FILE}", f"ada_b/{UNIT}/agent.py", f"ada_b/{UNIT}/training.npz"
    }  # fmt: skip


def test_zip_collect_takes_a_zip_without_the_folder(collected):
    assert set(collected(("ada.zip", [f"{UNIT}.ipynb"]))) == {f"ada/{FILE}"}


def test_zip_collect_takes_a_zip_without_the_folder_in_moodles_folder(collected):
    name = "ada_9_assignsubmission_file/work.zip"
    assert set(collected((name, [f"{UNIT}.ipynb"]))) == {f"ada/{FILE}"}


def test_of_a_zip_of_the_whole_course_the_units_folder_is_taken(collected):
    names = [FILE, f"{UNIT}/mine/helper.py", "05_actor_loss/05_actor_loss.ipynb",
             "06_ddpg_agent/updates.py", "07_experiments/updates.py"]  # fmt: skip
    files = [f"ddpg_course/{name}" for name in names]
    assert set(collected(("ada.zip", files))) == {f"ada/{FILE}", f"ada/{UNIT}/mine/helper.py"}


def test_a_zip_hands_in_for_nobody_else(collected):
    attempts = [
        f"{before}{folder}/bob/{UNIT}.ipynb"
        for before in ("", ".ipynb_checkpoints/")
        for folder in ("extracted", f"downloaded/{UNIT}/extracted")
    ]
    got = collected(("ada.zip", [FILE, *attempts]), ("bob.zip", [FILE]))
    assert {name.split("/")[0] for name in got} == {"ada", "bob"}
    assert [text for name, text in got.items() if name.startswith("bob/")] == [f"{FILE} of bob.zip"]


def test_export_gives_the_same_points(course):
    done = nbgrader(course, "export")
    assert done.returncode == 0, done.stderr
    lines = (course / "grades.csv").read_text().splitlines()
    for student, points in POINTS.items():
        assert [line for line in lines if f",{student}," in line and f",{points}," in line]


def test_generate_assignment_gives_the_release_edition(course):
    made = nbformat.read(course / "release" / UNIT / f"{UNIT}.ipynb", as_version=4)
    kept = nbformat.read(layout.release_notebook(UNIT), as_version=4)
    assert [(c.id, c.source) for c in made.cells] == [(c.id, c.source) for c in kept.cells]


@pytest.mark.parametrize("student", POINTS)
def test_feedback_shows_no_hidden_test(course, student):
    page = (course / "feedback" / student / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")
    assert "HIDDEN TESTS" not in page and "ddpg_helpers.instructor" not in page


def test_feedback_begins_with_the_aspects_and_their_points(course):
    page = (course / "feedback" / "mask_missing" / UNIT / f"{UNIT}.html").read_text("utf-8")
    listed = page[page.index("What was tested") :]
    listed = re.sub(r"<[^>]*>", "", listed[: listed.index("</ul>")])
    assert "✗ td_target, terminal transitions: 0 of 1" in listed
    assert "✓ td_target, the other transitions: 2 of 2" in listed
    aspects = [aspect for exercise in UNITS[UNIT] for aspect in ASPECTS[exercise]]
    assert len(re.findall(r": [\d.]+ of [\d.]+", listed)) == len(aspects)


@pytest.mark.parametrize(
    ("student", "valid"), [("full", True), ("mask_missing", False), ("blank", False)]
)
def test_validate_tells_right_from_wrong(course, student, valid):
    done = nbgrader(course, "validate", str(SAMPLE / student / UNIT / f"{UNIT}.ipynb"))
    assert ("Success! Your notebook passes all the tests." in done.stdout) == valid
    assert ("VALIDATION FAILED" in done.stdout) != valid
