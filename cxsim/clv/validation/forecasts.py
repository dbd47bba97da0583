"""Customers at an origin, and what they did after it, in; what models and naive rules expected of them out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import poisson

from cxsim.clv.fit import fit_spend
from cxsim.clv.forecast import draws_outside, predict
from cxsim.clv.inputs import PAST, arrays, checked_pasts
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import PurchaseParams, purchase_probability
from cxsim.clv.posterior import posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import DataError, EstimationError, choices
from cxsim.tables import RFM, check
from cxsim.wording import figure

FloatArray = NDArray[np.float64]

# Of intervals that are held against what came, in percent, and of those that are shown.
LEVELS = {80: 0.8, 95: 0.95}
_SHOWN = 0.9
_LATER = ("customer_id", "holdout_orders", "holdout_amount")
# Chances below this are lost in the rounding of the others.
_LEAST_CHANCE = 1e-300


class Interval(NamedTuple):
    """Between what numbers a forecast expects the orders of each customer, shape (n,), and of all of them."""

    low: FloatArray
    high: FloatArray
    total_low: float
    total_high: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Forecast:
    """What one model, or one naive rule, expected of each customer; arrays of shape (n,).

    `log_probs` are of the very number of orders that came; `intervals` by percent.
    """

    name: str
    title: str
    orders: FloatArray
    spend: FloatArray
    log_probs: FloatArray
    intervals: Mapping[int, Interval]
    orders_range: tuple[float, float]  # 90 % intervals of all customers
    spend_range: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Holdout:
    """Customers at an origin, under RFM and sorted, what they did in the `days` after it, and forecasts of that."""

    rfm: pl.DataFrame
    orders: FloatArray
    amount: FloatArray
    days: float
    forecasts: tuple[Forecast, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SpendOutlook:
    """What orders are expected to bring: per customer, and draws for intervals where they can be had.

    `finding` says why Gamma-Gamma was not used and each customer's own mean was; None if it was.
    """

    per_order: FloatArray
    draws: list[GammaGammaParams] | None = None
    finding: str | None = None


def holdout_of(rfm: pl.DataFrame, later: pl.DataFrame, *, days: float) -> Holdout:
    """Return customers at an origin and what came in the `days` after it."""
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
    orders, amount = arrays(both.select(_LATER[1:]))
    return Holdout(rfm=both.select(rfm.columns), orders=orders, amount=amount, days=days)


def spend_outlook(rfm: pl.DataFrame, spend: GammaGammaFit | None, *, draws: int, seed: int) -> SpendOutlook:
    """Return what orders are expected to bring, by Gamma-Gamma where customers allow it."""
    try:
        found = fit_spend(rfm) if spend is None else spend
    except EstimationError as error:
        return SpendOutlook(per_order=mean_spend(rfm), finding=str(error))
    if found.params.q <= 1.0:
        why = f"Gamma-Gamma: mean spend is infinite at the fitted q of {figure(found.params.q, '.3g')}; it needs q > 1."
        return SpendOutlook(per_order=mean_spend(rfm), finding=why)
    drawn = posterior(found, rfm, draws=draws, seed=seed)
    params = [drawn.params(number) for number in range(draws)]
    return SpendOutlook(
        per_order=found.expected_spend(rfm)["expected_spend"].to_numpy(),
        draws=params if min(one.q for one in params) > 1.0 else None,
    )


def model_forecast(fit: PurchaseFit, holdout: Holdout, outlook: SpendOutlook, *, draws: int, seed: int) -> Forecast:
    """Return what a fitted model expects of the customers of a holdout."""
    rfm, days = holdout.rfm, holdout.days
    orders = fit.expected_purchases(rfm, days)["expected_purchases"].to_numpy()
    params = posterior(fit, rfm, draws=draws, seed=seed)
    found = {
        percent: predict(rfm, params, outlook.draws, days=days, level=level, seed=seed)
        for percent, level in LEVELS.items()
    }
    intervals = {
        percent: Interval(
            one.customers["orders_low"].cast(pl.Float64).to_numpy(),
            one.customers["orders_high"].cast(pl.Float64).to_numpy(),
            *one.totals.filter(pl.col("quantity") == "orders").select("low", "high").row(0),
        )
        for percent, one in found.items()
    }
    by_draw = next(iter(found.values())).totals_by_draw
    return Forecast(
        name=fit.model,
        title=fit.title,
        orders=orders,
        spend=orders * outlook.per_order,
        log_probs=np.log(outcome_probs(fit.params, holdout)),
        intervals=intervals,
        orders_range=_range(by_draw["orders"]),
        spend_range=_range(by_draw["value"]) if outlook.draws else None,
    )


def _range(totals: pl.Series) -> tuple[float, float]:
    """Return the ends of the interval that is shown, whatever the number of draws."""
    outside, ordered = draws_outside(_SHOWN, totals.len()), totals.cast(pl.Float64).sort()
    return float(ordered[outside]), float(ordered[-1 - outside])


def outcome_probs(params: PurchaseParams, holdout: Holdout) -> FloatArray:
    """Return the chance of the very number of orders that came; shape (n,)."""
    past, came = arrays(checked_pasts(holdout.rfm).select(PAST)), holdout.orders
    chance = np.empty(came.size)
    for count in np.unique(came):
        rows = came == count
        chance[rows] = purchase_probability(params, *(one[rows] for one in past), end=holdout.days, counts=count)
    return np.clip(chance, _LEAST_CHANCE, 1.0)


def own_rate(holdout: Holdout) -> Forecast:
    """Expect that all go on at the rate they had: repeat orders over age; nothing of one-time buyers."""
    frequency, age = arrays(holdout.rfm.select("frequency", "age_days"))
    rate = np.divide(frequency, age, out=np.zeros(age.size), where=frequency > 0.0)
    return _poisson(holdout, "own_rate", "Own rate goes on", holdout.days * rate)


def shop_rate(holdout: Holdout) -> Forecast:
    """Expect the same of everyone: all repeat orders over all days at risk."""
    frequency, age = (float(holdout.rfm[name].sum()) for name in ("frequency", "age_days"))
    rate = frequency / age if age > 0.0 else 0.0
    return _poisson(holdout, "shop_rate", "Everyone at one rate", np.full(holdout.orders.size, holdout.days * rate))


def recent_past(holdout: Holdout, before: pl.DataFrame) -> Forecast:
    """Expect that each repeats the repeat orders of the last `days` before the origin."""
    earlier = before.select("customer_id", earlier="frequency")
    since = holdout.rfm.join(earlier, on="customer_id", how="left", maintain_order="left").select(
        pl.col("frequency") - pl.col("earlier").fill_null(0)
    )
    return _poisson(holdout, "recent_past", "Recent past repeats", *arrays(since))


def mean_spend(rfm: pl.DataFrame) -> FloatArray:
    """Return the naive value of an order: each customer's own mean, the shop's for those without repeat orders."""
    own = rfm["monetary_value"].fill_null(float("nan")).to_numpy()
    known = ~np.isnan(own)
    frequency = rfm["frequency"].to_numpy()[known]
    orders = int(frequency.sum())
    shop = float((frequency * own[known]).sum()) / orders if orders else 0.0
    return np.where(known, own, shop)


def _poisson(holdout: Holdout, name: str, title: str, mean: FloatArray) -> Forecast:
    came, total = holdout.orders, np.array([mean.sum()])
    intervals = {
        percent: Interval(*_ends(level, mean), *(float(end[0]) for end in _ends(level, total)))
        for percent, level in LEVELS.items()
    }
    low, high = (float(end[0]) for end in _ends(_SHOWN, total))
    return Forecast(
        name=name,
        title=title,
        orders=mean,
        spend=mean * mean_spend(holdout.rfm),
        log_probs=poisson.logpmf(came, mean),
        intervals=intervals,
        orders_range=(low, high),
    )


def _ends(level: float, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the interval that Poisson counts lie in with a chance of at least `level`."""
    return poisson.ppf(0.5 - 0.5 * level, mean), poisson.ppf(0.5 + 0.5 * level, mean)
