"""What a student gets works with the student edition of the package alone."""

import subprocess

import nbformat
import pytest
from nbclient import NotebookClient

from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.student_edition import student_files, student_python
from ddpg_helpers.instructor.grading.kernel import StudentKernelManager


def run(folder, code):
    """Run code in a folder where the course's repository is not at hand."""
    command = [student_python(), "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_every_module_imports_in_the_student_edition(tmp_path):
    modules = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in student_files()
        if path.suffix == ".py"
    ]
    assert len(modules) > 10
    done = run(tmp_path, "\n".join(f"import {module}" for module in modules))
    assert done.returncode == 0, done.stderr


def test_there_is_no_instructor_in_the_student_edition(tmp_path):
    done = run(tmp_path, "import ddpg_helpers.instructor")
    assert "No module named 'ddpg_helpers.instructor'" in done.stderr


@pytest.mark.parametrize("unit", layout.UNITS)
def test_given_cells_of_a_release_run_or_say_in_one_line_what_they_need(unit, tmp_path):
    """Stubs are untouched: a cell runs, or it names the exercise that it waits for."""
    notebook = nbformat.read(layout.release_notebook(unit), as_version=4)
    for path in layout.release_notebook(unit).parent.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    NotebookClient(
        notebook,
        timeout=120,
        allow_errors=True,
        kernel_manager_class=StudentKernelManager,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    outputs = [(c.id, output) for c in notebook.cells for output in c.get("outputs", [])]
    errors = {name: output for name, output in outputs if output.output_type == "error"}
    answers = {c.id for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")}
    for name, error in errors.items():
        if name in answers:  # a plot, say, that is not a function: the stub itself stops
            assert error.ename == "NotImplementedError"
        else:
            assert error.ename == "CheckError", (name, error.ename, error.evalue)
            assert len(error.traceback) == 1 and "\n" not in error.traceback[0]
            assert "not attempted yet" in error.evalue or "This cell needs" in error.evalue
    assert not [output for _, output in outputs if output.get("name") == "stderr"]
    if unit != "07_experiments":  # whose exercises are answered in words
        assert errors
