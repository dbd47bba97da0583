"""What is counted is booked in its own account, to the millionth; a shop's unit economics make sense."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from cxsim.errors import ParamError
from cxsim.finance.economics import (
    ACCOUNTS,
    SHARED,
    Account,
    Schedule,
    Usual,
    book,
    fixed_costs,
    later_contribution,
    load_economics,
    tariff,
)
from cxsim.params import Unit
from cxsim.simulation.counts import YEARS_AFTER, CountKind, ReachCountKind, place, width
from cxsim.strategies.strategy import COST_UNITS, Cost
from cxsim.tables import LEDGER, check
from tests.simulated import assumed

EUR = 1_000_000  # millionths
SHOP = load_economics("cdnow")
NOTHING = np.zeros((len(ACCOUNTS), 2), np.int64)


def cost(kind, amount):
    return Cost(kind=kind, amount=assumed(amount, COST_UNITS[kind]))


def schedule(*costs, from_month=0, until_month=None, **more):
    return Schedule(costs=costs, from_month=from_month, until_month=until_month, **more)


def _by_account(costs):
    return {str(account): row.tolist() for account, row in zip(ACCOUNTS, costs, strict=True) if row.any()}


def _price(prices, account, count_kind, reach=0):
    return int(prices[ACCOUNTS.index(account), place(count_kind, reach)])


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
    Account.DISCOUNTS: -2_000_000,
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
    prices = tariff(busy_shop, [schedule(*lines, acquisition_charge=0.25)])
    counts = np.zeros(width(1), np.int64)
    # Not in one mapping: numbers of both kinds of count are equal.
    for count_kind, number in (*COMMON.items(), *OF_THE_REACH.items()):
        counts[place(count_kind)] = number
    booked = {account: amount for account, amount in zip(ACCOUNTS, (prices @ counts).tolist(), strict=True) if amount}
    assert booked == BY_HAND


def test_only_what_no_customer_does_within_the_horizon_is_left():
    assert set(ACCOUNTS) - set(BY_HAND) == {
        Account.SET_UP, Account.PROGRAMME, Account.WORKING_CAPITAL, Account.RETAINED,
    }  # fmt: skip


@pytest.mark.parametrize(("breakage", "millionths"), [(0.0, 10_000), (0.25, 7_500), (1.0, 0)])
def test_points_held_at_the_end_are_charged_less_what_is_taken_never_to_be_redeemed(busy_shop, breakage, millionths):
    prices = tariff(busy_shop, [schedule(breakage=breakage)])
    owed = prices[ACCOUNTS.index(Account.POINTS_LIABILITY)]
    assert owed[place(ReachCountKind.POINTS_VALUE)] == -millionths  # of a cent


def test_an_order_after_the_horizon_contributes_what_one_does_without_a_programme(busy_shop):
    usual = Usual(tickets=0.1, return_chance=0.2, return_part=0.5)
    order, cent = later_contribution(busy_shop, usual)
    # By hand, in millionths: 0.30 + 2.57 + 0.61 for the order, a tenth of 5.00 and a fifth of 4.00; a thousandth of it.
    assert order == pytest.approx(-(300_000 + 2_570_000 + 610_000 + 500_000 + 800_000) / 1_000, abs=1e-9)
    # Of a cent 10,000 less goods of 5,679 and fees of 290; a tenth comes back, and 4,543 of its goods with it.
    assert cent == pytest.approx(10_000 - 5_679 - 290 + 0.1 * (4_543 - 10_000), abs=1e-9)


@pytest.mark.parametrize(("charge", "millionths"), [(0.0, 0), (0.2, 2_468_000), (1.0, 12_340_000)])
def test_an_attracted_customer_costs_the_share_that_is_charged(busy_shop, charge, millionths):
    prices = tariff(busy_shop, [schedule(), schedule(acquisition_charge=charge)])
    acquisition = prices[ACCOUNTS.index(Account.ACQUISITION)]
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


@pytest.mark.parametrize("kind", ["one_off", "share_of_revenue"])
def test_a_negative_cost_is_refused(kind):
    with pytest.raises(ValueError, match=r"range \[-1, -1\] is outside what the unit .* allows: 0 to"):
        cost(kind, -1.0)


def test_fixed_costs_fall_in_the_months_in_which_the_programme_runs():
    once = cost("one_off", 5000.0)
    monthly = cost("monthly", 350.0)
    costs = fixed_costs([schedule(once, monthly, from_month=1, until_month=3)], 5)
    assert _by_account(costs) == {
        Account.SET_UP: [0, -5000 * EUR, 0, 0, 0],
        Account.PROGRAMME: [0, -350 * EUR, -350 * EUR, 0, 0],
    }


@pytest.mark.parametrize("currency", ["usd", "US", "ÜÄÖ"])
def test_a_currency_is_a_code_of_three_capitals(shop, currency):
    with pytest.raises(ParamError, match="three capitals, such as USD; found"):
        dataclasses.replace(shop, currency=currency)


@pytest.mark.parametrize("name", ["gross_margin", "annual_discount_rate"])
def test_every_number_has_its_own_unit(shop, name):
    with pytest.raises(ParamError, match=f"{name}: wrong unit 'points'; it must be"):
        dataclasses.replace(shop, **{name: assumed(1.0, Unit.POINTS)})


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"fund_probability": (0.9, 0.95)}, "fund_probability: a rule has no spread"),
        ({"fund_probability": (0.925, 0.925)}, r"fund_probability: 0\.925 .* choose 0\.92 or 0\.93"),
        (
            {"forecast_caution": (0.3, 0.3), "forecast_stop": (0.2, 0.2)},
            r"forecast_caution \(0\.3\) is above forecast_stop \(0\.2\)",
        ),
        ({"forecast_caution": (0.1, 0.1), "forecast_stop": (0.2, 0.4)}, "forecast_stop: a rule has no spread"),
    ],
)
def test_rules_that_contradict_or_have_spread_are_refused(shop, rules, message):
    changed = {name: assumed(low, Unit.SHARE, range=(low, high)) for name, (low, high) in rules.items()}
    with pytest.raises(ParamError, match=message):
        dataclasses.replace(shop, **changed)


NO_LATER = np.zeros((YEARS_AFTER, 2), np.int64)


def _booked(draw, baseline, plan, fixed=NOTHING):
    prices = tariff(SHOP, [])
    return book(
        draw,
        [baseline, plan],
        arms=("baseline", "plan"),
        cohorts=("existing", "1998-07"),
        tariffs=[prices, prices],
        fixed=[NOTHING, fixed],
        later=NO_LATER,
    )


def _counts(*, orders=0, cents=0):
    counts = np.zeros((2, 2, width(0)), np.int64)
    counts[0, 1, place(CountKind.ORDERS)] = orders
    counts[0, 1, place(CountKind.LIST)] = cents
    return counts


def test_entries_name_arm_cohort_month_and_account():
    sales = check(_booked(3, _counts(), _counts(orders=1, cents=1000)), LEDGER).row(0, named=True)
    assert sales == {
        "draw": 3, "arm": "plan", "cohort": "existing", "month": 1, "account": "gross sales", "amount": 10_000_000,
    }  # fmt: skip


def test_entries_of_zero_are_left_out():
    assert _booked(0, _counts(), _counts()).is_empty()


def test_what_a_programme_costs_whatever_customers_do_belongs_to_no_cohort():
    costs = NOTHING.copy()
    costs[ACCOUNTS.index(Account.PROGRAMME), 0], costs[ACCOUNTS.index(Account.SET_UP), 1] = -7, -9
    ledger = _booked(0, _counts(), _counts(), costs)
    assert ledger.select("arm", "cohort", "month", "account", "amount").rows() == [
        ("plan", SHARED, 0, Account.PROGRAMME.value, -7),
        ("plan", SHARED, 1, Account.SET_UP.value, -9),
    ]


shares = st.floats(0.01, 0.99).map(lambda share: assumed(share, Unit.SHARE))
fees = st.floats(0.0, 100.0).map(lambda fee: assumed(fee, Unit.MONEY_PER_ORDER))
orders = hnp.arrays(np.int64, st.tuples(st.integers(1, 20), st.just(width(0))), elements=st.integers(0, 10**7))


@given(orders, shares, shares, fees)
def test_money_is_conserved_booking_every_order_or_all_at_once(each, margin, payment_share, fee):
    shop = dataclasses.replace(SHOP, gross_margin=margin, payment_share=payment_share, payment_per_order=fee)
    prices = tariff(shop, [])
    one_by_one = sum((prices @ order for order in each), np.zeros(len(ACCOUNTS), np.int64))
    counts = np.zeros((2, 2, width(0)), np.int64)
    counts[1, 0] = each.sum(axis=0)
    ledger = book(
        0,
        [_counts(), counts],
        arms=("baseline", "plan"),
        cohorts=("existing", "1998-07"),
        tariffs=[prices, prices],
        fixed=[NOTHING, NOTHING],
        later=NO_LATER,
    )
    booked = dict(ledger.select(pl.col("account").cast(pl.String), "amount").iter_rows())
    assert [booked.get(str(account), 0) for account in ACCOUNTS] == one_by_one.tolist()
