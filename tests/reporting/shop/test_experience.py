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


def test_the_title_gives_the_range_over_complete_cells_at_the_last_age_that_two_cohorts_have(
    cohorts, as_text, snapshot
):
    # At age 1 the second cohort is not complete, so that age 0 is the last one that two complete cohorts have.
    assert as_text(cohort_heatmap(cohorts, "retention", "USD")) == snapshot


def test_the_title_of_weeks_counts_in_sevens(cohorts, finding):
    figure = cohort_heatmap(cohorts.filter(cohort="2024-01"), "retention", "USD", every="week")
    assert finding(figure) == f"20.0{NBSP}% of customers order again in days 7 to 14, by cohort"


@pytest.mark.parametrize(
    ("measure", "title"),
    [
        ("orders", "40.0 to 44.0 orders per customer in days 0 to 30, by cohort"),
        ("margin", f"USD{NBSP}40.0 to USD{NBSP}44.0 of margin per customer in days 0 to 30, by cohort"),
        ("cumulative_revenue", f"After 30 days, a customer has brought USD{NBSP}40.0 to USD{NBSP}44.0, by cohort"),
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


def test_what_cannot_be_drawn_is_refused(cohorts):
    with pytest.raises(TableError, match="COHORTS: no column 'at_risk'"):
        cohort_heatmap(cohorts.drop("at_risk"), "retention", "USD")
    with pytest.raises(TableError, match="COHORTS: no measure 'retenton'; did you mean 'retention'"):
        cohort_heatmap(cohorts, "retenton", "USD")


@pytest.fixture
def delivery(doses):
    return doses.filter(exposure="delivery days")


def test_each_experience_has_a_point_after_and_a_hollow_one_before_and_a_cross_check_none(found, as_text, snapshot):
    assert as_text(associations(found)) == snapshot


def test_the_title_says_where_all_did_so_before(found, finding):
    assert finding(associations(found.filter(exposure="contact"))) == (
        "Contact goes with what customers order later, but did so before it happened"
    )


def test_a_far_ratio_that_is_not_clear_among_all_comparisons_is_no_finding(finding):
    table = associated(association("late order", "orders", math.exp(2.2 * 0.03), None, clear=False))
    assert finding(associations(table)) == "No experience clearly goes with what customers order later"


def test_many_findings_are_counted(finding):
    table = associated(*[association(f"thing {n}", "orders", 0.5, None) for n in range(4)])
    assert finding(associations(table)) == "Four of four experiences go with what customers order later"


@pytest.mark.parametrize("ratio", [0.06, 0.97, 15.0])
def test_the_axis_has_few_ticks_and_one_among_them_at_any_span(ratio):
    figure = associations(associated(association("late order", "orders", ratio, None))).to_dict()
    ticks = figure["spec"]["layer"][2]["encoding"]["x"]["axis"]["values"]
    assert 1 in ticks
    assert 3 <= len(ticks) <= 9


def test_a_curve_shows_the_classes_that_have_a_share(delivery, finding, as_text, snapshot):
    # A difference of 0.1, beyond the root of 0.02^2 + 0.03^2 = 0.036.
    assert as_text(dose_curve(delivery)) == snapshot
    close = delivery.with_columns(value=pl.when(pl.col("value") == 0.3).then(0.39).otherwise("value"))
    assert finding(dose_curve(close)).endswith(f"39{NBSP}% at 5 or more days: no clear difference")
    assert finding(dose_curve(delivery.head(1))) == f"40{NBSP}% ordered again within 90 days"


def test_an_association_stands_with_its_interval_and_with_what_was_before(found, as_text, snapshot):
    table = associations_table(found)
    assert as_text(table) == snapshot
    assert table.twin.equals(found)
    assert associations_table(found.head(1)).title == "How one experience goes with later orders"


def test_doses_stand_with_their_class_and_too_few_customers_have_no_share(doses, as_text, snapshot):
    table = doses_table(doses)
    assert as_text(table) == snapshot
    machine = table.machine()
    assert [row[machine["columns"].index("dose_high")] for row in machine["rows"]] == [2.0, 5.0, None, 1.0]


def test_what_cannot_be_shown_is_refused(found, doses, delivery):
    with pytest.raises(TableError, match="ASSOCIATIONS: no column 'ratio'"):
        associations(found.drop("ratio"))
    with pytest.raises(TableError, match="ASSOCIATIONS: there is no row, so there is nothing to draw"):
        associations(found.clear())
    with pytest.raises(TableError, match="DOSES: no class has a value, so there is nothing to draw"):
        dose_curve(delivery.filter(pl.col("value").is_null()))
    with pytest.raises(TableError, match="one curve is of one exposure; found delivery days and returns so far"):
        dose_curve(doses)
    with pytest.raises(TableError, match="ASSOCIATIONS: no column 'label'"):
        associations_table(found.drop("label"))
    with pytest.raises(TableError, match="DOSES: no column 'unit'"):
        doses_table(doses.drop("unit"))


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
