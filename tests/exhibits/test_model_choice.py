"""Tables on models say what a rule of thumb has not, and take no text for markup."""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import findings_table, model_table, verdict

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def scores():
    """A model with a likelihood, and a rule of thumb without, which held something impossible that came."""
    return pl.DataFrame(
        {
            "model": ["MBG/NBD", "Own <rate>"],
            "log_likelihood": [-14_363.2, None],
            "aic_gap": [0.0, None],
            "weight": [0.57, None],
            "orders_bias": [-0.162, 0.557],
            "mae": [0.765, 1.024],
            "rmse": [1.607, 2.212],
            "log_score": [0.982, math.inf],
            "coverage_80": [0.9245, 0.814],
            "coverage_95": [0.975, 0.875],
            "gini": [0.637, 0.671],
            "top_decile_capture": [None, None],
        },
        schema_overrides={"top_decile_capture": pl.Float64},
    )


def _findings(*rows):
    return pl.DataFrame(rows, schema=["about", "severity", "sentence", "advice"], orient="row")


def test_a_rule_of_thumb_has_a_dash_where_it_has_no_likelihood_and_an_infinite_log_score(scores):
    html = model_table(scores).html()
    assert html.count(">–<") == 3
    assert ">∞<" in html
    assert f">−16.2{NBSP}%<" in html
    assert "Own &lt;rate&gt;" in html


def test_a_column_without_any_number_is_left_out_and_stays_in_the_twin(scores):
    table = model_table(scores)
    assert "Value caught" not in table.html()
    assert "top_decile_capture" in table.twin.columns


def test_scores_of_another_kind_are_refused(scores):
    with pytest.raises(TableError, match="SCORES: no column 'mae'"):
        model_table(scores.drop("mae"))


def test_findings_are_shown_with_their_weight():
    table = findings_table(
        _findings(
            ("dropout", "caution", "Dropout is <not> identified.", "Use NBD."), ("tied", "note", "r and a.", "Fine.")
        )
    )
    assert table.title == "The fits can be used; one thing must be said beside them"
    assert '<span class="cx-badge" data-word="caution">caution</span>' in table.html()
    assert "Dropout is &lt;not&gt; identified." in table.html()


def test_a_finding_that_forbids_the_use_is_in_the_title():
    table = findings_table(_findings(("spend", "stop", "Mean spend is infinite.", "Leave out resellers.")))
    assert table.title == "Something found forbids the use of what hangs on it"


def test_without_findings_that_is_said():
    none = pl.DataFrame(schema=dict.fromkeys(["about", "severity", "sentence", "advice"], pl.String))
    table = findings_table(none)
    assert table.title == "The examination of the fits found nothing"
    assert "Nothing was found." in table.html()
    assert table.twin.is_empty()


def test_a_verdict_is_a_paragraph_and_a_list_in_which_nothing_is_markup():
    alt_text = verdict("Use <MBG>.", ["It missed 12 % & more."])
    assert "<p>Use &lt;MBG&gt;.</p><ul><li>It missed 12 % &amp; more.</li></ul>" in alt_text.markup
    assert repr(alt_text) == "Use <MBG>.\nIt missed 12 % & more."
