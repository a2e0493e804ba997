"""The student edition of the package: all of it but ``instructor/``, as a wheel and for the kernel
that runs students' code while grading."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from pathlib import Path

import tomli_w

from ddpg_helpers.instructor.course.layout import CACHE, PACKAGE, ROOT

INSTRUCTOR = "instructor"
_LONG_AGO = "315532800"  # 1980, for files in the wheel: the same bytes for the same content


def student_files() -> list[Path]:
    """The files of the student edition, relative to the repository, in a fixed order."""
    return sorted(
        path.relative_to(ROOT)
        for path in PACKAGE.rglob("*")
        if path.is_file()
        and path.relative_to(PACKAGE).parts[0] != INSTRUCTOR
        and "__pycache__" not in path.parts
    )


def student_hash() -> str:
    """A hash of all that the student edition consists of; the same on every platform."""
    digest = hashlib.sha256()
    for path in [*student_files(), Path("pyproject.toml")]:
        content = (ROOT / path).read_bytes()
        if path.suffix in (".py", ".toml", ".json", ".csv", ".md"):
            content = content.replace(b"\r\n", b"\n")
        digest.update(f"{path.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def build_wheel(folder: Path) -> Path:
    """Build the student wheel into ``folder`` and return its path.

    The same content gives the same bytes.

    Raises:
        RuntimeError: the wheel could not be built; holds the builder's output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        for path in student_files():
            target = project / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target)
        shutil.copyfile(ROOT / "LICENSE", project / "LICENSE")
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        del settings["project"]["readme"]  # which is for instructors
        del settings["project"]["scripts"]
        del settings["project"]["optional-dependencies"]["instructor"]
        (project / "pyproject.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
        wheels = Path(scratch, "wheels")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet",
             "--disable-pip-version-check", "--wheel-dir", wheels, project],
            capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": _LONG_AGO},
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"the student wheel could not be built:\n{done.stdout}{done.stderr}")
        (built,) = wheels.glob("*.whl")
        return Path(shutil.copy(built, folder))


def student_python() -> Path:
    """The Python that students' kernels run while grading; made on first use and kept.

    It is a virtual environment that holds the student wheel and sees the libraries of the present
    one, but not the instructor's edition of the package.
    """
    home = CACHE / "student" / student_hash()[:16]
    python = _python_of(home)
    if not python.exists():
        partial = home.with_name(f"{home.name}.{os.getpid()}")
        try:
            venv.create(partial, with_pip=False, symlinks=os.name != "nt")
            wheel = build_wheel(partial / "wheel")
            site = _site_of(partial)
            shutil.unpack_archive(wheel, site, format="zip")
            libraries = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
            (site / "libraries.pth").write_text("\n".join(dict.fromkeys(libraries)) + "\n")
            try:
                partial.rename(home)
            except OSError:  # another process was first
                if not python.exists():
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return python


def _python_of(home: Path) -> Path:
    return home / "Scripts" / "python.exe" if os.name == "nt" else home / "bin" / "python"


def _site_of(home: Path) -> Path:
    scheme = "nt" if os.name == "nt" else "posix_prefix"
    return Path(sysconfig.get_path("purelib", scheme, {"base": home, "platbase": home}))
