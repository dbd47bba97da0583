"""Files, folders, archives, databases: what is opened, put together, refused, and over which time it was observed."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

import csv
import importlib.util
import shutil
import sqlite3
import zipfile
from contextlib import closing
from datetime import datetime

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings, strategies as some

from cxsim.data.exports import files
from cxsim.data.exports.read_shop import read_database, read_shop
from cxsim.data.shop import Policy
from cxsim.errors import DataError
from tests.data.samples import EXPORTS, freshdesk, line, order, write, zendesk

OWN = "order_id,customer_id,ordered_at,amount\n1,ana,2024-02-03 10:00,9.90\n"
FILE = EXPORTS / "shopify_orders.csv"


def ids(shop) -> list[str]:
    return sorted(shop.orders.collect()["order_id"])


def rows_of(shop, words: str) -> int:
    return sum(one.rows for receipt in shop.receipts for one in receipt.lines if words in one.reason)


# What is opened.


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(("ending", "encoding"), [("csv", "utf-8-sig"), ("tsv", "utf-8"), ("txt", "utf-8")])
def test_the_separator_is_found_from_the_header_with_a_mark_or_without(text_file, separator, ending, encoding):
    shop = read_shop(text_file(OWN.replace(",", separator), f"mine.{ending}", encoding))
    assert shop.orders.collect().row(0) == ("1", "ana", datetime(2024, 2, 3, 10), 9.9)
    assert shop.name == "mine"


def test_an_archive_of_files_reads_like_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "a.csv", [order("#1002")])
    write(tmp_path / "folder" / "b.csv", [order("#1003")])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.write(tmp_path / "folder" / name, f"export/{name}")
        archive.writestr("__MACOSX/._a.csv", "nothing")
        archive.writestr("export/readme.pdf", "nothing")
    packed = read_shop(tmp_path / "all.zip")
    assert ids(packed) == ids(read_shop(tmp_path / "folder"))
    aside = [(one.file, dict(one.facts)["not read"]) for one in packed.receipts if one.table == "none"]
    assert aside == [("all.zip/readme.pdf", "not a text table")]


@pytest.mark.parametrize("name", ["../evil.csv", "/evil.csv", "a/../../evil.csv", "C:evil.csv"])
def test_an_archive_that_names_places_outside_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(name, OWN)
    with pytest.raises(DataError, match="contains a path outside itself"):
        read_shop(tmp_path / "all.zip")


@pytest.mark.parametrize(
    ("text", "largest", "flag", "message"),
    [
        (OWN, 10, 0, r"all\.zip: unpacked it has \d+ bytes, more than the limit of 10"),
        (OWN, 10_000, 1, r"all\.zip: mine\.csv is encrypted; unpack it with its password"),
        ("", 10_000, 0, r"mine\.csv: the file is empty"),
    ],
)
def test_an_archive_that_is_too_large_locked_or_empty_is_refused(tmp_path, monkeypatch, text, largest, flag, message):
    monkeypatch.setattr(files, "LARGEST_ARCHIVE", largest)
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mine.csv", text)
    packed = bytearray(path.read_bytes())
    # The first bit of the flags, eight bytes into the entry of the archive's list, says that there is a password.
    packed[packed.index(b"PK\x01\x02") + 8] |= flag
    path.write_bytes(packed)
    with pytest.raises(DataError, match=message):
        read_shop(path)


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04", "an archive"),
        (b"\xd0\xcf\x11\xe0", "a workbook"),
        (b"\x1f\x8b", "compr"),
    ],
)
def test_what_is_no_text_is_refused_by_its_first_bytes(tmp_path, first, kind):
    (tmp_path / "mine.csv").write_bytes(first + b"1 0 obj")
    with pytest.raises(DataError, match=rf"mine\.csv: by its first bytes it is {kind}.*; export the table itself"):
        read_shop(tmp_path / "mine.csv")


@pytest.mark.parametrize(
    ("written", "asked", "message"),
    [
        ({"all.zip": b"no archive"}, {}, r"all\.zip: the archive cannot be read"),
        ({"mine.csv": b""}, {}, r"mine\.csv: the file is empty"),
        ({"mine.csv": OWN.encode("utf-16")}, {}, "the file is UTF-16, not UTF-8"),
        ({"mine.csv": OWN.replace("ana", "ané").encode("latin-1")}, {}, "the file is not UTF-8 .*; save it as UTF-8"),
        (
            {"mine.csv": OWN.replace("1,", "größe,").replace("order_id", "größe").encode("latin-1")},
            {},
            "header is not UTF-8",
        ),
        (
            {"mine.csv": OWN.encode() + b"2,bo,2024-02-04,1.0,and,more\n"},
            {},
            r"line 3 has 6 cells, but the header has 4",
        ),
        ({"mine.csv": OWN.splitlines()[0].encode()}, {}, r"no usable row\.\nmine\.csv: recognised as cxsim orders"),
        (
            {"mine.csv": OWN.encode()},
            {"until": datetime(2024, 1, 1)},
            "observation would end at 2024-01-01 00:00:00, bef",
        ),
        ({"notes.csv": b"what,why\n1,2\n"}, {}, r"notes\.csv: not recognised by its 2 columns"),
        ({"readme.md": b"words"}, {}, r"there are no tables in it: readme\.md \(file ending '\.md'"),
        (
            {},
            {},
            r"it is empty; put a shop's exports there, as \.csv, \.tsv, \.txt, \.xlsx, \.parquet, \.zip\.",
        ),
    ],
)
def test_a_folder_that_shows_no_shop_is_refused_with_the_reason(tmp_path, written, asked, message):
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_shop(tmp_path, **asked)


def test_a_path_that_is_no_export_is_refused(tmp_path, text_file):
    with pytest.raises(DataError, match="no such file or folder"):
        read_shop(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"file ending '\.ods' is not known; possible: \.csv, \.tsv, \.txt, \.xlsx"):
        read_shop(text_file("x", "mine.ods"))
    with pytest.raises(DataError, match=r"mine\.xlsx: the workbook cannot be read \(.*\)\."):
        read_shop(text_file("x", "mine.xlsx"))


# What is put together.


def test_a_split_export_is_put_together_and_repeats_are_merged(tmp_path):
    older = [order("#1002", Refunded_Amount="0.00"), order("#1001", Created_at="2024-01-31 10:00:00 -0500")]
    newer = [order("#1003", Created_at="2024-02-05 10:00:00 -0500"), order("#1002", Refunded_Amount="20.00")]
    # The newer file comes first by name.
    write(tmp_path / "b.csv", older)
    write(tmp_path / "a.csv", newer)
    shop = read_shop(tmp_path)
    orders = shop.orders.collect().sort("order_id")
    assert orders["refunded"].to_list() == [0.0, 20.0, 0.0]
    assert [receipt.rows_kept for receipt in shop.receipts] == [2, 1]
    assert rows_of(shop, "also in a newer file") == 1


def test_a_receipt_says_in_a_line_why_a_file_is_not_read(tmp_path):
    write(tmp_path / "orders.csv", [order()])
    (tmp_path / "notes.csv").write_text("what,why\n1,2\n")
    shutil.copy(EXPORTS / "shopify_customers.csv", tmp_path)
    receipts = {one.file: str(one).splitlines()[0] for one in read_shop(tmp_path).receipts}
    assert receipts["notes.csv"].startswith(
        "notes.csv: not read: not recognised by its 2 columns (what, why). Map its columns: "
    )
    assert receipts["shopify_customers.csv"] == (
        "shopify_customers.csv: recognised as Shopify customers (20 of 20 columns); its 3 rows are not used."
    )


def test_observation_ends_with_the_newest_order_although_other_tables_were_exported_later(tmp_path):
    (tmp_path / "shop.csv").write_text(OWN)
    (tmp_path / "back.csv").write_text(
        "return_id,order_id,returned_at,refund\n1,1,2024-02-03 09:00,2\n2,1,2024-02-09 09:00,1\n"
    )
    shop = read_shop(tmp_path)
    assert shop.until == datetime(2024, 2, 3, 10, 0, 0, 1)
    assert shop.returns.collect()["return_id"].to_list() == ["1"]
    late = next(receipt for receipt in shop.receipts if receipt.table == "returns").lines
    assert [(line.reason, line.rows) for line in late if line.rows] == [("after the end of observation", 1)]


def test_files_of_which_one_names_a_currency_are_added_only_if_asked_and_with_the_columns_of_both(tmp_path):
    write(tmp_path / "orders.csv", [order()])
    (tmp_path / "shop.csv").write_text(OWN)
    with pytest.raises(DataError, match=r"shop\.csv: no currency is given, while other orders are in USD"):
        read_shop(tmp_path)
    shop = read_shop(tmp_path, currency="USD")
    orders = shop.orders.collect()
    # Those that must be whole are left out.
    assert shop.missing("orders.units") == "not every file of orders contains it."
    assert "units" not in orders.columns
    assert (orders.height, orders["refunded"].null_count()) == (2, 1)


# Currencies.


def test_several_currencies_have_no_sum_and_one_of_them_can_be_kept(shopify):
    rows = [order("#1002"), order("#1003", Currency="EUR"), line("#1003", "1", "1")]
    with pytest.raises(DataError, match=r"several currencies: EUR \(1 orders\), USD \(1 orders\)"):
        shopify(rows)
    with pytest.raises(DataError, match=r"no orders are in 'GBP'; possible: EUR, USD"):
        shopify(rows, currency="GBP")
    shop = shopify(rows, currency="eur")
    assert (shop.currency, ids(shop)) == ("EUR", ["500000001003"])
    assert rows_of(shop, "another currency than EUR") == 1
    assert shop.receipts[0].rows_kept == 1


# The time that was observed.


def test_observation_begins_with_the_day_of_the_first_order_and_ends_with_the_newest_moment():
    shop = read_shop(FILE)
    assert shop.since == datetime(2024, 1, 31)
    assert shop.until == datetime(2024, 3, 12, 8, 0, 0, 1)


def test_what_comes_after_the_end_has_not_happened(tmp_path):
    tickets = "ticket_id,customer_id,created_at,first_response_at,resolved_at\n"
    rows = "1,ana,2024-02-01 09:00,2024-02-01 10:00,2024-02-03 10:00\n2,bo,2024-02-02 00:00,,\n"
    (tmp_path / "tickets.csv").write_text(tickets + rows)
    shop = read_shop(tmp_path, until=datetime(2024, 2, 2))
    (ticket,) = shop.tickets.collect().to_dicts()
    assert (ticket["first_response_at"], ticket["resolved_at"]) == (datetime(2024, 2, 1, 10), None)
    assert rows_of(shop, "after the end of observation") == 1
    assert shop.until == datetime(2024, 2, 2)
    assert read_shop(tmp_path).until == datetime(2024, 2, 3, 10, 0, 0, 1)


# Every row is accounted for.

MAYBE = some.fixed_dictionaries(
    {},
    optional={
        "Financial_Status": some.sampled_from(["paid", "pending", "voided", "refunded"]),
        "Payment_Method": some.sampled_from(["(for testing) Bogus Gateway", "Gift Card"]),
        "Lineitem_name": some.just("Gift Card - $20"), "Lineitem_requires_shipping": some.just("false"),
        "Created_at": some.sampled_from(["2024-02-03 10:00:00 -0500", "soon", ""]),
        "Total": some.sampled_from(["", "x", "-3.00", "0.00"]), "Subtotal": some.sampled_from(["", "-3.00", "0.00"]),
        "Currency": some.sampled_from(["USD", "EUR"]),
    },
)  # fmt: skip
SHOPS = some.lists(some.tuples(some.integers(1001, 1006), MAYBE, some.integers(0, 2)), min_size=1, max_size=8)
CHOICES = some.builds(
    Policy, value=some.sampled_from(["merchandise", "charged"]), credits=some.sampled_from(["net", "drop"]),
    unreadable=some.just("missing"),
    **{name: some.sampled_from(["drop", "keep"]) for name in ("gift_cards", "cancelled", "test", "unpaid", "zero")},
)  # fmt: skip


@settings(max_examples=30)
@given(orders=SHOPS, policy=CHOICES)
def test_every_row_is_kept_merged_or_dropped(tmp_path_factory, orders, policy):
    rows = [order("#9999")]
    for place, (number, cells, further) in enumerate(orders):
        rows += [
            order(f"#{number}", Id=str(place), **cells),
            *(line(f"#{number}", "1", "2.00") for _ in range(further)),
        ]
    path = write(tmp_path_factory.mktemp("shop") / "orders.csv", rows)
    shop = read_shop(path, policy=policy, currency="USD")
    receipt = shop.receipts[0]
    gone = sum(one.rows for one in receipt.lines if one.action != "kept")
    assert receipt.rows_read == len(rows)
    assert shop.orders.select(pl.len()).collect().item() == receipt.rows_kept == len(rows) - gone


TWO_ORDERS = "order_id,customer_id,ordered_at,amount\n1,ana,2024-02-03 10:00,9.90\n2,bo,2024-02-04 10:00,20.00\n"


@pytest.fixture
def desks(tmp_path):
    """Write files of tickets by their names and read the folder."""

    def read(**files):
        for name, rows in files.items():
            with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        return read_shop(tmp_path)

    return read


def numbers(table, name="ticket_id"):
    return table.sort(name).collect()[name].to_list()


def test_tickets_of_two_desks_with_one_number_are_two_tickets_with_ratings_of_their_own(desks):
    later = {"Created_time": "2024-03-05 09:00:00", "Resolved_time": "2024-03-05 19:00:00",
             "Initial_response_time": "2024-03-05 10:00:00"}  # fmt: skip
    shop = desks(
        a=[freshdesk("1", **later), freshdesk("2", **later)], b=[zendesk("1", Satisfaction_Score="Good"), zendesk("3")]
    )
    assert numbers(shop.tickets) == ["1", "2", "3", "Zendesk 1"]
    assert numbers(shop.surveys) == ["Zendesk 1"]
    assert [receipt.rows_kept for receipt in shop.receipts if receipt.table == "tickets"] == [2, 2]
    # The file that comes second by name is told so: its ticket 1.
    assert rows_of(shop, "distinguished as in 'Zendesk 1'") == 1


def test_an_export_of_one_desk_in_two_pieces_is_merged(desks):
    shop = desks(a=[zendesk("1"), zendesk("2")], b=[zendesk("2"), zendesk("3", Created_at="2024-03-09 09:00")])
    assert numbers(shop.tickets) == ["1", "2", "3"]
    assert rows_of(shop, "also in a newer file") == 1


def test_the_same_orders_from_two_systems_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(TWO_ORDERS)
    (tmp_path / "theirs.csv").write_text(
        TWO_ORDERS.replace("order_id,customer_id,ordered_at,amount", "nr,who,day,euros")
    )
    (tmp_path / "shop.yaml").write_text(
        "title: Mine\ntables:\n- table: orders\n  file: theirs.csv\n"
        "  columns: {order_id: nr, customer_id: who, ordered_at: day, amount: euros}\n"
    )
    with pytest.raises(DataError, match=r"theirs\.csv: 2 of its orders have the same number and time as one in a\.csv"):
        read_shop(tmp_path)


def test_sessions_say_how_they_fit_the_orders(tmp_path):
    (tmp_path / "a.csv").write_text(TWO_ORDERS)
    header = "session_id,customer_id,started_at,order_id\n"
    (tmp_path / "b.csv").write_text(header + "s,bo,2024-02-04 09:00,2\nt,,2024-02-04 09:30,\n")
    (tmp_path / "c.csv").write_text(header + "u,bo,2024-02-04 09:45,9\n")
    facts = {receipt.file: dict(receipt.facts) for receipt in read_shop(tmp_path).receipts}
    # The first of all sessions began on 4 February at 9: order 1 was before it, order 2 belongs to one, 9 is unknown.
    assert facts["b.csv"]["orders before the first session"] == "1 of 2"
    assert facts["b.csv"]["later orders that belong to a session"] == "1 of 1"
    assert facts["b.csv"]["orders in sessions that are missing from the orders"] == "1"
    assert "orders before the first session" not in facts["c.csv"]


ORDERS_QUERY = "select nr as order_id, buyer as customer_id, day as ordered_at, euros as amount from sales"
TICKETS_QUERY = (
    "select nr as ticket_id, buyer as customer_id, opened as created_at, answered as first_response_at, "
    "solved as resolved_at from cases"
)
SURVEYS_QUERY = (
    "select nr as survey_id, buyer as customer_id, day as sent_at, kind as instrument, mark as score from answers"
)


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
    shop = read_database(lite, {"orders": ORDERS_QUERY, "surveys": SURVEYS_QUERY}, name="lite", currency="EUR")
    assert shop.orders.collect().rows() == [
        ("1", "ana@example.com", datetime(2024, 2, 3, 10), 9.9),
        ("2", None, datetime(2024, 2, 5, 10), 20.0),
    ]
    assert (shop.currency, shop.since) == ("EUR", datetime(2024, 2, 3))
    assert [receipt.rows_kept for receipt in shop.receipts] == [2, 1]


def test_scores_outside_of_their_scale_are_dropped_and_instruments_that_there_are_not_refused(lite):
    shop = read_database(lite, {"surveys": SURVEYS_QUERY})
    assert shop.surveys.collect()["score"].to_list() == [9]
    assert rows_of(shop, "a score outside the scale") == 1
    with pytest.raises(DataError, match="query of surveys: no instrument 'npss'"):
        read_database(lite, {"surveys": SURVEYS_QUERY.replace("kind as", "'npss' as")})


def test_a_column_that_is_empty_throughout_is_no_mistake(lite):
    lite.execute("delete from sales where buyer is not null")
    assert read_database(lite, {"orders": ORDERS_QUERY}).orders.collect()["customer_id"].to_list() == [None]


def test_observation_may_end_earlier_and_the_policy_is_kept_to(lite):
    shop = read_database(lite, {"orders": ORDERS_QUERY}, until=datetime(2024, 2, 4))
    assert (shop.until, ids(shop)) == (datetime(2024, 2, 4), ["1"])
    with pytest.raises(DataError, match="have no UTC offset"):
        read_database(lite, {"orders": ORDERS_QUERY}, policy=Policy(clock="utc"))


def test_a_duckdb_file_is_read_by_its_path_or_an_open_connection_and_never_written_to(duck):
    shop = read_database(duck, {"orders": ORDERS_QUERY, "tickets": TICKETS_QUERY})
    rows = [("1", "ana", datetime(2024, 2, 3, 10), 9.9), ("2", None, datetime(2024, 2, 5), 20.0)]
    assert shop.orders.collect().rows() == rows
    assert shop.tickets.select("ticket_id", "created_at", "first_response_at", "resolved_at").collect().rows() == [
        ("1", datetime(2024, 2, 4), datetime(2024, 2, 4, 12), None)
    ]
    with closing(duckdb.connect(str(duck), read_only=True)) as connection:
        assert read_database(connection, {"orders": ORDERS_QUERY}).orders.collect().rows() == rows
    with pytest.raises(DataError, match="query of orders: the database rejects it"):
        read_database(duck, {"orders": "create table more (nr integer)"})


def test_a_file_that_is_no_database_or_has_no_driver_is_refused(monkeypatch, tmp_path):
    path = tmp_path / "shop.duckdb"
    with pytest.raises(DataError, match=r"shop.duckdb: no such file"):
        read_database(path, {"orders": ORDERS_QUERY})
    path.write_text("no database", encoding="utf-8")
    with pytest.raises(DataError, match="duckdb cannot open it"):
        read_database(path, {"orders": ORDERS_QUERY})
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match=r"read by duckdb, which is not installed; install cxsim\[databases\]"):
        read_database(path, {"orders": ORDERS_QUERY})


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ({}, "no query; give one for at least one of orders"),
        ({"order": ORDERS_QUERY}, "no table 'order'; did you mean 'orders'"),
        ({"orders": "select * from nothing"}, "query of orders: the database rejects it .*nothing"),
        (
            {"orders": ORDERS_QUERY.replace("amount", "amout")},
            "its result has no column 'amount'; did you mean 'amout'",
        ),
        ({"orders": ORDERS_QUERY + " where euros > 100"}, "no usable row"),
    ],
)
def test_every_mistake_is_named(lite, queries, message):
    with pytest.raises(DataError, match=message):
        read_database(lite, queries)
