"""Every kind of cost stands in its own account, and is what it comes to by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxsim.finance.economics import ACCOUNTS, Schedule, fixed_costs, tariff
from cxsim.finance.ledger import Account
from cxsim.params import Unit
from cxsim.simulation.counts import CountKind, ReachCountKind, place, width
from cxsim.strategies.strategy import COST_UNITS, Cost
from tests.simulated import assumed

EUR = 1_000_000  # millionths


def cost(kind, amount):
    return Cost(kind=kind, amount=assumed(amount, COST_UNITS[kind]))


def schedule(*costs, from_month=0, until_month=None, **more):
    return Schedule(costs=costs, from_month=from_month, until_month=until_month, **more)


@pytest.fixture(scope="module")
def busy_shop(shop):
    return dataclasses.replace(
        shop,
        support_per_ticket=assumed(5.0, Unit.MONEY_PER_TICKET),
        handling_per_return=assumed(4.0, Unit.MONEY_PER_RETURN),
        resaleable=assumed(0.8, Unit.SHARE),
    )


COUNTED = {
    "per_order": 0.12,
    "per_member_month": 0.5,
    "per_redemption": 0.07,
    "per_ticket": 0.75,
    "per_contact": 0.01,
    "per_referral": 9.0,
    "share_of_revenue": 0.05,
}
COMMON = {
    CountKind.ORDERS: 1,
    CountKind.LIST: 1999,
    CountKind.MARKDOWN: 200,
    CountKind.REWARD: 100,
    CountKind.FEES: 1900,
    CountKind.RETURNS: 1,
    CountKind.REFUNDED: 1500,
    CountKind.SENT_BACK: 1600,
    CountKind.TICKETS: 1,
    CountKind.COMPENSATION: 250,
    CountKind.ARRIVALS: 1,
}
OF_THE_REACH = {
    ReachCountKind.ORDERS: 1,
    ReachCountKind.PAID: 1699,
    ReachCountKind.MEMBER_MONTHS: 2,
    ReachCountKind.CONTACTS: 3,
    ReachCountKind.REDEMPTIONS: 1,
    ReachCountKind.TICKETS: 1,
    ReachCountKind.REFERRALS: 2,
    ReachCountKind.ATTRACTED: 1,
    ReachCountKind.POINTS_VALUE: 400,
}
# An order of 19.99 at list price, 2.00 and 1.00 taken off, of which 16.00 at list price come back and 15.00 are
# refunded; a ticket with 2.50 of compensation; a fee of 19.00; one new customer, and one whom the programme attracts.
BY_HAND = {
    Account.GROSS_SALES: 19_990_000,
    Account.FEES: 19_000_000,
    Account.MARKDOWN: -2_000_000,
    Account.REFUNDS: -15_000_000,
    # 19.99 * (1 - 0.4321), and of 16.00 the share 0.5679 * 0.8 = 0.4543, shares being held to a hundredth of a percent.
    Account.COST_OF_GOODS: -11_352_321 + 7_268_800,
    Account.PAYMENT: -300_000 - 1_043_710,  # 0.30, and 2.9 % of 16.99 and of 19.00; the provider refunds no fee
    Account.FULFILMENT: -2_570_000,
    Account.RETURNS: -4_000_000,
    Account.SUPPORT: -610_000 - 5_000_000,
    Account.REWARDS: -1_000_000,
    Account.POINTS_LIABILITY: -4_000_000,
    Account.COMPENSATION: -2_500_000,
    Account.ACQUISITION: -12_340_000 - 3_085_000,  # a quarter of it for the one who was attracted
    Account.MEMBER_BENEFITS: -1_000_000,
    Account.ORDER_EXTRAS: -120_000,
    Account.REDEMPTIONS: -70_000,
    Account.TICKET_EXTRAS: -750_000,
    Account.CONTACTS: -30_000,
    Account.REFERRALS: -18_000_000,
    Account.REVENUE_SHARE: -849_500,
}


def test_everything_that_can_be_counted_is_booked_as_by_hand(busy_shop):
    lines = [cost(kind, amount) for kind, amount in COUNTED.items()]
    worth = tariff(busy_shop, [schedule(*lines, acquisition_charge=0.25)])
    counts = np.zeros(width(1), np.int64)
    # Not in one mapping: numbers of both kinds of tally are equal.
    for count_kind, number in (*COMMON.items(), *OF_THE_REACH.items()):
        counts[place(count_kind)] = number
    booked = {account: amount for account, amount in zip(ACCOUNTS, (worth @ counts).tolist(), strict=True) if amount}
    assert booked == BY_HAND


def test_only_what_depends_on_no_customer_is_left_for_the_fixed_costs():
    assert set(ACCOUNTS) - set(BY_HAND) == {Account.SET_UP, Account.PROGRAMME, Account.WORKING_CAPITAL}


def test_contacts_of_a_cadence_are_counted_as_months_of_members_times_contacts(busy_shop):
    worth = tariff(busy_shop, [schedule(cost("per_contact", 0.01), contacts_per_month=4.0)])
    contacts = worth[ACCOUNTS.index(Account.CONTACTS)]
    assert contacts[place(ReachCountKind.MEMBER_MONTHS)] == -40_000
    assert np.count_nonzero(contacts) == 1


@pytest.mark.parametrize(("charge", "millionths"), [(0.0, 0), (0.2, 2_468_000), (1.0, 12_340_000)])
def test_an_attracted_customer_costs_the_share_that_is_charged(busy_shop, charge, millionths):
    worth = tariff(busy_shop, [schedule(), schedule(acquisition_charge=charge)])
    acquisition = worth[ACCOUNTS.index(Account.ACQUISITION)]
    assert acquisition[place(ReachCountKind.ATTRACTED, 1)] == -millionths
    assert acquisition[place(ReachCountKind.ATTRACTED, 0)] == 0
    # Who was referred costs the reward alone.
    assert acquisition[place(CountKind.REFERRED)] == 0


@pytest.mark.parametrize(
    ("from_month", "until_month", "flows"),
    [
        (0, None, [-800, 0, 0, 0, 800]),  # released with the horizon
        (1, 3, [0, -800, 0, 800, 0]),  # released in the month after the programme's last
        (1, 99, [0, -800, 0, 0, 800]),
        (4, None, [0, 0, 0, 0, 0]),  # tied up and released in the last month
    ],
)
def test_working_capital_goes_out_at_the_start_and_comes_back_at_the_end(from_month, until_month, flows):
    costs = fixed_costs([schedule(cost("working_capital", 800.0), from_month=from_month, until_month=until_month)], 5)
    assert costs[ACCOUNTS.index(Account.WORKING_CAPITAL)].tolist() == [flow * EUR for flow in flows]
    assert np.count_nonzero(costs) == np.count_nonzero(flows)


@given(st.integers(0, 11), st.integers(1, 30), st.floats(0.0, 1e6))
def test_all_working_capital_comes_back(from_month, lasts, amount):
    line = cost("working_capital", amount)
    costs = fixed_costs([schedule(line, from_month=from_month, until_month=from_month + lasts)], 12)
    assert costs.sum() == 0


@pytest.mark.parametrize("kind", COST_UNITS)
def test_a_negative_cost_is_refused(kind):
    with pytest.raises(ValueError, match=r"range \[-1, -1\] is outside what the unit .* allows: 0 to"):
        cost(kind, -1.0)
