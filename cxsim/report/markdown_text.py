"""Text and inline elements of a page in; the same as Markdown, in which no data is taken for markup, out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote

from bs4 import Tag
from bs4.element import NavigableString, PageElement

Code = Literal["span", "plain"]

# Parts of a page that say nothing where there is neither a drawing nor a script.
SKIPPED = frozenset({"cx-needs", "cx-live", "cx-static", "cx-twins"})
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
_CODE = frozenset({"code", "kbd", "samp", "tt"})
_APART = frozenset({"br", "p", "div", "li", "dt", "dd", "summary", "caption"})
# Not a space that keeps a number and its unit together.
_BLANKS = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
# An underscore inside a word is no markup; the last sign of a text may stand before a link.
_ACTIVE = re.compile(r"[\\`*\[\]|~$#]|(?<![^\W_])_|_(?![^\W_])|!$")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_START = re.compile(r"\d{1,9}(?=[.)])|(?=[-+=])")
_FILE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(?:csv|json|xlsx)")


def escaped(text: str) -> str:
    r"""Return plain text as Markdown that shows exactly this text."""
    plain = _ACTIVE.sub(r"\\\g<0>", _BLANKS.sub(" ", text))
    return re.sub("[&<>]", lambda found: _ENTITIES[found[0]], plain)


def line(text: str) -> str:
    r"""Return Markdown that may begin a line, so that a minus or a number does not begin a list."""
    found = _START.match(text)
    return text if found is None else f"{found[0]}\\{text[found.end() :]}"


def inline(nodes: PageElement | Iterable[PageElement], *, folder: str, code: Code = "span") -> str:
    """Return elements as Markdown of one line."""
    parts = [nodes] if isinstance(nodes, PageElement) else nodes
    return _BLANKS.sub(" ", "".join(_piece(node, folder, code) for node in parts)).strip(" ")


def fenced(text: str) -> str:
    """Return preformatted text as a block of code."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def _piece(node: PageElement, folder: str, code: Code) -> str:
    if type(node) is NavigableString:
        return escaped(node)
    # A comment is text as well.
    if not isinstance(node, Tag) or SKIPPED & set(node.get("class") or ()) or node.name in ("style", "script", "svg"):
        return ""
    if node.name in _CODE and code == "span":
        return _span(node.get_text())
    if node.name == "img":
        return escaped(str(node.get("alt", "")))
    inner = "".join(_piece(child, folder, code) for child in node.children)
    if node.name == "a":
        return _link(str(node.get("href", "")), inner, folder)
    return f" {inner} " if node.name in _APART else _wrapped(_MARKS.get(node.name, ""), inner)


def _wrapped(mark: str, inner: str) -> str:
    """Return marked text; blanks at its ends stay outside, where Markdown wants them."""
    bare = inner.strip(" ")
    return inner.replace(bare, f"{mark}{bare}{mark}", 1) if bare else inner


def _link(target: str, inner: str, folder: str) -> str:
    """Return a link to a file of the folder, in which the Markdown lies as well."""
    name = target.removeprefix(f"./{quote(folder)}/")
    return f"[{inner.strip(' ')}]({name})" if name != target and _FILE.fullmatch(name) else inner


def _span(text: str) -> str:
    plain = _BLANKS.sub(" ", text).strip(" ")
    if not plain:
        return ""
    fence = "`" * (_longest_run(plain) + 1)
    pad = " " if "`" in (plain[0], plain[-1]) else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
