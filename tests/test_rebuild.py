"""A submission is built anew from the gradebook: what is repaired, and what is told."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.api import Gradebook

from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.grade import register
from ddpg_helpers.instructor.grading.rebuild import (
    KEY,
    NotGradableError,
    known_cells,
    rebuilt_notebook,
    released,
)

UNIT = "04_critic_loss"


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """What a gradebook knows of each unit."""
    root = tmp_path_factory.mktemp("course")
    (root / "nbgrader_config.py").write_bytes((layout.ROOT / "nbgrader_config.py").read_bytes())
    (root / "source").symlink_to(layout.ROOT / "source")
    register(list(layout.UNITS), root)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "ddpg") as gradebook:
        return {unit: known_cells(gradebook, unit, unit) for unit in layout.UNITS}


@pytest.fixture
def notebook():
    """A release notebook of unit 04."""
    path = layout.ROOT / "release" / UNIT / f"{UNIT}.ipynb"
    return nbformat.read(path, as_version=4)


def ids(notebook):
    return [c.metadata.nbgrader.grade_id for c in notebook.cells if "nbgrader" in c.metadata]


def place(notebook, name):
    for number, cell in enumerate(notebook.cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name:
            return number
    raise AssertionError(f"no cell {name}")


TEST, ANSWER = "test_td_target_mask", "td_target"


@pytest.mark.parametrize("unit", layout.UNITS)
def test_an_untouched_release_needs_no_repair(known, unit):
    path = layout.ROOT / "release" / unit / f"{unit}.ipynb"
    rebuilt, repairs = rebuilt_notebook(nbformat.read(path, as_version=4), known[unit])
    assert repairs == [] and ids(rebuilt) == list(known[unit])
    nbformat.validate(rebuilt)


def test_an_untouched_source_needs_no_repair(known):
    path = layout.ROOT / "source" / UNIT / f"{UNIT}.ipynb"
    assert rebuilt_notebook(nbformat.read(path, as_version=4), known[UNIT])[1] == []


def test_the_hidden_test_is_back_in_its_cell(known, notebook):
    rebuilt, _ = rebuilt_notebook(notebook, known[UNIT])
    assert 'grade("td_target", aspect="mask")' in rebuilt.cells[place(rebuilt, TEST)].source
    assert "HIDDEN" not in released(known[UNIT][TEST].source)


def _duplicate(nb):
    nb.cells.insert(place(nb, TEST), new_code_cell("1.0", metadata=copy.deepcopy(
        nb.cells[place(nb, TEST)].metadata)))  # fmt: skip


def _delete(nb):
    del nb.cells[place(nb, TEST)]


def _rename(nb):
    nb.cells[place(nb, TEST)].metadata.nbgrader["grade_id"] = "mine"


def _retype(nb):
    number = place(nb, TEST)
    nb.cells[number] = new_markdown_cell("1.0", metadata=nb.cells[number].metadata)


def _make_raw(nb):
    number = place(nb, TEST)
    nb.cells[number] = new_raw_cell("1.0", metadata=nb.cells[number].metadata)


def _raise_points(nb):
    nb.cells[place(nb, TEST)].metadata.nbgrader["points"] = 99


def _unlock(nb):
    nb.cells[place(nb, TEST)].metadata.nbgrader |= {"locked": False, "solution": True}


def _rewrite(nb):
    nb.cells[place(nb, TEST)].source = "1.0"


def _move(nb):
    nb.cells.insert(0, nb.cells.pop(place(nb, TEST)))


def _skip(nb):
    nb.cells[place(nb, TEST)].metadata["tags"] = ["skip-execution"]


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (_duplicate, "came more than once; the first one counts"),
        (_delete, "was missing; it was put back"),
        (_rename, "was missing; it was put back"),
        (_retype, "is a code cell and had been made another"),
        (_make_raw, "is a code cell and had been made another"),
        (_raise_points, "had another points; it was put back"),
        (_unlock, "had another locked; it was put back"),
        (_rewrite, "is locked and had been changed; it was put back"),
        (_move, "had been moved; it was put back"),
        (_skip, "was tagged to be skipped; it was run"),
    ],
)
def test_a_tampered_test_cell_is_put_back_and_told(known, notebook, tamper, told):
    tamper(notebook)
    rebuilt, repairs = rebuilt_notebook(notebook, known[UNIT])
    assert f"Cell {TEST} {told}." in repairs
    cell = rebuilt.cells[place(rebuilt, TEST)]
    assert cell.cell_type == "code" and cell.source == known[UNIT][TEST].source
    assert cell.metadata == {"nbgrader": known[UNIT][TEST].metadata()}
    assert ids(rebuilt).count(TEST) == 1
    assert place(rebuilt, ANSWER) < place(rebuilt, TEST)
    nbformat.validate(rebuilt)


def test_a_missing_answer_stays_empty_so_that_one_elsewhere_counts(known, notebook):
    del notebook.cells[place(notebook, ANSWER)]
    rebuilt, repairs = rebuilt_notebook(notebook, known[UNIT])
    assert rebuilt.cells[place(rebuilt, ANSWER)].source == ""
    assert repairs == [f"Cell {ANSWER} was missing; it was put back."]


def test_many_repairs_of_a_kind_are_one_sentence(known, notebook):
    notebook.cells = [c for c in notebook.cells
                      if not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_")]
    _, repairs = rebuilt_notebook(notebook, known[UNIT])
    assert len(repairs) == 1 and repairs[0].startswith("Each of the cells test_td_target_shape, ")


def test_a_students_own_cells_keep_their_text_alone(known, notebook):
    own = new_code_cell("x = 1", metadata={"tags": ["skip-execution"], "nbgrader": {"points": 5}})
    notebook.cells.append(own)
    notebook.metadata["widgets"] = {"x": 1}
    rebuilt, repairs = rebuilt_notebook(notebook, known[UNIT])
    assert repairs == [] and rebuilt.cells[-1].source == "x = 1"
    assert rebuilt.cells[-1].metadata == {}
    assert set(rebuilt.metadata) == {"kernelspec", "language_info", KEY}


def test_odd_metadata_is_taken_away(known, notebook):
    notebook.cells[place(notebook, TEST)].metadata |= {"tags": 5, "collapsed": [1]}
    rebuilt, repairs = rebuilt_notebook(notebook, known[UNIT])
    assert repairs == [] and set(rebuilt.cells[place(rebuilt, TEST)].metadata) == {"nbgrader"}


def test_html_in_a_students_text_is_made_harmless(known, notebook):
    notebook.cells.append(new_markdown_cell("a < b, <b>x</b><script>alert(1)</script>"))
    notebook.cells.append(new_markdown_cell("> a < b & c"))
    rebuilt, _ = rebuilt_notebook(notebook, known[UNIT])
    assert "<script" not in rebuilt.cells[-2].source and "<b>x</b>" in rebuilt.cells[-2].source
    assert rebuilt.cells[-1].source == "> a < b & c"


def test_another_units_notebook_is_refused(known):
    other = nbformat.read(layout.ROOT / "release/01_ou_noise/01_ou_noise.ipynb", as_version=4)
    with pytest.raises(NotGradableError, match="none of the unit's cells"):
        rebuilt_notebook(other, known[UNIT])
    with pytest.raises(NotGradableError, match="none of the unit's cells"):
        rebuilt_notebook(new_notebook(cells=[new_code_cell("1")]), known[UNIT])
