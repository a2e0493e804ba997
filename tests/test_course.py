"""The three editions, the points, and what each of them may hold."""

import json
import re
import zipfile

import nbformat
import pytest

from ddpg_helpers.checks.aspects import ASPECTS, UNITS
from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.build import UNCOMPARED, draws, reading_cells
from ddpg_helpers.instructor.course.student_edition import build_wheel, student_files

HIDDEN = re.compile(r"HIDDEN TESTS|MARK SCHEME|ddpg_helpers\.instructor")


def cells(path):
    return nbformat.read(path, as_version=4).cells


def graded(path):
    return [c.metadata.nbgrader for c in cells(path) if c.metadata.get("nbgrader", {}).get("grade")]


@pytest.mark.parametrize("unit", layout.UNITS)
def test_points_are_those_of_the_readme(unit):
    row = re.search(rf"\| `{unit}` \|[^|]*\| (\d+) \|", (layout.ROOT / "README.md").read_text())
    assert sum(cell.points for cell in graded(layout.source_notebook(unit))) == float(row[1])


def test_total_is_that_of_the_readme():
    total = re.search(r"\| total \| \| (\d+) \|", (layout.ROOT / "README.md").read_text())
    points = [c.points for unit in layout.UNITS for c in graded(layout.source_notebook(unit))]
    assert sum(points) == float(total[1])


@pytest.mark.parametrize("unit", UNITS)
def test_every_aspect_has_one_test_cell(unit):
    calls = re.findall(
        r'^grade\("([^"]+)", aspect="([^"]+)"\)$',
        "\n".join(c.source for c in cells(layout.source_notebook(unit)) if c.cell_type == "code"),
        re.MULTILINE,
    )
    assert sorted(calls) == sorted((e, a) for e in UNITS[unit] for a in ASPECTS[e])


@pytest.mark.parametrize("unit", layout.UNITS)
def test_source_notebooks_hold_no_outputs(unit):
    for cell in cells(layout.source_notebook(unit)):
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.parametrize("unit", layout.UNITS)
def test_release_holds_no_hidden_test_mark_scheme_or_solution(unit):
    source = {c.id: c.source for c in cells(layout.source_notebook(unit))}
    for cell in cells(layout.release_notebook(unit)):
        assert not HIDDEN.search(cell.source)
        assert "SOLUTION" not in cell.source
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert cell.source != source[cell.id]
            assert "NotImplementedError" in cell.source or "YOUR ANSWER HERE" in cell.source


@pytest.mark.parametrize("unit", layout.UNITS)
def test_a_figure_is_drawn_in_a_cell_that_prints_nothing(unit):
    """nbval compares nothing of a cell with a figure: what is printed there would go unchecked."""
    for cell in cells(layout.source_notebook(unit)):
        if cell.cell_type == "code" and draws(cell):
            assert "print(" not in cell.source or UNCOMPARED in cell.metadata.tags, cell.id


@pytest.mark.parametrize("unit", layout.UNITS)
def test_a_cell_whose_output_is_not_compared_is_followed_by_an_assertion(unit):
    """What trains gives other numbers elsewhere; a coarse assertion holds it all the same."""
    code = [c for c in cells(layout.source_notebook(unit)) if c.cell_type == "code"]
    for index, cell in enumerate(code):
        prints = "print(" in cell.source or "train(" in cell.source or "sweep(" in cell.source
        if UNCOMPARED in cell.metadata.get("tags", []) and prints:
            assert any("assert " in c.source for c in code[index : index + 3]), cell.id


@pytest.mark.parametrize("unit", layout.UNITS)
def test_reading_edition_was_executed_without_errors(unit):
    notebook = nbformat.read(layout.reading_notebook(unit), as_version=4)
    assert [c.id for c in notebook.cells] == [c.id for c in reading_cells(unit).cells]
    for cell in notebook.cells:
        assert not HIDDEN.search(cell.source)
        if cell.cell_type == "code" and cell.source.strip():
            assert cell.execution_count is not None, f"{cell.id} was never run"
            assert not [o for o in cell.outputs if o.output_type == "error"]
            assert not [o for o in cell.outputs if o.get("name") == "stderr"]
            printed = "".join(o.get("text", "") for o in cell.outputs)
            assert "Not training while grading" not in printed, f"{cell.id} did not train"


def test_reading_edition_is_small():
    assert sum(p.stat().st_size for p in layout.NOTEBOOKS.glob("*.ipynb")) < 5_000_000


def test_student_wheel_holds_the_student_edition_only(tmp_path):
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        metadata = next(n for n in wheel.namelist() if n.endswith("METADATA"))
        requirements = re.findall("^Requires-Dist: (.*)$", wheel.read(metadata).decode(), re.M)
    assert names == {path.as_posix() for path in student_files()}
    assert not [name for name in names if "instructor" in name]
    assert "torch>=2.4" in requirements
    assert not [r for r in requirements if r.startswith("nbgrader")]


def test_stored_checks_hold_no_code():
    for path in layout.CHECKS_DATA.glob("*.json"):
        assert set(json.loads(path.read_text())) == {"aspects", "diagnosing", "mistakes"}
