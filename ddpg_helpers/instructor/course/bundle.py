"""bundle: one zip with all that a student needs for some units, and nothing else."""

import ast
import re
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nbformat
from packaging.requirements import Requirement

from ddpg_helpers.checks.aspects import UNITS as EXERCISES
from ddpg_helpers.instructor.course.build import BESIDE, REFERENCE, generate_release
from ddpg_helpers.instructor.course.layout import ROOT, UNITS
from ddpg_helpers.instructor.course.student_edition import build_wheel

FOLDER = "ddpg_course"  # that the zip unpacks to
START = Path(__file__).with_name("START.md")
NO_ADDRESS = 'WHEEL = ""'  # in the setup cell of a notebook that belongs to no web address
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same content, whenever it is made
_URL = re.compile(r"https?://[^\s\"'<>()\\]+")
_GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:/tree/([\w./-]+?))?/?")


class BundleError(ValueError):
    """The bundle can't be made as asked for; says what to do."""


@dataclass(frozen=True)
class Home:
    """Where the unpacked bundle lies on the web.

    Attributes:
        files: the address that a path in the bundle is appended to, ending in a slash.
        github: owner, repository and branch; None where it is another place.
    """

    files: str
    github: tuple[str, str, str] | None = None

    @classmethod
    def of(cls, url: str) -> "Home":
        """Understand the address of a folder, or of a GitHub repository.

        Raises:
            BundleError: it is no web address.
        """
        if not _URL.fullmatch(url):
            raise BundleError(
                f"{url!r} is no web address: give one such as https://github.com/OWNER/REPOSITORY, "
                "or that of the folder that you unpack the bundle into"
            )
        found = _GITHUB.fullmatch(url)
        if found is None:
            return cls(url.rstrip("/") + "/")
        owner, repository, branch = found[1], found[2], found[3] or "main"
        raw = f"https://raw.githubusercontent.com/{owner}/{repository}/{branch}/"
        return cls(raw, (owner, repository, branch))

    def badges(self, path: str) -> str:
        """Markdown with links that open a notebook of the bundle, empty where none can."""
        if self.github is None:
            return ""
        owner, repository, branch = self.github
        colab = "https://colab.research.google.com"
        binder = f"https://mybinder.org/v2/gh/{owner}/{repository}/{quote(branch, safe='')}"
        return (
            f"[![Open in Colab]({colab}/assets/colab-badge.svg)]"
            f"({colab}/github/{owner}/{repository}/blob/{branch}/{path}) "
            "[![Open in Binder](https://mybinder.org/badge_logo.svg)]"
            f"({binder}?labpath={quote(path, safe='')})"
        )


def answered_by(unit: str) -> dict[str, list[str]]:
    """The modules that come with a unit, and the units that each holds answers to."""
    held = {}
    for name in BESIDE.get(unit, ()):
        tree = ast.parse((REFERENCE / name).read_text(encoding="utf-8"))
        named = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        defined = {node.name for node in named}
        held[name] = [
            other for other, exercises in EXERCISES.items()
            if defined & {exercise.partition(".")[0] for exercise in exercises}
        ]  # fmt: skip
    return held


def given_away(units: Sequence[str]) -> list[str]:
    """For each module that answers another of the units, a sentence that says so."""
    sentences = []
    for unit in units:
        for name, answered in answered_by(unit).items():
            together = [other for other in answered if other in units and other != unit]
            if together:
                sentences.append(f"{name}, which comes with {unit}, answers {_list(together)}")
    return sentences


def units_together() -> list[str]:
    """The units from the first on that can be handed out at once."""
    chosen: list[str] = []
    for unit in UNITS:
        if not given_away([*chosen, unit]):
            chosen.append(unit)
    return chosen


def bundle(
    units: Sequence[str] = (),
    *,
    student_url: str | None = None,
    with_answers: bool = False,
    output: Path | None = None,
) -> Path:
    """Write the bundle of some units and return its path.

    It is made from ``source/``, so that it is never out of date.

    Args:
        units: such as "04_critic_loss"; when empty, all that can be handed out at once, or all
            units where answers may come with them.
        student_url: where the unpacked bundle will be on the web; notebooks fetch the package from
            there where it is missing, and have badges where it is a GitHub repository.
        with_answers: whether a unit may come with answers to another one.
        output: the zip's path; in ``dist/`` and named after the units when None.

    Raises:
        BundleError: a unit does not exist, a unit would come with answers to another one, or
            ``student_url`` is no web address.
    """
    unknown = [unit for unit in units if unit not in UNITS]
    if unknown:
        raise BundleError(f"there is no unit {unknown[0]!r}; there are {', '.join(UNITS)}")
    chosen = list(dict.fromkeys(units) or (UNITS if with_answers else units_together()))
    chosen.sort(key=UNITS.index)
    answers = given_away(chosen)
    if answers and not with_answers:
        raise BundleError(
            f"{answers[0]}: bundle them apart, or give --with-answers once the "
            "deadlines have passed"
        )
    home = Home.of(student_url) if student_url else None
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch, "wheel"))
        files = {wheel.name: wheel.read_bytes()}
        generate_release(Path(scratch, "release"))
        for unit in chosen:
            for path in sorted(Path(scratch, "release", unit).iterdir()):
                files[f"{unit}/{path.name}"] = path.read_bytes()
    if home is not None:
        for name in [name for name in files if name.endswith(".ipynb")]:
            files[name] = _with_address(files[name], name, home, wheel.name)
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["START.md"] = _start(chosen, wheel.name, home).encode()
    files["environment.yml"] = _environment().encode()
    files["requirements.txt"] = _requirements(wheel.name).encode()
    output = output or ROOT / "dist" / f"ddpg_{'_'.join(unit[:2] for unit in chosen)}.zip"
    _write_zip(files, output)
    return output


def _with_address(content: bytes, path: str, home: Home, wheel: str) -> bytes:
    """A notebook whose setup cell fetches the package from the web, with badges."""
    notebook = nbformat.reads(content.decode(), as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    if NO_ADDRESS not in cells["setup"].source:
        raise RuntimeError(f"the setup cell of {path} has no line {NO_ADDRESS}")
    cells["setup"].source = cells["setup"].source.replace(
        NO_ADDRESS, f'WHEEL = "{home.files}{wheel}"'
    )
    badges = home.badges(path)
    if badges:
        cells["setup_text"].source += f"\n\n{badges}"
    return (nbformat.writes(notebook) + "\n").encode()


def _start(units: Sequence[str], wheel: str, home: Home | None) -> str:
    text = START.read_text(encoding="utf-8")
    if home is None:
        online = (
            "Upload the notebook, the files `*.py` beside it in its folder (where there are any) "
            f"and `{wheel}` to Google Colab (File, Upload notebook; then the folder symbol on the "
            "left)."
        )
    elif home.github is None:
        online = "Upload the notebook to Google Colab (File, Upload notebook)."
    else:
        online = "Each notebook has one badge that opens it on Google Colab, and one for Binder."
    listed = "\n".join(f"- `{unit}/{unit}.ipynb`" for unit in units)
    marks = {"UNITS": listed, "WHEEL": wheel, "ONLINE": online, "UNIT": units[0]}
    for mark, value in marks.items():
        text = text.replace(f"<<{mark}>>", value)
    return text


def _requirements(wheel: str) -> str:
    """What a student installs: the package's own requirements and JupyterLab, as pinned."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = {r.name.lower(): r for r in (Requirement(t) for t in lines if t and t[0] != "#")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    names = [re.match(r"[^<>=!~]+", text)[0].strip() for text in wanted]
    pinned = [f"{name}{pins[Requirement(name).name.lower()].specifier}" for name in names]
    return "\n".join(["# The versions that the course is tested with.", *pinned, f"./{wheel}", ""])


def _environment() -> str:
    """For conda, and for Binder, which looks for this file."""
    return (
        "# conda env create -f environment.yml\n"
        "name: ddpg\n"
        "channels:\n  - conda-forge\n"
        "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - -r requirements.txt\n"
    )


def _write_zip(files: dict[str, bytes], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", _LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # as on Linux, whatever this is
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)


def _list(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
