"""shop.yaml: which column is what, in whatever language and form, and a clear word for every mistake."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from datetime import UTC, date, datetime
from zipfile import ZipFile

import polars as pl
import pytest

from cxsim import params
from cxsim.data.exports.formats import Export, Format
from cxsim.data.exports.mappings import ShopFile, mapped_readouts
from cxsim.data.exports.moments import timed
from cxsim.data.shop import Policy
from cxsim.errors import DataError, ParamError
from tests.data.samples import read_as

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
        return mapped_readouts(params.read(path, ShopFile), tmp_path)

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


OFFSETS = ORDERS.replace("03.02.2024 10:00", "2024-02-03T10:00Z").replace("04.02.2024 23:30", "2024-07-04T23:30Z")


@pytest.mark.parametrize(
    ("text", "form", "policy", "expected"),
    [
        # In winter Berlin is an hour ahead, so that half past eleven in the evening belongs to the next day.
        (ORDERS, FORM + ", zone: UTC", "", [datetime(2024, 2, 3, 11), datetime(2024, 2, 5, 0, 30)]),
        # An hour ahead in winter, two in summer.
        (OFFSETS, 'separator: ";", decimal: ","', "", [datetime(2024, 2, 3, 11), datetime(2024, 7, 5, 1, 30)]),
        (ORDERS, FORM, "\npolicy: {clock: utc}", [datetime(2024, 2, 3, 9), datetime(2024, 2, 4, 22, 30)]),
    ],
)
def test_moments_of_another_zone_are_reckoned_by_the_clock_of_the_shop_or_in_universal_time(
    shop, text, form, policy, expected
):
    (readout,) = shop(orders(form=form), files={"orders.csv": text}, head=f"zone: Europe/Berlin{policy}")
    assert readout.tables["orders"].collect()["ordered_at"].to_list() == expected


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
        (orders(form=FORM + ", zone: UTC"), r"is written in UTC; write the zone of the shop too"),
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


def test_a_shop_without_a_zone_or_a_table_is_refused(shop):
    with pytest.raises(DataError, match="clock: utc needs the zone in which its moments are written"):
        shop(orders(), head="policy: {clock: utc}")
    with pytest.raises(DataError, match="tables: there is none; name at least one file"):
        shop()


def test_an_archive_of_several_tables_and_a_wide_row_are_refused(shop, tmp_path):
    with ZipFile(tmp_path / "both.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, ORDERS)
    with pytest.raises(DataError, match=r"both.zip: it must be one table; found 2"):
        shop(orders(file="both.zip"))
    with pytest.raises(DataError, match="line 3 has 5 cells and the header 4 names"):
        shop(orders(), files={"orders.csv": ORDERS.replace("12,5", "12,5;9")})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            orders().replace("table: orders", "table: order"),
            r"tables.0.table: 'order' is not possible; did you mean 'orders'",
        ),
        (orders() + ", hook: shopify-lines", r"tables.0.hook: unknown key; possible: columns, moments, "),
        (orders() + ", seperator: x", r"tables.0.seperator: unknown key; did you mean 'separator'"),
        (orders(form='decimal: ";"'), r"tables.0.decimal: ';' is not possible"),
    ],
)
def test_a_mistake_of_form_is_named_as_in_any_parameter_file(shop, table, message):
    with pytest.raises(ParamError, match=message):
        shop(table)


def test_orders_with_lines_and_statuses_are_read_by_them(shop):
    text = (
        "Nr;Zeile;Datum;Status;Summe;Versand;Stück;Preis\n"
        "1;Tasse;03.02.2024 10:00;bezahlt;25,00;5,00;2;10,00\n1;Löffel;03.02.2024 10:00;bezahlt;25,00;5,00;1;8,00\n"
        "2;Tasse;04.02.2024 10:00;storniert;15,00;5,00;1;10,00\n3;Tasse;05.02.2024 10:00;offen;15,00;5,00;1;10,00\n"
    )
    columns = (
        "{order_id: Nr, product: Zeile, ordered_at: Datum, status: Status, charged: Summe, shipping: Versand, "
        "units: Stück, line_amount: Preis}"
    )
    words = "rows: lines, amount: charged - shipping, statuses: {cancelled: [storniert], unpaid: [offen]}"
    (readout,) = shop(f"{orders(columns)}, {words}", files={"orders.csv": text}, head="policy: {unpaid: drop}")
    (row,) = readout.tables["orders"].collect().to_dicts()
    assert (row["amount"], row["charged"], row["units"], row["product"]) == (20.0, 25.0, 3, "Tasse")
    noticed = {line.reason: line.rows for line in readout.receipts[0].lines if line.rows}
    assert noticed == {
        "cancelled or voided orders": 1,
        "orders that are not paid": 1,
        "further lines of an order": 1,
    }


# How moments are written.


def read_moments(columns, clock="shop", form="iso"):
    form = Format(name="x", title="x", table="orders", columns={name: name for name in columns}, moments=form)
    rows, facts = timed(Export(file="file.csv", rows=pl.LazyFrame(columns)), form, Policy(clock=clock), list(columns))
    return rows.collect(), dict(facts)


def read_cells(cells, **asked):
    return read_moments({"when": cells}, **asked)[0]["when"].to_list()


@pytest.mark.parametrize(
    "cell",
    [
        "2024-03-01 09:05",
        "2024-03-01 09:05:00",
        " 2024-03-01T09:05:00.000 ",
        "2024-03-01 09:05:00 -0500",
        "2024-03-01T09:05:00Z",
        "2024-03-01T09:05:00+05:30",
        "2024/03/01 9:05:00 AM GMT+1",
        "Mar 1, 2024 09:05:00 AM",
        "Mar 1, 2024, 9:05 am",
        "1 Mar 2024 09:05",
        "01-Mar-2024 09:05",
        "Fri, 01 Mar 2024 09:05:00 +0000",
    ],
)
def test_a_moment_is_read_as_the_clock_on_the_wall_shows_it(cell):
    assert read_cells([cell]) == [datetime(2024, 3, 1, 9, 5)]


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        *((day, 0) for day in ("2024-03-13", "20240313", "13 Mar 2024")),
        ("3/13/2024 12:00 AM", 0),
        ("3/13/2024 12:00 PM", 12),
        ("3/13/2024 1:30:00 PM", 13),
    ],
)
def test_a_day_without_a_time_is_its_midnight_and_a_clock_may_have_twelve_hours(cell, hour):
    found = read_cells([cell])[0]
    assert found.replace(minute=0) == datetime(2024, 3, 13, hour)


def test_one_day_above_the_twelfth_tells_the_order_for_all_columns_of_the_file():
    assert read_cells(["08-04-2023 20:52", "17-04-2023 09:05"])[0] == datetime(2023, 4, 8, 20, 52)
    assert read_cells(["08/04/2023 20:52", "04/17/2023 09:05"])[0] == datetime(2023, 8, 4, 20, 52)
    found, _ = read_moments({"created": ["08.04.2023 20:52"], "solved": ["17.04.2023 09:05"]})
    assert found["created"].item() == datetime(2023, 4, 8, 20, 52)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["01/02/2024 09:05", "11/12/2024 09:05"], "in 0 of 2 cells and the second in 0"),
        (["13/02/2024 09:05", "02/13/2024 09:05"], "in 1 of 2 cells and the second in 1"),
    ],
)
def test_days_and_months_that_cannot_be_told_apart_are_refused(cells, found):
    with pytest.raises(DataError, match=f"above 12 {found}.*write how its moments .* shop.yaml"):
        read_cells(cells)


def test_a_form_that_somebody_wrote_down_is_kept_to():
    assert read_cells(["01/02/2024", "2024-01-01"], form="%d/%m/%Y") == [datetime(2024, 2, 1), None]


@pytest.mark.parametrize("cell", ["", "  ", None, "2024-02-30 09:00", "2024-03-01 25:00", "soon"])
def test_what_is_no_moment_is_null(cell):
    assert read_cells([cell, "2024-03-01 09:00"]) == [None, datetime(2024, 3, 1, 9)]


def test_universal_time_is_reckoned_from_the_offset_and_refused_where_a_cell_has_none():
    # 09:05 five hours behind is 14:05; 09:05 five and a half hours ahead is 03:35.
    cells = ["2024-03-01 09:05:00 -0500", "2024-03-01T09:05:00+05:30", "2024-03-01T09:05:00Z"]
    assert [moment.strftime("%H:%M") for moment in read_cells(cells, clock="utc")] == ["14:05", "03:35", "09:05"]
    with pytest.raises(DataError, match="'when': 1 cells are written without an offset"):
        read_cells([*cells, "2024-03-01 09:05"], clock="utc")


def test_the_offsets_of_a_file_are_shown_and_the_end_of_a_day_is_none():
    _, facts = read_moments({"when": ["2024-03-01 09:05:00 -0500", "2024-03-20 09:05:00 -0400"]})
    assert facts["offsets"] == "-0400, -0500; the time is kept as written"
    # -2024 looks like an offset of 20 hours and 24 minutes.
    assert "offsets" not in read_moments({"when": ["13-03-2024", "01-03-2024"]})[1]


def test_columns_that_are_moments_already_are_taken_as_they_are():
    assert read_cells([date(2024, 3, 1)]) == [datetime(2024, 3, 1)]
    assert read_cells([datetime(2024, 3, 1, 9)]) == [datetime(2024, 3, 1, 9)]
    assert read_cells([datetime(2024, 3, 1, 9, tzinfo=UTC)], clock="utc") == [datetime(2024, 3, 1, 9)]
    with pytest.raises(DataError, match="'when': all cells are written without an offset"):
        read_cells([datetime(2024, 3, 1, 9)], clock="utc")
    numbers = pl.LazyFrame({"order_id": ["1"], "customer_id": ["a"], "ordered_at": [20240301], "amount": [1.0]})
    with pytest.raises(DataError, match="'ordered_at' is Int64; it must be text, a date or a datetime"):
        read_as("cxsim orders", numbers)


def test_one_moment_below_many_that_cannot_be_read_is_enough():
    # Only the first 1,000 are tried before the whole column is.
    assert read_cells(["soon"] * 1_200 + ["2024-03-01 09:05"])[-1] == datetime(2024, 3, 1, 9, 5)
    with pytest.raises(DataError, match="'when': none of the 1,200 cells can be read"):
        read_cells(["soon"] * 1_200)
