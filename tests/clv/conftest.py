"""Customers of CDNOW as they stood on 30 September 1997, what came by 30 June 1998, and models fitted to them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.posterior import posterior
from cxsim.clv.validation.compare import backtest, compare
from cxsim.clv.validation.forecasts import holdout_of
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import holdout, summarise
from tests.clv.shops import SHOPS, SPEND, STAGES, simulated

UNTIL, END, DAYS = date(1997, 9, 30), date(1998, 6, 30), 273


@pytest.fixture(scope="session")
def orders():
    return load_cdnow(sample=True)


@pytest.fixture(scope="session")
def sample(orders):
    return summarise(orders, until=UNTIL)


@pytest.fixture(scope="session")
def master():
    return summarise(load_cdnow(), until=UNTIL)


@pytest.fixture(scope="session")
def fits(sample, master):
    """The three common models fitted to both."""
    customers = {"sample": sample, "master": master}
    return {
        (data, model): fit(rfm, model=model, observed_until=UNTIL)
        for data, rfm in customers.items()
        for model in ("bgnbd", "mbgnbd", "paretonbd")
    }


@pytest.fixture(scope="session")
def purchases(fits):
    return fits["sample", "bgnbd"]


@pytest.fixture(scope="session")
def spend(sample):
    return fit_spend(sample, observed_until=UNTIL)


@pytest.fixture(scope="session")
def later(orders):
    return holdout(orders, after=UNTIL, until=END)


@pytest.fixture(scope="session")
def known(sample, later):
    return holdout_of(sample, later, days=DAYS)


@pytest.fixture(scope="session")
def comparison(sample, later):
    return compare(sample, later, days=DAYS, draws=60)


@pytest.fixture(scope="session")
def looking_back(orders):
    return backtest(orders, origins=2, draws=60)


@pytest.fixture
def shop():
    """Forty made-up customers, every other one with a repeat order."""
    number = pl.int_range(40, eager=True)
    return pl.DataFrame({"customer_id": number}).with_columns(
        frequency=(number % 2) * (1 + number % 5),
        recency_days=(number % 2) * (10 + number),
        age_days=100 + number,
        monetary_value=pl.when(number % 2 == 1).then(20.0 + number),
    )


@pytest.fixture(scope="session")
def healthy():
    """Customers of each model's own shop, with both fits."""
    found = {}
    for model, truth in SHOPS.items():
        rfm = simulated(truth, 200, seed=1, spend=SPEND)
        found[model] = rfm, fit(rfm, model=model, k=STAGES.get(model)), fit_spend(rfm)
    return found


@pytest.fixture(scope="session")
def posteriors(healthy):
    """Posteriors of one model of orders, and of spend."""
    rfm, purchases, spend = healthy["bgnbd"]
    return posterior(purchases, rfm, draws=40), posterior(spend, rfm, draws=40)


@pytest.fixture
def small():
    """Four customers, whose rates and spend are easily worked out."""
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
def small_known(small):
    came = pl.DataFrame(
        {"customer_id": ["a", "b", "c", "d"], "holdout_orders": [3, 1, 0, 0], "holdout_amount": [90.0, 25.0, 0.0, 0.0]}
    )
    return holdout_of(small, came, days=10)
