"""The days that orders span, in; the days at which forecasts are made and how far they look ahead, out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from cxsim.data import Transactions
from cxsim.errors import DataError, choices
from cxsim.tables import TRANSACTIONS

# By default a forecast looks ahead over this part of the time that orders span.
_PART = 4
Orders = Transactions | pl.DataFrame | pl.LazyFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """When forecasts are made.

    Attributes
    ----------
    first
        Day of the first order.
    days
        The origins, ascending: last days that a forecast knows of.
    horizon_days
        How far each looks ahead.
    """

    first: date
    days: tuple[date, ...]
    horizon_days: int

    def end(self, origin: date) -> date:
        """Return the last day that the forecast of an origin looks at."""
        return origin + timedelta(days=self.horizon_days)


def planned(
    transactions: Orders, *, origins: int, horizon_days: int | None = None, observed_until: date | None = None
) -> Plan:
    """Return evenly spaced origins, half a horizon apart, the last one a horizon before the end."""
    if origins < 1 or (horizon_days is not None and horizon_days < 1):
        raise DataError(f"origins and horizon_days must be at least 1; found {origins} and {horizon_days}.")
    first, end = _span(transactions, observed_until)
    span = (end - first).days
    horizon = max(span // _PART, 1) if horizon_days is None else horizon_days
    days = tuple(end - timedelta(days=horizon + back * horizon // 2) for back in reversed(range(origins)))
    if (days[0] - first).days < horizon:
        longest = max((2 * span) // (origins + 3), 0)
        possible = f"horizon_days up to {longest}" if longest else "more days of orders"
        fewer = ", or fewer origins" if origins > 1 else ""
        raise DataError(
            f"orders span {span} days, {first.isoformat()} to {end.isoformat()}; {origins} origins with a horizon of "
            f"{horizon} days need {2 * horizon + (origins - 1) * horizon // 2}, as the first must have as many days to "
            f"learn from as it looks ahead; possible: {possible}{fewer}."
        )
    return Plan(first=first, days=days, horizon_days=horizon)


def _span(transactions: Orders, observed_until: date | None) -> tuple[date, date]:
    known = transactions.until if isinstance(transactions, Transactions) else None
    table = transactions.table if isinstance(transactions, Transactions) else transactions.lazy()
    names = table.collect_schema().names()
    if "ordered_at" not in names:
        raise DataError(f"{TRANSACTIONS.name}: no column 'ordered_at'; {choices('ordered_at', names)}")
    day = pl.col("ordered_at").cast(pl.Date)
    first, last = table.select(first=day.min(), last=day.max()).collect(engine="streaming").row(0)
    if first is None:
        raise DataError("there are no orders to look back on.")
    return first, observed_until or known or last
