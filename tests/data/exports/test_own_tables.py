"""Tables under the contracts, and of visits: of any size, with every unusable row counted."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from cxsim.data.contracts import LIVES, ORDERS, TICKETS
from cxsim.data.exports.read_shop import read_shop
from cxsim.data.exports.sessions import sessions_against_orders
from cxsim.data.shop import Policy
from cxsim.errors import DataError
from cxsim.tables import check
from tests.data.samples import read_as

HEADER = "order_id,customer_id,ordered_at,amount\n"
NOON = datetime(2024, 2, 3, 12)


def orders(**columns) -> pl.DataFrame:
    start = {"order_id": ["1", "2"], "customer_id": ["ana", None], "ordered_at": [NOON, NOON], "amount": [1.0, 2.0]}
    return pl.DataFrame({**start, **columns})


@pytest.fixture
def parquet(tmp_path):
    """Write a frame under a name that says nothing and read it."""

    def read(frame: pl.DataFrame, **asked):
        frame.write_parquet(tmp_path / "x.parquet")
        return read_shop(tmp_path / "x.parquet", **asked)

    return read


def rows_of(shop, words: str) -> int:
    (found,) = [one for one in shop.receipts[0].lines if words in one.reason]
    return found.rows


def test_a_clean_table_is_read_as_it_is_from_csv_and_parquet(parquet, tmp_path):
    frame = orders(charged=[1.5, 2.5], order_number=[1, 1], units=[1, 2], coupon=["A", None])
    shop = parquet(frame)
    assert check(shop.orders.collect(), ORDERS).equals(frame.select(shop.orders.collect_schema().names()))
    assert shop.receipts[0].rows_kept == 2
    frame.write_csv(tmp_path / "y.csv")
    assert read_shop(tmp_path / "y.csv").orders.collect().equals(shop.orders.collect())


def test_columns_beyond_the_contract_are_left_out_and_whole_numbers_are_ids_as_text(parquet):
    shop = parquet(orders(order_id=[7, 8], customer_id=[1, None], amount=[1, 2], note=["x", "y"]))
    assert "note" not in shop.orders.collect_schema()
    assert check(shop.orders.collect(), ORDERS).select("order_id", "customer_id", "amount").row(0) == ("7", "1", 1.0)


def test_moments_with_a_zone_keep_the_clock_of_the_shop_or_move_to_universal_time(parquet):
    zoned, utc = pl.Series([NOON, NOON]).dt.replace_time_zone("Europe/Berlin"), Policy(clock="utc")
    assert parquet(orders(ordered_at=zoned)).orders.collect()["ordered_at"][0] == NOON
    moved = parquet(orders(ordered_at=zoned), policy=utc).orders.collect()["ordered_at"][0]
    assert moved.replace(tzinfo=UTC) == datetime(2024, 2, 3, 11, tzinfo=UTC)
    with pytest.raises(DataError, match=r"without an offset from universal time\. clock: utc needs the zone"):
        parquet(orders(), policy=utc)


def test_what_cannot_be_read_is_dropped_for_one_reason(text_file):
    rows = [
        "1,ana,2024-02-03 10:00,9.90",
        ",ana,never,x",
        "3,ana,never,x",
        "4,ana,2024-02-03 10:00,x",
        "5,ana,2024-02-03 10:00,-1",
        '6,,2024-02-03 10:00," 4.00 "',
    ]
    shop = read_shop(text_file(HEADER + "\n".join(rows)))
    counts = [rows_of(shop, words) for words in ("order_id is", "ordered_at is", "amount is missing", "below nothing")]
    assert counts == [1, 1, 1, 1]
    assert shop.orders.collect().select("order_id", "customer_id").rows() == [("1", "ana"), ("6", None)]


def test_equal_rows_are_merged_and_one_id_for_different_rows_is_refused(parquet):
    shop = parquet(pl.concat([orders(), orders().head(1)]))
    assert sorted(shop.orders.collect()["order_id"]) == ["1", "2"]
    assert rows_of(shop, "equal to an earlier row") == 1
    with pytest.raises(DataError, match=r"x\.parquet: 1 values of order_id stand for rows that differ, such as '1'"):
        parquet(orders(order_id=["1", "1"]))


def test_a_column_with_gaps_that_must_be_whole_is_left_out_and_said(parquet):
    shop = parquet(orders(shipping=[1.0, None]))
    assert "shipping" not in shop.orders.collect_schema()
    assert shop.missing("orders.shipping") == "x.parquet misses 1 of its values."


def test_the_value_charged_needs_its_column(parquet):
    assert parquet(orders(charged=[3.0, 4.0]), policy=Policy(value="charged")).orders.collect()["amount"].sum() == 7.0
    with pytest.raises(DataError, match=r"x\.parquet: policy value: charged needs a column 'charged'"):
        parquet(orders(), policy=Policy(value="charged"))


def test_yes_and_no_are_read_from_text(text_file):
    text = "ticket_id,customer_id,created_at,first_response_at,resolved_at,solved_at_first\n"
    text += "1,ana,2024-02-03,,,yes\n2,bo,2024-02-03,2024-02-04,,FALSE\n3,cy,2024-02-03,,,perhaps\n"
    tickets = check(read_shop(text_file(text)).tickets.collect(), TICKETS)
    assert tickets["solved_at_first"].to_list() == [True, False, None]


SURVEYS = "survey_id,customer_id,sent_at,instrument,score\n"


def test_scores_outside_of_their_scale_are_dropped_and_counted(text_file):
    # NPS ends at 10, CSAT begins at 1, CES ends at 7; the 9.5 and the word are no scores; the blank was not answered.
    given = ("nps,10", "nps,11", "csat,0", "csat,5", "ces,8", "nps,9.5", "nps,ten", "nps, ")
    rows = "".join(f"{place},ana,2024-02-03,{answer}\n" for place, answer in enumerate(given))
    shop = read_shop(text_file(SURVEYS + rows))
    assert shop.surveys.sort("survey_id").collect().select("survey_id", "score").rows() == [
        ("0", 10), ("3", 5), ("7", None),
    ]  # fmt: skip
    assert (rows_of(shop, "outside of the scale"), rows_of(shop, "no whole number")) == (3, 2)
    assert (shop.receipts[0].rows_read, shop.receipts[0].rows_kept) == (8, 3)


def test_an_instrument_that_there_is_not_is_refused(text_file):
    with pytest.raises(DataError, match=r"file\.csv: no instrument 'npss'; did you mean 'nps'\? Possible: nps, csat, "):
        read_shop(text_file(SURVEYS + "1,ana,2024-02-03,npss,9\n"))


def test_surveys_of_a_scale_in_parquet_are_checked_too_and_may_be_none(tmp_path):
    orders().write_parquet(tmp_path / "orders.parquet")
    surveys = pl.DataFrame(
        {"survey_id": ["1", "2"], "customer_id": ["ana"] * 2, "sent_at": [NOON] * 2, "instrument": ["effort"] * 2,
         "score": [5, 6]}
    )  # fmt: skip
    surveys.write_parquet(tmp_path / "surveys.parquet")
    assert read_shop(tmp_path).surveys.collect()["score"].to_list() == [5]
    surveys.clear().write_parquet(tmp_path / "surveys.parquet")
    assert read_shop(tmp_path).surveys.collect().is_empty()


def test_what_no_shop_can_see_is_set_aside_and_an_empty_table_is_there(tmp_path):
    orders().write_parquet(tmp_path / "orders.parquet")
    lives = pl.DataFrame([["ana", NOON, None, None, None]], orient="row", schema=list(LIVES.columns))
    lives.write_parquet(tmp_path / "lives.parquet")
    kinds = {"customer_id": pl.String, "programme": pl.String, "joined_at": pl.Datetime, "left_at": pl.Datetime}
    pl.DataFrame(schema=kinds).write_parquet(tmp_path / "members.parquet")
    shop = read_shop(tmp_path)
    (aside,) = (receipt for receipt in shop.receipts if receipt.file == "lives.parquet")
    assert (aside.recognised, aside.table, aside.rows_kept) == ("cxsim lives", "none", 0)
    assert shop.missing("members") is None
    assert shop.members.collect().is_empty()


def test_rows_are_read_lazily_and_a_file_that_is_no_parquet_is_refused(parquet, text_file):
    assert "Parquet SCAN" in parquet(orders()).orders.explain()
    with pytest.raises(DataError, match=r"x\.parquet: the rows cannot be read"):
        read_shop(text_file("a,b\n1,2\n", "x.parquet"))


def test_what_shows_when_a_ticket_is_closed_is_not_known_before(text_file):
    text = "ticket_id,customer_id,created_at,first_response_at,resolved_at,solved_at_first\n"
    text += "1,ana,2024-02-03,2024-02-04,2024-02-09,yes\n2,bo,2024-02-03,2024-02-04,2024-02-05,yes\n"
    tickets = read_shop(text_file(text), until=datetime(2024, 2, 8)).tickets.collect()
    assert tickets["solved_at_first"].to_list() == [None, True]


# 2024-03-01 00:00 in microseconds of universal time: 19,783 days after 1970-01-01.
MIDNIGHT = 19_783 * 86_400 * 1_000_000
MINUTE = 60_000_000
EVENT_COLUMNS = (
    "event_timestamp",
    "event_name",
    "user_pseudo_id",
    "user_id",
    "ga_session_id",
    "transaction_id",
    "source",
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


@pytest.mark.parametrize(
    ("events", "orders", "purchases", "further"),
    [
        # An order belongs to the session in which it was named first.
        (
            [
                event(1, "purchase", transaction="A"),
                event(2, "purchase", transaction="A"),
                event(90, "purchase", session="2", transaction="A"),
            ],
            ["A", None],
            "3: 0 name no transaction, 2 tell of one again",
            "0;",
        ),
        (
            [event(1, "purchase"), event(2, "purchase", transaction="(not set)")],
            [None],
            "2: 2 name no transaction, 0 tell of one again",
            "0;",
        ),
        ([event(1, "refund", transaction="A")], [None], "0: 0 name no transaction, 0 tell of one again", "0;"),
        # A session shows the first of its orders.
        (
            [event(2, "purchase", transaction="A"), event(1, "purchase", transaction="B")],
            ["B"],
            "2: 0 name no transaction, 0 tell of one again",
            "1;",
        ),
    ],
)
def test_purchases_that_name_a_transaction_are_orders_of_their_sessions(events, orders, purchases, further):
    readout = read_events(*events)
    assert sessions(readout)["order_id"].to_list() == orders
    assert facts(readout)["purchases"] == purchases
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
    assert unknown.lacks["sessions.customer_id"] == "events.csv names no user_id."
    assert "universal time" in facts(unknown)["clock"]


def test_moments_that_a_spreadsheet_has_rounded_are_refused():
    with pytest.raises(DataError, match=r"event_timestamp has '1.70925E\+15'; it must be whole microseconds"):
        read_events(("1.70925E+15", "page_view", "v", "", "1", "", ""))


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
