"""What customers are worth: totals, tenths and single customers with their intervals in; tables and figures out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import altair as alt
import polars as pl

from cxsim.clv.customer_value import outside
from cxsim.errors import TableError
from cxsim.params import Z95
from cxsim.reporting.shop.clv_validation import ENDS, SHARE_LABELS
from cxsim.reporting.tables import Column, Table, TableSpec, interval
from cxsim.reporting.theme import (
    BASELINE,
    INK,
    QUIET,
    STRATEGIES,
    TOP_LEFT,
    Figure,
    classes_across,
    coloured,
    detailed,
    distinct,
    ends,
    framed,
    largest,
    listed,
    model_colours,
    money_axis,
    point_and_interval,
    points,
    rounded,
)
from cxsim.study.business.naive import CLV_STEPS
from cxsim.tables import COUNT, ID, REAL, RFM, TEXT, Contract, check
from cxsim.wording import INTERVAL, NBSP, figure, money, number, percent

_VALUE = REAL("value", "value_low", "value_high")
DECILES = Contract(
    "DECILES", COUNT("decile", "customers"), REAL("expected"), ENDS, REAL("realised"), nullable=("realised",)
)
WORTH = Contract("WORTH", TEXT("quantity", "unit"), REAL("mean"), ENDS)
CUSTOMERS = Contract(
    "CUSTOMER_VALUES",
    ID("customer_id"),
    COUNT("orders_low", "orders_high"),
    _VALUE,
    REAL("prob_alive", "expected_orders", "prob_none", "days_to_next"),
    nullable=("days_to_next",),
)
AT_RISK = Contract(
    "AT_RISK",
    ID("customer_id"),
    COUNT("orders", "silent_days"),
    REAL("usual_days", "prob_alive", "prob_alive_then"),
    _VALUE,
)
CAPTURE = Contract("CAPTURE", TEXT("model"), REAL("customers", "value"))

_PALE = "#9DC6E0"
_SIDE = 380
_TOP = 0.2 + 1e-9
_LAST_CLASS = 7
# Usual bounds of a correlation in words (Cohen 1988, Statistical Power Analysis, p. 79).
_STRENGTHS = ((0.1, "hardly related"), (0.3, "weakly related"), (0.5, "moderately related"), (1.1, "strongly related"))
_STEPS = {
    "product of averages": "Product of averages",
    "mean of products": "Average of customer-level products",
    "after costs": "Average of customer-level products, after costs",
    "model": "Model forecast",
}


def worth_table(totals: pl.DataFrame, title: str, caveat: str) -> Table:
    """Lay out totals over all customers with their intervals.

    Parameters
    ----------
    totals
        One row per total: `quantity` in words, `unit` in words (an amount of money by the code of its currency),
        `mean`, and the 90 % interval `low` to `high`.
    title
        What was found, in words.
    caveat
        What the intervals do not cover, as a sentence.

    Returns
    -------
    Table
        One row per total.
    """
    notes = (*_WORTH.notes, caveat)  # type: ignore[misc]
    return replace(_WORTH, title=title, notes=notes).render(totals)


def decile_table(deciles: pl.DataFrame, currency: str) -> Table:
    """Lay out the value of each tenth of the customers.

    Parameters
    ----------
    deciles
        One row per tenth, the most valuable first: `decile` (1 to 10), `customers`, the value `expected` of all of
        them together with the 90 % interval `low` to `high`, and the value `realised` (null where it is not known).
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per tenth, with its share of the whole.
    """
    spec = _DECILES
    if check(deciles, DECILES)["realised"].count():
        spec = replace(spec, columns={**spec.columns, "realised": Column("Realised, {currency}")})
    return spec.render(deciles, currency)


def customer_table(customers: pl.DataFrame, currency: str, horizon_days: float) -> Table:
    """Lay out customers with what is expected of each and how sure that is.

    Parameters
    ----------
    customers
        In the order and the number in which they are shown: `customer_id`, `prob_alive`, `expected_orders` with
        `orders_low` and `orders_high`, `value` with `value_low` and `value_high`, the chance `prob_none` that no order
        ever comes, and `days_to_next`, within which half of the next orders come if one comes (null: in more than a
        century).
    currency
        Code of the currency, as "USD".
    horizon_days
        Days over which orders and value are counted.

    Returns
    -------
    Table
        One row per customer.
    """
    return replace(
        _CUSTOMERS,
        subtitle=f"Over the next {figure(horizon_days)} days; intervals include chance in each customer's behaviour",
    ).render(customers, currency)


def at_risk_table(customers: pl.DataFrame, currency: str, overdue: int) -> Table:
    """Lay out customers who have been silent for longer than is usual for them, those with most at stake first.

    Parameters
    ----------
    customers
        In the order and the number in which they are shown: `customer_id`, `orders` so far, `silent_days` since the
        last, `usual_days` within which nine in ten of such customers who come back have ordered again, `prob_alive`
        now and `prob_alive_then` right after the last order, `value` expected with `value_low` and `value_high`.
    currency
        Code of the currency, as "USD".
    overdue
        How many customers are overdue in all.

    Returns
    -------
    Table
        One row per customer; the title says how many there are.
    """
    who = "customer is" if overdue == 1 else "customers are"
    title = f"{figure(overdue)} {who} overdue for the next order"
    if overdue == 0:
        title = "No customer is overdue for the next order"
    shown = f"The {customers.height} with the most value at stake" if customers.height < overdue else "All of them"
    return replace(_AT_RISK, title=title, subtitle=shown).render(customers, currency)


def clv_table(steps: pl.DataFrame, currency: str) -> Table:
    """Lay out what the formula of averages says of a customer, what the model says, and why they differ."""
    return _CLV.render(steps, currency)


def value_by_decile(deciles: pl.DataFrame, currency: str) -> Figure:
    """Draw what each tenth of the customers is expected to bring, and what it did bring where that is known.

    Parameters
    ----------
    deciles
        One row per tenth, the most valuable first: `decile` (1 to 10), `customers`, the value `expected` of all of
        them together with the 90 % interval `low` to `high`, and the value `realised` (null where it is not known).
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One bar per tenth with its interval, and a point for what was realised.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(deciles, DECILES))
    known = table["realised"].null_count() == 0
    axis = money_axis(f"Value per decile, {currency}", largest=largest(table, ["high", "realised"]))
    tenth = alt.X("decile:O", title="Customer decile, most valuable first", axis={"labelAngle": 0})
    drawn = detailed(
        {
            "decile:O": "Decile",
            "customers:Q ,d": "Customers",
            "expected:Q ,.3~r": f"Expected, {currency}",
            "low:Q ,.3~r": f"{INTERVAL}, low, {currency}",
            "high:Q ,.3~r": f"{INTERVAL}, high, {currency}",
            "realised:Q ,.3~r": f"Realised, {currency}",
        },
        table,
        [tenth],
    )
    layers = [
        drawn.mark_bar(color=_PALE, width={"band": 0.7}).encode(y=alt.Y("expected:Q", axis=axis)),
        drawn.mark_rule(color=STRATEGIES[0], strokeWidth=3).encode(y="low:Q", y2="high:Q"),
    ]
    if known:
        layers.append(points(drawn.transform_filter("isValid(datum.realised)"), INK).encode(y="realised:Q"))
    tenths = listed(
        table.select("decile", "expected", *ENDS),
        lambda tenth, mean, low, high: f"{tenth}: {number(mean)} ({number(low)} to {number(high)})",
    )
    return framed(
        alt.layer(*layers),
        finding=_decile_finding(table),
        shown=(
            f"Total value per decile, {currency}; deciles by expected value, most valuable first. Bar: expected. Line: "
            f"{INTERVAL}, parameter uncertainty and chance.{' Point: realised.' if known else ''}"
        ),
        alt_text=f"By decile, in {currency}{NBSP}: {tenths}",
    )


def value_captured(capture: pl.DataFrame) -> Figure:
    """Draw which share of the later value came from which share of the customers, taken in the order of a model.

    Parameters
    ----------
    capture
        One row per model and point of its curve, ascending: `model` as readers know it, the share of the `customers`
        that it puts first and their share of the realised `value`; from 0, 0 to 1, 1.

    Returns
    -------
    alt.LayerChart
        One curve per model and the diagonal of an order by chance.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(capture, CAPTURE))
    models = distinct(table, "model")
    top = table.filter(pl.col("customers") <= _TOP).group_by("model", maintain_order=True).agg(pl.col("value").max())
    axis = {"labelExpr": SHARE_LABELS, "values": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]}
    return framed(
        alt.layer(
            alt.Chart(pl.DataFrame(dict.fromkeys(("customers", "value"), (0.0, 1.0))))
            .mark_line(color=QUIET, strokeDash=[2, 3], strokeWidth=1.5)
            .encode(x="customers:Q", y="value:Q"),
            detailed({"model:N": "Model", "customers:Q .0%": "Customers", "value:Q .0%": "Value"}, table)
            .mark_line(strokeWidth=2.5)
            .encode(
                x=alt.X("customers:Q", title="Customers, the most valuable first", axis=axis),
                y=alt.Y("value:Q", title="Share of holdout value", axis=axis),
                color=coloured("model:N", models, model_colours(models), TOP_LEFT | {"orient": "bottom-right"}),
            ),
        ),
        finding=f"The top fifth of customers by {top['model'][0]} generated {percent(top['value'][0])} of value",
        shown=(
            "Share of holdout value from the customers that each model ranks highest. Dotted: random ranking. "
            "Observed orders are a single history and have no interval."
        ),
        alt_text=f"Share from the top fifth: {listed(top, lambda model, value: f'{model} {percent(value)}')}",
        width=_SIDE,
    )


def spend_by_frequency(rfm: pl.DataFrame, currency: str) -> Figure:
    """Draw whether customers who come back more often spend more per order; the spend model assumes they do not.

    Parameters
    ----------
    rfm
        Table under `RFM`; customers without a repeat order take no part.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        Mean spend per order with its 90 % interval by number of repeat orders, and the mean of all as a rule.

    Raises
    ------
    TableError
        If the table is not under `RFM`, or its customers do not allow a correlation.
    """
    buyers = check(rfm, RFM).filter(pl.col("frequency") > 0)
    correlation = _correlation(buyers)
    strength = next(words for bound, words in _STRENGTHS if abs(correlation) < bound)
    classes = _classes(buyers)
    axis = money_axis(f"Spend per order, {currency}", largest=largest(classes, ["mean"]))
    low, mean = (alt.Y(f"{name}:Q", axis=axis) for name in ("low", "mean"))
    overall = alt.Chart(rounded(buyers.select(mean=pl.col("monetary_value").mean())))
    drawn = detailed(
        {
            "frequency:O": "Repeat orders",
            "customers:Q ,": "Customers",
            "mean:Q ,.3~r": f"Mean spend, {currency}",
            **ends(INTERVAL, ",.3~r"),
        },
        rounded(classes),
        [classes_across("frequency:O", classes["frequency"].to_list(), "Repeat orders")],
    )
    return framed(
        alt.layer(
            overall.mark_rule(color=BASELINE, strokeWidth=2).encode(y="mean:Q"),
            *point_and_interval(drawn, low, mean, INK),
        ),
        finding=(f"Order frequency and spend per order are {strength} (correlation {figure(correlation, '.2f')})"),
        shown=(
            f"Mean spend per order, {currency}, by number of repeat orders, with the {INTERVAL} of the mean. "
            "Grey rule: mean of all repeat customers. The spend model assumes that all points lie on it."
        ),
        alt_text=listed(
            classes.select("frequency", "mean"), lambda label, mean: f"{label} repeat orders: {number(mean)}"
        ),
    )


_VALUE_ENDS = {"value": ("value_low", "value_high")}
_WORTH = TableSpec(
    id="worth",
    contract=WORTH,
    title="",
    subtitle="All current customers",
    line="quantity",
    columns={
        "unit": Column("Unit", align="text"),
        "mean": Column("Expected"),
        "interval": Column(INTERVAL, interval("low", "high")),
    },
    notes=("Intervals cover parameter uncertainty and chance in each customer's behaviour.",),
)


_DECILES = TableSpec(
    id="deciles",
    contract=DECILES,
    title="Value by customer decile",
    subtitle="Deciles by expected value, most valuable first; totals per decile",
    rows=lambda table: table.with_columns(
        share=pl.when(pl.col("expected").sum() > 0.0).then(pl.col("expected") / pl.col("expected").sum())
    ).rows(named=True),
    line=lambda row: f"Decile {row['decile']}",
    columns={
        "customers": Column("Customers"),
        "expected": Column("Expected value, {currency}"),
        "interval": Column(INTERVAL, interval("low", "high")),
        "share": Column("Share of total value", write=percent),
    },
    notes=lambda table: _outside(table, {"expected": ("low", "high")}),
)


_CUSTOMERS = TableSpec(
    id="customers",
    contract=CUSTOMERS,
    title="The most valuable customers",
    subtitle="",
    line="customer_id",
    columns={
        "prob_alive": Column("Probability still active", write=percent),
        "expected_orders": Column("Expected orders"),
        "orders": Column(INTERVAL, lambda row: f"{figure(row['orders_low'])} to {figure(row['orders_high'])}"),
        "value": Column("Expected value, {currency}"),
        "interval": Column(INTERVAL, interval("value_low", "value_high")),
        "days_to_next": Column(
            "Median days to the next order, if any",
            lambda row: f"over{NBSP}100{NBSP}years" if row["days_to_next"] is None else figure(row["days_to_next"]),
        ),
    },
    notes=lambda table: _outside(table, {"expected_orders": ("orders_low", "orders_high"), **_VALUE_ENDS}),
)


_AT_RISK = TableSpec(
    id="at-risk",
    contract=AT_RISK,
    title="",
    subtitle="",
    line="customer_id",
    columns={
        "orders": Column("Orders to date"),
        "silence": Column(
            "Inactivity",
            lambda row: (
                f"inactive for {figure(row['silent_days'])} days; 90{NBSP}% of similar customers who reordered did so "
                f"within {figure(row['usual_days'])}"
            ),
            align="text",
        ),
        "alive": Column(
            "Probability still active: at the last order → now",
            lambda row: f"{percent(row['prob_alive_then'])} → {percent(row['prob_alive'])}",
        ),
        "value": Column("Expected future value, {currency}"),
        "interval": Column(INTERVAL, interval("value_low", "value_high")),
    },
    notes=lambda table: _outside(table, _VALUE_ENDS),
)


_CLV = TableSpec(
    id="customer-value",
    contract=CLV_STEPS,
    title=lambda table: (
        f"The product of averages is {figure(table['value'][0] / table['value'][-1], '.2f')} times the model's "
        "customer value"
    ),
    subtitle="Mean per customer; the model covers the next year, at present value",
    line=lambda row: _STEPS.get(row["step"], row["step"]),
    columns={
        "value": Column("Per customer", lambda row: money(row["value"], row["currency"]).strip()),
        "interval": Column(INTERVAL, interval("low", "high")),
        "why": Column("Explanation", align="text"),
    },
    notes=("The formula uses past, unfinished lifespans; the model (MBG/NBD, Gamma-Gamma) forecasts future orders.",),
)


def _outside(table: pl.DataFrame, intervals: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
    """Return a note where an expected number of a table lies outside its interval."""
    beyond = pl.any_horizontal(outside(mean, *ends) for mean, ends in intervals.items())
    rows = table.filter(beyond).height
    if not rows:
        return ()
    note = (
        f"In {figure(rows)} of {figure(table.height)} rows the expected value lies outside its interval: it is a mean, "
        "and a few large outcomes beyond the interval can account for most of it."
    )
    return (note,)


def _decile_finding(table: pl.DataFrame) -> str:
    expected, realised = table["expected"], table["realised"]
    share = percent(expected[0] / expected.sum() if expected.sum() > 0.0 else 0.0)
    if realised.null_count() or realised.sum() <= 0.0:
        return f"The top decile of customers is expected to generate {share} of total value"
    inside = table.filter(pl.col("realised").is_between("low", "high")).height
    return (
        f"The top decile was expected to generate {share} of value and generated "
        f"{percent(realised[0] / realised.sum())}, with {inside} of {table.height} deciles within their interval"
    )


def _correlation(buyers: pl.DataFrame) -> float:
    frequencies, spends = (buyers[name].n_unique() for name in ("frequency", "monetary_value"))
    if buyers.height < 3 or min(frequencies, spends) < 2:
        raise TableError(
            "RFM: a correlation needs at least three customers with repeat orders who differ in frequency and in "
            f"monetary_value; found {buyers.height} customers, {frequencies} frequencies and {spends} monetary values."
        )
    return float(buyers.select(pl.corr("frequency", "monetary_value")).item())


def _classes(buyers: pl.DataFrame) -> pl.DataFrame:
    """Return mean spend and its interval by frequency; a class of one customer has a mean but no interval."""
    spend, mean = pl.col("monetary_value"), pl.col("mean")
    half = Z95 * pl.col("spread") / pl.col("customers").sqrt()
    return (
        buyers.group_by(pl.col("frequency").clip(upper_bound=_LAST_CLASS).alias("class"))
        .agg(customers=pl.len(), mean=spend.mean(), spread=spend.std())
        .sort("class")
        .select(
            "customers",
            "mean",
            frequency=pl.col("class").cast(pl.String).replace(str(_LAST_CLASS), f"{_LAST_CLASS}+"),
            low=mean - half,
            high=mean + half,
        )
    )
