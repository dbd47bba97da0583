"""Faults put into an otherwise clean log of 457 orders: none changes what is known of customers without a word."""

from __future__ import annotations

import csv
import re

import pytest

from cxsim.data.cdnow import load_cdnow
from cxsim.data.exports.read_shop import read_transactions
from cxsim.data.rfm import summarise
from cxsim.errors import DataError
from tests.data.samples import order_log

COLUMNS = ("customer_id", "ordered_at", "amount")
# Amounts from 190.00 to 3,610.00, of which the larger ones have thousands to set apart.
LOG = [
    {
        "order_id": one["order_id"],
        "customer_id": one["customer_id"],
        "ordered_at": f"{one['ordered_at']:%Y-%m-%d}",
        "amount": f"{one['cents'] * 0.38:.2f}",
    }
    for one in order_log(457, people=120, orders=457)
]
# The order that is spoilt where one is enough.
AT = 200
ONE = LOG[AT]


class Spoilt:
    """The log with a fault: its rows, their columns, and the words by which a reader knows the fault from others."""

    def __init__(self, rows, *names, columns=COLUMNS):
        self.rows, self.names, self.columns = rows, names, columns


def one(*names, **cells):
    """The log with other cells in one order."""
    return Spoilt([*LOG[:AT], ONE | cells, *LOG[AT + 1 :]], *names)


def every(step, change, *names, columns=COLUMNS):
    """The log with other cells in every so-manyth order."""
    return Spoilt(
        [row | change(row) if place % step == 0 else row for place, row in enumerate(LOG)], *names, columns=columns
    )


def further(rows, *names):
    """The log with orders besides."""
    return Spoilt([*LOG, *rows], *names)


def made(customer, day, amount):
    return {"order_id": "9001", "customer_id": customer, "ordered_at": day, "amount": amount}


def amounts(grouped):
    return every(1, lambda row: {"amount": grouped(f"{float(row['amount']):,.2f}")}, "amount")


def numbered(shape):
    """The log with customers as numbers, written by a function of the number and the place of the row."""
    rows = [row | {"customer_id": shape(int(row["customer_id"][1:]) + 1, place)} for place, row in enumerate(LOG)]
    return Spoilt(rows, "customer")


def lines(columns, cell, **last):
    """The log with two lines for every third order, each with the order's own amount; the last one with other cells."""
    twice = [row | {"sku": cell(part)} for place, row in enumerate(LOG) for part in range(1 + (place % 3 == 0))]
    return Spoilt([*twice[:-1], twice[-1] | last], "order", columns=columns)


def nobody(word, step=12):
    return every(step, lambda _: {"customer_id": word}, re.escape(repr(word)))


FAULTS = {
    "a date after today": one("2202-03-14", ONE["customer_id"], ordered_at="2202-03-14"),
    "the date of a distant year": one("2025-12-05", ONE["customer_id"], ordered_at="2025-12-05"),
    "days of a distant year": every(40, lambda row: {"ordered_at": "2025-12-1" + row["ordered_at"][-1]}, "2025-12|gap"),
    "the date of an early year": one("2012-02-05", ONE["customer_id"], ordered_at="2012-02-05"),
    "a day for none, 1970": one("1970-01-01", ONE["customer_id"], ordered_at="1970-01-01"),
    "a day for none, 1900": one("1900-01-01", ONE["customer_id"], ordered_at="1900-01-01"),
    "a day for none, 9999": one("9999-12-31", ONE["customer_id"], ordered_at="9999-12-31"),
    "an outsized order": one(ONE["customer_id"], r"77,183\.60", amount="77183.60"),
    "a customer with a fifth of the orders": every(5, lambda _: {"customer_id": "c007"}, "'c007'"),
    "an address that many share": every(10, lambda _: {"customer_id": "till@shop.example"}, "'till@shop.example'"),
    "nan": nobody("nan"),
    "NULL": nobody("NULL"),
    "None": nobody("None"),
    "guest": nobody("guest"),
    "one guest": nobody("Guest", 400),
    "0": nobody("0"),
    "0 in few orders": nobody("0", 120),
    "0 beside numbers": Spoilt(numbered(lambda number, place: "0" if place % 12 == 0 else str(number)).rows, "'0'"),
    "rounded numbers": Spoilt(numbered(lambda number, _: f"{5_130_000_000_000 + number * 10**9:.2E}").rows, r"E\+12"),
    "numbers rounded to 15 digits": numbered(lambda number, _: f"{number // 10 + 100_000_000_000_000}0000"),
    "some rounded numbers": every(9, lambda row: {"customer_id": f"5.1{row['customer_id'][1]}E+12"}, r"E\+12"),
    "blanks around customers": every(3, lambda row: {"customer_id": f" {row['customer_id']}\u00a0"}, "customer"),
    "a blank of no width": every(3, lambda row: {"customer_id": f"{row['customer_id']}\u200b"}, "customer"),
    "two blanks": numbered(lambda number, place: f"no{' ' * (1 + place % 2)}{number}"),
    "capitals": every(3, lambda row: {"customer_id": row["customer_id"].upper()}, "'C000'", "'c000'"),
    "7 and 7.0": numbered(lambda number, place: f"{number}.0" if place % 2 else str(number)),
    "7 and 007": numbered(lambda number, place: f"{number:05d}" if place % 2 else str(number)),
    "two columns of one name": Spoilt(LOG, "amount", columns=(*COLUMNS, "amount")),
    "an order's total on its lines": lines(("order_id", *COLUMNS, "sku"), "S{}".format),
    "an order's total on its equal lines": lines(("order_id", *COLUMNS), str),
    "an order's total on its lines but one": lines(("order_id", *COLUMNS, "sku"), "S{}".format, amount="0.00"),
    "an order's total on lines by invoice": lines(("invoice", *COLUMNS, "sku"), "S{}".format),
    "an order's total on lines without a number": lines((*COLUMNS, "sku"), "S{}".format),
    "the first third cut off": Spoilt([row for row in LOG if row["ordered_at"] > "2022-08-31"], "Earlier customers"),
    "orders twice": Spoilt([*LOG, *LOG[100:140]], "identical to an earlier"),
    "orders twice, by number": Spoilt([*LOG, *LOG[100:140]], "earlier", columns=("order_id", *COLUMNS)),
    "test orders": further([made("test", f"2022-05-{day:02}", "1.00") for day in range(1, 6)], "test", "'test'"),
    "an address of tests": further([made("test@shop.example", "2022-05-03", "900.00")], "test@shop"),
    "cancelled orders beside a column of statuses": Spoilt(
        [row | {"status": "paid"} for row in LOG] + [made("c007", "2022-05-05", "80.00") | {"status": "voided"}] * 3,
        "voided",
        columns=(*COLUMNS, "status"),
    ),
    "two currencies": Spoilt(
        [
            row | {"currency": ("EUR", "USD")[place % 2], "amount": f"{float(row['amount']) * (1 + place % 2):.2f}"}
            for place, row in enumerate(LOG)
        ],
        "EUR",
        "USD",
        columns=(*COLUMNS, "currency"),
    ),
    "an amount that is none": one("'n/a'", "row 201", amount="n/a"),
    "an amount of two signs": one("12,34,5", "row 201", amount="12,34,5"),
    "no amount": one("amount", amount=""),
    "a day that is none": one("2022-02-31", "row 201", ordered_at="2022-02-31"),
    "no day": one("ordered_at|moment", ordered_at=""),
    "thousands by comma": amounts(str),
    "thousands by point": amounts(lambda text: text.translate(str.maketrans(",.", ".,"))),
    "thousands by blank": amounts(lambda text: text.translate(str.maketrans(",.", " ,"))),
    "thousands by apostrophe": amounts(lambda text: text.replace(",", "'")),
    "one amount by decimal comma": one("amount", "2022|1.234,50|row", amount="1.234,50"),
    "a purchase and its credit note": further(
        [made("c050", "2023-06-01", "77183.60"), made("c050", "2023-06-01", "-77183.60") | {"order_id": "9002"}]
    ),
    "a credit note without purchase": further([made("c050", "2023-11-11", "-99000.00")], "'c050'", "credit note"),
    "a credit note of a stranger": further([made("x", "2023-06-01", "-50.00")], "'x'", "credit note"),
}


def written(spoilt, path):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(spoilt.columns)
        writer.writerows(
            [row.get({"invoice": "order_id"}.get(name, name), "S0") for name in spoilt.columns] for row in spoilt.rows
        )
    return path


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return read_transactions(written(Spoilt(LOG), tmp_path_factory.mktemp("clean") / "orders.csv"))


def known_of(orders):
    """What is known of customers, whatever they are called."""
    table = summarise(orders)
    return table.drop("customer_id").sort(table.columns[1:])


def test_nothing_is_found_in_the_clean_log_nor_in_that_of_a_published_shop(clean):
    assert (clean.totals.customers, clean.totals.orders, clean.hygiene.rows_kept) == (120, 457, 457)
    assert clean.findings == load_cdnow().findings == ()


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_changes_what_is_known_of_customers_without_a_stop_or_caution_that_names_it(fault, clean, tmp_path):
    spoilt = FAULTS[fault]
    try:
        orders = read_transactions(written(spoilt, tmp_path / "orders.csv"))
    except DataError as refusal:
        orders, sentences = None, [str(refusal)]
    else:
        if known_of(orders).equals(known_of(clean)):
            return
        sentences = [one.sentence for one in orders.findings if one.severity in ("stop", "caution")]
    assert any(all(re.search(name, text) for name in spoilt.names) for text in sentences), sentences


@pytest.mark.parametrize("part", [slice(None), slice(300, None)])
def test_orders_in_two_files_without_numbers_count_once_or_are_named(part, clean, tmp_path):
    written(Spoilt(LOG), tmp_path / "orders.csv")
    written(Spoilt(LOG[part]), tmp_path / "orders (1).csv")
    orders = read_transactions(tmp_path)
    named = [one for one in orders.findings if one.severity == "caution" and "orders (1).csv" in one.sentence]
    assert known_of(orders).equals(known_of(clean)) or named
