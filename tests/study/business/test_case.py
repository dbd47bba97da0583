"""The whole business case of a study: every table there, under its contract, and saying one thing."""

from __future__ import annotations

from dataclasses import fields, replace

import polars as pl
import pytest

from cxsim.study.business.case import business_case
from cxsim.study.run import run
from cxsim.wording import written_as
from tests.study.conftest import small

CENT = 0.005


def test_progress_ends_at_the_number_of_steps_that_was_announced(case, progress):
    assert case is not None
    assert progress == [(place, len(progress)) for place in range(1, len(progress) + 1)]


def test_the_tables_of_a_case_follow_the_locale_of_the_shop_and_not_of_the_session(case, study):
    with written_as("de"):
        again = _tables(business_case(study))
    economics = replace(study.scenario.economics, locale="de")
    german = replace(study, scenario=replace(study.scenario, economics=economics))
    english, there = _tables(case), _tables(business_case(german))
    assert len(english) > 20
    assert [name for name in english if not again[name].equals(english[name])] == []
    other = {name for name in english if not there[name].equals(english[name])}
    assert other
    assert other <= {"decision", "investment", "test_plan", "checklist"}


def _tables(case) -> dict[str, pl.DataFrame]:
    held = {field.name: getattr(case, field.name) for field in fields(case)}
    return {name: table for name, table in held.items() if isinstance(table, pl.DataFrame)}


def test_decisions_are_those_of_the_returns_and_of_the_chosen_set(case):
    returns = case.study.returns
    strategies = case.decision.filter(pl.col("strategy") != "portfolio")
    assert strategies["strategy"].to_list() == returns["strategy"].to_list()
    for name, other in (("decision", "decision"), ("npv", "incremental_npv"), ("low", "npv_low"), ("roi", "roi")):
        assert strategies[name].to_list() == returns[other].to_list()
    (chosen,) = case.portfolio.filter("chosen").iter_rows(named=True)
    (best,) = case.decision.filter(strategy="portfolio").iter_rows(named=True)
    assert (best["title"], best["npv"], best["investment"]) == (chosen["title"], chosen["npv"], chosen["investment"])


def test_a_decision_is_changed_most_easily_by_the_nearest_break_even(case):
    for row in case.decision.filter(pl.col("strategy") != "portfolio").iter_rows(named=True):
        reached = case.break_evens.filter(strategy=row["strategy"]).drop_nulls("score")
        nearest = reached["score"].abs().min()
        assert (row["changer_score"] is None) == reached.is_empty()
        assert row["changer_score"] is None or abs(row["changer_score"]) == nearest


def test_statement_waterfall_returns_and_portfolio_end_in_the_same_npv_to_the_cent(case):
    """Five ways to the same number: returns, last present value so far, pathways, rates, the set of one."""
    scenario = case.study.scenario
    for row in case.study.returns.iter_rows(named=True):
        mine = pl.col("strategy") == row["strategy"]
        npv = pytest.approx(row["incremental_npv"], abs=CENT)
        result = case.periods.filter(mine & (pl.col("line") == "cash contribution"))
        for grain in ("month", "quarter", "year", "total"):
            assert result.filter(grain=grain)["cumulative_discounted"][-1] == npv
        assert case.pathways.filter(mine & (pl.col("kind") == "mean"))["amount"][0] == npv
        rates = case.rates.filter(mine & (pl.col("horizon_months") == scenario.horizon_months))
        rate = scenario.economics.annual_discount_rate.value
        assert rates.filter(annual_discount_rate=rate)["npv"][0] == npv
        assert case.portfolio.filter(name=row["strategy"])["npv"][0] == npv


def test_cohorts_add_up_to_the_statement_to_the_cent(case):
    total = case.periods.filter(grain="total").select("strategy", "line", "incremental")
    summed = case.cohorts.group_by("strategy", "line").agg(pl.col("incremental").sum().alias("summed"))
    joined = total.join(summed, on=["strategy", "line"])
    assert joined.height == total.height
    assert (joined["incremental"] - joined["summed"]).abs().max() < CENT


def test_every_assumption_is_in_the_register(case):
    assert case.register["id"].sort().to_list() == case.study.assumptions["id"].sort().to_list()


def test_a_business_case_is_shown_in_one_line(case):
    assert repr(case) == (
        "BusinessCase(cdnow-quick; points-programme: reject, win-back-coupon: reject, faster-delivery: reject, "
        "portfolio: reject)"
    )


def test_a_shop_without_rules_of_its_own_has_a_case_too():
    """No hurdle, no haircut, no stacking, no budget: nothing is cut, and each strategy stands alone."""
    scenario = small(stacking=None, budget=None, draws=2)
    bare = replace(scenario.economics, roi_hurdle=None, benefit_haircut=None, cost_uplift=None)
    case = business_case(run(replace(scenario, economics=bare)))
    assert case.budget is None
    assert case.investment["risk_adjusted_npv"].to_list() == pytest.approx(
        case.study.returns["incremental_npv"].to_list(), abs=CENT
    )
    assert case.portfolio.height == 4


def test_a_world_in_which_everything_happens_has_a_case(busy_case):
    assert busy_case.liabilities["kind"].unique().sort().to_list() == ["fees", "points"]
    assert {"nps", "tickets_per_order"} <= set(busy_case.kpis["kpi"])
    assert busy_case.pathways["pathway"].n_unique() > 10
