"""Tables whose columns shop.yaml or the contracts name: in whatever form, of any size, every unusable row counted."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import polars as pl
import pytest

from cxsim import params
from cxsim.data.contracts import LIVES, ORDERS, TICKETS
from cxsim.data.exports.mappings import ShopFile, mapped_readouts
from cxsim.data.exports.read_shop import read_shop
from cxsim.data.shop import Policy
from cxsim.errors import DataError, ParamError
from cxsim.tables import check

SALES = "Nr;Kunde;Datum;Betrag\n1;Ana@Example.com;03.02.2024 10:00;1.234,50\n2;;04.02.2024 23:30;12,5\n"
COLUMNS = "{order_id: Nr, customer_id: Kunde, ordered_at: Datum, amount: Betrag}"
FORM = """separator: ";", decimal: ",", moments: "%d.%m.%Y %H:%M\""""


@pytest.fixture
def shop(tmp_path):
    """Write the files of a folder with its shop.yaml, whose tables are given, and read them."""

    def read(*tables, files=None, head=""):
        for name, text in ({"orders.csv": SALES} if files is None else files).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        listed = "\n".join(f"  - {{{table}}}" for table in tables)
        path = tmp_path / "shop.yaml"
        path.write_text(f"title: Mein Laden\n{head}\ntables:{'' if tables else ' []'}\n{listed}\n", encoding="utf-8")
        return mapped_readouts(params.read(path, ShopFile), tmp_path)

    return read


def mapped(columns=COLUMNS, form=FORM, file="orders.csv"):
    return f"table: orders, file: {file}, columns: {columns}, {form}"


def test_foreign_names_commas_and_dates_become_orders_with_a_receipt(shop):
    (readout,) = shop(mapped(), head="currency: EUR\nopening: true")
    assert readout.tables["orders"].collect().rows() == [
        ("1", "ana@example.com", datetime(2024, 2, 3, 10), 1234.5),
        ("2", None, datetime(2024, 2, 4, 23, 30), 12.5),
    ]
    assert (readout.currency, readout.opening) == ("EUR", True)
    (receipt,) = readout.receipts
    assert receipt.recognised == "orders by shop.yaml"
    assert (receipt.columns, receipt.rows_read, receipt.rows_kept) == ((4, 4), 2, 2)
    assert ("columns", "order_id = Nr, customer_id = Kunde, ordered_at = Datum, amount = Betrag") in receipt.facts


def test_what_cannot_be_read_is_refused_or_dropped_and_counted(shop):
    text = SALES + "3;b;31.02.2024 10:00;1\n4;b;05.02.2024 10:00;1.5\n5;b;05.02.2024 10:00;-1\n"
    with pytest.raises(
        DataError, match=r"'Datum': 1 of 5 cells cannot be read as a timestamp: row 3: '31.02.2024 10:00' \("
    ):
        shop(mapped(), files={"orders.csv": text})
    (readout,) = shop(mapped(), files={"orders.csv": text}, head="policy: {unreadable: missing}")
    # The thirty-first of February; a point where numbers have a comma; the credit note stays, for it takes money back.
    noticed = {line.reason: line.rows for line in readout.receipts[0].lines if line.rows}
    assert noticed == {
        "cells of 'Datum' that cannot be read, treated as missing": 1,
        "cells of 'Betrag' that cannot be read, treated as missing": 1,
        "ordered_at is missing": 1,
        "amount is missing": 1,
    }
    assert readout.receipts[0].rows_kept == readout.tables["orders"].collect().height == 3


def test_a_column_that_may_be_missing_may_be_left_out_and_the_reason_is_said(shop):
    (readout,) = shop(mapped("{order_id: Nr, ordered_at: Datum, amount: Betrag}"))
    assert readout.tables["orders"].collect()["customer_id"].null_count() == 2
    assert readout.lacks["orders.customer_id"] == "no column of orders.csv is mapped to it."


def test_surveys_have_an_instrument_by_shop_yaml_and_numbers_by_their_row(shop):
    files = {"survey.csv": "who,when,mark\na,2024-03-01 10:00,9\nb,2024-03-01 10:00,11\n"}
    columns = "{customer_id: who, sent_at: when, score: mark}"
    (readout,) = shop(f"table: surveys, file: survey.csv, columns: {columns}, instrument: nps", files=files)
    found = readout.tables["surveys"].collect()
    assert found.select("survey_id", "instrument", "score").rows() == [("nps survey.csv row 1", "nps", 9)]
    assert sum(line.rows for line in readout.receipts[0].lines if line.reason == "a score outside the scale") == 1


OFFSETS = SALES.replace("03.02.2024 10:00", "2024-02-03T10:00Z").replace("04.02.2024 23:30", "2024-07-04T23:30Z")


@pytest.mark.parametrize(
    ("text", "form", "policy", "expected"),
    [
        # In winter Berlin is an hour ahead, so that half past eleven in the evening belongs to the next day.
        (SALES, FORM + ", zone: UTC", "", [datetime(2024, 2, 3, 11), datetime(2024, 2, 5, 0, 30)]),
        # An hour ahead in winter, two in summer.
        (OFFSETS, 'separator: ";", decimal: ","', "", [datetime(2024, 2, 3, 11), datetime(2024, 7, 5, 1, 30)]),
        (SALES, FORM, "\npolicy: {clock: utc}", [datetime(2024, 2, 3, 9), datetime(2024, 2, 4, 22, 30)]),
    ],
)
def test_moments_of_another_zone_are_reckoned_by_the_clock_of_the_shop_or_in_universal_time(
    shop, text, form, policy, expected
):
    (readout,) = shop(mapped(form=form), files={"orders.csv": text}, head=f"zone: Europe/Berlin{policy}")
    assert readout.tables["orders"].collect()["ordered_at"].to_list() == expected


def test_a_parquet_file_is_mapped_too(shop, tmp_path):
    frame = pl.DataFrame({"nr": [1], "at": [datetime(2024, 2, 3, 10)], "euros": [12.5]})
    frame.write_parquet(tmp_path / "orders.parquet")
    (readout,) = shop(
        mapped("{order_id: nr, ordered_at: at, amount: euros}", "zone: UTC", "orders.parquet"), head="zone: UTC"
    )
    assert readout.tables["orders"].collect().rows() == [("1", None, datetime(2024, 2, 3, 10), 12.5)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (mapped("{order: Nr}"), r"the orders have no column 'order'; did you mean 'order_id'"),
        (mapped(COLUMNS.replace("Betrag", "Betrg")), r"amount: the file has no column 'Betrg'; did you mean 'Betrag'"),
        (mapped(COLUMNS.replace("Kunde", "Nr")), r"'Nr' is given for both order_id and customer_id"),
        (mapped("{order_id: Nr}"), r"no column for ordered_at, amount; name it"),
        (mapped(file="order.csv"), r"order.csv: no such file; did you mean 'orders.csv'"),
        (mapped(file="../orders.csv"), r"give the file name without a folder"),
        (mapped(form='separator: "--"'), r"separator '--' must be one character"),
        (mapped() + ", instrument: nps", r"instrument is only for surveys without a column for it"),
        (mapped(form=FORM + ", zone: UTC"), r"is in time zone UTC; give the zone of the shop too"),
        (mapped(form=FORM + ", zone: Berlin"), r"no time zone 'Berlin'; write one such as Europe/Berlin"),
        (
            "table: surveys, file: orders.csv, columns: {sent_at: Datum, score: Nr}, " + FORM,
            r"no column for instrument; name it or write the instrument, one of nps, csat, csat_good, ces, effort",
        ),
    ],
)
def test_every_mistake_is_named(shop, table, message):
    with pytest.raises(DataError, match=message):
        shop(table)


def test_a_shop_without_a_zone_is_refused(shop):
    with pytest.raises(DataError, match="clock: utc needs the time zone of these timestamps"):
        shop(mapped(), head="policy: {clock: utc}")


def test_a_shop_that_names_no_table_says_how_the_files_that_are_recognised_are_read(shop, tmp_path):
    text = HEADER + "1,ana,01/02/2024,0\n2,bo,02/02/2024,5\n3,bo,03/03/2024,5\n"
    head = "currency: EUR\nopening: true\nuntil: 2024-02-29\npolicy: {zero: keep, moments: '%d/%m/%Y'}"
    assert shop(files={"x.csv": text}, head=head) == ()
    found = read_shop(tmp_path)
    assert (found.name, found.currency, found.opening, found.until) == ("Mein Laden", "EUR", True, datetime(2024, 3, 1))
    assert found.orders.collect()["amount"].to_list() == [0.0, 5.0]
    # What is asked for goes before what is written.
    assert read_shop(tmp_path, policy={"zero": "drop"}).orders.collect()["amount"].to_list() == [5.0]


def test_an_archive_of_several_tables_and_a_wide_row_are_refused(shop, tmp_path):
    with ZipFile(tmp_path / "both.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, SALES)
    with pytest.raises(DataError, match=r"both.zip: it must contain one table; found 2"):
        shop(mapped(file="both.zip"))
    with pytest.raises(DataError, match="line 3 has 5 cells, but the header has 4 names"):
        shop(mapped(), files={"orders.csv": SALES.replace("12,5", "12,5;9")})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            mapped().replace("table: orders", "table: order"),
            r"tables.0.table: 'order' is not possible; did you mean 'orders'",
        ),
        (mapped() + ", hook: shopify-lines", r"tables.0.hook: unknown key; possible: columns, moments, "),
        (mapped() + ", seperator: x", r"tables.0.seperator: unknown key; did you mean 'separator'"),
        (mapped(form='decimal: ";"'), r"tables.0.decimal: ';' is not possible"),
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
    known = "{counts: [bezahlt], cancelled: [storniert], unpaid: [offen]}"
    table = f"{mapped(columns)}, rows: lines, amount: charged - shipping, statuses: {known}"
    asked = {"files": {"orders.csv": text}, "head": "policy: {unpaid: drop}"}
    with pytest.raises(
        DataError, match=r"whether orders with these statuses are sales: 'bezahlt': 1 order \(20\.00\)\."
    ):
        shop(table.replace("counts: [bezahlt], ", ""), **asked)
    (readout,) = shop(table, **asked)
    (row,) = readout.tables["orders"].collect().to_dicts()
    assert (row["amount"], row["charged"], row["units"], row["product"]) == (20.0, 25.0, 3, "Tasse")
    noticed = {line.reason: line.rows for line in readout.receipts[0].lines if line.rows}
    assert noticed == {"cancelled or voided orders": 1, "unpaid orders": 1, "further lines of an order": 1}


# Tables under the names of the contracts.

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
    with pytest.raises(DataError, match=r"have no UTC offset\. clock: utc needs the time zone"):
        parquet(orders(), policy=utc)


def test_what_is_missing_is_dropped_for_one_reason(text_file):
    rows = [
        "1,ana,2024-02-03 10:00,9.90", ",ana,,", "3,ana,,", "4,ana,2024-02-03 10:00,", "5,ana,2024-02-03 10:00,-1",
        '6,,2024-02-03 10:00," 4.00 "',
    ]  # fmt: skip
    shop = read_shop(text_file(HEADER + "\n".join(rows)))
    counts = [rows_of(shop, words) for words in ("order_id is", "ordered_at is", "amount is missing", "credit notes")]
    assert counts == [1, 1, 1, 1]
    rows = shop.orders.collect().select("order_id", "customer_id", "amount", "refunded").rows()
    assert rows == [("1", "ana", 9.9, 1.0), ("6", None, 4.0, 0.0)]


def test_rows_of_one_order_are_its_lines_equal_ones_count_once_and_different_moments_or_customers_are_refused(parquet):
    shop = parquet(pl.concat([orders(), orders().head(1)]))
    assert sorted(shop.orders.collect()["order_id"]) == ["1", "2"]
    assert rows_of(shop, "identical to an earlier one") == 1
    shop = parquet(orders(order_id=["1", "1"]))
    assert shop.orders.collect().rows() == [("1", "ana", NOON, 3.0)]
    assert rows_of(shop, "further lines of an order") == 1
    assert ("amount", "summed over the lines of an order") in shop.receipts[0].facts
    with pytest.raises(
        DataError, match=r"x\.parquet: 1 order numbers are shared by orders with different times or customers, .* '1'"
    ):
        parquet(orders(order_id=["1", "1"], ordered_at=[NOON, NOON + timedelta(days=1)]))
    with pytest.raises(
        DataError, match=r"1 order numbers are shared by orders with different times or customers, .* '1'"
    ):
        parquet(orders(order_id=["1", "1"], customer_id=["ana", "bo"]))


def test_equal_rows_of_other_tables_are_merged_and_one_id_for_different_rows_is_refused(text_file):
    header, row = "ticket_id,customer_id,created_at,first_response_at,resolved_at\n", "1,ana,2024-02-03,,\n"
    shop = read_shop(text_file(header + row + row))
    assert (shop.tickets.collect().height, rows_of(shop, "identical to an earlier row")) == (1, 1)
    with pytest.raises(
        DataError, match=r"file\.csv: 1 values of ticket_id are shared by rows that differ, such as '1'"
    ):
        read_shop(text_file(header + row + row.replace("ana", "bo")))


def test_a_column_with_gaps_that_must_be_whole_is_left_out_and_said(parquet):
    shop = parquet(orders(shipping=[1.0, None]))
    assert "shipping" not in shop.orders.collect_schema()
    assert shop.missing("orders.shipping") == "1 of its values are missing in x.parquet."


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
    assert (rows_of(shop, "outside the scale"), rows_of(shop, "not a whole number")) == (3, 2)
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
