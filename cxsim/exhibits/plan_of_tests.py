"""Tests that would tell whether strategies pay in; a table of whom to test, how long, and what it is worth, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.business_tables import TEST_PLAN
from cxsim.exhibits.in_units import lowered
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import retold, turned, written_as
from cxsim.tables import check
from cxsim.wording import MISSING, joined, money, number, percent

_NOTES = (
    (
        "Usual ± spread: mean and standard deviation of the outcome between customers, per customer. Gain to "
        "be seen: the true difference per customer that the test finds with the chance above."
    ),
    (
        "There are: customers whom the strategy may reach within the first year. Weeks: from the first "
        "customer in the test until the last has been watched. A dash: too few customers come."
    ),
    (
        "Worth at most: what it would be worth to have the answer before deciding, if the test gave it without "
        "error; cost of the test not taken off."
    ),
)


def test_plan_table(test_plan: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out the test of each strategy: customers, duration, the gain it must show and what its answer is worth.

    Parameters
    ----------
    test_plan
        Table under `TEST_PLAN`.
    currency
        Code of the currency, as "USD"; that of the outcome, of the difference and of the worth.

    Returns
    -------
    Table or Prose
        One row per length of watching, under the strategy; one sentence where no test is planned.

    Raises
    ------
    TableError
        For a table that is not under `TEST_PLAN`.
    """
    table = check(test_plan, TEST_PLAN)
    if table.is_empty():
        return remark("No test is planned here: there is no number whose answer could change a decision.")
    heads = {
        "usual": f"Usual ± spread, {currency}",
        "difference": f"Gain to be seen, {currency}",
        "per_group": "Customers in each group",
        "available": "There are",
        "weeks": "Weeks to the decision",
        "worth": f"Worth at most, {currency}",
        "remark": "Remark",
    }
    title = _finding(table, currency)
    layout = laid_out(
        pl.DataFrame(
            [_cells(row) for row in table.rows(named=True)],
            schema=dict.fromkeys(["group", "line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle=f"The strategy for one half of those it may reach, nothing for the other, by lot; {_chances(table)}",
        heads=heads,
        text=("remark",),
        notes=(*_verdicts(table), *_NOTES),
    )
    return Table(id="test-plan", title=title, layout=layout, twin=table)


def _verdicts(table: pl.DataFrame) -> list[str]:
    chosen = table.filter("chosen").select("title", "verdict").rows()
    return [f"{title}: {lowered(retold(verdict))}" for title, verdict in chosen]


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["description"],
        retold(row["outcome"]),
        f"{number(row['mean'])} ± {number(row['sd'])}",
        number(row["difference"]),
        turned(f"{row['per_group']:,}"),
        turned(f"{row['available']:,}"),
        _weeks(row),
        number(row["worth"]) if row["chosen"] else "",
        "best of these" if row["chosen"] else "",
    ]


def _weeks(row: Mapping[str, Any]) -> str:
    return MISSING if row["weeks"] is None else turned(f"{row['weeks']:,.0f}")


def _chances(table: pl.DataFrame) -> str:
    """Return the chances of a false alarm and of seeing a true gain, as the tests have them."""
    pairs = table.select("alpha", "power").unique().sort("alpha", "power").rows()
    told = [
        f"{percent(alpha)} chance of a false alarm, {percent(power)} of seeing a true gain" for alpha, power in pairs
    ]
    return joined(told)


@written_as("en")
def _finding(table: pl.DataFrame, currency: str) -> str:
    possible = table.filter(pl.col("chosen") & pl.col("weeks").is_not_null() & (pl.col("worth") > 0.0))
    if possible.is_empty():
        return "No test is both possible with these customers and worth anything"
    first = possible.sort(["worth", "strategy"], descending=[True, False]).row(0, named=True)
    return (
        f"Test {first['title']} first: {2 * first['per_group']:,} customers and {first['weeks']:,.0f} weeks for an "
        f"answer worth at most {money(first['worth'], currency)}"
    )
