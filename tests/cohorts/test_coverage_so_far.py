"""The interval of what a customer has brought so far holds the truth as often as it says, where not all were watched.

Three hundred shops of 200 customers, seed 20240601, none left out. Customers come evenly over a year and stay for good;
by the end of age 5 about half of a cohort of all have been watched. Each has an own rate, so that the ages of one
customer go together, and an own mean basket; both have known means, so that the truth is known in closed form.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from cxsim.data.shop import Shop
from cxsim.metrics.cohorts import cohort_table

SHOPS, CUSTOMERS, AGES = 300, 200, 7
SINCE, DAYS = datetime.fromisoformat("2023-01-01"), 365
# Orders per day are Gamma with mean 0.02, baskets Gamma with mean 25, both with a coefficient of variation of 0.5.
RATE, BASKET, SHAPE = 0.02, 25.0, 4.0
# Four standard errors of 95 % among 300: 4 * sqrt(0.95 * 0.05 / 300).
ERROR = 4 * math.sqrt(0.95 * 0.05 / SHOPS)


def truth(age):
    """Return the expected value: the first order, and the orders of age + 1 steps of 30 days, at 25 each."""
    return BASKET * (1.0 + RATE * 30.0 * (age + 1))


def shop(rng):
    came = rng.uniform(0.0, DAYS, CUSTOMERS)
    rates, baskets = RATE * rng.gamma(SHAPE, 1 / SHAPE, CUSTOMERS), BASKET * rng.gamma(SHAPE, 1 / SHAPE, CUSTOMERS)
    later = rng.poisson(rates * (DAYS - came))
    who = np.concatenate([np.arange(CUSTOMERS), np.repeat(np.arange(CUSTOMERS), later)])
    moments = np.concatenate([came, rng.uniform(np.repeat(came, later), DAYS)])
    orders = pl.DataFrame(
        {
            "order_id": [f"o{n}" for n in range(len(who))],
            "customer_id": [f"c{n}" for n in who.tolist()],
            "ordered_at": (moments * 86_400e6).astype(np.int64),
            "amount": np.round(baskets[who], 2),
        }
    ).with_columns(ordered_at=pl.lit(SINCE).cast(pl.Datetime("us")) + pl.duration(microseconds="ordered_at"))
    return Shop(
        name="S", currency="EUR", since=SINCE, until=SINCE + timedelta(days=DAYS), opening=True, orders=orders.lazy()
    )


@pytest.fixture(scope="module")
def tables():
    rng = np.random.Generator(np.random.PCG64(20240601))
    found = [
        cohort_table(shop(rng), by="all", measures=["cumulative_revenue"], ages=AGES).with_columns(shop=pl.lit(n))
        for n in range(SHOPS)
    ]
    return pl.concat(found)


@pytest.mark.parametrize("age", [0, 3, 5, 6])
def test_the_interval_so_far_holds_the_truth_as_often_as_it_says(tables, age):
    cells = tables.filter(age=age)
    held = ((cells["low"] <= truth(age)) & (cells["high"] >= truth(age))).sum() / SHOPS
    assert abs(held - 0.95) < ERROR
    # Censored, or it would be the t interval of a plain mean that is tried.
    assert age == 0 or cells["at_risk"].mean() < 0.8 * CUSTOMERS


@pytest.mark.parametrize("age", [0, 3, 5, 6])
def test_the_value_so_far_is_not_biased_by_who_was_watched_for_how_long(tables, age):
    values = tables.filter(age=age)["value"].to_numpy()
    assert abs(values.mean() - truth(age)) < 4 * values.std(ddof=1) / math.sqrt(SHOPS)


@pytest.mark.parametrize("age", [3, 6])
def test_the_interval_so_far_is_as_wide_as_the_shops_differ(tables, age):
    cells = tables.filter(age=age)
    sentence = ((cells["high"] - cells["low"]) / 2).mean() / 1.98
    # The deviation of 300 values is known to 1 / sqrt(600), so four errors are 16 %.
    assert sentence == pytest.approx(cells["value"].std(), rel=0.16)
