"""Orders and what may follow them in; the orders old enough, and watched early enough, to tell whether it does, out.

What a shop sees of yesterday's orders says nothing of their returns yet, and what it sees of orders from before its
first ticket nothing of their tickets. Both are left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

# An order is old enough when so many of all delays are over: the rest is too little to matter.
_OVER = 0.99


def ripe(orders: pl.LazyFrame, events: pl.LazyFrame, when: str, *, until: datetime) -> tuple[pl.LazyFrame, timedelta]:
    """Return the orders that tell, and after how long an order does."""
    delays = (
        events.select("order_id", when)
        .drop_nulls()
        .join(orders.select("order_id", "ordered_at"), on="order_id")
        .select(delay=pl.col(when) - pl.col("ordered_at"))
        .filter(pl.col("delay") >= timedelta())
        .select(pl.col("delay").quantile(_OVER, "higher"))
    )
    first, delay = pl.collect_all([events.select(pl.col(when).min()), delays])
    wait = delay.item() or timedelta()
    begins = first.item()
    watched = orders if begins is None else orders.filter(pl.col("ordered_at") > begins)
    return watched.filter(pl.col("ordered_at") <= until - wait), wait
