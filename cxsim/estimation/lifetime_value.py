"""Parameters, spend and a rate in; what customers will bring, in money of today, out. The one convention of value.

An order at t days from now counts (1 + annual_discount_rate) ** -(t / 365.25): the rate is effective per year, cash
comes at the moment of each order, and a year has 365.25 days. Orders and spend are independent in these models, so
revenue is discounted expected orders times expected spend. Contribution is revenue times the contribution margin.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from cxsim.errors import EstimationError
from cxsim.estimation.admission import require_margin
from cxsim.estimation.by_past import joined, pasts_of, together
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.models import PurchaseParams, gamma_gamma, purchases
from cxsim.units import DAYS_PER_YEAR


def continuous_rate(annual_discount_rate: float, horizon_days: float) -> float:
    """Return the continuous rate per day of an effective rate per year."""
    if not (math.isfinite(annual_discount_rate) and annual_discount_rate >= 0.0):
        raise EstimationError(f"annual_discount_rate must be finite and not negative; found {annual_discount_rate}.")
    if not horizon_days > 0.0:
        raise EstimationError(f"horizon_days must be positive; found {horizon_days}.")
    if annual_discount_rate == 0.0 and math.isinf(horizon_days):
        raise EstimationError("an infinite horizon needs an annual_discount_rate above 0; found 0.")
    return math.log1p(annual_discount_rate) / DAYS_PER_YEAR


def lifetime_value(
    rfm: pl.DataFrame,
    params: PurchaseParams,
    spend: GammaGammaFit,
    *,
    annual_discount_rate: float,
    horizon_days: float,
    margin: float,
) -> pl.DataFrame:
    """Return what each customer is expected to bring from the end of observation on."""
    rate = continuous_rate(annual_discount_rate, horizon_days)
    require_margin(margin)
    known, model = pasts_of(rfm), purchases.model_of(params)
    now = known.now(params)
    ahead = known.ahead(lambda x, age: model.discounted_orders_ahead(params, x, age, rate=rate, horizon=horizon_days))
    columns = {"prob_alive": np.minimum(now.sum(axis=-1), 1.0), "discounted_orders": together(now, ahead)}
    return (
        joined(rfm, known, columns)
        .with_columns(spend.expected_spend(rfm)["expected_spend"])
        .with_columns(revenue=pl.col("discounted_orders") * pl.col("expected_spend"))
        .with_columns(contribution=pl.col("revenue") * margin)
    )


def new_customer_value(
    params: PurchaseParams,
    spend: GammaGammaFit,
    *,
    annual_discount_rate: float,
    horizon_days: float,
    margin: float,
    acquisition_cost: float,
) -> pl.DataFrame:
    """Return what a new customer is expected to bring, the first order included."""
    rate = continuous_rate(annual_discount_rate, horizon_days)
    require_margin(margin)
    if not (math.isfinite(acquisition_cost) and acquisition_cost >= 0.0):
        raise EstimationError(f"acquisition_cost must be finite and not negative; found {acquisition_cost}.")
    repeats = purchases.discounted_expected_purchases_new(params, rate=rate, horizon=horizon_days)
    mean = gamma_gamma.population_mean(spend.params)
    revenue = (1.0 + repeats) * mean
    return pl.DataFrame(
        {
            "first_orders": [1.0],
            "discounted_orders": [repeats],
            "expected_spend": [mean],
            "revenue": [revenue],
            "contribution": [revenue * margin],
            "acquisition_cost": [acquisition_cost],
            "net_contribution": [revenue * margin - acquisition_cost],
        }
    )
