"""Visible checks: three outcomes, one box, and what is said where no known mistake explains it."""

import inspect
import subprocess
import sys

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from ddpg_helpers.checks import CheckError, check, needs
from ddpg_helpers.checks.aspects import ASPECTS
from ddpg_helpers.checks.verdict import Outcome
from ddpg_helpers.checks.visible import Box, verdict_on
from ddpg_helpers.instructor.grading.kernel import StudentKernelManager
from ddpg_helpers.instructor.mutants import all_mutants
from ddpg_helpers.instructor.reference import agent, updates
from ddpg_helpers.noise import OUNoise


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stub(*arguments):
    raise NotImplementedError


def mask_missing(batch, actor_target, critic_target, gamma):
    next_values = critic_target(batch.next_states, actor_target(batch.next_states))
    return batch.rewards + gamma * next_values


def said(exercise, aspect=None, **namespace):
    with pytest.raises(CheckError) as caught:
        check(exercise, aspect, namespace={"updates": updates, **namespace})
    return str(caught.value)


# --- three outcomes -------------------------------------------------------------------------------


def test_a_stub_is_not_attempted():
    assert "td_target is not attempted yet" in said("td_target", td_target=stub)


def test_a_cell_that_was_not_run_is_not_attempted():
    assert "td_target is not attempted yet" in said("td_target")


def test_a_wrong_answer_is_told_the_mistake_and_the_smallest_case():
    text = said("td_target", "mask", td_target=mask_missing)
    sentence, case = text.splitlines()
    assert "bootstraps from terminal states" in sentence
    assert "terminated 1" in case and "the target is" in case and "it should be" in case


def test_a_right_answer_is_told_what_the_hidden_tests_look_at(capsys):
    check("td_target", namespace=vars(updates))
    told = capsys.readouterr().out
    assert told.startswith("\N{CHECK MARK} td_target is right.")
    assert all(aspect.title in told for aspect in ASPECTS["td_target"].values())


def test_an_unknown_exercise_or_aspect_is_named():
    with pytest.raises(ValueError, match=r"there is no exercise 'td_taget'; there are .*td_target"):
        check("td_taget")
    with pytest.raises(ValueError, match=r"td_target has no aspect 'msk'; it has .*mask"):
        check("td_target", "msk")


def test_needs_says_in_one_line_what_is_missing():
    namespace = {"__builtins__": __builtins__, "needs": needs, "soft_update": stub}
    with pytest.raises(CheckError, match="needs td_target and soft_update, not finished yet"):
        exec('needs("td_target", "soft_update")', namespace)


# --- how it is shown ------------------------------------------------------------------------------


def test_a_box_is_text_in_a_terminal_and_html_in_jupyter():
    box = Box(Outcome.WRONG, "a < b", "", "second line")
    assert repr(box) == "\N{BALLOT X} a < b\nsecond line"
    assert "a &lt; b<br>second line</div>" in box._repr_html_()


def test_a_failed_check_in_a_terminal_is_the_sentence_alone():
    assert CheckError("the sentence")._render_traceback_() == ["the sentence"]
    assert max(map(len, CheckError("a sentence " * 20)._render_traceback_())) < 90


def test_a_failed_check_in_jupyter_is_one_box_and_one_line():
    cells = [
        "from ddpg_helpers.checks import check\ndef td_target(*a): raise NotImplementedError",
        'check("td_target")',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, allow_errors=True, kernel_manager_class=StudentKernelManager).execute()
    box, error = notebook.cells[1].outputs
    assert "td_target is not attempted yet" in box.data["text/html"]
    assert error.ename == "CheckError" and "td_target is not attempted yet" in error.evalue
    assert error.traceback == ["The box above says what is left to do."]


def test_a_check_needs_neither_jupyter_nor_matplotlib():
    code = (
        "import sys\nfrom ddpg_helpers.checks import check\n"
        "from ddpg_helpers.noise import OUNoise\n"
        "check('OUNoise.evolve_state')\n"
        "print([name for name in ('IPython', 'matplotlib', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


# --- two mistakes, and mistakes that nobody knew --------------------------------------------------


def test_two_mistakes_in_two_aspects_are_both_told():
    class Noise(OUNoise):
        """Sigma is set too late, and the bounds are ignored."""

        def get_action(self, action, t=0):
            noisy = action + self.evolve_state()
            progress = min(1.0, t / self.decay_period)
            self.sigma = self.max_sigma - (self.max_sigma - self.min_sigma) * progress
            return noisy

    text = said("OUNoise.get_action", OUNoise=Noise)
    assert "more than one thing is off. The first:" in text
    assert "moves before sigma is set" in text
    assert "not clipped" in said("OUNoise.get_action", "clip", OUNoise=Noise)


def test_a_single_known_mistake_is_told_alone():
    assert "more than one thing" not in said("td_target", td_target=mask_missing)


@pytest.mark.parametrize(
    ("exercise", "aspect", "answer", "part"),
    [
        (
            "td_target", "bootstrap",
            lambda b, a, c, g: updates.td_target(b, a, c, g) + 0.3 * b.states[:, :1],
            "Of the transitions 0 to 4 it is off in 0, 1, 2, 3 and 4.",
        ),
        (
            "td_target", "shape",
            lambda b, a, c, g: updates.td_target(b, a, c, g).T.repeat(2, 1),
            "The shape is [2, 5]; it should be [5, 1].",
        ),
        (
            "soft_update", "blend",
            lambda t, o, tau: (agent.soft_update(t, o, tau), t.linear2.bias.data.mul_(1.1)),
            "It is off in linear2.bias.",
        ),
        (
            "update_actor", "critic_unchanged",
            lambda b, a, o, c: (
                updates.update_actor(b, a, o, c), c.linear1.bias.data.add_(0.1), b.states.add_(1),
            )[0],
            "Changed, and should not be: the critic and batch.states.",
        ),
    ],
)  # fmt: skip
def test_an_unknown_mistake_is_told_which_part_is_off(exercise, aspect, answer, part):
    namespace = {**vars(updates), exercise: answer}
    verdict = verdict_on(exercise, aspect, namespace)
    assert verdict.outcome is Outcome.WRONG and verdict.mistake is None
    assert verdict.message.endswith(part)


@pytest.mark.parametrize("exercise", ASPECTS)
def test_no_message_of_a_hidden_test_holds_a_right_number(exercise):
    """What is told of a mutant names layers, transitions and sizes: no number with a fraction."""
    for mutant in all_mutants():
        if mutant.exercise != exercise:
            continue
        namespace = {
            **vars(inspect.getmodule(mutant.answer)), exercise.partition(".")[0]: mutant.answer
        }  # fmt: skip
        for aspect in mutant.breaks:
            message = verdict_on(exercise, aspect, namespace).message
            assert "it should be" not in message.replace("; it should be [", "")
