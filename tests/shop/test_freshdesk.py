"""Freshdesk: times from moments, business hours aside, ratings in words."""

# ruff: noqa: DTZ001 (a shop's clock has no zone)
from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from cxsim.data.exports.format import Export, Policy
from cxsim.data.exports.helpdesks import FRESHDESK
from cxsim.data.exports.read_shop import recognised


def ticket(number="1", **cells):
    row = {
        "Ticket ID": number,
        "Status": "Resolved",
        "Source": "Email",
        "Created time": "2024-03-01 09:00:00",
        "Resolved time": "2024-03-01 19:00:00",
        "Closed time": "",
        "Last update time": "2024-03-02 09:00:00",
        "Initial response time": "2024-03-01 10:00:00",
        "First response time (in hrs)": "00:15:00",
        "Resolution time (in hrs)": "",
        "Agent interactions": "1",
        "Survey results": "",
        "Email": "Ana@Example.com",
    }
    return row | {name.replace("_", " "): cell for name, cell in cells.items()}


def read(*rows):
    return FRESHDESK.read(Export(file="tickets.csv", rows=pl.LazyFrame(list(rows))), Policy())


def test_times_come_from_the_moments_and_not_from_business_hours():
    readout = read(ticket())
    (row,) = readout.tables["tickets"].collect().iter_rows(named=True)
    # An hour on the calendar; a quarter of one in business hours.
    assert row["first_response_at"] == datetime(2024, 3, 1, 10)
    assert row["resolved_at"] == datetime(2024, 3, 1, 19)
    assert any("(in hrs) count business hours and are not used" in text for _, text in readout.receipts[0].facts)


def test_the_case_of_the_header_does_not_matter():
    rows = [{name.title(): cell for name, cell in ticket().items()}]
    assert recognised(list(rows[0])) is FRESHDESK
    assert read(*rows).tables["tickets"].collect()["customer_id"].to_list() == ["ana@example.com"]


def test_blank_moments_mean_that_a_ticket_waits():
    found = read(ticket(Status="Open", Resolved_time="", Initial_response_time=""), ticket("2")).tables["tickets"]
    assert found.select("first_response_at", "resolved_at").collect().row(0) == (None, None)


def test_a_ticket_that_was_closed_without_being_resolved_ended_then():
    found = read(ticket(Resolved_time="", Closed_time="2024-03-01 20:00:00")).tables["tickets"].collect()
    assert found["resolved_at"].to_list() == [datetime(2024, 3, 1, 20)]


def test_reopenings_are_lacking_and_with_them_what_was_solved_at_first():
    readout = read(ticket())
    assert "solved_at_first" not in readout.tables["tickets"].collect_schema()
    assert "how often a ticket was opened again" in readout.lacks["tickets.solved_at_first"]


@pytest.mark.parametrize(("words", "score"), [("Extremely Happy", 1), ("Neutral", 0), ("unhappy", 0)])
def test_ratings_in_words_are_good_or_not(words, score):
    found = read(ticket(Survey_results=words)).tables["surveys"].collect()
    assert found.select("instrument", "score").row(0) == ("csat_good", score)


def test_tickets_without_the_fields_of_the_contact_name_nobody():
    row = ticket()
    del row["Email"]
    readout = read(row)
    assert readout.tables["tickets"].collect()["customer_id"].null_count() == 1
    assert "neither the e-mail nor the number" in readout.lacks["tickets.customer_id"]


def test_the_receipts_add_up():
    readout = read(ticket("1", Survey_results="Happy"), ticket("1"), ticket("2", Status="Spam"), ticket("3"))
    kept = {receipt.table: receipt.rows_kept for receipt in readout.receipts}
    # Of four rows one is spam and one a further row of ticket 1, which is the one of the two that was written later.
    assert kept == {"tickets": 2} | {name: readout.tables[name].collect().height for name in kept if name != "tickets"}
