"""The guide "Change or add an exercise", followed to the letter in a copy of the course."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from ddpg_helpers.instructor.course import layout

GUIDE = layout.ROOT / "docs" / "exercises.md"
BLOCK = re.compile(r"^```\{code-block\} (\w+)\n:caption: ([^\n]+)\n\n(.*?)^```$", re.M | re.S)
UNIT, EXERCISE = "04_critic_loss", "td_error"
ANSWER = "autograded answer "
TESTS = re.compile(r"autograded tests (\w+), ([\d.]+) points?")

# Right under another name, as a maker of mutants may write by mistake.
RIGHT_AFTER_ALL = '''

@mutant("td_error", breaks=["value"], says="Your TD error is computed in another order.")
def computed_in_another_order(batch, critic, targets):
    return -critic(batch.states, batch.actions) + targets
'''

full = pytest.mark.full  # a build of the course and two runs of verify


def follow(course: Path) -> list[str]:
    """Do what the guide's blocks say; return its commands."""
    notebook, commands = course / "source" / UNIT / f"{UNIT}.ipynb", []
    for language, caption, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if language == "sh":
            commands += text.split("\n")
        elif caption.startswith(ANSWER):
            add_cell(notebook, caption.removeprefix(ANSWER), text, solution=True)
        elif found := TESTS.fullmatch(caption):
            add_cell(notebook, found[1], text, points=float(found[2]))
        elif language == "diff":
            patch(course / caption, text)
        else:
            with (course / caption).open("a", encoding="utf-8") as file:
                file.write(f"\n\n{text}")
    return [command for command in commands if command]


def patch(path: Path, lines: str) -> None:
    """Apply a block with plus and minus signs where its other lines stand."""
    marked = [(line[:1], line[1:] + "\n") for line in lines.splitlines()]
    before = "".join(line for mark, line in marked if mark != "+")
    after = "".join(line for mark, line in marked if mark != "-")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} does not hold this once:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def add_cell(path: Path, name: str, source: str, *, solution=False, points=None) -> None:
    """Add a cell at the end of a notebook, as nbgrader's side panel makes it."""
    notebook = nbformat.read(path, as_version=4)
    about = {
        "grade": points is not None, "grade_id": name, "locked": not solution,
        "schema_version": 3, "solution": solution, "task": False,
    }  # fmt: skip
    if points is not None:
        about["points"] = points
    cell = nbformat.v4.new_code_cell(source.rstrip("\n"), id=name, metadata={"nbgrader": about})
    if points is not None:
        cell.metadata["tags"] = ["nbval-ignore-output"]
    notebook.cells.append(cell)
    nbformat.write(notebook, path)


def run(course: Path, *command: str) -> subprocess.CompletedProcess:
    """Run ``ddpg-course`` in the copy, with the copy's package."""
    return subprocess.run(
        [sys.executable, "-m", "ddpg_helpers.instructor.course.cli", *command],
        cwd=course, env={**os.environ, "PYTHONPATH": str(course), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip


@pytest.fixture(scope="module")
def commands(course):
    """What came of the guide's commands, by their first words."""
    folder, lines = course
    return {line.split()[1]: run(folder, *line.split()[1:]) for line in lines}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course in which the guide was followed, and the commands that it ends with."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("ddpg_helpers", "source", "notebooks", "release", "tests/rewrites"):
        shutil.copytree(
            layout.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "nbgrader_config.py"):
        shutil.copyfile(layout.ROOT / name, folder / name)
    return folder, follow(folder)


def test_the_blocks_of_the_guide_find_their_places(course):
    """Where this fails, the guide is out of date: see ``patch``."""
    _, lines = course
    assert lines == [f"ddpg-course build {UNIT}", f"ddpg-course verify {EXERCISE}"]


@full
def test_verify_is_content_with_the_new_exercise(commands):
    done = commands["verify"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith(EXERCISE)]
    assert [row.split()[:5] for row in rows] == [
        [EXERCISE, "shape", "2", "of", "2"],
        [EXERCISE, "value", "3", "of", "3"],
    ]


@full
def test_build_makes_what_students_and_readers_get(commands, course):
    course, _ = course
    assert commands["build"].returncode == 0, commands["build"].stderr
    assert (course / "ddpg_helpers" / "checks" / "data" / f"{EXERCISE}.json").exists()
    release = {c.id: c for c in cells(course / "release" / UNIT / f"{UNIT}.ipynb")}
    assert "raise NotImplementedError()" in release[EXERCISE].source
    assert release["test_td_error_value"].source == 'check("td_error", aspect="value")'
    reading = {c.id: c for c in cells(course / "notebooks" / f"{UNIT}.ipynb")}
    shown = reading["test_td_error_value"].outputs[0].data["text/plain"]
    assert shown.endswith("td_error, the values: right.")


@full
def test_a_mutant_that_is_right_fails_in_one_line(commands, course):
    course, _ = course
    mutants = course / "ddpg_helpers" / "instructor" / "mutants" / f"{EXERCISE}.py"
    kept = mutants.read_text(encoding="utf-8")
    mutants.write_text(kept + RIGHT_AFTER_ALL, encoding="utf-8")
    try:
        done = run(course, "verify", EXERCISE)
        built = run(course, "build", "--check")
    finally:
        mutants.write_text(kept, encoding="utf-8")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + built.stderr
    lines = done.stdout.splitlines()
    place = lines.index("FAIL  hidden tests: each can tell right from wrong")
    assert lines[place + 1 : place + 3] == [
        "      td_error: computed_in_another_order is not told from the right answer",
        "ok    hidden tests: each has a mutant to catch",
    ]
    (sentence,) = built.stderr.strip().splitlines()
    assert sentence.startswith("ddpg-course: no probe of ")
    assert sentence.endswith("`ddpg-course verify td_error` says which answers are not told apart")


def cells(path: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(path, as_version=4).cells
