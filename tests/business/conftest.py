"""Small studies for all tests of this room, with their base cases."""

from __future__ import annotations

import pytest

from cxsim.business.base import base_of
from cxsim.study import run
from tests.study.conftest import small
from tests.study.everything import everything


@pytest.fixture(scope="session")
def study():
    """Three strategies, a year, new customers alone."""
    return run(small(draws=8))


@pytest.fixture(scope="session")
def base(study):
    return base_of(study)


@pytest.fixture(scope="session")
def centre(base):
    return base.centre()


@pytest.fixture(scope="session")
def busy():
    """A study in which everything happens: all kinds of effects, tickets, surveys, returns."""
    return run(everything())


@pytest.fixture(scope="session")
def busy_base(busy):
    return base_of(busy)


@pytest.fixture(scope="session")
def busy_centre(busy_base):
    return busy_base.centre()
