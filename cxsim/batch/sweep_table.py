"""The returns of the points of a sweep in; one table with a row per point and strategy, as CSV, out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cxsim.report.twins import Twin, Value, csv_text

COLUMNS = (
    "strategy",
    "title",
    "decision",
    "outlay",
    "incremental_npv",
    "npv_low",
    "npv_high",
    "npv_mc_error",
    "prob_npv_positive",
    "prob_mc_error",
    "roi",
    "roi_low",
    "roi_high",
)
_WHOLE = re.compile(r"-?\d+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class PointReturns:
    """What came out at one point.

    Attributes
    ----------
    values
        The swept keys and their values as text.
    returns
        Under RETURNS.
    page
        Name of its report in the folder of the sweep; None where none was wanted.
    folder
        Name of its folder there.
    """

    values: tuple[tuple[str, str], ...]
    returns: pl.DataFrame
    page: str | None
    folder: str


def sweep_csv(keys: Sequence[str], points: Sequence[PointReturns]) -> str:
    """Return all returns as CSV: the swept values, then the columns of RETURNS that a comparison needs."""
    rows: list[tuple[Value, ...]] = []
    for point in points:
        swept = tuple(_typed(value) for _, value in point.values)
        rows += [(*swept, *row) for row in point.returns.select(COLUMNS).rows()]
    return csv_text(Twin(id="sweep", title="", columns=(*keys, *COLUMNS), rows=tuple(rows)))


def _typed(value: str) -> Value:
    if _WHOLE.fullmatch(value):
        return int(value)
    try:
        return float(value)
    except ValueError:
        return value
