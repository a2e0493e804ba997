"""Where things lie in the course's repository."""

from pathlib import Path

from ddpg_helpers.checks.aspects import UNITS as _GRADED_UNITS

UNITS = (*_GRADED_UNITS, "07_experiments")

PACKAGE = Path(__file__).resolve().parents[2]
ROOT = PACKAGE.parent
SOURCE = ROOT / "source"
RELEASE = ROOT / "release"
NOTEBOOKS = ROOT / "notebooks"
CHECKS_DATA = PACKAGE / "checks" / "data"
CACHE = ROOT / ".cache"


def source_notebook(unit: str) -> Path:
    """The notebook that a person edits."""
    return SOURCE / unit / f"{unit}.ipynb"


def release_notebook(unit: str) -> Path:
    """The notebook that a student gets."""
    return RELEASE / unit / f"{unit}.ipynb"


def reading_notebook(unit: str) -> Path:
    """The notebook that a reader sees, executed and with solutions."""
    return NOTEBOOKS / f"{unit}.ipynb"
