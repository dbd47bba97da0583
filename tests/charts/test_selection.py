"""The figure of selection says what naive and careful methods find, around a line at 1."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.shop.promoters import selection
from cxsim.tables import empty


@pytest.fixture
def panel():
    """A naive method far from 1, what lies before the answer, and a careful method around 1."""
    rows = [
        ("naive", "All spend so far", 2.31, 2.2, 2.42, 9_000, "association", "Twice."),
        ("before", "Spend before", 1.87, 1.7, 2.05, 800, "association", "Selection."),
        ("own_past", "Own past", 1.01, 0.9, 1.13, 800, "association", "Nothing."),
    ]
    return pl.DataFrame(rows, schema=list(SELECTION.columns), orient="row")


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def test_the_title_puts_the_naive_ratio_beside_that_against_the_own_past(panel):
    assert _finding(selection(panel)) == (
        "Promoters spend 2.3 times as much as detractors; against their own past no difference is seen (0.90 to 1.13)"
    )


def test_the_title_says_how_much_is_left_where_the_own_past_misses_one(panel):
    moved = panel.with_columns(low=pl.when(pl.col("method") == "own_past").then(1.004).otherwise("low"))
    assert _finding(selection(moved)).endswith("against their own past 1.01 times (1.00 to 1.13)")


def test_without_the_careful_method_the_title_claims_nothing_of_it(panel):
    assert _finding(selection(panel.head(1))) == "Promoters spend 2.3 times as much as detractors"


def test_an_empty_panel_compares_nothing():
    assert _finding(selection(empty(SELECTION))) == "Too few promoters or detractors to compare"


def test_methods_keep_their_order_and_a_line_stands_at_one(panel):
    rule, line = selection(panel).to_dict()["layer"][:2]
    assert rule["encoding"]["x"] == {"datum": 1.0}
    assert line["encoding"]["y"]["sort"] == ["All spend so far", "Spend before", "Own past"]
    assert line["encoding"]["color"]["scale"]["domain"] == ["Not adjusted", "Before the answer", "Adjusted"]


def test_the_ratios_are_read_aloud(panel):
    assert selection(panel).to_dict()["description"].endswith("Spend before: 1.87; Own past: 1.01.")


def test_a_table_without_ratios_is_refused(panel):
    with pytest.raises(TableError, match="SELECTION: no column 'ratio'"):
        selection(panel.drop("ratio"))
