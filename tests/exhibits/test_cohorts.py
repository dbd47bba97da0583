"""A table of cohorts stars what was seen in part, and has a dash where nothing can be said."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim import exhibits
from cxsim.errors import TableError
from cxsim.measured import COHORTS
from cxsim.tables import empty


@pytest.fixture
def cohorts():
    rows = [
        ("<Jan>", "retention", 0, 1400, 1400, 0.3, 0.26, 0.34, True, "since 2024-01-01 alone"),
        ("<Jan>", "retention", 1, 1400, 400, 0.204, 0.16, 0.24, False, "since 2024-01-01 alone"),
        ("Feb", "retention", 0, 600, 600, 0.0, 0.0, 0.01, True, ""),
        ("Feb", "retention", 1, 600, 9, None, None, None, False, ""),
        ("Feb", "retention", 2, 600, 0, None, None, None, False, ""),
        ("Feb", "revenue", 0, 600, 600, 52.6667, 50.0, 55.0, True, ""),
    ]
    return pl.DataFrame(rows, schema=empty(COHORTS).schema, orient="row")


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return re.findall(r"<td[^>]*>(.*?)</td>", line)


def test_values_in_part_have_a_star_and_missing_ones_a_dash(cohorts):
    html = exhibits.cohorts_table(cohorts, "retention", "USD").html()
    assert _row(html, "&lt;Jan&gt;") == ["1,400", "30.0", "20.4*"]
    assert _row(html, "Feb") == ["600", "0.0", "–"]
    assert "Age 2" not in html


def test_notes_explain_the_signs_and_name_the_cohorts_with_a_caution(cohorts):
    html = exhibits.cohorts_table(cohorts, "retention", "USD").html()
    assert "* Only a part of the cohort has been watched so long" in html
    assert "it does not mean that nobody came" in html
    assert "&lt;Jan&gt;: since 2024-01-01 alone." in html
    assert "<Jan>" not in html


def test_a_table_without_gaps_has_no_notes_about_them(cohorts):
    html = exhibits.cohorts_table(cohorts, "revenue", "USD").html()
    assert _row(html, "Feb") == ["600", "52.7"]
    assert "Only a part" not in html
    assert "Too few" not in html


def test_the_subtitle_says_unit_and_length_of_a_step(cohorts):
    assert (
        "USD; ages in steps of 7\N{NO-BREAK SPACE}days"
        in exhibits.cohorts_table(cohorts, "revenue", "USD", every="week").html()
    )


def test_the_twin_keeps_intervals_and_customers_at_risk(cohorts):
    assert exhibits.cohorts_table(cohorts, "retention", "USD").twin.equals(cohorts.filter(measure="retention"))


def test_what_cannot_be_shown_is_refused(cohorts):
    with pytest.raises(TableError, match="COHORTS: no measure 'retenton'; did you mean 'retention'"):
        exhibits.cohorts_table(cohorts, "retenton", "USD")
    with pytest.raises(TableError, match="COHORTS: no column 'age'"):
        exhibits.cohorts_table(cohorts.drop("age"), "retention", "USD")
