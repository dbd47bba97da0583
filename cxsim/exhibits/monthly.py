"""The difference that each strategy makes month by month: a table under STATEMENT in, a table to unfold out."""

from __future__ import annotations

import polars as pl

from cxsim.exhibits.ladder import RESULT, SUBTOTALS, grouped, written
from cxsim.exhibits.showing import Table, laid_out
from cxsim.tables import STATEMENT, check
from cxsim.wording import INTERVAL


def monthly_statement(statement: pl.DataFrame, currency: str) -> Table:
    """Lay out the difference that each strategy makes month by month, down to cash with its interval.

    Parameters
    ----------
    statement
        Table under `STATEMENT`; strategies and lines in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per strategy and month: the subtotals of the ladder, and the interval of the last.

    Raises
    ------
    TableError
        For a table that is not under `STATEMENT`.
    """
    months = grouped(check(statement, STATEMENT)).filter(pl.col("line").is_in(SUBTOTALS))
    of_result = pl.col("line") == RESULT
    rows = months.group_by("group", "strategy", "month", "starts_on", maintain_order=True).agg(
        *(pl.col("incremental").filter(pl.col("line") == name).sum().alias(name) for name in SUBTOTALS),
        pl.col("low", "high").filter(of_result).first(),
    )
    heads = {name: name.capitalize() for name in SUBTOTALS} | {"low": f"{INTERVAL}, low", "high": f"{INTERVAL}, high"}
    title = "Difference month by month"
    layout = laid_out(
        written(rows.with_columns(line=pl.col("starts_on").dt.to_string("%Y-%m")), list(heads)),
        title=title,
        subtitle=f"{currency}, not discounted, against doing nothing; means over all draws; interval of the cash",
        heads=heads,
    )
    return Table(id="statement-by-month", title=title, layout=layout, twin=rows, fold="folded")
