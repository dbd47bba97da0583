"""The figures of naive readings count those that miss the truth, and put both on one scale."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.promoters import ltv_by_nps, naive_against_truth


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def test_the_title_counts_the_readings_whose_interval_misses_the_truth(readings):
    assert _finding(naive_against_truth(readings, "USD")) == "Two of three naive readings miss the truth"


def test_the_title_says_so_where_no_reading_misses(readings):
    assert _finding(naive_against_truth(readings.filter(method="nps"), "USD")) == (
        "Every naive reading holds the truth inside its interval"
    )


def test_each_method_has_a_panel_with_its_unit_in_the_order_of_the_table(readings):
    figure = naive_against_truth(readings, "USD").to_dict()
    assert figure["facet"]["row"]["sort"] == [
        "Members against the others: spend per customer, USD",
        "Before and after joining: spend per customer and month, USD",
        "Score of those who answer: −100 to 100",
    ]


def test_a_reading_has_its_interval_and_the_truth_has_none(readings):
    (rows,) = naive_against_truth(readings, "USD").to_dict()["datasets"].values()
    kinds = {row["kind"]: row for row in rows if row["panel"].startswith("Members")}
    assert (kinds["What the method reports"]["low"], kinds["What the method reports"]["alt_text"]) == (3.8, "10.5")
    assert (kinds["What is true"]["low"], kinds["What is true"]["alt_text"]) == (None, "2.45")


def test_the_findings_are_read_aloud(readings):
    assert naive_against_truth(readings, "USD").to_dict()["description"].endswith("a score of 27.0.")


def test_the_title_compares_promoters_and_detractors_overall_and_at_an_equal_number_of_orders(worth_by_nps):
    # Twenty customers at one and a half times and thirty at one and a tenth; nine and more are not an equal number.
    assert _finding(ltv_by_nps(worth_by_nps, "USD")) == (
        "Promoters spend 2.0 times as much as detractors, and 1.3 times as much at an equal number of orders"
    )


def test_without_detractors_nothing_is_compared(worth_by_nps):
    alone = worth_by_nps.filter(pl.col("group") == "promoters")
    assert _finding(ltv_by_nps(alone, "USD")) == "Too few promoters or detractors to compare"


def test_the_classes_of_orders_come_in_words_and_in_their_order(worth_by_nps):
    encoding = ltv_by_nps(worth_by_nps, "USD").to_dict()["layer"][0]["encoding"]
    assert encoding["x"]["sort"] == ["Any number", "1", "2", "9 or more"]


def test_tables_that_break_their_contracts_are_refused(readings, worth_by_nps):
    with pytest.raises(TableError, match="NAIVE: no column 'truth'"):
        naive_against_truth(readings.drop("truth"), "USD")
    with pytest.raises(TableError, match="LTV_BY_NPS: no column 'mean'"):
        ltv_by_nps(worth_by_nps.drop("mean"), "USD")
