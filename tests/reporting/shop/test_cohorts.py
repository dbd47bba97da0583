"""A map of cohorts shows what was observed, marks what was observed in part, and leaves blank what was not."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.cohorts import cohort_heatmap

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
