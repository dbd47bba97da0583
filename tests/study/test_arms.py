"""All structures of leaving beside each other: the same draws three times, and errors that know it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.library import names
from cxsim.params import MICROS, Unit, quantities
from cxsim.strategies.effects import Basket, Dropout, PurchaseRate
from cxsim.strategies.levers import NO_EFFECT, load_levers
from cxsim.strategies.strategy import load_strategy
from cxsim.study.assumptions import assumptions
from cxsim.study.run import run
from cxsim.study.scenario import BASELINE, NewCustomers
from cxsim.tables import RETURNS, check
from tests.study.conftest import small
from tests.study.everything import TOGETHER, combined, service, with_prior
from tests.study.plans import plan, ratio

STRUCTURES = ("bgnbd", "mbgnbd", "paretonbd")


@pytest.fixture(scope="module")
def study():
    return run(small(dropout="all"))


def by_structure(study, strategy, column="npv"):
    """Return what a strategy brings, shape (structures, draws)."""
    return study.npv.filter(strategy=strategy).sort("draw")[column].to_numpy().reshape(len(STRUCTURES), -1)


def test_there_is_one_row_for_each_structure_and_strategy_beside_the_pooled_one(study):
    strategies = list(study.scenario.arms[1:])
    assert study.returns["strategy"].to_list() == strategies
    found = study.structures
    assert found["structure"].to_list() == [name for name in STRUCTURES for _ in strategies]
    assert found["strategy"].to_list() == strategies * 3
    assert check(found.drop("structure"), RETURNS).height == 9
    assert list(study.purchases) == list(STRUCTURES)


def test_the_pooled_result_is_that_of_all_worlds_and_its_errors_count_draws(study):
    for row in study.returns.iter_rows(named=True):
        npv = by_structure(study, row["strategy"])
        assert row["draws"] == npv.size == 12
        # Sums of a dozen doubles of some thousands lose less than 1e-9.
        assert row["incremental_npv"] == pytest.approx(npv.mean(), abs=1e-9)
        assert (row["npv_low"], row["npv_high"]) == pytest.approx(tuple(np.quantile(npv, (0.05, 0.95))), abs=1e-9)
        assert row["prob_npv_positive"] == (npv > 0).mean()
        means = npv.mean(axis=0)
        assert row["npv_mc_error"] == pytest.approx(means.std(ddof=1) / np.sqrt(len(means)), abs=1e-9)
        # Laplace's rule of succession over the four draws.
        share = ((npv > 0).mean() * 4 + 1) / 6
        assert row["prob_mc_error"] == pytest.approx(np.sqrt(share * (1 - share) / 6), rel=1e-12)


def test_a_row_of_a_structure_is_that_of_its_own_worlds(study):
    for row in study.structures.iter_rows(named=True):
        npv = by_structure(study, row["strategy"])[STRUCTURES.index(row["structure"])]
        assert row["draws"] == len(npv) == 4
        assert row["incremental_npv"] == pytest.approx(npv.mean(), abs=1e-9)
        assert row["npv_mc_error"] == pytest.approx(npv.std(ddof=1) / np.sqrt(4), abs=1e-9)


def test_playing_the_same_draws_under_three_structures_does_not_make_the_error_of_one_smaller_by_a_root_of_three(study):
    # With structures that agree, the pooled error must be that of one of them: 2 % for the little that they differ.
    alone = run(small(dropout="bgnbd")).returns["npv_mc_error"].to_numpy()
    each = study.structures.filter(structure="bgnbd")["npv_mc_error"].to_numpy()
    assert each == pytest.approx(alone, rel=1e-12)
    assert (study.returns["npv_mc_error"].to_numpy() > 0.7 * each).all()


def test_a_draw_has_the_same_assumptions_under_every_structure(study):
    worlds = study.worlds.draws
    assert [draw.world for draw in worlds] == list(range(12))
    assert [draw.number for draw in worlds] == [*range(4)] * 3
    assert [draw.structure for draw in worlds] == [name for name in STRUCTURES for _ in range(4)]
    for draw in worlds[4:]:
        first = worlds[draw.number]
        assert list(assumptions(draw.scenario)) == list(assumptions(first.scenario))
        assert draw.spend == first.spend


@pytest.mark.parametrize("structure", STRUCTURES[1:])
def test_a_structure_beside_others_has_the_same_draws_as_alone(study, structure):
    alone = run(small(dropout=structure))
    first = STRUCTURES.index(structure) * 4
    part = study.ledger.filter(pl.col("draw").is_between(first, first + 3)).with_columns(pl.col("draw") - first)
    assert part.equals(alone.ledger)


@pytest.mark.parametrize("world", [1, 11])
def test_the_tables_of_a_world_hold_the_money_of_its_own_entries_in_the_ledger(study, world):
    for arm in study.scenario.arms:
        booked = study.ledger.filter(arm=arm, account="gross sales", draw=world)["amount"].sum()
        # Amounts in whole cents, below a million: a double holds their sum to far less than a cent.
        assert study.tables(arm, draw=world).orders["list_amount"].sum() == pytest.approx(booked / MICROS, abs=1e-6)


# Strategies at once: simulated together, the stronger gain counted in full and a share of the weaker.


def entries(study, arm):
    return study.ledger.filter(arm=arm).drop("arm")


def simulated(*strategies, stacking, **changes):
    """Return a study of strategies alone and of the first two of them together."""
    names = [one.name for one in strategies[:2]]
    return run(combined(small(strategies=strategies, draws=2, **changes), *names, stacking=stacking))


IDLE = plan("idle", PurchaseRate(ratio=ratio(1.0)), Dropout(ratio=ratio(1.0)), Basket(ratio=ratio(1.0)))


@pytest.mark.parametrize(("number", "reversed_order"), [(0, False), (1, True), (2, False)])
def test_beside_one_that_does_nothing_a_strategy_is_what_it_is_alone(scenario, number, reversed_order):
    strategy = scenario.strategies[number]
    pair = (IDLE, strategy) if reversed_order else (strategy, IDLE)
    study = simulated(*pair, stacking=0.6)
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


@pytest.fixture(scope="module", params=[1.0, 0.0, 0.5])
def stacked(request):
    """All pairs at once, each as one arm, and beside it what is expected of it; and the stacking."""
    plans, together = [], []
    for number, (kind, one, other, factors) in enumerate(PAIRS.values()):
        ratios = {"one": one, "other": other, "expected": factors[request.param]}
        plans += [plan(f"{name}-{number}", kind(ratio=ratio(value))) for name, value in ratios.items()]
        together.append((f"one-{number}", f"other-{number}"))
    scenario = small(strategies=tuple(plans), draws=2)
    for number, pair in enumerate(together):
        scenario = combined(scenario, *pair, name=f"both-{number}", stacking=request.param)
    return run(scenario)


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=PAIRS)
def test_together_is_the_product_the_stronger_alone_or_between(stacked, number):
    assert entries(stacked, f"both-{number}").height > 0
    assert entries(stacked, f"both-{number}").equals(entries(stacked, f"expected-{number}"))


def test_effects_on_different_things_do_not_weaken_each_other():
    parts = plan("one", PurchaseRate(ratio=ratio(1.3))), plan("other", Basket(ratio=ratio(1.2)))
    expected = plan("expected", PurchaseRate(ratio=ratio(1.3)), Basket(ratio=ratio(1.2)))
    study = simulated(*parts, expected, stacking=0.0)
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


def test_another_combination_moves_no_entry(scenario):
    once = combined(replace(scenario, draws=2), "points-programme", "win-back-coupon")
    twice = combined(once, "points-programme", "faster-delivery", name="more")
    assert entries(run(twice), TOGETHER).equals(entries(run(once), TOGETHER))


# Every bundled strategy plays: believed by itself, or searched; and its numbers reach as far as its lever says.

STRATEGIES = names("strategies")
LEVERS = load_levers()
# What customers do of their own will. What goes wrong with orders, and how soon it is answered, a shop does itself.
OF_CUSTOMERS = ("effects.purchase_rate", "effects.dropout", "effects.basket", "effects.acquisition")


@pytest.fixture(scope="module")
def catalogue():
    """One study of all strategies, each an arm of its own, as if all were believed: two draws, 360 new customers."""
    scenario = service(
        strategies=tuple(with_prior(name) for name in STRATEGIES),
        combinations=(),
        stacking=None,
        existing_customers="none",
        new_customers=NewCustomers(per_month=60, months=6),
        horizon_months=18,
    )
    return run(scenario)


def test_every_strategy_runs_and_leaves_a_trace(catalogue):
    assert sorted(catalogue.returns["strategy"]) == sorted(STRATEGIES)
    for row in catalogue.returns.iter_rows(named=True):
        assert row["npv_low"] <= row["incremental_npv"] <= row["npv_high"]
        assert row["incremental_npv"] != 0.0
        assert row["investment"] > 0.0


@pytest.mark.parametrize("name", ["first-order-discount", "referral-programme"])
def test_a_strategy_alone_is_what_it_is_among_all_others(catalogue, name):
    alone = run(replace(catalogue.scenario, strategies=(with_prior(name),)))
    assert alone.npv.equals(catalogue.npv.filter(strategy=name))


def test_strategies_are_searched_where_their_lever_has_no_number_and_believed_elsewhere():
    for name in STRATEGIES:
        strategy = load_strategy(name)
        assert strategy.lever in LEVERS
        assert name in LEVERS[strategy.lever].strategies
        if LEVERS[strategy.lever].grade == "E":
            assert strategy.mode == "break-even"


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_is_searched_or_assumed_of_customers_reaches_no_effect(name):
    strategy = load_strategy(name)
    numbers = dict(quantities(strategy))
    assert (strategy.searches is None) == (strategy.mode == "prior")
    if strategy.searches is not None:
        low, high = numbers[strategy.searches].range
        assert low < high
        assert low <= NO_EFFECT.get(numbers[strategy.searches].unit, low) <= high
    for path, one in numbers.items():
        if path.startswith(OF_CUSTOMERS) and one.unit == Unit.RATIO and one.evidence == "assumed":
            low, high = one.range
            assert low <= 1.0 <= high, f"{path} is assumed to work for certain"


@pytest.mark.parametrize("identifier", [name for name, lever in LEVERS.items() if lever.priors])
def test_where_a_lever_may_harm_its_priors_reach_no_effect(identifier):
    lever = LEVERS[identifier]
    for prior in lever.priors:
        moved = {"acquisition": "acquisition", "purchase_rate": "purchase_rate", "dropout": "dropout"}.get(prior.effect)
        if moved in lever.pathways and lever.pathways[moved] == "both" and prior.unit in NO_EFFECT:
            assert prior.reaches_no_effect, f"{prior.effect}: {prior.range}"
