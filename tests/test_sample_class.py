"""The sample class and the source notebooks, graded as `make grade` does it."""

import contextlib
import csv
import importlib.util
import io
import re
import shutil

import nbformat
import numpy as np
import pytest
from nbgrader.api import Gradebook

from ddpg_helpers.checks.aspects import ASPECTS, UNITS
from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.appeal import AppealError, appeal
from ddpg_helpers.instructor.course.grade import SAMPLE, grade_class
from ddpg_helpers.instructor.grading.hidden import Seed
from ddpg_helpers.instructor.grading.judge import draw_probe, right_outcomes

_spec = importlib.util.spec_from_file_location("sample_class", SAMPLE / "make.py")
sample_class = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sample_class)

SUBMISSIONS = [(s, unit) for s, points in sample_class.POINTS.items() for unit in points]
BY_HAND = {"06_ddpg_agent", "07_experiments"}  # units with questions that a person grades


def automatic_points(unit):
    cells = nbformat.read(layout.source_notebook(unit), as_version=4).cells
    about = [c.metadata.get("nbgrader", {}) for c in cells]
    return sum(a["points"] for a in about if a.get("grade") and not a["solution"])


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A graded course: the sample class, and a student who hands in the source notebooks."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(layout.ROOT / "nbgrader_config.py", folder)
    shutil.copytree(layout.SOURCE, folder / "source")
    (folder / "course_secret").write_text("a secret of the tests\n")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        grade_class([], sample=True, root=folder)
    shutil.copytree(layout.SOURCE, folder / "submitted" / "source")
    grade_class([], root=folder)
    (folder / "printed.txt").write_text(printed.getvalue())
    return folder


@pytest.fixture(scope="module")
def gradebook(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as opened:
        yield opened


@pytest.mark.parametrize(("student", "unit"), SUBMISSIONS)
def test_kept_submissions_are_what_make_py_makes(student, unit):
    kept = nbformat.read(SAMPLE / student / unit / f"{unit}.ipynb", as_version=4)
    made = sample_class.submission(student, unit)
    assert [(c.id, c.source) for c in kept.cells] == [(c.id, c.source) for c in made.cells]


@pytest.mark.parametrize(("student", "unit"), SUBMISSIONS)
def test_submission_gets_the_points_it_deserves(gradebook, student, unit):
    assert gradebook.find_submission(unit, student).score == sample_class.POINTS[student][unit]


@pytest.mark.parametrize("unit", layout.UNITS)
def test_untouched_release_scores_nothing(gradebook, unit):
    assert gradebook.find_submission(unit, "blank").score == 0


@pytest.mark.parametrize("unit", layout.UNITS)
def test_source_scores_all_automatic_points(gradebook, unit):
    assert gradebook.find_submission(unit, "source").score == automatic_points(unit)


@pytest.mark.parametrize("unit", layout.UNITS)
def test_only_answers_for_a_person_wait_for_one(gradebook, unit):
    waits = gradebook.find_submission(unit, "full").needs_manual_grade
    assert bool(waits) == (unit in BY_HAND)


def test_table_has_every_student_and_their_points(course):
    printed = (course / "printed.txt").read_text()
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.strip()}
    for student, points in sample_class.POINTS.items():
        found = [cell.rstrip("*") for cell in rows[student]]
        assert found[:-1] == [f"{points[u]:g}" if u in points else "-" for u in layout.UNITS]
        assert found[-1] == f"{sum(points.values()):g}"


def test_output_names_the_grades_and_the_feedback_pages(course):
    printed = (course / "printed.txt").read_text()
    assert str(course / "grades.csv") in printed
    assert str(course / "feedback") in printed


def test_csv_holds_the_points_of_every_submission(course):
    with (course / "grades.csv").open(newline="") as file:
        rows = {(row["student_id"], row["assignment"]): row for row in csv.DictReader(file)}
    for student, unit in SUBMISSIONS:
        assert float(rows[student, unit]["score"]) == sample_class.POINTS[student][unit]


def feedback(course, student, unit):
    return (course / "feedback" / student / unit / f"{unit}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("student", "unit"), SUBMISSIONS)
def test_feedback_shows_no_hidden_test_and_no_mark_scheme(course, student, unit):
    page = feedback(course, student, unit)
    assert not re.search("HIDDEN TESTS|MARK SCHEME|ddpg_helpers.instructor", page)


@pytest.mark.parametrize(
    ("student", "unit", "sentence"),
    [
        ("mask_missing", "04_critic_loss", "bootstraps from terminal states"),
        ("kernel_dies", "04_critic_loss", "the kernel ended while it ran"),
        ("endless_loop", "05_actor_loss", "did not finish within"),
        ("blank", "06_ddpg_agent", "not attempted yet"),
    ],
)
def test_feedback_says_why_points_were_lost(course, student, unit, sentence):
    assert sentence in feedback(course, student, unit)


# Unit 02's probes are not drawn: its transitions are numbered.
DRAWN = [s for s in SUBMISSIONS if s[1] in UNITS and s[1] != "02_replay_memory"]


@pytest.mark.parametrize(("student", "unit"), DRAWN)
def test_feedback_holds_no_right_number_of_a_hidden_test(course, student, unit):
    page = re.sub("<(style|script).*?</\\1>", "", feedback(course, student, unit), flags=re.DOTALL)
    seed = Seed((course / "course_secret").read_text().strip(), student)
    for exercise in UNITS[unit]:
        for aspect, meaning in ASPECTS[exercise].items():
            probe = draw_probe(exercise, aspect, seed(exercise, aspect))
            for outcome in right_outcomes(exercise, probe):
                numbers = [np.ravel(outcome.numbers[key]) for key in meaning.keys]
                shown = {f"{number:.4g}" for number in np.concatenate(numbers)}
                told = [n for n in shown if sum(map(str.isdigit, n.lstrip("-0."))) == 4]
                assert not [number for number in told if number in page]


def test_feedback_shows_each_aspects_points_beside_its_name(course):
    page = feedback(course, "gradients_not_cleared", "04_critic_loss")
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))
    assert re.search(r"test_update_critic_second_step.{0,40}Score: 0.0 / 0.5", text)
    assert re.search(r"test_update_critic_step.{0,40}Score: 1.0 / 1.0", text)


def test_appeal_judges_one_aspect_again_and_shows_what_differed(course):
    report = appeal("mask_missing", "04_critic_loss", "mask", root=course)
    assert "wrong, 0 of 1 points" in report
    assert "known mistake: terminal_mask_missing" in report
    seed = Seed((course / "course_secret").read_text().strip(), "mask_missing")
    assert f"seed {seed('td_target', 'mask')}" in report
    assert re.search(r"terminal_rows: off by .* tolerances\n    found .*\n    right ", report)
    again = appeal("mask_missing", "04_critic_loss", "td_target.bootstrap", root=course)
    assert "right, 2 of 2 points" in again and "target: as it should be" in again


@pytest.mark.parametrize(
    ("student", "unit", "aspect", "sentence"),
    [
        ("nobody", "04_critic_loss", "mask", "there is no graded submission"),
        ("full", "04_critic_loss", "msk", "it does not have that aspect; give one of td_target"),
        ("full", "03_networks", "values", "several exercises have it; give one of Actor.forward"),
        ("full", "07_experiments", "mask", "has no aspects that are judged"),
    ],
)
def test_an_appeal_of_what_is_not_there_is_refused(course, student, unit, aspect, sentence):
    with pytest.raises(AppealError, match=re.escape(sentence)):
        appeal(student, unit, aspect, root=course)
