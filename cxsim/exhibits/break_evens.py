"""Break-evens of uncertain numbers in; a table of how far each must be off for a strategy's sign to change, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.business_tables import BREAK_EVENS
from cxsim.exhibits.in_units import as_written, first_sentence, found, span
from cxsim.exhibits.plausible import plausible
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.tables import check
from cxsim.wording import NBSP, counted, joined, number

_METHODS: Mapping[str, str] = {"played": "played again", "booked": "booked again"}
# So many strategies are named in a title; of more, their number is told.
_TOLD = 3


def break_evens_table(break_evens: pl.DataFrame, currency: str) -> Table | Prose:
    """List the values at which each number alone would bring a strategy's base case to zero.

    Parameters
    ----------
    break_evens
        Table under `BREAK_EVENS`, of each strategy the nearest break-even first.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per number that has a break-even, under its strategy, and one row that counts those without; its twin
        has all of them. One sentence where no number has a spread.

    Raises
    ------
    TableError
        For a table that is not under `BREAK_EVENS`.
    """
    table = check(break_evens, BREAK_EVENS)
    if table.is_empty():
        return remark("No number of the strategies or of the shop's economics has a spread, so none was moved.")
    heads = {
        "now": "Plan",
        "range": f"98{NBSP}% range",
        "unit": "Unit",
        "limit": "Pays at",
        "plausible": "How plausible that is",
        "error": f"±, {currency}",
        "method": "How it was found",
    }
    parts = table.partition_by("strategy", maintain_order=True)
    title = _finding(parts)
    layout = laid_out(
        pl.DataFrame(
            [row for part in parts for row in _rows(part, currency)],
            schema=dict.fromkeys(["group", "line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle="One number moved at a time, all others at their central value: the base case",
        heads=heads,
        text=("unit", "plausible", "method"),
        notes=(
            (
                "Pays at: from the value on at which net present value of the base case is zero. The search covers "
                f"the 98{NBSP}% range of what is believed, and the range in which nine chances in ten lie is called "
                "believed."
            ),
            "Chance: that the number lies there or farther out, by what is believed of it today.",
            (
                "±: simulation error of the net present value there. Played again: customers were simulated anew "
                "with each value; booked again: a price, which changes no customer, was put on the same counts."
            ),
        ),
    )
    return Table(id="break-evens", title=title, layout=layout, twin=table)


def _rows(part: pl.DataFrame, currency: str) -> list[list[str]]:
    rows = part.rows(named=True)
    reached = [_cells(row, currency) for row in rows if row["break_even"] is not None]
    rest = len(rows) - len(reached)
    if rest:
        numbers = "number" if rest == 1 else "numbers"
        others = "other " if reached else ""
        told = f"{counted(rest)} {others}{numbers}: {plausible(None)}".capitalize()
        reached.append([rows[0]["title"], told, *[""] * 7])
    return reached


def _cells(row: Mapping[str, Any], currency: str) -> list[str]:
    return [
        row["title"],
        first_sentence(row["description"]),
        as_written(row["value"], row["unit"], currency=currency),
        span(found(row["low"]), found(row["high"]), row["unit"], currency=currency),
        row["unit"].replace("unit of money", currency).replace("money", currency),
        _pays(row, currency),
        plausible(row["score"]),
        number(row["mc_error"]),
        _METHODS.get(row["method"], row["method"]),
    ]


def _pays(row: Mapping[str, Any], currency: str) -> str:
    """Return the break-even with the side of it on which the strategy pays, as far as its base case tells."""
    below = (row["break_even"] < row["value"]) != (row["npv"] > 0.0)
    limit = as_written(found(row["break_even"]), row["unit"], currency=currency)
    return f"{limit} or {'less' if below else 'more'}"


def _finding(parts: list[pl.DataFrame]) -> str:
    """Return for which strategies one number within its 90 % range is enough to change the sign."""
    near = [str(part["title"][0]) for part in parts if part["score"].abs().min() is not None and _believed(part)]
    if not near:
        return "No single number, within what is believed of it, turns a gain into a loss or a loss into a gain"
    named = joined(near) if len(near) <= _TOLD else f"{counted(len(near))} of {counted(len(parts))} strategies"
    return f"One number alone, moved within what is believed of it, could turn the result of {named}"


def _believed(part: pl.DataFrame) -> bool:
    return any(plausible(score).startswith("within") for score in part["score"].drop_nulls())
