"""What naive methods report: their readings, and the worth of customers by their answers, in; two figures out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import polars as pl

from cxsim.data.contracts import NAIVE
from cxsim.metrics.contracts import SELECTION, WORTH_BY_NPS
from cxsim.params import Unit
from cxsim.reporting.tables import Prose, Table, laid_out, remark
from cxsim.reporting.theme import BASELINE, INK, QUIET, STRATEGIES, WIDTH, Figure, framed, money_axis, rounded
from cxsim.tables import check
from cxsim.wording import MINUS, NBSP, counted, localise, number, precision

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
    return framed(drawn, finding=finding, shown=shown, alt_text=" ".join(table["finding"]))


def ltv_by_nps(panel: pl.DataFrame, currency: str) -> Figure:
    """Draw what promoters, passives and detractors spend, overall and at equal numbers of orders.

    Parameters
    ----------
    panel
        Table under `WORTH_BY_NPS` of `cxsim.metrics.contracts`.
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
    alt_text = "; ".join(
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
    return framed(alt.layer(line, point), finding=_worth_finding(table), shown=shown, alt_text=f"{alt_text}.")


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
        alt_text=pl.Series([number(value) for value in [*table["reading"], *table["truth"]]])
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
        drawn.mark_text(dy=-14, fontSize=12).encode(x=values, text="alt_text:N", color=colour),
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
    alt_text = f"Promoters spend {localise(f'{overall[0]:.1f}')} times as much as detractors"
    if equal.is_empty():
        return alt_text
    average = float((equal["times"] * equal["weight"]).sum()) / float(equal["weight"].sum())
    return f"{alt_text}, and {localise(f'{average:.1f}')} times as much at an equal number of orders"


def _worth_tooltip(currency: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("orders:N", title="Orders"),
        alt.Tooltip("group:N", title="Group"),
        alt.Tooltip("customers:Q", title="Customers", format=",d"),
        alt.Tooltip("mean:Q", title=f"Mean spend, {currency}", format=",.3~r"),
        alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=",.3~r"),
        alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=",.3~r"),
    ]


def naive_table(readings: pl.DataFrame, currency: str, programme: str = "") -> Table | Prose:
    """Lay out what each method reports, how sure it looks, and what is true.

    Parameters
    ----------
    readings
        Table under `NAIVE` of `cxsim.data.contracts`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".
    programme
        Title of the strategy that they are about, if a reader must be told.

    Returns
    -------
    Table or Prose
        One row per method, with its finding. The title says how many intervals hold the truth. One sentence where no
        method has enough customers.

    Raises
    ------
    TableError
        For a table that is not under `NAIVE`.
    """
    table = check(readings, NAIVE)
    if table.is_empty():
        return remark("No common comparison has enough customers on both sides to be read.")
    title = _finding(table)
    of = f" ({programme})" if programme else ""
    cells = pl.DataFrame(
        [_cells(row, currency) for row in table.iter_rows(named=True)],
        schema=dict.fromkeys(("line", "reading", "interval", "truth", "unit", "finding"), pl.String),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"What a shop would read from its own tables, beside what is true in the same simulated world{of}",
        heads={
            "reading": "Reading",
            "interval": f"Its 95{NBSP}% interval",
            "truth": "Truth",
            "unit": "Unit",
            "finding": "In words",
        },
        text=("unit", "finding"),
        notes=(
            "The interval is what the shop would compute: it holds the luck of who its customers are, and no bias.",
            (
                "Truth of a programme: the same customers with and without it, with the same luck. Truth of a ratio: "
                "what is left of it when satisfaction is kept from moving anything; 1 is nothing."
            ),
        ),
    )
    return Table(id="naive-readings", title=title, layout=layout, twin=table)


def _finding(table: pl.DataFrame) -> str:
    missed = table.filter(~pl.col("truth").is_between("low", "high")).height
    if missed == 0:
        return "Every naive reading holds the truth inside its interval"
    return f"{counted(missed)} of {counted(table.height)} naive readings miss the truth".capitalize()


def _cells(row: Mapping[str, float | str], currency: str) -> dict[str, str]:
    reading, low, high, truth = (float(row[name]) for name in ("reading", "low", "high", "truth"))
    unit = str(row["unit"])
    write = _WRITERS.get(unit, number)
    ends = _WRITERS.get(unit, precision([low, high]).text)
    return {
        "line": str(row["title"]),
        "reading": write(reading),
        "interval": f"{ends(low)} to {ends(high)}",
        "truth": write(truth),
        "unit": _NAIVE_UNITS.get(unit, unit).format(currency),
        "finding": str(row["finding"]),
    }


def _ratio(value: float) -> str:
    return localise(f"{value:.2f}")


def _score(value: float) -> str:
    return localise(f"{value:.1f}".replace("-", MINUS))


_WRITERS: Mapping[str, Callable[[float], str]] = {Unit.RATIO: _ratio, Unit.SCORE: _score}
_NAIVE_UNITS: Mapping[str, str] = {
    Unit.MONEY: "{} per customer",
    Unit.MONEY_PER_MONTH: "{} per customer and month",
    Unit.RATIO: "times",
    Unit.SCORE: f"points, {MINUS}100 to 100",
}


_SELECTION_ROW = 46
_SELECTION_INTERVAL = f"95{NBSP}% interval"
_RAW, _CONTROL, _ADJUSTED = "Not adjusted", "Before the answer", "Adjusted"
_KINDS = {"naive": _RAW, "equal_count": _RAW, "after": _RAW, "before": _CONTROL}
_COLOURS = {_RAW: STRATEGIES[1], _CONTROL: BASELINE, _ADJUSTED: STRATEGIES[0]}
_STEPS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)


def selection(panel: pl.DataFrame) -> Figure:
    """Draw what promoters spend over what detractors spend, by each method."""
    table = check(panel, SELECTION)
    shown = (
        f"Spend of promoters over that of detractors, on a scale on which equal distances are equal ratios. Line: "
        f"{_SELECTION_INTERVAL}, over which customers there happen to be. Dotted: no difference."
    )
    ratios = [localise(f"{ratio:.2f}") for ratio in table["ratio"]]
    alt_text = "; ".join(f"{title}: {ratio}" for title, ratio in zip(table["title"], ratios, strict=True))
    kinds = [_KINDS.get(method, _ADJUSTED) for method in table["method"]]
    labels = pl.Series(ratios, dtype=pl.String)
    rows = rounded(table).with_columns(kind=pl.Series(kinds, dtype=pl.String), alt_text=labels)
    return framed(
        alt.layer(*_selection_marks(rows)),
        finding=_selection_finding(table),
        shown=shown,
        alt_text=f"{alt_text}.",
        width=WIDTH - 240,
        height=_SELECTION_ROW * max(table.height, 1),
    )


def _selection_marks(rows: pl.DataFrame) -> list[alt.Chart]:
    present = [kind for kind in _COLOURS if kind in rows["kind"]]
    scale = alt.Scale(domain=present, range=[_COLOURS[kind] for kind in present])
    drawn = alt.Chart(rows).encode(
        y=alt.Y("title:N", sort=rows["title"].to_list(), title=None, axis=alt.Axis(labelLimit=360, grid=False)),
        color=alt.Color("kind:N", scale=scale, legend=alt.Legend(title=None, orient="top", symbolSize=120)),
        tooltip=[
            alt.Tooltip("title:N", title="Method"),
            alt.Tooltip("ratio:Q", title="Ratio", format=".2f"),
            alt.Tooltip("low:Q", title=f"{_SELECTION_INTERVAL}, low", format=".2f"),
            alt.Tooltip("high:Q", title=f"{_SELECTION_INTERVAL}, high", format=".2f"),
            alt.Tooltip("customers:Q", title="Customers", format=",d"),
            alt.Tooltip("label:N", title="What it is"),
        ],
    )
    values = _selection_ticks(rows)
    axis = alt.Axis(values=values, format="~r", grid=True)
    across = alt.X("ratio:Q", title="Times as much", scale=alt.Scale(type="log", nice=False, padding=24), axis=axis)
    one = alt.Chart(rows.head(1)).mark_rule(strokeDash=[2, 3], color=INK).encode(x=alt.datum(1.0))
    line = drawn.mark_rule(strokeWidth=3, opacity=0.5).encode(x=alt.X("low:Q", axis=axis), x2="high:Q")
    return [
        one,
        line,
        drawn.mark_point(filled=True, size=100, opacity=1).encode(x=across),
        drawn.mark_text(dy=-13, fontSize=12).encode(x=across, text="alt_text:N", color=alt.value(QUIET)),
    ]


def _selection_ticks(rows: pl.DataFrame) -> list[float]:
    """Return round ratios, as many as have room: wider apart where the figure spans more."""
    if rows.is_empty():
        return [1.0]
    low, high = (float(ends.to_numpy().min()) for ends in (rows["low"], -rows["high"]))
    steps = _STEPS if -high / min(low, 1.0) < 2.0 else (0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
    return [step for step in steps if min(low, 1.0) <= step <= max(-high, 1.0)]


def _selection_finding(table: pl.DataFrame) -> str:
    rows = {row["method"]: row for row in table.iter_rows(named=True)}
    if not rows:
        return "Too few promoters or detractors to compare"
    first = rows.get("naive") or next(iter(rows.values()))
    naive = localise(f"{first['ratio']:.1f}")
    alt_text = f"Promoters spend {naive} times as much as detractors"
    last = rows.get("own_past")
    if last is None:
        return alt_text
    span = localise(f"{last['low']:.2f} to {last['high']:.2f}")
    if last["low"] <= 1.0 <= last["high"]:
        return f"{alt_text}; against their own past no difference is seen ({span})"
    adjusted = localise(f"{last['ratio']:.2f}")
    return f"{alt_text}; against their own past {adjusted} times ({span})"


def selection_table(panel: pl.DataFrame) -> Table:
    """Lay out what promoters are worth next to detractors, from the most naive method to the most careful."""
    table = check(panel, SELECTION)
    cells = pl.DataFrame(
        [_selection_cells(row) for row in table.iter_rows(named=True)],
        schema=dict.fromkeys(("line", "ratio", "interval", "customers", "label", "finding"), pl.String),
    )
    title = _selection_finding_(table)
    layout = laid_out(
        cells,
        title=title,
        subtitle="Spend of promoters over that of detractors; 1 is no difference",
        heads={
            "ratio": "Ratio",
            "interval": f"95{NBSP}% interval",
            "customers": "Customers",
            "label": "What it is",
            "finding": "In words",
        },
        text=("label", "finding"),
        notes=(
            (
                "The interval holds the luck of who the customers are, and no bias. An association may be selection: "
                "an effect needs groups that chance has made."
            ),
            (
                "Adjusted rows and the own past see what goes with the news in an answer: what had been there all the "
                "time before cancels, an effect of it too. Nothing adjusts for a hidden bent to stay."
            ),
        ),
    )
    return Table(id="selection", title=title, layout=layout, twin=table)


def _selection_cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "line": row["title"],
        "ratio": localise(f"{row['ratio']:.2f}"),
        "interval": localise(f"{row['low']:.2f} to {row['high']:.2f}"),
        "customers": localise(f"{row['customers']:,}"),
        "label": row["label"],
        "finding": row["finding"],
    }


def _selection_finding_(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "Too few promoters or detractors to compare"
    held = table.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    alt_text = f"{counted(held)} of {counted(table.height)} methods see no difference between promoters and detractors"
    return alt_text.capitalize()
