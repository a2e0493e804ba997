"""What a student's code can see and do in the sandbox, asked by code that runs in it."""

import json
import os
import time

import nbformat
import psutil
import pytest

from ddpg_helpers.instructor.course.layout import ROOT
from ddpg_helpers.instructor.grading import sandbox
from ddpg_helpers.instructor.grading.submission import Settings, Submission, grade_submission

pytestmark = pytest.mark.skipif(
    sandbox.bubblewrap() is None, reason="bubblewrap is not installed, or may not be used here"
)


def run(*cells, files=None, tmp_path=None, **settings):
    """Run cells in a kernel of their own; return what each showed, and the record."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    folder = tmp_path or ROOT / "tests" / "sample_class" / "full" / "01_ou_noise"
    submission = Submission(
        "ada", "01_ou_noise", json.dumps(notebook), str(folder), "secret", Settings(**settings)
    )
    record = grade_submission(submission)
    shown = [
        "".join(output.get("text", "") for output in cell["outputs"])
        for cell in json.loads(record.notebook)["cells"]
    ]
    return shown, record


def tell(expression):
    return f"import os, socket\nprint({expression})"


@pytest.mark.parametrize(
    "path",
    ["source", "submitted", "gradebook.db", "course_secret", "tests", "ddpg_helpers", ".git"],
)
def test_nothing_of_the_course_is_there(path):
    (shown,), _ = run(tell(f"os.path.exists({str(ROOT / path)!r})"))
    assert shown == "False\n"


def test_neither_home_nor_environment_nor_accounts_are_there(monkeypatch):
    monkeypatch.setenv("DDPG_SECRET", "for your eyes only")
    home = os.path.expanduser("~")
    shown, _ = run(
        tell("'DDPG_SECRET' in os.environ"),
        f"import os\nfiles = os.listdir({home!r}) if os.path.exists({home!r}) else []\n"
        "print([name for name in files if name != '.pyenv'])",
        tell("os.path.exists('/etc/passwd')"),
    )  # fmt: skip
    assert shown == ["False\n", "[]\n", "False\n"]


def test_the_student_edition_is_there_and_the_instructors_is_not():
    (shown,), _ = run(
        "import ddpg_helpers.networks\ntry:\n    import ddpg_helpers.instructor\n"
        "except ImportError:\n    print('none')"
    )
    assert shown == "none\n"


def test_there_is_no_network():
    (shown,), _ = run(
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\n"
        "except OSError as error:\n    print(error.errno)"
    )
    assert shown == "101\n"  # network is unreachable


def test_no_other_process_is_seen():
    (shown,), _ = run(tell("[p for p in os.listdir('/proc') if p.isdigit()]"))
    assert shown == "['1']\n"


def test_only_its_own_folder_can_be_written():
    places = ["/", "/tmp", "/dev", "/usr", "/exchange", "/sandbox/work", "/sandbox/tmp"]
    (shown,), _ = run(f"import os\nprint([p for p in {places} if os.access(p, os.W_OK)])")
    assert shown == "['/sandbox/work', '/sandbox/tmp']\n"


def test_there_are_no_privileges():
    (shown,), _ = run(
        "wanted = ('CapEff', 'CapBnd', 'NoNew')\n"
        "print([line for line in open('/proc/self/status') if line.startswith(wanted)])"
    )
    assert shown.count("0000000000000000") == 2 and "NoNewPrivs:\\t1" in shown


def test_files_beside_the_notebook_are_there_and_links_are_not(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "link.txt").symlink_to(ROOT / "README.md")
    listed, read = tell("sorted(os.listdir('.'))"), tell("open('mine.txt').read()")
    shown, _ = run(listed, read, tmp_path=tmp_path)
    assert shown == ["['mine.txt']\n", "mine\n"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.txt", "mine.txt"]


def test_nothing_of_a_kernel_is_there_for_the_next():
    run("import torch, os\ntorch.left_behind = 1\nopen('left', 'w').write('x')\n"
        "open('/dev/shm/left', 'w').write('x')")  # fmt: skip
    shown, _ = run(
        "import torch\nprint(hasattr(torch, 'left_behind'))",
        tell("os.path.exists('left') or os.path.exists('/dev/shm/left')"),
    )
    assert shown == ["False\n", "False\n"]


def test_every_kernel_starts_from_the_same_random_state():
    code = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1))"
    assert run(code)[0] == run(code)[0]


def test_what_it_started_ends_with_it():
    marker = f"left-{time.time_ns()}"
    code = (
        "import os, subprocess, sys\n"
        f"sleep = [sys.executable, '-c', 'import time; time.sleep(600)', {marker!r}]\n"
        "subprocess.Popen(sleep, start_new_session=True)\nprint('started')"
    )
    (shown,), _ = run(code)
    assert shown == "started\n"
    time.sleep(0.5)
    found = [p.pid for p in psutil.process_iter(["cmdline"]) if marker in (p.info["cmdline"] or [])]
    assert found == []


def test_too_much_memory_ends_the_kernel_and_is_told():
    hog = "held = []\nwhile True:\n    held.append(bytearray(b'x' * 50_000_000))"
    shown, record = run(hog, "print('after')", limits=sandbox.Limits(memory_megabytes=1500))
    assert shown[1] == "after\n"
    said = " ".join(record.problems)
    assert "more than 1500 MB of memory" in said or "MemoryError" in shown[0]


def test_the_memory_limit_is_the_one_that_is_set():
    code = "import time\nheld = b'x' * 900_000_000\ntime.sleep(1)\nprint(len(held))"
    assert run(code)[0] == ["900000000\n"]
    shown, record = run(code, limits=sandbox.Limits(memory_megabytes=700))
    assert "900000000" not in shown[0]
    said = " ".join(record.problems)
    assert "more than 700 MB of memory" in said or "MemoryError" in record.notebook


def test_figures_are_shown():
    _, record = run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    (cell,) = json.loads(record.notebook)["cells"]
    assert ["image/png" in output["data"] for output in cell["outputs"]] == [True]


def test_temporary_files_have_a_place():
    (shown,), _ = run(
        "import tempfile\nwith tempfile.NamedTemporaryFile() as file:\n    file.write(b'x')\n"
        "print(file.name.rpartition('/')[0])"
    )
    assert shown == "/sandbox/tmp\n"


def test_processes_are_limited():
    code = (
        "import subprocess\ncount = 0\ntry:\n    while count < 1000:\n"
        "        subprocess.Popen(['sleep', '60'])\n        count += 1\n"
        "except OSError:\n    print(50 < count < 128)"
    )
    (shown,), _ = run(code)
    assert shown == "True\n"


def test_a_fork_bomb_ends_with_its_kernel():
    shown, record = run("import os\nwhile True:\n    os.fork()", "print('after')", cell_timeout=5)
    assert shown[1] == "after\n" and len(record.problems) == 1


def test_a_cell_that_shows_too_much_is_cut():
    shown, record = run("for _ in range(100):\n    print('x' * 100_000)", "print('after')")
    assert len(shown[0]) < 200_000 and shown[1] == "after\n"
    assert "shows too much" in " ".join(record.problems)


def test_the_rest_is_not_run_once_the_time_is_up():
    shown, record = run(
        "import time\ntime.sleep(60)", "print('after')", submission_timeout=2, cell_timeout=60
    )
    assert "Not run" in shown[1]
    assert any("had taken 2 seconds in all" in problem for problem in record.problems)


def test_an_endless_loop_is_interrupted_and_the_next_cell_runs():
    shown, record = run("while True:\n    pass", "print('after')", cell_timeout=1)
    assert shown[1] == "after\n"
    assert record.problems == ["Cell cell-0: it did not end in time and was interrupted."]


@pytest.mark.parametrize("code", ["import os\nos._exit(3)", "import os\nos.kill(1, 9)\nos.abort()"])
def test_a_kernel_that_ends_is_replaced(code):
    shown, record = run("x = 1", code, "print(x)")
    assert shown[2] == "1\n"
    assert record.problems == ["Cell cell-1: The kernel ended while it ran this cell."]
