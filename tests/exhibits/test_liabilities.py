"""What is owed to customers is rolled forward line by line, in both views, in words that a finance reader knows."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.investment import liabilities_table
from cxsim.study.business.liabilities import LIABILITIES
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"


def _account(strategy, title, kind, **columns):
    """Return the rows of two years and their total."""
    nothing = dict.fromkeys(LIABILITIES.columns, (0.0, 0.0, 0.0))
    numbers = {**nothing, **columns}
    return [
        {name: numbers[name][place] for name in LIABILITIES.columns}
        | {"strategy": strategy, "title": title, "kind": kind, "period": period}
        for place, period in enumerate(("Year 1", "Year 2", "Total"))
    ]


@pytest.fixture
def points():
    """Points with markup in the title: 24.00 owed at the end of year 1, 8.00 at the end."""
    return _account(
        "points",
        "Points <b>",
        "points",
        opening=(0.0, 24.0, 0.0),
        issued=(40.0, 0.0, 40.0),
        redeemed=(16.0, 8.0, 24.0),
        expired=(0.0, 8.0, 8.0),
        closing=(24.0, 8.0, 8.0),
        points_issued=(1_000.0, 0.0, 1_000.0),
        points_outstanding=(600.0, 200.0, 200.0),
        contract_opening=(0.0, 15.42, 0.0),
        contract_deferred=(29.13, 0.0, 29.13),
        contract_recognised=(13.71, 9.59, 23.30),
        contract_closing=(15.42, 5.83, 5.83),
        cash_revenue=(900.0, 0.0, 900.0),
        accrual_revenue=(884.58, 9.59, 894.17),
    )


@pytest.fixture
def fees():
    """A fee of 36.50, of which 1.55 is still to be earned in the second year."""
    return _account(
        "membership",
        "Membership",
        "fees",
        points_issued=(None, None, None),
        points_redeemed=(None, None, None),
        points_expired=(None, None, None),
        points_outstanding=(None, None, None),
        issued=(36.50, 0.0, 36.50),
        redeemed=(34.95, 1.55, 36.50),
        closing=(1.55, 0.0, 0.0),
        contract_opening=(0.0, 1.55, 0.0),
        contract_deferred=(36.50, 0.0, 36.50),
        contract_recognised=(34.95, 1.55, 36.50),
        contract_closing=(1.55, 0.0, 0.0),
        cash_revenue=(36.50, 0.0, 36.50),
        accrual_revenue=(34.95, 1.55, 36.50),
    )


def _table(*accounts):
    return pl.DataFrame([row for account in accounts for row in account], schema=empty(LIABILITIES).schema)


def _rows(html):
    """Return the cells of each row by its line; the last where two groups have the same line."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL):
        line = re.search(r"<th[^>]*>([^<]*)</th>", row)
        if line:
            found[line.group(1)] = re.findall(r"<td[^>]*>(.*?)</td>", row)
    return found


def test_points_roll_forward_with_what_leaves_below_zero(points):
    rows = _rows(liabilities_table(_table(points), "USD").html())
    assert rows["Points at full worth, at the beginning"] == ["0.00", "24.00", "0.00"]
    assert rows["Given"] == ["40.00", "0.00", "40.00"]
    assert rows["Redeemed"] == ["−16.00", "−8.00", "−24.00"]
    assert rows["Lapsed"] == ["0.00", "−8.00", "−8.00"]
    assert rows["Points at full worth, at the end"] == ["24.00", "8.00", "8.00"]
    assert rows["Recognised as revenue"] == ["−13.71", "−9.59", "−23.30"]
    assert rows["Contract liability, at the end"] == ["15.42", "5.83", "5.83"]


def test_revenue_stands_in_both_views_one_below_the_other(points):
    rows = _rows(liabilities_table(_table(points), "USD").html())
    assert list(rows)[-2:] == ["Paid by members for orders, less refunds: cash view", "Their revenue: accrual view"]
    assert list(rows.values())[-2:] == [["900.00", "0.00", "900.00"], ["884.58", "9.59", "894.17"]]


def test_fees_have_no_points_and_one_balance(points, fees):
    html = liabilities_table(_table(fees), "USD").html()
    assert "oints" not in html
    assert "Breakage" not in html
    assert _rows(html)["Earned as time passes"] == ["−34.95", "−1.55", "−36.50"]
    both = liabilities_table(_table(points, fees), "USD").html()
    assert "Membership: fees paid in advance" in both
    assert "Breakage: points that are never redeemed" in both
    assert "Fees become revenue evenly" in both


def test_every_word_of_accounting_is_explained_below(points):
    html = liabilities_table(_table(points), "USD").html()
    for term in ("Contract liability: ", "Breakage: ", "Deferred: ", "Points at full worth: ", "Both views "):
        assert f">{term}" in html


def test_the_title_says_what_is_owed_at_the_end(points, fees):
    assert liabilities_table(_table(points), "USD").title == (
        f"At the end the shop owes its customers, by IFRS 15, USD{NBSP}5.83 with Points <b>; USD{NBSP}8.00 if every "
        "point were redeemed"
    )
    assert liabilities_table(_table(points, fees), "USD").title == (
        f"At the end the shop owes its customers, by IFRS 15, USD{NBSP}5.83 with Points <b> and USD{NBSP}0 with "
        "Membership"
    )


def test_points_and_fees_of_one_combination_are_added_up_in_the_title(points, fees):
    together = [row | {"strategy": "both", "title": "Both"} for row in (*points, *fees)]
    fees_owed = [row | {"contract_closing": 1.55} for row in together[3:]]
    title = liabilities_table(_table(together[:3], fees_owed), "USD").title
    # 5.83 of points and 1.55 of fees.
    assert f"USD{NBSP}7.38 with Both" in title


def test_of_many_strategies_the_title_names_the_one_that_owes_most(fees):
    many = [
        [row | {"strategy": f"s{number}", "title": f"Number {number}", "contract_closing": owed} for row in fees]
        for number, owed in enumerate((1.0, 7.0, 3.0, 2.0))
    ]
    assert liabilities_table(_table(*many), "EUR").title == (
        f"At the end the shop owes its customers most, by IFRS 15, EUR{NBSP}7.00 with Number 1"
    )


def test_titles_are_text_and_no_markup(points):
    html = liabilities_table(_table(points), "USD").html()
    assert "Points &lt;b&gt;: points" in html
    assert "<b>" not in html


def test_balances_are_in_bold(points):
    html = liabilities_table(_table(points), "USD").html()
    bold = re.findall(r'<th style="font-weight: bold;"[^>]*>([^<]*)</th>', html)
    assert bold == [
        "Points at full worth, at the end", "Contract liability, at the end", "Their revenue: accrual view",
    ]  # fmt: skip


def test_where_nothing_is_owed_a_sentence_says_why():
    said = liabilities_table(empty(LIABILITIES), "USD")
    assert said.text == (
        "No strategy here gives points or takes a fee in advance: it leaves the shop no debt to its customers, and "
        "revenue is the same by the cash view and by the accrual view."
    )


def test_the_twin_keeps_the_numbers(points, fees):
    table = _table(points, fees)
    assert liabilities_table(table, "USD").twin.equals(table)


def test_another_table_is_refused(points):
    with pytest.raises(TableError, match=r"^LIABILITIES: no column 'closing'"):
        liabilities_table(_table(points).drop("closing"), "USD")
