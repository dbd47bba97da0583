"""Small studies for all tests of the business case, with their base cases, drawn inputs and sets of strategies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cxsim.study.business.base_case import base_case
from cxsim.study.business.case import business_case
from cxsim.study.business.information import drawn_inputs
from cxsim.study.run import run
from tests.study.conftest import small
from tests.study.everything import everything


@pytest.fixture(scope="session")
def study():
    """Three strategies, a year, new customers alone."""
    return run(small(draws=8))


@pytest.fixture(scope="session")
def progress():
    """The steps of which the case reported that they are done."""
    return []


@pytest.fixture(scope="session")
def case(study, progress):
    return business_case(study, progress=lambda done, total: progress.append((done, total)))


@pytest.fixture(scope="session")
def busy_case():
    """The case of a year of new customers in which everything happens: all kinds of effects, tickets, returns."""
    return business_case(run(replace(everything(), existing_customers="none", horizon_months=12)))


@pytest.fixture(scope="session")
def central(study):
    return base_case(study)


@pytest.fixture(scope="session")
def drawn(study):
    return drawn_inputs(study)
