"""The base case as volumes and prices: multiplied they are its accounts, and every price names its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.finance.economics import ACCOUNTS
from cxsim.params import Unit
from cxsim.study.assumptions import assumed_values, with_assumptions
from cxsim.study.business.base_case import MONEY, base_case, prices, volumes
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.everything import everything

# Whole millionths times whole numbers, divided once by the number of worlds: what is left is the last of 16 digits.
MICRO = 1e-6


@pytest.fixture(scope="module")
def busy():
    """The base case of a year of new customers in which everything happens."""
    return base_case(run(replace(everything(), existing_customers="none", horizon_months=12)))


def _accounts(base, arm):
    """Return volumes times prices of an arm by month and account, means over worlds."""
    per_unit = pl.when(unit=MONEY).then(100).otherwise(1)
    money = pl.col("total") / pl.col("worlds") / per_unit * pl.col("sign") * pl.col("amount")
    booked = volumes(base).filter(arm=arm).join(prices(base).drop("unit"), on="volume").with_columns(money=money)
    found = np.zeros((base.scenario.horizon_months, len(ACCOUNTS)))
    for month, account, amount in booked.group_by("month", "account").agg(pl.col("money").sum()).iter_rows():
        found[month, ACCOUNTS.index(account)] = amount
    return found


def test_volumes_times_prices_are_every_account_in_every_month(busy):
    for arm, outcome in busy.outcomes.items():
        booked = busy.flows(outcome).amounts.mean(axis=0)
        np.testing.assert_allclose(_accounts(busy, arm), booked[1], atol=MICRO)
        np.testing.assert_allclose(_accounts(busy, BASELINE), booked[0], atol=MICRO)


def test_a_price_is_the_product_of_the_numbers_that_it_names(busy):
    known = assumed_values(busy.scenario)

    def number(name):
        return 1.0 - known[name.removeprefix("1-")] if name.startswith("1-") else known[name]

    table = prices(busy)
    for row in table.iter_rows(named=True):
        factors = [number(row[name]) for name in ("factor", "times") if row[name] is not None]
        # A share is booked to a hundredth of a percent, an amount to a millionth.
        assert row["amount"] == pytest.approx(np.prod(factors), abs=0.5e-4 if row["unit"] == MONEY else 0.5e-6)
    assert table["times"].null_count() < table.height
    assert {"acquisition", "returns handling", "referral rewards", "contact costs"} <= {*table["account"]}


def test_prices_follow_the_numbers_and_volumes_do_not(central):
    name = "strategies/points-programme/costs.monthly_2.amount"
    other = central.under(with_assumptions(central.scenario, {name: 1_000.0}))
    arms = dict(other.scenario.with_prior)
    other = replace(other, outcomes={arm: one._replace(strategies=arms[arm]) for arm, one in other.outcomes.items()})
    assert prices(other).filter(factor=name)["amount"].to_list() == [1_000.0]
    assert volumes(other).equals(volumes(central))


def test_what_happens_in_no_arm_is_left_out_and_what_happens_in_one_has_all_its_months(central):
    table = volumes(central)
    assert "Tickets" not in table["volume"]
    assert {*prices(central)["volume"]} == {*table["volume"]}
    assert table.group_by("arm", "volume").len()["len"].unique().to_list() == [central.scenario.horizon_months]
    assert table["arm"].unique(maintain_order=True).to_list() == list(central.scenario.arms)


def test_a_cost_that_comes_whatever_customers_do_is_counted_in_its_months_and_paid_back(central):
    strategy = central.scenario.strategies[0]
    cost = replace(strategy.costs[0], kind="working_capital", amount=assumed(600.0, Unit.MONEY))
    paused = replace(strategy, costs=(cost,), reach=replace(strategy.reach, from_month=2, until_month=5))
    base = base_case(run(small(draws=2, strategies=(paused,), new_customers=None, existing_customers="all")))
    tied = volumes(base).filter(volume="Change in working capital: Points programme")
    worlds = tied["worlds"][0]
    assert (tied["total"] / worlds).to_list() == [0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 0]


def test_two_strategies_of_one_title_have_volumes_of_their_own(central):
    first, second, third = central.scenario.strategies
    twins = (first, replace(second, title=first.title), third)
    table = volumes(base_case(run(small(draws=2, strategies=twins))))
    started = table.filter(pl.col("volume").str.starts_with("Launch:"))["volume"].unique(maintain_order=True).to_list()
    assert started == [
        "Launch: Points programme (points-programme)",
        "Launch: Points programme (win-back-coupon)",
        "Launch: Faster delivery",
    ]
