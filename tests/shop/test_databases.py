"""Databases: a query for each table, through any open connection or from a DuckDB file."""

# ruff: noqa: DTZ001 (a shop's clock has no zone)
from __future__ import annotations

import importlib.util
import sqlite3
from contextlib import closing
from datetime import datetime

import duckdb
import pytest

from cxsim.data.exports.files import read_database
from cxsim.data.exports.format import Policy
from cxsim.errors import DataError

ORDERS = "select nr as order_id, buyer as customer_id, day as ordered_at, euros as amount from sales"
TICKETS = (
    "select nr as ticket_id, buyer as customer_id, opened as created_at, answered as first_response_at, "
    "solved as resolved_at from cases"
)
SURVEYS = "select nr as survey_id, buyer as customer_id, day as sent_at, kind as instrument, mark as score from answers"


@pytest.fixture
def lite():
    """Open a database in memory with two orders and two answers."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table sales (nr text, buyer text, day text, euros real)")
        connection.execute("insert into sales values ('1', 'Ana@Example.com', '2024-02-03 10:00', 9.9)")
        connection.execute("insert into sales values ('2', null, '2024-02-05 10:00', 20.0)")
        connection.execute("create table answers (nr text, buyer text, day text, kind text, mark integer)")
        connection.execute("insert into answers values ('1', 'ana', '2024-02-04 10:00', 'nps', 9)")
        connection.execute("insert into answers values ('2', 'ana', '2024-02-04 10:00', 'nps', 11)")
        yield connection


@pytest.fixture
def duck(tmp_path):
    """Write a DuckDB file with types of its own: decimals, timestamps, whole numbers."""
    path = tmp_path / "shop.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("create table sales (nr bigint, buyer text, day timestamp, euros decimal(10, 2))")
        connection.execute("insert into sales values (1, 'ana', '2024-02-03 10:00', 9.90), (2, null, '2024-02-05', 20)")
        connection.execute(
            "create table cases (nr integer, buyer text, opened date, answered timestamp, solved timestamp)"
        )
        connection.execute("insert into cases values (1, 'ana', '2024-02-04', '2024-02-04 12:00', null)")
    return path


def test_any_open_connection_gives_a_shop_with_receipts(lite):
    shop = read_database(lite, {"orders": ORDERS, "surveys": SURVEYS}, name="lite", currency="EUR")
    assert shop.orders.collect().rows() == [
        ("1", "ana@example.com", datetime(2024, 2, 3, 10), 9.9),
        ("2", None, datetime(2024, 2, 5, 10), 20.0),
    ]
    assert (shop.currency, shop.since) == ("EUR", datetime(2024, 2, 3))
    assert [receipt.rows_kept for receipt in shop.receipts] == [2, 1]


def test_scores_outside_of_their_scale_are_dropped_and_counted(lite):
    shop = read_database(lite, {"surveys": SURVEYS})
    assert shop.surveys.collect()["score"].to_list() == [9]
    assert sum(line.rows for line in shop.receipts[0].lines if line.reason == "a score outside of the scale") == 1


def test_an_instrument_that_there_is_not_is_refused(lite):
    with pytest.raises(DataError, match="query of surveys: no instrument 'npss'"):
        read_database(lite, {"surveys": SURVEYS.replace("kind as", "'npss' as")})


def test_a_column_that_is_empty_throughout_is_no_mistake(lite):
    lite.execute("delete from sales where buyer is not null")
    assert read_database(lite, {"orders": ORDERS}).orders.collect()["customer_id"].to_list() == [None]


def test_observation_may_end_earlier(lite):
    shop = read_database(lite, {"orders": ORDERS}, until=datetime(2024, 2, 4))
    assert shop.until == datetime(2024, 2, 4)
    assert shop.orders.collect()["order_id"].to_list() == ["1"]


def test_a_duckdb_file_is_read_by_its_path(duck):
    shop = read_database(duck, {"orders": ORDERS, "tickets": TICKETS})
    assert shop.orders.collect().rows() == [
        ("1", "ana", datetime(2024, 2, 3, 10), 9.9),
        ("2", None, datetime(2024, 2, 5), 20.0),
    ]
    assert shop.tickets.select("ticket_id", "created_at", "first_response_at", "resolved_at").collect().rows() == [
        ("1", datetime(2024, 2, 4), datetime(2024, 2, 4, 12), None)
    ]


def test_an_open_connection_of_duckdb_gives_the_same(duck):
    with closing(duckdb.connect(str(duck), read_only=True)) as connection:
        shop = read_database(connection, {"orders": ORDERS})
    assert shop.orders.collect()["amount"].to_list() == [9.9, 20.0]


def test_a_duckdb_file_is_never_written_to(duck):
    with pytest.raises(DataError, match="query of orders: the database refuses it"):
        read_database(duck, {"orders": "create table more (nr integer)"})


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "shop.duckdb"
    path.write_text("no database", encoding="utf-8")
    with pytest.raises(DataError, match="duckdb cannot open it"):
        read_database(path, {"orders": ORDERS})


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.duckdb: no such file"):
        read_database(tmp_path / "none.duckdb", {"orders": ORDERS})


def test_without_its_driver_a_database_file_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match=r"read by duckdb, which is not installed; install cxsim\[databases\]"):
        read_database(tmp_path / "shop.duckdb", {"orders": ORDERS})


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ({}, "no query; give one for at least one of orders"),
        ({"order": ORDERS}, "no table 'order'; did you mean 'orders'"),
        ({"orders": "select * from nothing"}, "query of orders: the database refuses it .*nothing"),
        ({"orders": ORDERS.replace("amount", "amout")}, "it gives no column 'amount'; did you mean 'amout'"),
        ({"orders": ORDERS + " where euros > 100"}, "no usable row"),
    ],
)
def test_every_mistake_is_named(lite, queries, message):
    with pytest.raises(DataError, match=message):
        read_database(lite, queries)


def test_an_end_before_the_first_row_is_refused(lite):
    with pytest.raises(DataError, match="observation would end at 2024-02-03 00:00:00, before the first row"):
        read_database(lite, {"orders": ORDERS}, until=datetime(2024, 2, 3))


def test_the_policy_is_kept_to(lite):
    with pytest.raises(DataError, match="without an offset from universal time"):
        read_database(lite, {"orders": ORDERS}, policy=Policy(clock="utc"))
