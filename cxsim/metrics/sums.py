"""A view and pairs of its columns in; sums over customers, from which values and intervals follow, out.

All are sums of whole numbers, so no order of rows or threads can move a digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.intervals import CrossSums, RatioSums
from cxsim.metrics.view import View

# What is summed per pair of columns x over n; squares of cents of millions of customers need more than 64 bits.
_WIDE = pl.Int128
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodSums:
    """The sums of one metric.

    Attributes
    ----------
    by_period
        For each period in which there was anything, by its place.
    cross
        Products of the last two periods, over the customers of both.
    """

    by_period: Mapping[int, RatioSums]
    cross: CrossSums


def summed(view: View, pairs: Mapping[str, Pair], *, periods: int) -> dict[str, PeriodSums]:
    """Return the sums of several metrics over one view, in one pass over its rows."""
    columns = sorted({column for pair in pairs.values() for column in pair})
    wide = view.rows
    if view.grain == "row":
        grouped = wide.group_by("period", "customer").agg(pl.col(columns).sum())
        wide = grouped.collect(engine="streaming").lazy()
    by_period = wide.group_by("period").agg([sum_ for name, pair in pairs.items() for sum_ in _squares(name, pair)])
    now, before = (wide.filter(pl.col("period") == place) for place in (periods - 1, periods - 2))
    crossed = now.join(before, on="customer", suffix="_before").select(
        [sum_ for name, pair in pairs.items() for sum_ in _products(name, pair)]
    )
    told, products = pl.collect_all([by_period, crossed], engine="streaming")
    rows = {row["period"]: row for row in told.iter_rows(named=True)}
    cross = products.row(0, named=True)
    return {
        name: PeriodSums(
            by_period={
                place: RatioSums(**_of(row, name, ("units", "x", "n", "xx", "nn", "xn"))) for place, row in rows.items()
            },
            cross=CrossSums(**_of(cross, name, ("xx", "xn", "nx", "nn"))),
        )
        for name in pairs
    }


def _of(row: Mapping[str, int | None], name: str, parts: tuple[str, ...]) -> dict[str, int]:
    return {part: row[_named(name, part)] or 0 for part in parts}


def _squares(name: str, pair: Pair) -> list[pl.Expr]:
    x, n = (pl.col(column).cast(_WIDE) for column in pair)
    parts = {"units": ((x != 0) | (n != 0)).cast(_WIDE), "x": x, "n": n, "xx": x * x, "nn": n * n, "xn": x * n}
    return [part.sum().alias(_named(name, key)) for key, part in parts.items()]


def _products(name: str, pair: Pair) -> list[pl.Expr]:
    x, n = (pl.col(column).cast(_WIDE) for column in pair)
    x_before, n_before = (pl.col(f"{column}_before").cast(_WIDE) for column in pair)
    parts = {"xx": x * x_before, "xn": x * n_before, "nx": n * x_before, "nn": n * n_before}
    return [part.sum().alias(_named(name, key)) for key, part in parts.items()]


def _named(name: str, part: str) -> str:
    return f"{name}|{part}"
