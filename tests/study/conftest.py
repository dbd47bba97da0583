"""One small study for all tests of this room."""

from __future__ import annotations

import dataclasses

import pytest

from cxsim.scenario import NewCustomers, load_scenario
from cxsim.study import run


def small(**changes):
    """Return a scenario that takes a fraction of a second: new customers alone, a year, four draws."""
    written = {
        "orders": "cdnow-sample",
        "existing_customers": "none",
        "new_customers": NewCustomers(per_month=50, months=3),
        "horizon_months": 12,
        "draws": 4,
    }
    return dataclasses.replace(load_scenario("cdnow-quick"), **written | changes)


@pytest.fixture(scope="session")
def scenario():
    return small()


@pytest.fixture(scope="session")
def study(scenario):
    return run(scenario)
