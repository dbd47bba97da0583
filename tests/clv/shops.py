"""Parameters of a model in; customers (RFM) who were simulated from it, straight from its definition, out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl

from cxsim.clv.customer_value import customer_value
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams

END = 730
_NEVER = 1e12


def simulated(params, customers, *, seed, spend=None):
    """Return customers whose first orders fall into the first half of two years, under RFM with log_gaps."""
    generator = np.random.default_rng(seed)
    first = generator.integers(0, END // 2, customers)
    age = (END - first).astype(float)
    rate = generator.gamma(params.r, size=customers) / params.alpha
    chance, lifetime = _leaving(params, generator, customers)
    alive = np.ones(customers, bool)
    if getattr(params, "leaves_after_first", False):
        alive = generator.random(customers) >= chance
    now, last_day = np.zeros(customers), np.zeros(customers)
    frequency, log_gaps = np.zeros(customers, int), np.zeros(customers)
    while alive.any():
        # A rate can be as small as 1e-300: such a customer never orders again.
        now = now + np.where(alive, generator.gamma(params.k, size=customers) / np.maximum(rate, 1e-9), 0.0)
        alive &= (now <= age) & (now <= lifetime)
        day = np.floor(now)
        new = alive & (day > last_day)
        log_gaps[new] += np.log(day[new] - last_day[new])
        frequency[new] += 1
        last_day[new] = day[new]
        alive &= generator.random(customers) >= chance
    value = _mean_spend(spend, frequency, generator) if spend else np.where(frequency > 0, 10.0, np.nan)
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


def _leaving(params, generator, customers):
    """Return the chance of leaving after an order, and the time of leaving on the calendar; one of them never comes."""
    if isinstance(params, BetaGeometricParams):
        return generator.beta(params.a, params.b, customers), np.full(customers, _NEVER)
    hazard = generator.gamma(params.s, size=customers) / params.beta
    return np.zeros(customers), generator.exponential(size=customers) / np.maximum(hazard, 1e-12)


def _mean_spend(spend, frequency, generator):
    rate = generator.gamma(spend.q, size=frequency.size) / spend.v
    total = generator.gamma(spend.p * np.maximum(frequency, 1)) / rate
    return np.where(frequency > 0, total / np.maximum(frequency, 1), np.nan)


# Customers order every few months, half of them leave within a year, and next to no two orders fall on one day.
SHOPS = {
    "bgnbd": BetaGeometricParams(r=0.8, alpha=60.0, a=0.9, b=2.5),
    "mbgnbd": BetaGeometricParams(r=0.9, alpha=60.0, a=0.8, b=2.5, leaves_after_first=True),
    "paretonbd": ParetoNbdParams(r=0.8, alpha=60.0, s=0.7, beta=120.0),
    "bgcnbd": BetaGeometricParams(r=1.2, alpha=30.0, a=0.9, b=2.5, k=2),
    "mbgcnbd": BetaGeometricParams(r=1.2, alpha=30.0, a=0.8, b=2.5, k=2, leaves_after_first=True),
}
SPEND = GammaGammaParams(p=5.0, q=4.0, v=20.0)
# What `fit` is to be told of k; the plain models have 1.
STAGES = {"bgcnbd": 2, "mbgcnbd": 2}


def ahead(family):
    """Return the formulas of a family of models as functions of numbers and lists; rates and horizons have defaults."""

    def taking_numbers(name, **defaults):
        function = getattr(family, name)

        def taken(params, *past, **question):
            arrays = np.broadcast_arrays(*(np.asarray(one, float) for one in past))
            asked = {
                key: one if key in {"rate", "horizon"} else np.asarray(one, float) for key, one in question.items()
            }
            return function(params, *arrays, **(defaults | asked))

        return taken

    names = ("survival_ahead", "orders_ahead", "next_order_ahead", "count_probs_ahead", "phase_probs", "log_likelihood")
    wrapped = {name: taking_numbers(name) for name in names}
    return SimpleNamespace(discounted_orders_ahead=taking_numbers("discounted_orders_ahead", horizon=np.inf), **wrapped)


RATE = {"annual_discount_rate": 0.1}


def answers(rfm, purchases, spend):
    """Return every table that a fit gives about customers."""
    return {
        "now": purchases.prob_alive(rfm),
        "in a century": purchases.prob_alive(rfm, 36_525),
        "no time": purchases.expected_purchases(rfm, 0),
        "a millisecond": purchases.expected_purchases(rfm, 1e-8),
        "a million years": purchases.expected_purchases(rfm, 3.65e8),
        "new": purchases.expected_purchases_new([0, 1, 3.65e8]),
        "counts": purchases.purchase_distribution(rfm, days=30, from_days=10, most=3),
        "counts of new": purchases.purchase_distribution(days=30, most=3),
        "next": purchases.days_to_next_purchase(rfm, [1e-9, 0.5, 1.0 - 1e-9]),
        "for ever": purchases.clv(rfm, spend, **RATE),
        "all but undiscounted": purchases.clv(rfm, spend, annual_discount_rate=1e-9),
        "discounted away": purchases.clv(rfm, spend, annual_discount_rate=1e9),
        "a moment": purchases.clv(rfm, spend, **RATE, horizon_days=1e-8),
        "a year": purchases.clv(rfm, spend, annual_discount_rate=0.0, horizon_days=365),
        "value of new": purchases.clv_new(spend, **RATE, acquisition_cost=5),
        "best first": customer_value(rfm, purchases, spend, horizon_days=365, **RATE),
        "estimates": purchases.estimates(),
        "intervals": purchases.conf_int(0.999),
    }


def assert_right(tables):
    """Hold that all numbers are finite and none negative, and that chances are chances."""
    for name, table in tables.items():
        for column in table.select(pl.selectors.float()):
            place = f"{name}: {column.name} {column.to_list()}"
            assert column.drop_nulls().is_finite().all(), place
            # Only what takes more than a century is left open.
            assert column.null_count() == 0 or column.name.startswith("days_p"), place
            assert column.drop_nulls().min() is None or column.drop_nulls().min() >= 0.0 or "net" in column.name, place
            if column.name.startswith("prob"):
                assert column.is_empty() or column.max() <= 1.0, place
