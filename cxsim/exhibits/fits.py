"""What the orders say: fitted parameters, hygiene counts and customers' values go in, tables to read come out."""

from __future__ import annotations

import math

import polars as pl

from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned
from cxsim.quantity import Z95
from cxsim.tables import RFM, Contract, check
from cxsim.wording import INTERVAL, MISSING, number, percent

FIT = Contract(
    name="FIT",
    columns={"parameter": (pl.String,), "estimate": (pl.Float64,), "std_error": (pl.Float64,)},
    nullable=frozenset({"std_error"}),
)
HYGIENE = Contract(name="HYGIENE", columns={"reason": (pl.String,), "action": (pl.String,), "rows": (pl.Int64,)})
VALUES = Contract(
    name="VALUES",
    columns={
        # As in RFM: whatever the shop counts its customers with.
        "customer_id": RFM.columns["customer_id"],
        "prob_alive": (pl.Float64,),
        "expected_orders": (pl.Float64,),
        "expected_spend": (pl.Float64,),
        "expected_value": (pl.Float64,),
    },
)
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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(parameters, FIT)
    cells = pl.DataFrame(
        [
            (name, _MEANINGS.get(name, MISSING), turned(f"{estimate:.4g}"), *_doubt(estimate, error))
            for name, estimate, error in table.select(list(FIT.columns)).iter_rows()
        ],
        schema=dict.fromkeys(["line", "meaning", "estimate", "std_error", "range"], pl.String),
        orient="row",
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle="Fitted by maximum likelihood; time in days",
        heads={"meaning": "Meaning", "estimate": "Estimate", "std_error": "Standard error", "range": INTERVAL},
        text=("meaning",),
        notes=("The interval is normal on the logarithm, as no parameter can be below zero.",),
    )
    return Table(id=_slug(title), title=title, layout=layout, twin=table)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(report, HYGIENE)
    title = "What was done to the orders"
    layout = laid_out(
        table.select(line="reason", action="action", rows=_texts(table, "rows")),
        title=title,
        subtitle="Rows of the orders that were handed in; nothing is repaired",
        heads={"action": "Action", "rows": "Rows"},
        text=("action",),
    )
    return Table(id="hygiene", title=title, layout=layout, twin=table)


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

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(customers, VALUES)
    heads = {
        "prob_alive": "Chance of still being a customer",
        "expected_orders": "Expected orders",
        "expected_spend": f"Expected spend per order, {currency}",
        "expected_value": f"Expected value, {currency}",
    }
    cells = table.select(
        pl.col("customer_id").cast(pl.String).alias("line"),
        pl.Series("prob_alive", [percent(chance) for chance in table["prob_alive"]], dtype=pl.String),
        *(_texts(table, name) for name in ("expected_orders", "expected_spend", "expected_value")),
    )
    title = "Customers by expected value"
    subtitle = "Means of what the model expects of a customer with such a past; value is revenue in today's money"
    layout = laid_out(cells, title=title, subtitle=subtitle, heads=heads)
    return Table(id="customers", title=title, layout=layout, twin=table)


def _doubt(estimate: float, error: float | None) -> tuple[str, str]:
    if error is None:
        return MISSING, MISSING
    spread = math.exp(Z95 * error / estimate)
    return turned(f"{error:.2g}"), turned(f"{estimate / spread:.4g} to {estimate * spread:.4g}")


def _texts(table: pl.DataFrame, column: str) -> pl.Series:
    whole = table.schema[column].is_integer()
    return pl.Series(column, [turned(f"{n:,}") if whole else number(n) for n in table[column]], dtype=pl.String)


def _slug(title: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return "-".join(["fit", *words])
