"""Customers (RFM) and two fitted models in, a table of what each customer will bring out."""

from __future__ import annotations

import math

import polars as pl

from cxsim.errors import EstimationError
from cxsim.estimation.bgnbd_fit import BgNbdFit, by_pattern
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.models import bgnbd
from cxsim.units import DAYS_PER_YEAR


def customer_value(
    rfm: pl.DataFrame,
    purchases: BgNbdFit,
    spend: GammaGammaFit,
    *,
    horizon_days: float,
    annual_discount_rate: float,
) -> pl.DataFrame:
    """Return what each customer is expected to spend over a horizon, in money of today.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases, spend
        Models fitted to such customers.
    horizon_days
        Length of the horizon from the end of observation on, > 0.
    annual_discount_rate
        Effective rate a year, >= 0; 0.1 means that 1.10 in a year is worth 1 today.

    Returns
    -------
    polars.DataFrame
        customer_id; prob_alive; expected_orders in the horizon, not discounted; expected_spend per order;
        expected_value, the revenue discounted to the end of observation. The greatest value first, ties by
        customer_id.

    Raises
    ------
    TableError, EstimationError, DataError
        If `rfm` does not keep its contract or holds an impossible past or a negative monetary value, for a horizon
        or rate out of range, and if fitted spend has no mean.

    Notes
    -----
    An order at t days from now counts (1 + annual_discount_rate) ** -(t / 365.25): discounting is continuous, by the
    moment of each order, and a year has 365.25 days. Orders and spend are independent in these models, so value is
    discounted expected orders (`cxsim.models.bgnbd.discounted_expected_purchases`) times expected spend. It is
    revenue: margins and costs are the business of valuation.
    """
    if not (math.isfinite(horizon_days) and horizon_days > 0.0):
        raise EstimationError(f"horizon_days must be finite and positive; found {horizon_days}.")
    if not (math.isfinite(annual_discount_rate) and annual_discount_rate >= 0.0):
        raise EstimationError(f"annual_discount_rate must be finite and not negative; found {annual_discount_rate}.")
    rate = math.log1p(annual_discount_rate) / DAYS_PER_YEAR
    worth = by_pattern(
        rfm,
        "worth",
        lambda x, last, age: bgnbd.discounted_expected_purchases(
            purchases.params, x, last, age, rate=rate, horizon=horizon_days
        ),
    )
    return (
        purchases.prob_alive(rfm)
        .with_columns(
            purchases.expected_purchases(rfm, horizon_days)["expected_purchases"].alias("expected_orders"),
            spend.expected_spend(rfm)["expected_spend"],
            worth["worth"],
        )
        .with_columns(expected_value=pl.col("worth") * pl.col("expected_spend"))
        .drop("worth")
        .sort(["expected_value", "customer_id"], descending=[True, False])
    )
