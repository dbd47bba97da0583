"""The way of a new user with an export of Shopify: one command, no mapping, and numbers that a plain loop gives too.

The export is made up: 3,000 orders over 14 months in New York, with further lines, guests, codes, refunds, tests,
cancellations, and the clock put forward and back.
"""

# ruff: noqa: DTZ001 (a shop's clock has no zone)
from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime, timedelta

import pytest
from numpy.random import PCG64, Generator

from cxsim.cli.metrics import NOTEBOOK
from cxsim.params import root
from tests.data.samples import line, order, write

ORDERS = 3_000
SINCE, UNTIL = datetime(2024, 1, 1), datetime(2025, 3, 1)
SUMMER = (datetime(2024, 3, 10, 2), datetime(2024, 11, 3, 2))
LAST_MONTH = datetime(2025, 2, 1), datetime(2025, 3, 1)
WHEN = "%Y-%m-%d %H:%M:%S"
_REPOSITORY = root()
CODES = ("WELCOME10", "SPRING")


@pytest.fixture(scope="module")
def rows():
    """Rows of the export, the newest order first, as Shopify writes them."""
    random = Generator(PCG64(20_240_101))
    seconds = int((UNTIL - SINCE).total_seconds())
    moments = sorted(SINCE + timedelta(seconds=int(one)) for one in random.integers(0, seconds, ORDERS))
    orders = [_order(number, moment, random) for number, moment in enumerate(moments, start=1_001)]
    return [row for lines in reversed(orders) for row in lines]


@pytest.fixture
def exports(project, rows):
    folder = project.folder / "exports"
    folder.mkdir()
    write(folder / "orders_export_1.csv", rows)
    return folder


def _order(number, moment, random):
    prices = [int(price) for price in random.integers(500, 9_000, int(random.choice([1, 2, 3], p=[0.6, 0.3, 0.1])))]
    goods = sum(prices)
    off = goods // 10 if random.random() < 0.2 else 0
    total = goods - off + 490
    written = f"{moment:{WHEN}} {'-0400' if SUMMER[0] <= moment < SUMMER[1] else '-0500'}"
    cells = {
        "Email": "" if random.random() < 0.1 else f"customer{random.integers(0, 1_200)}@example.com",
        "Subtotal": _money(goods - off),
        "Shipping": "4.90",
        "Total": _money(total),
        "Discount_Code": str(random.choice(CODES)) if off else "",
        "Discount_Amount": _money(off),
        "Created_at": written,
        "Paid_at": written,
        "Id": str(5_600_000_000_000 + number),
        "Lineitem_price": _money(prices[0]),
    } | _fate(total, moment, random)
    further = (line(f"#{number}", "1", _money(price), Created_at=written) for price in prices[1:])
    return [order(f"#{number}", **cells), *further]


def _fate(total, moment, random):
    """What became of an order: a test, cancelled and paid back, refunded in part or in full, or nothing."""
    chance = random.random()
    if chance < 0.01:
        return {"Payment_Method": "Bogus Gateway"}
    if chance < 0.03:
        later = f"{moment + timedelta(hours=2):{WHEN}} -0500"
        return {"Cancelled_at": later, "Financial_Status": "refunded", "Refunded_Amount": _money(total)}
    if chance < 0.08:
        return {"Financial_Status": "refunded", "Refunded_Amount": _money(total)}
    if chance < 0.13:
        return {"Financial_Status": "partially_refunded", "Refunded_Amount": _money(total // 3)}
    return {}


def _money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def _by_hand(path):
    """Return by a plain loop over the file: orders that count, and what they came to in the last month."""
    orders = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Financial Status"] and row["Payment Method"] != "Bogus Gateway" and not row["Cancelled at"]:
                moment = datetime.fromisoformat(row["Created at"][:19])
                orders.append((moment, *(float(row[name]) for name in ("Subtotal", "Total", "Refunded Amount"))))
    start, end = LAST_MONTH
    placed = [one for one in orders if start <= one[0] < end]
    # Refunds have no date: an order belongs to the month in which its 30th day ended.
    ripe = [one for one in orders if start <= one[0] + timedelta(days=30) < end]
    return {
        "all": len(orders),
        "orders": len(placed),
        "aov_net": sum(one[1] for one in placed) / len(placed),
        "refund_rate_orders": sum(one[3] > 0 for one in ripe) / len(ripe),
        "refund_rate_value": sum(one[3] for one in ripe) / sum(one[2] for one in ripe),
    }


def test_the_export_has_all_that_makes_one_difficult(rows):
    first = [row for row in rows if row.get("Financial Status")]
    assert len(first) == ORDERS < len(rows)
    for name, cell in (("Email", ""), ("Payment Method", "Bogus Gateway"), ("Financial Status", "partially_refunded")):
        assert 10 < sum(row[name] == cell for row in first) < ORDERS / 4
    assert {row["Created at"][-5:] for row in first} == {"-0400", "-0500"}
    assert sum(bool(row.get("Cancelled at")) for row in first) > 10
    assert {row["Discount Code"] for row in first} == {"", *CODES}


def test_one_command_recognises_and_measures_it_as_a_plain_loop_does(project, exports):
    sentence = project("metrics", exports, "--every", "month", "--until", "2025-02-28", "--json")
    assert (sentence.code, sentence.err) == (0, "")
    content = json.loads(sentence.out)
    found = {row["metric"]: row for row in content["metrics"]}
    plain = _by_hand(exports / "orders_export_1.csv")
    (receipt,) = content["receipts"]
    assert (receipt["recognised"], receipt["table"], content["currency"]) == ("Shopify orders", "orders", "USD")
    assert receipt["rows_kept"] == plain["all"]
    assert receipt["facts"]["orders"] == f"{ORDERS:,}, of which {plain['all']:,} count"
    assert receipt["facts"]["offsets"].startswith("-0400, -0500; ")
    assert found["orders"]["period_start"] == LAST_MONTH[0].isoformat()
    assert found["orders"]["value"] == plain["orders"]
    # Sums of some hundred amounts of cents in floating point: 12 digits agree.
    for name in ("aov_net", "refund_rate_orders", "refund_rate_value"):
        assert found[name]["value"] == pytest.approx(plain[name], rel=1e-12)
        assert found[name]["low"] < plain[name] < found[name]["high"]


def test_in_the_terminal_the_receipt_comes_first_and_money_has_the_currency_of_the_file(project, exports):
    sentence = project("metrics", exports, "--every", "month", "--until", "2025-02-28")
    assert sentence.code == 0
    assert sentence.out.startswith("orders_export_1.csv: recognised as Shopify orders (79 of 79 columns); ")
    assert "USD\N{NO-BREAK SPACE}" in sentence.out
    assert "2025-02-01 to 2025-02-28, beside the period before" in sentence.out


def test_the_report_is_one_file_that_a_browser_opens(project, exports):
    (project.folder / "notebooks").mkdir()
    shutil.copy(_REPOSITORY / "notebooks" / NOTEBOOK, project.folder / "notebooks")
    sentence = project("metrics", exports, "--every", "month", "--until", "2025-02-28", "--report", "out.html")
    assert (sentence.code, sentence.err) == (0, "")
    page = (project.folder / "out.html").read_text(encoding="utf-8")
    assert "Shopify orders" in page
    assert "Traceback" not in page
    assert any(path.suffix == ".csv" for path in project.folder.rglob("*.csv") if path.parent != exports)
