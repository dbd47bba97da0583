"""The returns of the points of a sweep in; a page with points against strategies out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cxsim.batch.headline import Headline, headlines
from cxsim.batch.pages import link, page_text
from cxsim.batch.sweep_table import PointReturns


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    name: str
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    values_shown: tuple[str, ...]
    cells: tuple[Headline | None, ...]
    files: tuple[_File, ...]


def sweep_page(title: str, currency: str, *, keys: Sequence[str], points: Sequence[PointReturns], missing: int) -> str:
    """Return the page about a sweep."""
    titles = {row["strategy"]: row["title"] for point in points for row in point.returns.to_dicts()}
    number = "One combination" if len(points) == 1 else f"{len(points):,} combinations"
    content: dict[str, object] = {
        "opening": f"{number} of {', '.join(keys)}; every other number as in the scenario.",
        "reading": "The last line of a cell is the decision at that point. "
        "Highest: the strategy with the highest net present value of its row, whatever its decision.",
        "missing": _missing(missing),
        # In pieces, between which a narrow screen may break the line.
        "keys": [key.split(".") for key in keys],
        "currency": currency,
        "strategies": tuple(titles.values()),
        "points": [_row(point, tuple(titles)) for point in points],
    }
    return page_text("sweep.html.j2", title=title, content=content)


def _row(point: PointReturns, strategies: tuple[str, ...]) -> _Row:
    found = {one.strategy: one for one in headlines(point.returns)}
    files = [_File(name="Returns", href=link(f"{point.folder}/returns.csv"))]
    if point.page is not None:
        files.insert(0, _File(name="Report", href=link(point.page)))
    return _Row(
        values_shown=tuple(value for _, value in point.values),
        cells=tuple(found.get(name) for name in strategies),
        files=tuple(files),
    )


def _missing(number: int) -> str:
    if number == 0:
        return ""
    return (
        f"{'One combination' if number == 1 else f'{number:,} combinations'} could not be played out and is left out."
    )
