"""What two numbers do together: a table under HEAT goes in, one map of net present values per strategy comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.business_tables import HEAT
from cxsim.charts.amounts import in_brief, short, told_apart
from cxsim.charts.frame import WIDTH, Figure, framed, names_of, rounded
from cxsim.charts.palette import INK, QUIET, colours
from cxsim.charts.panels import headings, panels
from cxsim.tables import check
from cxsim.wording import joined, money, searched

# Brown to green by way of white, after ColorBrewer's BrBG: told apart under every common colour blindness.
_LOSS, _NOTHING, _GAIN = "#8C510A", "#FFFFFF", "#01665E"
_INDENT = 84
_ROW = 30
_NO_NUMBER = "None of its own numbers is uncertain"
_NO_SECOND = "It has no second number that is uncertain"
_CHARACTERS = 92
_RISE = -52
_FIRST = "datum._note !== ''"
# Cells further from zero than this share of the furthest are so dark that their words must be white.
_DARK = 0.55
# So many strategies are told one by one in a title; of more, the least and the most are.
_TOLD = 3


def heat_map(heat: pl.DataFrame, currency: str) -> Figure:
    """Draw the net present value of each strategy over two of its own numbers.

    Parameters
    ----------
    heat
        Table under `HEAT`, strategies in the order of the scenario; a strategy with one number is a map of one row.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One map per strategy: a coloured cell with its value per node, and a thick line between gain and loss.

    Raises
    ------
    TableError
        For a table that is not under `HEAT`.
    """
    nodes = check(heat, HEAT).rename({"title": "name"})
    cells = rounded(pl.concat(_cells(own, currency) for _, own in nodes.group_by("name", maintain_order=True)))
    shown = (
        f"Net present value over doing nothing, {currency} (k: thousands), at each pair of values of two of the "
        "strategy's own numbers. Green: gain; brown: loss; thick line: break-even between them. "
        "All other numbers are at their central value, so there is no interval."
    )
    drawn = panels(_layers(cells), cells, width=WIDTH - _INDENT, height=alt.Step(_ROW))
    return framed(drawn, finding=_finding(nodes), shown=shown, told=_told(nodes, currency))


def _cells(nodes: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one strategy's nodes, highest first, with values in words and where the break-even runs beside them."""
    grid = nodes.sort(["y", "x"], descending=[True, False])
    gain = pl.col("npv") > 0.0
    across, down = (_axis(grid, axis) for axis in ("x", "y"))
    words = {axis: _at(grid, axis, currency) for axis in ("x", "y")}
    return grid.select(
        "name",
        pl.Series("x", words["x"], dtype=pl.String),
        pl.Series("y", words["y"], dtype=pl.String),
        "npv",
        pl.Series("_cell", [short(npv) for npv in grid["npv"]], dtype=pl.String),
        _right=(gain != gain.shift(-1).over("y")).fill_null(value=False),
        _below=(gain != gain.shift(-1).over("x")).fill_null(value=False),
        _note=_on_first(across or _NO_NUMBER),
        _down=_on_first(down or _NO_SECOND if across else ""),
    )


def _axis(grid: pl.DataFrame, axis: str) -> str:
    """Return what an axis shows, in words; nothing where the strategy has no such number."""
    words = in_brief(searched(grid[f"{axis}_description"][0]), _CHARACTERS)
    way = {"x": "Across", "y": "Upwards"}[axis]
    return f"{way}: {words[:1].lower()}{words[1:]}" if grid[f"{axis}_id"][0] else ""


def _at(grid: pl.DataFrame, axis: str, currency: str) -> list[str]:
    if not grid[f"{axis}_id"][0]:
        return [""] * grid.height
    return told_apart(grid[axis].to_list(), grid[f"{axis}_unit"][0], currency)


def _on_first(words: str) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(words)).otherwise(pl.lit(""))


def _layers(cells: pl.DataFrame) -> list[alt.Chart]:
    most = float(cells["npv"].abs().to_numpy().max()) or 1.0
    x = alt.X("x:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    y = alt.Y("y:N", sort=None, title=None, axis=alt.Axis(labelColor=QUIET))
    fill = alt.Color(
        "npv:Q",
        scale=alt.Scale(domain=[-most, 0.0, most], range=[_LOSS, _NOTHING, _GAIN], interpolate="rgb"),
        legend=None,
    )
    drawn = alt.Chart().encode(x=x, y=y)
    white = alt.condition(f"abs(datum.npv) > {_DARK * most:.6g}", alt.value("#FFFFFF"), alt.value(INK))
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("x:N", title="Across"),
        alt.Tooltip("y:N", title="Upwards"),
        alt.Tooltip("npv:Q", title="Net present value", format=",.3~r"),
    ]
    return [
        drawn.mark_rect(stroke="#E4E7EB", strokeWidth=0.5, aria=False).encode(fill=fill, tooltip=tooltip),
        drawn.mark_text(fontSize=12, aria=False).encode(text="_cell:N", color=white),
        *_break_even(),
        *_titles(cells),
    ]


def _break_even() -> tuple[alt.Chart, alt.Chart]:
    """Return the sides of cells at which a gain meets a loss."""
    side = alt.Chart().mark_rule(color=INK, strokeWidth=3, strokeCap="square", aria=False)
    x = {place: alt.X("x:N", sort=None, bandPosition=place) for place in (0, 1)}
    y = {place: alt.Y("y:N", sort=None, bandPosition=place) for place in (0, 1)}
    right = side.transform_filter("datum._right")
    below = side.transform_filter("datum._below")
    return (
        right.encode(x=x[1], y=y[0], y2=alt.Y2("y", bandPosition=1)),
        below.encode(x=x[0], x2=alt.X2("x", bandPosition=1), y=y[1]),
    )


def _titles(cells: pl.DataFrame) -> tuple[alt.Chart, ...]:
    square, name, _ = headings(
        _FIRST, alt.Color("name:N", scale=colours(names_of(cells)), legend=None), indent=_INDENT, rise=_RISE
    )
    text = alt.Chart().transform_filter(_FIRST).mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    lines = [
        text.encode(x=alt.value(-_INDENT), y=alt.value(rise), text=f"{field}:N")
        for field, rise in (("_note", _RISE + 19), ("_down", _RISE + 35))
    ]
    return square, name, *lines


def _finding(nodes: pl.DataFrame) -> str:
    gains = nodes.group_by("name", maintain_order=True).agg(gain=(pl.col("npv") > 0.0).sum(), of=pl.len())
    counts = [(str(name), f"{gain or 'none'} of {of}") for name, gain, of in gains.iter_rows()]
    if len(counts) > _TOLD:
        share = gains["gain"] / gains["of"]
        ends = [counts[place or 0] for place in (share.arg_min(), share.arg_max())]
        return f"Pays at {' to '.join(f'{count} ({name})' for name, count in ends)} pairs of values"
    (first, count), *others = counts
    rest = [f"{name} at {count}" for name, count in others]
    return joined([f"{first} pays at {count} pairs of values", *rest])


def _told(nodes: pl.DataFrame, currency: str) -> str:
    told = []
    for name, own in nodes.group_by("name", maintain_order=True):
        worst, best = (own.sort("npv")[place] for place in (0, own.height - 1))
        ends = " to ".join(f"{money(row['npv'][0], currency)} at {_place(row, own, currency)}" for row in (worst, best))
        told.append(f"{name[0]}: from {ends}.")
    return " ".join(told)


def _place(row: pl.DataFrame, own: pl.DataFrame, currency: str) -> str:
    """Return one node in words."""
    at = []
    for axis in ("x", "y"):
        if own[f"{axis}_id"][0]:
            words = dict(zip(own[axis], _at(own, axis, currency), strict=True))
            at.append(f"{in_brief(searched(own[f'{axis}_description'][0]), _CHARACTERS)} {words[row[axis][0]]}")
    return joined(at) or "its only node"
