"""The profit and loss of each strategy against doing nothing: a table under STATEMENT goes in, its ladder comes out."""

from __future__ import annotations

import polars as pl
from great_tables import GT, loc, style

from cxsim.exhibits.showing import Table, laid_out
from cxsim.exhibits.wording import INTERVAL, MINUS
from cxsim.ledger import LADDER
from cxsim.tables import STATEMENT, check

_MONTHS_PER_YEAR = 12
_SUBTOTALS = tuple(subtotal for subtotal, _ in LADDER)
_RESULT = _SUBTOTALS[-1]
# From so large an amount on, a statement is read in whole units of the currency.
_WHOLE = 1_000.0


def statement_table(statement: pl.DataFrame, currency: str) -> Table:
    """Lay out the contribution-margin ladder of each strategy: without it, with it, and the difference by year.

    Parameters
    ----------
    statement
        Table under `STATEMENT`; strategies and lines in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        Sums over months of means over draws, not discounted; accounts without any entry are left out.

    Raises
    ------
    TableError
        For a table that is not under `STATEMENT`.
    """
    months = check(statement, STATEMENT)
    years = _years(months)
    sums = _sums(months, years)
    heads = {"baseline": "Doing nothing", "treated": "With the strategy", **years, "difference": "Total"}
    title = "Profit and loss against doing nothing"
    layout = laid_out(
        _written(sums, list(heads)),
        title=title,
        subtitle=f"{currency}, not discounted; sums over the whole horizon, of means over all draws",
        heads=heads,
        notes=(
            "Costs are negative. Subtotals, in bold, are sums of all lines above them.",
            "Accounts without any entry are left out.",
        ),
    )
    layout = layout.tab_spanner("Difference", columns=[*years, "difference"])
    return Table(id="statement", title=title, layout=_bold(layout, sums), twin=sums)


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
    months = _grouped(check(statement, STATEMENT)).filter(pl.col("line").is_in(_SUBTOTALS))
    of_result = pl.col("line") == _RESULT
    rows = months.group_by("group", "strategy", "month", "starts_on", maintain_order=True).agg(
        *(pl.col("incremental").filter(pl.col("line") == name).sum().alias(name) for name in _SUBTOTALS),
        pl.col("low", "high").filter(of_result).first(),
    )
    heads = {name: name.capitalize() for name in _SUBTOTALS} | {"low": f"{INTERVAL}, low", "high": f"{INTERVAL}, high"}
    title = "Difference month by month"
    layout = laid_out(
        _written(rows.with_columns(line=pl.col("starts_on").dt.to_string("%Y-%m")), list(heads)),
        title=title,
        subtitle=f"{currency}, not discounted, against doing nothing; means over all draws; interval of the cash",
        heads=heads,
    )
    return Table(id="statement-by-month", title=title, layout=layout, twin=rows)


def _years(months: pl.DataFrame) -> dict[str, str]:
    """Return column and head of each year; none if the horizon is a year or less, which the total then tells."""
    first, last = (int(months.select(end).item()) for end in (pl.col("month").min(), pl.col("month").max()))
    horizon = last - first + 1
    if horizon <= _MONTHS_PER_YEAR:
        return {}
    lengths = [min(_MONTHS_PER_YEAR, horizon - start) for start in range(0, horizon, _MONTHS_PER_YEAR)]
    return {
        f"year_{year}": f"Year {year}" if length == _MONTHS_PER_YEAR else f"Year {year} ({length} months)"
        for year, length in enumerate(lengths, start=1)
    }


def _sums(months: pl.DataFrame, years: dict[str, str]) -> pl.DataFrame:
    year = (pl.col("month") - pl.col("month").min()) // _MONTHS_PER_YEAR + 1
    amounts = ("baseline", "treated", "difference")
    return (
        _grouped(months)
        .with_columns(year=year)
        .group_by("group", "strategy", "line", maintain_order=True)
        .agg(
            pl.col("baseline", "treated").sum(),
            *(
                pl.col("incremental").filter(pl.col("year") == place).sum().alias(name)
                for place, name in enumerate(years, start=1)
            ),
            difference=pl.col("incremental").sum(),
        )
        .filter(pl.col("line").is_in(_SUBTOTALS) | pl.any_horizontal(pl.col(amounts) != 0.0))
    )


def _grouped(months: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with a column `group`: the title of the strategy or its identifier in words."""
    words = pl.col("strategy").str.replace_all("[-_]", " ")
    name = words.str.slice(0, 1).str.to_uppercase() + words.str.slice(1)
    return months.with_columns(group=pl.col("title") if "title" in months.columns else name)


def _written(rows: pl.DataFrame, amounts: list[str]) -> pl.DataFrame:
    largest = float(rows.select(pl.max_horizontal(pl.col(amounts).abs().max())).item())
    decimals = 0 if largest >= _WHOLE else 2
    # The added zero takes the sign off an amount that is rounded to nothing.
    texts = {
        name: [f"{round(amount, decimals) + 0.0:,.{decimals}f}".replace("-", MINUS) for amount in rows[name]]
        for name in amounts
    }
    line = pl.col("line")
    capital = line.str.slice(0, 1).str.to_uppercase() + line.str.slice(1)
    return rows.select("group", line=capital).with_columns(**{name: pl.Series(text) for name, text in texts.items()})


def _bold(layout: GT, sums: pl.DataFrame) -> GT:
    places = sums.with_row_index("place").filter(pl.col("line").is_in(_SUBTOTALS))["place"].to_list()
    return layout.tab_style(style=style.text(weight="bold"), locations=[loc.body(rows=places), loc.stub(rows=places)])
