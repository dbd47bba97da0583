"""Cohorts, drivers and promoters: what was observed, with intervals, beside what it is compared with."""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.data.contracts import NAIVE
from cxsim.errors import TableError
from cxsim.metrics.selection import SELECTION
from cxsim.reporting.shop.cohorts import cohort_heatmap
from cxsim.reporting.shop.drivers import associations, associations_table, dose_curve, doses_table
from cxsim.reporting.shop.promoters import ltv_by_nps, naive_against_truth, naive_table, selection, selection_table
from cxsim.tables import empty
from tests.reporting.shop.conftest import associated, association

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("measure", "title"),
    [
        ("orders", "40.0 to 44.0 orders per customer in days 0 to 30, by cohort"),
        ("margin", f"USD{NBSP}40.0 to USD{NBSP}44.0 of margin per customer in days 0 to 30, by cohort"),
        (
            "cumulative_revenue",
            f"After 30 days, cumulative revenue per customer is USD{NBSP}40.0 to USD{NBSP}44.0, by cohort",
        ),
    ],
)
def test_the_title_says_what_is_measured(cohorts, measure, title, finding):
    money = cohorts.filter(measure="cumulative_revenue").with_columns(measure=pl.lit(measure))
    assert finding(cohort_heatmap(money, measure, "USD")) == title


def test_what_was_not_observed_is_blank_and_never_nothing(cohorts):
    (rows,) = cohort_heatmap(cohorts, "retention", "USD").to_dict()["datasets"].values()
    assert [(row["cohort"], row["age"], row["value"]) for row in rows] == [
        ("2024-01", 0, 0.3), ("2024-01", 1, 0.2), ("2024-02", 0, 0.25), ("2024-02", 1, 0.1),
    ]  # fmt: skip


def test_cells_that_hold_a_part_of_their_cohort_are_framed(cohorts):
    marks = cohort_heatmap(cohorts, "retention", "USD").to_dict()["layer"]
    framed = [mark for mark in marks if "strokeDash" in mark["mark"]]
    assert [mark["transform"] for mark in framed] == [[{"filter": "!datum.complete"}]]


def test_cohorts_come_in_the_order_of_the_table_even_where_they_have_no_cell(cohorts):
    late = cohorts.with_columns(value=pl.when(pl.col("cohort") == "2024-01").then("value"))
    encoding = cohort_heatmap(late, "retention", "USD").to_dict()["layer"][0]["encoding"]
    assert encoding["y"]["scale"]["domain"] == ["2024-01", "2024-02"]


def test_without_a_value_the_title_says_why(cohorts, finding):
    young = cohorts.with_columns(pl.col("value", "low", "high") * None)
    assert finding(cohort_heatmap(young, "retention", "USD")).startswith("Too few customers have been ")


@pytest.fixture
def delivery(doses):
    return doses.filter(exposure="delivery days")


def test_the_title_says_where_all_did_so_before(found, finding):
    assert finding(associations(found.filter(exposure="contact"))) == (
        "Contact is clearly associated with later orders, but customers already differed before the event"
    )


def test_a_far_ratio_that_is_not_clear_among_all_comparisons_is_no_finding(finding):
    table = associated(association("late order", "orders", math.exp(2.2 * 0.03), None, clear=False))
    assert finding(associations(table)) == "No experience is clearly associated with later orders"


def test_many_findings_are_counted(finding):
    table = associated(*[association(f"thing {n}", "orders", 0.5, None) for n in range(4)])
    assert finding(associations(table)) == "Four of four experiences are clearly associated with later orders"


@pytest.mark.parametrize("ratio", [0.06, 0.97, 15.0])
def test_the_axis_has_few_ticks_and_one_among_them_at_any_span(ratio):
    figure = associations(associated(association("late order", "orders", ratio, None))).to_dict()
    ticks = figure["spec"]["layer"][2]["encoding"]["x"]["axis"]["values"]
    assert 1 in ticks
    assert 3 <= len(ticks) <= 9


def test_a_curve_without_a_clear_difference_or_of_one_class_says_so(delivery, finding):
    close = delivery.with_columns(value=pl.when(pl.col("value") == 0.3).then(0.39).otherwise("value"))
    assert finding(dose_curve(close)).endswith(f"39{NBSP}% at 5 or more days: no clear difference")
    assert finding(dose_curve(delivery.head(1))) == f"40{NBSP}% ordered again within 90 days"


def test_doses_and_associations_keep_their_numbers(found, doses):
    assert associations_table(found.head(1)).title == "How one experience relates to later orders"
    machine = doses_table(doses).machine()
    assert [row[machine["columns"].index("dose_high")] for row in machine["rows"]] == [2.0, 5.0, None, 1.0]


def test_what_cannot_be_shown_is_refused(found, doses, delivery, cohorts):
    with pytest.raises(TableError, match="COHORTS: no measure 'retenton'; did you mean 'retention'"):
        cohort_heatmap(cohorts, "retenton", "USD")
    with pytest.raises(TableError, match="ASSOCIATIONS: there is no row, so there is nothing to draw"):
        associations(found.clear())
    with pytest.raises(TableError, match="DOSES: no class has a value, so there is nothing to draw"):
        dose_curve(delivery.filter(pl.col("value").is_null()))
    with pytest.raises(TableError, match="one curve is of one exposure; found delivery days and returns so far"):
        dose_curve(doses)


NONE = "Too few promoters or detractors to compare"


def test_the_titles_of_promoters_say_what_is_held_moved_or_cannot_be_compared(readings, worth_by_nps, panel, finding):
    held = readings.filter(method="nps").with_columns(truth=-27.0)
    assert finding(naive_against_truth(held, "USD")) == "The interval of every naive estimate includes the true value"
    assert str(naive_table(empty(NAIVE), "USD")).startswith("No comparison has enough customers")
    assert finding(ltv_by_nps(worth_by_nps.filter(pl.col("group") == "promoters"), "USD")) == NONE
    moved = panel.with_columns(low=pl.when(pl.col("method") == "own_past").then(1.004).otherwise("low"))
    assert finding(selection(moved)).endswith("relative to their own past 1.01 times (1.00 to 1.13)")
    assert finding(selection(panel.head(1))) == "Promoters spend 2.3 times as much as detractors"
    assert finding(selection(empty(SELECTION))) == NONE
    assert selection_table(empty(SELECTION)).title == NONE
