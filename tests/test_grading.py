"""Grading through nbgrader itself: the untouched release, the source, and classic submissions."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook

from ddpg_helpers.instructor.course import layout

UNIT = "04_critic_loss"
SAMPLE = layout.ROOT / "tests" / "sample_class"
EXPECTED = {
    "full": 10.0,
    "blank": 0.0,
    "half": 4.0,
    "warns": 10.0,
    "mask_missing": 9.0,
    "syntax_error": 7.0,
    "kernel_dies": 7.0,
}


def nbgrader(course, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one unit, graded by plain nbgrader commands."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(layout.ROOT / "nbgrader_config.py", folder)
    shutil.copytree(layout.SOURCE / UNIT, folder / "source" / UNIT)
    made = nbgrader(folder, "generate_assignment", UNIT)
    assert made.returncode == 0, made.stderr
    for student in EXPECTED:
        shutil.copytree(SAMPLE / student / UNIT, folder / "submitted" / student / UNIT)
    graded = nbgrader(folder, "autograde", UNIT)
    assert graded.returncode == 0, graded.stderr
    feedback = nbgrader(folder, "generate_feedback", UNIT)
    assert feedback.returncode == 0, feedback.stderr
    return folder


@pytest.mark.parametrize("student", EXPECTED)
def test_a_submission_gets_the_points_it_deserves(course, student):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_submission(UNIT, student).score == EXPECTED[student]


def test_what_nbgrader_releases_is_the_release_edition(course):
    made = nbformat.read(course / "release" / UNIT / f"{UNIT}.ipynb", as_version=4)
    kept = nbformat.read(layout.release_notebook(UNIT), as_version=4)
    assert [(c.id, c.source) for c in made.cells] == [(c.id, c.source) for c in kept.cells]


@pytest.mark.parametrize("student", EXPECTED)
def test_feedback_shows_no_hidden_test(course, student):
    page = (course / "feedback" / student / UNIT / f"{UNIT}.html").read_text(encoding="utf-8")
    assert "HIDDEN TESTS" not in page and "ddpg_helpers.instructor" not in page


def test_feedback_names_the_mistake(course):
    page = course / "feedback" / "mask_missing" / UNIT / f"{UNIT}.html"
    assert "bootstraps from terminal states" in page.read_text(encoding="utf-8")
