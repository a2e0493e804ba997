"""What students are handed: whole, small, the same each time, and without what is not for them."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

from ddpg_helpers.instructor.course import layout
from ddpg_helpers.instructor.course.build import BESIDE
from ddpg_helpers.instructor.course.bundle import (
    FOLDER,
    NO_ADDRESS,
    BundleError,
    Home,
    answered_by,
    bundle,
    units_together,
)

ANSWERED = ("04_critic_loss", "05_actor_loss", "06_ddpg_agent")  # what must not be given away
NOT_FOR_STUDENTS = re.compile(
    r"(BEGIN|END) (HIDDEN TESTS|MARK SCHEME|SOLUTION)|\bgrade\(|"
    r"(import|from) ddpg_helpers.instructor"
)
GITHUB = "https://github.com/some-school/ddpg-course"


def contents(path):
    """The files of a zip, and of the wheels in it."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name in [name for name in files if name.endswith(".whl")]:
        files |= {
            f"{name}/{inner}": text for inner, text in contents(io.BytesIO(files[name])).items()
        }
    return files


def notebooks(path):
    texts = {name: text for name, text in contents(path).items() if name.endswith(".ipynb")}
    return {name: nbformat.reads(text.decode(), as_version=4) for name, text in texts.items()}


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    return bundle(output=tmp_path_factory.mktemp("bundle") / "bundle.zip")


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    """Unit 06 with a home on the web."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    return bundle(["06_ddpg_agent"], student_url=GITHUB, output=path)


def test_bundle_holds_what_a_student_needs_and_nothing_else(default):
    with zipfile.ZipFile(default) as archive:
        names = {name.removeprefix(f"{FOLDER}/") for name in archive.namelist()}
    (wheel,) = (name for name in names if name.endswith(".whl"))
    assert names == {
        "LICENSE", "START.md", "environment.yml", "requirements.txt", wheel,
        *(f"{unit}/{unit}.ipynb" for unit in units_together()),
    }  # fmt: skip


def test_a_units_modules_lie_beside_its_notebook(agent):
    assert f"{FOLDER}/06_ddpg_agent/updates.py" in contents(agent)


def test_bundles_are_small(default, agent):
    assert default.stat().st_size < 3_000_000
    assert agent.stat().st_size < 3_000_000


def test_same_content_gives_the_same_bytes(default, tmp_path):
    again = bundle(output=tmp_path / "again.zip")
    assert again.read_bytes() == default.read_bytes()


def answers(unit):
    """What a unit's solutions say: any three lines of one, or all; without white space."""
    cells = nbformat.read(layout.source_notebook(unit), as_version=4).cells
    for cell in cells:
        for block in re.findall(r"BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.DOTALL):
            lines = ["".join(line.split()) for line in block.splitlines() if line.strip()]
            yield from ("".join(lines[i : i + 3]) for i in range(max(1, len(lines) - 2)))


def readable(path):
    """The texts in a bundle, by name: a notebook's is that of its cells."""
    for name, content in contents(path).items():
        if name.endswith(".ipynb"):
            cells = nbformat.reads(content.decode(), as_version=4).cells
            yield name, "\n".join(cell.source for cell in cells)
        elif name.endswith((".py", ".md", "METADATA", ".json", ".yml", ".txt")):
            yield name, content.decode()


def assert_holds_none_of(lines, path):
    for name, text in readable(path):
        assert "instructor/" not in name and "mutants" not in name
        assert not NOT_FOR_STUDENTS.search(text), name
        bare = "".join(text.split())
        assert not [line for line in lines if line in bare], name


def test_default_bundle_holds_no_hidden_test_no_instructor_and_no_answer(default):
    lines = {line for unit in ANSWERED for line in answers(unit)}
    assert len(lines) > 20
    assert_holds_none_of(lines, default)


def test_bundle_of_one_unit_does_not_answer_it(agent):
    assert_holds_none_of(set(answers("06_ddpg_agent")), agent)


def test_an_answer_in_a_bundle_would_be_found(agent):
    with pytest.raises(AssertionError, match=r"updates\.py"):
        assert_holds_none_of(set(answers("04_critic_loss")), agent)


def test_modules_beside_notebooks_are_known_to_answer_earlier_units():
    assert answered_by("06_ddpg_agent") == {"updates.py": ["04_critic_loss", "05_actor_loss"]}
    assert answered_by("07_experiments")["agent.py"] == ["06_ddpg_agent"]
    assert units_together() == list(layout.UNITS[:5])


def test_a_unit_that_answers_another_is_not_bundled_with_it_unasked(tmp_path):
    both = ["04_critic_loss", "06_ddpg_agent"]
    with pytest.raises(BundleError, match="comes with 06_ddpg_agent, answers 04_critic"):
        bundle(both, output=tmp_path / "bundle.zip")
    path = bundle(both, with_answers=True, output=tmp_path / "bundle.zip")
    assert len(notebooks(path)) == 2


def test_after_the_deadlines_all_units_fit_into_one_bundle(tmp_path):
    path = bundle(with_answers=True, output=tmp_path / "bundle.zip")
    assert len(notebooks(path)) == len(layout.UNITS)
    assert path.stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"units": ["08_more"]}, "there is no unit '08_more'; there are 01_ou_noise,"),
        ({"student_url": "our server"}, "'our server' is no web address"),
        ({"student_url": 'https://a.example/"'}, "is no web address"),
    ],
)
def test_what_cannot_be_bundled_is_refused_in_one_sentence(arguments, sentence, tmp_path):
    with pytest.raises(BundleError, match=re.escape(sentence)) as raised:
        bundle(**arguments, output=tmp_path / "bundle.zip")
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_without_an_address_nothing_points_anywhere(default):
    for notebook in notebooks(default).values():
        cells = {cell.id: cell.source for cell in notebook.cells}
        assert NO_ADDRESS in cells["setup"]
        assert "http" not in cells["setup_text"]


def test_with_an_address_badges_and_set_up_point_there(agent):
    ((name, notebook),) = notebooks(agent).items()
    path = name.removeprefix(f"{FOLDER}/")
    cells = {cell.id: cell.source for cell in notebook.cells}
    wheel = next(n for n in contents(agent) if n.endswith(".whl")).removeprefix(f"{FOLDER}/")
    raw = "https://raw.githubusercontent.com/some-school/ddpg-course/main/"
    assert f'WHEEL = "{raw}{wheel}"' in cells["setup"]
    badges = re.findall(r"\]\((https://[^)]*)\)(?!\])", cells["setup_text"])
    assert badges == [
        f"https://colab.research.google.com/github/some-school/ddpg-course/blob/main/{path}",
        "https://mybinder.org/v2/gh/some-school/ddpg-course/main?labpath="
        "06_ddpg_agent%2F06_ddpg_agent.ipynb",
    ]


@pytest.mark.parametrize(
    ("url", "files", "github"),
    [
        (f"{GITHUB}/", "https://raw.githubusercontent.com/some-school/ddpg-course/main/", True),
        (f"{GITHUB}.git", "https://raw.githubusercontent.com/some-school/ddpg-course/main/", True),
        (
            f"{GITHUB}/tree/fall-2",
            "https://raw.githubusercontent.com/some-school/ddpg-course/fall-2/",
            True,
        ),
        ("https://school.example/ddpg", "https://school.example/ddpg/", False),
    ],
)
def test_addresses_are_understood(url, files, github):
    home = Home.of(url)
    assert home.files == files
    assert bool(home.badges("a/b.ipynb")) == github


@pytest.mark.parametrize("unit", layout.UNITS)
def test_set_up_cell_comes_first_and_knows_the_modules_beside(unit):
    cells = nbformat.read(layout.source_notebook(unit), as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code[0].id == "setup" and NO_ADDRESS in code[0].source
    assert cells[1].id == "setup_text"
    assert "nbgrader" not in code[0].metadata  # its address differs from bundle to bundle
    assert set(re.findall(r'"(\w+\.py)"', code[0].source)) == set(BESIDE.get(unit, ()))
    assert (f'"/{unit}/"' in code[0].source) == (unit in BESIDE)


def set_up(unit, folder, monkeypatch, address=""):
    """Run a set-up cell where the package is missing; return what pip was asked to install, and
    what was fetched."""
    cells = nbformat.read(layout.source_notebook(unit), as_version=4).cells
    (code,) = (cell.source for cell in cells if cell.id == "setup")
    code = code.replace(NO_ADDRESS, f'WHEEL = "{address}"')
    code = re.sub(r'%pip install --quiet "\{(.*)\}"', r"installed.append(str(\1))", code)
    fetched = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("urllib.request.urlretrieve", lambda url, name: fetched.append((url, name)))
    namespace = {"installed": []}
    exec(code, namespace)
    return namespace["installed"], fetched


def test_set_up_cell_installs_the_wheel_of_the_bundle(default, tmp_path, monkeypatch):
    with zipfile.ZipFile(default) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / FOLDER / "04_critic_loss"
    ((wheel,), fetched) = set_up("04_critic_loss", folder, monkeypatch)
    assert Path(folder, wheel).resolve().parent == (tmp_path / FOLDER).resolve()
    assert not fetched


def test_set_up_cell_fetches_from_its_address(tmp_path, monkeypatch):
    (tmp_path / "agent.py").write_text("")  # the student's own stays
    address = "https://school.example/ddpg/ddpg_helpers-1.0.0-py3-none-any.whl"
    installed, fetched = set_up("07_experiments", tmp_path, monkeypatch, address)
    assert installed == [address]
    assert fetched == [("https://school.example/ddpg/07_experiments/updates.py", "updates.py")]


def test_set_up_cell_says_what_to_do_where_there_is_no_wheel(tmp_path, monkeypatch):
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match="Put the course's ddpg_helpers-"):
        set_up("01_ou_noise", folder, monkeypatch)


def test_students_environment_needs_only_what_lies_beside_it(default):
    files = contents(default)
    environment = yaml.safe_load(files[f"{FOLDER}/environment.yml"])
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.txt"]}
    lines = files[f"{FOLDER}/requirements.txt"].decode().splitlines()
    assert f"{FOLDER}/{lines[-1].removeprefix('./')}" in files
    pinned = set((layout.ROOT / "requirements.txt").read_text().splitlines())
    for line in lines[1:-1]:
        assert re.sub(r"\[.*\]", "", line) in pinned
    assert not re.search("nbgrader|pytest|ruff", files[f"{FOLDER}/requirements.txt"].decode())


def test_start_page_names_the_files_that_are_there(default):
    files = contents(default)
    page = files[f"{FOLDER}/START.md"].decode()
    assert "<<" not in page
    for name in re.findall(r"`(?:\./)?([\w./-]+\.(?:ipynb|whl|yml|txt))`", page):
        assert f"{FOLDER}/{name}" in files, name


def python_of(version):
    """The program of a version of Python; the test is skipped where there is none."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "--version"], capture_output=True).returncode:
        pytest.skip(f"Python {version} is not installed")
    return found


@pytest.mark.full
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_student_starts_from_the_bundle_alone(default, tmp_path, version):
    """In a fresh environment, from the requirements; then without the package, which the first
    cell brings back, from beside the notebook and without a network."""
    with zipfile.ZipFile(default) as archive:
        archive.extractall(tmp_path)
    course = tmp_path / FOLDER
    subprocess.run([python_of(version), "-m", "venv", tmp_path / "venv"], check=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    outside = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*arguments, **environment):
        return subprocess.run(
            [programs / "python", *arguments], cwd=course, env={**outside, **environment},
            check=True, capture_output=True, text=True,
        )  # fmt: skip

    run("-m", "pip", "install", "--quiet", "-r", "requirements.txt")
    where = "import ddpg_helpers; print(ddpg_helpers.__file__)"
    assert str(tmp_path) in run("-c", where).stdout
    run("-m", "pip", "uninstall", "--yes", "--quiet", "ddpg-helpers")
    run(
        "-m", "nbconvert", "--to", "notebook", "--execute", "--allow-errors",
        "--output", "run", "04_critic_loss/04_critic_loss.ipynb", PIP_NO_INDEX="1",
    )  # fmt: skip
    notebook = nbformat.read(course / "04_critic_loss" / "run.ipynb", as_version=4)
    errors = [o.ename for c in notebook.cells for o in c.get("outputs", []) if "ename" in o]
    assert set(errors) == {"CheckError"}  # "not attempted yet"
    assert str(tmp_path) in run("-c", where).stdout
