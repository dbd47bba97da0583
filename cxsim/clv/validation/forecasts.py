"""Customers at an origin, and what they did after it, in; what models and naive rules expected of them out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import scipy

from cxsim.clv.fit import fit_spend
from cxsim.clv.forecast import draws_outside, predict
from cxsim.clv.inputs import PAST, arrays
from cxsim.clv.models.gamma_gamma import SpendParams
from cxsim.clv.models.purchases import Outlook, PurchaseParams
from cxsim.clv.models.special import FloatArray
from cxsim.clv.posterior import Posterior, posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import SpendFit
from cxsim.errors import DataError, EstimationError, choices
from cxsim.tables import RFM, check
from cxsim.wording import figure

# Of intervals of customers that are held against what came, and of those of all of them, of which one is shown.
LEVELS = {80: 0.8, 95: 0.95}
_OF_TOTALS = {80: 0.8, 90: 0.9, 95: 0.95}
_LATER = ("customer_id", "holdout_orders", "holdout_amount")
# Chances below this are lost in the rounding of the others.
_LEAST_CHANCE = 1e-300


class Forecast(NamedTuple):
    """What one model, or one naive rule, expected of each customer; arrays of shape (n,).

    `log_probs` are of the very number of orders that came; `intervals` are low and high by percent, of each customer
    and of all of them together, `spend_range` that of 90 percent of what all spend.
    """

    name: str
    title: str
    orders: FloatArray
    spend: FloatArray
    log_probs: FloatArray
    intervals: Mapping[int, tuple[FloatArray, ...]]
    total_intervals: Mapping[int, tuple[float, float]]
    spend_range: tuple[float, float] | None = None


class Holdout(NamedTuple):
    """Customers at an origin, under RFM and sorted, what they did in the `days` after it, and forecasts of that."""

    rfm: pl.DataFrame
    orders: FloatArray
    amount: FloatArray
    days: float
    forecasts: tuple[Forecast, ...] = ()


class SpendOutlook(NamedTuple):
    """What orders are expected to bring: per customer, and draws for intervals where they can be had.

    `finding` says why no model of spend was used and each customer's own mean was; None if one was.
    """

    per_order: FloatArray
    draws: list[SpendParams] | None = None
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
    odd = orders[~((orders >= 0.0) & (orders % 1.0 == 0.0))]
    if odd.size:
        raise DataError(
            f"later: holdout_orders must be whole numbers, not negative; {odd.size} are not, first {odd[0]}."
        )
    return Holdout(rfm=both.select(rfm.columns), orders=orders, amount=amount, days=days)


def spend_outlook(rfm: pl.DataFrame, spend: SpendFit | None, *, draws: int, seed: int) -> SpendOutlook:
    """Return what orders are expected to bring, by Gamma-Gamma or one price where customers allow it."""
    try:
        found = fit_spend(rfm) if spend is None else spend
    except EstimationError as error:
        return SpendOutlook(mean_spend(rfm), finding=str(error))
    if not found.params.has_mean:
        q = figure(found.values[1], ".3g")
        return SpendOutlook(
            mean_spend(rfm), finding=f"Gamma-Gamma: mean spend is infinite at the fitted q of {q}; it needs q > 1."
        )
    drawn: Posterior[SpendParams] = posterior(found, rfm, draws=draws, seed=seed)
    params = list(map(drawn.params, range(draws)))
    per_order = found.expected_spend(rfm)["expected_spend"].to_numpy()
    return SpendOutlook(per_order, params if all(one.has_mean for one in params) else None)


def model_forecast(fit: PurchaseFit, holdout: Holdout, outlook: SpendOutlook, *, draws: int, seed: int) -> Forecast:
    """Return what a fitted model expects of the customers of a holdout."""
    rfm, days = holdout.rfm, holdout.days
    orders = fit.expected_purchases(rfm, days)["expected_purchases"].to_numpy()
    params = posterior(fit, rfm, draws=draws, seed=seed)
    found = {
        percent: predict(rfm, params, outlook.draws, days=days, level=level, seed=seed)
        for percent, level in LEVELS.items()
    }
    by_draw = found[95].totals_by_draw
    return Forecast(
        name=fit.model,
        title=fit.title,
        orders=orders,
        spend=orders * outlook.per_order,
        log_probs=np.log(outcome_probs(fit.params, holdout)),
        intervals={
            percent: arrays(one.customers.select("orders_low", "orders_high")) for percent, one in found.items()
        },
        total_intervals={percent: _range(by_draw["orders"], level) for percent, level in _OF_TOTALS.items()},
        spend_range=_range(by_draw["value"], _OF_TOTALS[90]) if outlook.draws else None,
    )


def _range(totals: pl.Series, level: float) -> tuple[float, float]:
    """Return the ends of an interval, whatever the number of draws."""
    outside, ordered = draws_outside(level, totals.len()), totals.cast(pl.Float64).sort()
    return ordered[outside], ordered[-1 - outside]


def outcome_probs(params: PurchaseParams, holdout: Holdout) -> FloatArray:
    """Return the chance of the very number of orders that came; shape (n,)."""
    past, came = arrays(holdout.rfm.select(PAST)), holdout.orders
    chance = np.empty(came.size)
    for count in np.unique(came):
        rows = came == count
        chance[rows] = Outlook(params, *(one[rows] for one in past)).purchase_probability(
            end=holdout.days, counts=count
        )
    return np.clip(chance, _LEAST_CHANCE, 1.0)


def mean_spend(rfm: pl.DataFrame) -> FloatArray:
    """Return the naive value of an order: each customer's own mean, the shop's for those without repeat orders."""
    frequency, own = arrays(rfm.select("frequency", "monetary_value"))
    known = ~np.isnan(own)
    orders = frequency[known].sum()
    shop = (frequency[known] * own[known]).sum() / orders if orders else 0.0
    return np.where(known, own, shop)


def naive_forecasts(holdout: Holdout, before: pl.DataFrame | None = None) -> list[Forecast]:
    """Return what rules expect that need no model, read as Poisson.

    All go on at the rate they had, repeat orders over age, which expects nothing of one-time buyers; everyone orders at
    one rate, all repeat orders over all days at risk; and if it is known how customers stood `before` the last `days`,
    each repeats the repeat orders of these.
    """
    frequency, age = arrays(holdout.rfm.select("frequency", "age_days"))
    own = np.divide(frequency, age, out=np.zeros(age.size), where=frequency > 0.0)
    shop = frequency.sum() / age.sum() if age.sum() > 0.0 else 0.0
    rules = [
        ("own_rate", "Each customer's own rate", holdout.days * own),
        ("shop_rate", "One rate for all customers", np.full(age.size, holdout.days * shop)),
    ]
    if before is not None:
        earlier = before.select("customer_id", earlier="frequency")
        both = holdout.rfm.join(earlier, on="customer_id", how="left", maintain_order="left")
        (since,) = arrays(both.select(pl.col("frequency") - pl.col("earlier").fill_null(0)))
        rules.append(("recent_past", "Recent orders repeat", since))
    return [
        Forecast(
            name=name,
            title=title,
            orders=mean,
            spend=mean * mean_spend(holdout.rfm),
            log_probs=scipy.stats.poisson.logpmf(holdout.orders, mean),
            intervals={percent: _ends(level, mean) for percent, level in LEVELS.items()},
            total_intervals={percent: _ends(level, mean.sum()) for percent, level in _OF_TOTALS.items()},
        )
        for name, title, mean in rules
    ]


def _ends(level: float, mean: Any) -> tuple[Any, Any]:
    """Return the ends of the interval that Poisson counts lie in with a chance of at least `level`."""
    return scipy.stats.poisson.ppf(0.5 - 0.5 * level, mean), scipy.stats.poisson.ppf(0.5 + 0.5 * level, mean)
