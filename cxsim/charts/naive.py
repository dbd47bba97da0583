"""What naive methods report: their readings, and the worth of customers by their answers, in; two figures out."""

from __future__ import annotations

import math

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, framed, money_axis, rounded
from cxsim.charts.palette import BASELINE, INK, QUIET, STRATEGIES
from cxsim.exports import NAIVE
from cxsim.measured import WORTH_BY_NPS
from cxsim.number_style import retold, turned
from cxsim.tables import check
from cxsim.units import Unit
from cxsim.wording import MINUS, NBSP, counted, number

_ROW = 38
_REPORTED, _TRUE = "What the method reports", "What is true"
_INTERVAL = f"95{NBSP}% interval"
# How a unit is read, and what would be no effect in it.
_UNITS = {
    Unit.MONEY: ("spend per customer, {}", 0.0),
    Unit.MONEY_PER_MONTH: ("spend per customer and month, {}", 0.0),
    Unit.RATIO: ("spend, times", 1.0),
    Unit.SCORE: (f"{MINUS}100 to 100", None),
}
_GROUPS = {"Promoters": STRATEGIES[2], "Passives": BASELINE, "Detractors": STRATEGIES[1]}


def naive_against_truth(readings: pl.DataFrame, currency: str) -> Figure:
    """Draw what each naive method reports beside what is true.

    Parameters
    ----------
    readings
        Table under `NAIVE` of `cxsim.exports`, in the order in which it is shown.
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
    missed = table.filter(~pl.col("truth").is_between("low", "high")).height
    finding = (
        f"{counted(missed)} of {counted(table.height)} naive readings miss the truth".capitalize()
        if missed
        else "Every naive reading holds the truth inside its interval"
    )
    shown = (
        f"Point: what a shop would read from its own tables; line: {_INTERVAL}, by which customers there are. Diamond: "
        "the truth, from the same customers with the same luck. Dotted: no effect."
    )
    rows = rounded(_rows(table, currency))
    drawn = (
        alt.layer(*_marks(), data=rows)
        .properties(width=WIDTH, height=_ROW)
        .facet(
            row=alt.Row(
                "panel:N",
                sort=rows["panel"].unique(maintain_order=True).to_list(),
                title=None,
                header=alt.Header(orient="top", labelAnchor="start", labelPadding=2),
            ),
            spacing=14,
        )
        .resolve_scale(x="independent")
    )
    return framed(drawn, finding=finding, shown=shown, told=retold(" ".join(table["finding"])))


def ltv_by_nps(panel: pl.DataFrame, currency: str) -> Figure:
    """Draw what promoters, passives and detractors spend, overall and at equal numbers of orders.

    Parameters
    ----------
    panel
        Table under `WORTH_BY_NPS` of `cxsim.measured`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One point with its interval per group and number of orders, on a scale of equal ratios.

    Raises
    ------
    TableError
        For a table that is not under `WORTH_BY_NPS`.
    """
    table = check(panel, WORTH_BY_NPS)
    shown = (
        f"Mean spend per customer, {currency}, on a scale on which equal distances are equal ratios. Line: {_INTERVAL} "
        "of the mean. Groups by the last answer: 9 or 10, 7 or 8, less."
    )
    told = "; ".join(
        f"{_class(orders)}, {group}: {number(mean)}"
        for orders, group, mean in table.select("orders", "group", "mean").iter_rows()
    )
    named = rounded(table.with_columns(pl.Series("orders", [_class(orders) for orders in table["orders"]])))
    named = named.with_columns(pl.col("group").str.to_titlecase())
    groups = [group for group in _GROUPS if group in named["group"]]
    drawn = alt.Chart(named).encode(
        x=alt.X(
            "orders:N",
            sort=named["orders"].unique(maintain_order=True).to_list(),
            title="Number of orders",
            axis=alt.Axis(labelAngle=0),
        ),
        xOffset=alt.XOffset("group:N", sort=groups),
        color=alt.Color(
            "group:N",
            scale=alt.Scale(domain=groups, range=[_GROUPS[group] for group in groups]),
            legend=alt.Legend(title=None, orient="top", symbolSize=120, symbolOpacity=1),
        ),
        tooltip=_worth_tooltip(currency),
    )
    axis = money_axis(f"Spend per customer, {currency}", largest=float(table["high"].to_numpy().max()))
    axis["values"] = _ticks(table)
    spend = alt.Y("mean:Q", axis=axis, scale=alt.Scale(type="log", nice=False))
    line = drawn.mark_rule(strokeWidth=3, opacity=0.5).encode(y=alt.Y("low:Q", axis=axis), y2="high:Q")
    point = drawn.mark_point(filled=True, size=70, opacity=1).encode(y=spend)
    return framed(alt.layer(line, point), finding=_worth_finding(table), shown=shown, told=f"{told}.")


def _rows(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one row for each reading and one for each truth, with the head of its panel and what is no effect."""
    units = {unit: words.format(currency) for unit, (words, _) in _UNITS.items()}
    none = {unit: nothing for unit, (_, nothing) in _UNITS.items()}
    panelled = table.with_columns(
        panel=pl.format("{}: {}", "title", pl.col("unit").replace_strict(units, return_dtype=pl.String)),
        none=pl.col("unit").replace_strict(none, return_dtype=pl.Float64),
    )
    shared = ["panel", "none"]
    reported = panelled.select(*shared, "low", "high", kind=pl.lit(_REPORTED), value="reading")
    true = panelled.select(*shared, kind=pl.lit(_TRUE), value="truth")
    # Row by row, so that the panels come in the order of the methods.
    return pl.concat([reported, true], how="diagonal").with_columns(
        told=pl.Series([number(value) for value in [*table["reading"], *table["truth"]]])
    )


def _marks() -> list[alt.Chart]:
    kinds, colours = [_REPORTED, _TRUE], [STRATEGIES[1], INK]
    legend = alt.Legend(title=None, orient="top", symbolSize=120)
    drawn = alt.Chart().encode(
        tooltip=[
            alt.Tooltip("panel:N", title="Method"),
            alt.Tooltip("kind:N", title="Which"),
            alt.Tooltip("value:Q", title="Value", format=",.3~r"),
            alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=",.3~r"),
            alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=",.3~r"),
        ],
    )
    scale = alt.Scale(zero=False, nice=True, padding=18)
    values = alt.X("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=6, format="~r"))
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=colours), legend=legend)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond"]), legend=legend)
    none = alt.Chart().transform_filter("isValid(datum.none) && isValid(datum.low)").mark_rule(strokeDash=[2, 3])
    line = drawn.transform_filter("isValid(datum.low)").mark_rule(color=STRATEGIES[1], strokeWidth=3, opacity=0.5)
    return [
        # Below the written values, so as not to cross them.
        none.encode(x=alt.X("none:Q", title=None), y=alt.value(11), y2=alt.value(_ROW), color=alt.value(QUIET)),
        line.encode(x=alt.X("low:Q", title=None), x2="high:Q"),
        drawn.mark_point(filled=True, size=110, opacity=1).encode(x=values, color=colour, shape=shape),
        drawn.mark_text(dy=-14, fontSize=12).encode(x=values, text="told:N", color=colour),
    ]


def _ticks(table: pl.DataFrame) -> list[float]:
    """Return 1, 2 and 5 in every power of ten that the figure covers."""
    ends = (table["mean"].to_numpy().min(), table["high"].to_numpy().max())
    low, high = (math.floor(math.log10(max(float(end), 1e-9))) for end in ends)
    return [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]


def _class(orders: str) -> str:
    if orders == "all":
        return "Any number"
    return f"{orders.removesuffix('+')} or more" if orders.endswith("+") else orders


def _worth_finding(table: pl.DataFrame) -> str:
    pair = table.pivot("group", index="orders", values=["mean", "customers"])
    if not {"mean_promoters", "mean_detractors"} <= set(pair.columns):
        return "Too few promoters or detractors to compare"
    ratios = pair.with_columns(
        times=pl.col("mean_promoters") / pl.col("mean_detractors"),
        weight=pl.col("customers_promoters") + pl.col("customers_detractors"),
    ).drop_nulls("times")
    overall = ratios.filter(pl.col("orders") == "all")["times"]
    equal = ratios.filter((pl.col("orders") != "all") & ~pl.col("orders").str.ends_with("+"))
    told = f"Promoters spend {turned(f'{overall[0]:.1f}')} times as much as detractors"
    if equal.is_empty():
        return told
    average = float((equal["times"] * equal["weight"]).sum()) / float(equal["weight"].sum())
    return f"{told}, and {turned(f'{average:.1f}')} times as much at an equal number of orders"


def _worth_tooltip(currency: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("orders:N", title="Orders"),
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("customers:Q", title="Customers", format=",d"),
        alt.Tooltip("mean:Q", title=f"Mean spend, {currency}", format=",.3~r"),
        alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=",.3~r"),
        alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=",.3~r"),
    ]
