"""Sets of strategies: simulated together, compared in the same draws, chosen within the budget."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from cxsim.params import Unit
from cxsim.study.business.portfolio import portfolio
from cxsim.study.run import run
from cxsim.study.scenario import Combination
from tests.simulated import assumed
from tests.study.conftest import small


@pytest.fixture
def table(case):
    return case.portfolio


def test_a_set_has_the_npv_of_the_same_combination_of_the_scenario(table):
    """The same draws, simulated as an arm of the scenario: the same to a millionth of a unit."""
    both = Combination(name="both", title="Both", strategies=("points-programme", "faster-delivery"))
    known = run(small(draws=8, combinations=(both,)))
    npv = known.returns.filter(strategy="both").row(0, named=True)
    row = table.filter(name="points-programme+faster-delivery").row(0, named=True)
    assert row["npv"] == pytest.approx(npv["incremental_npv"], abs=1e-6)
    assert row["investment"] == pytest.approx(npv["investment"], abs=1e-6)


def test_a_strategy_alone_has_the_npv_of_the_study(study, table):
    alone = table.filter(pl.col("members").str.contains(",").not_() & (pl.col("members") != ""))
    known = dict(study.returns.select("strategy", "incremental_npv").iter_rows())
    assert dict(alone.select("name", "npv").iter_rows()) == pytest.approx(known, abs=1e-9)


def test_interaction_is_what_the_parts_do_not_add_up_to(table):
    alone = dict(table.filter(pl.col("members").str.contains(",").not_()).select("name", "npv").iter_rows())
    row = table.filter(name="points-programme+win-back-coupon").row(0, named=True)
    apart = alone["points-programme"] + alone["win-back-coupon"]
    assert row["interaction"] == pytest.approx(row["npv"] - apart, abs=1e-9)
    assert row["interaction"] != 0.0


def test_what_costs_more_than_the_budget_is_not_chosen(study):
    """Without doing nothing being the best: a margin at which strategies pay, and a budget for the cheapest alone."""
    rich = replace(
        study.scenario,
        economics=replace(study.scenario.economics, gross_margin=assumed(0.95, Unit.SHARE)),
        budget=assumed(3_000.0, Unit.MONEY),
    )
    table = portfolio(run(rich))
    chosen = table.filter("chosen")
    assert chosen.height == 1
    assert chosen["investment"][0] <= 3_000.0
    better = table.filter(pl.col("npv") > chosen["npv"][0])
    assert better.filter("affordable").is_empty()


def test_the_efficient_sets_are_beaten_by_none(table):
    for row in table.iter_rows(named=True):
        better = table.filter(
            (pl.col("npv") >= row["npv"])
            & (pl.col("cvar") >= row["cvar"])
            & ((pl.col("npv") > row["npv"]) | (pl.col("cvar") > row["cvar"]))
        )
        assert better.is_empty() == row["efficient"]


def test_of_many_strategies_the_best_set_grows_by_one_at_a_time(study, monkeypatch):
    """With room for every set of one alone, three strategies must take the long way, and find the same best set."""
    every = portfolio(study)
    monkeypatch.setattr("cxsim.study.business.portfolio.EVERY_SET", 1)
    grown = portfolio(study)
    assert set(grown["name"]) <= set(every["name"])
    assert grown.filter("chosen")["name"].to_list() == every.filter("chosen")["name"].to_list()
    known = dict(every.select("name", "npv").iter_rows())
    assert all(npv == pytest.approx(known[name], abs=1e-6) for name, npv in grown.select("name", "npv").iter_rows())


def test_sets_far_beyond_the_budget_are_not_simulated(study):
    """The points programme alone costs about 11,000 here: with a budget of 4,000 no set with it is simulated."""
    poor = replace(study.scenario, budget=assumed(4_000.0, Unit.MONEY))
    table = portfolio(run(poor))
    several = table.filter(pl.col("members").str.contains(","))
    investments = dict(study.returns.select("strategy", "investment").iter_rows())
    for members in several["members"]:
        assert sum(investments[name] for name in members.split(", ")) <= 5_000.0
    assert investments["points-programme"] > 5_000.0
    assert table.filter(name="points-programme")["affordable"].to_list() == [False]
