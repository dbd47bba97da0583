"""The statement shows the ladder of each strategy by year and in total, with the interval of the total."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.statement import statement_table


def test_years_total_and_interval_stand_side_by_side(totals):
    html = statement_table(totals, "USD").html()
    row = re.search(r"Gross sales</th>(.*?)</tr>", html, flags=re.DOTALL)
    cells = re.findall(r">([^<>]+)</td>", row[1])
    assert cells == ["700,000", "770,000", "60,000", "10,000", "70,000", "69,000", "71,000"]


def test_a_short_last_year_says_how_long_it_is(totals):
    assert "Year 2 (2 months)" in statement_table(totals, "USD").html()


def test_a_horizon_within_a_year_has_a_total_only(totals):
    assert "Year" not in statement_table(totals.filter(period="Total"), "USD").html()


def test_the_title_says_which_strategies_bring_cash(totals):
    sign = pl.when(pl.col("strategy") == "points_programme").then(-1.0).otherwise(1.0)
    mixed = totals.with_columns(incremental=pl.col("incremental") * sign)
    found = statement_table(mixed, "USD").title
    assert found == "On average Free delivery brings more cash than doing nothing; Points programme does not"


def test_the_title_says_so_when_none_does(totals):
    none = totals.with_columns(incremental=-pl.col("incremental").abs())
    assert statement_table(none, "USD").title == "On average no strategy brings more cash than it costs"


def test_accounts_without_an_entry_are_left_out(totals):
    html = statement_table(totals, "USD").html()
    assert "Support" not in html
    assert "Acquisition" not in html


def test_a_subtotal_stays_even_if_it_is_zero(totals):
    nothing = totals.with_columns(pl.lit(0.0).alias(name) for name in ("baseline", "treated", "incremental"))
    html = statement_table(nothing, "USD").html()
    assert html.count("Contribution margin 2") == 2
    assert "Gross sales" not in html


def test_subtotals_and_nothing_else_are_bold(totals):
    html = statement_table(totals, "USD").html()
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>(.*?)</th>', html)
    assert bold[:2] == ["Net revenue", "Contribution margin 1"]
    assert len(bold) == 5 * 2


def test_costs_have_a_real_minus_and_thousands_a_separator(totals):
    html = statement_table(totals, "USD").html()
    assert ">−30,000<" in html
    assert ">-" not in html


def test_the_twin_holds_every_period_with_its_interval(totals):
    twin = statement_table(totals, "USD").twin
    assert twin.select(totals.columns).equals(totals)


def test_a_table_by_month_is_not_taken_for_totals(statement):
    with pytest.raises(TableError, match="no column 'period'"):
        statement_table(statement, "USD")
