"""Ratios by several methods stand beside their intervals, what they are, and their findings."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.shop.promoters import selection_table
from cxsim.tables import empty


@pytest.fixture
def panel():
    """A naive method far from 1 and a careful one around it; a title and a finding hold markup."""
    rows = [
        ("naive", "All <b>", 2.314, 2.2, 2.42, 9_000, "association", "Twice & more."),
        ("own_past", "Own past", 1.01, 0.9, 1.13, 800, "association", "Nothing."),
    ]
    return pl.DataFrame(rows, schema=list(SELECTION.columns), orient="row")


def test_each_method_has_its_ratio_its_interval_and_what_it_is(panel):
    html = selection_table(panel).html()
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if ">All &lt;b&gt;<" in row)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", line)
    assert cells == ["2.31", "2.20 to 2.42", "9,000", "association", "Twice &amp; more."]


def test_the_title_counts_the_methods_that_see_no_difference(panel):
    assert selection_table(panel).title == ("One of two methods see no difference between promoters and detractors")


def test_an_empty_panel_says_why():
    assert selection_table(empty(SELECTION)).title == "Too few promoters or detractors to compare"


def test_the_twin_keeps_the_numbers(panel):
    assert selection_table(panel).twin.equals(panel)


def test_a_table_without_ratios_is_refused(panel):
    with pytest.raises(TableError, match="SELECTION: no column 'ratio'"):
        selection_table(panel.drop("ratio"))
