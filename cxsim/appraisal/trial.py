"""Customers at an origin, and what came after it, in; the task that forecasts are given, and their answers, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import DataError, choices
from cxsim.tables import RFM, check

FloatArray = NDArray[np.float64]

# Of intervals that are held against what came, and of those that are shown.
LEVELS = (0.8, 0.95)
RANGE = 0.9
_LATER = ("customer_id", "holdout_orders", "holdout_amount")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trial:
    """What is known of customers at an origin, and what they did after it.

    Attributes
    ----------
    rfm
        Customers at the origin, under RFM, sorted by customer.
    orders
        Orders of each of them in the `days` after; shape (n,).
    amount
        What they spent on these.
    days
        Length of the time after the origin.
    """

    rfm: pl.DataFrame
    orders: FloatArray
    amount: FloatArray
    days: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Interval:
    """Between what numbers a forecast expects each customer and the total, with a given probability.

    Attributes
    ----------
    level
        The probability, of one customer or one total at a time.
    low, high
        Orders of each customer; shape (n,).
    total_low, total_high
        Orders of all of them.
    """

    level: float
    low: FloatArray
    high: FloatArray
    total_low: float
    total_high: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Forecast:
    """What one model, or one naive rule, expected of the customers of a trial.

    Attributes
    ----------
    name, title
        Its name as in `fit(model=...)`, and for readers.
    orders, spend
        Expected orders and expected spend of each customer; shape (n,).
    log_probs
        Log probability that it gave to the very number of orders that came.
    below
        Probability that it gave to fewer orders than came.
    intervals
        One for each of LEVELS.
    orders_range, spend_range
        90 % intervals of the orders and the spend of all customers; None where the forecast says nothing of spend.
    """

    name: str
    title: str
    orders: FloatArray
    spend: FloatArray
    log_probs: FloatArray
    below: FloatArray
    intervals: tuple[Interval, ...]
    orders_range: tuple[float, float]
    spend_range: tuple[float, float] | None = None


def trial_of(rfm: pl.DataFrame, later: pl.DataFrame, *, days: float) -> Trial:
    """Return the task: customers at an origin and what came in the `days` after it."""
    if not (math.isfinite(days) and days > 0.0):
        raise DataError(f"days must be finite and above 0, the length of the time after the origin; found {days}.")
    for name in _LATER:
        if name not in later.columns:
            raise DataError(f"later: no column '{name}'; {choices(name, later.columns)} It comes from holdout(...).")
    customers = check(rfm, RFM)["customer_id"]
    for name, ids in (("rfm", customers), ("later", later["customer_id"])):
        if ids.n_unique() < len(ids):
            raise DataError(f"{name}: {len(ids) - ids.n_unique()} of {len(ids)} rows repeat a customer_id.")
    both = rfm.sort("customer_id").join(later.select(_LATER), on="customer_id", how="inner", maintain_order="left")
    if not both.height == rfm.height == later.height:
        raise DataError(
            f"rfm has {rfm.height} customers and later has {later.height}, of whom {both.height} are in both; they "
            "must be the same: take summarise(..., until=day) and holdout(..., after=day) with the same day."
        )
    return Trial(
        rfm=both.select(rfm.columns),
        orders=both["holdout_orders"].cast(pl.Float64).to_numpy(),
        amount=both["holdout_amount"].cast(pl.Float64).to_numpy(),
        days=days,
    )
