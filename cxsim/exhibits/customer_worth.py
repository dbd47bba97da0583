"""What customers are worth: totals, tenths and single customers with their intervals in, tables to read out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned
from cxsim.tables import RFM, Contract, check
from cxsim.wording import INTERVAL, MISSING, NBSP, number, percent, precision

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
        pl.Series("customers", [turned(f"{n:,}") for n in table["customers"]], dtype=pl.String),
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
        f"Over the next {turned(f'{horizon_days:,.0f}')} days; the intervals hold the luck of the single customer"
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
    told = [
        f"silent for {turned(f'{silent:,}')} days; nine in ten of such customers who came back did so within "
        f"{turned(f'{usual:,.0f}')}"
        for silent, usual in _pairs(table, "silent_days", "usual_days")
    ]
    cells = table.select(
        pl.col("customer_id").cast(pl.String).alias("line"),
        pl.Series("orders", [turned(f"{n:,}") for n in table["orders"]], dtype=pl.String),
        pl.Series("silence", told, dtype=pl.String),
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
    return f"{overdue:,} {who} been silent for longer than nine in ten of their like"


def _pairs(table: pl.DataFrame, *columns: str) -> Sequence[tuple[float, float]]:
    return list(table.select(columns).iter_rows())


def _whole_span(low: float, high: float) -> str:
    return turned(f"{low:,.0f} to {high:,.0f}")


def _spans(table: pl.DataFrame, low: str, high: str) -> list[str]:
    told = []
    for least, most in _pairs(table, low, high):
        together = precision([least, most])
        told.append(f"{together.bare(least)} to {together.text(most)}")
    return told


def _numbers(table: pl.DataFrame, column: str) -> pl.Series:
    return pl.Series(column, [number(value) for value in table[column]], dtype=pl.String)


def _percents(table: pl.DataFrame, column: str) -> pl.Series:
    return pl.Series(column, [percent(value) for value in table[column]], dtype=pl.String)


def _days(table: pl.DataFrame, column: str) -> pl.Series:
    never = f"over{NBSP}a century"
    return pl.Series(
        column, [never if days is None else turned(f"{days:,.0f}") for days in table[column]], dtype=pl.String
    )
