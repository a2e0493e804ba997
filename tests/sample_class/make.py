"""Make the sample class: submissions as students hand them in, from the release and these answers.

Run it after a release has changed: ``python tests/sample_class/make.py``. A test holds the
submissions to it. Each student is named after the answers; POINTS says what they deserve.
"""

import shutil
import sys
from pathlib import Path

import nbformat

from ddpg_helpers.instructor.course.build import without_marks
from ddpg_helpers.instructor.course.layout import UNITS, release_notebook, source_notebook

HERE = Path(__file__).parent

# In the right solution of a cell, what a student wrote instead: {unit: {cell: [(right, written)]}}.
EDITS: dict[str, dict[str, dict[str, list[tuple[str, str]]]]] = {
    "mask_missing": {"04_critic_loss": {"td_target": [(" * (1 - batch.terminated)", "")]}},
    "flat_target": {
        "04_critic_loss": {"td_target": [("batch.rewards +", "batch.rewards.squeeze(1) +")]}
    },
    "online_critic_in_target": {
        "04_critic_loss": {
            "critic_loss": [("td_target(batch, actor_target, critic_target,",
                             "td_target(batch, actor_target, critic,")]
        }
    },
    "gradients_not_cleared": {
        "04_critic_loss": {"update_critic": [("    critic_optimizer.zero_grad()\n", "")]},
        "05_actor_loss": {"update_actor": [("    actor_optimizer.zero_grad()\n", "")]},
    },
    "wrong_sign": {"05_actor_loss": {"actor_loss": [("return -", "return ")]}},
    "tau_swapped": {"06_ddpg_agent": {"soft_update": [("(parameter, tau)", "(parameter, 1 - tau)")]}},
    "syntax_error": {
        "04_critic_loss": {"update_critic": [("    loss.backward()", "    loss.backward(")]}
    },
    "endless_loop": {
        "05_actor_loss": {"update_actor": [("    loss.backward()", "    while True:\n        pass")]}
    },
    "kernel_dies": {
        "04_critic_loss": {
            "update_critic": [("    loss.backward()", "    import os\n\n    os._exit(1)")]
        }
    },
    "warns": {
        "04_critic_loss": {
            "td_target": [("    with torch.no_grad():",
                           "    import sys\n    import warnings\n\n"
                           "    warnings.warn(\"a harmless warning\")\n"
                           "    print(\"a harmless line\", file=sys.stderr)\n"
                           "    with torch.no_grad():")]
        }
    },
}  # fmt: skip

# What each deserves without a person's grades; the points of a unit are in the README.
POINTS: dict[str, dict[str, float]] = {
    "full": {
        "01_ou_noise": 6, "02_replay_memory": 8, "03_networks": 7, "04_critic_loss": 10,
        "05_actor_loss": 10, "06_ddpg_agent": 14, "07_experiments": 0,
    },
    "half": {
        "01_ou_noise": 6, "02_replay_memory": 0, "03_networks": 4, "04_critic_loss": 4,
        "05_actor_loss": 4, "06_ddpg_agent": 4, "07_experiments": 0,
    },
    "blank": dict.fromkeys(UNITS, 0),
    "mask_missing": {"04_critic_loss": 9},
    "flat_target": {"04_critic_loss": 6},
    "online_critic_in_target": {"04_critic_loss": 9},
    "gradients_not_cleared": {"04_critic_loss": 9.5, "05_actor_loss": 9},
    "wrong_sign": {"05_actor_loss": 6},
    "tau_swapped": {"06_ddpg_agent": 12},
    "syntax_error": {"04_critic_loss": 7},
    "endless_loop": {"05_actor_loss": 4},
    "kernel_dies": {"04_critic_loss": 7},
    "warns": {"04_critic_loss": 10},
}  # fmt: skip

# Cells that the half student left as they were.
LEFT_OUT = {
    "02_replay_memory": {"replay_memory"},
    "03_networks": {"make_target"},
    "04_critic_loss": {"critic_loss", "update_critic"},
    "05_actor_loss": {"update_actor"},
    "06_ddpg_agent": {"ddpg_agent"},
}


def submission(student: str, unit: str) -> nbformat.NotebookNode:
    """The notebook that a student of the sample class hands in."""
    notebook = nbformat.read(release_notebook(unit), as_version=4)
    if student == "blank":
        return notebook
    source = {c.id: c for c in nbformat.read(source_notebook(unit), as_version=4).cells}
    edits = EDITS.get(student, {}).get(unit, {})
    left_out = LEFT_OUT.get(unit, set()) if student == "half" else set()
    unused = (set(edits) | left_out) - source.keys()
    assert not unused, f"{unit} has no cell {unused}"
    for cell in notebook.cells:
        if not cell.metadata.get("nbgrader", {}).get("solution") or cell.id in left_out:
            continue
        text = without_marks(source[cell.id].source)
        for right, written in edits.get(cell.id, []):
            assert right in text, f"{cell.id} of {unit} holds no {right!r}"
            text = text.replace(right, written)
        cell.source = text
    return notebook


def main() -> None:
    """Write every submission anew."""
    for old in HERE.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
    for student, points in POINTS.items():
        for unit in points:
            folder = HERE / student / unit
            folder.mkdir(parents=True)
            nbformat.write(submission(student, unit), folder / f"{unit}.ipynb")


if __name__ == "__main__":
    sys.exit(main())
