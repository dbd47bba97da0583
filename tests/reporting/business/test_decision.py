"""The decision, its base case and the figures behind it are told right for every sign, number and gap."""

from __future__ import annotations

import re

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
        "0.7 to 1); it would pay at 0.741 or less, all else at its central value. That is within its plausible range "
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
    assert "That is at the edge of its plausible range (2 % chance)." in text
    share = {"changer_unit": "share", "changer_value": 0.4, "changer_break_even": 0.45678, "changer_score": 0.5}
    assert "40 % (90 % range 35 to 45 %); it would pay at 45.7 % or more" in _text(
        _POINTS | share | {"changer_low": 0.35, "changer_high": 0.45}
    )


def test_where_no_single_number_changes_it_the_card_says_so():
    assert "No single number, moved within its plausible range, would change the sign" in _text(_COUPON)


def test_nothing_spent_has_no_return_and_no_error_smaller_than_shown():
    text = _text(_COUPON)
    assert "Spend: nothing" in text
    assert "Return on spend: none, as nothing is spent" in text
    assert "Chance of a gain: less than 0.5 %;" in text


def test_the_best_set_is_a_card_and_a_sentence_of_the_lead():
    text = _text(_POINTS, _COUPON, _BEST)
    assert "Of all sets of them, Points + Coupon is expected to bring most: net present value USD 6,100" in text
    assert "Pilot first: Best set: Points + Coupon." in text
    assert "What would change it stands with each of its parts." in text
    assert "the whole was simulated 200 times (sets of strategies 24 times), each time with other values" in text


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


def test_the_distance_is_alt_text_with_its_side():
    text = _prose(_POINTS_CENTRAL_CASE).text.replace(NBSP, " ")
    # 6,120 - 5,000 = 1,120, more than twice 100.
    assert "Points <i>: USD 5,000 ± 100 in the base case, USD 6,120 on average over all draws, USD 1,120 more." in text
    assert "in six worlds" in text
    assert "USD 1,120 less." in _prose(_POINTS_CENTRAL_CASE | {"npv": 6_120.0, "mean": 5_000.0}).text.replace(NBSP, " ")


def test_a_distance_within_two_errors_may_be_chance():
    # 1,120 is less than twice 600.
    assert "a difference that chance alone may explain." in _prose(_POINTS_CENTRAL_CASE | {"mc_error": 600.0}).text


def test_a_title_stays_text():
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


@pytest.fixture
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


def _cells(html, label, title="The &lt;points&gt;"):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, flags=re.DOTALL)
    heading = next(place for place, row in enumerate(rows) if label in row)
    row = next(row for row in rows[heading + 1 :] if title in row)
    return re.findall(r"<td[^>]*>(.*?)</td>", row)


def test_each_unit_is_written_as_it_is_read(figures):
    html = kpis_table(figures, "USD").html()
    assert _cells(html, "orders_per_customer") == [
        "3.12", "3.25", "+0.125", "+0.050 to +0.200", "higher, clearly (better)",
    ]  # fmt: skip
    # Less than a cent is not told.
    assert _cells(html, "aov_net") == [
        f"USD{NBSP}37.0", f"USD{NBSP}37.0", f"USD{NBSP}−0.05", "−0.06 to 0.00", f"no{NBSP}clear{NBSP}change",
    ]  # fmt: skip
    assert _cells(html, "discount_share") == [
        f"10.0{NBSP}%", f"12.5{NBSP}%", f"+2.5{NBSP}pp", f"+2.0 to +3.0{NBSP}pp", "higher, clearly (worse)",
    ]  # fmt: skip
    assert _cells(html, "nps") == ["20.0", "21.5", "+1.5", "−1.0 to +4.0", f"no{NBSP}clear{NBSP}change"]
    assert _cells(html, "member_months") == ["0", "1,234", "+1,234", "+1,000 to +1,500", "higher, clearly"]


def test_each_figure_is_headed_by_its_definition_and_holds_all_strategies(figures):
    html = kpis_table(figures, "USD").html()
    assert html.count("Label of orders_per_customer: how many &lt;there&gt; are.") == 1
    changes = [_cells(html, "orders_per_customer", f"The &lt;{name}&gt;")[2] for name in ("points", "sale", "mail")]
    assert changes == ["+0.125", "−0.125", "−0.0250"]


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


def test_it_says_that_it_is_no_forecast_of_scores(figures):
    html = kpis_table(figures, "USD").html()
    assert "Follows from the simulation: it shows by which way the money comes, and is no forecast of scores." in html


def test_names_and_definitions_are_text_and_no_markup(figures):
    html = kpis_table(figures, "USD").html()
    assert "<there>" not in html
    assert "<points>" not in html


def test_without_figures_a_sentence_says_why():
    assert kpis_table(empty(KPIS), "USD").text == (
        "There are no figures to compare: no strategy here has a plausible size, so none was compared with doing "
        "nothing."
    )


def test_the_twin_keeps_the_numbers(figures):
    assert kpis_table(figures, "USD").twin.equals(figures)


def test_another_table_is_refused(figures):
    with pytest.raises(TableError, match=r"^KPIS: no column 'low'"):
        kpis_table(figures.drop("low"), "USD")
