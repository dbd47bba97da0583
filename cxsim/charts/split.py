"""Which ignorance the spread is made of: a table under SPLIT goes in, one bar of parts per strategy comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.business_tables import SPLIT
from cxsim.charts.frame import WIDTH, Figure, framed, names_of, rounded
from cxsim.charts.palette import QUIET, colours
from cxsim.charts.panels import headings, panels
from cxsim.errors import TableError, choices
from cxsim.tables import check
from cxsim.wording import NBSP, joined, percent

# Parts in words, in two lines each, in the order in which they are drawn; how full their colour is, so that
# neighbours differ.
_PARTS = {
    "effects": ("What the strategy", "does and costs", 1.0),
    "economics": ("The shop's prices", "and costs", 0.38),
    "models": ("What the fitted", "models leave open", 0.74),
    "structure": ("Which model", "of leaving", 0.2),
    "luck": ("Luck of who the", "customers are", 0.56),
    "together": ("Only several", "of these together", 0.1),
}
_BAR, _DROP, _HEIGHT = 30, 58, 108
# Shares are estimates that add up by construction, and may be rounded.
_ROUNDING = 0.005
_FIRST = "datum._place === 0"
# So many strategies are told one by one in a title; of more, the one with the least and the most are.
_TOLD = 3


def variance_split(split: pl.DataFrame) -> Figure:
    """Draw how much of the spread of each strategy's result is the work of which ignorance.

    Parameters
    ----------
    split
        Table under `SPLIT`, strategies in the order of the scenario; the shares of a strategy add up to 1. A share may
        be below zero by chance of simulation, and is then drawn to the left of zero.

    Returns
    -------
    alt.FacetChart
        One bar per strategy; below it each part with its share and its name, and a line to its place in the bar.

    Raises
    ------
    TableError
        For a table that is not under `SPLIT`, an unknown part, a part that stands twice, or shares that do not add up
        to 1.
    """
    table = check(split, SPLIT).rename({"title": "name"})
    owns = [_placed(table.filter(name=name)) for name in names_of(table)]
    bars = rounded(_drawn(pl.concat(owns)))
    below = " Left of zero: below zero by chance of simulation." if bars["share"].to_numpy().min() < 0.0 else ""
    shown = (
        "What makes net present value differ between draws: shares of its variance, 100\N{NO-BREAK SPACE}% per "
        "strategy. The simulation error of a share, two standard errors, is in its tooltip; the width of the interval "
        f"itself stands with the results.{below}"
    )
    drawn = panels(_layers(bars), bars, width=WIDTH, height=_HEIGHT)
    return framed(drawn, finding=_finding(bars), shown=shown, told=_told(bars))


def _placed(own: pl.DataFrame) -> pl.DataFrame:
    """Return the parts of one strategy in their order, with their ends in the bar and the column of their words."""
    name, order = own["name"][0], list(_PARTS)
    for part in own["part"]:
        if part not in _PARTS:
            raise TableError(f"SPLIT: no part '{part}'; {choices(part, order)}")
    if own["part"].n_unique() < own.height:
        raise TableError(f"SPLIT: a part of '{name}' stands twice; found {', '.join(own['part'])}.")
    total = float(own["share"].sum())
    if abs(total - 1.0) > _ROUNDING:
        raise TableError(f"SPLIT: the shares of '{name}' add up to {total:.4f}; they must add up to 1.")
    parts = own.sort(pl.col("part").cast(pl.Enum(order)))
    below = pl.when(pl.col("share") < 0.0).then("share").otherwise(0.0)
    above = pl.col("share") - below
    end = pl.when(pl.col("share") < 0.0).then(below.cum_sum()).otherwise(above.cum_sum())
    words = [_PARTS[part][:2] for part in parts["part"]]
    column = WIDTH / len(order)
    return parts.select(
        "name",
        "share",
        pl.col("mc_error").alias("error") * 2.0,
        pl.Series("part", [" ".join(pair) for pair in words], dtype=pl.String),
        pl.Series("_lines", [f"{a}\n{b}" for a, b in words], dtype=pl.String),
        pl.Series("_percent", [_written(share) for share in parts["share"]], dtype=pl.String),
        pl.Series("_full", [_PARTS[part][2] for part in parts["part"]], dtype=pl.Float64),
        pl.Series("_at", [column * order.index(part) for part in parts["part"]], dtype=pl.Float64),
        _start=end - pl.col("share"),
        _end=end,
        _place=pl.int_range(pl.len()),
        _note=pl.lit(""),
    )


def _drawn(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the parts with their ends in pixels: lines lead from the bar to words that have no place on its scale."""
    ends = parts.select(low=pl.min_horizontal("_start", "_end").min(), high=pl.max_horizontal("_start", "_end").max())
    low, high = ends.row(0)
    pixel = WIDTH / (max(high, 1.0) - low)
    return parts.with_columns(((pl.col("_start", "_end") - low) * pixel).round(1)).with_columns(
        _middle=((pl.col("_start") + pl.col("_end")) / 2.0).round(1), _foot=pl.col("_at") + 12.0
    )


def _layers(bars: pl.DataFrame) -> list[alt.Chart]:
    colour = alt.Color("name:N", scale=colours(names_of(bars)), legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("part:N", title="Part"),
        alt.Tooltip("share:Q", title="Share", format=".1%"),
        alt.Tooltip("error:Q", title="Two standard errors", format=".1%"),
    ]
    drawn = alt.Chart()
    bar = drawn.mark_bar(height=_BAR, stroke="#FFFFFF", strokeWidth=1.5, aria=False).encode(
        x=alt.X("_start:Q", scale=None),
        x2="_end:Q",
        y=alt.value(_BAR / 2),
        color=colour,
        opacity=alt.Opacity("_full:Q", scale=None),
        tooltip=tooltip,
    )
    return [bar, _leads(drawn), *_words(drawn), *headings(_FIRST, colour, indent=0)]


def _leads(drawn: alt.Chart) -> alt.Chart:
    """Return a line from the middle of each part down to its words; a part of nothing has none."""
    seen = alt.condition("datum.share > 0.0005", alt.value(1.0), alt.value(0.0))
    lead = drawn.mark_rule(color=QUIET, strokeWidth=1, aria=False)
    down = {"y": alt.value(_BAR + 2), "y2": alt.value(_DROP)}
    encoded: alt.Chart = lead.encode(x=alt.X("_middle:Q", scale=None), x2="_foot:Q", opacity=seen, **down)
    return encoded


def _words(drawn: alt.Chart) -> list[alt.Chart]:
    at = alt.X("_at:Q", scale=None)
    text = {
        "_percent": drawn.mark_text(align="left", baseline="top", fontWeight="bold", fontSize=13, aria=False),
        "_lines": drawn.mark_text(
            align="left", baseline="top", fontSize=11.5, color=QUIET, lineBreak="\n", lineHeight=13, dy=17, aria=False
        ),
    }
    return [mark.encode(x=at, y=alt.value(_DROP + 4), text=f"{field}:N") for field, mark in text.items()]


def _written(share: float) -> str:
    return percent(share) if share > 0.0 else f"0{NBSP}%" if share == 0.0 else f"\N{MINUS SIGN}{percent(-share)}"


def _finding(bars: pl.DataFrame) -> str:
    """Return the largest part of each strategy, told together where it is the same."""
    largest = bars.sort("share", descending=True, maintain_order=True).unique("name", keep="first", maintain_order=True)
    order = names_of(bars)
    largest = largest.sort(pl.col("name").cast(pl.Enum(order)))
    parts = largest["part"].unique(maintain_order=True).to_list()
    told = []
    for part in parts:
        own = largest.filter(part=part)
        shares = sorted(own["share"].to_list())
        least, most = _written(shares[0]), _written(shares[-1])
        span = most if least == most else f"{least.removesuffix(f'{NBSP}%')} to {most}"
        who = joined(own["name"].to_list()) if own.height <= _TOLD else f"{own.height} strategies"
        told.append(f"{part.lower()} for {who} ({span})")
    return f"Largest source of doubt: {'; '.join(told)}"


def _told(bars: pl.DataFrame) -> str:
    told = []
    for name, own in bars.group_by("name", maintain_order=True):
        parts = "; ".join(f"{part.lower()} {share}" for part, share in own.select("part", "_percent").iter_rows())
        told.append(f"{name[0]}: {parts}.")
    return " ".join(told)
