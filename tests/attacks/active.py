"""Active content in a feedback page: what a browser would run, or load from elsewhere."""

import re

from bs4 import BeautifulSoup, Tag

_ALWAYS = {
    "script", "iframe", "frame", "object", "embed", "applet", "base", "form", "style", "link",
    "meta", "portal",
}  # fmt: skip
_ADDRESSES = {
    "href", "xlink:href", "src", "srcset", "srcdoc", "action", "formaction", "data", "poster",
    "background", "ping", "cite", "longdesc",
}  # fmt: skip
_LOADED = _ADDRESSES - {"cite", "longdesc"}


def active_content(page: str) -> set[str]:
    """Whatever in an HTML page is active, each in a few words.

    A page's template has active content of its own: compare with the page of an honest student.
    """
    soup = BeautifulSoup(page, "html.parser")
    found = set()
    for tag in soup.find_all(True):
        if tag.name.lower() in _ALWAYS and not _is_harmless(tag):
            found.add(f"<{tag.name}> {' '.join(str(tag).split())}")
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else str(value)
            if _is_active(tag.name.lower(), name.lower(), text):
                found.add(f"<{tag.name}> {name}={text[:200]}")
    for tag in soup.find_all(["pre", "code", "textarea", "script", "style"]):
        tag.decompose()
    text = soup.get_text()
    if re.search(r"\\(href|class|style|cssId)\s*\{\s*javascript:", text, re.IGNORECASE):
        found.add("LaTeX with a javascript: link")
    return found


def _is_harmless(tag: Tag) -> bool:
    return tag.name.lower() == "meta" and (
        "charset" in tag.attrs or tag.attrs.get("name", "").lower() in ("viewport", "generator")
    )


def _is_active(tag: str, name: str, value: str) -> bool:
    address = re.sub(r"[\x00-\x20]", "", value).lower()
    if name.startswith("on"):
        return True
    if name == "style":
        return bool(re.search(r"url\(|expression\(|position:(fixed|absolute|sticky)", address))
    if name not in _ADDRESSES:
        return False
    if re.match(r"(javascript|vbscript|livescript|data:text/html|data:application)", address):
        return True
    elsewhere = re.match(r"(https?:)?//", address) is not None
    return elsewhere and name in _LOADED and tag != "a"
