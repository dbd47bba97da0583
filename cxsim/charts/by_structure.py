"""What strategies are worth under each model of leaving: returns by structure in, one figure out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, framed, money_axis, rounded
from cxsim.charts.palette import INK, QUIET, colours
from cxsim.tables import STRUCTURES, check
from cxsim.wording import INTERVAL, MODELS, counted, in_words, joined

_BAND = 26
# So many strategies are named in a title; of more, their number is told.
_TOLD = 3
# A row is named after its strategy and its model, of which the axis shows the model; the strategy heads its rows.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
_LABEL = f"split(datum.label, '{_BREAK}')[1]"


def npv_by_structure(structures: pl.DataFrame, currency: str) -> Figure | None:
    """Draw the net present value of each strategy under each model of leaving, with its interval.

    Parameters
    ----------
    structures
        Table under `STRUCTURES`; strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart or None
        One point and one line for the 90 % interval per strategy and model, and a tick at zero. None, which a notebook
        does not show, where there is one model only: `npv_by_strategy` says the same.

    Raises
    ------
    TableError
        For a table that is not under `STRUCTURES`.
    """
    if check(structures, STRUCTURES)["structure"].n_unique() < 2:
        return None
    worth = rounded(_worth(structures, currency))
    shown = (
        f"Net present value over doing nothing, {currency}, under each model of leaving by itself. Point: mean of all "
        f"draws; line: {INTERVAL}; upright stroke: zero."
    )
    told = " ".join(
        f"{name}, {model}: {value}." for name, model, value in worth.select("name", "model", "value").iter_rows()
    )
    rows = _rows(worth)
    drawn = alt.layer(*_headings(worth, rows), *_intervals(worth, rows, currency))
    return framed(drawn, finding=_finding(worth), shown=shown, told=told, height=_BAND * len(rows))


def _worth(structures: pl.DataFrame, currency: str) -> pl.DataFrame:
    names = structures["title"].unique(maintain_order=True).to_list()
    table = structures.select(
        name="title",
        model=pl.col("structure").replace(MODELS),
        mean="incremental_npv",
        low="npv_low",
        high="npv_high",
    ).with_columns(_row=pl.format(f"{{}}{_BREAK}{{}}", "name", "model"))
    values = [
        in_words(mean, low, high, currency=currency) for mean, low, high in table.select("mean", "low", "high").rows()
    ]
    place = pl.col("name").replace_strict({name: number for number, name in enumerate(names)})
    return table.with_columns(value=pl.Series(values, dtype=pl.String)).sort(place, maintain_order=True)


def _rows(worth: pl.DataFrame) -> list[str]:
    """Return the rows from top to bottom: before the models of each strategy one for its name."""
    return [
        row
        for part in worth.partition_by("name", maintain_order=True)
        for row in (f"{part['name'][0]}{_BREAK}", *part["_row"].to_list())
    ]


def _finding(worth: pl.DataFrame) -> str:
    signs = worth.group_by("name", maintain_order=True).agg(gains=(pl.col("mean") > 0.0).sum(), models=pl.len())
    open_names = signs.filter((pl.col("gains") > 0) & (pl.col("gains") < pl.col("models")))["name"].to_list()
    if not open_names:
        return "On average a gain stays a gain and a loss a loss, whichever model of leaving is used"
    named = joined(open_names) if len(open_names) <= _TOLD else f"{counted(len(open_names))} of {signs.height}"
    return f"On average a gain or a loss, depending on the model of leaving: {named}"


def _headings(worth: pl.DataFrame, rows: list[str]) -> tuple[alt.Chart]:
    heads = (
        worth.select(_name="name").unique(maintain_order=True).with_columns(_row=pl.format(f"{{}}{_BREAK}", "_name"))
    )
    drawn = alt.Chart(heads).mark_text(align="left", dy=4, fontWeight="bold", limit=WIDTH)
    return (drawn.encode(y=_axis(rows), x=alt.value(0), text="_name:N"),)


def _intervals(worth: pl.DataFrame, rows: list[str], currency: str) -> tuple[alt.Chart, ...]:
    largest = float(worth.select(pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest, grid="none")
    names = worth["name"].unique(maintain_order=True).to_list()
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("model:N", title="Model of leaving"),
        alt.Tooltip("value:N", title=f"Mean ({INTERVAL})"),
    ]
    drawn = alt.Chart(worth).encode(
        y=_axis(rows), color=alt.Color("name:N", scale=colours(names), legend=None), tooltip=tooltip
    )
    zero = alt.Chart(worth).mark_tick(color=INK, thickness=1, size=_BAND - 4, opacity=1)
    line = drawn.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", axis=amounts), x2="high:Q"
    )
    point = drawn.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("mean:Q", axis=amounts))
    return zero.encode(y=_axis(rows), x=alt.datum(0)), line, point


def _axis(rows: list[str]) -> alt.Y:
    axis = alt.Axis(title=None, labelExpr=_LABEL, labelColor=QUIET)
    return alt.Y("_row:N", sort=rows, axis=axis, scale=alt.Scale(domain=rows, paddingInner=0, paddingOuter=0))
