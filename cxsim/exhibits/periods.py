"""The statement year by year and quarter by quarter: a table under PERIODS in, without, with and difference, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from cxsim.business_tables import PERIODS
from cxsim.errors import TableError, choices
from cxsim.exhibits.ladder import RESULT, SUBTOTALS, bold, grouped
from cxsim.exhibits.showing import Table, laid_out
from cxsim.number_style import turned
from cxsim.tables import check
from cxsim.wording import INTERVAL, MINUS, joined

LADDER_NOTE = (
    "Costs are negative. Net revenue: sales and fees less markdowns and refunds. Contribution margin 1 (CM1): net "
    "revenue less the cost of goods. Margin 2 (CM2): also less payment fees, picking, packing, shipping, returns and "
    "support. Margin 3 (CM3): also less rewards, points still outstanding, compensation and acquisition. Cash "
    "contribution: also less what the programme costs."
)
_SUMS_NOTE = (
    "Present value: later amounts counted for less, at the discount rate of each draw. So far: the sum since the "
    "start. Every amount is a mean over all draws."
)
_LEFT_OUT = "Accounts without any entry are left out."
_ONLY_SUBTOTALS = "Subtotals alone; the table's file holds every account, with an interval for each."
_SIDES = {"baseline": "Without the strategy", "treated": "With the strategy", "incremental": "Difference"}
# Rows below the ladder, about the difference in its last line.
_BELOW = {
    "discounted": "Difference in cash, at present value",
    "cumulative": "Difference in cash so far",
    "cumulative_discounted": "Difference in cash so far, at present value",
}
# The subtotals that a quarter is told by.
_BRIEFLY = (SUBTOTALS[0], *SUBTOTALS[-2:])
# From so large an amount on, a statement is read in whole units of the currency.
_WHOLE = 1_000.0

Cell = dict[str, Any]
Written = Callable[[float], str]


def periods_table(periods: pl.DataFrame, currency: str, strategy: str | None = None) -> Table:
    """Lay out the statement without a strategy, with it, and the difference, by year and in total.

    Parameters
    ----------
    periods
        Table under `PERIODS`; strategies, periods and lines in the order in which they are shown.
    currency
        Code of the currency, as "USD".
    strategy
        The one whose accounts are shown, all of them that have an entry; without it, the subtotals of all strategies.

    Returns
    -------
    Table
        One column per year and one for the total. Below the ladder, of the difference in cash: its present value and
        both sums so far. The twin holds months and quarters too, with the interval of each line.

    Raises
    ------
    TableError
        For a table that is not under `PERIODS`, or a strategy that is not in it.
    """
    rows = _chosen(periods, strategy)
    shown = rows.filter(pl.col("grain").is_in(["year", "total"]))
    labels = _years(shown)
    written = amounts_as_text(shown, list(_SIDES))
    parts = shown.filter(pl.col("label").is_in(labels)).partition_by("strategy", maintain_order=True)
    told = [row for part in parts for row in (_subtotals if strategy is None else _accounts)(part, written)]
    heads = {f"period_{place}": label for place, label in enumerate(labels)}
    cells = pl.DataFrame(told, schema=dict.fromkeys(["mark", "group", "line", *heads], pl.String), orient="row")
    title = _finding(rows)
    layout = laid_out(
        cells.drop("mark"),
        title=title,
        subtitle=f"{currency}, not discounted but where it says so; means over all draws, and {INTERVAL}s",
        heads=heads,
        notes=[LADDER_NOTE, _SUMS_NOTE, _LEFT_OUT if strategy else _ONLY_SUBTOTALS],
    )
    name = "periods" if strategy is None else f"periods-{strategy.replace('_', '-')}"
    layout = bold(layout, cells.select(line="mark"))
    return Table(id=name, title=title, layout=layout, twin=rows.drop("group"))


def quarters_table(periods: pl.DataFrame, currency: str, strategy: str | None = None) -> Table:
    """Lay out the difference that each strategy makes quarter by quarter.

    Parameters
    ----------
    periods, currency
        As in `periods_table`.
    strategy
        The one that is shown; without it, all.

    Returns
    -------
    Table
        One row per strategy and quarter, folded under its title: net revenue, margin 3 and cash, the interval of the
        last, its present value and the sums so far. The twin holds every account, without and with the strategy too.

    Raises
    ------
    TableError
        As `periods_table`.
    """
    rows = _chosen(periods, strategy).filter(pl.col("grain") == "quarter")
    result = rows.filter(pl.col("line") == RESULT)
    margins = {f"margin_{place}": rows.filter(line=name)["incremental"] for place, name in enumerate(_BRIEFLY)}
    sums = {"discounted": "At present value", "cumulative": "So far", "cumulative_discounted": "So far, present value"}
    heads = {short: name.capitalize() for short, name in zip(margins, _BRIEFLY, strict=True)}
    heads |= {"span": f"Its {INTERVAL}"} | sums
    written = amounts_as_text(result, list(sums))
    amounts = result.with_columns(**margins)
    cells = result.select("group", line="label").with_columns(
        pl.Series("span", [f"{written(low)} to {written(high)}" for low, high in result.select("low", "high").rows()]),
        *(pl.Series(name, [written(amount) for amount in amounts[name]]) for name in (*margins, *sums)),
    )
    title = f"{result['group'][0]}, quarter by quarter" if strategy else "Difference quarter by quarter"
    layout = laid_out(
        cells.select("group", "line", *heads),
        title=title,
        subtitle=f"{currency}, with the strategy less without it; quarters are three months from the start",
        heads=heads,
        notes=[LADDER_NOTE, f"Interval, present value and sums so far: of the cash contribution. {_SUMS_NOTE}"],
    )
    name = "quarters" if strategy is None else f"quarters-{strategy.replace('_', '-')}"
    subtotals_alone = rows.filter(pl.col("line").is_in(SUBTOTALS)).drop("group")
    return Table(id=name, title=title, layout=layout, twin=subtotals_alone, fold="folded")


def amounts_as_text(rows: pl.DataFrame, amounts: Sequence[str]) -> Written:
    """Return how amounts are written: in whole units of the currency where the largest of them allows it."""
    largest = max(float(abs(amount)) for name in amounts for amount in rows[name].drop_nulls())
    decimals = 0 if largest >= _WHOLE else 2
    # The added zero takes the sign off an amount that is rounded to nothing.
    return lambda amount: turned(f"{round(amount, decimals) + 0.0:,.{decimals}f}".replace("-", MINUS))


def _chosen(periods: pl.DataFrame, strategy: str | None) -> pl.DataFrame:
    rows = grouped(check(periods, PERIODS))
    if strategy is None:
        return rows
    known = rows["strategy"].unique(maintain_order=True).to_list()
    if strategy not in known:
        raise TableError(f"PERIODS: no strategy '{strategy}'; {choices(strategy, known)}")
    return rows.filter(pl.col("strategy") == strategy)


def _years(shown: pl.DataFrame) -> list[str]:
    """Return the labels of the years, and that of the total at the end; a single year is the total."""
    labels: list[str] = shown["label"].unique(maintain_order=True).to_list()
    return labels if len(labels) > 2 else labels[-1:]


def _by_line(part: pl.DataFrame) -> dict[str, list[Cell]]:
    """Return the periods of each line."""
    parts = part.partition_by("line", maintain_order=True)
    return {str(one["line"][0]): one.rows(named=True) for one in parts}


def _subtotals(part: pl.DataFrame, written: Written) -> list[list[str]]:
    """Return the rows of one strategy: what is in bold, group, line and one cell per period."""
    lines, group = _by_line(part), str(part["group"][0])
    cash = lines[RESULT]
    rows = [
        ["", group, f"Cash contribution {words.lower()}", *(written(cell[side]) for cell in cash)]
        for side, words in list(_SIDES.items())[:2]
    ]
    for name in SUBTOTALS:
        mark = name if name == RESULT else ""
        rows.append([mark, group, f"Difference in {name}", *(written(cell["incremental"]) for cell in lines[name])])
    return [*rows, _interval(group, cash, written), *_below(group, cash, written)]


def _accounts(part: pl.DataFrame, written: Written) -> list[list[str]]:
    """Return the same with all accounts that have an entry: without the strategy, with it, and the difference."""
    rows = []
    for side, group in _SIDES.items():
        for name, cells in _by_line(part).items():
            if name not in SUBTOTALS and all(cell[any_side] == 0.0 for cell in cells for any_side in _SIDES):
                continue
            rows.append([name, group, name[0].upper() + name[1:], *(written(cell[side]) for cell in cells)])
            if side == "incremental" and name in SUBTOTALS:
                rows.append(_interval(group, cells, written))
    return [*rows, *_below(_SIDES["incremental"], _by_line(part)[RESULT], written)]


def _interval(group: str, cells: Sequence[Cell], written: Written) -> list[str]:
    return ["", group, f"Its {INTERVAL}", *(f"{written(cell['low'])} to {written(cell['high'])}" for cell in cells)]


def _below(group: str, cash: Sequence[Cell], written: Written) -> list[list[str]]:
    """Return present value and sums so far of the difference in cash."""
    return [["", group, words, *(written(cell[name]) for cell in cash)] for name, words in _BELOW.items()]


def _finding(rows: pl.DataFrame) -> str:
    """Return who is ahead at the end; for a single strategy, since when."""
    years = rows.filter((pl.col("line") == RESULT) & (pl.col("grain") == "year"))
    ends = years.group_by("group", maintain_order=True).agg(pl.col("cumulative_discounted").last())
    ahead = ends.filter(pl.col("cumulative_discounted") > 0.0)["group"].to_list()
    behind = ends.filter(pl.col("cumulative_discounted") <= 0.0)["group"].to_list()
    if not ahead:
        nobody = joined(behind) if ends.height == 1 else "no strategy"
        return f"At present value {nobody} brings {'no ' if ends.height == 1 else ''}more cash than doing nothing"
    if ends.height == 1:
        late = years.with_row_index("year", offset=1).filter(pl.col("cumulative_discounted") <= 0.0)["year"].to_list()
        return f"{ahead[0]} is ahead of doing nothing, at present value, from year {max(late, default=0) + 1} on"
    told = f"At present value {joined(ahead)} bring{'s' if len(ahead) == 1 else ''} more cash than doing nothing"
    return f"{told}; {joined(behind)} {'does' if len(behind) == 1 else 'do'} not" if behind else told
