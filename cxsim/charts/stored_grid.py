"""One strategy's rows of GRID go in, whole numbers small enough to stand in a chart come out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from cxsim.errors import TableError

MONTHLY = ("rest", "per_margin", "programme")
AT_THE_END = ("settled", "settled_programme")
# What is settled once, at the end, is counted in so many steps of what flows monthly.
COARSER = 2
# So many digits of an amount are printed at most, and monthly amounts are counted in twentieths of the last of them.
_DIGITS = 6
_PARTS = 20.0
_EVEN = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredGrid:
    """The grid of one strategy, as its chart carries it.

    Attributes
    ----------
    nodes
        One row per node: x, y, and under each letter a list over months, in steps.
    letters
        The letter of each stored column of GRID; one whose amounts are all zero is not stored.
    days
        When the cash of each month flows, in days from the start.
    xs, ys
        The values of both numbers, rising and evenly spaced.
    printed
        To what amounts are rounded when they are printed: whole units of the currency, or less where they are huge.
    largest
        The largest amount, in units of the currency.
    """

    nodes: pl.DataFrame
    letters: Mapping[str, str]
    days: list[float]
    xs: list[float]
    ys: list[float]
    printed: float
    largest: float

    @property
    def months(self) -> int:
        """Number of months."""
        return len(self.days)

    @property
    def step(self) -> float:
        """What monthly amounts are counted in, in units of the currency."""
        return self.printed / _PARTS


def stored_grid(cells: pl.DataFrame) -> StoredGrid:
    """Return a grid as its chart carries it.

    Cumulative sums are rounded and then taken apart into months, so the rounding of one month is made good in the
    next. A sum of months times weights that fall from 1 towards 0, as present values do, is then wrong by at most
    half a step (summation by parts). A chart adds three such sums, one of them times a margin of at most 1, one times
    a cost factor of at most 2, and two balances of twice the step, one times the cost factor: (1 + 1 + 2) / 40 + (1 +
    2) / 20 = 0.25 of what is printed.
    """
    name = cells["strategy"][0]
    xs, ys, days = (cells[column].unique().sort().to_list() for column in ("x", "y", "day"))
    _require_full(cells, len(xs) * len(ys) * len(days))
    for axis, values in (("x", xs), ("y", ys)):
        gaps = [after - before for before, after in pairwise(values)]
        if gaps and max(gaps) - min(gaps) > _EVEN * max(gaps):
            raise TableError(f"GRID: '{name}' has {axis} at {values}; its nodes must be evenly spaced.")
    sums = cells.select(pl.col(MONTHLY).cum_sum().over("x", "y").abs(), pl.col(AT_THE_END).abs())
    highest = sums.max().row(0, named=True)
    largest = float(max(highest.values()))
    printed = 10.0 ** max(0, math.ceil(math.log10(max(largest, 1.0))) - _DIGITS)
    letters = {column: letter for column, letter in zip(highest, "abcde", strict=True) if highest[column] > 0.0}
    whole = [_whole(column, printed / _PARTS).alias(letter) for column, letter in letters.items()]
    nodes = cells.group_by("x", "y", maintain_order=True).agg(whole)
    return StoredGrid(nodes=nodes, letters=letters, days=days, xs=xs, ys=ys, printed=printed, largest=largest)


def _require_full(cells: pl.DataFrame, rows: int) -> None:
    if cells.height != rows or cells.select("x", "y", "month").is_duplicated().any():
        raise TableError(
            f"GRID: '{cells['strategy'][0]}' has {cells.height} rows; it must have each month once at each node."
        )


def _whole(column: str, step: float) -> pl.Expr:
    if column in AT_THE_END:
        return (pl.col(column) / (COARSER * step)).round().cast(pl.Int64)
    sums = (pl.col(column).cum_sum() / step).round().cast(pl.Int64)
    return sums - sums.shift(1, fill_value=0)
