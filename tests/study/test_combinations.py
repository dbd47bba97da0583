"""Strategies at once: simulated together, the stronger gain counted in full and a share of the weaker."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from cxsim.params import Unit
from cxsim.strategies.effects import Basket, Dropout, PurchaseRate, Reach
from cxsim.strategies.strategy import Strategy
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.everything import TOGETHER, combined


def ratio(value):
    return assumed(value, Unit.RATIO)


def plan(name, *effects):
    reach = Reach(who="true", uptake=assumed(1.0, Unit.SHARE), ramp_days=assumed(0.0, Unit.DAYS))
    return Strategy(name=name, title=name, description="Made for a test.", reach=reach, effects=effects)


def entries(study, arm):
    return study.ledger.filter(arm=arm).drop("arm")


def played(*strategies, stacking, **changes):
    """Return a study of strategies alone and of the first two of them together."""
    names = [one.name for one in strategies[:2]]
    return run(combined(small(strategies=strategies, draws=2, **changes), *names, stacking=stacking))


IDLE = plan("idle", PurchaseRate(ratio=ratio(1.0)), Dropout(ratio=ratio(1.0)), Basket(ratio=ratio(1.0)))


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("reversed_order", [False, True])
def test_beside_one_that_does_nothing_a_strategy_is_what_it_is_alone(scenario, number, reversed_order):
    strategy = scenario.strategies[number]
    pair = (IDLE, strategy) if reversed_order else (strategy, IDLE)
    study = played(*pair, stacking=0.6)
    assert entries(study, TOGETHER).equals(entries(study, strategy.name))
    assert entries(study, "idle").equals(entries(study, BASELINE))
    assert not entries(study, TOGETHER).equals(entries(study, BASELINE))


# Two effects, and what they come to at a stacking of 1, 0 and a half.
PAIRS = {
    "two gains of the order rate": (PurchaseRate, 1.2, 1.5, {1.0: 1.2 * 1.5, 0.0: 1.5, 0.5: 1.5 * 1.2**0.5}),
    "two gains of staying": (Dropout, 0.8, 0.9, {1.0: 0.8 * 0.9, 0.0: 0.8, 0.5: 0.8 * 0.9**0.5}),
    "two gains of the basket": (Basket, 1.25, 1.5, {1.0: 1.25 * 1.5, 0.0: 1.5, 0.5: 1.5 * 1.25**0.5}),
    "a gain and a harm": (PurchaseRate, 1.5, 0.8, {1.0: 1.5 * 0.8, 0.0: 1.5 * 0.8, 0.5: 1.5 * 0.8}),
    "two harms": (Dropout, 1.2, 1.3, {1.0: 1.2 * 1.3, 0.0: 1.2 * 1.3, 0.5: 1.2 * 1.3}),
}


@pytest.mark.parametrize("stacking", [1.0, 0.0, 0.5])
@pytest.mark.parametrize(("kind", "one", "other", "factors"), PAIRS.values(), ids=PAIRS)
def test_together_is_the_product_the_stronger_alone_or_between(kind, one, other, factors, stacking):
    parts = plan("one", kind(ratio=ratio(one))), plan("other", kind(ratio=ratio(other)))
    expected = plan("expected", kind(ratio=ratio(factors[stacking])))
    study = played(*parts, expected, stacking=stacking)
    assert entries(study, TOGETHER).height > 0
    assert entries(study, TOGETHER).equals(entries(study, "expected"))


def test_effects_on_different_things_do_not_weaken_each_other():
    parts = plan("one", PurchaseRate(ratio=ratio(1.3))), plan("other", Basket(ratio=ratio(1.2)))
    expected = plan("expected", PurchaseRate(ratio=ratio(1.3)), Basket(ratio=ratio(1.2)))
    study = played(*parts, expected, stacking=0.0)
    assert entries(study, TOGETHER).equals(entries(study, "expected"))


def test_costs_of_strategies_at_once_are_those_of_both(busy):
    fixed = ("set-up cost", "programme cost")
    spent = busy.ledger.filter(pl.col("account").cast(pl.String).is_in(fixed)).group_by(
        pl.col("arm").cast(pl.String), "draw"
    )
    sums = {(arm, draw): amount for arm, draw, amount in spent.agg(pl.col("amount").sum()).iter_rows()}
    for draw in (0, 1):
        alone = sum(sums.get((one.name, draw), 0) for one in busy.scenario.strategies)
        assert sums[TOGETHER, draw] == alone < 0


def joined(tables, programme, names=None):
    """Return who joined a programme and when; of some customers alone, where it is said of whom."""
    members = tables.members.filter(programme=programme).select("customer_id", "joined_at")
    return (members if names is None else members.filter(pl.col("customer_id").is_in(names))).sort("customer_id")


@pytest.mark.parametrize("name", ["points-programme", "paid-membership", "e-mail-cadence", "vip-tiers"])
def test_the_same_customers_join_a_programme_alone_and_together_with_others(busy, shop_tables, name):
    alone = busy.tables(name)
    # Together, customers come who would not have come: attracted, or referred.
    everyone = alone.lives["customer_id"].implode()
    expected = joined(alone, name)
    found = joined(shop_tables[TOGETHER], name, everyone)
    assert expected.height >= 20  # fewest join where a fee is asked
    assert found.equals(expected)


def test_the_order_of_strategies_in_a_combination_moves_no_entry(scenario):
    points, coupon, _ = scenario.strategies
    one, other = played(points, coupon, stacking=0.6), played(coupon, points, stacking=0.6)
    assert entries(one, TOGETHER).equals(entries(other, TOGETHER))


def test_another_combination_moves_no_entry(scenario):
    once = combined(dataclasses.replace(scenario, draws=2), "points-programme", "win-back-coupon")
    twice = combined(once, "points-programme", "faster-delivery", name="more")
    assert entries(run(twice), TOGETHER).equals(entries(run(once), TOGETHER))
