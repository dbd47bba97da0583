"""What a model is fitted to and what it found: counts, parameters and frequencies in; tables and figures out."""

from __future__ import annotations

import dataclasses
import math
from datetime import date

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.params import Z95
from cxsim.reporting.tables import Column, Row, Table, TableSpec
from cxsim.reporting.theme import (
    INK,
    QUIET,
    STRATEGIES,
    WIDTH,
    Figure,
    day_in_words,
    distinct,
    framed,
    marked_day,
    rounded,
    tooltip,
)
from cxsim.tables import COUNT, DAY, ID, NUMBER, REAL, TEXT, Contract, check
from cxsim.wording import INTERVAL, MISSING, NBSP, figure, percent

FIT = Contract("FIT", TEXT("parameter"), REAL("estimate", "std_error"), nullable=("std_error",))
HYGIENE = Contract("HYGIENE", TEXT("reason", "action"), COUNT("rows"))
# As in RFM: whatever the shop counts its customers with.
VALUES = Contract(
    "VALUES", ID("customer_id"), REAL("prob_alive", "expected_orders", "expected_spend", "expected_value")
)
FREQUENCIES = Contract("FREQUENCIES", TEXT("frequency"), NUMBER("observed"), REAL("expected"))
TRACKING = Contract("TRACKING", DAY("day"), NUMBER("observed"), REAL("expected"))

_MEANINGS = {
    "r": "Order rates: how alike customers are (shape)",
    "alpha": "Order rates: scale, in days; the mean rate is r / alpha",
    "a": "Leaving after an order: first shape; the mean chance is a / (a + b)",
    "b": "Leaving after an order: second shape",
    "s": "Leaving on the calendar: how alike customers are (shape)",
    "beta": "Leaving on the calendar: scale, in days; the mean hazard is s / beta",
    "p": "Spend: how alike the orders of one customer are (shape)",
    "q": "Spend: how alike customers are (shape)",
    "v": "Spend: scale, in units of the currency",
}
_PALE = "#CBD2D9"
_POINTS = 60
_SERIES = ["observed", "expected"]
# A model that is off by less is not called too low or too high.
_CLOSE = 0.005


def fit_table(parameters: pl.DataFrame, title: str) -> Table:
    """Lay out fitted parameters with their meaning, standard error and interval.

    Parameters
    ----------
    parameters
        `parameter`, `estimate` (positive) and `std_error` (null where the data do not determine it).
    title
        Name of the model and of what it was fitted to.

    Returns
    -------
    Table
        One row per parameter.
    """
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return dataclasses.replace(_FIT, id="-".join(["fit", *words]), title=title).render(parameters)


def hygiene_table(report: pl.DataFrame) -> Table:
    """Lay out which rows of the orders were set aside or merged, and why.

    Parameters
    ----------
    report
        `reason`, `action` and the number of `rows`.

    Returns
    -------
    Table
        One row per reason.
    """
    return _HYGIENE.render(report)


def value_table(customers: pl.DataFrame, currency: str) -> Table:
    """Lay out customers with what the model expects of each.

    Parameters
    ----------
    customers
        `customer_id`, `prob_alive`, `expected_orders`, `expected_spend` per order and `expected_value`; in the order
        and the number in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per customer.
    """
    return _VALUES.render(customers, currency)


def frequency_histogram(frequencies: pl.DataFrame) -> Figure:
    """Draw how many customers came back how often in the fitted period.

    Parameters
    ----------
    frequencies
        One row per class, ascending: `frequency` as its label ("0", "1", ... "7+"), `observed` and `expected`
        customers.

    Returns
    -------
    alt.LayerChart
        Bars for what was observed, ticks for what the model expects.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(frequencies, FREQUENCIES))
    apart = (pl.col("observed") - pl.col("expected")).abs().sum() / 2
    misplaced = float(table.select(apart / pl.col("observed").sum()).item())
    drawn = alt.Chart(table).encode(x=frequency_axis(table), tooltip=frequency_tooltip("customers", ",.0f"))
    bars = drawn.mark_bar(color=_PALE, width={"band": 0.7}).encode(y=alt.Y("observed:Q", title="Customers"))
    # In pixels: the Vega-Lite in JupyterLab does not know ticks that are a share of their band.
    size = round(0.86 * WIDTH / table.height)
    ticks = drawn.mark_tick(color=STRATEGIES[0], thickness=3, opacity=1, size=size).encode(y="expected:Q")
    label = (
        drawn.transform_calculate(top="max(datum.observed, datum.expected)")
        .mark_text(dy=-10, color=QUIET)
        .encode(y="top:Q", text=alt.Text("observed:Q", format=",.0f"))
    )
    return framed(
        alt.layer(bars, ticks, label),
        finding=f"Model and observation agree on how often {percent(1.0 - misplaced)} of customers come back",
        shown="Customers by repeat orders in the fitted period. Bar: observed; blue tick: expected by the model.",
        alt_text=by_frequency(table, "customers"),
    )


def tracking(orders: pl.DataFrame, calibration_end: date) -> Figure:
    """Draw cumulative repeat orders, as observed and as the model expects them.

    Parameters
    ----------
    orders
        One row per day, ascending: `day`, and the repeat orders since the first day, `observed` and `expected`.
    calibration_end
        Last day that the model was fitted to; later days test it.

    Returns
    -------
    alt.LayerChart
        Two lines and a rule at the end of the fit.

    Raises
    ------
    TableError
        If a column is missing, or no day lies before or after the end of the fit.
    """
    fitted = check(orders, TRACKING).filter(pl.col("day") <= calibration_end)
    tested = orders.filter(pl.col("day") > calibration_end)
    if fitted.is_empty() or tested.is_empty():
        raise TableError(
            f"TRACKING: the end of the fit, {calibration_end}, must lie inside the days of the table; "
            f"found {orders['day'][0]} to {orders['day'][-1]}."
        )
    came, expected = (float(tested[name][-1] - fitted[name][-1]) for name in _SERIES)
    lines = _lines(rounded(pl.concat([_thinned(fitted), _thinned(tested)])))
    return framed(
        alt.layer(*marked_day(calibration_end, "end of the fit", align="left"), lines),
        finding=(
            f"After the fit, customers placed {figure(came)} repeat orders; "
            f"the model expected {figure(expected)}{_gap(came, expected)}"
        ),
        shown=(
            f"Repeat orders since {day_in_words(orders['day'][0])}, cumulative. The model was fitted to orders up to "
            f"{day_in_words(calibration_end)} only. There is one observed history, hence no interval."
        ),
    )


def frequency_axis(table: pl.DataFrame) -> alt.X:
    """Return the axis of classes of customers by their repeat orders, in the order of the table."""
    order = distinct(table, "frequency")
    return alt.X("frequency:O", sort=order, title="Repeat orders in the fitted period", axis=alt.Axis(labelAngle=0))


def frequency_tooltip(unit: str, pattern: str) -> list[alt.Tooltip]:
    """Return what appears beside a class of customers."""
    return tooltip(
        [
            ("frequency:O", "Repeat orders"),
            ("observed:Q", f"Observed {unit}", pattern),
            ("expected:Q", f"Expected {unit}", pattern),
        ]
    )


def by_frequency(table: pl.DataFrame, unit: str) -> str:
    """Return what was observed and expected of each class, for those who cannot see the figure."""
    classes = "; ".join(
        f"{label}: {figure(came, ',.3g')} observed, {figure(expected, ',.3g')} expected"
        for label, came, expected in table.select("frequency", *_SERIES).iter_rows()
    )
    return f"By number of repeat orders, {unit}: {classes}."


def cumulative_orders() -> dict[str, alt.X | alt.Y | list[alt.Tooltip]]:
    """Return the axes and the tooltip of repeat orders over time."""
    return {
        "x": alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", labelFlush=False, tickCount=8)),
        "y": alt.Y("orders:Q", title="Repeat orders since the start", axis=alt.Axis(format=",d")),
        "tooltip": tooltip(
            [("series:N", "Series"), ("day:T", "Day", "%-d %B %Y"), ("orders:Q", "Repeat orders", ",.0f")]
        ),
    }


def _range(row: Row) -> str | None:
    if row["std_error"] is None:
        return None
    spread = math.exp(Z95 * row["std_error"] / row["estimate"])
    return f"{figure(row['estimate'] / spread, '.4g')} to {figure(row['estimate'] * spread, '.4g')}"


_FIT = TableSpec(
    id="fit",
    contract=FIT,
    title="Fitted parameters",
    subtitle="Fitted by maximum likelihood; time in days",
    line="parameter",
    columns={
        "meaning": Column("Meaning", lambda row: _MEANINGS.get(row["parameter"], MISSING), align="text"),
        "estimate": Column("Estimate", write=lambda value: figure(value, ".4g")),
        "std_error": Column("Standard error", write=lambda value: figure(value, ".2g")),
        "range": Column(INTERVAL, _range),
    },
    notes=("The interval is normal on the logarithm, as no parameter can be below zero.",),
)
_HYGIENE = TableSpec(
    id="hygiene",
    contract=HYGIENE,
    title="What was done to the orders",
    subtitle="Rows of the orders that were handed in; nothing is repaired",
    line="reason",
    columns={"action": Column("Action", align="text"), "rows": Column("Rows")},
)
_VALUES = TableSpec(
    id="customers",
    contract=VALUES,
    title="Customers by expected value",
    subtitle="Means of what the model expects of a customer with such a past; value is revenue in today's money",
    line="customer_id",
    columns={
        "prob_alive": Column("Chance of still being a customer", write=percent),
        "expected_orders": Column("Expected orders"),
        "expected_spend": Column("Expected spend per order, {currency}"),
        "expected_value": Column("Expected value, {currency}"),
    },
)


def _thinned(orders: pl.DataFrame) -> pl.DataFrame:
    """Keep so many days that the line looks the same, and always the last one."""
    place = pl.int_range(pl.len())
    return orders.filter((place % max(1, orders.height // _POINTS) == 0) | (place == pl.len() - 1))


def _gap(came: float, expected: float) -> str:
    if came <= 0.0 or abs(expected / came - 1.0) < _CLOSE:
        return ""
    gap = expected / came - 1.0
    return f" ({figure(100 * abs(gap))}{NBSP}% too {'many' if gap > 0.0 else 'few'})"


def _lines(orders: pl.DataFrame) -> alt.Chart:
    labels = "datum.label == 'expected' ? 'expected by the model' : datum.label"
    legend = alt.Legend(title=None, labelExpr=labels, orient="top-left", symbolSize=400, labelLimit=240, rowPadding=4)
    dashes = alt.Scale(domain=_SERIES, range=[[1, 0], [7, 4]])
    drawn: alt.Chart = (
        alt.Chart(orders)
        .transform_fold(list(_SERIES), as_=["series", "orders"])
        .mark_line(strokeWidth=2.5)
        .encode(
            **cumulative_orders(),
            color=alt.Color("series:N", scale=alt.Scale(domain=_SERIES, range=[INK, STRATEGIES[0]]), legend=legend),
            strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=legend),
        )
    )
    return drawn
