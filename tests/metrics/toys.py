"""Shops of a few rows, every number of which can be reckoned by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from cxsim.data.shop import Shop
from cxsim.metrics.dashboard import dashboard

JANUARY, FEBRUARY, MARCH, APRIL = (datetime.fromisoformat(f"2024-0{month}-01") for month in (1, 2, 3, 4))
# Whoever is in a pattern lives four times, so that no number is kept back for being of too few.
COPIES = 4


def shop_of(*, since: datetime | None = None, until: datetime = APRIL, **tables: pl.DataFrame) -> Shop:
    """Return a shop with these tables that was observed from January 2022 to the end of March 2024."""
    lazy = {name: table.lazy() for name, table in tables.items()}
    return Shop(name="toy", currency="EUR", since=since or datetime.fromisoformat("2022-01-01"), until=until, **lazy)


def measured(shop: Shop, *, periods: int = 2) -> dict[str, dict[str, object]]:
    """Return the rows of the dashboard of the last month, by metric."""
    table = dashboard(shop, every="month", periods=periods).table
    return {row["metric"]: row for row in table.iter_rows(named=True)}


def copied(rows: Sequence[Mapping[str, object]], *names: str, copies: int = COPIES) -> pl.DataFrame:
    """Return each row so many times, with identifiers in the columns `names` of its own."""
    return pl.DataFrame(
        [
            {name: f"{value}~{copy}" if name in names and value is not None else value for name, value in row.items()}
            for copy in range(copies)
            for row in rows
        ],
        infer_schema_length=None,
    )


def orders(*rows: tuple[str, datetime, float], copies: int = COPIES) -> pl.DataFrame:
    """Return orders of customer, moment and amount."""
    numbered = [
        {"order_id": f"o{place}", "customer_id": customer, "ordered_at": at, "amount": amount}
        for place, (customer, at, amount) in enumerate(rows)
    ]
    return copied(numbered, "order_id", "customer_id", copies=copies)


def noon(day: str, after: float = 0.0) -> datetime:
    """Return the noon of a day, or so many days after it."""
    return datetime.fromisoformat(f"{day}T12:00") + timedelta(days=after)
