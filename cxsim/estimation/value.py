"""Customers (RFM) and two fitted models in, a table of what each customer will bring, best first, out."""

from __future__ import annotations

import math

import polars as pl

from cxsim.errors import EstimationError
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.purchase_fit import PurchaseFit


def customer_value(
    rfm: pl.DataFrame,
    purchases: PurchaseFit,
    spend: GammaGammaFit,
    *,
    horizon_days: float,
    annual_discount_rate: float,
) -> pl.DataFrame:
    """Return what each customer is expected to spend over a finite horizon, in money of today, best first.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases, spend
        Models fitted to such customers.
    horizon_days
        Length of the horizon from the end of observation on, > 0 and finite.
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
        As `PurchaseFit.clv`, which says how value is reckoned; and for an infinite horizon.
    """
    if not (math.isfinite(horizon_days) and horizon_days > 0.0):
        raise EstimationError(f"horizon_days must be finite and positive; found {horizon_days}.")
    value = purchases.clv(rfm, spend, annual_discount_rate=annual_discount_rate, horizon_days=horizon_days)
    orders = purchases.expected_purchases(rfm, horizon_days)["expected_purchases"]
    return (
        value.with_columns(orders.alias("expected_orders"))
        .select("customer_id", "prob_alive", "expected_orders", "expected_spend", expected_value="revenue")
        .sort(["expected_value", "customer_id"], descending=[True, False])
    )
