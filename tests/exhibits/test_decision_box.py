"""The decision box says what to do, by which rule, how sure that is, and which one number would change it."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.decision import decision_box
from cxsim.reporting.tables import TABLE
from cxsim.study.business.decision import DECISION
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_POINTS = {
    "strategy": "points",
    "title": "Points <b>& more</b>",
    "decision": "pilot",
    "rule": "Fund from 90 % on, reject below 25 %.",
    "outlay": 64_210.0,
    "npv": 6_120.0,
    "npv_mc_error": 880.0,
    "low_80": -11_400.0,
    "high_80": 25_300.0,
    "low": -21_400.0,
    "high": 35_300.0,
    "prob_npv_positive": 0.62,
    "prob_mc_error": 0.034,
    "roi": 0.0953,
    "payback_months": 28.2,
    "payback_months_late": None,
    "changer_id": "strategies/points/effects.dropout_1.ratio",
    "changer": "Members' chance of leaving, against without. Measured elsewhere.",
    "changer_unit": "ratio",
    "changer_value": 0.85,
    "changer_break_even": 0.74123,
    "changer_score": -1.0,
    "customers": 20_000,
    "draws": 200,
    "changer_low": 0.7,
    "changer_high": 1.0,
    "base_npv": -400.0,
}
_COUPON = _POINTS | {
    "strategy": "coupon",
    "title": "Win-back coupon",
    "decision": "reject",
    "roi": None,
    "outlay": 0.0,
    "prob_npv_positive": 0.0,
    "prob_mc_error": 0.0004,
    "payback_months": None,
    **dict.fromkeys([name for name in _POINTS if name.startswith("changer")]),
}
_BEST = _COUPON | {
    "strategy": "portfolio",
    "title": "Points + Coupon",
    "decision": "pilot",
    "outlay": 70_000.0,
    "roi": 0.1,
    "draws": 24,
}


def _box(*rows):
    return decision_box(pl.DataFrame(list(rows), schema=empty(DECISION).schema), "USD")


def _text(*rows):
    return _box(*rows).text.replace(NBSP, " ")


def test_the_first_line_is_the_answer():
    first = _text(_POINTS, _COUPON).splitlines()[0]
    assert first == (
        "Of two strategies, one is worth a pilot first (Points <b>& more</b>) and one is not worth funding "
        "(Win-back coupon)."
    )


def test_every_figure_has_its_unit_and_its_interval_or_error():
    text = _text(_POINTS)
    assert "Fund from 90 % on, reject below 25 %." in text
    assert "Spend: USD 64,200" in text
    # Rounded together, to the hundreds that three digits of the largest, 35,300, leave.
    assert "Net present value: USD 6,100 ± 880" in text
    assert "80 % interval: USD −11,400 to 25,300" in text
    assert "90 % interval: USD −21,400 to 35,300" in text
    assert "Chance of a gain: 62 % ± 3.4 pp" in text
    assert "Return on spend: 10 %" in text
    assert "Payback in half of the draws: 28 months" in text
    assert "Payback in nine of ten: beyond the horizon" in text


def test_the_one_number_says_plan_range_break_even_and_how_plausible_that_is():
    # A normal score of -1 leaves 15.87 % below it.
    assert (
        "What would change it most easily: members' chance of leaving, against without. The plan says 0.85 (90 % range "
        "0.7 to 1); it would pay at 0.741 or less, all else at its central value. That is within what is believed "
        "(16 % chance)."
    ) in _text(_POINTS)


def test_a_strategy_that_pays_in_the_base_case_is_alt_text_when_it_would_no_longer():
    assert "it would no longer pay at 0.93 or more" in _text(
        _POINTS | {"base_npv": 400.0, "changer_break_even": 0.93, "changer_score": 1.1}
    )


def test_without_the_base_case_no_side_is_claimed():
    text = _text(_POINTS | {"base_npv": None, "changer_low": None})
    assert "The plan says 0.85; it just breaks even at 0.741" in text
    assert "would pay" not in text


def test_money_and_shares_that_would_change_it_have_their_unit():
    one = {
        "changer_unit": "money per month",
        "changer_value": 500.0,
        "changer_break_even": 1234.0,
        "changer_score": 2.0,
    }
    text = _text(_POINTS | one | {"changer_low": 300.0, "changer_high": 900.0})
    assert "USD 500 per month (90 % range 300 to 900); it would pay at USD 1,230 per month or more" in text
    assert "That is at the edge of what is believed (2 % chance)." in text
    share = {"changer_unit": "share", "changer_value": 0.4, "changer_break_even": 0.45678, "changer_score": 0.5}
    assert "40 % (90 % range 35 to 45 %); it would pay at 45.7 % or more" in _text(
        _POINTS | share | {"changer_low": 0.35, "changer_high": 0.45}
    )


def test_where_no_single_number_changes_it_the_card_says_so():
    assert "No single number, moved within what is believed of it, would change the sign" in _text(_COUPON)


def test_nothing_spent_has_no_return_and_no_error_smaller_than_shown():
    text = _text(_COUPON)
    assert "Spend: nothing" in text
    assert "Return on spend: none, as nothing is spent" in text
    assert "Chance of a gain: less than 0.5 %;" in text


def test_the_best_set_is_a_card_and_a_sentence_of_the_lead():
    text = _text(_POINTS, _COUPON, _BEST)
    assert "Of all sets of them, Points + Coupon is expected to bring most: net present value USD 6,100" in text
    assert "Pilot first: Best set: Points + Coupon." in text
    assert "What would change it is told of each of its parts." in text
    assert "the whole was played 200 times (sets of strategies 24 times), each time with other values" in text


def test_where_doing_nothing_is_best_no_figure_is_made_up():
    none = dict.fromkeys(
        ("outlay", "npv", "npv_mc_error", "low_80", "high_80", "low", "high", "prob_npv_positive"), 0.0
    )
    text = _text(_POINTS, _COUPON, _BEST | none | {"title": "Doing nothing", "decision": "reject", "roi": None})
    assert "No set of them is expected to bring more than doing nothing." in text
    assert "Fund none: Best set: Doing nothing. Fund from 90 % on, reject below 25 %." in text
    assert text.count("Net present value:") == 2


def test_a_single_strategy_is_not_alt_text_of_as_a_set():
    assert "Of all sets" not in _text(_POINTS, _BEST)


def test_text_from_data_stays_text():
    markup = _box(_POINTS).markup
    assert "Points &lt;b&gt;&amp; more&lt;/b&gt;" in markup
    assert "<b>" not in markup


def test_names_and_figures_stand_in_a_list_of_definitions():
    assert "<dt>Spend</dt><dd>USD" in _box(_POINTS).markup


def test_the_twin_holds_the_decisions_unrounded():
    bundle = _box(_POINTS, _COUPON)._repr_mimebundle_()
    twin = bundle[TABLE]
    assert twin["id"] == "decision"
    assert twin["columns"] == list(DECISION.columns)
    first = dict(zip(twin["columns"], twin["rows"][0], strict=True))
    assert (first["changer_break_even"], first["payback_months_late"]) == (0.74123, None)


def test_a_table_without_strategies_is_refused():
    with pytest.raises(
        TableError, match="DECISION: no strategy; a decision needs at least one row beside the best set"
    ):
        _box(_BEST)


def test_an_unknown_decision_is_refused():
    with pytest.raises(TableError, match=r"no decision 'funds'; did you mean 'fund'\? Possible: fund, pilot, reject."):
        _box(_POINTS | {"decision": "funds"})
