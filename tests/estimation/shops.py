"""Parameters of a model in; customers (RFM) who were simulated from it, straight from its definition, out."""

from __future__ import annotations

import numpy as np
import polars as pl

from cxsim.clv.models.bgnbd import BetaGeometricParams

END = 730
_NEVER = 1e12


def simulated(params, customers, *, seed, spend=None):
    """Return customers whose first orders fall into the first half of two years, under RFM with log_gaps."""
    luck = np.random.default_rng(seed)
    first = luck.integers(0, END // 2, customers)
    age = (END - first).astype(float)
    rate = luck.gamma(params.r, size=customers) / params.alpha
    chance, lifetime = _leaving(params, luck, customers)
    alive = np.ones(customers, bool)
    if getattr(params, "leaves_after_first", False):
        alive = luck.random(customers) >= chance
    now, last_day = np.zeros(customers), np.zeros(customers)
    frequency, log_gaps = np.zeros(customers, int), np.zeros(customers)
    while alive.any():
        # A rate can be as small as 1e-300: such a customer never orders again.
        now = now + np.where(alive, luck.gamma(params.k, size=customers) / np.maximum(rate, 1e-9), 0.0)
        alive &= (now <= age) & (now <= lifetime)
        day = np.floor(now)
        new = alive & (day > last_day)
        log_gaps[new] += np.log(day[new] - last_day[new])
        frequency[new] += 1
        last_day[new] = day[new]
        alive &= luck.random(customers) >= chance
    value = _mean_spend(spend, frequency, luck) if spend else np.where(frequency > 0, 10.0, np.nan)
    return pl.DataFrame(
        {
            "customer_id": np.arange(customers),
            "frequency": frequency,
            "recency_days": last_day.astype(int),
            "age_days": age.astype(int),
            "monetary_value": value,
            "log_gaps": log_gaps,
        }
    ).with_columns(pl.col("monetary_value").fill_nan(None))


def _leaving(params, luck, customers):
    """Return the chance of leaving after an order, and the time of leaving on the calendar; one of them never comes."""
    if isinstance(params, BetaGeometricParams):
        return luck.beta(params.a, params.b, customers), np.full(customers, _NEVER)
    hazard = luck.gamma(params.s, size=customers) / params.beta
    return np.zeros(customers), luck.exponential(size=customers) / np.maximum(hazard, 1e-12)


def _mean_spend(spend, frequency, luck):
    rate = luck.gamma(spend.q, size=frequency.size) / spend.v
    total = luck.gamma(spend.p * np.maximum(frequency, 1)) / rate
    return np.where(frequency > 0, total / np.maximum(frequency, 1), np.nan)
