"""A test is told by whom it needs, how long it takes and what its answer is worth."""

from __future__ import annotations

import polars as pl

from cxsim.reporting.business.information import test_plan_table
from cxsim.study.business.experiments import TEST_PLAN
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_POINTS = {
    "strategy": "points",
    "title": "Points",
    "id": "strategies/points/effects.dropout_1.ratio",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "outcome": "Margin per customer",
    "follow_up_days": 180,
    "mean": 12.34,
    "sd": 40.06,
    "difference": 1.5,
    "alpha": 0.05,
    "power": 0.8,
    "per_group": 11_200,
    "available": 30_000,
    "weeks": 51.7,
    "worth": 1_234.0,
    "verdict": "Worth running",
    "chosen": True,
}


def _table(*rows):
    return test_plan_table(pl.DataFrame(list(rows), schema=empty(TEST_PLAN).schema), "USD")


def test_the_title_says_which_test_comes_first_and_what_it_takes():
    # Two groups of 11,200.
    assert _table(_POINTS, _POINTS | {"title": "Coupon", "worth": 10.0}).title.replace(NBSP, " ") == (
        "Test Points first: 22,400 customers and 52 weeks for an answer worth at most USD 1,230"
    )


def test_a_test_that_too_few_customers_allow_has_a_dash_and_is_not_first():
    table = _table(_POINTS | {"weeks": None})
    assert table.title == "No test is both possible with these customers and worth anything"
    assert ">–<" in table.html()


def test_chances_of_error_stand_above_the_figures():
    html = _table(_POINTS, _POINTS | {"follow_up_days": 364, "chosen": False}).html().replace(NBSP, " ")
    assert "5 % chance of a false alarm, 80 % of seeing a true gain" in html
    assert ">12.3 ± 40.1<" in html
    assert ">11,200<" in html
    # Only the best length of watching has a worth, and its verdict stands below the table.
    assert html.count(">best of these<") == 1
    assert html.count("Points: worth running") == 1
    assert html.count(">1,230<") == 1


def test_without_a_test_there_is_a_sentence():
    assert "No test is planned here" in _table().text
