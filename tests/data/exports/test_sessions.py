"""Visits: sessions of Google Analytics' events and of tables of one's own, and how they fit the orders."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from cxsim.data.exports.read_shop import read_shop
from cxsim.data.exports.sessions import sessions_against_orders
from cxsim.errors import DataError
from tests.data.samples import read_as

# 2024-03-01 00:00 in microseconds of universal time: 19,783 days after 1970-01-01.
MIDNIGHT = 19_783 * 86_400 * 1_000_000
MINUTE = 60_000_000
EVENT_COLUMNS = (
    *("event_timestamp", "event_name", "user_pseudo_id", "user_id", "ga_session_id", "transaction_id", "source"),
)


def event(minute, name="page_view", visitor="v", session="1", user="", transaction="", source=""):
    return (str(MIDNIGHT + minute * MINUTE), name, visitor, user, session, transaction, source)


def read_events(*events):
    rows = pl.LazyFrame(list(events), schema=dict.fromkeys(EVENT_COLUMNS, pl.String), orient="row")
    return read_as("Google Analytics 4 events", rows, "events.csv")


def sessions(readout):
    return readout.tables["sessions"].collect().sort("session_id")


def line(readout, reason):
    return sum(one.rows for one in readout.receipts[0].lines if reason in one.reason)


def facts(readout):
    return dict(readout.receipts[0].facts)


def test_a_session_is_a_visitor_with_a_number_and_begins_with_its_first_event():
    found = sessions(read_events(event(9), event(5), event(7, visitor="w"), event(20, session="2")))
    assert found["session_id"].to_list() == ["v.1", "v.2", "w.1"]
    assert found["started_at"].to_list() == [datetime(2024, 3, 1, 0, minute) for minute in (5, 20, 7)]


def bought(minute, transaction="", **more):
    return event(minute, "purchase", transaction=transaction, **more)


@pytest.mark.parametrize(
    ("events", "orders", "purchases", "further"),
    [
        # An order belongs to the session in which it was named first.
        (
            [bought(1, "A"), bought(2, "A"), bought(90, "A", session="2")],
            ["A", None],
            "3: 0 without a transaction, 2",
            "0;",
        ),
        ([bought(1), bought(2, "(not set)")], [None], "2: 2 without a transaction, 0", "0;"),
        ([event(1, "refund", transaction="A")], [None], "0: 0 without a transaction, 0", "0;"),
        # A session shows the first of its orders.
        ([bought(2, "A"), bought(1, "B")], ["B"], "2: 0 without a transaction, 0", "1;"),
    ],
)
def test_purchases_that_name_a_transaction_are_orders_of_their_sessions(events, orders, purchases, further):
    readout = read_events(*events)
    assert sessions(readout)["order_id"].to_list() == orders
    assert facts(readout)["purchases"] == f"{purchases} repeated"
    assert facts(readout)["further orders of a session"].startswith(further)


def test_events_without_visitor_or_session_are_dropped_and_the_receipt_adds_up():
    readout = read_events(event(1), event(2), event(3, visitor=""), event(4, session="2"), event(5, session=""))
    # Five events: one without a visitor, one without a session, one a further event of a session, two sessions.
    assert (line(readout, "no visitor"), line(readout, "no session")) == (1, 1)
    assert (readout.receipts[0].rows_read, readout.receipts[0].rows_kept) == (5, sessions(readout).height) == (5, 2)


def test_the_customer_is_known_from_any_event_and_the_source_from_the_first_that_has_one():
    found = sessions(read_events(event(1), event(3, source="mail"), event(2, user="Ana@Example.com", source="search")))
    assert found.select("customer_id", "source", "visitor_id").row(0) == ("ana@example.com", "search", "v")
    unknown = read_events(event(1))
    assert unknown.lacks["sessions.customer_id"] == "events.csv has no user_id."
    assert "universal time" in facts(unknown)["clock"]


def test_moments_that_a_spreadsheet_has_rounded_are_refused():
    with pytest.raises(DataError, match=r"event_timestamp has '1.70925E\+15'; it must be whole microseconds"):
        read_events(("1.70925E+15", "page_view", "v", "", "1", "", ""))


def test_a_parquet_file_with_numbers_gives_the_same(tmp_path):
    columns = ("event_timestamp", "event_name", "user_pseudo_id", "ga_session_id", "transaction_id")
    frame = pl.DataFrame([(MIDNIGHT, "purchase", "v", 1, "A")], columns, orient="row")
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
    with pytest.raises(DataError, match=r"'started_at': 1 of 4 cells cannot be read as a timestamp: row 4: 'soon' \("):
        read_shop(text_file(text))
    shop = read_shop(text_file(text.replace("soon", "")))
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
        ("orders in sessions that are missing from the orders", "1"),
    )
