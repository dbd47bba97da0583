"""Models with known parameters, tables of customers, and a simulator that shares nothing with the package's own."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams

# About those of CDNOW, time in days.
MODELS = {
    "BG/NBD": BetaGeometricParams(r=0.25, alpha=31.0, a=0.8, b=2.4),
    "MBG/NBD": BetaGeometricParams(r=0.52, alpha=43.0, a=0.9, b=1.6, leaves_after_first=True),
    "BG/CNBD-3": BetaGeometricParams(r=0.4, alpha=15.0, a=0.8, b=2.4, k=3),
    "MBG/CNBD-2": BetaGeometricParams(r=0.6, alpha=30.0, a=0.9, b=1.9, k=2, leaves_after_first=True),
    "Pareto/NBD": ParetoNbdParams(r=0.55, alpha=74.0, s=0.61, beta=82.0),
}
SPEND = GammaGammaParams(p=6.25, q=3.74, v=15.44)


@pytest.fixture
def spend():
    return SPEND


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture
def models():
    return MODELS


@pytest.fixture
def twins():
    """Return a function that makes many customers with one past."""

    def make(n, frequency, recency_days, age_days, monetary_value=None):
        past = {"frequency": frequency, "recency_days": recency_days, "age_days": age_days}
        return pl.DataFrame({"customer_id": np.arange(n)}).with_columns(
            **{name: pl.lit(value, pl.Int64) for name, value in past.items()},
            monetary_value=pl.lit(monetary_value, pl.Float64),
        )

    return make


@pytest.fixture
def assert_agrees():
    """Return a function that compares the mean of independent numbers, or shares, with what is expected."""

    def agree(sample, expected, *, trials=None):
        numbers = np.asarray(sample, dtype=np.float64)
        error = np.std(numbers, ddof=1) / math.sqrt(len(numbers))
        # What is rarer than one in the number of trials may not be seen at all, and then shows no spread.
        slack = 4.0 / (trials or len(numbers)) if numbers.max() <= 1.0 else 0.0
        assert abs(numbers.mean() - expected) <= 4 * error + slack

    return agree


@pytest.fixture
def world():
    """Return a function that simulates customers from the definition of a model: rates first, then gap by gap."""
    return simulated


def simulated(params, n, *, age, ahead, seed):
    """Return customers as they stand at `age`, with what they order and spend in the time `ahead`."""
    luck = np.random.Generator(np.random.Philox(seed))
    rate = luck.gamma(params.r, 1.0 / params.alpha, n)
    leaves, end = np.zeros(n), np.full(n, np.inf)
    if isinstance(params, ParetoNbdParams):
        end = luck.exponential(1.0, n) / luck.gamma(params.s, 1.0 / params.beta, n)
    else:
        leaves = luck.beta(params.a, params.b, n)
    alive = luck.random(n) >= leaves if getattr(params, "leaves_after_first", False) else np.ones(n, bool)
    now, last, before, after = np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64)
    while alive.any():
        now = now + luck.gamma(params.k, 1.0, n) / rate
        alive &= (now < end) & (now < age + ahead)
        before += alive & (now < age)
        after += alive & (now >= age)
        last = np.where(alive & (now < age), now, last)
        alive &= luck.random(n) >= leaves
    spend_rate = luck.gamma(SPEND.q, 1.0 / SPEND.v, n)
    paid = luck.gamma(SPEND.p * np.maximum(before, 1)) / spend_rate / np.maximum(before, 1)
    value = np.where(after > 0, luck.gamma(SPEND.p * np.maximum(after, 1)) / spend_rate, 0.0)
    rfm = pl.DataFrame(
        {
            "customer_id": np.arange(n),
            "frequency": before,
            # Time passes in so small units that rounding it, which the table asks for, changes nothing.
            "recency_days": np.maximum(np.rint(last), before > 0).astype(np.int64),
            "age_days": np.full(n, age, np.int64),
        }
    ).with_columns(monetary_value=pl.when(pl.col("frequency") > 0).then(pl.Series(paid)))
    return rfm, after, value
