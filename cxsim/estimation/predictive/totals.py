"""Sums of all customers in each draw, in; a table of them and one with intervals, for each group, out."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError, choices
from cxsim.estimation.predictive.kernel import BUYERS, ORDERS, PART_BITS, PARTS, UNITS, Question

# Columns of the tables that a group's own column must not hide.
_TAKEN = ("draw", "orders", "buyers", "value", "quantity", "mean", "low", "high")


def grouped(rfm: pl.DataFrame, by: str | None) -> tuple[pl.DataFrame, int, pl.DataFrame]:
    """Return `rfm` with the column `group` that the kernel counts by, the number of groups, and their names."""
    if by is None:
        return rfm.with_columns(group=pl.lit(0, pl.Int64)), 1, pl.DataFrame()
    if by not in rfm.columns or by in _TAKEN:
        possible = [name for name in rfm.columns if name not in _TAKEN]
        raise EstimationError(f"totals by column '{by}': {choices(by, possible)}")
    if rfm[by].null_count():
        raise EstimationError(f"totals by column '{by}': {rfm[by].null_count()} of {rfm.height} values are missing.")
    names = rfm.select(by).unique().sort(by)
    groups = rfm.with_columns(group=pl.col(by).rank("dense").cast(pl.Int64) - 1)
    return groups, names.height, names


def totals_by_draw(counts: NDArray[np.int64], names: pl.DataFrame, quantities: list[str]) -> pl.DataFrame:
    """Return one row per group and draw: the group's name if it has one, draw, and the `quantities`."""
    groups, draws, _ = counts.shape
    columns = {
        "orders": counts[..., ORDERS].ravel(),
        "buyers": counts[..., BUYERS].ravel(),
        "value": (counts[..., UNITS] + np.ldexp(counts[..., PARTS].astype(np.float64), -PART_BITS)).ravel(),
    }
    named = [names[name].gather(np.repeat(np.arange(groups), draws)) for name in names.columns]
    drawn = pl.Series("draw", np.tile(np.arange(draws), groups))
    return pl.DataFrame([*named, drawn, *(pl.Series(name, columns[name]) for name in quantities)])


def totals(by_draw: pl.DataFrame, names: pl.DataFrame, quantities: list[str], question: Question) -> pl.DataFrame:
    """Return one row per group and quantity: the group's name if it has one, quantity, mean, low, high."""
    key, cells = names.columns, ("mean", "low", "high")
    ends = [
        summary.cast(pl.Float64).alias(f"{name}/{cell}")
        for name in quantities
        for cell, summary in zip(
            cells,
            (
                pl.col(name).mean(),
                pl.col(name).sort().get(question.low_rank),
                pl.col(name).sort().get(question.high_rank),
            ),
            strict=True,
        )
    ]
    wide = by_draw.group_by(key, maintain_order=True).agg(ends) if key else by_draw.select(ends)
    # One table per quantity, put together in the order of the groups.
    tables = [
        wide.select(*key, quantity=pl.lit(name), **{cell: pl.col(f"{name}/{cell}") for cell in cells})
        for name in quantities
    ]
    return pl.concat(tables).sort(key, maintain_order=True) if key else pl.concat(tables)
