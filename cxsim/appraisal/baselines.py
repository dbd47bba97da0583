"""Customers at an origin in; what naive rules expect of them out, for a model that does not beat these is no use.

All of them are read as Poisson: the rule gives the mean, and the number of orders scatters around it as if by chance.
That is what gives a rule chances, intervals and a log score. A rule that expects nothing holds an order impossible, so
its log score is infinite as soon as one comes.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln, pdtr, pdtrik, xlogy

from cxsim.appraisal.trial import LEVELS, RANGE, Forecast, Interval, Trial

FloatArray = NDArray[np.float64]


def own_rate(trial: Trial) -> Forecast:
    """Expect that all go on at the rate they had: repeat orders over age; nothing of one-time buyers."""
    return _poisson(trial, "own_rate", "Own rate goes on", trial.days * _own_rates(trial.rfm))


def shop_rate(trial: Trial) -> Forecast:
    """Expect the same of everyone: all repeat orders over all days at risk."""
    frequency, age = (float(trial.rfm[name].sum()) for name in ("frequency", "age_days"))
    rate = frequency / age if age > 0.0 else 0.0
    return _poisson(trial, "shop_rate", "Everyone alike", np.full(trial.orders.size, trial.days * rate))


def recent_past(trial: Trial, before: pl.DataFrame) -> Forecast:
    """Expect that each repeats the repeat orders of the last `days` before the origin."""
    earlier = before.select("customer_id", earlier="frequency")
    since = trial.rfm.join(earlier, on="customer_id", how="left", maintain_order="left").select(
        pl.col("frequency") - pl.col("earlier").fill_null(0)
    )
    orders = since["frequency"].cast(pl.Float64).to_numpy()
    return _poisson(trial, "recent_past", "Recent past repeats", orders)


def mean_spend(rfm: pl.DataFrame) -> FloatArray:
    """Return what an order is naively worth: each customer's own mean, the shop's for those without repeat orders."""
    own = rfm["monetary_value"].fill_null(float("nan")).to_numpy()
    known = ~np.isnan(own)
    frequency = rfm["frequency"].to_numpy()[known]
    orders = int(frequency.sum())
    shop = float((frequency * own[known]).sum()) / orders if orders else 0.0
    return np.where(known, own, shop)


def _own_rates(rfm: pl.DataFrame) -> FloatArray:
    frequency, age = (pl.col(name).cast(pl.Float64) for name in ("frequency", "age_days"))
    return rfm.select(pl.when(frequency > 0.0).then(frequency / age).otherwise(0.0)).to_series().to_numpy()


def _poisson(trial: Trial, name: str, title: str, mean: FloatArray) -> Forecast:
    log_probs = xlogy(trial.orders, mean) - mean - gammaln(trial.orders + 1.0)
    below = np.where(trial.orders > 0.0, pdtr(np.maximum(trial.orders - 1.0, 0.0), mean), 0.0)
    return Forecast(
        name=name,
        title=title,
        orders=mean,
        spend=mean * mean_spend(trial.rfm),
        log_probs=np.asarray(log_probs),
        below=below,
        intervals=tuple(_interval(level, mean) for level in LEVELS),
        orders_range=_total_ends(RANGE, mean),
    )


def _interval(level: float, mean: FloatArray) -> Interval:
    total_low, total_high = _total_ends(level, mean)
    low, high = _ends(level, mean)
    return Interval(level=level, low=low, high=high, total_low=total_low, total_high=total_high)


def _total_ends(level: float, mean: FloatArray) -> tuple[float, float]:
    low, high = _ends(level, np.array([mean.sum()]))
    return float(low[0]), float(high[0])


def _ends(level: float, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    return _quantile(0.5 - 0.5 * level, mean), _quantile(0.5 + 0.5 * level, mean)


def _quantile(chance: float, mean: FloatArray) -> FloatArray:
    """Return the smallest count that a Poisson variable does not exceed with a chance of at least `chance`."""
    means, place = np.unique(mean, return_inverse=True)
    found = np.ceil(pdtrik(chance, means))
    one_less = np.maximum(found - 1.0, 0.0)
    return np.asarray(np.where(pdtr(one_less, means) >= chance, one_less, found)[place])
