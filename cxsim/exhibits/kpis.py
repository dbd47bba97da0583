"""What figures of customer experience do with each strategy and without: a table under KPIS in, it laid out, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from cxsim.business_tables import KPIS
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import priced, written_as
from cxsim.tables import check
from cxsim.wording import INTERVAL, MINUS, NBSP, compared, counted, joined, measured, measured_span, precision

_BETTER = {"up": "higher", "down": "lower", "none": "neither"}
_LEADING = "orders_per_customer"
# So many strategies are named in a title.
_TOLD = 3
# The most decimals of means of money and of ratios; other units have their own.
_DECIMALS = {"money": 2, "ratio": 4}


def kpis_table(kpis: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out each figure without a strategy and with it, and the difference.

    Parameters
    ----------
    kpis
        Table under `KPIS`; figures and strategies in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One group per figure, headed by its name and definition, and in it one row per strategy. The title says which
        strategies clearly change how often customers order, and by how much. One sentence where there is no figure.

    Raises
    ------
    TableError
        For a table that is not under `KPIS`.
    """
    table = check(kpis, KPIS)
    if table.is_empty():
        return remark(
            "There are no figures to compare: no strategy here is believed, so none was played against doing nothing."
        )
    heads = {
        "baseline": "Doing nothing",
        "treated": "With the strategy",
        "difference": "Difference",
        "interval": f"Its {INTERVAL}",
        "words": "In words",
    }
    parts = table.partition_by("kpi", maintain_order=True)
    title = _finding(table)
    layout = laid_out(
        pl.DataFrame([_cells(row, currency) for part in parts for row in part.rows(named=True)]),
        title=title,
        subtitle="Over the whole horizon; means over all draws",
        heads=heads,
        text=("words",),
        notes=(
            (
                "Follows from the simulation: it shows by which way the money comes, and is no forecast of scores. A "
                "figure can move without any money moving, and the other way round."
            ),
            "pp: percentage points. Clearly: the interval of the difference does not hold zero.",
            "Ratios are of sums over all customers and months, so customers who order often weigh more.",
        ),
    )
    return Table(id="kpis", title=title, layout=layout, twin=table)


@written_as("en")
def _finding(table: pl.DataFrame) -> str:
    orders = table.filter(pl.col("kpi") == _LEADING)
    clear = orders.filter((pl.col("low") > 0.0) | (pl.col("high") < 0.0)).with_columns(
        change=100.0 * pl.col("difference") / pl.col("baseline")
    )
    if clear.is_empty():
        return "No strategy clearly changes how often customers order"
    ranked = clear.sort(pl.col("change").abs(), descending=True, maintain_order=True).rows(named=True)
    changes = [f"{row['change']:+.1f}{NBSP}%".replace("-", MINUS) for row in ranked[:_TOLD]]
    told = [f"{change} with {row['title']}" for change, row in zip(changes, ranked, strict=False)]
    rest = len(ranked) - len(told)
    more = f", and clearly with {counted(rest)} more" if rest else ""
    return f"Orders per customer change by {joined(told)}{more}"


def _cells(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    unit, ends = row["unit"], (row["low"], row["high"])
    levels, changes = (row["baseline"], row["treated"]), (row["difference"], *ends)
    if unit in _DECIMALS:
        before, after = _written(levels, unit)
        difference, low, high = _written(changes, unit, sign="always")
        if unit == "money":
            before, after, difference = (priced(text, currency) for text in (before, after, difference))
        interval = f"{low} to {high}"
    else:
        before, after = (measured(level, unit, currency) for level in levels)
        difference = measured(row["difference"], unit, currency, of="change")
        interval = measured_span(*ends, unit, of="change")
    return {
        "group": f"{row['label']}: {row['definition'][:1].lower()}{row['definition'][1:]}",
        "line": row["title"],
        "baseline": before,
        "treated": after,
        "difference": difference,
        "interval": interval,
        "words": compared(*ends, _BETTER[row["direction"]]),
    }


def _written(values: Sequence[float], unit: str, *, sign: Literal["always", "below zero"] = "below zero") -> list[str]:
    """Return values rounded together, to as many decimals as mean anything in their unit."""
    together = precision(values)
    together = dataclasses.replace(together, decimals=min(together.decimals, _DECIMALS[unit]))
    plus = ["+" if sign == "always" and value > 0.0 and not together.is_nothing(value) else "" for value in values]
    return [f"{mark}{together.text(value)}" for mark, value in zip(plus, values, strict=True)]
