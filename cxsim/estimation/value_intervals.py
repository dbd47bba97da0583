"""Draws of the parameters of orders and of spend in; expected value, of customers (RFM) and of a new one, out.

Intervals of expectations, like those of `intervals`: for the luck of single customers there is `predict`.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count, require_level, require_margin
from cxsim.estimation.by_past import Pasts, pasts_of, together
from cxsim.estimation.intervals import DRAWS, interval_ends
from cxsim.estimation.lifetime_value import continuous_rate
from cxsim.estimation.patterns import amounts
from cxsim.estimation.posteriors import Posterior
from cxsim.models import GammaGammaParams, PurchaseParams, gamma_gamma, purchases

FloatArray = NDArray[np.float64]

# Customers at once: 100 MB for the default number of draws.
_PIECE = 1 << 16


def clv_interval(
    rfm: pl.DataFrame,
    believed: Posterior[PurchaseParams],
    spend: Posterior[GammaGammaParams],
    *,
    annual_discount_rate: float,
    horizon_days: float = math.inf,
    margin: float = 1.0,
    level: float = 0.9,
    draws: int = DRAWS,
) -> pl.DataFrame:
    """Return what each customer is expected to bring from now on, in money of today, with its interval.

    Parameters
    ----------
    rfm
        Customers under RFM.
    believed, spend
        Posteriors of the models of orders and of spend.
    annual_discount_rate, horizon_days, margin
        As in `PurchaseFit.clv`.
    level
        Share of the draws inside the interval, above 0 and below 1.
    draws
        Draws to use, the first of both posteriors.

    Returns
    -------
    polars.DataFrame
        customer_id, contribution (mean over the draws), low, high; rows as in `rfm`.

    Raises
    ------
    TableError, EstimationError
        If `rfm` does not keep its contract or holds an impossible past or amount, for numbers out of range, and if
        spend has no mean in some draw.
    """
    rate = continuous_rate(annual_discount_rate, horizon_days)
    require_margin(margin)
    require_level(level)
    if not is_count(draws, least=1):
        raise EstimationError(f"draws must be a whole number, at least 1; found {draws}.")
    numbers = range(min(draws, len(believed), len(spend)))
    known = pasts_of(rfm)
    orders = np.array([_orders(believed.params(number), known, rate, horizon_days) for number in numbers])
    spenders = amounts(rfm)
    frequency = spenders["frequency"].cast(pl.Float64).to_numpy()
    value = spenders["monetary_value"].fill_null(float("nan")).to_numpy()
    parts = []
    for first in range(0, max(rfm.height, 1), _PIECE):
        some = slice(first, first + _PIECE)
        each = np.array(
            [
                margin
                * orders[number, known.past_of[some]]
                * gamma_gamma.expected_spend(spend.params(number), frequency[some], value[some])
                for number in numbers
            ]
        )
        parts.append((each.mean(axis=0), *interval_ends(each, level)))
    mean, low, high = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rfm.select("customer_id").with_columns(
        pl.Series("contribution", mean), pl.Series("low", low), pl.Series("high", high)
    )


def clv_new_interval(
    believed: Posterior[PurchaseParams],
    spend: Posterior[GammaGammaParams],
    *,
    annual_discount_rate: float,
    horizon_days: float = math.inf,
    margin: float = 1.0,
    level: float = 0.9,
) -> pl.DataFrame:
    """Return what a new customer is expected to bring, the first order included, with its interval.

    Parameters
    ----------
    believed, spend
        Posteriors of the models of orders and of spend, with equally many draws.
    annual_discount_rate, horizon_days, margin
        As in `PurchaseFit.clv`.
    level
        Share of the draws inside the interval, above 0 and below 1.

    Returns
    -------
    polars.DataFrame
        One row: contribution (mean over the draws), low, high.

    Raises
    ------
    EstimationError
        For numbers out of range, and if spend has no mean in some draw.
    """
    rate = continuous_rate(annual_discount_rate, horizon_days)
    require_margin(margin)
    require_level(level)
    values = [
        margin
        * gamma_gamma.population_mean(spend.params(number))
        * (1.0 + purchases.discounted_expected_purchases_new(believed.params(number), rate=rate, horizon=horizon_days))
        for number in range(min(len(believed), len(spend)))
    ]
    low, high = interval_ends(np.array(values), level)
    return pl.DataFrame({"contribution": [float(np.mean(values))], "low": [float(low)], "high": [float(high)]})


def _orders(params: PurchaseParams, known: Pasts, rate: float, horizon: float) -> FloatArray:
    """Return the discounted orders of each past."""
    model = purchases.model_of(params)
    ahead = known.ahead(lambda x, age: model.discounted_orders_ahead(params, x, age, rate=rate, horizon=horizon))
    return together(known.now(params), ahead)
