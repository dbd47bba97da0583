"""The registers that a reader checks: assumptions, sources, cautions, checklist."""

from __future__ import annotations

from datetime import date
from html import escape

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.register import (
    assumptions_table,
    checklist_table,
    register_table,
    sources_table,
    strategies_table,
)
from cxsim.study.business.checklist import CHECKLIST, REGISTER
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"


def _html(assumptions):
    return assumptions_table(assumptions, "EUR").html().replace(NBSP, " ")


def test_a_share_is_a_percentage(assumptions):
    assert ">55 %<" in _html(assumptions)


def test_a_number_without_range_is_fixed(assumptions):
    assert ">fixed<" in _html(assumptions)
    assert ">0.98 to 1.15<" in _html(assumptions)


def test_money_is_named_by_its_currency(assumptions):
    assert ">EUR per month<" in _html(assumptions)


def test_the_grade_of_evidence_is_a_word_and_not_a_colour_alone(assumptions):
    for word in ("measured", "published", "assumed"):
        assert f'<span class="cx-badge" data-word="{word}">{word}</span>' in _html(assumptions)


def test_an_assumption_without_source_has_a_dash_and_null_in_the_twin(assumptions):
    assert ">–<" in _html(assumptions)
    assert assumptions_table(assumptions, "EUR").machine()["rows"][2][-1] is None


def test_assumptions_stand_under_what_they_belong_to(assumptions):
    html = _html(assumptions)
    assert html.index(">Economics<") < html.index("Cost of goods") < html.index(">Points programme<")


def test_a_source_says_what_was_measured_and_how_well():
    sources = pl.DataFrame(
        {
            "authors": ["Fisher & Xu"],
            "year": [2019],
            "title": ["Rapid delivery"],
            "where": ["Journal 56(5)"],
            "measured": ["Sales rose."],
            "grade": ["B"],
        }
    )
    html = sources_table(sources).html()
    assert "Fisher &amp; Xu (2019)" in html
    assert html.index("Rapid delivery – Journal 56(5)") < html.index("Sales rose.") < html.index(">B<")


def test_a_register_without_ranges_is_refused(assumptions):
    with pytest.raises(TableError, match="ASSUMPTIONS: no column 'low'"):
        assumptions_table(assumptions.drop("low"), "EUR")


def test_a_strategy_says_what_it_is_and_what_can_go_wrong():
    strategies = pl.DataFrame(
        {"title": ["A <b>", "B"], "description": ["Does one thing.", "Does another."], "harms": ["Costs trust.", ""]}
    )
    html = strategies_table(strategies).html()
    assert "A &lt;b&gt;" in html
    assert html.index("Does one thing.") < html.index("Costs trust.") < html.index("Does another.") < html.index(">–<")


_DROPOUT = {
    "id": "strategies/points/effects.dropout_1.ratio",
    "belongs_to": "Points",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "unit": "ratio",
    "value": 0.85,
    "low": 0.7,
    "high": 1.0,
    "distribution": "log-normal, wider below",
    "owner": "Head of loyalty",
    "evidence": "published",
    "grade": "B",
    "source": "Somebody (2021), Journal 40(3); grade B",
    "reviewed_on": date(2026, 11, 24),
    "swing": 12_345.0,
    "rank": 1,
    "worth": None,
}
_FEE = _DROPOUT | {
    "id": "strategies/points/effects.points_2.fee",
    "description": "Fee <now>",
    "unit": "money per order",
    **dict.fromkeys(("value", "low", "high"), 3.5),
    "distribution": "fixed",
    "evidence": "assumed",
    **dict.fromkeys(("grade", "source", "swing", "rank")),
}
_SHARE = _DROPOUT | {
    "id": "economics/shop/gross_margin",
    "belongs_to": "A shop",
    "description": "Share of the list price",
    "unit": "share",
    "value": 0.4,
    "low": 0.34,
    "high": 0.46,
    "evidence": "assumed",
    "grade": "E",
    **dict.fromkeys(("owner", "source", "reviewed_on")),
    "swing": 800.0,
    "rank": 2,
}


def _table(*rows):
    return register_table(pl.DataFrame(list(rows), schema=empty(REGISTER).schema), "USD")


def _html_case_register(*rows):
    return _table(*rows).html().replace(NBSP, " ")


def test_the_title_counts_what_is_assumed_and_names_what_matters():
    assert _table(_SHARE, _FEE, _DROPOUT).title == (
        "2 of 3 inputs are assumed (1 by choice); largest effect on NPV: members' chance of leaving; "
        "share of the list price"
    )
    assert _table(_FEE).title == "1 of 1 inputs are assumed (1 by choice), without evidence from this shop or another"


def test_a_number_stands_with_its_range_and_its_weight_and_what_it_means_in_one_sentence():
    html = _html_case_register(_DROPOUT, _SHARE)
    for cell in ("Members' chance of leaving", "0.85 (0.7 to 1), ratio", "1: 12,300", "40 % (34 to 46 %)", "2: 800"):
        assert f">{escape(cell)}<" in html
    assert "Measured elsewhere" not in html


def test_a_fixed_number_has_no_range_no_grade_and_no_weight():
    html = _html_case_register(_FEE)
    assert ">USD 3.50 per order<" in html
    assert html.count(">–<") == 2


def test_a_source_is_named_by_authors_and_year_with_the_grade_of_the_value_used():
    assert ">Somebody (2021) (B)<" in _html_case_register(_DROPOUT)
    # What the source measured is another value than the one used.
    assert ">Somebody (2021) (E)<" in _html_case_register(_DROPOUT | {"evidence": "assumed", "grade": "E"})
    assert ">Books of 2024, page 3<" in _html_case_register(_FEE | {"source": "Books of 2024, page 3"})
    assert ">no source (E)<" in _html_case_register(_SHARE)


def test_the_head_says_which_file_who_answers_and_since_when():
    assert ">Points · strategies/points · owner: Head of loyalty · reviewed 2026-11-24<" in _html_case_register(
        _DROPOUT
    )
    assert ">A shop · economics/shop · owner: not assigned · never reviewed<" in _html_case_register(_SHARE)


def test_text_stays_text_and_the_twin_is_complete():
    assert "Fee &lt;now&gt;" in _html_case_register(_FEE)
    assert _table(_FEE).machine()["columns"] == list(REGISTER.columns)


def test_a_hundred_numbers_fit_into_sixty_kilobytes():
    # A description of an assumption in the bundled files has 82 characters on average, and seldom more than 200.
    rows = [_DROPOUT | {"id": f"strategies/points/{n}", "description": "x" * 120} for n in range(100)]
    assert len(_table(*rows).html().encode()) < 60_000


def _table_checklist(*states):
    rows = [
        {
            "number": n,
            "topic": "Methods",
            "item": f"Item <{n}>",
            "state": state,
            "answer": "So.",
            "where": "The decision",
        }
        for n, state in enumerate(states, start=1)
    ]
    return checklist_table(pl.DataFrame(rows, schema=empty(CHECKLIST).schema))


def test_the_title_counts_what_is_here_partly_here_and_missing():
    assert _table_checklist("yes", "partly", "no", "no").title == (
        "Of 4 items of the reporting standard, one is reported, one is partly reported and two are missing"
    )


def test_a_state_is_a_word_in_a_frame_and_an_item_has_its_number():
    html = _table_checklist("partly").html()
    assert '<span class="cx-badge" data-word="partly">partly</span>' in html
    assert ">1. Item &lt;1&gt;<" in html


def test_answers_stay_in_the_file_of_the_table():
    table = _table_checklist("partly")
    assert ">So.<" not in table.html()
    assert "So." in table.machine()["rows"][0]


def test_another_state_is_refused():
    with pytest.raises(TableError, match=r"no state 'yess'; did you mean 'yes'\? Possible: yes, partly, no."):
        _table_checklist("yess")
