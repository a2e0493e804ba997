"""Settings of the course's site: `make site` builds it. Nothing is executed, nothing downloaded."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

import ddpg_helpers
from ddpg_helpers.glossary import WORDS

HERE = Path(__file__).parent
# Sphinx reads one folder: the reading edition comes into it as it is, and the glossary as a page.
shutil.rmtree(HERE / "units", ignore_errors=True)
shutil.copytree(HERE.parent / "notebooks", HERE / "units")
_entries = "\n".join(f"{name}\n  {word.meaning}\n" for name, word in WORDS.items())
(HERE / "words.md").write_text(f"```{{glossary}}\n{_entries}```\n", encoding="utf-8")

project = "Deep deterministic policy gradient"
author = "the contributors of the DDPG course"
copyright = author
version = release = ddpg_helpers.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["words.md"]  # it is included by another page
root_doc = "index"

# Notebooks: stored outputs are shown; what is folded is a solution.
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a notebook's boxes are headings of the third level

# API pages: the names of other libraries are no links, as the site is built without a network.
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints_format = "short"
autodoc_inherit_docstrings = False  # not those of torch and gymnasium
napoleon_use_rtype = False  # signatures say the types; "Returns" says what it is
nitpick_ignore_regex = [
    (r"py:.*", r"(np|numpy|torch|nn|gym|gymnasium|pd|pandas|matplotlib|IPython|collections)\..*"),
    (r"py:.*", r"(Any|Axes|Figure|Image|Tensor|ArrayLike|Path|pathlib\..*)"),
    (r"py:.*", r"ddpg_helpers\.\w+\._\w+|ddpg_helpers\.\w+\.(EnvFactory|Network)|dict\[str"),
]

# Formulas: one file of MathJax, which draws them as pictures and needs no fonts. It comes with a
# Python package, so that neither the build nor a reader fetches anything.
_MATHJAX = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
mathjax_path = "tex-svg.js"

html_theme = "furo"
html_title = "DDPG in seven notebooks"
html_static_path = ["static", str(_MATHJAX / mathjax_path)]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False  # the pages are enough; a notebook's source is with the course
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Connect what follows."""
    app.connect("autodoc-process-docstring", _plain_bars)
    app.connect("doctree-resolved", _alternatives)


def _plain_bars(*event: object) -> None:
    """Let a docstring write the absolute value of x as |x|."""
    lines = event[-1]
    lines[:] = [line.replace("|", "\\|") for line in lines]


def _alternatives(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Tell who can't see a notebook's figures, which carry no words, where the words are."""
    for image in tree.findall(nodes.image):
        image.setdefault("alt", "Figure; the text around it says what it shows")
