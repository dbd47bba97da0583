"""The statement adds months up to years and to a total, line by line."""

from __future__ import annotations

import re

import polars as pl

from cxsim import exhibits


def _line(table, line):
    return table.twin.filter(strategy="points_programme", line=line).row(0, named=True)


def test_the_years_add_up_to_the_total(statement):
    sales = _line(exhibits.statement_table(statement, "USD"), "gross sales")
    assert (sales["year_1"], sales["year_2"], sales["difference"]) == (60_000.0, 10_000.0, 70_000.0)


def test_the_total_is_treated_less_baseline(statement):
    for row in exhibits.statement_table(statement, "USD").twin.rows(named=True):
        assert row["treated"] - row["baseline"] == row["difference"]


def test_a_short_last_year_says_how_long_it_is(statement):
    assert "Year 2 (2 months)" in exhibits.statement_table(statement, "USD").html()


def test_a_horizon_within_a_year_has_a_total_only(statement):
    half = statement.filter(pl.col("month") < 6)
    assert "Year" not in exhibits.statement_table(half, "USD").html()


def test_the_years_do_not_depend_on_where_counting_starts(statement):
    later = statement.with_columns(month=pl.col("month") + 1)
    assert exhibits.statement_table(later, "USD").twin.equals(exhibits.statement_table(statement, "USD").twin)


def test_accounts_without_an_entry_are_left_out(statement):
    lines = set(exhibits.statement_table(statement, "USD").twin["line"])
    assert not {"support", "acquisition"} & lines


def test_a_subtotal_stays_even_if_it_is_zero(statement):
    nothing = statement.with_columns(pl.lit(0.0).alias(name) for name in ("baseline", "treated", "incremental"))
    assert set(exhibits.statement_table(nothing, "USD").twin["line"]) == {
        "net revenue",
        "contribution margin 1",
        "contribution margin 2",
        "contribution margin 3",
        "cash contribution",
    }


def test_subtotals_and_nothing_else_are_bold(statement):
    html = exhibits.statement_table(statement, "USD").html()
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>(.*?)</th>', html)
    assert bold[:2] == ["Net revenue", "Contribution margin 1"]
    assert len(bold) == 5 * 2


def test_costs_have_a_real_minus_and_thousands_a_separator(statement):
    html = exhibits.statement_table(statement, "USD").html()
    assert ">−30,000<" in html
    assert ">-" not in html


def test_the_interval_of_the_cash_stands_in_the_monthly_statement(statement):
    twin = exhibits.monthly_statement(statement, "USD").twin
    first = twin.row(0, named=True)
    assert (first["cash contribution"], first["low"], first["high"]) == (750.0, 650.0, 850.0)
    assert twin.height == 2 * 14
