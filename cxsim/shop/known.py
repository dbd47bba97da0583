"""The rows of a table and a moment in; the rows as they were known at that moment out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

# When a row of each table begins, and what may come to it later.
WHEN: Mapping[str, str] = {
    "orders": "ordered_at",
    "tickets": "created_at",
    "surveys": "sent_at",
    "returns": "returned_at",
    "contacts": "sent_at",
    "sessions": "started_at",
    "members": "joined_at",
    "marketing": "spent_at",
}
LATER: Mapping[str, tuple[str, ...]] = {
    "orders": ("shipped_at", "delivered_at"),
    "tickets": ("first_response_at", "resolved_at"),
    "members": ("left_at",),
}


def known_at(rows: pl.LazyFrame, table: str, end: datetime) -> pl.LazyFrame:
    """Return what was known before a moment: later rows are gone, and what came later has not happened."""
    columns = rows.collect_schema()
    later = {name: pl.when(pl.col(name) < end).then(name) for name in LATER.get(table, ()) if name in columns}
    if "solved_at_first" in columns:
        # Whether the first answer settled it shows when the ticket is closed; without a moment, the file's word counts.
        closed_later = (pl.col("resolved_at") >= end).fill_null(value=False)
        later["solved_at_first"] = pl.when(~closed_later).then("solved_at_first")
    return rows.filter(pl.col(WHEN[table]) < end).with_columns(**later)
