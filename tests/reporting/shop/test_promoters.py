"""What naive methods report stands beside the truth, each in its own unit; promoters stand beside detractors."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.data.contracts import NAIVE
from cxsim.errors import TableError
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.shop.promoters import ltv_by_nps, naive_against_truth, naive_table, selection, selection_table
from cxsim.tables import empty

NONE = "Too few promoters or detractors to compare"


def test_each_method_has_a_panel_with_its_unit_its_interval_and_the_truth(readings, finding, as_text, snapshot):
    assert as_text(naive_against_truth(readings, "USD")) == snapshot
    held = readings.filter(method="nps").with_columns(truth=-27.0)
    assert finding(naive_against_truth(held, "USD")) == "Every naive reading holds the truth inside its interval"


def test_small_truths_beside_large_readings_keep_their_digits(readings, as_text, snapshot):
    table = naive_table(readings, "USD", "Points")
    assert as_text(table) == snapshot
    assert table.twin.equals(readings)
    assert str(naive_table(empty(NAIVE), "USD")).startswith("No common comparison has enough customers")


def test_promoters_and_detractors_are_compared_overall_and_at_an_equal_number_of_orders(
    worth_by_nps, finding, as_text, snapshot
):
    # Twenty customers at one and a half times and thirty at one and a tenth; nine and more are not an equal number.
    assert as_text(ltv_by_nps(worth_by_nps, "USD")) == snapshot
    assert finding(ltv_by_nps(worth_by_nps.filter(pl.col("group") == "promoters"), "USD")) == NONE


def test_the_naive_ratio_stands_beside_that_against_the_own_past(panel, finding, as_text, snapshot):
    assert as_text(selection(panel)) == snapshot
    moved = panel.with_columns(low=pl.when(pl.col("method") == "own_past").then(1.004).otherwise("low"))
    assert finding(selection(moved)).endswith("against their own past 1.01 times (1.00 to 1.13)")
    assert finding(selection(panel.head(1))) == "Promoters spend 2.3 times as much as detractors"
    assert finding(selection(empty(SELECTION))) == NONE


def test_each_method_has_its_ratio_its_interval_and_what_it_is(panel, as_text, snapshot):
    table = selection_table(panel)
    assert as_text(table) == snapshot
    assert table.twin.equals(panel)
    assert selection_table(empty(SELECTION)).title == NONE


def test_tables_that_break_their_contracts_are_refused(readings, worth_by_nps, panel):
    for show in (naive_against_truth, naive_table):
        with pytest.raises(TableError, match="NAIVE: no column 'truth'"):
            show(readings.drop("truth"), "USD")
    with pytest.raises(TableError, match="LTV_BY_NPS: no column 'mean'"):
        ltv_by_nps(worth_by_nps.drop("mean"), "USD")
    for show in (selection, selection_table):
        with pytest.raises(TableError, match="SELECTION: no column 'ratio'"):
            show(panel.drop("ratio"))
