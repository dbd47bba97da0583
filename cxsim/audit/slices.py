"""The text of a page in; the same text cut into headings, tables, figures, scripts and what stands between, out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import unescape
from typing import Literal

Kind = Literal["text", "heading", "table", "figure", "script", "style"]

# Where a page is cut. No byte is lost: what is in no such element is a slice of text.
_ELEMENT = re.compile(
    r"<figure\b.*?</figure>|<script\b.*?</script>|<style\b.*?</style>|<table\b.*?</table>|<h([1-6])\b.*?</h\1>",
    re.DOTALL,
)
_KINDS: dict[str, Kind] = {"f": "figure", "t": "table", "h": "heading"}
# A chart's name says all that it shows.
_LONGEST_NAME = 80
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r'<script\b[^>]*\bid="([^"]*)"')
_LABEL = re.compile(r'<figure\b[^>]*\baria-label="([^"]*)"')
_CAPTION = re.compile(
    r"<caption\b[^>]*>(.*?)</caption>|<t[dh]\b[^>]*\bclass=\"[^\"]*\bgt_title\b[^\"]*\"[^>]*>(.*?)</t[dh]>", re.DOTALL
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """A piece of a page.

    Attributes
    ----------
    kind
        What it is.
    name
        What it is called among its like: a table's or a figure's title, a script's id; else empty.
    section
        The headings above it, from the outermost; without the page's own title where there are others.
    text
        Its bytes, as text.
    """

    kind: Kind
    name: str
    section: tuple[str, ...]
    text: str

    @property
    def where(self) -> str:
        """The place, as a reader finds it."""
        what = {"text": "", "heading": "heading", "style": "style sheet"}.get(self.kind, self.kind)
        called = self.name if len(self.name) <= _LONGEST_NAME else f"{self.name[:_LONGEST_NAME]}…"
        named = f"{what} ‘{called}’" if called and self.kind != "heading" else what
        if self.kind == "script":
            return named
        section = f"section ‘{' › '.join(self.section)}’" if self.section else "top of the page"
        return f"{section}, {named}" if named else section


def cut(page: str) -> list[Slice]:
    """Return a page in slices, which together are the page."""
    slices: list[Slice] = []
    above: list[tuple[int, str]] = []
    end = scripts = 0
    for found in _ELEMENT.finditer(page):
        section = _section(above)
        if found.start() > end:
            slices.append(Slice(kind="text", name="", section=section, text=page[end : found.start()]))
        kind, text, end = _kind(found[0]), found[0], found.end()
        scripts += kind == "script"
        if kind == "heading":
            level = int(found[1])
            above = [pair for pair in above if pair[0] < level]
            section = _section(above)
            above.append((level, bare(text)))
        slices.append(Slice(kind=kind, name=_name(kind, text, scripts), section=section, text=text))
    if end < len(page):
        slices.append(Slice(kind="text", name="", section=_section(above), text=page[end:]))
    return slices


def paired(said: list[Slice], made: list[Slice]) -> Iterator[tuple[Slice | None, Slice | None]]:
    """Yield the slices of two pages that differ, each beside the one that stands in its place."""
    matcher = SequenceMatcher(None, [one.text for one in said], [one.text for one in made], autojunk=False)
    for word, begin, end, start, stop in matcher.get_opcodes():
        if word != "equal":
            yield from _by_name(said[begin:end], made[start:stop])


def bare(markup: str) -> str:
    """Return the text in a piece of markup, with single spaces."""
    return " ".join(unescape(_TAG.sub("", markup)).split())


def _by_name(said: list[Slice], made: list[Slice]) -> Iterator[tuple[Slice | None, Slice | None]]:
    names = [[(one.kind, one.name) for one in slices] for slices in (said, made)]
    matcher = SequenceMatcher(None, names[0], names[1], autojunk=False)
    for word, begin, end, start, stop in matcher.get_opcodes():
        if word == "equal":
            yield from zip(said[begin:end], made[start:stop], strict=True)
            continue
        left = made[start:stop]
        for one in said[begin:end]:
            other = next((other for other in left if other.kind == one.kind), None)
            if other is not None:
                left.remove(other)
            yield one, other
        yield from ((None, other) for other in left)


def _section(above: list[tuple[int, str]]) -> tuple[str, ...]:
    below_title = tuple(text for level, text in above if level > 1)
    return below_title or tuple(text for _, text in above)


def _kind(element: str) -> Kind:
    if element.startswith("<s"):
        return "script" if element.startswith("<sc") else "style"
    return _KINDS[element[1]]


def _name(kind: Kind, text: str, scripts: int) -> str:
    if kind == "heading":
        return bare(text)
    if kind == "script":
        found = _ID.match(text)
        return found[1] if found else str(scripts)
    if kind == "figure":
        found = _LABEL.match(text)
        return unescape(found[1]) if found else ""
    found = _CAPTION.search(text) if kind == "table" else None
    return bare(found[1] or found[2] or "") if found else ""
