"""Pieces of a page's markup in; the sentences, cells, chart data and drawn words in which they differ, out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest

from bs4 import BeautifulSoup, Tag

from cxsim.audit.difference import Difference
from cxsim.audit.grids import Grid, grid_differences
from cxsim.audit.json_places import json_differences

# After these, a new sentence begins; whatever else is inside one is only set differently.
_BLOCKS = [
    *("article", "aside", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "footer"),
    *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "title", "tr", "td", "th", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
]
_SENTENCE = re.compile(r"(?<=[.?!;])\s+(?=[^a-z])")


def text_differences(said: str, made: str, where: str) -> Iterator[Difference]:
    """Yield the sentences in which two pieces of text differ."""
    mine, others = _sentences(said), _sentences(made)
    for word, begin, end, start, stop in SequenceMatcher(None, mine, others, autojunk=False).get_opcodes():
        if word != "equal":
            for one, other in zip_longest(mine[begin:end], others[start:stop]):
                yield Difference(where=where, said=one, made=other)


def table_differences(said: str, made: str, where: str) -> Iterator[Difference]:
    """Yield the cells in which two tables differ, then what differs in their titles and notes."""
    (mine, beside), (other, again) = _grid(said), _grid(made)
    yield from grid_differences(mine, other, where)
    for one, two in zip_longest(beside, again):
        if one != two:
            yield Difference(where=f"{where}, title or note", said=one, made=two)


def figure_differences(said: str, made: str, where: str) -> Iterator[Difference]:
    """Yield in what two figures differ: the specification with its data, the table of data, the words drawn."""
    mine, other = (BeautifulSoup(text, "html.parser") for text in (said, made))
    label, again = (str(soup.figure.get("aria-label", "")) if soup.figure else "" for soup in (mine, other))
    if label != again:
        yield Difference(where=f"{where}, title", said=label, made=again)
    yield from _specifications(mine, other, where)
    for one, two in zip_longest(mine.find_all("table"), other.find_all("table")):
        if one is None or two is None:
            yield Difference(where=f"{where}, table of its data", said=_text(one), made=_text(two))
        elif str(one) != str(two):
            yield from table_differences(str(one), str(two), f"{where}, table of its data")
    drawn = ([node.get_text() for node in soup.select("svg text")] for soup in (mine, other))
    for number, (word, drawn_again) in enumerate(zip_longest(*drawn), start=1):
        if word != drawn_again:
            yield Difference(where=f"{where}, word {number} of the drawing", said=word, made=drawn_again)


def _specifications(said: BeautifulSoup, made: BeautifulSoup, where: str) -> Iterator[Difference]:
    pairs = zip_longest(*(soup.select('script[type="application/json"]') for soup in (said, made)))
    for one, two in pairs:
        mine, other = ("" if script is None else script.get_text() for script in (one, two))
        if mine == other:
            continue
        try:
            contents = _specification(mine), _specification(other)
        except ValueError:
            yield Difference(where=f"{where}, specification", said=mine, made=other)
        else:
            yield from json_differences(*contents, where)


def _specification(text: str) -> object:
    """Return a specification whose data sets are called by their number: theirs are hashes of all their rows."""
    content = json.loads(text)
    named = content.get("datasets") if isinstance(content, dict) else None
    for number, name in enumerate(named if isinstance(named, dict) else (), start=1):
        text = text.replace(json.dumps(name, ensure_ascii=False), f'"data-{number}"')
    return json.loads(text)


def _text(element: Tag | None) -> str | None:
    return None if element is None else _spaced(element.get_text(" "))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _sentences(markup: str) -> list[str]:
    soup = BeautifulSoup(_spaced(markup), "html.parser")
    for element in soup.find_all(_BLOCKS):
        # A term and what is said of it are read together.
        before, after = ("\n", ": ") if element.name == "dt" else ("", "\n") if element.name == "dd" else ("\n", "\n")
        element.insert_before(before)
        element.insert_after(after)
    lines = (_spaced(line) for line in soup.get_text().split("\n"))
    return [sentence for line in lines if line for sentence in _SENTENCE.split(line)]


def _grid(markup: str) -> tuple[Grid, list[str]]:
    """Return the cells of a table, and the texts that stand around them."""
    soup = BeautifulSoup(markup, "html.parser")
    heads = [row for row in soup.select("thead tr") if row.find("th")]
    columns = [text for cell in heads[-1].find_all(["th", "td"]) for text in _spanned(cell)] if heads else []
    beside = [_spaced(part.get_text(" ")) for part in soup.find_all("caption")]
    beside += [_spaced(row.get_text(" ")) for row in soup.select("thead tr") if not heads or row is not heads[-1]]
    beside += [_spaced(row.get_text(" ")) for row in soup.select("tfoot tr")]
    rows, labels, group = [], list[str](), ""
    inside_head = {id(row) for row in soup.select("thead tr, tfoot tr")}
    for row in soup.find_all("tr"):
        cells = [_spaced(cell.get_text(" ")) for cell in row.find_all(["th", "td"])]
        if id(row) in inside_head or not cells:
            continue
        if len(cells) == 1 and len(columns) > 1:
            group = cells[0]
        rows.append(tuple(cells))
        label = f"{group}, {cells[0]}" if group and group != cells[0] else cells[0]
        labels.append(f"{label} ({len(rows)})" if label in labels or not label else label)
    return Grid(columns=tuple(columns), rows=tuple(rows), labels=tuple(labels)), beside


def _spanned(cell: Tag) -> list[str]:
    span = str(cell.get("colspan", "1"))
    return [_spaced(cell.get_text(" "))] * (int(span) if span.isdecimal() and int(span) < 100 else 1)
