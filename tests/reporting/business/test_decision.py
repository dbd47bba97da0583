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
from cxsim.tables import BREAK_EVEN, empty

NBSP = "\N{NO-BREAK SPACE}"
_POINTS = {
    "strategy": "points",
    "title": "Points <b>& more</b>",
    "kind": "strategy",
    "decision": "pilot",
    "rule": "62 % chance of a positive NPV; policy: fund from 90 %.",
    "learn": "",
    "investment": 64_210.0,
    "benefits": 70_330.0,
    "npv": 6_120.0,
    "npv_mc_error": 880.0,
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
    "orders_to_pay": 41_260.0,
    "ceiling": None,
    "horizon_months": 36.0,
    "annual_discount_rate": 0.1,
    "fund_probability": 0.9,
    "revenue": 5_545_562.0,
    "orders_per_year": 50_340.0,
    "new_customers": 8_000,
    "new_customer_months": 12,
    "models": 1,
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
    "kind": "portfolio",
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


def test_the_first_line_is_the_answer_and_the_second_its_basis():
    first, second, *_ = _text(_POINTS, _COUPON).splitlines()
    assert first == "Pilot Points <b>& more</b> first. Do not fund Win-back coupon."
    assert second == (
        "Horizon 36 months; discount rate 10 % a year. Without any programme: net revenue of USD 5.55 million over "
        "the horizon, not discounted, from 12,000 current customers and 8,000 new ones in the first 12 months, with "
        "50,300 orders a year on average."
    )


def test_every_figure_has_its_unit_and_its_interval_or_error(snapshot):
    text = _text(_POINTS)
    # Three digits of its own, as everywhere in a report.
    assert "Expected NPV: USD 6,120 ± 880" in text
    # A normal score of -1 leaves 15.87 % below it.
    assert "That is within its plausible range (16 % chance of reaching it)." in text
    assert text == snapshot


def test_of_a_strategy_that_pays_in_the_base_case_it_says_when_it_would_no_longer():
    assert "the base-case NPV, USD 400, turns negative above about 0.93," in _text(
        _POINTS | {"base_npv": 400.0, "changer_break_even": 0.93, "changer_score": 1.1}
    )


def test_without_the_base_case_no_side_is_claimed():
    text = _text(_POINTS | {"base_npv": None, "changer_low": None})
    assert "Central value: 0.85; NPV breaks even at about 0.7412, all else" in text
    assert "turns" not in text


def test_money_and_shares_that_would_change_it_have_their_unit():
    one = {
        "changer_unit": "money per month",
        "changer_value": 500.0,
        "changer_break_even": 1234.0,
        "changer_score": 2.0,
    }
    text = _text(_POINTS | one | {"changer_low": 300.0, "changer_high": 900.0})
    turns = "the base-case NPV, USD −400, turns positive above about USD 1,234 per month,"
    assert f"USD 500 per month (plausible 90 % range: 300 to 900); {turns}" in text
    assert "That is just outside its plausible range (2 % chance of reaching it)." in text
    share = {"changer_unit": "share", "changer_value": 0.4, "changer_break_even": 0.45678, "changer_score": 0.5}
    assert (
        "40 % (plausible 90 % range: 35 to 45 %); the base-case NPV, USD −400, turns positive above about 45.68 %,"
        in _text(_POINTS | share | {"changer_low": 0.35, "changer_high": 0.45})
    )


def test_nothing_spent_has_no_return_and_no_error_smaller_than_shown():
    text = _text(_COUPON | {"npv": -5.0})
    for words in (
        "Investment: none",
        "Return on investment: –",
        "Chance of a positive NPV: less than 0.5 %;",
        "No single assumption within its plausible range makes NPV positive.",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"orders_to_pay": 41_260.0}, "Expected NPV breaks even at 41,300 orders a year; the baseline has 50,300."),
        # Both read 50,300.
        (
            {"orders_to_pay": 50_310.0},
            "Expected NPV breaks even at about the 50,300 orders a year of the baseline.",
        ),
        (
            {"orders_to_pay": 51_345.0, "npv": -100.0},
            "Expected NPV breaks even at 51,300 orders a year; the baseline has 50,300 (no clear difference).",
        ),
        ({"orders_to_pay": 0.0}, "It has no fixed cost, so its expected NPV is positive at any number of orders."),
        (
            {"orders_to_pay": None},
            (
                "Expected NPV is negative at any number of orders: expected costs that grow with orders exceed "
                "expected benefits."
            ),
        ),
        (
            {"orders_to_pay": None, "benefits": -10.0},
            "Expected NPV is negative at any number of orders: expected benefits are negative.",
        ),
    ],
)
def test_each_strategy_says_from_which_size_of_the_shop_on_it_pays(other, sentence):
    assert sentence in _text(_POINTS | other)


@pytest.mark.parametrize(("error", "near"), [(300.0, " (no clear difference)"), (200.0, "")])
def test_a_strategy_outside_the_best_set_says_what_it_adds_to_it(error, near):
    added = {"added_to": "Faster delivery", "added_npv": -512.0, "added_npv_mc_error": error}
    table = pl.DataFrame([_POINTS]).select(empty(DECISION).columns).cast(dict(empty(DECISION).schema))
    text = decision_box(table.with_columns(pl.lit(one).alias(name) for name, one in added.items()), "USD").text
    sentence = f"Added to the best set, Faster delivery, it changes expected NPV by USD −512 ± {error:.0f}{near}."
    assert sentence in text.replace(NBSP, " ")


def test_a_service_strategy_names_its_ceiling():
    assert "Ceiling: if 99 % of all incidents were avoided at no cost, NPV would be USD 12,300." in _text(
        _POINTS | {"ceiling": 12_345.0}
    )


def test_combinations_stand_apart_and_are_not_counted():
    both = _POINTS | {"strategy": "both", "title": "Points and coupon", "kind": "combination", "decision": "fund"}
    text = _text(_POINTS, both)
    assert "Fund: Together: Points and coupon." in text
    assert text.splitlines()[0] == "Pilot Points <b>& more</b> first."


def test_a_strategy_without_evidence_has_a_card_with_what_it_needs():
    row = {
        "strategy": "surveys",
        "title": "Customer surveys",
        "effect": "effects.dropout_1.ratio",
        "description": "Chance of leaving; searched, not assumed",
        "unit": "ratio",
        "searched_low": 0.8,
        "searched_high": 1.0,
        "npv_low": 9_000.0,
        "npv_high": -4_000.0,
        "break_even": 0.93,
        "npv_mc_error": 10.0,
        "draws": 24,
    }
    searched = pl.DataFrame([row], schema=empty(BREAK_EVEN).schema)
    table = pl.DataFrame([_POINTS], schema=empty(DECISION).schema)
    lead, *cards = decision_box(table, "USD", searched).text.replace(NBSP, " ").splitlines()
    assert lead.endswith("No evidence on Customer surveys: only what each would need is known.")
    assert "Test first: Customer surveys. Needs 0.930 or less: at least 7.0 % lower" in "\n".join(cards)
    assert (
        "(chance of leaving). No evidence yet. Range tested: 0.800, with an expected NPV of USD 9,000, to 1.000"
        in "\n".join(cards)
    )


def test_the_best_set_is_a_card_of_its_own():
    text = _text(_POINTS, _COUPON, _BEST)
    assert "Pilot first: Best set: Points + Coupon." in text
    assert "in 200 draws of all uncertain inputs and model parameters (sets: 24)" in text


def test_where_no_set_gains_no_figure_is_made_up():
    none = dict.fromkeys(("investment", "npv", "npv_mc_error", "low", "high", "prob_npv_positive"), 0.0)
    text = _text(_POINTS, _COUPON, _BEST | none | {"title": "No programme", "decision": "reject", "roi": None})
    assert "Fund none: Best set: no programme. 62 % chance" in text
    assert text.count("Expected NPV:") == 2


def test_a_single_strategy_is_not_compared_with_sets():
    assert "Best set" not in _text(_POINTS, _BEST)


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
    "mean_mc_error": 0.0,
    "worlds": 6,
}


def _prose(*rows):
    return base_case_sentence(pl.DataFrame(list(rows), schema=empty(BASE_CASE).schema), "USD")


def test_base_case_and_expected_npv_stand_side_by_side_and_may_not_differ_clearly():
    text = _prose(_POINTS_CENTRAL_CASE).text.replace(NBSP, " ")
    # 6,120 - 5,000 = 1,120, more than twice 100 and less than twice 600.
    assert "Points <i>: NPV of USD 5,000 ± 100 in the base case, against an expected NPV of USD 6,120." in text
    assert "in six simulation runs" in text
    assert "USD 6,120 (no clear difference)." in (
        _prose(_POINTS_CENTRAL_CASE | {"mc_error": 600.0}).text.replace(NBSP, " ")
    )
    assert "Points &lt;i&gt;" in _prose(_POINTS_CENTRAL_CASE).markup


def test_machines_find_the_base_case_beside_its_sentences():
    twin = _prose(_POINTS_CENTRAL_CASE).twin
    assert (twin["id"], twin["columns"]) == ("base-case", list(BASE_CASE.columns))
    assert twin["rows"] == [[_POINTS_CENTRAL_CASE[name] for name in BASE_CASE.columns]]


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
        "<c>, and with two more"
    )


def test_a_hyphen_in_a_title_stays_one(figures):
    one = _row("win-back", "orders_per_customer", "ratio", "up", (2.0, 2.1, 0.05, 0.15))
    title = kpis_table(pl.DataFrame([one], schema=figures.schema), "USD").title
    assert title == f"Orders per customer change by +5.0{NBSP}% with The <win-back>"


def test_where_no_interval_leaves_zero_out_the_title_says_so(figures):
    table = kpis_table(figures.filter(strategy="mail"), "USD")
    assert table.title == ("For no programme does the interval of the change in orders per customer exclude zero")


def test_without_figures_a_sentence_says_why():
    assert kpis_table(empty(KPIS), "USD").text == (
        "There are no figures to compare: no strategy here has a measured or assumed effect."
    )


def test_another_table_is_refused(figures):
    with pytest.raises(TableError, match=r"^KPIS: no column 'low'"):
        kpis_table(figures.drop("low"), "USD")
