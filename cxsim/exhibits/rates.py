"""NPV at other discount rates and horizons: a table under RATES in, rates down and horizons across, out."""

from __future__ import annotations

import polars as pl

from cxsim.business_tables import RATES
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned
from cxsim.tables import check
from cxsim.wording import INTERVAL, MISSING, NBSP, joined, precision


def rates_table(rates: pl.DataFrame, currency: str) -> Table:
    """Lay out each strategy's net present value at other discount rates and over shorter horizons.

    Parameters
    ----------
    rates
        Table under `RATES`; strategies in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per strategy and discount rate, one column per horizon: mean and interval. The twin holds the chances of
        a gain too.

    Raises
    ------
    TableError
        For a table that is not under `RATES`.
    """
    table = check(rates, RATES)
    horizons = table["horizon_months"].unique().sort().to_list()
    heads = {f"months_{horizon}": f"{horizon}{NBSP}months" for horizon in horizons}
    cells = [row for part in table.partition_by("strategy", maintain_order=True) for row in _rows(part, horizons)]
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame(cells, schema=dict.fromkeys(["group", "line", *heads], pl.String), orient="row"),
        title=title,
        subtitle=f"Net present value in today's {currency} and its {INTERVAL}, by discount rate and horizon",
        heads=heads,
        notes=(
            (
                "Discount rate: what money a year later is worth less, per year; the same in all draws here. Horizon: "
                "after so many months the comparison ends, and points that customers still hold are paid for."
            ),
        ),
    )
    layout = layout.tab_spanner("Horizon", columns=list(heads)).tab_stubhead("Discount rate")
    return Table(id="rates", title=title, layout=layout, twin=table)


def _rows(part: pl.DataFrame, horizons: list[int]) -> list[tuple[str, ...]]:
    together = precision([value for name in ("npv", "low", "high") for value in part[name]])
    told = {
        (rate, horizon): f"{together.text(npv)} ({together.bare(low)} to {together.text(high)})"
        for rate, horizon, npv, low, high in part.select(
            "annual_discount_rate", "horizon_months", "npv", "low", "high"
        ).iter_rows()
    }
    title = str(part["title"][0])
    return [
        (
            title,
            f"{turned(f'{100 * rate:.4g}')}{NBSP}% a year",
            *(told.get((rate, horizon), MISSING) for horizon in horizons),
        )
        for rate in part["annual_discount_rate"].unique().sort()
    ]


def _finding(table: pl.DataFrame) -> str:
    gains = table.group_by("strategy", "title", maintain_order=True).agg(
        every=(pl.col("npv") > 0.0).all(), some=(pl.col("npv") > 0.0).any()
    )
    always = gains.filter(pl.col("every"))["title"].to_list()
    never = gains.filter(~pl.col("some"))["title"].to_list()
    between = gains.filter(pl.col("some") & ~pl.col("every"))["title"].to_list()
    parts = [
        f"{joined(titles)} {'pays' if len(titles) == 1 else 'pay'} {where}"
        for titles, where in (
            (always, "at every discount rate and horizon"),
            (between, "at some discount rates and horizons only"),
            (never, "at none"),
        )
        if titles
    ]
    if len(parts) == 1 and never:
        return "On average no strategy pays at any discount rate and horizon"
    return f"On average {'; '.join(parts)}"
