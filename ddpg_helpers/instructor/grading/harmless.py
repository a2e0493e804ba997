"""Harmless: what a student's notebook shows, made safe for the instructor who opens the page."""

import html
import re
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from nbformat import NotebookNode
from nbformat.v4 import new_output

MAX_TEXT = 100_000  # characters of one output
MAX_IMAGE = 2_000_000  # characters of one picture, in base64
MAX_OUTPUTS = 100  # of one cell
CUT = "\n[the rest was left out]\n"
_TAGS = {
    *bleach.ALLOWED_TAGS, "br", "caption", "col", "colgroup", "dd", "del", "details", "div", "dl",
    "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre", "s", "span", "sub", "summary",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
_ATTRIBUTES = {
    "a": ["href", "title"], "td": ["colspan", "rowspan"], "th": ["colspan", "rowspan", "scope"],
    "*": ["style"],
}  # fmt: skip
# Nothing that moves a thing out of its place, over the page's own words.
_CSS = CSSSanitizer(
    allowed_css_properties=[
        "background-color", "border-left", "color", "font-style", "font-weight", "padding",
        "text-align",
    ]
)  # fmt: skip
_BLANKS = re.compile(r"[\x00-\x20]+")
_SCRIPT = re.compile(r"script:|data:(text|application)", re.IGNORECASE)
_SCRIPT_IN_TEXT = re.compile(
    r"((?:s\s*c\s*r\s*i\s*p\s*t|d\s*a\s*t\s*a))\s*:(?!\s*image/)", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")


def harmless_html(text: str) -> str:
    """HTML with known tags alone: no script, no event, no picture from elsewhere, no form."""
    return bleach.clean(
        text[:MAX_TEXT], tags=_TAGS, attributes=_ATTRIBUTES, css_sanitizer=_CSS,
        protocols={"http", "https"}, strip=True, strip_comments=True,
    )  # fmt: skip


def harmless_markdown(text: str) -> str:
    """Markdown whose HTML and links are harmless; other text comes back as it is."""
    text = text[:MAX_TEXT]
    bare = _BLANKS.sub("", html.unescape(text))
    if _SCRIPT.search(bare):  # in a link, a picture or a formula: the address leads nowhere then
        text = _SCRIPT_IN_TEXT.sub(r"\1 :", html.unescape(text))
    return harmless_html(text) if re.search(r"<[A-Za-z/!?]", text) else text


def harmless_output(output: NotebookNode) -> NotebookNode | None:
    """An output in a form that runs nothing in a page; None where nothing of it is left.

    From what comes back nbgrader reads no score either: errors and text become plain text, and
    results become displays. Addresses of objects, which differ from run to run, are left out.
    """
    kind = output.get("output_type")
    if kind == "error":
        lines = output.get("traceback")
        lines = lines if isinstance(lines, list) else []
        return _stream(_text("\n".join(map(str, lines)) + "\n"))
    if kind == "stream":
        return _stream(_text(output.get("text")))
    if kind not in ("display_data", "execute_result") or not isinstance(output.get("data"), dict):
        return None
    data: dict[str, Any] = {}
    for mime, content in output["data"].items():
        text = _text(content)
        if mime in ("image/png", "image/jpeg"):
            if len(text) <= MAX_IMAGE and _BASE64.fullmatch(text):
                data[mime] = text
        elif mime == "text/html":
            data[mime] = harmless_html(_ADDRESS.sub("0x…", text))
        elif mime == "text/plain":
            data[mime] = _cut(text)
    return new_output("display_data", data) if data else None


def _stream(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=_cut(text))


def _text(content: Any) -> str:
    text = "".join(map(str, content)) if isinstance(content, list) else str(content)
    return text.encode("utf-8", "replace").decode("utf-8")


def _cut(text: str) -> str:
    text = _ADDRESS.sub("0x…", text)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + CUT
