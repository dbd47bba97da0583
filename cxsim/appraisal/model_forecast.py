"""A fitted model and the customers of a trial in; its forecast, with chances and intervals, out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl

from cxsim.appraisal.baselines import mean_spend
from cxsim.appraisal.chances import chances_of
from cxsim.appraisal.trial import LEVELS, RANGE, FloatArray, Forecast, Interval, Trial
from cxsim.errors import EstimationError
from cxsim.estimation import GammaGammaFit, PurchaseFit, fit_spend
from cxsim.estimation.posteriors import Posterior, posterior
from cxsim.estimation.predictive import Prediction, predict
from cxsim.models import GammaGammaParams, PurchaseParams

Params = TypeVar("Params", PurchaseParams, GammaGammaParams)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SpendOutlook:
    """What the orders of the customers of a trial are expected to be worth.

    Attributes
    ----------
    per_order
        Expected spend per order of each customer; shape (n,).
    draws
        Drawn parameters of Gamma-Gamma for intervals of spend; None where they cannot be had.
    finding
        Why Gamma-Gamma was not used and each customer's own mean was; None if it was.
    """

    per_order: FloatArray
    draws: list[GammaGammaParams] | None
    finding: str | None = None


def spend_outlook(rfm: pl.DataFrame, spend: GammaGammaFit | None, *, draws: int, seed: int) -> SpendOutlook:
    """Return what orders are expected to be worth, by Gamma-Gamma where customers allow it."""
    try:
        found = fit_spend(rfm) if spend is None else spend
    except EstimationError as error:
        return SpendOutlook(per_order=mean_spend(rfm), draws=None, finding=str(error))
    if found.params.q <= 1.0:
        why = f"Gamma-Gamma: mean spend is infinite at the fitted q of {found.params.q:.3g}; it needs q > 1."
        return SpendOutlook(per_order=mean_spend(rfm), draws=None, finding=why)
    params = _drawn(posterior(found, rfm, draws=draws, seed=seed))
    return SpendOutlook(
        per_order=found.expected_spend(rfm)["expected_spend"].to_numpy(),
        draws=params if min(one.q for one in params) > 1.0 else None,
    )


def model_forecast(fit: PurchaseFit, trial: Trial, outlook: SpendOutlook, *, draws: int, seed: int) -> Forecast:
    """Return what a fitted model expects of the customers of a trial."""
    orders = fit.expected_purchases(trial.rfm, trial.days)["expected_purchases"].to_numpy()
    at, below = chances_of(fit.params, trial)
    params = _drawn(posterior(fit, trial.rfm, draws=draws, seed=seed))
    found = [predict(trial.rfm, params, outlook.draws, days=trial.days, level=level, seed=seed) for level in LEVELS]
    by_draw = found[0].totals_by_draw
    return Forecast(
        name=fit.model,
        title=fit.title,
        orders=orders,
        spend=orders * outlook.per_order,
        log_probs=np.log(at),
        below=below,
        intervals=tuple(_interval(one) for one in found),
        orders_range=_range(by_draw["orders"]),
        spend_range=_range(by_draw["value"]) if outlook.draws else None,
    )


def _interval(found: Prediction) -> Interval:
    totals = {row["quantity"]: row for row in found.totals.iter_rows(named=True)}
    return Interval(
        level=found.level,
        low=found.customers["orders_low"].cast(pl.Float64).to_numpy(),
        high=found.customers["orders_high"].cast(pl.Float64).to_numpy(),
        total_low=float(totals["orders"]["low"]),
        total_high=float(totals["orders"]["high"]),
    )


def _range(totals: pl.Series) -> tuple[float, float]:
    """Return the ends of the interval that holds with probability RANGE, whatever the number of draws."""
    # A share of 0.05 is a hair below in floating point, and a whole number of draws must not fall with it.
    rank = math.floor((totals.len() + 1) * 0.5 * (1.0 - RANGE) + 1e-9) - 1
    ordered = totals.cast(pl.Float64).sort().to_list()
    return ordered[max(rank, 0)], ordered[min(-1 - rank, -1)]


def _drawn(found: Posterior[Params]) -> list[Params]:
    return [found.params(number) for number in range(len(found))]
