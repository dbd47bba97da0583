"""What it is worth to know a number before deciding in; a table of the most that one should pay for an answer, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.business_tables import INFORMATION
from cxsim.exhibits.in_units import first_sentence
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import written_as
from cxsim.tables import check
from cxsim.wording import MISSING, NBSP, money, number, percent

# Single numbers that are shown of each decision, the most worthwhile first; the twin has them all.
_SHOWN = 3
_EVERYTHING = "everything"
# A worth below so many of its errors is not told apart from nothing.
_APART = 2.0


def information_table(information: pl.DataFrame, currency: str) -> Table | Prose:
    """List what it would be worth to know before deciding, most first.

    Parameters
    ----------
    information
        Table under `INFORMATION`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        Of each decision everything, and the groups and the few single numbers that are worth anything; its twin has all
        of them. One sentence where nothing was asked.

    Raises
    ------
    TableError
        For a table that is not under `INFORMATION`.
    """
    table = check(information, INFORMATION)
    if table.is_empty():
        return remark("Nothing here is uncertain, so there is nothing that would be worth knowing before deciding.")
    heads = {"kind": "What it is", "worth": f"Worth at most, {currency}", "share": "Of the worth of knowing everything"}
    title = _finding(table, currency)
    parts = table.partition_by("decision", maintain_order=True)
    rows = [row for part in parts for row in _sorted(part.filter(_shown())).rows(named=True)]
    layout = laid_out(
        pl.DataFrame(
            [_cells(row) for row in rows], schema=dict.fromkeys(["group", "line", *heads], pl.String), orient="row"
        ),
        title=title,
        subtitle=f"By how much the decision would be better on average if the answer were known first; {currency}",
        heads=heads,
        text=("kind",),
        notes=(
            (
                "A perfect answer is worth what it saves: the money lost by funding what does not pay, or missed by "
                "not funding what does, weighted by how likely that is. It is the most that a test, a survey or a "
                "study should cost; a real test answers less than perfectly and is worth less."
            ),
            "An answer that would not change the decision is worth nothing, however uncertain the number is.",
            (
                f"±: simulation error. Shown are groups and at most {_SHOWN} single numbers of each decision, where "
                "they are worth anything; the CSV file lists all. The worths of single answers do not add up to that "
                "of everything."
            ),
        ),
    )
    return Table(id="information", title=title, layout=layout, twin=table)


def _shown() -> pl.Expr:
    return (pl.col("id") == _EVERYTHING) | ((pl.col("rank") <= _SHOWN) & (pl.col("worth") > 0.0))


def _sorted(part: pl.DataFrame) -> pl.DataFrame:
    """Return everything, then groups, then single numbers, each with the most worthwhile first."""
    return part.sort(pl.col("id") != _EVERYTHING, pl.col("rank") > 0, -pl.col("worth"), "rank", "id")


def _kind(row: Mapping[str, Any]) -> str:
    if row["id"] == _EVERYTHING:
        return "all"
    return f"one{NBSP}number" if row["rank"] > 0 else "a group"


def _cells(row: Mapping[str, Any]) -> list[str]:
    share = row["share_of_everything"]
    return [
        row["title"],
        first_sentence(row["description"]),
        _kind(row),
        f"{_amount(row['worth'])} ± {_amount(row['mc_error'])}",
        MISSING if share is None or row["id"] == _EVERYTHING else percent(share),
    ]


def _amount(amount: float) -> str:
    return number(amount) if amount > 0.0 else "0"


@written_as("en")
def _finding(table: pl.DataFrame, currency: str) -> str:
    single = table.filter(pl.col("rank") > 0).sort(["worth", "decision", "id"], descending=[True, False, False])
    known = single.filter(pl.col("worth") > _APART * pl.col("mc_error"))
    if known.is_empty():
        most = table.filter(pl.col("id") == _EVERYTHING)["worth"].max()
        bound = "" if most is None else f"; even knowing everything is worth at most {money(float(most), currency)}"  # type: ignore[arg-type]
        return f"No single answer is worth paying for before deciding{bound}"
    best = known.row(0, named=True)
    what = first_sentence(best["description"])
    return f"Worth knowing first, at most {money(best['worth'], currency)}: {what} ({best['title']})"
