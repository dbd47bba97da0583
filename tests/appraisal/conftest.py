"""CDNOW as it stood on 30 September 1997 and what came by 30 June 1998; and models compared on it."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from cxsim.clv.terms import trial_of
from cxsim.clv.validation.compare import backtest, compare
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import holdout, summarise

CALIBRATION, END, DAYS = date(1997, 9, 30), date(1998, 6, 30), 273


@pytest.fixture(scope="session")
def orders():
    return load_cdnow(sample=True)


@pytest.fixture(scope="session")
def sample(orders):
    return summarise(orders, until=CALIBRATION)


@pytest.fixture(scope="session")
def later(orders):
    return holdout(orders, after=CALIBRATION, until=END)


@pytest.fixture(scope="session")
def trial(sample, later):
    return trial_of(sample, later, days=DAYS)


@pytest.fixture(scope="session")
def comparison(sample, later):
    return compare(sample, later, days=DAYS, draws=60)


@pytest.fixture(scope="session")
def looking_back(orders):
    return backtest(orders, origins=2, draws=60)


@pytest.fixture
def small():
    """Four customers, whose rates and spend are easily reckoned."""
    return pl.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "frequency": [2, 0, 1, 0],
            "recency_days": [10, 0, 5, 0],
            "age_days": [20, 20, 10, 0],
            "monetary_value": [30.0, None, 60.0, None],
        }
    )


@pytest.fixture
def small_trial(small):
    came = pl.DataFrame(
        {"customer_id": ["a", "b", "c", "d"], "holdout_orders": [3, 1, 0, 0], "holdout_amount": [90.0, 25.0, 0.0, 0.0]}
    )
    return trial_of(small, came, days=10)


@pytest.fixture(scope="session")
def lost_after_first():
    """Customers who may leave after any order, the first included: MBG/NBD, simulated order by order in days."""
    generator = np.random.default_rng(20240501)
    n, age = 20_000, 365.0
    rate = generator.gamma(1.2, 1.0 / 20.0, n)
    leaving = generator.beta(1.0, 1.5, n)
    alive, now, last, frequency = generator.random(n) >= leaving, np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
    while alive.any():
        now = now + generator.exponential(1.0, n) / rate
        orders = alive & (now < age)
        new_day = orders & (np.floor(now) > last)
        frequency += new_day
        last = np.where(new_day, np.floor(now), last)
        alive = orders & (generator.random(n) >= leaving)
    return pl.DataFrame(
        {
            "customer_id": np.arange(n),
            "frequency": frequency,
            "recency_days": last.astype(np.int64),
            "age_days": np.full(n, int(age)),
            "monetary_value": pl.Series(np.where(frequency > 0, 20.0, np.nan)).fill_nan(None),
        }
    )
