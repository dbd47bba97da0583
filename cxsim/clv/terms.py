"""Customers at an origin, and what came after it, in; the task that forecasts are given, and their answers, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.posterior import posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import DataError, EstimationError, choices
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


# Customers times draws that are played at most: a minute or so for millions of customers on two processors.
_MOST_PLAYED = 200_000_000
_MOST_DRAWS, _FEWEST_DRAWS = 400, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """On what terms customers are valued.

    Attributes
    ----------
    horizon_days
        Days from the end of observation on in which orders count, above 0.
    annual_discount_rate
        Effective per year, >= 0.
    margin
        Share of what customers pay that counts as value, 0 to 1.
    level
        Probability of each interval, above 0 and below 1.
    draws
        Draws of parameters and luck; at least 2 / (1 - level) - 1.
    seed
        Seed of all luck, 0 or larger.
    """

    horizon_days: float = 365.0
    annual_discount_rate: float = 0.10
    margin: float = 1.0
    level: float = 0.9
    draws: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.horizon_days) and self.horizon_days > 0.0):
            raise EstimationError(f"horizon_days must be finite and above 0; found {self.horizon_days}.")
        if not (math.isfinite(self.annual_discount_rate) and self.annual_discount_rate >= 0.0):
            raise EstimationError(
                f"annual_discount_rate must be finite and not negative; found {self.annual_discount_rate}."
            )
        if not 0.0 <= self.margin <= 1.0:
            raise EstimationError(f"margin must be a share from 0 to 1; found {self.margin}.")
        if not 0.0 < self.level < 1.0:
            raise EstimationError(f"level must be above 0 and below 1; found {self.level}.")
        fewest = math.ceil(2.0 / (1.0 - self.level) - 1.0 - 1e-9)
        if self.draws < fewest:
            raise EstimationError(
                f"an interval of level {self.level:g} takes at least {fewest:,} draws; found {self.draws:,}."
            )


def draws_for(customers: int, level: float) -> int:
    """Return how many draws so many customers are played in, where nobody says otherwise."""
    wanted = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_PLAYED // max(customers, 1)))
    return max(wanted, math.ceil(2.0 / (1.0 - level) - 1.0 - 1e-9)) if 0.0 < level < 1.0 else wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """Equally likely parameters.

    Attributes
    ----------
    purchases, spends
        As many draws of each model.
    remarks
        What a reader must know of them, one sentence each.
    """

    purchases: tuple[PurchaseParams, ...]
    spends: tuple[GammaGammaParams, ...]
    remarks: tuple[str, ...] = ()


def drawn_params(rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit, *, draws: int, seed: int) -> Drawn:
    """Return draws of the parameters of orders and of spend from their posteriors.

    Draws in which mean spend is infinite (q of 1 or less) are replaced by others, as a shop's mean order is a number.
    """
    of_orders = posterior(purchases, rfm, draws=draws, seed=seed)
    of_spend = posterior(spend, rfm, draws=draws, seed=seed)
    found = [of_spend.params(number) for number in range(draws)]
    finite = [params for params in found if params.q > 1.0]
    endless = draws - len(finite)
    if 2 * endless > draws:
        raise EstimationError(
            f"Gamma-Gamma: mean spend is infinite in {endless:,} of {draws:,} draws of its parameters (q of 1 or less; "
            f"estimated {spend.params.q:.3g}). A few very large orders do this: look at the largest monetary values, "
            "and leave out what is not retail."
        )
    remarks = [f"{one.title}: {one.verdict}" for one in (of_orders, of_spend) if not one.reliable]
    if endless:
        remarks.append(
            f"Gamma-Gamma: {endless:,} of {draws:,} draws had an infinite mean spend and were replaced; the values of "
            "the dearest customers are less sure than their intervals say."
        )
    return Drawn(
        purchases=tuple(of_orders.params(number) for number in range(draws)),
        spends=tuple(finite[number % len(finite)] for number in range(draws)),
        remarks=tuple(remarks),
    )
