"""The text of a page in; the same as Markdown, with figures told by their descriptions and their data, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from urllib.parse import quote

from bs4 import BeautifulSoup, Tag
from bs4.element import PageElement

from cxsim.report.markdown_table import table_blocks
from cxsim.report.markdown_text import SKIPPED, escaped, fenced, inline, line

# They are most of a page, hold no text for a reader, and take their time to be read.
_UNREAD = re.compile(r"<(svg|script|style)\b.*?</\1>", re.DOTALL)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LISTS = ("ul", "ol", "dl")
_BLOCKS = frozenset(
    {*_HEADINGS, *_LISTS, "article", "blockquote", "details", "div", "figure", "hr", "p", "pre", "section", "table"}
)


def markdown(page: str, name: str) -> str:
    """Return a page as Markdown, for readers and programs that read no HTML."""
    main = BeautifulSoup(_UNREAD.sub("", page), "html.parser").find("main")
    blocks = [] if main is None else list(_blocks(main, PurePath(name).stem))
    title = next((place for place, block in enumerate(blocks) if block.startswith("# ")), -1)
    return "\n\n".join([*blocks[: title + 1], _opening(name), *blocks[title + 1 :]]) + "\n"


def _opening(name: str) -> str:
    return (
        f"The text of [{escaped(name)}](../{quote(name)}): figures are told by their descriptions and data. "
        "All tables: [workbook](workbook.xlsx), [tables.json](tables.json)."
    )


def _blocks(parent: Tag, folder: str) -> Iterator[str]:
    """Yield the blocks inside an element; text between them is a paragraph."""
    run: list[PageElement] = []
    for child in parent.children:
        if isinstance(child, Tag) and child.name in _BLOCKS:
            yield from _paragraph(run, folder)
            run = []
            yield from _block(child, folder)
        else:
            run.append(child)
    yield from _paragraph(run, folder)


def _block(element: Tag, folder: str) -> Iterator[str]:
    classes = set(element.get("class") or ())
    if classes & SKIPPED:
        return
    if "cx-twin" in classes:
        yield from _twin(element, folder)
    elif "cx-cards" in classes:
        yield _cards(element, folder)
    elif element.name == "hr":
        yield "---"
    else:
        yield from _KINDS.get(element.name, _blocks)(element, folder)


def _paragraph(nodes: Sequence[PageElement], folder: str) -> Iterator[str]:
    text = inline(nodes, folder=folder)
    if text:
        yield line(text)


def _heading(element: Tag, folder: str) -> Iterator[str]:
    text = inline(element, folder=folder)
    if text:
        yield f"{'#' * int(element.name[1])} {text}"


def _preformatted(element: Tag, folder: str) -> Iterator[str]:  # noqa: ARG001 - as all kinds are called
    if text := element.get_text().strip("\n"):
        yield fenced(text)


def _quotation(element: Tag, folder: str) -> Iterator[str]:
    yield "\n>\n".join("\n".join(f"> {part}" for part in block.split("\n")) for block in _blocks(element, folder))


def _table(element: Tag, folder: str) -> Iterator[str]:
    yield from table_blocks(element, folder=folder)


def _figure(element: Tag, folder: str) -> Iterator[str]:
    yield f"**Figure:** {escaped(str(element.get('aria-label', '')))}"
    for table in element.find_all("table"):
        yield from table_blocks(table, folder=folder)


def _details(element: Tag, folder: str) -> Iterator[str]:
    """Yield what can be opened, which in a text is always open; its head only where it is no table's title."""
    head = element.find("summary", recursive=False)
    title = element.select_one(".gt_title")
    told = "" if head is None else inline(head, folder=folder)
    if told and (title is None or told != inline(title, folder=folder)):
        yield f"**{told}**"
    if head is not None:
        head.extract()
    yield from _blocks(element, folder)


def _list(element: Tag, folder: str) -> Iterator[str]:
    if lines := _described(element, folder) if element.name == "dl" else _listed(element, folder):
        yield "\n".join(lines)


def _listed(element: Tag, folder: str, depth: str = "") -> list[str]:
    """Return the lines of a list, inner lists below the line that they belong to."""
    lines = []
    for number, item in enumerate(element.find_all("li", recursive=False), start=1):
        mark = "-" if element.name == "ul" else f"{number}."
        own = [child for child in item.children if not (isinstance(child, Tag) and child.name in _LISTS)]
        lines.append(f"{depth}{mark} {line(inline(own, folder=folder))}")
        for inner in item.find_all(["ul", "ol"], recursive=False):
            lines += _listed(inner, folder, depth + " " * (len(mark) + 1))
    return lines


def _described(element: Tag, folder: str, depth: str = "") -> list[str]:
    """Return the lines of a list of names and what is said of each, groups below their name."""
    lines, name = [], ""
    for item in element.find_all(["dt", "dd"]):
        if item.find_parent("dl") is not element:
            continue
        if item.name == "dt":
            name = line(inline(item, folder=folder))
        elif isinstance(group := item.find("dl"), Tag):
            lines += [f"{depth}- {name}:", *_described(group, folder, f"{depth}  ")]
        else:
            lines.append(f"{depth}- {name}: {inline(item, folder=folder)}")
    return lines


def _cards(element: Tag, folder: str) -> str:
    """Return cards as a list: of each its title with the badge, and below it what is said."""
    lines = []
    for card in element.find_all("article"):
        badge = card.select_one(".cx-badge")
        told = "" if badge is None else f": {inline(badge.extract(), folder=folder)}"
        lines.append(f"- **{inline(card.find_all(_HEADINGS, limit=1), folder=folder)}**{told}")
        for part in card.find_all(["p", "dl"], recursive=False):
            if part.name == "dl":
                lines += _described(part, folder, "  ")
            else:
                lines.append(f"  - {line(inline(part, folder=folder))}")
    return "\n".join(lines)


def _twin(element: Tag, folder: str) -> Iterator[str]:
    if isinstance(link := element.find("a"), Tag):
        link.string = str(link.get("href", "")).rpartition("/")[2]
        yield f"All digits: {inline(link, folder=folder)}"


_KINDS: Mapping[str, Callable[[Tag, str], Iterator[str]]] = {
    **dict.fromkeys(_HEADINGS, _heading),
    **dict.fromkeys(_LISTS, _list),
    "blockquote": _quotation,
    "details": _details,
    "figure": _figure,
    "pre": _preformatted,
    "table": _table,
}
