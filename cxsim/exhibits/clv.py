"""What a customer is worth, from a product of averages to a model: a table under CLV_STEPS in, a table to read out."""

from __future__ import annotations

import polars as pl

from cxsim.exhibits.showing import Table, laid_out
from cxsim.measured import CLV_STEPS
from cxsim.number_style import retold
from cxsim.tables import check
from cxsim.wording import INTERVAL, MISSING, money, precision

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
        why=pl.Series([retold(why) for why in table["why"]], dtype=pl.String),
    )
    times = table["value"][0] / table["value"][-1]
    title = f"The product of averages says {times:.2f} times what the model expects of a customer"
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
