"""Customers (RFM) and draws of a model's parameters in; how surely they are still customers, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.models import PurchaseParams
from cxsim.models.purchases import prob_alive

FloatArray = NDArray[np.float64]
PAST = ("frequency", "recency_days", "age_days")
BUYERS = pl.when(pl.col("frequency") > 0).then(pl.lit("repeat buyers")).otherwise(pl.lit("one-time buyers"))
# Chances that are held at once by each thread: 8 MB.
_MOST_HELD = 1_000_000


def alive_intervals(pasts: pl.DataFrame, params: Sequence[PurchaseParams], level: float) -> pl.DataFrame:
    """Return between what numbers the chance of still being a customer lies, as far as the parameters are known."""
    edges = [0.5 * (1.0 - level), 0.5 * (1.0 + level)]
    size = max(1, _MOST_HELD // len(params))
    parts = [pasts.slice(start, size) for start in range(0, pasts.height, size)]
    with ThreadPoolExecutor(max_workers=cpu_count()) as pool:
        found = list(pool.map(lambda part: np.quantile(_chances(part, params), edges, axis=0), parts))
    low, high = np.concatenate(found, axis=1) if found else np.zeros((2, 0))
    return pl.DataFrame({"prob_alive_low": low, "prob_alive_high": high})


def alive_by_group(
    rfm: pl.DataFrame, params: Mapping[str, Sequence[PurchaseParams]], level: float, *, group: pl.Expr = BUYERS
) -> pl.DataFrame:
    """Return which share of each group of customers each model takes for still being customers."""
    pasts = rfm.with_columns(group=group).group_by("group", *PAST).len("customers").sort("group", *PAST)
    rows = []
    for (name,), part in pasts.group_by("group", maintain_order=True):
        weights = part["customers"].cast(pl.Float64).to_numpy()
        for model, draws in params.items():
            shares = np.array([float(_chances(part, [one])[0] @ weights) / float(weights.sum()) for one in draws])
            low, high = np.quantile(shares, [0.5 * (1.0 - level), 0.5 * (1.0 + level)])
            rows.append((model, name, float(shares.mean()), float(low), float(high)))
    schema = {"model": pl.String, "group": pl.String, "alive": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _chances(pasts: pl.DataFrame, params: Sequence[PurchaseParams]) -> FloatArray:
    """Return the chance of being alive under each draw; shape (draws, pasts)."""
    frequency, last_order, age = (pasts[name].cast(pl.Float64).to_numpy() for name in PAST)
    return np.stack([prob_alive(one, frequency, last_order, age) for one in params])
