"""What customers bring after the horizon: beside the net present value, or in all of it when the scenario says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.finance.economics import Account
from cxsim.finance.statement import flows
from cxsim.params import MICROS, Unit
from cxsim.simulation.engine import customer_values
from cxsim.strategies.effects import Dropout
from cxsim.study.business.base_case import base_case, booked
from cxsim.study.business.case import statements
from cxsim.study.business.pathways import pathways
from cxsim.study.business.sensitivity import rates
from cxsim.study.run import run
from cxsim.study.worlds import schedule
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.everything import everything

# A price is held in whole millionths of a thousandth of an order and of a cent: to a ten-thousandth of what it is.
PRICE = 1e-3


@pytest.fixture(scope="module")
def included():
    return run(small(draws=8, after_horizon="included"))


def test_the_line_stands_beside_the_strict_value_and_is_all_that_including_it_adds(study, included):
    line = statements(study)["investment"]
    strict, whole = (one.returns["incremental_npv"] for one in (study, included))
    added = (whole - strict).to_numpy()
    assert added == pytest.approx(line["after_horizon"].to_numpy(), rel=PRICE, abs=0.01)
    assert np.abs(added).max() > 1.0
    assert (line["after_horizon_low"] <= line["after_horizon"]).all()
    assert (line["after_horizon"] <= line["after_horizon_high"]).all()
    assert study.ledger.filter(pl.col("account") == Account.RETAINED).is_empty()


def test_the_line_is_the_same_whether_it_is_counted_or_not(study, included):
    columns = ["after_horizon", "after_horizon_low", "after_horizon_high"]
    counted, beside = (statements(one)["investment"] for one in (included, study))
    assert counted.select(columns).equals(beside.select(columns))
    assert counted["after_horizon_rule"].to_list() == ["included"] * 3


def test_included_it_is_one_amount_of_the_last_month_in_ledger_counts_and_customers(included):
    scenario, worlds = included.scenario, included.worlds
    own = included.ledger.filter(pl.col("account") == Account.RETAINED)
    assert set(own["month"]) == {scenario.horizon_months - 1}
    again = booked(worlds.draws, [draw.arms for draw in worlds.draws], included.counts)
    ledger = flows(included.ledger, scenario.arms, draws=len(worlds.draws), months=scenario.horizon_months)
    assert np.array_equal(again.amounts, ledger.amounts)
    draw = worlds.draws[3]
    for number, arm in enumerate(scenario.arms):
        customers = int(customer_values(worlds.population, worlds.inputs(draw), seed=scenario.seed, arm=number).sum())
        money = included.ledger.filter(pl.col("draw") == 3, pl.col("arm") == arm, pl.col("cohort") != "shared")
        assert money["amount"].sum() == customers


def test_included_pathways_and_rates_add_up_to_the_same_value(included):
    base = base_case(included)
    parts, _ = pathways(base, included.returns, statements(included)["periods"])
    for name, outcome in base.outcomes.items():
        own = parts.filter(pl.col("strategy") == name, pl.col("kind").is_in(["gives", "takes"]))
        assert own["amount"].sum() == pytest.approx(base.npv(outcome).mean(), abs=1e-4)
    table = rates(included).filter(annual_discount_rate=included.scenario.economics.annual_discount_rate.value)
    last = table.filter(pl.col("horizon_months") == pl.col("horizon_months").max())
    assert last["horizon_months"].unique().to_list() == [12 + 10 * 12]
    whole = included.returns["incremental_npv"].to_list()
    assert last["npv"].to_list() == pytest.approx(whole, rel=PRICE, abs=0.01)


def test_a_longer_horizon_adds_the_first_years_after_it(study):
    table = rates(study).filter(annual_discount_rate=0.0)
    later = [study.worlds.later_money(counts) for counts in study.counts]
    for arm, name in enumerate(study.scenario.arms[1:], start=1):
        npv = dict(table.filter(strategy=name).select("horizon_months", "npv").iter_rows())
        added = (later[arm] - later[0]).mean(axis=0)
        assert npv[24] - npv[12] == pytest.approx(added[0], abs=1e-6)
        assert npv[36] - npv[24] == pytest.approx(added[1], abs=1e-6)


@pytest.mark.parametrize("dropout", ["bgnbd", "mbgnbd", "paretonbd"])
def test_a_strategy_without_effect_retains_nobody_to_the_last_digit_and_one_with_it_does(dropout):
    scenario = small(draws=2, dropout=dropout)
    pattern = replace(scenario.strategies[2], costs=())
    arms = tuple(
        replace(pattern, name=name, effects=(Dropout(ratio=assumed(ratio, Unit.RATIO)),))
        for name, ratio in (("nothing", 1.0), ("stay", 0.5))
    )
    found = statements(run(replace(scenario, strategies=arms, stacking=None, budget=None)))["investment"]
    columns = ["after_horizon", "after_horizon_low", "after_horizon_high"]
    assert found.filter(strategy="nothing").select(columns).row(0) == (0.0, 0.0, 0.0)
    assert found.filter(strategy="stay")["after_horizon_low"].item() > 0.0


def test_expected_breakage_lowers_the_charge_for_points_and_nothing_else():
    scenario = small(draws=2)
    card = scenario.strategies[0]
    effects = tuple(
        replace(one, breakage=assumed(0.4, Unit.SHARE)) if one.kind == "points" else one for one in card.effects
    )
    kept, taken = (
        run(replace(scenario, strategies=(one,), stacking=None, budget=None))
        for one in (card, replace(card, effects=effects))
    )
    assert (schedule(card).breakage, schedule(taken.scenario.strategies[0]).breakage) == (0.0, 0.4)
    owed = [
        one.ledger.filter(pl.col("account") == Account.POINTS_LIABILITY)["amount"].sum() / MICROS
        for one in (kept, taken)
    ]
    assert owed[1] == pytest.approx(0.6 * owed[0], rel=1e-12)
    assert owed[0] < 0.0
    others = [one.ledger.filter(pl.col("account") != Account.POINTS_LIABILITY) for one in (kept, taken)]
    assert others[1].equals(others[0])
    rate, months = kept.scenario.economics.annual_discount_rate.value, kept.scenario.horizon_months
    settled = rates(taken).filter(annual_discount_rate=rate, horizon_months=months)["npv"].item()
    assert settled == pytest.approx(taken.returns["incremental_npv"].item(), abs=1e-6)


def test_the_years_after_a_horizon_of_a_shop_in_which_everything_happens_are_counted_too():
    busy = run(replace(everything(), existing_customers="none", horizon_months=12, draws=2, after_horizon="included"))
    added = busy.ledger.filter(pl.col("account") == Account.RETAINED)
    assert set(added["arm"].cast(pl.String)) == set(busy.scenario.arms)
    assert "The years after the horizon" in busy.cautions["title"].to_list()
