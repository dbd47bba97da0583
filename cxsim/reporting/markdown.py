"""The text of a page in; the same as Markdown, with figures as their descriptions and their data, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Literal
from urllib.parse import quote

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from cxsim.wording import BLANKS, in_markdown

Code = Literal["span", "plain"]
Blocks = Iterator[str]
# The cell at each place of row and column, and how many columns before it the cell begins.
Places = dict[tuple[int, int], tuple[Tag, int]]

# They are most of a page, hold no text for a reader, and take their time to be read.
_UNREAD = re.compile(r"<(svg|script|style)\b.*?</\1>", re.DOTALL)
# Parts of a page that tell nothing where there is neither a drawing nor a script.
_SKIPPED = ".cx-needs, .cx-live, .cx-static, .cx-twins"
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
_CODE = ("code", "kbd", "samp", "tt")
_APART = ("br", "p", "div", "li", "dt", "dd", "summary", "caption")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LISTS = ("ul", "ol", "dl")
_BLOCKS = frozenset(
    {*_HEADINGS, *_LISTS, "article", "blockquote", "details", "div", "figure", "hr", "p", "pre", "section", "table"}
)
_START = re.compile(r"\d{1,9}(?=[.)])|(?=[-+=])")
_FILE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(?:csv|json|xlsx)")
_MOST_SPANNED = 1_000


def markdown(page: str, name: str) -> str:
    """Return a page as Markdown, for readers and programs that read no HTML."""
    main = BeautifulSoup(_UNREAD.sub("", page), "html.parser").find("main")
    blocks = [] if main is None else [*_blocks(_prepared(main, f"./{quote(PurePath(name).stem)}/"))]
    title = next((place for place, block in enumerate(blocks) if block.startswith("# ")), -1)
    opening = (
        f"The text of [{in_markdown(name)}](../{quote(name)}): figures are given by their descriptions and data. "
        "All tables: [workbook](workbook.xlsx), [tables.json](tables.json)."
    )
    return "\n\n".join([*blocks[: title + 1], opening, *blocks[title + 1 :]]) + "\n"


def line(text: str) -> str:
    """Return Markdown that may begin a line, so that a minus or a number does not begin a list."""
    found = _START.match(text)
    return text if found is None else f"{found[0]}\\{text[found.end() :]}"


def _prepared(main: Tag, folder: str) -> Tag:
    """Leave out what a text cannot show, and all links but those to files of the folder, in which it lies as well."""
    for element in main.select(_SKIPPED):
        element.decompose()
    for link in main.find_all("a"):
        before, _, name = str(link.get("href", "")).partition(folder)
        if before or not _FILE.fullmatch(name):
            link.unwrap()
        else:
            link["href"] = name
    return main


def _inline(nodes: PageElement | Iterable[PageElement], code: Code = "span") -> str:
    """Return elements as Markdown of one line."""
    parts = [nodes] if isinstance(nodes, PageElement) else nodes
    return BLANKS.sub(" ", "".join(_piece(node, code) for node in parts)).strip(" ")


def _piece(node: PageElement, code: Code) -> str:
    if not isinstance(node, Tag):  # a comment is text as well
        return in_markdown(node) if type(node) is NavigableString else ""
    if node.name in _CODE and code == "span":
        return _span(node.get_text())
    if node.name == "img":
        return in_markdown(str(node.get("alt", "")))
    inner = "".join(_piece(child, code) for child in node.children)
    if node.name == "a":
        return f"[{inner.strip(' ')}]({node['href']})"
    if node.name in _APART:
        return f" {inner} "
    # Blanks at the ends of marked text stay outside, where Markdown wants them.
    mark, bare = _MARKS.get(node.name, ""), inner.strip(" ")
    return inner.replace(bare, f"{mark}{bare}{mark}", 1) if bare else inner


def _span(text: str) -> str:
    plain = BLANKS.sub(" ", text).strip(" ")
    if not plain:
        return ""
    fence = "`" * (_longest_run(plain) + 1)
    pad = " " if "`" in (plain[0], plain[-1]) else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _blocks(parent: Tag) -> Blocks:
    """Yield the blocks inside an element; text between them is a paragraph."""
    run: list[PageElement] = []
    for child in [*parent.children, None]:
        if child is None or (isinstance(child, Tag) and child.name in _BLOCKS):
            if text := _inline(run):
                yield line(text)
            run = []
            if isinstance(child, Tag):
                yield from _block(child)
        else:
            run.append(child)


def _block(element: Tag) -> Blocks:
    if "cx-twin" in _classes(element):
        if isinstance(link := element.find("a"), Tag):
            link.string = str(link["href"])
            yield f"All digits: {_inline(link)}"
    elif "cx-cards" in _classes(element):
        yield _cards(element)
    elif element.name in _HEADINGS:
        if text := _inline(element):
            yield f"{'#' * int(element.name[1])} {text}"
    elif element.name in _LISTS:
        if lines := _described(element) if element.name == "dl" else _listed(element):
            yield "\n".join(lines)
    else:
        yield from _KINDS.get(element.name, _blocks)(element)


def _preformatted(element: Tag) -> Blocks:
    if text := element.get_text().strip("\n"):
        fence = "`" * max(3, _longest_run(text) + 1)
        yield f"{fence}\n{text}\n{fence}"


def _quotation(element: Tag) -> Blocks:
    yield "\n>\n".join("\n".join(f"> {part}" for part in block.split("\n")) for block in _blocks(element))


def _figure(element: Tag) -> Blocks:
    yield f"**Figure:** {in_markdown(str(element.get('aria-label', '')))}"
    for table in element.find_all("table"):
        yield from _table(table)


def _details(element: Tag) -> Blocks:
    """Yield what can be opened, which in a text is always open; its head only where it is no table's title."""
    head = element.find("summary", recursive=False)
    if head is not None and head.find(_HEADINGS):
        yield from _blocks(head.extract())
        head = None
    title = element.select_one(".gt_title")
    text = "" if head is None else _inline(head)
    if text and (title is None or text != _inline(title)):
        yield f"**{text}**"
    if head is not None:
        head.extract()
    yield from _blocks(element)


def _table(table: Tag) -> Blocks:
    """Yield a table as blocks: titles, pipes, notes."""
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    titles = [row for row in rows if "gt_heading" in _classes(row)]
    parts: dict[str, list[Tag]] = {"thead": [], "tfoot": [], "tbody": []}
    for row in rows:
        if "gt_heading" not in _classes(row):
            parts.get(next(row.parents).name, parts["tbody"]).append(row)
    for place, text in enumerate(map(_inline, titles)):
        yield f"**{text}**" if place == 0 and text else line(text)
    if table.caption is not None and table.find_parent("figure") is None:
        yield line(_inline(table.caption))
    yield _pipes(parts["thead"], parts["tbody"])
    for row in parts["tfoot"]:
        yield line(_inline(row))


def _classes(element: Tag) -> Sequence[str]:
    return element.get_attribute_list("class")


def _pipes(heads: Sequence[Tag], body: Sequence[Tag]) -> str:
    above, below = _places(heads), _places(body)
    columns = range(max((column + 1 for _, column in [*above, *below]), default=1))
    over = [[cell for (_, place), (cell, _) in above.items() if place == column] for column in columns]
    lines = [
        [": ".join(filter(None, dict.fromkeys(map(_cell, cells)))) for cells in over],
        ["---:" if cells and "gt_right" in _classes(cells[-1]) else "---" for cells in over],
    ]
    for row in range(len(body)):
        found = (below.get((row, column)) for column in columns)
        lines.append([_cell(place[0]) if place and place[1] == 0 else "" for place in found])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(cell: Tag) -> str:
    text = _inline(cell, "plain")
    return f"**{text}**" if text and "gt_group_heading" in _classes(cell) else text


def _places(rows: Sequence[Tag]) -> Places:
    """Return the cell at each place of row and column, and how many columns before it the cell begins."""
    places: Places = {}
    for row, cells in enumerate(rows):
        column = 0
        for cell in cells.find_all(["td", "th"], recursive=False):
            while (row, column) in places:
                column += 1
            high, wide = (_spanned(cell, name) for name in ("rowspan", "colspan"))
            places |= {(row + down, column + along): (cell, along) for down in range(high) for along in range(wide)}
            column += wide
    return places


def _spanned(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1"))
    return min(max(int(written), 1), _MOST_SPANNED) if written.isdecimal() else 1


def _listed(element: Tag, depth: str = "") -> list[str]:
    """Return the lines of a list, inner lists below the line that they belong to."""
    lines = []
    for number, item in enumerate(element.find_all("li", recursive=False), start=1):
        mark = "-" if element.name == "ul" else f"{number}."
        own = [child for child in item.children if not (isinstance(child, Tag) and child.name in _LISTS)]
        lines.append(f"{depth}{mark} {line(_inline(own))}")
        for inner in item.find_all(["ul", "ol"], recursive=False):
            lines += _listed(inner, depth + " " * (len(mark) + 1))
    return lines


def _described(element: Tag, depth: str = "") -> list[str]:
    """Return the lines of a list of names with their descriptions, groups below their name."""
    lines, name = [], ""
    for item in element.find_all(["dt", "dd"]):
        if item.find_parent("dl") is not element:
            continue
        if item.name == "dt":
            name = line(_inline(item))
        elif isinstance(group := item.find("dl"), Tag):
            lines += [f"{depth}- {name}:", *_described(group, f"{depth}  ")]
        else:
            lines.append(f"{depth}- {name}: {_inline(item)}")
    return lines


def _cards(element: Tag) -> str:
    """Return cards as a list: of each its title with the badge, and below it its text and figures."""
    lines = []
    for card in element.find_all("article"):
        badge = card.select_one(".cx-badge")
        end = "" if badge is None else f": {_inline(badge.extract())}"
        lines.append(f"- **{_inline(card.find_all(_HEADINGS, limit=1))}**{end}")
        for part in card.find_all(["p", "dl"], recursive=False):
            lines += _described(part, "  ") if part.name == "dl" else [f"  - {line(_inline(part))}"]
    return "\n".join(lines)


_KINDS: Mapping[str, Callable[[Tag], Blocks]] = {
    "blockquote": _quotation,
    "details": _details,
    "figure": _figure,
    "hr": lambda _: iter(["---"]),
    "pre": _preformatted,
    "table": _table,
}
