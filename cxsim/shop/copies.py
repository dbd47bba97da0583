"""Rows with a column that names them go in; the rows that share a name with another are found by their hashes."""

from __future__ import annotations

import polars as pl

from cxsim.errors import DataError

_SEED = 1


def hashes(rows: pl.LazyFrame, name: str) -> pl.Series:
    """Return the hash of every row's name, sorted: eight bytes a row, in one streaming pass."""
    return rows.select(pl.col(name).hash(_SEED)).collect(engine="streaming").to_series().sort()


def named_by(name: str, keys: pl.Series) -> pl.Expr:
    """Whether a row's name has one of some hashes."""
    return pl.col(name).hash(_SEED).is_in(keys.implode())


def without_copies(rows: pl.LazyFrame, name: str, file: str) -> tuple[pl.LazyFrame, int]:
    """Return the rows without those that equal an earlier one, and how many these are."""
    keys = hashes(rows, name)
    again = keys.filter((keys == keys.shift(1)).fill_null(value=False)).unique()
    if again.is_empty():
        return rows, 0
    held = rows.filter(named_by(name, again)).collect(engine="streaming")
    once = held.unique(maintain_order=True, keep="first")
    differing = once[name].filter(once[name].is_duplicated()).unique().sort()
    if differing.len():
        raise DataError(
            f"{file}: {differing.len():,} values of {name} stand for rows that differ, such as {differing[0]!r}; each "
            "row must have its own."
        )
    return pl.concat([rows.filter(~named_by(name, again)), once.lazy()]), held.height - once.height
