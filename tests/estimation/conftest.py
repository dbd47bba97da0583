"""Customers of CDNOW as they stood on 30 September 1997, and the models fitted to them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.posterior import posterior
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise
from tests.estimation.shops import simulated
from tests.estimation.worlds import SHOPS, SPEND, STAGES

UNTIL = date(1997, 9, 30)


@pytest.fixture(scope="session")
def sample():
    return summarise(load_cdnow(sample=True), until=UNTIL)


@pytest.fixture(scope="session")
def master():
    return summarise(load_cdnow(), until=UNTIL)


@pytest.fixture(scope="session")
def purchases(sample):
    return fit(sample, observed_until=UNTIL)


@pytest.fixture(scope="session")
def spend(sample):
    return fit_spend(sample, observed_until=UNTIL)


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
def beliefs(healthy):
    """Posteriors of one model of orders, and of spend."""
    rfm, purchases, spend = healthy["bgnbd"]
    return posterior(purchases, rfm, draws=40), posterior(spend, rfm, draws=40)
