"""What a study promises whatever is in it: no effect, no difference; every amount accounted for; one luck for all."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise
from cxsim.params import MICROS, Unit
from cxsim.simulation.engine import customer_values, simulate
from cxsim.strategies.effects import Basket, Coupon, Dropout, Markdown, PurchaseRate, Reach
from cxsim.strategies.mechanisms import Points
from cxsim.strategies.strategy import Strategy
from cxsim.study.loading import load_scenario
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE, NewCustomers
from cxsim.study.worlds import Fits, draw_worlds
from tests.simulated import assumed

ONE, NONE, ALL = assumed(1.0, Unit.RATIO), assumed(0.0, Unit.SHARE), assumed(1.0, Unit.SHARE)
NOTHING = (
    PurchaseRate(ratio=ONE),
    Dropout(ratio=ONE),
    Basket(ratio=ONE),
    Coupon(face_value=assumed(10.0, Unit.MONEY), redemption=NONE),
)
NO_MARKDOWN = Markdown(depth=NONE, redemption=ALL, elasticity=assumed(-2.0, Unit.ELASTICITY))
# A card that is filled but rewards nothing: points are counted, and worth nothing.
EMPTY_CARD = Points(
    earn=assumed(1.0, Unit.POINTS_PER_MONEY),
    threshold=assumed(50.0, Unit.POINTS),
    reward=assumed(0.0, Unit.MONEY),
    redemption=ALL,
    expiry_days=assumed(90.0, Unit.DAYS),
)


def days(value):
    return assumed(value, Unit.DAYS)


def reaching(*, uptake=1.0, ramp_days=0.0, **when):
    return Reach(who="true", uptake=assumed(uptake, Unit.SHARE), ramp_days=days(ramp_days), **when)


REACHES = {
    "permanent": reaching(),
    "windowed": reaching(from_month=2, until_month=9),
    "ramped": reaching(uptake=0.5, ramp_days=200.0),
    "idle-triggered": reaching(after_idle_days=days(40.0), for_days=days(30.0)),
}


def strategy(name, reach, *effects):
    return Strategy(name=name, title=name, description="Made for a test.", reach=reach, effects=effects)


@pytest.fixture(scope="module")
def scenario():
    """The sample's 2,357 customers and 150 new ones over a year, the bundled scenario's programmes, three draws."""
    return dataclasses.replace(
        load_scenario("cdnow-quick"),
        orders="cdnow-sample",
        new_customers=NewCustomers(per_month=50, months=3),
        horizon_months=12,
        draws=3,
    )


@pytest.fixture(scope="module")
def study(scenario):
    return run(scenario)


@pytest.fixture(scope="module")
def neutral(scenario):
    idle = [strategy(name, reach, *NOTHING) for name, reach in REACHES.items()]
    others = [
        strategy("no markdown", REACHES["permanent"], NO_MARKDOWN),
        strategy("empty card", REACHES["ramped"], EMPTY_CARD),
    ]
    return run(dataclasses.replace(scenario, strategies=(*idle, *others)))


def entries(study, arm):
    return study.ledger.filter(arm=arm).drop("arm")


@pytest.mark.parametrize("name", [*REACHES, "no markdown", "empty card"])
def test_a_strategy_without_effect_and_cost_changes_not_one_entry(neutral, name):
    assert entries(neutral, BASELINE).height > 0
    assert entries(neutral, name).equals(entries(neutral, BASELINE))


def test_a_strategy_without_effect_and_cost_is_worth_exactly_nothing(neutral):
    assert neutral.returns["incremental_npv"].to_list() == [0.0] * 6
    assert neutral.npv["npv"].to_list() == [0.0] * 18
    assert neutral.paired["paired_std_error"].to_list() == [0.0] * 6
    card = neutral.points.row(-1, named=True)
    assert card["points_issued"] > 0, "nobody had a card, so nothing was shown"


def test_points_issued_are_redeemed_or_expired_or_outstanding(study, scenario):
    row = study.points.filter(strategy="points-programme").row(0, named=True)
    # Means of three draws of whole numbers, so exact as soon as they are sums again.
    issued, *gone = (
        round(row[f"points_{what}"] * scenario.draws) for what in ("issued", "redeemed", "expired", "outstanding")
    )
    assert issued == sum(gone) > 0


@pytest.fixture(scope="module")
def played(scenario, study):
    """The draws of the study again: population, inputs, draws and counts."""
    rfm = summarise(load_cdnow(sample=True), until=scenario.observed_until)
    worlds = draw_worlds(scenario, Fits(rfm=rfm, purchases=study.purchases, spend=study.spend))
    inputs = [worlds.inputs(draw) for draw in worlds.draws]
    counts = simulate(worlds.population, [lambda one=one: one for one in inputs], seed=scenario.seed)
    return worlds.population, inputs, worlds.draws, counts


@pytest.mark.parametrize("arm", range(4))
def test_customers_counts_and_ledger_hold_the_same_money_to_the_millionth(scenario, study, played, arm):
    population, inputs, draws, counts = played
    for number, (ready, draw, counted) in enumerate(zip(inputs, draws, counts, strict=True)):
        customers = int(customer_values(population, ready, seed=scenario.seed, arm=arm).sum())
        worth = int((counted.by_arm[arm] @ ready.unit_values[arm]).sum())
        booked = study.ledger.filter(draw=number, arm=scenario.arms[arm])["amount"].sum()
        assert customers == worth == booked - int(draw.fixed()[arm].sum())


def test_the_cohorts_of_the_ledger_add_up_to_the_whole(study, played):
    _, _, draws, counts = played
    for number, (draw, counted) in enumerate(zip(draws, counts, strict=True)):
        for arm, name in enumerate(study.scenario.arms):
            cohorts = study.ledger.filter(draw=number, arm=name).group_by("cohort").agg(pl.col("amount").sum())
            by_cohort = dict(cohorts.iter_rows())
            expected = (counted.by_arm[arm] @ draw.tariffs()[arm].T).sum(axis=(1, 2)).tolist()
            found = [by_cohort.get(cohort, 0) for cohort in ("existing", "1998-07", "1998-08", "1998-09", "referred")]
            assert found == expected
            assert by_cohort.get("shared", 0) == draw.fixed()[arm].sum()


@pytest.mark.parametrize("column", ["baseline", "treated"])
def test_the_statement_holds_the_money_of_the_ledger(study, column):
    lines = study.statement.filter(line="cash contribution").group_by("strategy").agg(pl.col(column).sum())
    for name, amount in lines.iter_rows():
        booked = study.ledger.filter(arm=BASELINE if column == "baseline" else name)["amount"].sum()
        # Means of three draws; doubles hold some hundred thousand units of money to far less than a millionth.
        assert amount == pytest.approx(booked / MICROS / study.scenario.draws, abs=1e-6)


def test_another_strategy_moves_no_entry_of_the_others(scenario, study):
    fewer = run(dataclasses.replace(scenario, strategies=scenario.strategies[1:]))
    for arm in fewer.scenario.arms:
        assert entries(fewer, arm).equals(entries(study, arm))


def test_the_order_of_strategies_moves_no_entry(scenario, study):
    localise = run(dataclasses.replace(scenario, strategies=scenario.strategies[::-1]))
    for arm in scenario.arms:
        assert entries(localise, arm).equals(entries(study, arm))


def test_the_number_of_threads_moves_no_entry(scenario, study):
    with ThreadPoolExecutor(1) as one:
        assert run(scenario, executor=one).ledger.equals(study.ledger)


def test_more_draws_change_none_of_those_already_made(scenario, study):
    more = run(dataclasses.replace(scenario, draws=4))
    assert more.ledger.filter(pl.col("draw") < 3).equals(study.ledger)


@pytest.mark.parametrize("arm", [1, 2, 3])
def test_the_error_that_is_printed_is_a_tenth_of_that_with_separate_luck_or_less(scenario, study, played, arm):
    population, inputs, _, _ = played
    spreads = [
        [customer_values(population, ready, seed=scenario.seed + of, arm=of).std() for of in (0, arm)]
        for ready in inputs
    ]
    separate = np.hypot(*np.transpose(spreads)).mean() / MICROS / np.sqrt(population.size)
    found = separate / study.paired["paired_std_error"][arm - 1]
    assert found >= 10, f"{found:.1f} times"
