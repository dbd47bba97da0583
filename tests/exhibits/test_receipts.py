"""Receipts add up: every row of every file is read, and kept, merged or dropped for a reason."""

from __future__ import annotations

import re

import pytest

from cxsim.data.shop import Policy, Receipt, ReceiptLine
from cxsim.reporting.shop.dashboard import receipts_table


@pytest.fixture
def receipts():
    """Twelve lines of ten orders, two of which are set aside; a clean file of tickets whose name holds markup."""
    return (
        Receipt(
            file="orders.csv",
            table="orders",
            recognised="Shopify orders",
            columns=(79, 79),
            rows_read=1_012,
            lines=(
                ReceiptLine(reason="further lines of an order", action="merged", rows=1_002),
                ReceiptLine(reason="test order", action="dropped", rows=1),
                ReceiptLine(reason="cancelled", action="dropped", rows=1),
                ReceiptLine(reason="no e-mail", action="kept", rows=2),
                ReceiptLine(reason="twice", action="dropped", rows=0),
            ),
            facts=(("currency", "<USD>"),),
        ),
        Receipt(file="<b>.csv", table="tickets", recognised="Tickets", columns=(4, 9), rows_read=3),
    )


def _cells(html):
    rows = re.findall(r"<tr>\s*<th[^>]*gt_stub[^>]*>(.*?)</th>(.*?)</tr>", html, flags=re.DOTALL)
    return [(name, *re.findall(r"<td[^>]*>(.*?)</td>", rest)) for name, rest in rows]


def test_each_file_begins_with_what_was_read_and_ends_with_what_was_kept(receipts):
    # 1,012 − 1,002 − 1 − 1 = 8; what was kept all the same is not taken off.
    assert _cells(receipts_table(receipts, Policy()).html()) == [
        ("rows of the file", "read", "1,012"),
        ("further lines of an order", "merged", "1,002"),
        ("test order", "dropped", "1"),
        ("cancelled", "dropped", "1"),
        ("no e-mail", "kept", "2"),
        ("rows of orders", "kept in all", "8"),
        ("rows of the file", "read", "3"),
        ("rows of tickets", "kept in all", "3"),
    ]


def test_names_of_files_and_facts_are_shown_and_not_obeyed(receipts):
    html = receipts_table(receipts, Policy()).html()
    assert "&lt;b&gt;.csv as Tickets (4 of 9 columns): tickets" in html
    assert "orders.csv, currency: &lt;USD&gt;" in html
    assert "<b>" not in html


def test_the_policy_is_a_note(receipts):
    assert Policy().sentence() in receipts_table(receipts, Policy()).html()


def test_the_title_counts_files_and_dropped_rows(receipts):
    assert receipts_table(receipts, Policy()).title == (
        "Two files were read, and 2 rows were dropped, each for a reason"
    )
    assert receipts_table(receipts[1:], Policy()).title == "One file was read, and no row was dropped"


def test_a_file_that_fills_two_tables_is_one_file(receipts):
    twice = (receipts[1], Receipt(file="<b>.csv", table="surveys", recognised="Tickets", columns=(4, 9), rows_read=3))
    assert receipts_table(twice, Policy()).title.startswith("One file was read")


def test_without_files_it_is_said_that_the_tables_are_simulated():
    alt_text = str(receipts_table((), Policy()))
    assert alt_text.startswith("No file was read: these tables are simulated")
    assert alt_text.endswith(Policy().sentence())


def test_the_twin_has_one_row_for_every_count(receipts):
    twin = receipts_table(receipts, Policy()).twin
    assert twin.filter(file="orders.csv", action="dropped")["rows"].to_list() == [1, 1]
