"""A decision names the strategy's own chance beside the shop's limits; the best set states when it is doing nothing."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from cxsim.study.business.decision import PORTFOLIO_ROW, decision
from cxsim.study.business.experiments import TEST_PLAN
from cxsim.study.business.sensitivity import BREAK_EVENS
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
NO_PLAN = empty(TEST_PLAN)


def _rules(case, sets, plan=NO_PLAN, **changed):
    """Return the rule of each row, by strategy, with some columns of the returns changed."""
    returns = case.study.returns.with_columns(**changed)
    table = decision(
        replace(case.study, returns=returns),
        investment=case.investment,
        break_evens=empty(BREAK_EVENS),
        portfolio=sets,
        test_plan=plan,
    )
    return {name: rule.replace(NBSP, " ") for name, rule in table.select("strategy", "rule").iter_rows()}


@pytest.mark.parametrize(
    ("found", "share", "rule"),
    [
        ("fund", 0.93, "Gains in 93 % of draws; from 90 % on, the shop funds."),
        ("pilot", 0.45, "Gains in 45 % of draws; between 25 % and 90 %, the shop pilots first."),
        ("reject", 0.08, "Gains in 8 % of draws; below 25 %, the shop does not fund."),
    ],
)
def test_the_rule_sets_the_chance_of_a_gain_beside_the_limits(case, found, share, rule):
    rules = _rules(case, case.portfolio, decision=pl.lit(found), prob_npv_positive=pl.lit(share))
    assert {rules[name] for name in case.study.returns["strategy"]} == {rule}


def test_where_doing_nothing_is_best_the_rule_states_it_and_what_a_pilot_is_for(case):
    nothing = case.portfolio.with_columns(chosen=pl.col("members") == "")
    sentence = _rules(case, nothing, decision=pl.lit("reject"))[PORTFOLIO_ROW]
    assert (
        sentence
        == "On average over all draws, none of the sets that cost at most USD 40,000 brings more than doing nothing."
    )
    piloted = _rules(case, nothing, decision=pl.lit("pilot"))[PORTFOLIO_ROW]
    assert piloted == f"{sentence} A pilot is run to learn whether that is so, not for its return."


def test_the_best_set_is_judged_like_a_strategy(case):
    one = case.portfolio.with_columns(
        chosen=pl.col("name") == "points-programme+faster-delivery", prob_npv_positive=pl.lit(0.5)
    )
    assert _rules(case, one)[PORTFOLIO_ROW] == (
        "Of all sets that cost at most USD 40,000, this one brings most on average. "
        "Gains in 50 % of draws; between 25 % and 90 %, the shop pilots first."
    )


@pytest.mark.parametrize(
    ("weeks", "sentence"),
    [
        (40.0, "A test of whether it pays takes 1,234 customers in each of two groups and 40 weeks."),
        (
            None,
            (
                "No test among this shop's customers can show by their money alone whether it pays: that takes 1,234 "
                "in each of two groups, and 150 could take part. A pilot shows what it costs and how it is met."
            ),
        ),
    ],
)
def test_a_pilot_states_what_a_test_takes_or_that_none_is_possible(case, weeks, sentence):
    row = {"strategy": "points-programme", "per_group": 1234, "available": 150, "weeks": weeks, "chosen": True}
    plan = pl.DataFrame([row], schema=empty(TEST_PLAN).schema)
    rules = _rules(case, case.portfolio, plan, decision=pl.lit("pilot"), prob_npv_positive=pl.lit(0.5))
    assert rules["points-programme"].endswith(sentence)
    assert "test" not in rules["faster-delivery"]
