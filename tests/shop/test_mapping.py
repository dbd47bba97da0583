"""shop.yaml: which column is what, in whatever language and form, and a clear word for every mistake."""

# ruff: noqa: DTZ001 (a shop's clock has no zone)
from __future__ import annotations

from datetime import datetime
from zipfile import ZipFile

import polars as pl
import pytest

from cxsim.data.exports.read_shop import load_shop_file, mapped_readouts
from cxsim.errors import DataError, ParamError

ORDERS = "Nr;Kunde;Datum;Betrag\n1;Ana@Example.com;03.02.2024 10:00;1.234,50\n2;;04.02.2024 23:30;12,5\n"
COLUMNS = "{order_id: Nr, customer_id: Kunde, ordered_at: Datum, amount: Betrag}"
FORM = """separator: ";", decimal: ",", moments: "%d.%m.%Y %H:%M\""""


@pytest.fixture
def shop(tmp_path):
    """Write the files of a folder with its shop.yaml, whose tables are given, and read them."""

    def read(*tables, files=None, head=""):
        for name, text in ({"orders.csv": ORDERS} if files is None else files).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        listed = "\n".join(f"  - {{{table}}}" for table in tables)
        path = tmp_path / "shop.yaml"
        path.write_text(f"title: Mein Laden\n{head}\ntables:{'' if tables else ' []'}\n{listed}\n", encoding="utf-8")
        return mapped_readouts(load_shop_file(path), tmp_path)

    return read


def orders(columns=COLUMNS, form=FORM, file="orders.csv"):
    return f"table: orders, file: {file}, columns: {columns}, {form}"


def test_foreign_names_commas_and_dates_become_orders_with_a_receipt(shop):
    (readout,) = shop(orders(), head="currency: EUR\nopening: true")
    assert readout.tables["orders"].collect().rows() == [
        ("1", "ana@example.com", datetime(2024, 2, 3, 10), 1234.5),
        ("2", None, datetime(2024, 2, 4, 23, 30), 12.5),
    ]
    assert (readout.currency, readout.opening) == ("EUR", True)
    (receipt,) = readout.receipts
    assert receipt.recognised == "orders by shop.yaml"
    assert (receipt.columns, receipt.rows_read, receipt.rows_kept) == ((4, 4), 2, 2)
    assert ("columns", "order_id = Nr, customer_id = Kunde, ordered_at = Datum, amount = Betrag") in receipt.facts


def test_what_cannot_be_read_is_dropped_and_counted(shop):
    text = ORDERS + "3;b;31.02.2024 10:00;1\n4;b;05.02.2024 10:00;1.5\n5;b;05.02.2024 10:00;-1\n"
    (readout,) = shop(orders(), files={"orders.csv": text})
    # The thirty-first of February; a point where numbers have a comma; a credit note.
    noticed = {line.reason: line.rows for line in readout.receipts[0].lines if line.rows}
    assert noticed == {
        "ordered_at is missing or cannot be read": 1,
        "amount is missing or cannot be read": 1,
        "amount is below nothing": 1,
    }
    assert readout.receipts[0].rows_kept == readout.tables["orders"].collect().height == 2


def test_a_column_that_may_be_missing_may_be_left_out_and_the_reason_is_said(shop):
    (readout,) = shop(orders("{order_id: Nr, ordered_at: Datum, amount: Betrag}"))
    assert readout.tables["orders"].collect()["customer_id"].null_count() == 2
    assert readout.lacks["orders.customer_id"] == "shop.yaml names no column of orders.csv for it."


def test_surveys_have_an_instrument_by_shop_yaml_and_numbers_by_their_row(shop):
    files = {"survey.csv": "who,when,mark\na,2024-03-01 10:00,9\nb,2024-03-01 10:00,11\n"}
    columns = "{customer_id: who, sent_at: when, score: mark}"
    (readout,) = shop(f"table: surveys, file: survey.csv, columns: {columns}, instrument: nps", files=files)
    found = readout.tables["surveys"].collect()
    assert found.select("survey_id", "instrument", "score").rows() == [("nps survey.csv row 1", "nps", 9)]
    assert sum(line.rows for line in readout.receipts[0].lines if line.reason == "a score outside of the scale") == 1


def test_moments_of_another_zone_are_turned_to_the_shop_s_clock(shop):
    form = FORM + ", zone: UTC"
    (readout,) = shop(orders(form=form), head="zone: Europe/Berlin")
    # In winter Berlin is an hour ahead, so that half past eleven in the evening belongs to the next day.
    assert readout.tables["orders"].collect()["ordered_at"].to_list()[1] == datetime(2024, 2, 5, 0, 30)


def test_offsets_are_turned_to_the_shop_s_clock_where_its_zone_is_written(shop):
    files = {
        "orders.csv": ORDERS.replace("03.02.2024 10:00", "2024-02-03T10:00Z").replace(
            "04.02.2024 23:30", "2024-07-04T23:30Z"
        )
    }
    (readout,) = shop(orders(form='separator: ";", decimal: ","'), files=files, head="zone: Europe/Berlin")
    # An hour ahead in winter, two in summer.
    assert readout.tables["orders"].collect()["ordered_at"].to_list() == [
        datetime(2024, 2, 3, 11),
        datetime(2024, 7, 5, 1, 30),
    ]


def test_universal_time_is_reckoned_from_the_zone_of_the_shop(shop):
    (readout,) = shop(orders(), head="zone: Europe/Berlin\npolicy: {clock: utc}")
    assert readout.tables["orders"].collect()["ordered_at"].to_list()[0] == datetime(2024, 2, 3, 9)


def test_a_parquet_file_is_mapped_too(shop, tmp_path):
    frame = pl.DataFrame({"nr": [1], "at": [datetime(2024, 2, 3, 10)], "euros": [12.5]})
    frame.write_parquet(tmp_path / "orders.parquet")
    (readout,) = shop(
        orders("{order_id: nr, ordered_at: at, amount: euros}", "zone: UTC", "orders.parquet"), head="zone: UTC"
    )
    assert readout.tables["orders"].collect().rows() == [("1", None, datetime(2024, 2, 3, 10), 12.5)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (orders("{order: Nr}"), r"the orders have no column 'order'; did you mean 'order_id'"),
        (orders(COLUMNS.replace("Betrag", "Betrg")), r"amount: the file has no column 'Betrg'; did you mean 'Betrag'"),
        (orders(COLUMNS.replace("Kunde", "Nr")), r"'Nr' is named for both order_id and customer_id"),
        (orders("{order_id: Nr}"), r"no column for ordered_at, amount; name it"),
        (orders(file="order.csv"), r"order.csv: no such file; did you mean 'orders.csv'"),
        (orders(file="../orders.csv"), r"a file is named without a folder"),
        (orders(form='separator: "--"'), r"separator '--' must be one sign"),
        (orders() + ", instrument: nps", r"instrument is for surveys of which no column says it"),
        (orders(form=FORM + ", zone: UTC"), r"its moments are written in UTC; write the zone of the shop too"),
        (orders(form=FORM + ", zone: Berlin"), r"no time zone 'Berlin'; write one such as Europe/Berlin"),
        (
            "table: surveys, file: orders.csv, columns: {sent_at: Datum, score: Nr}, " + FORM,
            r"no column for instrument; name it or write the instrument, one of nps, csat, csat_good, ces, effort",
        ),
    ],
)
def test_every_mistake_is_named(shop, table, message):
    with pytest.raises(DataError, match=message):
        shop(table)


def test_universal_time_without_a_zone_is_refused(shop):
    with pytest.raises(DataError, match="clock: utc needs the zone in which its moments are written"):
        shop(orders(), head="policy: {clock: utc}")


def test_a_file_without_tables_is_refused(shop):
    with pytest.raises(DataError, match="tables: there is none; name at least one file"):
        shop()


def test_an_archive_of_several_tables_is_refused(shop, tmp_path):
    with ZipFile(tmp_path / "both.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, ORDERS)
    with pytest.raises(DataError, match=r"both.zip: it must be one table; found 2"):
        shop(orders(file="both.zip"))


def test_a_wide_row_is_refused_under_a_separator_that_is_written_down(shop):
    with pytest.raises(DataError, match="line 3 has 5 cells and the header 4 names"):
        shop(orders(), files={"orders.csv": ORDERS.replace("12,5", "12,5;9")})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            orders().replace("table: orders", "table: order"),
            r"tables.0.table: 'order' is not possible; did you mean 'orders'",
        ),
        (orders() + ", seperator: x", r"tables.0.seperator: unknown key; did you mean 'separator'"),
        (orders(form='decimal: ";"'), r"tables.0.decimal: ';' is not possible"),
    ],
)
def test_a_mistake_of_form_is_sentence_as_in_any_parameter_file(shop, table, message):
    with pytest.raises(ParamError, match=message):
        shop(table)
