"""The registers list what was put in as it was put in, with where it comes from."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.register import assumptions_table, sources_table, strategies_table

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
