"""Parameters, customers (RFM) and a stretch of time in; the chance of every number of orders in it out."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count
from cxsim.estimation.by_past import pasts_of
from cxsim.models import PurchaseParams, purchases

FloatArray = NDArray[np.float64]


def count_distribution(
    params: PurchaseParams, rfm: pl.DataFrame | None, *, start: float, end: float, most: int
) -> pl.DataFrame:
    """Return the chance of every number of orders between two times from now."""
    if not (math.isfinite(end) and end >= start >= 0.0):
        raise EstimationError(f"it must be 0 <= from_days <= days, and finite; found from_days {start}, days {end}.")
    if not is_count(most, least=1):
        raise EstimationError(f"most must be a whole number, at least 1; found {most}.")
    counts = np.arange(most, dtype=np.float64)
    if rfm is None:
        exact = purchases.purchase_probability_new(params, start=start, end=end, counts=counts)
        return _long(exact[None, :], most)
    known, model = pasts_of(rfm), purchases.model_of(params)
    ahead = known.ahead(
        lambda x, age: model.count_probs_ahead(params, x[:, None], age[:, None], start=start, end=end, counts=counts)
    )
    now = known.now(params)
    exact = np.einsum("ik,ijk->ij", now, ahead)
    exact[:, 0] += np.maximum(1.0 - now.sum(axis=-1), 0.0)
    table = _long(exact[known.past_of], most)
    return table.select(rfm["customer_id"].gather(np.repeat(np.arange(rfm.height), most + 1)), "orders", "probability")


def _long(exact: FloatArray, most: int) -> pl.DataFrame:
    """Return a row for each chance, the last of each customer that of `most` or more."""
    chances = np.column_stack([exact, np.clip(1.0 - exact.sum(axis=1), 0.0, 1.0)])
    return pl.DataFrame({"orders": np.tile(np.arange(most + 1), len(chances)), "probability": chances.ravel()})
