"""The text of a page in; the same as Markdown, with figures told by their descriptions and their data, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Literal
from urllib.parse import quote

from bs4 import BeautifulSoup, Tag
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


_MOST_SPANNED = 1_000


def table_blocks(table: Tag, *, folder: str) -> Iterator[str]:
    """Yield a table as blocks of Markdown."""
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    titles = [row for row in rows if "gt_heading" in (row.get("class") or ())]
    notes = [row for row in rows if row.find_parent("tfoot") is not None and row not in titles]
    heads = [row for row in rows if row.find_parent("thead") is not None and row not in titles]
    body = [row for row in rows if row not in titles and row not in notes and row not in heads]
    for place, row in enumerate(titles):
        text = inline(row, folder=folder)
        yield f"**{text}**" if place == 0 and text else line(text)
    if table.caption is not None and table.find_parent("figure") is None:
        yield line(inline(table.caption, folder=folder))
    yield _pipes(heads, body, folder)
    for row in notes:
        yield line(inline(row, folder=folder))


def _pipes(heads: Sequence[Tag], body: Sequence[Tag], folder: str) -> str:
    def alt_text(cell: Tag) -> str:
        text = inline(cell, folder=folder, code="plain")
        return f"**{text}**" if text and "gt_group_heading" in (cell.get("class") or ()) else text

    above, below = _grid(heads, alt_text, "repeated"), _grid(body, alt_text, "first")
    right = _grid(heads, lambda cell: "right" if "gt_right" in (cell.get("class") or ()) else "", "repeated")
    width = max((column + 1 for _, column in [*above, *below]), default=1)
    texts = [[above.get((row, column), "") for row in range(len(heads))] for column in range(width)]
    lines = [
        [": ".join(filter(None, dict.fromkeys(parts))) for parts in texts],
        ["---:" if right.get((len(heads) - 1, column)) else "---" for column in range(width)],
        *([below.get((row, column), "") for column in range(width)] for row in range(len(body))),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _grid(rows: Sequence[Tag], alt_text: Callable[[Tag], str], spanning: str) -> dict[tuple[int, int], str]:
    """Return what is told of each place; a cell over several columns tells it of the first of them, or of all."""
    places: dict[tuple[int, int], str] = {}
    for row, cells in enumerate(rows):
        column = 0
        for cell in cells.find_all(["td", "th"], recursive=False):
            while (row, column) in places:
                column += 1
            text, wide = alt_text(cell), _markdown_table_span(cell, "colspan")
            for down in range(_markdown_table_span(cell, "rowspan")):
                for along in range(wide):
                    places[row + down, column + along] = text if along == 0 or spanning == "repeated" else ""
            column += wide
    return places


def _markdown_table_span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1"))
    return min(max(int(written), 1), _MOST_SPANNED) if written.isdecimal() else 1


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
    alt_text = "" if head is None else inline(head, folder=folder)
    if alt_text and (title is None or alt_text != inline(title, folder=folder)):
        yield f"**{alt_text}**"
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
        alt_text = "" if badge is None else f": {inline(badge.extract(), folder=folder)}"
        lines.append(f"- **{inline(card.find_all(_HEADINGS, limit=1), folder=folder)}**{alt_text}")
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
