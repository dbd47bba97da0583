"""The profit and loss of each strategy against doing nothing: a table under TOTALS in, its ladder by year out."""

from __future__ import annotations

import polars as pl

from cxsim.exhibits.ladder import RESULT, SUBTOTALS, bold, grouped, written
from cxsim.exhibits.showing import Table, laid_out
from cxsim.tables import TOTALS, WHOLE_HORIZON, check
from cxsim.wording import INTERVAL, joined


def statement_table(totals: pl.DataFrame, currency: str) -> Table:
    """Lay out the contribution-margin ladder of each strategy: without it, with it, and the difference by year.

    Parameters
    ----------
    totals
        Table under `TOTALS`; strategies, lines and periods in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        Undiscounted means over draws, and the interval of the difference over the whole horizon; accounts without any
        entry are left out. The title says which strategies bring cash.

    Raises
    ------
    TableError
        For a table that is not under `TOTALS`.
    """
    rows = grouped(check(totals, TOTALS))
    years = [period for period in rows["period"].unique(maintain_order=True) if period != WHOLE_HORIZON]
    ladder = _ladder(rows, years)
    heads = {
        "baseline": "Doing nothing",
        "treated": "With the strategy",
        **{year: year for year in years},
        "incremental": WHOLE_HORIZON,
        "low": "from",
        "high": "to",
    }
    title = _finding(rows)
    layout = laid_out(
        written(ladder, list(heads)),
        title=title,
        subtitle=f"{currency}, not discounted, over the whole horizon; means over all draws",
        heads=heads,
        notes=(
            "Costs are negative. Subtotals, in bold, are sums of all lines above them.",
            "Accounts without any entry are left out.",
        ),
    )
    layout = layout.tab_spanner("Difference", columns=[*years, "incremental"]).tab_spanner(
        f"Its {INTERVAL}", columns=["low", "high"]
    )
    return Table(id="statement", title=title, layout=bold(layout, ladder), twin=rows.drop("group"))


def _ladder(rows: pl.DataFrame, years: list[str]) -> pl.DataFrame:
    """Return one row per strategy and line, with the difference of each year beside the total."""
    of_all = pl.col("period") == WHOLE_HORIZON
    amounts = ("baseline", "treated", "incremental")
    return (
        rows.group_by("group", "strategy", "line", maintain_order=True)
        .agg(
            *(pl.col(name).filter(of_all).first() for name in (*amounts, "low", "high")),
            *(pl.col("incremental").filter(pl.col("period") == year).first().alias(year) for year in years),
        )
        .filter(pl.col("line").is_in(SUBTOTALS) | pl.any_horizontal(pl.col(amounts) != 0.0))
    )


def _finding(rows: pl.DataFrame) -> str:
    cash = rows.filter((pl.col("line") == RESULT) & (pl.col("period") == WHOLE_HORIZON))
    more = cash.filter(pl.col("incremental") > 0.0)["group"].to_list()
    less = cash.filter(pl.col("incremental") <= 0.0)["group"].to_list()
    if not more:
        return "On average no strategy brings more cash than it costs"
    brings = f"On average {joined(more)} bring{'s' if len(more) == 1 else ''} more cash than doing nothing"
    return f"{brings}; {joined(less)} {'does' if len(less) == 1 else 'do'} not" if less else brings
