"""Moments in; the periods of equal length that they lie in, counted so that the last one ends with the observation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from cxsim.errors import DataError
from cxsim.shop import Shop


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Complete periods of equal length, numbered from 0.

    Attributes
    ----------
    start
        Start of period 0; at most one period after the observation began.
    every_days
        Length of a period.
    count
        How many there are.
    """

    start: datetime
    every_days: int
    count: int

    @classmethod
    def of(cls, shop: Shop, every_days: int) -> Windows:
        """Return the complete periods of a shop's observation."""
        if every_days < 1:
            raise DataError(f"every_days must be 1 or more; found {every_days}.")
        length = timedelta(days=every_days)
        count = max(0, (shop.until - shop.since) // length)
        if count < _FEWEST:
            periods = "period" if count == 1 else "periods"
            raise DataError(
                f"{shop.name}: observed from {shop.since:%Y-%m-%d} to {shop.until:%Y-%m-%d}, which holds {count} "
                f"complete {periods} of {every_days} days; at least {_FEWEST} are "
                "needed. Choose shorter periods."
            )
        return cls(start=shop.until - count * length, every_days=every_days, count=count)

    def place(self, moment: str) -> pl.Expr:
        """Return the number of the period that a moment lies in; below 0 before the first one."""
        since = (pl.col(moment).cast(pl.Datetime("us")) - pl.lit(self.start, dtype=pl.Datetime("us"))).dt
        return since.total_microseconds().floordiv(self.every_days * _MICROSECONDS).cast(pl.Int64)

    def end(self, place: str) -> pl.Expr:
        """Return the moment at which a period ends."""
        return pl.lit(self.start, dtype=pl.Datetime("us")) + pl.duration(days=(pl.col(place) + 1) * self.every_days)


_FEWEST = 3
_MICROSECONDS = 86_400_000_000
