"""Naive readings beside the truth, and promoters beside detractors: tables of methods in; figures and tables out."""

from __future__ import annotations

import dataclasses
import math

import altair as alt
import polars as pl

from cxsim.data.contracts import NAIVE
from cxsim.metrics.promoters import LTV_BY_NPS
from cxsim.metrics.selection import SELECTION
from cxsim.params import Unit
from cxsim.reporting.tables import Column, Prose, Row, Table, TableSpec
from cxsim.reporting.theme import (
    BASELINE,
    INK,
    QUIET,
    STRATEGIES,
    WIDTH,
    Figure,
    coloured,
    distinct,
    ends,
    error_bar,
    framed,
    money_axis,
    points,
    rounded,
    tooltip,
)
from cxsim.tables import check
from cxsim.wording import INTERVAL_95, MINUS, counted, figure, number, precision

_ROW = 38
_SELECTION_ROW = 46
_REPORTED, _TRUE = "What the method reports", "What is true"
_NONE = "Too few promoters or detractors to compare"
# How a unit is read above a panel and in a table, and what would be no effect in it.
_UNITS: dict[str, tuple[str, str, float | None]] = {
    Unit.MONEY: ("spend per customer, {currency}", "{currency} per customer", 0.0),
    Unit.MONEY_PER_MONTH: ("spend per customer and month, {currency}", "{currency} per customer and month", 0.0),
    Unit.RATIO: ("spend, times", "times", 1.0),
    Unit.SCORE: (f"{MINUS}100 to 100", f"points, {MINUS}100 to 100", None),
}
_DECIMALS: dict[str, str] = {Unit.RATIO: ".2f", Unit.SCORE: ".1f"}
_GROUPS = {"Promoters": STRATEGIES[2], "Passives": BASELINE, "Detractors": STRATEGIES[1]}
_RAW, _CONTROL, _ADJUSTED = "Not adjusted", "Before the answer", "Adjusted"
_KINDS = {"naive": _RAW, "equal_count": _RAW, "after": _RAW, "before": _CONTROL}
_COLOURS = {_RAW: STRATEGIES[1], _CONTROL: BASELINE, _ADJUSTED: STRATEGIES[0]}
# Round ratios on an axis; fewer where the figure spans more.
_FINE = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)
_COARSE = (0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


def naive_against_truth(readings: pl.DataFrame, currency: str) -> Figure:
    """Draw what each naive method reports beside what is true.

    Parameters
    ----------
    readings
        Table under `NAIVE` of `cxsim.data.contracts`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per method on a scale of its own: a point with its interval, and a mark of the truth.

    Raises
    ------
    TableError
        For a table that is not under `NAIVE`.
    """
    table = check(readings, NAIVE)
    rows = rounded(_panels(table, currency))
    header = alt.Header(orient="top", labelAnchor="start", labelPadding=2)
    order = distinct(rows, "panel")
    drawn = (
        alt.layer(*_marks(), data=rows)
        .properties(width=WIDTH, height=_ROW)
        .facet(row=alt.Row("panel:N", sort=order, title=None, header=header), spacing=14)
        .resolve_scale(x="independent")
    )
    return framed(
        drawn,
        finding=_missed(table),
        shown=(
            f"Point: what a shop would read from its own tables; line: {INTERVAL_95}, by which customers there are. "
            "Diamond: the truth, from the same customers with the same random numbers. Dotted: no effect."
        ),
        alt_text=" ".join(table["finding"]),
    )


def naive_table(readings: pl.DataFrame, currency: str, programme: str = "") -> Table | Prose:
    """Lay out what each method reports, how sure it looks, and what is true.

    Parameters
    ----------
    readings
        Table under `NAIVE` of `cxsim.data.contracts`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".
    programme
        Title of the strategy that they are about, if a reader must know it.

    Returns
    -------
    Table or Prose
        One row per method, with its finding. The title says how many intervals hold the truth. One sentence where no
        method has enough customers.
    """
    subtitle = f"{_NAIVE.subtitle} ({programme})" if programme else _NAIVE.subtitle
    return dataclasses.replace(_NAIVE, subtitle=subtitle).render_or_remark(readings, currency)


_LEGEND = {"orient": "top", "symbolSize": 120, "symbolOpacity": 1}


def ltv_by_nps(panel: pl.DataFrame, currency: str) -> Figure:
    """Draw what promoters, passives and detractors spend, overall and at equal numbers of orders.

    Parameters
    ----------
    panel
        Table under `LTV_BY_NPS` of `cxsim.metrics.promoters`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One point with its interval per group and number of orders, on a scale of equal ratios.

    Raises
    ------
    TableError
        For a table that is not under `LTV_BY_NPS`.
    """
    table = check(panel, LTV_BY_NPS)
    named = rounded(table).with_columns(
        pl.Series("orders", [_class(orders) for orders in table["orders"]]), pl.col("group").str.to_titlecase()
    )
    groups = [group for group in _GROUPS if group in named["group"]]
    order = distinct(named, "orders")
    drawn = alt.Chart(named).encode(
        x=alt.X("orders:N", sort=order, title="Number of orders", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("group:N", sort=groups),
        color=coloured("group:N", groups, [_GROUPS[group] for group in groups], _LEGEND),
        tooltip=tooltip(
            [
                ("orders:N", "Orders"),
                ("group:N", "Group"),
                ("customers:Q", "Customers", ",d"),
                ("mean:Q", f"Mean spend, {currency}", ",.3~r"),
                *ends(INTERVAL_95, ",.3~r"),
            ]
        ),
    )
    axis = money_axis(f"Spend per customer, {currency}", largest=float(table["high"].to_numpy().max()))
    axis["values"] = _powers(table)
    spend = alt.Y("mean:Q", axis=axis, scale=alt.Scale(type="log", nice=False))
    means = "; ".join(
        f"{_class(orders)}, {group}: {number(mean)}"
        for orders, group, mean in table.select("orders", "group", "mean").iter_rows()
    )
    return framed(
        alt.layer(
            error_bar(drawn).encode(y=alt.Y("low:Q", axis=axis), y2="high:Q"), points(drawn, size=70).encode(y=spend)
        ),
        finding=_spend_finding(table),
        shown=(
            f"Mean spend per customer, {currency}, on a scale on which equal distances are equal ratios. Line: "
            f"{INTERVAL_95} of the mean. Groups by the last answer: 9 or 10, 7 or 8, less."
        ),
        alt_text=f"{means}.",
    )


def selection(panel: pl.DataFrame) -> Figure:
    """Draw what promoters spend over what detractors spend, by each method."""
    table = check(panel, SELECTION)
    ratios = [figure(ratio, ".2f") for ratio in table["ratio"]]
    rows = rounded(table).with_columns(
        kind=pl.Series([_KINDS.get(method, _ADJUSTED) for method in table["method"]], dtype=pl.String),
        written=pl.Series(ratios, dtype=pl.String),
    )
    return framed(
        alt.layer(*_selection_marks(rows)),
        finding=_selection_finding(table),
        shown=(
            "Spend of promoters over that of detractors, on a scale on which equal distances are equal ratios. Line: "
            f"{INTERVAL_95}, over which customers there happen to be. Dotted: no difference."
        ),
        alt_text=f"{'; '.join(map(': '.join, zip(table['title'], ratios, strict=True)))}.",
        width=WIDTH - 240,
        height=_SELECTION_ROW * max(table.height, 1),
    )


def selection_table(panel: pl.DataFrame) -> Table:
    """Lay out what promoters spend next to detractors, from the most naive method to the most careful."""
    return _SELECTION.render(panel)


def _written(row: Row, name: str) -> str:
    return figure(row[name], _DECIMALS[row["unit"]]) if row["unit"] in _DECIMALS else number(row[name])


def _ends(row: Row) -> str:
    if row["unit"] in _DECIMALS:
        return f"{_written(row, 'low')} to {_written(row, 'high')}"
    together = precision([row["low"], row["high"]])
    return f"{together.text(row['low'])} to {together.text(row['high'])}"


def _unit(row: Row) -> str:
    words = _UNITS[row["unit"]][1] if row["unit"] in _UNITS else row["unit"]
    return str(words.replace("{currency}", row["currency"]))


def _missed(table: pl.DataFrame) -> str:
    missed = table.filter(~pl.col("truth").is_between("low", "high")).height
    if missed == 0:
        return "Every naive reading holds the truth inside its interval"
    return f"{counted(missed)} of {counted(table.height)} naive readings miss the truth".capitalize()


_NAIVE = TableSpec(
    id="naive-readings",
    contract=NAIVE,
    title=_missed,
    subtitle="What a shop would read from its own tables, beside what is true in the same simulated world",
    line="title",
    columns={
        "reading": Column("Reading", lambda row: _written(row, "reading")),
        "interval": Column(f"Its {INTERVAL_95}", _ends),
        "truth": Column("Truth", lambda row: _written(row, "truth")),
        "unit": Column("Unit", _unit, align="text"),
        "finding": Column("In words", align="text"),
    },
    notes=(
        "The interval is what the shop would compute: it holds the sampling error of its customers, and no bias.",
        (
            "Truth of a programme: the same customers with and without it, with the same random numbers. Truth of a "
            "ratio: what is left of it when satisfaction is kept from moving anything; 1 is nothing."
        ),
    ),
    empty="No common comparison has enough customers on both sides to be read.",
)


def _agreeing(table: pl.DataFrame) -> str:
    if table.is_empty():
        return _NONE
    held = table.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    words = f"{counted(held)} of {counted(table.height)} methods see no difference between promoters and detractors"
    return words.capitalize()


def _ratio(value: float) -> str:
    return figure(value, ".2f")


_SELECTION = TableSpec(
    id="selection",
    contract=SELECTION,
    title=_agreeing,
    subtitle="Spend of promoters over that of detractors; 1 is no difference",
    line="title",
    columns={
        "ratio": Column("Ratio", write=_ratio),
        "interval": Column(INTERVAL_95, lambda row: f"{_ratio(row['low'])} to {_ratio(row['high'])}"),
        "customers": Column("Customers"),
        "label": Column("What it is", align="text"),
        "finding": Column("In words", align="text"),
    },
    notes=(
        (
            "The interval holds the sampling error of the customers, and no bias. An association may be selection: an "
            "effect needs groups that chance has made."
        ),
        (
            "Adjusted rows and the own past see what goes with the news in an answer: what had been there all the "
            "time before cancels, an effect of it too. Nothing adjusts for a hidden bent to stay."
        ),
    ),
)


def _panels(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one row for each reading and one for each truth, with the head of its panel and what is no effect."""
    heads = {unit: words.replace("{currency}", currency) for unit, (words, *_) in _UNITS.items()}
    none = {unit: nothing for unit, (*_, nothing) in _UNITS.items()}
    panelled = table.with_columns(
        panel=pl.format("{}: {}", "title", pl.col("unit").replace_strict(heads, return_dtype=pl.String)),
        none=pl.col("unit").replace_strict(none, return_dtype=pl.Float64),
    )
    reported = panelled.select("panel", "none", "low", "high", kind=pl.lit(_REPORTED), value="reading")
    true = panelled.select("panel", "none", kind=pl.lit(_TRUE), value="truth")
    # Row by row, so that the panels come in the order of the methods.
    rows = pl.concat([reported, true], how="diagonal")
    return rows.with_columns(written=pl.Series([number(value) for value in rows["value"]]))


def _marks() -> list[alt.Chart]:
    kinds, colours = [_REPORTED, _TRUE], [STRATEGIES[1], INK]
    legend = alt.Legend(title=None, orient="top", symbolSize=120)
    drawn = alt.Chart().encode(
        tooltip=tooltip(
            [("panel:N", "Method"), ("kind:N", "Which"), ("value:Q", "Value", ",.3~r"), *ends(INTERVAL_95, ",.3~r")]
        )
    )
    scale = alt.Scale(zero=False, nice=True, padding=18)
    values = alt.X("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=6, format="~r"))
    colour = coloured("kind:N", kinds, colours, {"orient": "top", "symbolSize": 120})
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond"]), legend=legend)
    none = alt.Chart().transform_filter("isValid(datum.none) && isValid(datum.low)").mark_rule(strokeDash=[2, 3])
    line = error_bar(drawn.transform_filter("isValid(datum.low)"), STRATEGIES[1])
    return [
        # Below the written values, so as not to cross them.
        none.encode(x=alt.X("none:Q", title=None), y=alt.value(11), y2=alt.value(_ROW), color=alt.value(QUIET)),
        line.encode(x=alt.X("low:Q", title=None), x2="high:Q"),
        points(drawn, size=110).encode(x=values, color=colour, shape=shape),
        drawn.mark_text(dy=-14, fontSize=12).encode(x=values, text="written:N", color=colour),
    ]


def _powers(table: pl.DataFrame) -> list[float]:
    """Return 1, 2 and 5 in every power of ten that the figure covers."""
    low, high = (
        math.floor(math.log10(max(float(end), 1e-9)))
        for end in (table["mean"].to_numpy().min(), table["high"].to_numpy().max())
    )
    return [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]


def _class(orders: str) -> str:
    if orders == "all":
        return "Any number"
    return f"{orders.removesuffix('+')} or more" if orders.endswith("+") else orders


def _spend_finding(table: pl.DataFrame) -> str:
    pair = table.pivot("group", index="orders", values=["mean", "customers"])
    if not {"mean_promoters", "mean_detractors"} <= set(pair.columns):
        return _NONE
    ratios = pair.with_columns(
        times=pl.col("mean_promoters") / pl.col("mean_detractors"),
        weight=pl.col("customers_promoters") + pl.col("customers_detractors"),
    ).drop_nulls("times")
    overall = ratios.filter(orders="all")["times"][0]
    equal = ratios.filter((pl.col("orders") != "all") & ~pl.col("orders").str.ends_with("+"))
    words = f"Promoters spend {figure(overall, '.1f')} times as much as detractors"
    if equal.is_empty():
        return words
    average = float((equal["times"] * equal["weight"]).sum()) / float(equal["weight"].sum())
    return f"{words}, and {figure(average, '.1f')} times as much at an equal number of orders"


def _selection_marks(rows: pl.DataFrame) -> list[alt.Chart]:
    present = [kind for kind in _COLOURS if kind in rows["kind"]]
    drawn = alt.Chart(rows).encode(
        y=alt.Y("title:N", sort=rows["title"].to_list(), title=None, axis=alt.Axis(labelLimit=360, grid=False)),
        color=coloured("kind:N", present, [_COLOURS[kind] for kind in present], {"orient": "top", "symbolSize": 120}),
        tooltip=tooltip(
            [
                ("title:N", "Method"),
                ("ratio:Q", "Ratio", ".2f"),
                *ends(INTERVAL_95, ".2f"),
                ("customers:Q", "Customers", ",d"),
                ("label:N", "What it is"),
            ]
        ),
    )
    axis = alt.Axis(values=_ticks(rows), format="~r", grid=True)
    across = alt.X("ratio:Q", title="Times as much", scale=alt.Scale(type="log", nice=False, padding=24), axis=axis)
    return [
        alt.Chart(rows.head(1)).mark_rule(strokeDash=[2, 3], color=INK).encode(x=alt.datum(1.0)),
        error_bar(drawn).encode(x=alt.X("low:Q", axis=axis), x2="high:Q"),
        points(drawn, size=100).encode(x=across),
        drawn.mark_text(dy=-13, fontSize=12).encode(x=across, text="written:N", color=alt.value(QUIET)),
    ]


def _ticks(rows: pl.DataFrame) -> list[float]:
    """Return round ratios, as many as have room."""
    low = min([1.0, *rows["low"]])
    high = max(rows["high"], default=1.0)
    return [step for step in (_FINE if high / low < 2.0 else _COARSE) if low <= step <= max(high, 1.0)]


def _selection_finding(table: pl.DataFrame) -> str:
    rows = {row["method"]: row for row in table.iter_rows(named=True)}
    if not rows:
        return _NONE
    first = rows.get("naive") or next(iter(rows.values()))
    words = f"Promoters spend {figure(first['ratio'], '.1f')} times as much as detractors"
    last = rows.get("own_past")
    if last is None:
        return words
    span = f"{_ratio(last['low'])} to {_ratio(last['high'])}"
    if last["low"] <= 1.0 <= last["high"]:
        return f"{words}; against their own past no difference is seen ({span})"
    return f"{words}; against their own past {_ratio(last['ratio'])} times ({span})"
