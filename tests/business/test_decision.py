"""A decision names the strategy's own chance beside the shop's limits; the best set says when it is doing nothing."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from cxsim.study.business.case import PORTFOLIO_ROW, decision, statements
from cxsim.study.business.contracts import BREAK_EVENS, TEST_PLAN
from cxsim.study.business.portfolio import portfolio
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
NO_PLAN = empty(TEST_PLAN)


@pytest.fixture(scope="module")
def sets(study):
    return portfolio(study)


def _rules(study, sets, plan=NO_PLAN, **changed):
    """Return the rule of each row, by strategy, with some columns of the returns changed."""
    returns = study.returns.with_columns(**changed)
    sentence = decision(
        dataclasses.replace(study, returns=returns),
        investment=statements(study).investment,
        break_evens=empty(BREAK_EVENS),
        portfolio=sets,
        test_plan=plan,
    )
    return {name: rule.replace(NBSP, " ") for name, rule in sentence.select("strategy", "rule").iter_rows()}


@pytest.mark.parametrize(
    ("found", "share", "rule"),
    [
        ("fund", 0.93, "Gains in 93 % of draws; from 90 % on, the shop funds."),
        ("pilot", 0.45, "Gains in 45 % of draws; between 25 % and 90 %, the shop pilots first."),
        ("reject", 0.08, "Gains in 8 % of draws; below 25 %, the shop does not fund."),
    ],
)
def test_the_rule_sets_the_chance_of_a_gain_beside_the_limits(study, sets, found, share, rule):
    rules = _rules(study, sets, decision=pl.lit(found), prob_npv_positive=pl.lit(share))
    assert {rules[name] for name in study.returns["strategy"]} == {rule}


def test_where_doing_nothing_is_best_the_card_says_so_and_what_a_pilot_is_for(study, sets):
    nothing = sets.with_columns(chosen=pl.col("members") == "")
    sentence = _rules(study, nothing, decision=pl.lit("reject"))[PORTFOLIO_ROW]
    assert (
        sentence
        == "On average over all draws, none of the sets that cost at most USD 40,000 brings more than doing nothing."
    )
    piloted = _rules(study, nothing, decision=pl.lit("pilot"))[PORTFOLIO_ROW]
    assert piloted == f"{sentence} A pilot is run to learn whether that is so, not for its return."


def test_the_best_set_is_judged_like_a_strategy(study, sets):
    one = sets.with_columns(chosen=pl.col("name") == "points-programme+faster-delivery", prob_npv_positive=pl.lit(0.5))
    assert _rules(study, one)[PORTFOLIO_ROW] == (
        "Of all sets that cost at most USD 40,000, this one brings most on average. "
        "Gains in 50 % of draws; between 25 % and 90 %, the shop pilots first."
    )


@pytest.mark.parametrize(
    ("weeks", "sentence"),
    [
        (40.0, "A test that tells takes 1,234 customers in each of two groups and 40 weeks."),
        (
            None,
            (
                "No test among this shop's customers can tell by their money alone whether it pays: that takes 1,234 "
                "in each of two groups, and 150 could take part. A pilot shows what it costs and how it is met."
            ),
        ),
    ],
)
def test_a_pilot_says_what_a_test_takes_or_that_none_can_tell(study, sets, weeks, sentence):
    row = {name: [None] for name in empty(TEST_PLAN).columns} | {
        "strategy": ["points-programme"],
        "per_group": [1234],
        "available": [150],
        "weeks": [weeks],
        "chosen": [True],
    }
    plan = pl.DataFrame(row, schema=empty(TEST_PLAN).schema)
    rules = _rules(study, sets, plan, decision=pl.lit("pilot"), prob_npv_positive=pl.lit(0.5))
    assert rules["points-programme"].endswith(sentence)
    assert "test" not in rules["faster-delivery"]
