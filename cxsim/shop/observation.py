"""What the files of a shop add to its tables goes in; the same as it was known at the end of observation comes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.joining import Part, last_of, newest, oldest
from cxsim.shop.known import WHEN, known_at
from cxsim.shop.receipt import ReceiptLine

_AN_INSTANT = timedelta(microseconds=1)
# Customers write, visit and answer before a shop's tables of orders begin; what they buy shows when it was watched.
_WATCHED = ("orders", "tickets")


def observed(parts: Sequence[Part], until: datetime | None, place: str) -> tuple[list[Part], datetime, datetime]:
    """Return the parts as they were known at the end of observation, and its two ends.

    Observation begins with the day of the first order or ticket, or else of the first row of all. The clock of the
    machine says nothing of its end.
    """
    starting = [part for part in parts if part.table in _WATCHED] or parts
    starts = [moment for moment in map(oldest, starting) if moment is not None]
    if not starts:
        raise DataError(f"{place}: no usable row.\n" + "\n".join(str(part.receipt) for part in parts))
    since = min(starts).replace(hour=0, minute=0, second=0, microsecond=0)
    end = _last_moment(parts) + _AN_INSTANT if until is None else until
    if end <= since:
        raise DataError(f"{place}: observation would end at {end}, before the first row of {min(starts)}.")
    return [_known(part, end) for part in parts], since, end


def _last_moment(parts: Sequence[Part]) -> datetime:
    """Return when the newest order was placed: a table that was exported later would leave days without orders.

    Without orders the newest moment of all, of which there is one.
    """
    ordered = [moment for part in parts if part.table == "orders" and (moment := last_of(part)) is not None]
    return max(ordered) if ordered else max(moment for moment in map(newest, parts) if moment is not None)


def _known(part: Part, end: datetime) -> Part:
    """Take later rows from a part; of the others, what came later has not happened."""
    gone = int(part.rows.select((pl.col(WHEN[part.table]) >= end).sum()).collect(engine="streaming").item())
    line = ReceiptLine(reason="after the end of observation", action="dropped", rows=gone)
    return part.without(known_at(part.rows, part.table, end), line)
