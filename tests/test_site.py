"""The site: it builds without a warning, needs no network, and holds nothing that is hidden."""

import html
import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from ddpg_helpers.glossary import WORDS
from ddpg_helpers.instructor.course import layout

NEEDED = ("sphinx", "myst_nb", "furo", "sphinx-mathjax-offline")
HIDDEN = re.compile(r"BEGIN (HIDDEN TESTS|MARK SCHEME)[^\n]*\n(.*?)^[^\n]*END \1", re.M | re.S)
PAGES_WITH_LINKS = [layout.ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]


class Page(HTMLParser):
    """What a page links to, fetches, and can be linked at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.classes: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.anchors |= {about[name] for name in ("id", "name") if about.get(name)}
        self.classes += (about.get("class") or "").split()
        if tag == "a" and about.get("href"):
            self.links.append(about["href"])
        elif tag in ("img", "script") and about.get("src"):
            self.fetched.append(about["src"])
        elif tag == "link" and about.get("href"):
            self.fetched.append(about["href"])

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        """All that is written on the page, and in its scripts."""
        return "".join(self.words)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed; they come with the extra site")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html",
         "-d", folder / "doctrees", layout.ROOT / "docs", folder / "html"],
        env={**os.environ, "PYTHONPATH": str(layout.ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    """The pages by their paths in the site."""
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_every_link_within_the_site_leads_somewhere(site, pages):
    broken = []
    for name, page in pages.items():
        for link in page.links + page.fetched:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            if not target.is_file():
                broken.append((name, link))
            elif parts.fragment and target.suffix == ".html":
                there = pages[target.resolve().relative_to(site.resolve()).as_posix()]
                if unquote(parts.fragment) not in there.anchors:
                    broken.append((name, link))
    assert broken == []


def test_a_page_fetches_nothing_from_the_network(pages):
    for name, page in pages.items():
        far = [
            link for link in page.fetched
            if urlsplit(link).netloc and not link.startswith("data:")
        ]  # fmt: skip
        assert far == [], name


@pytest.mark.parametrize("unit", layout.UNITS)
def test_formulas_of_a_unit_are_drawn_by_the_script_beside_the_page(unit, pages):
    page = pages[f"units/{unit}.html"]
    markdown = [c.source for c in cells(unit) if c.cell_type == "markdown"]
    written = sum(len(re.findall(r"\$\$", source)) // 2 for source in markdown)
    assert page.classes.count("math") >= written
    assert page.classes.count("math") > 5
    assert any(link.partition("?")[0] == "../_static/tex-svg.js" for link in page.fetched)
    outside_of_code = re.sub(r"(?s)<pre.*?</pre>|<code.*?</code>", "", page.text)
    assert "$$" not in outside_of_code


@pytest.mark.parametrize("unit", layout.UNITS)
def test_a_unit_shows_its_figures_and_folds_its_solutions(unit, pages):
    page = pages[f"units/{unit}.html"]
    outputs = [output for cell in cells(unit) for output in cell.get("outputs", [])]
    figures = sum("image/png" in output.get("data", {}) for output in outputs)
    assert sum("_images/" in link for link in page.fetched) >= figures > 0
    folded = sum("hide-input" in c.metadata.get("tags", []) for c in cells(unit))
    assert page.classes.count("hide") == folded


def test_nothing_that_is_hidden_is_in_the_site(site):
    """Neither in a page nor in the search index. The guide shows the hidden part of an example."""
    lines = {
        line.strip()
        for unit in layout.UNITS
        for cell in nbformat.read(layout.source_notebook(unit), as_version=4).cells
        for block in HIDDEN.finditer(cell.source)
        for line in block[2].splitlines()
        if len(line.strip()) > 25 and "import grade" not in line
    }
    assert len(lines) > 40
    for path in [*site.rglob("*.html"), *site.rglob("*.js"), *site.rglob("*.txt")]:
        text = html.unescape(re.sub("<[^>]*>", "", path.read_text(encoding="utf-8")))
        found = {line for line in lines if line in text}
        assert found == set(), path
        if path.parent.name == "units":
            assert not re.search(r"HIDDEN TESTS|MARK SCHEME|ddpg_helpers\.instructor", text), path


def test_the_api_pages_hold_every_student_module_and_no_other(site, pages):
    modules = {path.stem for path in layout.PACKAGE.glob("*.py")} - {"__init__"} | {"checks"}
    written = {Path(name).stem for name in pages if name.startswith("api/")} - {"index"}
    assert written == modules
    for name in [*(f"api/{module}.html" for module in modules), "genindex.html"]:
        assert "ddpg_helpers.instructor" not in pages[name].text, name
        assert not [anchor for anchor in pages[name].anchors if "instructor" in anchor], name
    for module in modules:
        assert f"module-ddpg_helpers.{module}" in pages[f"api/{module}.html"].anchors
    assert not [*site.glob("_modules/**/*.html"), *site.glob("_sources/**/*.txt")]


def test_the_glossary_is_that_of_the_package(pages):
    for word in WORDS:
        assert f"term-{re.sub('[^A-Za-z]+', '-', word)}" in pages["glossary.html"].anchors, word


@pytest.mark.parametrize("path", PAGES_WITH_LINKS, ids=lambda path: path.name)
def test_links_of_the_pages_at_the_root_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def cells(unit):
    return nbformat.read(layout.reading_notebook(unit), as_version=4).cells
