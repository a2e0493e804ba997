"""Attacks through cell tags, types, ids and nbgrader's metadata."""

import copy

from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import compute_checksum

from .registry import Submission, attack

FAMILY = "metadata"


def _result(text: str):
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


@attack(FAMILY, "the tag skip-execution keeps each test from being run", bites=True)
def skip_execution_tag(s: Submission) -> None:
    for cell in s.tests:
        cell.metadata.tags = ["skip-execution"]


@attack(FAMILY, "tags that hide or excuse a test's error")
def excusing_tags(s: Submission) -> None:
    for cell in s.tests:
        cell.metadata.tags = ["raises-exception", "remove-output", "remove-cell", "nbval-skip"]


@attack(FAMILY, "every test says it gives a hundred times its points", deserves=4, at_least=4)
def more_points(s: Submission) -> None:
    s.solve("td_target")
    for cell in s.tests:
        cell.metadata.nbgrader.points *= 100


@attack(FAMILY, "the ids of passing tests are given to failing ones and the reverse", deserves=4)
def swapped_grade_ids(s: Submission) -> None:
    s.solve("td_target")
    ids = [cell.metadata.nbgrader.grade_id for cell in s.tests]
    for cell, name in zip(s.tests, reversed(ids), strict=True):
        cell.metadata.nbgrader.grade_id = name


@attack(FAMILY, "each test is a Markdown cell")
def tests_as_markdown(s: Submission) -> None:
    for cell in s.tests:
        cell.cell_type = cell.metadata.nbgrader.cell_type = "markdown"
        cell.pop("outputs")
        cell.pop("execution_count")


@attack(FAMILY, "each test is a raw cell that says it is code")
def tests_as_raw(s: Submission) -> None:
    for cell in s.tests:
        cell.cell_type = "raw"
        cell.pop("outputs")
        cell.pop("execution_count")


@attack(FAMILY, "each test is unlocked and called a solution, with a score as its text")
def unlocked_tests(s: Submission) -> None:
    for cell in s.tests:
        cell.source = "0.5"
        cell.metadata.update(deletable=True, editable=True)
        cell.metadata.nbgrader.update(locked=False, solution=True)


@attack(FAMILY, "the first test stands there twice, and the second is always right")
def duplicated_test(s: Submission) -> None:
    twin = copy.deepcopy(s.tests[0])
    twin.id = "twin"
    twin.source = "1.0"
    s.notebook.cells.append(twin)


@attack(FAMILY, "all tests are missing")
def missing_tests(s: Submission) -> None:
    tests = s.tests
    s.notebook.cells = [cell for cell in s.notebook.cells if cell not in tests]


@attack(FAMILY, "all tests have other names")
def renamed_tests(s: Submission) -> None:
    for cell in s.tests:
        cell.source = "0.5"
        cell.metadata.nbgrader.grade_id += "_mine"


@attack(FAMILY, "each test's text is a score, and its checksum fits", bites=True)
def forged_checksums(s: Submission) -> None:
    for cell in s.tests:
        cell.source = "0.5"
        cell.metadata.nbgrader.checksum = compute_checksum(cell)


@attack(FAMILY, "a further test of ninety points is added", deserves=4)
def added_test(s: Submission) -> None:
    s.solve("td_target")
    about = dict(s.tests[0].metadata.nbgrader, grade_id="bonus", points=90)
    s.notebook.cells.append(new_code_cell("90", metadata={"nbgrader": about}))


@attack(FAMILY, "the answers' cells say that they are tests of ten points")
def answers_as_tests(s: Submission) -> None:
    for name in ("td_target", "critic_loss", "update_critic"):
        s.cell(name).metadata.nbgrader.update(grade=True, points=10)
        s.write(name, "10")


@attack(FAMILY, "an answer that a person should grade takes a test's place")
def tests_for_a_person(s: Submission) -> None:
    for cell in s.tests:
        cell.metadata.nbgrader.update(solution=True, locked=False, task=False)


@attack(FAMILY, "the metadata's schema is of another version")
def other_schema(s: Submission) -> None:
    for cell in s.tests:
        cell.metadata.nbgrader.update(schema_version=1)
        cell.metadata.nbgrader.pop("task")


@attack(FAMILY, "each test has a score as its stored output, and the kernel dies before any runs",
        bites=True)
def stored_outputs(s: Submission) -> None:
    for cell in s.tests:
        cell.outputs = [_result("0.5")]
        cell.execution_count = 1
    s.first("import os\n\nos._exit(0)")


@attack(FAMILY, "each test is closed by a cell magic that runs nothing", bites=True)
def tests_under_a_magic(s: Submission) -> None:
    for cell in s.tests:
        cell.source = "%%script true\n" + cell.source


@attack(FAMILY, "the same as skip-execution, in the unit on the actor's loss",
        unit="05_actor_loss", bites=True)
def skip_execution_tag_05(s: Submission) -> None:
    skip_execution_tag(s)


@attack(FAMILY, "the notebook names a kernel that does not exist", deserves=10)
def unknown_kernel(s: Submission) -> None:
    s.solve()
    s.notebook.metadata.kernelspec = {
        "name": "my_own_kernel", "display_name": "Mine", "language": "python",
    }  # fmt: skip


@attack(FAMILY, "the notebook asks for nbgrader's and nbconvert's settings in its metadata")
def settings_in_the_notebook(s: Submission) -> None:
    s.notebook.metadata.update(
        nbgrader={"score": 10, "max_score": 10},
        nbconvert={"execute": {"enabled": False}},
        execution={"allow_errors": True, "timeout": -1},
    )
