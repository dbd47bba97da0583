"""With every mechanism at once, customers, counts, ledger and statement still hold the same money."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.finance.ledger import Account
from cxsim.params import MICROS, micros
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import customer_values, simulate
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE
from cxsim.study.worlds import arms_of, schedule
from tests.study.everything import TOGETHER, everything, with_prior

ARMS = everything().arms


@pytest.fixture(scope="module")
def played(busy):
    """Inputs and counts of the study's worlds, played again by hand."""
    worlds = busy.worlds
    inputs = [worlds.inputs(draw) for draw in worlds.draws]
    return inputs, simulate(worlds.population, [lambda one=one: one for one in inputs], seed=busy.scenario.seed)


def booked(study, arm, account=None):
    """Return what stands in the ledger in each draw, in millionths."""
    entries = study.ledger.filter(arm=arm)
    if account is not None:
        entries = entries.filter(account=account)
    sums = dict(entries.group_by("draw").agg(pl.col("amount").sum()).iter_rows())
    return [sums.get(draw, 0) for draw in range(len(study.worlds.draws))]


def tallied(counts, arm, count_kind, reach=0):
    return [int(counted.by_arm[arm][:, :, place(count_kind, reach)].sum()) for counted in counts]


@pytest.mark.parametrize("arm", range(len(ARMS)), ids=ARMS)
def test_customers_counts_and_ledger_hold_the_same_money_to_the_millionth(busy, played, arm):
    inputs, counts = played
    for number, (ready, counted, draw) in enumerate(zip(inputs, counts, busy.worlds.draws, strict=True)):
        customers = int(customer_values(busy.worlds.population, ready, seed=busy.scenario.seed, arm=arm).sum())
        worth = int((counted.by_arm[arm] @ ready.unit_values[arm]).sum())
        assert customers == worth == booked(busy, ARMS[arm])[number] - int(draw.fixed()[arm].sum())


@pytest.mark.parametrize("arm", ARMS[1:])
def test_the_statement_holds_the_money_of_the_ledger(busy, arm):
    last = busy.statement.filter(strategy=arm, line="cash contribution")
    for column, name in (("baseline", BASELINE), ("treated", arm)):
        # Means of two draws; doubles hold some hundred thousand units of money to far less than a millionth.
        assert last[column].sum() == pytest.approx(np.mean(booked(busy, name)) / MICROS, abs=1e-6)


def test_all_programmes_together_move_every_account_but_working_capital(busy):
    moved = {account for account in Account if booked(busy, TOGETHER, account) != booked(busy, BASELINE, account)}
    # No bundled strategy among them ties up capital, or gives a ticket or an order's revenue a price.
    assert set(Account) - moved <= {Account.WORKING_CAPITAL, Account.TICKET_EXTRAS, Account.REVENUE_SHARE}


def _place(busy, arm, name):
    together = arms_of(busy.scenario)[ARMS.index(arm)]
    return ARMS.index(arm), [strategy.name for strategy in together].index(name)


@pytest.mark.parametrize("arm", ["e-mail-cadence", TOGETHER])
def test_every_e_mail_of_a_cadence_is_paid(busy, played, arm):
    place_of_arm, reach = _place(busy, arm, "e-mail-cadence")
    months = tallied(played[1], place_of_arm, ReachCountKind.MEMBER_MONTHS, reach)
    own = [
        -micros(draw.scenario.strategies[6].costs[2].amount.value * 4) * count
        for draw, count in zip(busy.worlds.draws, months, strict=True)
    ]
    assert busy.scenario.strategies[6].name == "e-mail-cadence"
    assert schedule(busy.scenario.strategies[6]).contacts_per_month == 4
    found = booked(busy, arm, Account.CONTACTS)
    if arm == TOGETHER:
        # There the e-mails to those who have long been gone are paid too.
        gone = _place(busy, arm, "win-back-reactivation")[1]
        sent = tallied(played[1], place_of_arm, ReachCountKind.CONTACTS, gone)
        prices = [micros(draw.scenario.strategies[8].costs[1].amount.value) for draw in busy.worlds.draws]
        own = [one - price * count for one, price, count in zip(own, prices, sent, strict=True)]
    assert found == own
    assert all(amount < 0 for amount in found)


def test_attracted_customers_cost_their_charge_and_referred_ones_their_reward(busy, played):
    usual = booked(busy, BASELINE, Account.ACQUISITION)
    arm, reach = _place(busy, "first-order-discount", "first-order-discount")
    attracted = tallied(played[1], arm, ReachCountKind.ATTRACTED, reach)
    for number, draw in enumerate(busy.worlds.draws):
        price = draw.scenario.economics.acquisition_per_customer.value
        charge = draw.scenario.strategies[7].effects[0].charge.value
        more = booked(busy, "first-order-discount", Account.ACQUISITION)[number] - usual[number]
        assert more == -micros(price * charge) * attracted[number]
    assert sum(attracted) > 0
    assert booked(busy, "referral-programme", Account.ACQUISITION) == usual
    assert sum(tallied(played[1], ARMS.index("referral-programme"), CountKind.REFERRED)) > 0
    assert all(amount < 0 for amount in booked(busy, "referral-programme", Account.REFERRALS))


def test_fees_refunds_returns_and_compensation_are_what_was_counted(busy, played):
    arm = ARMS.index(TOGETHER)
    for account, count_kind, sign in [
        (Account.FEES, CountKind.FEES, 1),
        (Account.REFUNDS, CountKind.REFUNDED, -1),
        (Account.COMPENSATION, CountKind.COMPENSATION, -1),
        (Account.REWARDS, CountKind.REWARD, -1),
        (Account.MARKDOWN, CountKind.MARKDOWN, -1),
    ]:
        counted = [sign * cents * MICROS // 100 for cents in tallied(played[1], arm, count_kind)]
        assert booked(busy, TOGETHER, account) == counted
        assert all(counted)
    handled = zip(tallied(played[1], arm, CountKind.RETURNS), busy.worlds.draws, strict=True)
    assert booked(busy, TOGETHER, Account.RETURNS) == [
        -count * micros(draw.scenario.economics.handling_per_return.value) for count, draw in handled
    ]


def entries(study, arm):
    """Return an arm's entries but for cohorts that have none."""
    return study.ledger.filter(arm=arm).select("draw", "month", pl.col("cohort", "account").cast(pl.String), "amount")


def test_another_strategy_moves_no_entry_of_any_other_arm_though_it_attracts_and_refers(busy):
    scenario = everything()
    fewer = tuple(one for one in scenario.strategies if one.name not in {"first-order-discount", "referral-programme"})
    found = run(dataclasses.replace(scenario, strategies=fewer, combinations=(), stacking=None))
    for arm in found.scenario.arms:
        assert entries(found, arm).equals(entries(busy, arm))


def test_the_order_of_strategies_in_the_file_moves_no_entry(busy):
    scenario = everything()
    localise = run(dataclasses.replace(scenario, strategies=scenario.strategies[::-1]))
    assert localise.scenario.arms != busy.scenario.arms
    for arm in busy.scenario.arms:
        assert entries(localise, arm).equals(entries(busy, arm))


def test_a_strategy_that_is_searched_moves_no_entry_of_those_believed(busy):
    scenario = everything()
    others = tuple(one for one in scenario.strategies if one.name != "vip-tiers")
    searched = dataclasses.replace(with_prior("vip-tiers"), mode="break-even", searches="effects.status_1.dropout")
    kept = dataclasses.replace(scenario, strategies=(*others, searched), combinations=(), stacking=None)
    found = run(kept)
    for arm in found.scenario.arms:
        assert entries(found, arm).equals(entries(busy, arm))
    assert found.break_even["strategy"].to_list() == ["vip-tiers"]
