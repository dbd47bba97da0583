"""Visits: from events of Google Analytics, from a table of sessions, and beside orders."""

# ruff: noqa: DTZ001 (a shop's clock has no zone)
from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from cxsim.data.exports.format import Export, Policy
from cxsim.data.exports.read_shop import read_shop
from cxsim.data.exports.sessions import GA4_EVENTS, sessions_against_orders
from cxsim.errors import DataError

# 2024-03-01 00:00 in microseconds of universal time: 19,783 days after 1970-01-01.
MIDNIGHT = 19_783 * 86_400 * 1_000_000
MINUTE = 60_000_000
COLUMNS = ("event_timestamp", "event_name", "user_pseudo_id", "user_id", "ga_session_id", "transaction_id", "source")


def event(minute, name="page_view", visitor="v", session="1", user="", transaction="", source=""):
    return (str(MIDNIGHT + minute * MINUTE), name, visitor, user, session, transaction, source)


def read(*events):
    rows = pl.LazyFrame(list(events), schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return GA4_EVENTS.read(Export(file="events.csv", rows=rows), Policy())


def sessions(readout):
    return readout.tables["sessions"].collect().sort("session_id")


def line(readout, reason):
    return sum(one.rows for one in readout.receipts[0].lines if reason in one.reason)


def facts(readout):
    return dict(readout.receipts[0].facts)


def test_a_session_is_a_visitor_with_a_number_and_begins_with_its_first_event():
    found = sessions(read(event(9), event(5), event(7, visitor="w"), event(20, session="2")))
    assert found["session_id"].to_list() == ["v.1", "v.2", "w.1"]
    assert found["started_at"].to_list() == [datetime(2024, 3, 1, 0, minute) for minute in (5, 20, 7)]


def test_an_order_belongs_to_the_session_in_which_it_was_sentence_of_first():
    readout = read(
        event(1, "purchase", transaction="A"),
        event(2, "purchase", transaction="A"),
        event(90, "purchase", session="2", transaction="A"),
    )
    assert sessions(readout)["order_id"].to_list() == ["A", None]
    assert facts(readout)["purchases"] == "3: 0 name no transaction, 2 tell of one again"


def test_purchases_without_a_transaction_are_counted_and_are_no_orders():
    readout = read(event(1, "purchase"), event(2, "purchase", transaction="(not set)"))
    assert sessions(readout)["order_id"].to_list() == [None]
    assert facts(readout)["purchases"] == "2: 2 name no transaction, 0 tell of one again"


def test_a_transaction_of_another_event_is_no_order():
    assert sessions(read(event(1, "refund", transaction="A")))["order_id"].to_list() == [None]


def test_a_session_shows_the_first_of_its_orders_and_the_others_are_counted():
    readout = read(event(2, "purchase", transaction="A"), event(1, "purchase", transaction="B"))
    assert sessions(readout)["order_id"].to_list() == ["B"]
    assert facts(readout)["further orders of a session"].startswith("1;")


def test_events_without_visitor_or_session_are_dropped_and_counted():
    readout = read(event(1), event(2, visitor=""), event(3, session=""))
    assert sessions(readout).height == 1
    assert (line(readout, "no visitor"), line(readout, "no session")) == (1, 1)


def test_the_receipt_adds_up():
    readout = read(event(1), event(2), event(3, visitor=""), event(4, session="2"))
    # Four events: one without a visitor, one a further event of a session, two sessions.
    assert readout.receipts[0].rows_read == 4
    assert readout.receipts[0].rows_kept == sessions(readout).height == 2


def test_the_customer_is_known_from_any_event_and_the_source_from_the_first_that_has_one():
    found = sessions(read(event(1), event(3, source="mail"), event(2, user="Ana@Example.com", source="search")))
    assert found.select("customer_id", "source", "visitor_id").row(0) == ("ana@example.com", "search", "v")


def test_events_that_name_no_customer_lack_them_and_say_that_their_clock_is_universal():
    readout = read(event(1))
    assert readout.lacks["sessions.customer_id"] == "events.csv names no user_id."
    assert "universal time" in facts(readout)["clock"]


def test_moments_that_a_spreadsheet_has_rounded_are_refused():
    with pytest.raises(DataError, match=r"event_timestamp has '1.70925E\+15'; it must be whole microseconds"):
        read(("1.70925E+15", "page_view", "v", "", "1", "", ""))


def test_a_parquet_file_with_numbers_gives_the_same(tmp_path):
    frame = pl.DataFrame(
        {
            "event_timestamp": [MIDNIGHT],
            "event_name": ["purchase"],
            "user_pseudo_id": ["v"],
            "ga_session_id": [1],
            "transaction_id": ["A"],
        }
    )
    frame.write_parquet(tmp_path / "events.parquet")
    shop = read_shop(tmp_path / "events.parquet")
    assert shop.sessions.select("session_id", "order_id").collect().row(0) == ("v.1", "A")


def test_a_table_of_sessions_is_read_under_the_names_of_analytics(text_file):
    text = (
        "session_id,user_pseudo_id,started_at,source,transaction_id\n"
        "s1,v,2024-03-01 10:00,mail,A\n"
        "s1,v,2024-03-01 09:00,mail,\n"
        ",v,2024-03-01 09:00,mail,\n"
        "s2,v,soon,mail,\n"
    )
    shop = read_shop(text_file(text))
    row = shop.sessions.select("session_id", "visitor_id", "started_at", "source", "order_id").collect().row(0)
    # Of two rows of a session the earlier one.
    assert row == ("s1", "v", datetime(2024, 3, 1, 9), "mail", None)
    assert shop.receipts[0].rows_kept == shop.sessions.collect().height == 1
    assert shop.missing("sessions.customer_id") == "file.csv has no column 'customer_id'."


def test_orders_before_the_first_session_are_counted_and_no_error():
    seen = pl.LazyFrame({"order_id": ["B", "X", None], "started_at": [datetime(2024, 3, day) for day in (3, 4, 2)]})
    orders = pl.LazyFrame({"order_id": ["A", "B", "C"], "ordered_at": [datetime(2024, 3, day) for day in (1, 3, 5)]})
    assert sessions_against_orders(seen, orders) == (
        ("orders before the first session", "1 of 3"),
        ("later orders that belong to a session", "1 of 2"),
        ("orders of sessions that are not among the orders", "1"),
    )
