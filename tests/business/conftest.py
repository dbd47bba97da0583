"""Small studies for all tests of this room, with their base cases."""

from __future__ import annotations

import pytest

from cxsim.study.business.base_case import central_of
from cxsim.study.run import run
from tests.study.conftest import small
from tests.study.everything import everything


@pytest.fixture(scope="session")
def study():
    """Three strategies, a year, new customers alone."""
    return run(small(draws=8))


@pytest.fixture(scope="session")
def central(study):
    return central_of(study)


@pytest.fixture(scope="session")
def centre(central):
    return central.centre()


@pytest.fixture(scope="session")
def busy():
    """A study in which everything happens: all kinds of effects, tickets, surveys, returns."""
    return run(everything())


@pytest.fixture(scope="session")
def busy_central(busy):
    return central_of(busy)


@pytest.fixture(scope="session")
def busy_centre(busy_central):
    return busy_central.centre()
