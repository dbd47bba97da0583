"""Tickets as a support desk exports them go in; one row a ticket, and a count of those set aside, come out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.receipt import ReceiptLine
from cxsim.shop.sifting import Rule, sift

# As any desk writes them, in small letters.
WAITING = ("new", "open", "pending", "hold", "on-hold", "on hold")
DONE = ("solved", "closed", "resolved")
_SET_ASIDE = {"deleted": "deleted", "spam": "spam", "suspended": "suspended as spam", "merged": "merged into another"}


def settled_tickets(tickets: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return one row a ticket, by the first row of each in the file, and what became of the others."""
    rules = [
        Rule(reason="no ticket number", action="dropped", where=pl.col("ticket_id").is_null()),
        Rule(
            reason="no moment of creation, or one that cannot be read",
            action="dropped",
            where=pl.col("created_at").is_null(),
        ),
        *(
            Rule(reason=f"ticket {reason}", action="dropped", where=pl.col("status") == status)
            for status, reason in _SET_ASIDE.items()
        ),
        Rule(
            reason="answered or resolved before it was created",
            action="dropped",
            where=pl.min_horizontal("first_response_at", "resolved_at") < pl.col("created_at"),
        ),
    ]
    kept, lines = sift(tickets, rules)
    single, merged = _merged(kept)
    again = pl.col("resolved_at").is_not_null() & pl.col("status").is_in(WAITING)
    open_again, noticed = sift(
        single,
        [
            Rule(reason="solved once and open again: counted as open", action="kept", where=again),
            Rule(reason="no customer", action="kept", where=pl.col("customer_id").is_null()),
        ],
    )
    closed = pl.when(~again.fill_null(value=False)).then(pl.col("resolved_at"))
    return open_again.with_columns(resolved_at=closed), (*lines, *merged, *noticed)


def minutes(rows: pl.DataFrame, name: str, file: str) -> pl.Expr:
    """Return a column of minutes as a duration; null where it is blank."""
    text = pl.col(name)
    number = text.cast(pl.Float64, strict=False)
    wrong = rows.with_row_index("row").filter(text.is_not_null() & number.is_null()).select("row", name)
    if wrong.height:
        row, cell = wrong.row(0)
        raise DataError(
            f"{file}: row {row + 1} below the header has {cell!r} under '{name}', which must be a number; so have "
            f"{wrong.height - 1:,} further rows. The columns seem to be shifted, as by a comma without quotes: export "
            "the file again and do not save it with a spreadsheet."
        )
    return pl.duration(microseconds=(number * 60_000_000).round().cast(pl.Int64))


def counts(rows: pl.DataFrame, columns: Mapping[str, str]) -> tuple[dict[str, pl.Expr], dict[str, str]]:
    """Return what is counted in every row, and why the other counts are left out."""
    whole: dict[str, pl.Expr] = {}
    lacks = {}
    for name, column in columns.items():
        number = pl.col(column).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
        blank = rows.select(number.is_null().sum()).item()
        if blank:
            lacks[f"tickets.{name}"] = f"{blank:,} of {rows.height:,} rows have no number under '{column}'."
        else:
            whole[name] = number.alias(name)
    return whole, lacks


def _merged(tickets: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    twice = pl.col("ticket_id").is_duplicated()
    several = tickets.filter(twice)
    if several.is_empty():
        return tickets, ()
    # Of rows that were updated at the same moment, the later one in the file; sorts are stable.
    last = several.sort("updated_at", nulls_last=False, maintain_order=True).unique(
        "ticket_id", keep="last", maintain_order=True
    )
    differing = several.unique(maintain_order=True).height - last.height
    alike = several.height - last.height - differing
    lines = (
        ReceiptLine(reason="a further row of the same ticket, alike", action="merged", rows=alike),
        ReceiptLine(
            reason="a further row of the same ticket that says otherwise: the one updated last holds",
            action="merged",
            rows=differing,
        ),
    )
    return pl.concat([tickets.filter(~twice), last]), lines
