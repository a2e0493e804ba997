"""No attack gets more points than its answers deserve, and every broken submission is told why."""

import ast
import os

import nbformat
import pytest
from attacks.active import active_content
from attacks.faults import Ending, all_faults
from attacks.naive import points_in_the_kernel, right_when_asked
from attacks.pages import ACTIVE
from attacks.registry import (
    FAMILIES,
    Scene,
    Submission,
    all_attacks,
    honest_points,
)
from attacks.runner import Report, lay_out, run, table
from IPython.core.inputtransformer2 import TransformerManager

ATTACKS, FAULTS = all_attacks(), all_faults()
BITING = [name for name, a in ATTACKS.items() if a.bites]
INVALID = {"notebook_metadata"}  # not what nbformat allows, on purpose
# One of each kind that needs no sandbox to be held, and little time.
FAST = ("kernel_do_execute", "skip_execution_tag", "patched_remote_answer", "html_output")
FAST_FAULTS = ("fault_not_a_notebook", "fault_missing_notebook")


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path / "course", tmp_path / "canaries", "a secret", "a-marker", 1)


# --- the suite itself ----------------------------------------------------------------------------


def test_every_family_has_attacks():
    assert {a.family for a in ATTACKS.values()} == set(FAMILIES)


def test_names_of_attacks_are_no_names_of_honest_students():
    assert not {*ATTACKS, *FAULTS} & honest_points().keys()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_edits_its_notebook_and_every_cell_compiles(name, scene, tmp_path):
    submission = ATTACKS[name].lay_out(scene, tmp_path / "submitted")
    path = submission.folder / f"{submission.unit}.ipynb"
    written = nbformat.reads(path.read_text("utf-8"), as_version=nbformat.NO_CONVERT)
    if name not in INVALID:
        nbformat.validate(written)
    untouched = Submission(submission.unit, tmp_path, scene).notebook
    files = [p for p in submission.folder.rglob("*") if p != path]
    assert written != untouched or files
    for cell in written.cells:
        if cell.cell_type == "code" and not cell.source.startswith("%%"):
            ast.parse(TransformerManager().transform_cell(cell.source))


@pytest.mark.parametrize("name", [n for n in FAULTS if n != "fault_large_outputs"])
def test_fault_writes_its_submission(name, scene, tmp_path):
    folder = FAULTS[name].lay_out(scene, tmp_path / "submitted")
    assert folder.is_dir()
    assert list(folder.iterdir()) or name == "fault_missing_notebook"
    if Ending.GRADED not in FAULTS[name].endings:
        assert FAULTS[name].says
    folder.chmod(0o755)


def test_scene_refuses_an_unknown_word(scene):
    with pytest.raises(ValueError, match="@NOWHERE@"):
        scene.fill("@ROOT@ and @NOWHERE@")


def test_course_holds_every_submission(scene):
    lay_out(scene, [ATTACKS["skip_execution_tag"]], [FAULTS["fault_empty_file"]],
            [("full", "04_critic_loss")])
    students = sorted(p.name for p in (scene.root / "submitted").iterdir())
    assert students == ["fault_empty_file", "full", "skip_execution_tag"]


@pytest.mark.parametrize("line", [line for line in ACTIVE.splitlines() if line])
def test_active_content_is_seen(line):
    assert active_content(f"<html><body><p>{line}</p></body></html>")


def test_shown_code_is_not_active():
    assert not active_content("<pre>&lt;script&gt;alert(1)&lt;/script&gt; \\href{javascript:</pre>")
    assert not active_content('<p><a href="https://example.org/">a link</a></p>')


def test_table_marks_what_got_through():
    a = ATTACKS["skip_execution_tag"]
    report = Report(points={(a.name, a.unit): 10.0})
    report.find(a.name, "got 10 points and deserves 0 at most")
    lines = table(report, [a], []).splitlines()
    assert lines[1].startswith("!skip_execution_tag") and "10" in lines[1]
    assert "1 findings" in lines[-1]


# Answers that are wrong in all that depends on the probe.
WRONG_ANSWERS = {
    "01_ou_noise": {
        "evolve_state": "self.state = self.state + 1.0\n        return self.state.copy()",
        "get_action": "return np.clip(action + self.evolve_state(), self.low, self.high)",
    },
    "04_critic_loss": {
        "td_target": "return batch.rewards",
        "update_critic": "critic.linear1.weight.data += 1.0",
    },
    "05_actor_loss": {"update_actor": "actor.linear1.weight.data += 1.0"},
}


at_length = pytest.mark.skipif(
    "DDPG_ATTACKS" not in os.environ, reason="takes half an hour: run by `make attacks`"
)


@at_length
@pytest.mark.full
@pytest.mark.parametrize("name", BITING)
def test_attack_would_fool_a_naive_grader(name, scene, tmp_path):
    attack = ATTACKS[name]
    submission = attack.lay_out(scene, tmp_path / "submitted")
    right = right_when_asked(submission)
    assert right > attack.deserves or points_in_the_kernel(submission) > attack.deserves


# --- the grader ----------------------------------------------------------------------------------


def test_fast_attacks_and_faults_get_nothing():
    report = run(
        [ATTACKS[n] for n in FAST], [FAULTS[n] for n in FAST_FAULTS],
        honest=[("full", "04_critic_loss")],
    )  # fmt: skip
    assert not report.findings, report.findings


@pytest.fixture(scope="module")
def everything():
    return run(ATTACKS.values(), FAULTS.values())


@at_length
@pytest.mark.full
@pytest.mark.parametrize("name", [*ATTACKS, *FAULTS])
def test_attack_or_fault_ends_as_it_should(everything, name):
    assert not everything.findings.get(name)


@at_length
@pytest.mark.full
def test_nothing_else_is_found(everything):
    rest = {n: f for n, f in everything.findings.items() if n not in {*ATTACKS, *FAULTS}}
    assert not rest
