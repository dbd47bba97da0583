"""Exhibits write numbers as the locale does; their words and the numbers of their twins are the same everywhere."""

from __future__ import annotations

import re
from html import unescape

import polars as pl
import pytest

from cxsim.reporting.business.decision import decision_box
from cxsim.reporting.business.returns import returns_table
from cxsim.reporting.business.statement import statement_table
from cxsim.reporting.register import assumptions_table
from cxsim.reporting.tables import as_written, in_unit, span
from cxsim.reporting.theme import enable
from cxsim.study.business.contracts import DECISION
from cxsim.tables import empty
from cxsim.wording import written_as

NBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def _cells(table) -> list[str]:
    """Return the text of each cell, without the style sheet."""
    markup = re.sub(r"<style>.*?</style>", "", table.html(), flags=re.DOTALL)
    return [text for text in (unescape(part).strip() for part in re.split(r"<[^>]*>", markup)) if text]


def test_a_small_table_is_written_the_german_way(returns):
    with written_as("de"):
        cells = _cells(returns_table(returns.head(1), "USD"))
    # 121,340 and 41,234.5 to three digits, with errors of 1,210 and of 0.4 months.
    assert cells[3 : 3 + 12] == [
        "Decision", "Fund",
        "Outlay, USD", "121.000",
        "Net present value, USD", "41.200 ± 1.210",
        f"Net present value, 90{NBSP}% interval", "8.100 to 92.400",
        "Chance of a gain", f"97{NBSP}% ± 1",
        "Return on outlay", f"34{NBSP}% ± 1",
    ]  # fmt: skip
    assert "14 ± 0,4" in cells


def test_a_decision_is_written_the_german_way():
    row = {
        "strategy": "coupon", "title": "Win-back coupon", "decision": "reject", "rule": "Reject below 25 %.",
        "outlay": 18_750.0, "npv": -9_480.0, "npv_mc_error": 190.0, "low_80": -13_000.0, "high_80": -4_000.0,
        "low": -15_020.0, "high": -2_950.0, "prob_npv_positive": 0.0, "prob_mc_error": 0.034, "roi": -0.51,
        "customers": 20_000, "draws": 400,
    }  # fmt: skip
    table = pl.DataFrame([row], schema=empty(DECISION).schema)
    with written_as("de"):
        alt_text = decision_box(table, "USD").text
    # Three digits of the largest, 15,020, leave hundreds: 9,480 is 9,500 and 2,950, half way, the even 3,000.
    assert f"Spend: 18.800{NBSP}USD" in alt_text
    assert f"Net present value: {MINUS}9.500 ± 190{NBSP}USD" in alt_text
    assert f"90{NBSP}% interval: {MINUS}15.000 to {MINUS}3.000{NBSP}USD" in alt_text
    assert f"± 3,4{NBSP}pp" in alt_text
    assert "for the same 20.000 customers" in alt_text


@pytest.mark.parametrize("locale", ["de", "fr", "ch"])
def test_a_twin_is_the_same_in_every_locale(returns, totals, assumptions, locale):
    def made():
        return [
            returns_table(returns, "USD"),
            statement_table(totals, "USD"),
            assumptions_table(assumptions, "USD"),
        ]

    english = made()
    with written_as(locale):
        local = made()
        assert [table.machine()["rows"] for table in local] == [table.machine()["rows"] for table in english]
        assert all(one.html() != other.html() for one, other in zip(local, english, strict=True))


def test_a_title_is_the_same_in_the_twin_and_on_the_page(returns):
    dear = returns.head(1).with_columns(roi=12.34)
    with written_as("de"):
        table = returns_table(dear, "USD")
    assert _cells(table)[0] == f"Free delivery returns most on its outlay: 1.234{NBSP}% on average"
    assert table.machine()["title"] == _cells(table)[0]


def test_what_a_session_chose_with_its_charts_holds_for_its_tables(returns):
    try:
        enable(locale="ch")
        cells = _cells(returns_table(returns.head(1), "USD"))
    finally:
        enable()
    assert "121\N{RIGHT SINGLE QUOTATION MARK}000" in cells
    assert "121,000" in _cells(returns_table(returns.head(1), "USD"))


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", f"USD{NBSP}1,500.25 per month"),
        ("de", f"1.500,25{NBSP}USD per month"),
        ("fr", f"1\N{NARROW NO-BREAK SPACE}500,25{NBSP}USD per month"),
        ("ch", f"USD{NBSP}1\N{RIGHT SINGLE QUOTATION MARK}500.25 per month"),
    ],
)
def test_a_price_stands_before_or_after_its_currency_and_before_what_it_is_paid_for(locale, written):
    with written_as(locale):
        assert in_unit(1_500.25, "money per month", "USD") == written


def test_a_share_and_a_range_are_written_the_german_way():
    with written_as("de"):
        assert as_written(0.155, "share") == f"15,5{NBSP}%"
        assert span(0.125, 0.18, "share") == f"12,5 to 18{NBSP}%"
        assert as_written(-1_234.5, "ratio") == f"{MINUS}1.234"


# A bill in dinars has thousandths; one in yen has none, and what is finer than a yen is written to four digits.
@pytest.mark.parametrize(
    ("currency", "half", "written"),
    [("USD", 0.5, "0.50"), ("KWD", 0.5, "0.500"), ("JPY", 0.5, "0.5"), ("", 0.5, "0.50")],
)
def test_a_bill_has_the_decimals_of_its_currency(currency, half, written):
    assert as_written(half, "money per order", currency=currency) == written
