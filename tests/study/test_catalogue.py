"""Every bundled strategy plays: believed by itself, or searched; and its numbers reach as far as its lever says."""

from __future__ import annotations

import dataclasses

import pytest

from cxsim.params import Unit, names, quantities
from cxsim.strategies.levers import NO_EFFECT, load_levers
from cxsim.strategies.strategy import load_strategy
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from tests.study.everything import service, with_prior

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


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_plays_and_leaves_a_trace(catalogue, name):
    row = catalogue.returns.filter(strategy=name).row(0, named=True)
    assert row["npv_low"] <= row["incremental_npv"] <= row["npv_high"]
    assert row["incremental_npv"] != 0.0
    assert row["outlay"] > 0.0


@pytest.mark.parametrize("name", ["points-programme", "first-order-discount", "referral-programme", "vip-tiers"])
def test_a_strategy_alone_is_what_it_is_among_all_others(catalogue, name):
    alone = run(dataclasses.replace(catalogue.scenario, strategies=(with_prior(name),)))
    assert alone.npv.equals(catalogue.npv.filter(strategy=name))


def test_strategies_are_searched_where_their_lever_has_no_number_and_believed_elsewhere():
    for name in STRATEGIES:
        strategy = load_strategy(name)
        assert strategy.lever in LEVERS
        assert name in LEVERS[strategy.lever].strategies
        if LEVERS[strategy.lever].grade == "E":
            assert strategy.mode == "break-even"


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_is_searched_reaches_no_effect(name):
    strategy = load_strategy(name)
    if strategy.mode == "break-even":
        searched = dict(quantities(strategy))[strategy.searches]
        low, high = searched.range
        assert low < high
        if searched.unit in NO_EFFECT:
            assert low <= NO_EFFECT[searched.unit] <= high
    else:
        assert strategy.searches is None


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_customers_are_assumed_to_do_reaches_no_effect(name):
    for path, one in quantities(load_strategy(name)):
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
