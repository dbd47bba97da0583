"""Judged rows go in; those that share customer and day with another, and the rows without their copies, come out.

In most logs few rows share their day, and only those need be compared in whole. A hash finds them: rows of one day have
the same hash, and where other rows have it by chance, they are compared too and found to differ.
"""

from __future__ import annotations

import polars as pl

DAY_KEY = "day_key"

_SEED = 1
# Where more of the rows than this share their day, to look for them costs more than it saves.
_WORTH_THE_SEARCH = 0.25
# Up to so many days with copies, their rows are held; with more of them, all rows are compared.
_HELD_DAYS = 100_000


def keyed(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add the hash of customer and day."""
    day = pl.col("ordered_at").dt.date().alias("day")
    return rows.with_columns(pl.struct("customer_id", day).hash(_SEED).alias(DAY_KEY))


def repeated(rows: pl.LazyFrame) -> pl.Series | None:
    """Find the days that keyed rows share, in one streaming pass that holds eight bytes for each row."""
    keys = rows.select(DAY_KEY).collect(engine="streaming").to_series().sort()
    again = keys.filter((keys == keys.shift(1)).fill_null(value=False))
    # A day that is there twice has two rows to compare, or more.
    return None if 2 * again.len() > _WORTH_THE_SEARCH * keys.len() else again.unique()


def alone(rows: pl.LazyFrame, days: pl.Series | None) -> pl.LazyFrame:
    """Return the keyed rows that share their day with no other; none where all must be compared."""
    return rows.clear() if days is None else rows.join(days.to_frame().lazy(), on=DAY_KEY, how="anti")


def shared(rows: pl.LazyFrame, days: pl.Series | None) -> pl.LazyFrame:
    """Return the keyed rows that may share their day with another; all where all must be compared."""
    return rows if days is None else rows.join(days.to_frame().lazy(), on=DAY_KEY, how="semi")


def without_copies(rows: pl.LazyFrame, copied: pl.Series) -> pl.LazyFrame:
    """Return keyed rows without those that equal an earlier one, in the order of `rows`."""
    if copied.is_empty():
        return rows
    if copied.len() > _HELD_DAYS:
        return rows.unique(maintain_order=True, keep="first")
    has_copies = pl.col(DAY_KEY).is_in(copied.implode())
    compared = rows.collect_schema().names()
    placed = rows.with_row_index("place")
    held = placed.filter(has_copies).collect(engine="streaming").unique(compared, maintain_order=True, keep="first")
    return placed.filter(~has_copies).merge_sorted(held.lazy(), key="place")
