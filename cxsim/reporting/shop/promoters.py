"""Naive readings beside the truth, and promoters beside detractors: tables of methods in; figures and tables out."""

from __future__ import annotations

import math
from collections.abc import Callable

import altair as alt
import polars as pl

from cxsim.data.contracts import NAIVE
from cxsim.metrics.promoters import LTV_BY_NPS
from cxsim.metrics.selection import SELECTION
from cxsim.params import Unit
from cxsim.reporting.tables import Column, Prose, Row, Table, TableSpec
from cxsim.reporting.theme import (
    ABOVE,
    BASELINE,
    INK,
    QUIET,
    STRATEGIES,
    WIDTH,
    Figure,
    classes_across,
    coloured,
    detailed,
    distinct,
    ends,
    error_bar,
    framed,
    largest,
    listed,
    money_axis,
    point_and_interval,
    points,
    rounded,
    some_of,
    with_texts,
)
from cxsim.tables import check
from cxsim.wording import INTERVAL_95, MINUS, figure, number, precision

_ROW = 38
_SELECTION_ROW = 46
_REPORTED, _TRUE = "Estimate of the method", "True value"
_NONE = "Too few promoters or detractors to compare"
# How a unit is read above a panel, and in a table; then what would be no effect in it.
_HEADS: dict[str, str] = {
    Unit.MONEY: "spend per customer, {currency}",
    Unit.MONEY_PER_MONTH: "spend per customer and month, {currency}",
    Unit.RATIO: "spend ratio",
    Unit.SCORE: f"{MINUS}100 to 100",
}
_UNITS: dict[str, str] = {
    Unit.MONEY: "{currency} per customer",
    Unit.MONEY_PER_MONTH: "{currency} per customer and month",
    Unit.RATIO: "ratio",
    Unit.SCORE: f"points, {MINUS}100 to 100",
}
_NO_EFFECT = {Unit.MONEY: 0.0, Unit.MONEY_PER_MONTH: 0.0, Unit.RATIO: 1.0}
_DECIMALS: dict[str, str] = {Unit.RATIO: ".2f", Unit.SCORE: ".1f"}
_GROUPS = {"Promoters": STRATEGIES[2], "Passives": BASELINE, "Detractors": STRATEGIES[1]}
_RAW, _CONTROL, _ADJUSTED = "Unadjusted", "Before the answer", "Adjusted"
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
    return framed(
        alt.layer(*_marks(), data=rows)
        .properties(width=WIDTH, height=_ROW)
        .facet(
            row=alt.Row(
                "panel:N",
                sort=distinct(rows, "panel"),
                title=None,
                header={"labelAnchor": "start", "labelPadding": 2, "orient": "top"},
            ),
            spacing=14,
        )
        .resolve_scale(x="independent"),
        finding=_missed(table),
        shown=(
            f"Point: estimate from the shop's own data; line: {INTERVAL_95}, sampling variation. "
            "Diamond: true value, from the same customers and random numbers. Dotted: no effect."
        ),
        alt_text=" ".join(table["finding"]),
    )


def naive_table(readings: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out what each method reports, how sure it looks, and what is true.

    Parameters
    ----------
    readings
        Table under `NAIVE` of `cxsim.data.contracts`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per method, with its finding. The title says how many intervals hold the truth. One sentence where no
        method has enough customers.
    """
    return _NAIVE.render_or_remark(readings, currency)


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
    classes = with_texts(table, {"orders": _class})
    named = rounded(classes).with_columns(pl.col("group").str.to_titlecase())
    groups = {group: shade for group, shade in _GROUPS.items() if group in named["group"]}
    axis = money_axis(f"Spend per customer, {currency}", largest=largest(table, ["high"]))
    axis["values"] = _powers(table)
    drawn = detailed(
        {
            "orders:N": "Orders",
            "group:N": "Group",
            "customers:Q ,d": "Customers",
            "mean:Q ,.3~r": f"Mean spend, {currency}",
            **ends(INTERVAL_95, ",.3~r"),
        },
        named,
        [
            classes_across("orders:N", distinct(named, "orders"), "Number of orders"),
            alt.XOffset("group:N", sort=[*groups]),
            coloured("group:N", [*groups], [*groups.values()], {**ABOVE, "symbolOpacity": 1}),
        ],
    )
    spend = alt.Y("mean:Q", axis=axis, scale={"nice": False, "type": "log"})
    return framed(
        alt.layer(*point_and_interval(drawn, alt.Y("low:Q", axis=axis), spend, size=70)),
        finding=_spend_finding(table),
        shown=(
            f"Mean spend per customer, {currency}, log scale. Line: {INTERVAL_95} of the mean. "
            "Groups by the latest answer: promoters 9 or 10, passives 7 or 8, detractors 6 or less."
        ),
        alt_text=listed(
            classes.select("orders", "group", "mean"), lambda orders, group, mean: f"{orders}, {group}: {number(mean)}"
        ),
    )


def selection(panel: pl.DataFrame) -> Figure:
    """Draw what promoters spend over what detractors spend, by each method."""
    table = check(panel, SELECTION)
    rows = rounded(
        with_texts(
            table,
            {
                "kind": lambda row: _KINDS.get(row["method"], _ADJUSTED),
                "written": lambda row: _ratio(row["ratio"]),
            },
        )
    )
    return framed(
        alt.layer(*_selection_marks(rows)),
        finding=_selection_finding(table),
        shown=(
            "Spend of promoters relative to detractors, log scale. Line: "
            f"{INTERVAL_95}, sampling variation. Dotted: no difference."
        ),
        alt_text=listed(rows.select("title", "written"), "{}: {}".format),
        width=WIDTH - 240,
        height=_SELECTION_ROW * max(table.height, 1),
    )


def selection_table(panel: pl.DataFrame) -> Table:
    """Lay out what promoters spend next to detractors, from the most naive method to the most careful."""
    return _SELECTION.render(panel)


def _written(*names: str) -> Callable[[Row], str]:
    """Return how values of one unit are written that are read together."""

    def text(row: Row) -> str:
        values = [row[name] for name in names]
        spec, together = _DECIMALS.get(row["unit"]), precision(values)
        return " to ".join(figure(value, spec) if spec else together.text(value) for value in values)

    return text


def _missed(table: pl.DataFrame) -> str:
    missed = table.filter(~pl.col("truth").is_between("low", "high")).height
    if missed == 0:
        return "The interval of every naive estimate includes the true value"
    return some_of(missed, table.height, "naive estimates miss the true value")


_NAIVE = TableSpec(
    id="naive-readings",
    contract=NAIVE,
    title=_missed,
    subtitle="Estimates from a shop's own data, compared with the true value in the same simulated world",
    line="title",
    columns={
        "reading": Column("Estimate", _written("reading")),
        "interval": Column(INTERVAL_95, _written("low", "high")),
        "truth": Column("True value", _written("truth")),
        "unit": Column(
            "Unit",
            lambda row: str(_UNITS.get(row["unit"], row["unit"])).replace("{currency}", row["currency"]),
            align="text",
        ),
        "finding": Column("Interpretation", align="text"),
    },
    notes=(
        "The interval is the one the shop would compute: it covers sampling variation, not bias.",
        (
            "True effect of a programme: the same customers with and without it, on the same random numbers. True "
            "ratio: the part that satisfaction causes, found by switching its effects off; 1 means none."
        ),
    ),
    empty="No comparison has enough customers in both groups.",
)


def _ratio(value: float) -> str:
    return figure(value, ".2f")


def _span(row: Row) -> str:
    return f"{_ratio(row['low'])} to {_ratio(row['high'])}"


_SELECTION = TableSpec(
    id="selection",
    contract=SELECTION,
    title=lambda table: (
        _NONE
        if table.is_empty()
        else some_of(
            table.filter(pl.lit(1.0).is_between("low", "high")).height,
            table.height,
            "methods show no clear difference between promoters and detractors",
        )
    ),
    subtitle="Spend of promoters relative to detractors; 1 means no difference",
    line="title",
    columns={
        "ratio": Column("Ratio", write=_ratio),
        "interval": Column(INTERVAL_95, _span),
        "customers": Column("Customers"),
        "label": Column("Evidence", align="text"),
        "finding": Column("Interpretation", align="text"),
    },
    notes=(
        (
            "The interval covers sampling variation, not bias. An association may reflect selection; measuring an "
            "effect requires randomised groups."
        ),
        (
            "The adjusted methods and the comparison with the own past capture only what changes with an answer: "
            "stable differences cancel, stable effects included. No method adjusts for unobserved loyalty."
        ),
    ),
)


def _panels(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one row for each reading and one for each truth, with the head of its panel and what is no effect."""
    panelled = with_texts(
        table, {"panel": lambda row: f"{row['title']}: {_HEADS[row['unit']].replace('{currency}', currency)}"}
    ).with_columns(none=pl.col("unit").replace_strict(_NO_EFFECT, default=None, return_dtype=pl.Float64))
    # Row by row, so that the panels come in the order of the methods.
    return with_texts(
        pl.concat(
            [
                panelled.select("panel", "none", "low", "high", kind=pl.lit(_REPORTED), value="reading"),
                panelled.select("panel", "none", kind=pl.lit(_TRUE), value="truth"),
            ],
            how="diagonal",
        ),
        {"written": lambda row: number(row["value"])},
    )


def _marks() -> list[alt.Chart]:
    kinds = [_REPORTED, _TRUE]
    drawn = detailed({"panel:N": "Method", "kind:N": "Which", "value:Q ,.3~r": "Value", **ends(INTERVAL_95, ",.3~r")})
    values = alt.X(
        "value:Q", title=None, scale={"nice": True, "padding": 18, "zero": False}, axis={"format": "~r", "tickCount": 6}
    )
    colour = coloured("kind:N", kinds, (STRATEGIES[1], INK), ABOVE)
    none = alt.Chart().transform_filter("isValid(datum.none) && isValid(datum.low)").mark_rule(strokeDash=[2, 3])
    return [
        # Below the written values, so as not to cross them.
        none.encode(x=alt.X("none:Q", title=None), y=alt.value(11), y2=alt.value(_ROW), color=alt.value(QUIET)),
        error_bar(drawn.transform_filter("isValid(datum.low)"), STRATEGIES[1]).encode(
            x=alt.X("low:Q", title=None), x2="high:Q"
        ),
        points(drawn, size=110).encode(
            x=values,
            color=colour,
            shape=alt.Shape("kind:N", scale={"domain": kinds, "range": ["circle", "diamond"]}, legend=colour["legend"]),
        ),
        drawn.mark_text(dy=-14, fontSize=12).encode(x=values, text="written:N", color=colour),
    ]


def _powers(table: pl.DataFrame) -> list[float]:
    """Return 1, 2 and 5 in every power of ten that the figure covers."""
    low, high = (
        math.floor(math.log10(max(end, 1e-9)))
        for end in table.select(pl.col("mean").min(), pl.col("high").max()).row(0)
    )
    return [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]


def _class(row: Row) -> str:
    orders = str(row["orders"])
    if orders == "all":
        return "Any number"
    return f"{orders.removesuffix('+')} or more" if orders.endswith("+") else orders


def _spend_finding(table: pl.DataFrame) -> str:
    promoters, detractors = (table.filter(group=group) for group in ("promoters", "detractors"))
    pair = promoters.join(detractors, on="orders", maintain_order="left").select(
        "orders",
        times=pl.col("mean") / pl.col("mean_right"),
        weight=pl.col("customers") + pl.col("customers_right"),
    )
    if pair.is_empty():
        return _NONE
    overall = pair.filter(orders="all")["times"][0]
    equal = pair.filter(~pl.col("orders").str.contains(r"all|\+$"))
    words = f"Promoters spend {figure(overall, '.1f')} times as much as detractors"
    if equal.is_empty():
        return words
    average = float((equal["times"] * equal["weight"]).sum()) / float(equal["weight"].sum())
    return f"{words}, and {figure(average, '.1f')} times as much at an equal number of orders"


def _selection_marks(rows: pl.DataFrame) -> list[alt.Chart]:
    kinds = {kind: shade for kind, shade in _COLOURS.items() if kind in rows["kind"]}
    drawn = detailed(
        {
            "title:N": "Method",
            "ratio:Q .2f": "Ratio",
            **ends(INTERVAL_95, ".2f"),
            "customers:Q ,d": "Customers",
            "label:N": "Evidence",
        },
        rows,
        [
            alt.Y("title:N", sort=rows["title"].to_list(), title=None, axis={"grid": False, "labelLimit": 360}),
            coloured("kind:N", [*kinds], [*kinds.values()], ABOVE),
        ],
    )
    axis = {"format": "~r", "grid": True, "values": _ticks(rows)}
    across = alt.X("ratio:Q", title="Spend ratio", scale={"nice": False, "padding": 24, "type": "log"}, axis=axis)
    return [
        alt.Chart(rows.head(1)).mark_rule(strokeDash=[2, 3], color=INK).encode(x=alt.datum(1.0)),
        *point_and_interval(drawn, alt.X("low:Q", axis=axis), across, size=100),
        drawn.mark_text(dy=-13, fontSize=12).encode(x=across, text="written:N", color=alt.value(QUIET)),
    ]


def _ticks(rows: pl.DataFrame) -> list[float]:
    """Return round ratios, as many as have room."""
    low = min([1.0, *rows["low"]])
    high = max(rows["high"], default=1.0)
    return [step for step in (_FINE if high / low < 2.0 else _COARSE) if low <= step <= max(high, 1.0)]


def _selection_finding(table: pl.DataFrame) -> str:
    if table.is_empty():
        return _NONE
    rows = {row["method"]: row for row in table.iter_rows(named=True)}
    first = rows.get("naive") or next(iter(rows.values()))
    words = f"Promoters spend {figure(first['ratio'], '.1f')} times as much as detractors"
    last = rows.get("own_past")
    if last is None:
        return words
    what = "there is no clear difference" if (last["low"] <= 1.0 <= last["high"]) else f"{_ratio(last['ratio'])} times"
    return f"{words}; relative to their own past {what} ({_span(last)})"
