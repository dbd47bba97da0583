"""What customers are worth: totals, tenths and single customers with their intervals in, tables to read out."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.metrics.contracts import CLV_STEPS
from cxsim.params import Z95
from cxsim.reporting.tables import Table, laid_out
from cxsim.reporting.theme import (
    BASELINE,
    HEIGHT,
    INK,
    QUIET,
    STRATEGIES,
    Figure,
    framed,
    model_colours,
    money_axis,
    rounded,
)
from cxsim.tables import RFM, Contract, check
from cxsim.wording import INTERVAL, MINUS, MISSING, NBSP, figure, localise, money, number, percent, precision

_REAL = (pl.Float64,)
_TENTHS = {"decile": (pl.Int64,), "customers": (pl.Int64,), "expected": _REAL, "low": _REAL, "high": _REAL}
TENTHS = Contract(name="TENTHS", columns=_TENTHS | {"realised": _REAL}, nullable=frozenset({"realised"}))
WORTH = Contract(
    name="WORTH",
    columns={"quantity": (pl.String,), "unit": (pl.String,)} | dict.fromkeys(("mean", "low", "high"), _REAL),
)
CUSTOMERS = Contract(
    name="CUSTOMER_VALUES",
    # As in RFM: whatever the shop counts its customers with.
    columns={"customer_id": RFM.columns["customer_id"]}
    | dict.fromkeys(("prob_alive", "expected_orders"), _REAL)
    | dict.fromkeys(("orders_low", "orders_high"), (pl.Int64,))
    | dict.fromkeys(("value", "value_low", "value_high", "prob_none", "days_to_next"), _REAL),
    nullable=frozenset({"days_to_next"}),
)
AT_RISK = Contract(
    name="AT_RISK",
    columns={
        "customer_id": RFM.columns["customer_id"],
        "orders": (pl.Int64,),
        "silent_days": (pl.Int64,),
        "usual_days": _REAL,
        "prob_alive": _REAL,
        "prob_alive_then": _REAL,
        "value": _REAL,
        "value_low": _REAL,
        "value_high": _REAL,
    },
)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(totals, WORTH)
    together = [precision(row) for row in table.select("mean", "low", "high").iter_rows()]
    cells = table.select(
        pl.col("quantity").alias("line"),
        "unit",
        pl.Series("mean", [rule.text(mean) for rule, mean in zip(together, table["mean"], strict=True)]),
        pl.Series("interval", _spans(table, "low", "high")),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle="All present customers together",
        heads={"mean": "Expected", "interval": INTERVAL, "unit": "Unit"},
        text=("unit",),
        notes=("Intervals hold what is not known of the models' parameters, and the luck of every customer.", caveat),
    )
    return Table(id="worth", title=title, layout=layout, twin=table)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(deciles, TENTHS)
    total = float(table["expected"].sum())
    shares = [percent(value / total) if total > 0.0 else MISSING for value in table["expected"]]
    known = table["realised"].null_count() < table.height
    cells = table.select(
        pl.format("Tenth {}", "decile").alias("line"),
        pl.Series("customers", [localise(f"{n:,}") for n in table["customers"]], dtype=pl.String),
        pl.Series("expected", [number(value) for value in table["expected"]], dtype=pl.String),
        pl.Series("interval", _spans(table, "low", "high")),
        pl.Series("share", shares, dtype=pl.String),
        pl.Series(
            "realised", [MISSING if came is None else number(came) for came in table["realised"]], dtype=pl.String
        ),
    )
    heads = {
        "customers": "Customers",
        "expected": f"Expected value, {currency}",
        "interval": INTERVAL,
        "share": "Share of all value",
    }
    title = "Value by tenth of the customers"
    layout = laid_out(
        cells if known else cells.drop("realised"),
        title=title,
        subtitle="Tenths by expected value, the most valuable first; all customers of a tenth together",
        heads=heads | ({"realised": f"Realised, {currency}"} if known else {}),
    )
    return Table(id="deciles", title=title, layout=layout, twin=table)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(customers, CUSTOMERS)
    cells = table.select(
        pl.col("customer_id").cast(pl.String).alias("line"),
        _percents(table, "prob_alive"),
        _numbers(table, "expected_orders"),
        pl.Series("orders", [_whole_span(*pair) for pair in _pairs(table, "orders_low", "orders_high")]),
        _numbers(table, "value"),
        pl.Series("interval", _spans(table, "value_low", "value_high")),
        _days(table, "days_to_next"),
    )
    heads = {
        "prob_alive": "Chance of still being a customer",
        "expected_orders": "Expected orders",
        "orders": INTERVAL,
        "value": f"Expected value, {currency}",
        "interval": INTERVAL,
        "days_to_next": "Half of the next orders within, days",
    }
    title = "The most valuable customers"
    subtitle = (
        f"Over the next {localise(f'{horizon_days:,.0f}')} days; the intervals hold the luck of the single customer"
    )
    layout = laid_out(cells, title=title, subtitle=subtitle, heads=heads)
    return Table(id="customers", title=title, layout=layout, twin=table)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(customers, AT_RISK)
    then_now = [f"{percent(then)} → {percent(now)}" for then, now in _pairs(table, "prob_alive_then", "prob_alive")]
    alt_text = [
        f"silent for {localise(f'{silent:,}')} days; nine in ten of such customers who came back did so within "
        f"{localise(f'{usual:,.0f}')}"
        for silent, usual in _pairs(table, "silent_days", "usual_days")
    ]
    cells = table.select(
        pl.col("customer_id").cast(pl.String).alias("line"),
        pl.Series("orders", [localise(f"{n:,}") for n in table["orders"]], dtype=pl.String),
        pl.Series("silence", alt_text, dtype=pl.String),
        pl.Series("alive", then_now, dtype=pl.String),
        _numbers(table, "value"),
        pl.Series("interval", _spans(table, "value_low", "value_high")),
    )
    heads = {
        "orders": "Orders so far",
        "silence": "Silence",
        "alive": "Chance of still being a customer: at the last order, now",
        "value": f"Still expected, {currency}",
        "interval": INTERVAL,
    }
    title = _at_risk_title(overdue)
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"The {table.height} of them with most at stake" if table.height < overdue else "All of them",
        heads=heads,
        text=("silence",),
    )
    return Table(id="at-risk", title=title, layout=layout, twin=table)


def _at_risk_title(overdue: int) -> str:
    if overdue == 0:
        return "No customer has been silent for longer than is usual"
    who = "customer has" if overdue == 1 else "customers have"
    return f"{figure(overdue)} {who} been silent for longer than nine in ten of their like"


def _pairs(table: pl.DataFrame, *columns: str) -> Sequence[tuple[float, float]]:
    return list(table.select(columns).iter_rows())


def _whole_span(low: float, high: float) -> str:
    return localise(f"{low:,.0f} to {high:,.0f}")


def _spans(table: pl.DataFrame, low: str, high: str) -> list[str]:
    alt_text = []
    for least, most in _pairs(table, low, high):
        together = precision([least, most])
        alt_text.append(f"{together.bare(least)} to {together.text(most)}")
    return alt_text


def _numbers(table: pl.DataFrame, column: str) -> pl.Series:
    return pl.Series(column, [number(value) for value in table[column]], dtype=pl.String)


def _percents(table: pl.DataFrame, column: str) -> pl.Series:
    return pl.Series(column, [percent(value) for value in table[column]], dtype=pl.String)


def _days(table: pl.DataFrame, column: str) -> pl.Series:
    never = f"over{NBSP}a century"
    return pl.Series(
        column, [never if days is None else localise(f"{days:,.0f}") for days in table[column]], dtype=pl.String
    )


DECILES = Contract(
    name="DECILES",
    columns={
        "decile": (pl.Int64,),
        "customers": (pl.Int64,),
        "expected": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
        "realised": (pl.Float64,),
    },
    nullable=frozenset({"realised"}),
)
CAPTURE = Contract(
    name="CAPTURE",
    columns={"model": (pl.String,), "customers": (pl.Float64,), "value": (pl.Float64,)},
)
_PALE = "#9DC6E0"
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
_CAPTURE_SIDE = 380
_TOP = 0.2


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
    shown = (
        f"Value of all customers of a tenth together, {currency}; tenths by expected value, the best first. Bar: "
        f"expected; line: {INTERVAL}, by parameters and by luck{'; point: what they brought' if known else ''}."
    )
    largest = float(table.select(pl.max_horizontal(pl.col("high", "realised").max())).item())
    tenth = alt.X("decile:O", title="Tenth of the customers, the most valuable first", axis=alt.Axis(labelAngle=0))
    drawn = alt.Chart(table).encode(x=tenth, tooltip=_tooltip(currency))
    axis = money_axis(f"Value of the tenth, {currency}", largest=largest)
    bars = drawn.mark_bar(color=_PALE, width={"band": 0.7}).encode(y=alt.Y("expected:Q", axis=axis))
    interval = drawn.mark_rule(color=STRATEGIES[0], strokeWidth=3).encode(y="low:Q", y2="high:Q")
    came = drawn.transform_filter("isValid(datum.realised)").mark_point(color=INK, filled=True, size=80, opacity=1)
    layers = alt.layer(bars, interval, came.encode(y="realised:Q")) if known else alt.layer(bars, interval)
    return framed(layers, finding=_finding(table), shown=shown, alt_text=_alt_text(table, currency))


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
    models = table["model"].unique(maintain_order=True).to_list()
    top = (
        table.filter(pl.col("customers") <= _TOP + 1e-9)
        .group_by("model", maintain_order=True)
        .agg(pl.col("value").max())
    )
    finding = f"The fifth that {top['model'][0]} put first brought {percent(top['value'][0])} of the later value"
    shown = (
        "Share of the value after the fit that came from the customers that a model put first. Dotted: an order by "
        "chance. There is one observed history, hence no interval."
    )
    alt_text = (
        "From the first fifth: " + "; ".join(f"{model} {percent(value)}" for model, value in top.iter_rows()) + "."
    )
    shares = alt.Axis(labelExpr=_PERCENT, values=[0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    legend = alt.Legend(title=None, orient="bottom-right", symbolSize=400, labelLimit=240, rowPadding=4)
    curves = (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("customers:Q", title="Customers, the most valuable first", axis=shares),
            y=alt.Y("value:Q", title="Share of the value that came", axis=shares),
            color=alt.Color("model:N", scale=alt.Scale(domain=models, range=model_colours(models)), legend=legend),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("customers:Q", title="Customers", format=".0%"),
                alt.Tooltip("value:Q", title="Value", format=".0%"),
            ],
        )
    )
    chance = (
        alt.Chart(pl.DataFrame({"customers": [0.0, 1.0], "value": [0.0, 1.0]}))
        .mark_line(color=QUIET, strokeDash=[2, 3], strokeWidth=1.5)
        .encode(x="customers:Q", y="value:Q")
    )
    drawn = alt.layer(chance, curves)
    return framed(drawn, finding=finding, shown=shown, alt_text=alt_text, width=_CAPTURE_SIDE, height=HEIGHT)


def _finding(table: pl.DataFrame) -> str:
    share = table["expected"][0] / table["expected"].sum() if table["expected"].sum() > 0.0 else 0.0
    alt_text = f"The most valuable tenth of the customers is expected to bring {percent(share)} of all value"
    if table["realised"].null_count() or table["realised"].sum() <= 0.0:
        return alt_text
    came = table["realised"][0] / table["realised"].sum()
    inside = table.filter(pl.col("realised").is_between("low", "high")).height
    return (
        f"The tenth expected to bring most, {percent(share)} of all value, brought {percent(came)}; "
        f"{inside} of {table.height} tenths lie inside their interval"
    )


def _tooltip(currency: str) -> list[alt.Tooltip]:
    names = {
        "expected": "Expected",
        "low": f"{INTERVAL}, low",
        "high": f"{INTERVAL}, high",
        "realised": "Realised",
    }
    amounts = [alt.Tooltip(f"{name}:Q", title=f"{title}, {currency}", format=",.3~r") for name, title in names.items()]
    return [
        alt.Tooltip("decile:O", title="Tenth"),
        alt.Tooltip("customers:Q", title="Customers", format=",d"),
        *amounts,
    ]


def _alt_text(table: pl.DataFrame, currency: str) -> str:
    rows = table.select("decile", "expected", "low", "high").iter_rows()
    alt_text = "; ".join(
        f"{tenth}: {number(mean)} ({number(low)} to {number(high)})" for tenth, mean, low, high in rows
    )
    return f"By tenth, in {currency}: {alt_text}.".replace(f"{currency}:", f"{currency}{NBSP}:")


_LAST_CLASS = 7
# Usual bounds of a correlation in words (Cohen 1988, Statistical Power Analysis, p. 79).
_STRENGTHS = ((0.1, "hardly related"), (0.3, "weakly related"), (0.5, "moderately related"), (1.1, "strongly related"))


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
    alt_text = localise(f"{correlation:.2f}".replace("-", MINUS))
    finding = f"How often customers order and how much they spend are {_strength(correlation)} (correlation {alt_text})"
    shown = (
        f"Mean spend per order, {currency}, by number of repeat orders, with the {INTERVAL} of the mean. "
        "Grey rule: mean of all customers who came back. The spend model assumes that all lie on it."
    )
    classes = _classes(buyers)
    rows = classes.select("frequency", "mean").iter_rows()
    numbers = "; ".join(f"{label} repeat orders: {number(mean)}" for label, mean in rows)
    overall = buyers.select(mean=pl.col("monetary_value").mean())
    drawn = _layers(rounded(classes), rounded(overall), currency)
    return framed(drawn, finding=finding, shown=shown, alt_text=f"{numbers}.")


def _correlation(buyers: pl.DataFrame) -> float:
    if buyers.height < 3 or buyers["frequency"].n_unique() < 2 or buyers["monetary_value"].n_unique() < 2:
        raise TableError(
            "RFM: a correlation needs at least three customers with repeat orders who differ in frequency and in "
            f"monetary_value; found {buyers.height} customers, {buyers['frequency'].n_unique()} frequencies and "
            f"{buyers['monetary_value'].n_unique()} monetary values."
        )
    return float(buyers.select(pl.corr("frequency", "monetary_value")).item())


def _strength(correlation: float) -> str:
    return next(words for bound, words in _STRENGTHS if abs(correlation) < bound)


def _classes(buyers: pl.DataFrame) -> pl.DataFrame:
    """Return mean spend and its interval by frequency; a class of one customer has a mean but no interval."""
    capped = pl.min_horizontal(pl.col("frequency"), pl.lit(_LAST_CLASS))
    label = pl.when(pl.col("class") == _LAST_CLASS).then(pl.format("{}+", "class")).otherwise(pl.format("{}", "class"))
    half = Z95 * pl.col("spread") / pl.col("customers").sqrt()
    return (
        buyers.group_by(capped.alias("class"))
        .agg(customers=pl.len(), mean=pl.col("monetary_value").mean(), spread=pl.col("monetary_value").std())
        .sort("class")
        .select("customers", "mean", frequency=label, low=pl.col("mean") - half, high=pl.col("mean") + half)
    )


def _layers(classes: pl.DataFrame, overall: pl.DataFrame, currency: str) -> Figure:
    order = classes["frequency"].to_list()
    x = alt.X("frequency:O", sort=order, title="Repeat orders", axis=alt.Axis(labelAngle=0))
    amounts = money_axis(f"Spend per order, {currency}", largest=float(classes["mean"].max()))  # type: ignore[arg-type]
    tooltip = [
        alt.Tooltip("frequency:O", title="Repeat orders"),
        alt.Tooltip("customers:Q", title="Customers", format=","),
        alt.Tooltip("mean:Q", title=f"Mean spend, {currency}", format=",.3~r"),
        alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=",.3~r"),
        alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=",.3~r"),
    ]
    drawn = alt.Chart(classes).encode(x=x, tooltip=tooltip)
    rule = alt.Chart(overall).mark_rule(color=BASELINE, strokeWidth=2).encode(y="mean:Q")
    interval = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45)
    spread = interval.encode(y=alt.Y("low:Q", axis=amounts), y2="high:Q")
    point = drawn.mark_point(color=INK, filled=True, size=80, opacity=1).encode(y=alt.Y("mean:Q", axis=amounts))
    return alt.layer(rule, spread, point)


_LINES = {
    "product of averages": "Product of averages",
    "mean of products": "Average of each customer's product",
    "after costs": "The same after costs",
    "model": "Expected by the model",
}


def clv_table(steps: pl.DataFrame, currency: str) -> Table:
    """Lay out what the formula of averages says of a customer, what the model says, and why they differ."""
    table = check(steps, CLV_STEPS)
    ends = table.select("low", "high").rows()
    cells = table.select(
        line=pl.col("step").replace(_LINES),
        value=pl.Series([money(value, currency).strip() for value in table["value"]]),
        interval=pl.Series([_span(*pair) for pair in ends]),
        why="why",
    )
    times = table["value"][0] / table["value"][-1]
    title = f"The product of averages says {figure(times, '.2f')} times what the model expects of a customer"
    layout = laid_out(
        cells,
        title=title,
        subtitle="Mean over customers; the model looks a year ahead, discounted at 10 % a year",
        heads={"value": "Per customer", "interval": INTERVAL, "why": "Why"},
        text=("why",),
        notes=("The formula looks back on lifespans that are not over; the model (MBG/NBD, Gamma-Gamma) looks ahead.",),
    )
    return Table(id="customer-value", title=title, layout=layout, twin=table)


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return MISSING
    together = precision([low, high])
    return f"{together.bare(low)} to {together.text(high)}"
