"""The decision, its base case and the figures behind it are told right for every sign, number and gap."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.decision import base_case_sentence, decision_box, kpis_table
from cxsim.reporting.tables import TABLE
from cxsim.study.business.base_case import BASE_CASE
from cxsim.study.business.decision import DECISION
from cxsim.study.business.kpis import KPIS
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_POINTS = {
    "strategy": "points",
    "title": "Points <b>& more</b>",
    "decision": "pilot",
    "rule": "Fund from 90 % on, reject below 25 %.",
    "investment": 64_210.0,
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
    "investment": 0.0,
    "prob_npv_positive": 0.0,
    "prob_mc_error": 0.0004,
    "payback_months": None,
    **dict.fromkeys([name for name in _POINTS if name.startswith("changer")]),
}
_BEST = _COUPON | {
    "strategy": "portfolio",
    "title": "Points + Coupon",
    "decision": "pilot",
    "investment": 70_000.0,
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


def test_every_figure_has_its_unit_and_its_interval_or_error(snapshot):
    text = _text(_POINTS)
    # Rounded together, to the hundreds that three digits of the largest, 35,300, leave.
    assert "Net present value: USD 6,100 ± 880" in text
    # A normal score of -1 leaves 15.87 % below it.
    assert "That is within its plausible range (16 % chance)." in text
    assert text == snapshot


def test_of_a_strategy_that_pays_in_the_base_case_it_says_when_it_would_no_longer():
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
    assert "That is at the edge of its plausible range (2 % chance)." in text
    share = {"changer_unit": "share", "changer_value": 0.4, "changer_break_even": 0.45678, "changer_score": 0.5}
    assert "40 % (90 % range 35 to 45 %); it would pay at 45.7 % or more" in _text(
        _POINTS | share | {"changer_low": 0.35, "changer_high": 0.45}
    )


def test_nothing_spent_has_no_return_and_no_error_smaller_than_shown():
    text = _text(_COUPON)
    for words in (
        "Spend: nothing",
        "Return on spend: none, as nothing is spent",
        "Chance of a gain: less than 0.5 %;",
        "No single number, moved within its plausible range, would change the sign",
    ):
        assert words in text


def test_the_best_set_is_a_card_and_a_sentence_of_the_lead():
    text = _text(_POINTS, _COUPON, _BEST)
    assert "Of all sets of them, Points + Coupon is expected to bring most: net present value USD 6,100" in text
    assert "Pilot first: Best set: Points + Coupon." in text
    assert "What would change it stands with each of its parts." in text
    assert "the whole was simulated 200 times (sets of strategies 24 times), each time with other values" in text


def test_where_doing_nothing_is_best_no_figure_is_made_up():
    none = dict.fromkeys(
        ("investment", "npv", "npv_mc_error", "low_80", "high_80", "low", "high", "prob_npv_positive"), 0.0
    )
    text = _text(_POINTS, _COUPON, _BEST | none | {"title": "Doing nothing", "decision": "reject", "roi": None})
    assert "No set of them is expected to bring more than doing nothing." in text
    assert "Fund none: Best set: Doing nothing. Fund from 90 % on, reject below 25 %." in text
    assert text.count("Net present value:") == 2


def test_a_single_strategy_is_not_compared_with_sets():
    assert "Of all sets" not in _text(_POINTS, _BEST)


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


_POINTS_CENTRAL_CASE = {
    "strategy": "points",
    "title": "Points <i>",
    "npv": 5_000.0,
    "mc_error": 100.0,
    "mean": 6_120.0,
    "worlds": 6,
}


def _prose(*rows):
    return base_case_sentence(pl.DataFrame(list(rows), schema=empty(BASE_CASE).schema), "USD")


def test_the_distance_has_its_side_and_may_be_chance_within_two_errors():
    text = _prose(_POINTS_CENTRAL_CASE).text.replace(NBSP, " ")
    # 6,120 - 5,000 = 1,120, more than twice 100 and less than twice 600.
    assert "Points <i>: USD 5,000 ± 100 in the base case, USD 6,120 on average over all draws, USD 1,120 more." in text
    assert "in six worlds" in text
    assert "USD 1,120 less." in _prose(_POINTS_CENTRAL_CASE | {"npv": 6_120.0, "mean": 5_000.0}).text.replace(NBSP, " ")
    assert "a difference that chance alone may explain." in _prose(_POINTS_CENTRAL_CASE | {"mc_error": 600.0}).text
    assert "Points &lt;i&gt;" in _prose(_POINTS_CENTRAL_CASE).markup


def test_no_strategy_is_refused():
    with pytest.raises(TableError, match="BASE_CASE: no strategy; a base case needs at least one row"):
        _prose()


def _row(strategy, kpi, unit, direction, numbers):
    baseline, treated, low, high = numbers
    return {
        "strategy": strategy,
        "title": f"The <{strategy}>",
        "kpi": kpi,
        "label": f"Label of {kpi}",
        "definition": "How many <there> are.",
        "unit": unit,
        "direction": direction,
        "baseline": baseline,
        "treated": treated,
        "difference": treated - baseline,
        "low": low,
        "high": high,
    }


@pytest.fixture(scope="module")
def figures():
    """Every unit once, and the leading figure with three strategies."""
    return pl.DataFrame(
        [
            _row("points", "orders_per_customer", "ratio", "up", (3.125, 3.25, 0.05, 0.20)),
            _row("sale", "orders_per_customer", "ratio", "up", (3.125, 3.0, -0.15, -0.10)),
            _row("mail", "orders_per_customer", "ratio", "up", (3.125, 3.1, -0.05, 0.01)),
            _row("points", "aov_net", "money", "up", (37.004, 36.954, -0.0612, 0.0012)),
            _row("points", "discount_share", "share", "down", (0.10, 0.125, 0.02, 0.03)),
            _row("points", "nps", "score", "up", (20.0, 21.5, -1.0, 4.0)),
            _row("points", "member_months", "count", "none", (0.0, 1_234.4, 1_000.0, 1_500.0)),
        ],
        schema=empty(KPIS).schema,
    )


def test_each_unit_is_written_as_it_is_read_under_its_definition(figures, as_text, snapshot):
    table = kpis_table(figures, "USD")
    html = table.html()
    assert html.count("Label of orders_per_customer: how many &lt;there&gt; are.") == 1
    for markup in ("<there>", "<points>"):
        assert markup not in html
    assert table.twin.equals(figures)
    # Less than a cent is not shown.
    assert as_text(table) == snapshot


def test_the_title_says_how_much_the_number_of_orders_changes(figures):
    # 0.125 of 3.125 is 4 %; the third interval holds zero.
    assert kpis_table(figures, "USD").title == (
        f"Orders per customer change by +4.0{NBSP}% with The <points> and −4.0{NBSP}% with The <sale>"
    )


def test_a_title_names_three_strategies_and_counts_the_others(figures):
    clear = [
        _row(name, "orders_per_customer", "ratio", "up", (2.0, 2.0 + gain, 0.5 * gain, 2.0 * gain))
        for name, gain in (("a-1", 0.02), ("b", 0.08), ("c", 0.04), ("d", 0.06), ("e", 0.01))
    ]
    title = kpis_table(pl.DataFrame(clear, schema=figures.schema), "USD").title
    assert title == (
        f"Orders per customer change by +4.0{NBSP}% with The <b>, +3.0{NBSP}% with The <d> and +2.0{NBSP}% with The "
        "<c>, and clearly with two more"
    )


def test_a_hyphen_in_a_title_stays_one(figures):
    one = _row("win-back", "orders_per_customer", "ratio", "up", (2.0, 2.1, 0.05, 0.15))
    title = kpis_table(pl.DataFrame([one], schema=figures.schema), "USD").title
    assert title == f"Orders per customer change by +5.0{NBSP}% with The <win-back>"


def test_where_no_interval_leaves_zero_out_the_title_says_so(figures):
    table = kpis_table(figures.filter(strategy="mail"), "USD")
    assert table.title == "No strategy clearly changes how often customers order"


def test_without_figures_a_sentence_says_why():
    assert kpis_table(empty(KPIS), "USD").text == (
        "There are no figures to compare: no strategy here has a plausible size, so none was compared with doing "
        "nothing."
    )


def test_another_table_is_refused(figures):
    with pytest.raises(TableError, match=r"^KPIS: no column 'low'"):
        kpis_table(figures.drop("low"), "USD")
