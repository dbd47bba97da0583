"""The figures of cohorts show what was observed, mark what was observed in part, and leave blank what was not."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.reporting.shop.cohorts import cohort_heatmap

NBSP = "\N{NO-BREAK SPACE}"


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def _rows(figure):
    (rows,) = figure.to_dict()["datasets"].values()
    return rows


def _at(table, **same):
    return table.filter(**same)


def test_the_title_gives_the_range_over_complete_cells_at_the_last_age_that_two_cohorts_have(cohorts):
    # At age 1 the second cohort is not complete, so that age 0 is the last one that two complete cohorts have.
    assert _finding(cohort_heatmap(cohorts, "retention", "USD")) == (
        f"25.0{NBSP}% to 30.0{NBSP}% of customers order again in days 0 to 30, by cohort"
    )


def test_the_title_of_weeks_counts_in_sevens(cohorts):
    figure = cohort_heatmap(_at(cohorts, cohort="2024-01"), "retention", "USD", every="week")
    assert _finding(figure) == f"20.0{NBSP}% of customers order again in days 7 to 14, by cohort"


@pytest.mark.parametrize(
    ("measure", "finding"),
    [
        ("orders", "40.0 to 44.0 orders per customer in days 0 to 30, by cohort"),
        ("margin", f"USD{NBSP}40.0 to USD{NBSP}44.0 of margin per customer in days 0 to 30, by cohort"),
        ("cumulative_revenue", f"After 30 days, a customer has brought USD{NBSP}40.0 to USD{NBSP}44.0, by cohort"),
    ],
)
def test_the_title_says_what_is_measured(cohorts, measure, finding):
    money = _at(cohorts, measure="cumulative_revenue").with_columns(measure=pl.lit(measure))
    assert _finding(cohort_heatmap(money, measure, "USD")) == finding


def test_what_was_not_observed_is_blank_and_never_nothing(cohorts):
    figure = cohort_heatmap(cohorts, "retention", "USD")
    assert [(row["cohort"], row["age"], row["value"]) for row in _rows(figure)] == [
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


def test_the_tooltip_tells_over_how_many_customers_a_value_is_taken(cohorts):
    tooltip = cohort_heatmap(cohorts, "retention", "USD").to_dict()["layer"][0]["encoding"]["tooltip"]
    assert {"field": "at_risk", "format": ",d", "title": "Customers watched so long", "type": "quantitative"} in tooltip


def test_the_last_value_of_each_cohort_is_read_aloud(cohorts):
    assert (
        cohort_heatmap(cohorts, "retention", "USD")
        .to_dict()["description"]
        .endswith(
            f"2024-01 at age 1: 20.0{NBSP}%, 400 of 400 customers; 2024-02 at age 1: 10.0{NBSP}%, 90 of 600 customers."
        )
    )
