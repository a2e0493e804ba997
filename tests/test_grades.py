"""Grades for people, Canvas and Moodle, and the page on how the class did."""

import csv
import re
import shutil
import xml.etree.ElementTree as ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.cli import main
from ddpg_helpers.instructor.course.grade import course_config
from ddpg_helpers.instructor.course.grades import GradesError, export_grades, read_grades
from ddpg_helpers.instructor.course.report import write_report
from ddpg_helpers.instructor.course.roster import COLUMNS, RosterError, read_roster
from ddpg_helpers.instructor.grading.rebuild import KEY
from ddpg_helpers.instructor.mutants import mutants_of

CRITIC, EXPERIMENTS = "04_critic_loss", "07_experiments"
MUTANT = next(m for m in mutants_of("td_target") if "mask" in m.breaks)
ROSTER = """student,name,section,email,canvas_id,sis_user_id,sis_login_id
ada,"Quist, Ada",A,ada@school.example,101,,
-ben,"=HYPERLINK(""x"")",@B,ben@school.example,,S2,
cam,Cam O'Neil,A,cam@school.example,,,cam3
dee,"Dee ""D"" Lee",B,dee@school.example,104,S4,dee4
"""


def verdict(aspect, outcome="right", mistake=None):
    return {"exercise": "td_target", "aspect": aspect, "outcome": outcome, "mistake": mistake,
            "points": float(outcome == "right"), "of": 1.0}  # fmt: skip


def grade(gradebook, root, student, unit, scores, **about):
    """Enter a submission; None is an answer that waits for a person."""
    gradebook.update_or_create_student(student)
    submission = gradebook.update_or_create_submission(unit, student)
    (notebook,) = submission.notebooks
    for found, score in zip(sorted(notebook.grades, key=lambda g: g.name), scores, strict=True):
        found.auto_score, found.needs_manual_grade = score, score is None
    notebook.late_submission_penalty = about.pop("penalty", None)
    gradebook.db.commit()
    folder = root / "autograded" / student / unit
    folder.mkdir(parents=True)
    cells = [new_code_cell("", id="cell-0", metadata={"nbgrader": {"grade_id": "slow_one"}})]
    graded = new_notebook(cells=cells, metadata={KEY: about} if about else {})
    nbformat.write(graded, folder / f"{unit}.ipynb")


pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Ada and -ben are graded, -ben late; cam's submission could not be; dee submitted nothing."""
    root = tmp_path_factory.mktemp("kept")
    shutil.copy(layout.ROOT / "nbgrader_config.py", root)
    course_config(root)  # with it, nbgrader finds what it makes a gradebook with
    (root / "roster.csv").write_text(ROSTER)
    with Gradebook(f"sqlite:///{root}/gradebook.db", "ddpg") as gradebook:
        gradebook.add_assignment("05_actor_loss")  # which nobody has submitted
        for unit, cells in {CRITIC: (4, 6), EXPERIMENTS: (5, 5)}.items():
            gradebook.add_assignment(unit)
            gradebook.add_notebook(unit, unit)
            for number, points in enumerate(cells):
                gradebook.add_grade_cell(
                    f"cell_{number}", unit, unit, max_score=points, cell_type="code"
                )
        grade(
            gradebook, root, "ada", CRITIC, [4, 5.5], verdicts=[verdict("mask"), verdict("shape")],
            seconds={"cell-0": 12.34},
        )  # fmt: skip
        grade(
            gradebook, root, "-ben", CRITIC, [4, 3], penalty=2,
            problems=["<script>alert(1)</script>"],
            verdicts=[verdict("mask", "wrong", MUTANT.name), verdict("shape", "wrong")],
        )  # fmt: skip
        grade(gradebook, root, "ada", EXPERIMENTS, [None, 5], verdicts=[])
        gradebook.update_or_create_student("cam")
        gradebook.update_or_create_submission(CRITIC, "cam")  # zeros
    (root / "submitted" / "cam" / CRITIC).mkdir(parents=True)
    return root


@pytest.fixture
def course(kept, tmp_path):
    """The same, to change at will."""
    return shutil.copytree(kept, tmp_path / "course")


def exported(course, form, **options):
    read = read_grades(roster=course / "roster.csv", root=course)
    notes = export_grades(read, form, course / "out.csv", **options)
    with (course / "out.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file)), notes


def test_class_file_has_a_line_for_each_student_and_unit(course):
    (header, *lines), _ = exported(course, "class")
    rows = {
        (row["student"], row["unit"]): row
        for row in (dict(zip(header, line, strict=True)) for line in lines)
    }
    assert len(lines) == len(rows) == 4 * 2
    ada = rows["ada", CRITIC]
    assert (ada["name"], ada["points"], ada["of"], ada["note"]) == ("Quist, Ada", "9.5", "10", "")
    ben = rows["'-ben", CRITIC]
    assert (ben["points"], ben["late_penalty"]) == ("5", "2")
    assert (rows["cam", CRITIC]["points"], rows["cam", CRITIC]["note"]) == (
        "", "could not be graded",
    )  # fmt: skip
    assert (rows["dee", CRITIC]["points"], rows["dee", CRITIC]["note"]) == ("", "not submitted")


def test_canvas_file_is_what_canvas_imports(course):
    (header, points, *lines), _ = exported(course, "canvas")
    ids = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert header == [*ids, CRITIC, EXPERIMENTS]
    assert points == ["    Points Possible", "", "", "", "", "10", "10"]
    assert lines == [
        ["Quist, Ada", "101", "", "", "A", "9.5", ""],
        ['\'=HYPERLINK("x")', "", "S2", "", "'@B", "5", ""],
        ["Cam O'Neil", "", "", "cam3", "A", "", ""],
        ['Dee "D" Lee', "104", "S4", "dee4", "B", "", ""],
    ]


def test_moodle_file_has_an_identifier_and_a_dash_for_no_grade(course):
    rows, _ = exported(course, "moodle")
    assert rows == [
        ["Email address", CRITIC, EXPERIMENTS],
        ["ada@school.example", "9.5", "-"],
        ["ben@school.example", "5", "-"],
        ["cam@school.example", "-", "-"],
        ["dee@school.example", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("form", "columns"),
    [("class", slice(4, 5)), ("canvas", slice(5, None)), ("moodle", slice(1, None))],
)
def test_no_file_shows_a_zero_for_what_is_not_graded_and_says_so(course, form, columns):
    rows, notes = exported(course, form)
    points = [cell for row in rows[1:] for cell in row[columns]]
    assert "9.5" in points and "0" not in points
    assert notes == [
        f"ada, {EXPERIMENTS}: no grade is written: 1 answer waits to be graded by hand; the rest "
        "has 5 points",
        f"cam, {CRITIC}: no grade is written: could not be graded",
    ]


def test_points_so_far_are_written_when_asked_for(course):
    rows, notes = exported(course, "moodle", partial=True)
    assert rows[1] == ["ada@school.example", "9.5", "5"]
    assert len(notes) == 1


@pytest.mark.parametrize("form", ["class", "canvas", "moodle"])
def test_no_cell_is_a_formula(course, form):
    rows, _ = exported(course, form)
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t")) and cell[:1] + cell[1:2] != "-b"


def test_without_a_roster_the_class_is_who_submitted(course):
    grades = read_grades([CRITIC], root=course)
    assert list(grades.students) == ["-ben", "ada", "cam"]
    assert grades.units == {CRITIC: 10.0}


@pytest.mark.parametrize(
    ("roster", "sentence"),
    [
        ("student,email\nada,\nben,=x\n", "line 3: email '=x' begins with '='"),
        ("student,email\nada,a@b\ncam,a@b\n", "lines 2 and 3 have the same email 'a@b'"),
        ("student\nada\n\nada\n", "lines 2 and 4 have the same student 'ada'"),
        ("student,name\n,Ada\n", "line 2 names no student"),
        ("student\nada,Ada\n", "line 2 has more cells than the header"),
        ("name\nAda\n", "has no column 'student': it may have student, name"),
        ("student,grade\nada,1\n", "has the column 'grade': it may have student, name"),
        ("student,student\nada,1\n", "has the column 'student'"),
        ("", "has no column 'student'"),
    ],
)
def test_a_wrong_roster_is_refused_in_one_sentence(tmp_path, roster, sentence):
    path = tmp_path / "roster.csv"
    path.write_text(roster)
    with pytest.raises(RosterError, match=re.escape(sentence)) as raised:
        read_roster(path)
    assert str(raised.value).startswith("roster.csv") and "\n" not in str(raised.value)


def test_a_missing_roster_is_asked_for_with_its_columns(tmp_path):
    with pytest.raises(RosterError, match=",".join(COLUMNS)):
        read_roster(tmp_path / "roster.csv")


def test_rosters_of_spreadsheets_are_read(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes('\ufeffstudent;name\r\nada;"Quist; Ada"\r\n'.encode())
    assert read_roster(path)["ada"].name == "Quist; Ada"


def test_somebody_who_is_not_in_the_roster_is_named(course):
    (course / "roster.csv").write_text("student,canvas_id\nada,1\n")
    (course / "autograded" / "-ben").rename(course / "autograded" / "ben")
    sentence = re.escape("ben, cam submitted work and are not in roster.csv: add a line")
    with pytest.raises(GradesError, match=sentence):
        read_grades(roster=course / "roster.csv", root=course)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("canvas", "Canvas would not find 'ada': give the roster one of the columns canvas_id"),
        ("moodle", "Moodle finds students by one column"),
    ],
)
def test_a_student_whom_the_platform_cannot_find_is_named(course, form, sentence):
    shutil.rmtree(course / "autograded" / "-ben")
    (course / "roster.csv").write_text("student\nada\ncam\n")
    read = read_grades(roster=course / "roster.csv", root=course)
    with pytest.raises(GradesError, match=re.escape(sentence)):
        export_grades(read, form, course / "out.csv")
    assert not (course / "out.csv").exists()


@pytest.mark.parametrize(
    ("units", "sentence"),
    [
        (["08_more"], "there is no unit '08_more'; there are 01_ou_noise"),
        (["03_networks"], "03_networks was not graded yet: run `ddpg-course grade 03_networks`"),
    ],
)
def test_units_that_have_no_grades_are_refused(course, units, sentence):
    with pytest.raises(GradesError, match=re.escape(sentence)):
        read_grades(units, root=course)


def test_where_nothing_was_graded_no_gradebook_is_made(tmp_path):
    shutil.copy(layout.ROOT / "nbgrader_config.py", tmp_path)
    with pytest.raises(GradesError, match="there is no gradebook yet: run `ddpg-course grade`"):
        read_grades(root=tmp_path)
    assert not (tmp_path / "gradebook.db").exists()


@pytest.fixture(scope="module")
def page(kept):
    write_report(kept / "report.html", root=kept)
    return (kept / "report.html").read_text(encoding="utf-8")


def plain(page):
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))


def test_report_names_mistakes_and_who_made_them(page):
    text = plain(page)
    assert MUTANT.says in text
    assert f"04 1 of 2 td_target {MUTANT.name.replace('_', ' ')}" in text
    shape = ASPECTS["td_target"]["shape"]
    assert f"no known mistake: {shape.title}".replace("  ", " ") in text


def test_report_shows_points_and_leaves_out_what_is_not_graded(page):
    text = plain(page)
    assert f"{CRITIC} 3 5 7.25 9.5 10 0 1" in text  # submissions, points, of, waiting, not graded
    assert f"{EXPERIMENTS} 1 10 1 0" in text
    assert "04 cam could not be graded" in text


def test_report_shows_each_aspects_outcomes(page):
    assert re.search(r"td_target terminal transitions 1 of 2", plain(page))
    bars = re.findall(r"title='(right|wrong|not attempted): (\d+)'", page)
    assert sorted(bars) == [("right", "1"), ("right", "1"), ("wrong", "1"), ("wrong", "1")]


def test_report_lists_slow_cells_where_their_time_is_known(page):
    assert "04 slow_one 12.3 12.3" in plain(page)


def test_report_runs_nothing_of_what_students_wrote(page):
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page


def test_report_is_whole_in_itself_and_the_same_each_time(page, course):
    assert not re.search(r"(src|href)=['\"](?!#)", page)
    (svg,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    ElementTree.fromstring(svg)
    write_report(course / "again.html", root=course)
    assert (course / "again.html").read_text(encoding="utf-8") == page


def test_commands_say_what_is_wrong_in_one_line(capsys, tmp_path):
    assert main(["grades", "--roster", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err.startswith("ddpg-course: there is no roster")
    assert main(["report", "08_more"]) == 1
    assert capsys.readouterr().err.startswith("ddpg-course: there is no unit '08_more'")
    assert main(["bundle", "08_more"]) == 1
    assert capsys.readouterr().err.startswith("ddpg-course: there is no unit '08_more'")
