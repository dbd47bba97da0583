"""What a model is fitted to and what it found: counts, parameters and frequencies in; tables and figures out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import altair as alt
import numpy as np
import polars as pl

from cxsim.clv.fit import LOG_LIKELIHOOD
from cxsim.errors import TableError
from cxsim.params import Z95
from cxsim.reporting.tables import Column, Row, Table, TableSpec, share_to
from cxsim.reporting.theme import (
    INK,
    QUIET,
    STRATEGIES,
    TOP_LEFT,
    WIDTH,
    Figure,
    classes_across,
    coloured,
    detailed,
    distinct,
    framed,
    hover,
    listed,
    marked_day,
    rounded,
)
from cxsim.tables import COUNT, DAY, ID, NUMBER, REAL, TEXT, Contract, check
from cxsim.wording import INTERVAL, MISSING, NBSP, day_in_words, figure, percent

FIT = Contract("FIT", TEXT("parameter"), REAL("estimate", "std_error"), nullable=("std_error",))
ENGINES = Contract(
    "ENGINES",
    TEXT("model", "parameter"),
    REAL("native", "lifetimes", "difference"),
    nullable=("native", "lifetimes", "difference"),
)
HYGIENE = Contract("HYGIENE", TEXT("reason", "action"), COUNT("rows"))
# As in RFM: whatever the shop counts its customers with.
VALUES = Contract(
    "VALUES", ID("customer_id"), REAL("prob_alive", "expected_orders", "expected_spend", "expected_value")
)
SERIES = NUMBER("observed") | REAL("expected")
FREQUENCIES = Contract("FREQUENCIES", TEXT("frequency"), SERIES)
TRACKING = Contract("TRACKING", DAY("day"), SERIES)

_MEANINGS = {
    "r": "Purchase rate: shape; higher where customers are more alike",
    "alpha": "Purchase rate: scale, in days; mean rate = r / alpha",
    "a": "Dropout after an order: first shape; mean probability = a / (a + b)",
    "b": "Dropout after an order: second shape",
    "s": "Dropout over time: shape; higher where customers are more alike",
    "beta": "Dropout over time: scale, in days; mean hazard = s / beta",
    "p": "Spend: shape across the orders of one customer; higher where orders are more alike",
    "q": "Spend: shape across customers; higher where customers are more alike",
    "v": "Spend: scale, in units of the currency",
    "price": "Spend: the price of every order, in units of the currency",
}
_PALE = "#CBD2D9"
_POINTS = 60
# Estimates that differ by less are the same for every purpose.
_SAME = 0.001
# A model that is off by less is not called too low or too high.
CLOSE = 0.005


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
    return replace(_FIT, id=re.sub(r"[\W_]+", "-", f"fit {title.lower()}").strip("-"), title=title).render(parameters)


def engines_table(engines: pl.DataFrame) -> Table:
    """Lay out what both engines found for the same models and customers.

    Parameters
    ----------
    engines
        `model`, `parameter` or log-likelihood, `native`, `lifetimes`, and `difference` as a share of native; null where
        an engine found nothing.

    Returns
    -------
    Table
        One row per parameter and log-likelihood.
    """
    return _ENGINES.render(engines)


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
    observed = pl.col("observed")
    misplaced = table.select((observed - pl.col("expected")).abs().sum() / 2 / observed.sum()).item()
    drawn = by_frequency(table, "customers", ",.0f")
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
        finding=f"Modelled and observed repeat-order counts match for {percent(1.0 - misplaced)} of customers",
        shown="Customers by number of repeat orders in the calibration period. Bar: observed. Blue tick: model.",
        alt_text=frequencies_in_words(table, "customers"),
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
    tested = days_after(orders, calibration_end, TRACKING)
    start = orders.row(-tested.height - 1, named=True)
    came, expected = (float(tested[name][-1] - start[name]) for name in SERIES)
    kept = thinned(orders, [pl.col("day") <= calibration_end], lambda size: (size // _POINTS).clip(1))
    lines = cumulative_orders(
        alt.Chart(rounded(kept)).transform_fold(list(SERIES), as_=["series", "orders"]),
        coloured(
            "series:N",
            list(SERIES),
            (INK, STRATEGIES[0]),
            {"labelExpr": "datum.label == 'expected' ? 'forecast by the model' : datum.label", **TOP_LEFT},
        ),
    )
    gap = expected / came - 1.0 if came > 0.0 else 0.0
    return framed(
        alt.layer(*marked_day(calibration_end, "end of calibration", align="left"), lines),
        finding=(
            f"In the holdout period customers placed {figure(came)} repeat orders; "
            f"the model forecast {figure(expected)}{f' ({missed_by(gap)})' if abs(gap) >= CLOSE else ''}"
        ),
        shown=(
            f"Cumulative repeat orders since {day_in_words(orders['day'][0])}. The model is fitted only to orders "
            f"up to {day_in_words(calibration_end)}. Observed orders are a single history and have no interval."
        ),
    )


def by_frequency(table: pl.DataFrame, unit: str, pattern: str) -> alt.Chart:
    """Return classes of customers by their repeat orders, in the order of the table, with what appears beside them."""
    return detailed(
        {
            "frequency:O": "Repeat orders",
            f"observed:Q {pattern}": f"Observed {unit}",
            f"expected:Q {pattern}": f"Expected {unit}",
        },
        table,
        [frequency_axis(table)],
    )


def frequency_axis(table: pl.DataFrame) -> alt.X:
    """Return the axis of classes of customers by their repeat orders, in the order of the table."""
    return classes_across("frequency:O", distinct(table, "frequency"), "Repeat orders in the calibration period")


def frequencies_in_words(table: pl.DataFrame, unit: str) -> str:
    """Return what was observed and expected of each class, for those who cannot see the figure."""
    classes = listed(
        table.select("frequency", *SERIES),
        lambda label, came, expected: f"{label}: {figure(came, ',.3g')} observed, {figure(expected, ',.3g')} expected",
    )
    return f"By number of repeat orders, {unit}: {classes}"


def days_after(orders: pl.DataFrame, end: date, contract: Contract) -> pl.DataFrame:
    """Return the days after the end of a fit, which must lie inside the days of the table."""
    later = check(orders, contract).filter(pl.col("day") > end)
    if later.height in {0, orders.height}:
        raise TableError(
            f"{contract.name}: the end of the fit, {end}, must lie inside the days of the table; "
            f"found {orders['day'][0]} to {orders['day'][-1]}."
        )
    return later


def thinned(orders: pl.DataFrame, parts: Sequence[str | pl.Expr], every: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """Keep so many days of each part, by its size, that the lines look the same, and always the last one."""
    place, size = pl.int_range(pl.len()).over(parts), pl.len().over(parts)
    return orders.filter((place % every(size) == 0) | (place == size - 1))


def cumulative_orders(drawn: alt.Chart, colour: alt.Color) -> alt.Chart:
    """Return lines of repeat orders over time: the first of the series, observed, in full; what was expected dashed."""
    names = colour["scale"]["domain"]
    lines: alt.Chart = drawn.mark_line(strokeWidth=2.5).encode(
        x=alt.X("day:T", title=None, axis={"format": "%b %Y", "labelFlush": False, "tickCount": 8}),
        y=alt.Y("orders:Q", title="Repeat orders since the start", axis={"format": ",d"}),
        color=colour,
        strokeDash=alt.StrokeDash(
            "series:N",
            scale={"domain": names, "range": [[1, 0], *[[7, 4]] * (len(names) - 1)]},
            legend=colour["legend"],
        ),
        tooltip=hover({"series:N": "Series", "day:T %-d %B %Y": "Day", "orders:Q ,.0f": "Repeat orders"}),
    )
    return lines


def missed_by(gap: float, *, more: str = "too many", fewer: str = "too few") -> str:
    """Return by how much, in per cent, more or fewer were expected than came."""
    return f"{share_to(0)(abs(gap))} {more if gap > 0.0 else fewer}"


def _range(row: Row) -> str | None:
    if row["std_error"] is None:
        return None
    spread = math.exp(Z95 * row["std_error"] / row["estimate"])
    return f"{figure(row['estimate'] / spread, '.4g')} to {figure(row['estimate'] * spread, '.4g')}"


_FIT = TableSpec(
    id="fit",
    contract=FIT,
    title="Fitted parameters",
    subtitle="Maximum likelihood estimates; time in days",
    line="parameter",
    columns={
        "meaning": Column("Meaning", lambda row: _MEANINGS.get(row["parameter"], MISSING), align="text"),
        "estimate": Column("Estimate", write=lambda value: figure(value, ".4g")),
        "std_error": Column("Standard error", write=lambda value: figure(value, ".2g")),
        "range": Column(INTERVAL, _range),
    },
    notes=("Intervals are normal on the log scale, because all parameters are positive.",),
)


def _agreement(engines: pl.DataFrame) -> str:
    """Return how far the engines agree; one that found nothing has no difference."""
    gaps = engines["difference"].drop_nulls()
    if len(gaps) < engines.height:
        return "lifetimes did not fit every model"
    most = float(np.max(gaps.to_numpy(), initial=0.0))
    if most < _SAME:
        return "Both engines find the same estimates"
    return f"Estimates of the engines differ by up to {share_to(1)(most)}"


def _found(row: Row, engine: str) -> str | None:
    value = row[engine]
    return None if value is None else figure(value, ",.3f" if row["parameter"] == LOG_LIKELIHOOD else ",.6g")


_ENGINES = TableSpec(
    id="engines",
    contract=ENGINES,
    title=_agreement,
    subtitle="The same models fitted by cxsim (native) and by the Python library lifetimes; time in days",
    line="parameter",
    group="model",
    columns={
        "native": Column("native", lambda row: _found(row, "native")),
        "lifetimes": Column("lifetimes", lambda row: _found(row, "lifetimes")),
        "difference": Column("Difference", write=lambda gap: f"{figure(100 * gap, '.3f')}{NBSP}%"),
    },
    notes=("Difference as a share of native. Values use the native fits.",),
)
_HYGIENE = TableSpec(
    id="hygiene",
    contract=HYGIENE,
    title="Data cleaning",
    subtitle="Rows excluded or merged, by reason; no values are repaired",
    line="reason",
    columns={"action": Column("Action", align="text"), "rows": Column("Rows")},
)
_VALUES = TableSpec(
    id="customers",
    contract=VALUES,
    title="Customers by expected value",
    subtitle="Model means given each customer's order history; value is discounted revenue",
    line="customer_id",
    columns={
        "prob_alive": Column("Probability still active", write=percent),
        "expected_orders": Column("Expected orders"),
        "expected_spend": Column("Expected spend per order, {currency}"),
        "expected_value": Column("Expected value, {currency}"),
    },
)
