from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cxsim.errors import ParamError
from cxsim.finance.economics import ACCOUNTS, Schedule, fixed_costs, load_economics, tariff
from cxsim.finance.ledger import Account
from cxsim.params import Unit
from cxsim.simulation.counts import CountKind, ReachCountKind, place, width
from cxsim.strategies.strategy import COST_UNITS, Cost
from tests.simulated import assumed

EUR = 1_000_000  # millionths


def _schedule(*costs, from_month=0, until_month=None, **more):
    return Schedule(costs=costs, from_month=from_month, until_month=until_month, **more)


def _by_account(costs):
    return {str(account): row.tolist() for account, row in zip(ACCOUNTS, costs, strict=True) if row.any()}


def _worth(worth, account, count_kind, reach=0):
    return int(worth[ACCOUNTS.index(account), place(count_kind, reach)])


def test_an_order_is_booked_to_the_millionth(shop):
    worth = tariff(shop, [])
    order = np.zeros(width(0), np.int64)
    order[[place(CountKind.ORDERS), place(CountKind.LIST), place(CountKind.MARKDOWN), place(CountKind.REWARD)]] = (
        1,
        1999,
        200,
        100,
    )
    booked = dict(zip(ACCOUNTS, (worth @ order).tolist(), strict=True))
    # By hand, 19.99 at list price, 2.00 off, 1.00 of a reward, 16.99 paid.
    assert booked[Account.GROSS_SALES] == 19_990_000
    assert booked[Account.MARKDOWN] == -2_000_000
    assert booked[Account.COST_OF_GOODS] == -11_352_321  # 19.99 * (1 - 0.4321)
    assert booked[Account.PAYMENT] == -792_710  # 0.30 + 16.99 * 0.029
    assert booked[Account.FULFILMENT] == -2_570_000
    assert booked[Account.SUPPORT] == -610_000
    assert booked[Account.REWARDS] == -1_000_000
    assert sum(booked.values()) == 1_664_969


def test_a_new_customer_costs_what_winning_one_costs(shop):
    assert _worth(tariff(shop, []), Account.ACQUISITION, CountKind.ARRIVALS) == -12_340_000


def test_points_still_held_are_charged_in_full(shop):
    assert _worth(tariff(shop, [_schedule()]), Account.POINTS_LIABILITY, ReachCountKind.POINTS_VALUE) == -10_000


def test_points_themselves_are_worth_nothing(shop):
    worth = tariff(shop, [_schedule()])
    for count_kind in (
        CountKind.POINTS_ISSUED,
        CountKind.POINTS_REDEEMED,
        CountKind.POINTS_EXPIRED,
        CountKind.POINTS_OUTSTANDING,
    ):
        assert not worth[:, place(count_kind)].any()


@pytest.mark.parametrize(
    ("kind", "value", "account", "count_kind", "millionths"),
    [
        ("per_order", 0.12, Account.ORDER_EXTRAS, ReachCountKind.ORDERS, 120_000),
        ("per_member_month", 0.5, Account.MEMBER_BENEFITS, ReachCountKind.MEMBER_MONTHS, 500_000),
        ("per_redemption", 0.07, Account.REDEMPTIONS, ReachCountKind.REDEMPTIONS, 70_000),
        ("per_ticket", 0.75, Account.TICKET_EXTRAS, ReachCountKind.TICKETS, 750_000),
        ("per_contact", 0.01, Account.CONTACTS, ReachCountKind.CONTACTS, 10_000),
        ("per_referral", 9.0, Account.REFERRALS, ReachCountKind.REFERRALS, 9_000_000),
        ("share_of_revenue", 0.05, Account.REVENUE_SHARE, ReachCountKind.PAID, 500),  # of one cent
    ],
)
def test_a_cost_is_booked_in_its_own_account_on_what_its_own_reach_counts(
    shop, kind, value, account, count_kind, millionths
):
    cost = Cost(kind=kind, amount=assumed(value, COST_UNITS[kind]))
    worth = tariff(shop, [_schedule(), _schedule(cost)])
    assert _worth(worth, account, count_kind, reach=1) == -millionths
    others = worth - tariff(shop, [_schedule(), _schedule()])
    assert np.count_nonzero(others) == 1


def test_two_costs_of_one_kind_add_up(shop):
    cost = Cost(kind="per_order", amount=assumed(0.12, Unit.MONEY_PER_ORDER))
    assert _worth(tariff(shop, [_schedule(cost, cost)]), Account.ORDER_EXTRAS, ReachCountKind.ORDERS) == -240_000


def test_fixed_costs_fall_in_the_months_in_which_the_programme_runs():
    once = Cost(kind="one_off", amount=assumed(5000.0, Unit.MONEY))
    monthly = Cost(kind="monthly", amount=assumed(350.0, Unit.MONEY_PER_MONTH))
    costs = fixed_costs([_schedule(once, monthly, from_month=1, until_month=3)], 5)
    assert _by_account(costs) == {
        Account.SET_UP: [0, -5000 * EUR, 0, 0, 0],
        Account.PROGRAMME: [0, -350 * EUR, -350 * EUR, 0, 0],
    }


def test_a_programme_without_end_costs_until_the_horizon():
    monthly = Cost(kind="monthly", amount=assumed(350.0, Unit.MONEY_PER_MONTH))
    costs = fixed_costs([_schedule(monthly), _schedule(monthly, until_month=99)], 3)
    assert _by_account(costs) == {Account.PROGRAMME: [-700 * EUR] * 3}


def test_the_baseline_has_no_fixed_costs():
    costs = fixed_costs([], 3)
    assert costs.shape == (len(ACCOUNTS), 3)
    assert not costs.any()


@pytest.mark.parametrize("currency", ["usd", "US", "DOLLARS", "U D", "ÜÄÖ"])
def test_a_currency_is_a_code_of_three_capitals(shop, currency):
    with pytest.raises(ParamError, match="three capitals, such as USD; found"):
        dataclasses.replace(shop, currency=currency)


@pytest.mark.parametrize("name", ["gross_margin", "payment_per_order", "annual_discount_rate", "fund_probability"])
def test_every_number_has_its_own_unit(shop, name):
    with pytest.raises(ParamError, match=f"{name}: wrong unit 'points'; it must be"):
        dataclasses.replace(shop, **{name: assumed(1.0, Unit.POINTS)})


def test_a_rule_that_rejects_what_it_funds_is_refused(shop):
    with pytest.raises(ParamError, match=r"reject_probability \(0\.95\) is above fund_probability \(0\.9\)"):
        dataclasses.replace(shop, reject_probability=assumed(0.95, Unit.SHARE))


def test_a_rule_with_spread_is_refused(shop):
    with pytest.raises(ParamError, match="fund_probability: a rule has no spread"):
        dataclasses.replace(shop, fund_probability=assumed(0.9, Unit.SHARE, range=(0.8, 0.95)))


def test_the_bundled_shop_is_found_by_name():
    assert load_economics("cdnow").currency == "USD"


def test_an_unknown_shop_is_answered_with_the_choices():
    with pytest.raises(ParamError, match="no 'cdnov'; did you mean 'cdnow'"):
        load_economics("cdnov")
