"""Customers (RFM) in; one whole number for each past, by which pasts are sorted, counted and joined, out.

Sorting one whole number is ten times as fast as grouping by three columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError

FloatArray = NDArray[np.float64]

_LARGEST = 1 << 63


@dataclass(frozen=True, kw_only=True, slots=True)
class PastKeys:
    """Keys of pasts, in the order of frequency, then recency_days, then age_days.

    Attributes
    ----------
    keys
        One for each customer, Int64.
    recencies, ages
        Numbers of different days that recency_days and age_days can take.
    """

    keys: pl.Series
    recencies: int
    ages: int

    def columns(self, keys: pl.Series) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return frequency, recency_days and age_days of such keys."""
        rest, age = keys // self.ages, keys % self.ages
        parts = (rest // self.recencies, rest % self.recencies, age)
        frequency, recency_days, age_days = (part.cast(pl.Float64).to_numpy() for part in parts)
        return frequency, recency_days, age_days


def past_keys(rfm: pl.DataFrame) -> PastKeys:
    """Return the keys of the customers of `rfm`, which has columns of whole numbers >= 0."""
    highest = rfm.select(pl.col("frequency", "recency_days", "age_days").max().fill_null(0)).row(0)
    recencies, ages = highest[1] + 1, highest[2] + 1
    if (highest[0] + 1) * recencies * ages >= _LARGEST:
        raise EstimationError(
            f"RFM: frequency up to {highest[0]:,}, recency_days up to {highest[1]:,} and age_days up to "
            f"{highest[2]:,} are beyond any shop's; look for times in other units than days."
        )
    key = (pl.col("frequency") * recencies + pl.col("recency_days")) * ages + pl.col("age_days")
    return PastKeys(keys=rfm.select(key=key)["key"], recencies=recencies, ages=ages)
