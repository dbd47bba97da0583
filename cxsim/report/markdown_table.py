"""A table of a page in; its title, a table of pipes with one row of heads, and its notes, as Markdown, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bs4 import Tag

from cxsim.report.markdown_text import inline, line

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
    def told(cell: Tag) -> str:
        text = inline(cell, folder=folder, code="plain")
        return f"**{text}**" if text and "gt_group_heading" in (cell.get("class") or ()) else text

    above, below = _grid(heads, told, "repeated"), _grid(body, told, "first")
    right = _grid(heads, lambda cell: "right" if "gt_right" in (cell.get("class") or ()) else "", "repeated")
    width = max((column + 1 for _, column in [*above, *below]), default=1)
    texts = [[above.get((row, column), "") for row in range(len(heads))] for column in range(width)]
    lines = [
        [": ".join(filter(None, dict.fromkeys(parts))) for parts in texts],
        ["---:" if right.get((len(heads) - 1, column)) else "---" for column in range(width)],
        *([below.get((row, column), "") for column in range(width)] for row in range(len(body))),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _grid(rows: Sequence[Tag], told: Callable[[Tag], str], spanning: str) -> dict[tuple[int, int], str]:
    """Return what is told of each place; a cell over several columns tells it of the first of them, or of all."""
    places: dict[tuple[int, int], str] = {}
    for row, cells in enumerate(rows):
        column = 0
        for cell in cells.find_all(["td", "th"], recursive=False):
            while (row, column) in places:
                column += 1
            text, wide = told(cell), _span(cell, "colspan")
            for down in range(_span(cell, "rowspan")):
                for along in range(wide):
                    places[row + down, column + along] = text if along == 0 or spanning == "repeated" else ""
            column += wide
    return places


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, "1"))
    return min(max(int(written), 1), _MOST_SPANNED) if written.isdecimal() else 1
