"""Flows and unit economics made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.finance.economics import ACCOUNTS, Account, Economics
from cxsim.finance.statement import Flows
from cxsim.params import Unit
from tests.simulated import assumed


@pytest.fixture(scope="session")
def shop():
    """Unit economics with numbers that have no round products."""
    return Economics(
        name="shop",
        title="A shop",
        currency="EUR",
        gross_margin=assumed(0.4321, Unit.SHARE),
        payment_share=assumed(0.0290, Unit.SHARE),
        payment_per_order=assumed(0.30, Unit.MONEY_PER_ORDER),
        fulfilment_per_order=assumed(2.57, Unit.MONEY_PER_ORDER),
        support_per_order=assumed(0.61, Unit.MONEY_PER_ORDER),
        acquisition_per_customer=assumed(12.34, Unit.MONEY_PER_CUSTOMER),
        annual_discount_rate=assumed(0.10, Unit.SHARE_PER_YEAR),
        fund_probability=assumed(0.9, Unit.SHARE),
    )


@pytest.fixture(scope="session")
def flows_of():
    """Return a function of monthly gain and monthly programme cost, shape (draws, months): one arm's flows."""

    def make(gain, cost):
        gain, cost = np.asarray(gain, np.float64), np.asarray(cost, np.float64)
        amounts = np.zeros((gain.shape[0], 2, gain.shape[1], len(ACCOUNTS)))
        # Something goes on in the baseline too; it must cancel.
        amounts[:, :, :, ACCOUNTS.index(Account.GROSS_SALES)] = 1000.0
        amounts[:, 1, :, ACCOUNTS.index(Account.GROSS_SALES)] += gain
        amounts[:, 1, :, ACCOUNTS.index(Account.PROGRAMME)] = -cost
        return Flows(arms=("baseline", "plan"), amounts=amounts)

    return make
