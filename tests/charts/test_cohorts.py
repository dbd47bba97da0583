"""The figures of cohorts show what was observed, mark what was observed in part, and leave blank what was not."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim import charts
from cxsim.errors import TableError

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
    assert _finding(charts.cohort_heatmap(cohorts, "retention", "USD")) == (
        f"25.0{NBSP}% to 30.0{NBSP}% of customers order again in days 0 to 30, by cohort"
    )


def test_the_title_of_weeks_counts_in_sevens(cohorts):
    figure = charts.cohort_heatmap(_at(cohorts, cohort="2024-01"), "retention", "USD", every="week")
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
    assert _finding(charts.cohort_heatmap(money, measure, "USD")) == finding


def test_what_was_not_observed_is_blank_and_never_nothing(cohorts):
    figure = charts.cohort_heatmap(cohorts, "retention", "USD")
    assert [(row["cohort"], row["age"], row["value"]) for row in _rows(figure)] == [
        ("2024-01", 0, 0.3), ("2024-01", 1, 0.2), ("2024-02", 0, 0.25), ("2024-02", 1, 0.1),
    ]  # fmt: skip


def test_cells_that_hold_a_part_of_their_cohort_are_framed(cohorts):
    marks = charts.cohort_heatmap(cohorts, "retention", "USD").to_dict()["layer"]
    framed = [mark for mark in marks if "strokeDash" in mark["mark"]]
    assert [mark["transform"] for mark in framed] == [[{"filter": "!datum.complete"}]]


def test_cohorts_come_in_the_order_of_the_table_even_where_they_have_no_cell(cohorts):
    late = cohorts.with_columns(value=pl.when(pl.col("cohort") == "2024-01").then("value"))
    encoding = charts.cohort_heatmap(late, "retention", "USD").to_dict()["layer"][0]["encoding"]
    assert encoding["y"]["scale"]["domain"] == ["2024-01", "2024-02"]


def test_the_tooltip_tells_over_how_many_customers_a_value_is_taken(cohorts):
    tooltip = charts.cohort_heatmap(cohorts, "retention", "USD").to_dict()["layer"][0]["encoding"]["tooltip"]
    assert {"field": "at_risk", "format": ",d", "title": "Customers watched so long", "type": "quantitative"} in tooltip


def test_the_last_value_of_each_cohort_is_read_aloud(cohorts):
    assert (
        charts.cohort_heatmap(cohorts, "retention", "USD")
        .to_dict()["description"]
        .endswith(
            f"2024-01 at age 1: 20.0{NBSP}%, 400 of 400 customers; 2024-02 at age 1: 10.0{NBSP}%, 90 of 600 customers."
        )
    )


def test_curves_end_at_the_end_of_each_step_and_name_the_ends_of_their_range(cohorts):
    figure = charts.cohort_curves(cohorts, "cumulative_revenue", "USD")
    assert [row["day"] for row in _rows(figure)] == [30, 60, 30, 60]
    assert _finding(figure) == (
        f"After 60 days, a customer has brought USD{NBSP}50.0 (2024-02) to USD{NBSP}52.7 (2024-01) of revenue"
    )


def test_one_curve_alone_has_its_interval_in_the_title(cohorts):
    figure = charts.cohort_curves(_at(cohorts, cohort="2024-01"), "cumulative_revenue", "USD")
    assert _finding(figure) == f"After 60 days, a customer has brought USD{NBSP}52.7 of revenue (50.0 to 55.0)"


def test_of_many_cohorts_those_of_the_most_customers_are_drawn_and_the_subtitle_says_so(cohorts):
    one = _at(cohorts, cohort="2024-01", measure="cumulative_revenue")
    many = pl.concat(
        one.with_columns(cohort=pl.lit(f"c{n}"), customers=pl.lit(100 + n, dtype=pl.Int64)) for n in range(9)
    )
    figure = charts.cohort_curves(many, "cumulative_revenue", "USD")
    assert {row["cohort"] for row in _rows(figure)} == {"c3", "c4", "c5", "c6", "c7", "c8"}
    assert "The six cohorts with the most customers, of 9." in figure.to_dict()["description"]


def test_without_a_value_the_title_says_why(cohorts):
    young = cohorts.with_columns(pl.col("value", "low", "high") * None)
    assert _finding(charts.cohort_heatmap(young, "retention", "USD")) == (
        "Too few customers have been watched for long enough"
    )
    assert _finding(charts.cohort_curves(young, "cumulative_revenue", "USD")) == (
        "Too few customers have been watched for long enough"
    )


def test_what_cannot_be_drawn_is_refused(cohorts):
    with pytest.raises(TableError, match="COHORTS: no column 'at_risk'"):
        charts.cohort_heatmap(cohorts.drop("at_risk"), "retention", "USD")
    with pytest.raises(TableError, match="COHORTS: no measure 'retenton'; did you mean 'retention'"):
        charts.cohort_heatmap(cohorts, "retenton", "USD")
    with pytest.raises(TableError, match="COHORTS: 'retention' is not cumulative; draw it with cohort_heatmap"):
        charts.cohort_curves(cohorts, "retention", "USD")
