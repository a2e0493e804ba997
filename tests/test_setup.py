"""The files that set the course up agree with each other."""

import re
import tomllib

import yaml
from packaging.requirements import Requirement

import ddpg_helpers
from ddpg_helpers.instructor.course.layout import ROOT

PINS = {
    re.sub("[-_.]+", "-", Requirement(line).name).lower(): Requirement(line)
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What `make` sets up; peers for benchmarks are not.
EXTRAS = ("lab", "instructor", "cluster", "postgresql", "site", "browser")
RANGES = [
    Requirement(text)
    for text in PROJECT["dependencies"]
    + [text for extra in EXTRAS for text in PROJECT["optional-dependencies"][extra]]
]


def test_every_requirement_is_pinned_to_one_version():
    for pin in PINS.values():
        assert [s.operator for s in pin.specifier] == ["=="], str(pin)


def test_pins_lie_within_the_projects_ranges():
    for wanted in RANGES:
        pin = PINS[wanted.name.lower()]
        (version,) = (s.version for s in pin.specifier)
        assert wanted.specifier.contains(version), f"{pin} is not in {wanted}"


def test_conda_users_get_the_same_packages():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, from_pip = environment["dependencies"]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(
        python.removeprefix("python=")
    )
    assert pip == "pip"
    # conda hands this list to pip as a requirements file in this folder: no command-line options
    assert from_pip == {"pip": ["-r requirements.txt", "-e ."]}


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == citation["version"] == ddpg_helpers.__version__
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()
