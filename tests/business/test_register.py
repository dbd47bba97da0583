"""The register gives each assumption its owner, its grade, its distribution and its weight."""

from __future__ import annotations

import dataclasses
from datetime import date

import polars as pl
import pytest

from cxsim.params import Unit
from cxsim.study.business.checklist import case_register, in_words
from cxsim.study.business.contracts import INFORMATION, REGISTER, TORNADO
from cxsim.tables import empty
from tests.simulated import assumed
from tests.study.conftest import small

DROPOUT = "strategies/points-programme/effects.dropout_1.ratio"
MARGIN = "economics/cdnow/gross_margin"
FIXED = "strategies/points-programme/effects.points_3.reward"


def _moved(*swings):
    """Return a table under TORNADO of strategies, numbers and swings; the rest of it does not matter here."""
    rows = [
        {
            "strategy": strategy,
            "title": strategy,
            "id": name,
            "belongs_to": "",
            "description": "",
            "unit": "ratio",
            **dict.fromkeys(("value", "at_low", "at_high", "npv_base", "npv_at_low", "npv_at_high", "mc_error"), 1.0),
            "swing": swing,
            "method": "played",
            "rank": 1,
        }
        for strategy, name, swing in swings
    ]
    return pl.DataFrame(rows, schema=empty(TORNADO).schema)


def _by_id(register, name):
    return register.row(by_predicate=pl.col("id") == name, named=True)


@pytest.fixture
def register(study):
    tornado = _moved(("points", MARGIN, 40.0), ("coupon", MARGIN, 90.0), ("points", DROPOUT, 70.0))
    known = {"decision": "points", "title": "", "description": "", "mc_error": 0.0, "share_of_everything": None}
    worth = [known | {"id": DROPOUT, "worth": 5.0, "rank": 1}, known | {"id": DROPOUT, "worth": 8.0, "rank": 1}]
    return case_register(study, tornado, pl.DataFrame(worth, schema=empty(INFORMATION).schema))


def test_every_assumption_stands_once_in_the_order_of_the_study(study, register):
    assert register.columns == list(REGISTER.columns)
    assert register["id"].to_list() == study.assumptions["id"].to_list()


def test_the_largest_swing_over_strategies_counts(register):
    margin, dropout = _by_id(register, MARGIN), _by_id(register, DROPOUT)
    # The larger of 40 and 90 is ahead of 70.
    assert (margin["swing"], margin["rank"]) == (90.0, 1)
    assert (dropout["swing"], dropout["rank"]) == (70.0, 2)
    assert _by_id(register, FIXED)["rank"] is None


def test_knowing_a_number_is_worth_what_it_is_for_the_decision_it_matters_most_to(register):
    assert _by_id(register, DROPOUT)["worth"] == 8.0
    assert _by_id(register, MARGIN)["worth"] is None


def test_a_grade_is_that_of_the_source_and_an_assumed_range_has_none_behind_it(register):
    assert _by_id(register, DROPOUT)["grade"] == "B"  # Gopalakrishnan et al. (2021)
    assert _by_id(register, MARGIN)["grade"] == "E"
    assert _by_id(register, FIXED)["grade"] is None


def test_owner_and_day_are_those_of_the_file(study):
    scenario = study.scenario
    owned = dataclasses.replace(scenario.economics, owner="Head of finance", reviewed_on=date(2024, 2, 29))
    nobody = dataclasses.replace(scenario.strategies[0], owner=None, reviewed_on=None)
    changed = dataclasses.replace(scenario, economics=owned, strategies=(nobody, *scenario.strategies[1:]))
    register = case_register(dataclasses.replace(study, scenario=changed), _moved(), empty(INFORMATION))
    margin, dropout = _by_id(register, MARGIN), _by_id(register, DROPOUT)
    assert (margin["owner"], margin["reviewed_on"]) == ("Head of finance", date(2024, 2, 29))
    assert (dropout["owner"], dropout["reviewed_on"]) == (None, None)
    # The number stands in the scenario's own file, which has no owner.
    assert _by_id(register, "scenarios/cdnow-quick/stacking")["owner"] is None


def test_what_is_only_searched_is_not_sentence_as_a_belief(study):
    first = small().strategies[0]
    searched = dataclasses.replace(first, mode="break-even", searches="effects.dropout_1.ratio")
    scenario = dataclasses.replace(study.scenario, strategies=(searched, *study.scenario.strategies[1:]))
    register = case_register(dataclasses.replace(study, scenario=scenario), _moved(), empty(INFORMATION))
    assert _by_id(register, DROPOUT)["distribution"] == "searched, not believed"


@pytest.mark.parametrize(
    ("unit", "value", "ends", "words"),
    [
        # ln(2) on both sides.
        (Unit.RATIO, 1.0, (0.5, 2.0), "log-normal"),
        # ln(0.3/0.2) = 0.405 below, ln(0.4/0.3) = 0.288 above.
        (Unit.MONEY_PER_ORDER, 0.3, (0.2, 0.4), "log-normal, wider below"),
        # Logits -1.735, -0.847 and -0.405: 0.888 below, 0.442 above.
        (Unit.SHARE, 0.3, (0.15, 0.4), "logit-normal, wider below"),
        # Logits -0.6633, -0.4055 and -0.1603: 0.2578 below, 0.2451 above, which differ by 4.9 % of the wider one.
        (Unit.SHARE, 0.4, (0.34, 0.46), "logit-normal"),
        (Unit.CORRELATION, 0.1, (0.0, 0.2), "normal"),
        (Unit.DEVIATIONS, -0.3, (-0.6, -0.05), "normal, wider below"),
        (Unit.RATIO, 1.0, (1.0, 1.3), "log-normal, above only"),
        (Unit.RATIO, 1.3, (1.0, 1.3), "log-normal, below only"),
        (Unit.SHARE, 0.0, (0.0, 0.0), "fixed"),
    ],
)
def test_a_distribution_is_named_by_its_scale_and_its_wider_side(unit, value, ends, words):
    assert in_words(assumed(value, unit, range=ends)) == words
