"""One small study for all tests of this room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE, NewCustomers
from tests.study.everything import TOGETHER, everything


def small(**changes):
    """Return a scenario that takes a fraction of a second: new customers alone, a year, four draws."""
    written = {
        "orders": "cdnow-sample",
        "existing_customers": "none",
        "new_customers": NewCustomers(per_month=50, months=3),
        "horizon_months": 12,
        "draws": 4,
    }
    return replace(load_scenario("cdnow-quick"), **written | changes)


@pytest.fixture(scope="session")
def scenario():
    return small()


@pytest.fixture(scope="session")
def study(scenario):
    return run(scenario)


@pytest.fixture(scope="session")
def busy():
    """The study of a scenario in which everything happens."""
    return run(everything())


@pytest.fixture(scope="session")
def shop_tables(busy):
    """Its tables, of the baseline and of all programmes together, in the first world."""
    return {arm: busy.tables(arm) for arm in (BASELINE, TOGETHER)}
