"""`cxsim metrics`: what became of every row, then every metric there is."""

# ruff: noqa: DTZ001 - a shop's own clock
from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime, timedelta

import polars as pl
import pytest
from numpy.random import PCG64, Generator

from cxsim.cli.metrics import NOTEBOOK
from cxsim.library import root
from cxsim.metrics.catalogue import load_metrics
from tests.data.samples import EXPORTS, line, order, write

_ORDERS = (
    "1,ana,2024-01-02 10:00,20.00", "2,bo,2024-01-03 11:00,40.00",
    "3,ana,2024-01-09 09:00,30.00", "4,cy,2024-01-10 09:00,60.00",
)  # fmt: skip
_HEADER = "order_id,customer_id,ordered_at,amount\n"
# Tuesday 2 to Sunday 14 January: the week of the 8th is the last that is over.
_UNTIL = ("--until", "2024-01-14")


@pytest.fixture
def exports(orders):
    return orders(*_ORDERS, header=_HEADER)


def test_receipts_come_first_then_metrics_under_their_families_then_what_is_not_measured(project, exports):
    done = project("metrics", exports, *_UNTIL, "--currency", "EUR")
    assert (done.code, done.err) == (0, "")
    places = [
        done.out.index(words)
        for words in ("orders.csv: recognised as", "Value: goods after discounts",
                      "Orders: 4 of 3 customers until 2024-01-14, EUR 150.00 before refunds.",
                      "No issues found in the orders", "2024-01-08 to 2024-01-14", " Orders ",
                      " Revenue ", "Not measured", "there is no table of surveys.")
    ]  # fmt: skip
    assert places == sorted(places)
    assert "EUR\N{NO-BREAK SPACE}90" in done.out  # orders 3 and 4: 30 + 60


def test_json_has_receipts_policy_all_digits_and_what_is_written_beside_it(project, exports):
    done = project("metrics", exports, *_UNTIL, "--json", "--out", "found.csv")
    assert done.err == ""
    content = json.loads(done.out)
    assert content["written"] == "found.csv"
    assert (content["shop"], content["until"]) == ("orders", "2024-01-15T00:00:00")
    assert [(receipt["rows_read"], receipt["rows_kept"]) for receipt in content["receipts"]] == [(4, 4)]
    found = {row["metric"]: row for row in content["metrics"]}
    assert len(found) == len(load_metrics())
    assert (found["revenue"]["value"], found["revenue"]["period_start"]) == (90.0, "2024-01-08T00:00:00")
    assert found["nps"]["missing"] == "there is no table of surveys."
    # Texts keep to their own columns.
    assert pl.read_csv(project.folder / "found.csv").filter(metric="orders")["title"].to_list() == ["Orders"]


def test_the_dashboard_is_written_as_a_table(project, exports):
    done = project("metrics", exports, *_UNTIL, "--out", "found.parquet")
    assert done.out.endswith("Written: found.parquet\n")
    table = pl.read_parquet(project.folder / "found.parquet")
    assert table.filter(metric="orders")["value"].to_list() == [2.0]


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(project):
    assert project("metrics", "nowhere", "--out", "found.xlsx").error.startswith("found.xlsx: file ending '.xlsx'")


def test_a_scenario_is_simulated_and_measured_by_month(project):
    done = project("metrics", "tiny", "--every", "month")
    assert done.code == 0
    assert "simulated; no files were read" in done.out
    assert "1998-09-01 to 1998-09-30, compared with the previous period" in done.out


def test_a_shop_that_does_not_exist_is_answered_with_the_nearest(project):
    assert project("metrics", "tinny").error.startswith(
        "'tinny' is neither a folder or file of exports nor a bundled shop or scenario; did you mean 'tiny'?"
    )


def test_a_shop_without_a_complete_period_is_refused_after_its_receipts(project, exports):
    done = project("metrics", exports, *_UNTIL, "--every", "month")
    assert done.code == 1
    assert "no complete month between 2024-01-02 and 2024-01-15" in done.err
    assert done.out.startswith("orders.csv: recognised as")


def test_all_metrics_are_listed_or_one_is_defined_as_text_and_as_json(shared, snapshot):
    done = shared("metrics", "--list")
    assert (done.code, done.err) == (0, "")
    assert all(metric.name in done.out for metric in load_metrics().values())
    assert done.next == "cxsim metrics --explain orders"
    assert shared("metrics", "--explain", "cac").out == snapshot
    everything = json.loads(shared("metrics", "--list", "--json").out)
    assert [row["name"] for row in everything] == [metric.name for metric in load_metrics().values()]
    assert json.loads(shared("metrics", "--explain", "nps", "--json").out)[0]["unit"] == "score"
    assert shared("metrics", "--explain", "npps").error.startswith("no metric 'npps'; did you mean 'nps'?")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a folder or file of exports"),
        (["tiny", "--every", "day"], "'day' is neither week nor month"),
        (["tiny", "--list"], "it defines metrics without measuring a shop"),
        (["--explain", "nps", "--out", "a.csv"], "it defines metrics without measuring a shop"),
        (["--list", "--explain", "nps"], "choose all metrics or one"),
        (["tiny", "--report", "a.html", "--out", "a.csv"], "the report includes its tables as CSV"),
    ],
)
def test_options_that_do_not_go_together_are_a_mistake_of_usage(shared, words, said):
    done = shared("metrics", *words)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())


ORDERS = 3_000
SINCE, UNTIL = datetime(2024, 1, 1), datetime(2025, 3, 1)
SUMMER = (datetime(2024, 3, 10, 2), datetime(2024, 11, 3, 2))
LAST_MONTH = datetime(2025, 2, 1), datetime(2025, 3, 1)
WHEN = "%Y-%m-%d %H:%M:%S"
CODES = ("WELCOME10", "SPRING")
_REPOSITORY = root()
_MONTHLY = ("--every", "month", "--until", "2025-02-28")


@pytest.fixture(scope="module")
def rows():
    """Rows of the export, the newest order first, as Shopify writes them."""
    random = Generator(PCG64(20_240_101))
    seconds = int((UNTIL - SINCE).total_seconds())
    moments = sorted(SINCE + timedelta(seconds=int(one)) for one in random.integers(0, seconds, ORDERS))
    orders = [_order(number, moment, random) for number, moment in enumerate(moments, start=1_001)]
    return [row for lines in reversed(orders) for row in lines]


@pytest.fixture
def new_exports(project, rows):
    folder = project.folder / "new_exports"
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
        "Subtotal": _money(goods - off), "Shipping": "4.90", "Total": _money(total),
        "Discount_Code": str(random.choice(CODES)) if off else "", "Discount_Amount": _money(off),
        "Created_at": written, "Paid_at": written, "Id": str(5_600_000_000_000 + number),
        "Lineitem_price": _money(prices[0]),
    } | _fate(total, moment, random)  # fmt: skip
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


def test_one_command_recognises_and_measures_it_as_a_plain_loop_does(project, new_exports):
    done = project("metrics", new_exports, *_MONTHLY, "--json")
    assert (done.code, done.err) == (0, "")
    content = json.loads(done.out)
    found = {row["metric"]: row for row in content["metrics"]}
    plain = _by_hand(new_exports / "orders_export_1.csv")
    (receipt,) = content["receipts"]
    assert (receipt["recognised"], receipt["table"], content["currency"]) == ("Shopify orders", "orders", "USD")
    assert receipt["rows_kept"] == plain["all"]
    assert receipt["facts"]["orders"] == f"{ORDERS:,} in the file"
    assert receipt["facts"]["offsets"].startswith("-0400, -0500; ")
    assert found["orders"]["period_start"] == LAST_MONTH[0].isoformat()
    assert found["orders"]["value"] == plain["orders"]
    # Sums of some hundred amounts of cents in floating point: 12 digits agree.
    for name in ("aov_net", "refund_rate_orders", "refund_rate_value"):
        assert found[name]["value"] == pytest.approx(plain[name], rel=1e-12)
        assert found[name]["low"] < plain[name] < found[name]["high"]


def test_in_the_terminal_the_receipt_comes_first_and_money_has_the_currency_of_the_file(project, new_exports):
    done = project("metrics", new_exports, *_MONTHLY)
    assert done.code == 0
    assert done.out.startswith("orders_export_1.csv: recognised as Shopify orders (79 of 79 columns); ")
    assert "USD\N{NO-BREAK SPACE}" in done.out
    assert "2025-02-01 to 2025-02-28, compared with the previous period" in done.out


def test_the_report_is_one_file_that_a_browser_opens(project, new_exports):
    (project.folder / "notebooks").mkdir()
    shutil.copy(_REPOSITORY / "notebooks" / NOTEBOOK, project.folder / "notebooks")
    done = project("metrics", new_exports, *_MONTHLY, "--report", "out.html")
    assert (done.code, done.err) == (0, "")
    page = (project.folder / "out.html").read_text(encoding="utf-8")
    assert "Shopify orders" in page
    assert "Traceback" not in page
    assert any(path.suffix == ".csv" for path in project.folder.rglob("*.csv") if path.parent != new_exports)


_AMAZON = "amazon-order-id\tpurchase-date\torder-status\titem-status\tquantity\tcurrency\titem-price"
_DAMAGED = "5.60000E+12"


def march(day, name, **cells):
    return order(name, Created_at=f"2024-03-{day:02d} 10:00:00 -0500", **cells)


@pytest.fixture
def folder(project):
    place = project.folder / "exports"
    place.mkdir()
    return place


@pytest.fixture
def refused(project):
    """Call the command with a file to write, and return what it was refused with; nothing may have changed."""

    def call(*words):
        before = project.files(), project.folders()
        message = project("metrics", *words, "--out", "found.csv").error
        assert (project.files(), project.folders()) == before
        return message

    return call


def test_several_currencies(refused, folder):
    write(folder / "orders.csv", [march(1, "#1002"), march(2, "#1003", Currency="EUR")])
    assert refused(folder) == (
        "orders are in several currencies: EUR (1 orders), USD (1 orders). Amounts in different currencies cannot be "
        "added; name the one to keep, with --policy currency=EUR or currency: in the policy (metrics also knows "
        "--currency)."
    )


def test_an_empty_folder(refused, folder):
    assert refused(folder) == (
        f"{folder}: there are no tables in it: it is empty; put a shop's exports there, as .csv, .tsv, .txt, .xlsx, "
        ".parquet, .zip."
    )


@pytest.mark.parametrize(
    ("first", "kind"),
    [(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"), (b"PK\x03\x04\x14\x00", "an archive or a workbook")],
)
def test_another_file_under_the_name_of_a_table(refused, folder, first, kind):
    (folder / "orders.csv").write_bytes(first + b"1 0 obj << /Type /Catalog >>\n")
    assert refused(folder) == (
        f"orders.csv: by its first bytes it is {kind}, not a text table; export the table itself as CSV."
    )


def test_customers_without_orders(refused, folder):
    shutil.copy(EXPORTS / "shopify_customers.csv", folder)
    message = refused(folder)
    assert message.startswith(f"{folder}: nothing in it can be measured.\nshopify_customers.csv: recognised as Shopify")
    assert "its 3 rows are not used" in message
    assert "export the orders instead" in message


def test_an_end_before_the_first_order(refused, folder):
    write(folder / "orders.csv", [march(1, "#1002")])
    assert refused(folder, "--until", "2024-02-01") == (
        f"{folder}: observation would end at 2024-02-02 00:00:00, before the first row of 2024-03-01 10:00:00."
    )


def test_a_file_of_another_kind_alone(refused, folder):
    (folder / "notes.csv").write_text("what,why\n1,2\n", encoding="utf-8")
    assert refused(folder).startswith("notes.csv: not recognised by its 2 columns (what, why). Map its ")


def test_an_unknown_file_beside_orders_is_listed_of_and_the_orders_are_measured(project, folder):
    write(folder / "orders.csv", [march(day, f"#{1000 + day}") for day in range(2, 25)])
    (folder / "notes.csv").write_text("what,why\n1,2\n", encoding="utf-8")
    (folder / "plan.pdf").write_text("words", encoding="utf-8")
    done = project("metrics", folder)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("orders.csv: recognised as Shopify orders")
    assert "plan.pdf: not read: file ending '.pdf' is not a table format" in lines
    assert any(line.startswith("notes.csv: not read: not recognised by its 2 columns (what, why).") for line in lines)


def test_amazon_alone_has_the_value_of_orders_and_says_why_it_has_no_customers(project, folder):
    # 25 orders of one item, the n-th for n, in a week that begins on Monday 18 March: (1 + ... + 25) / 25 = 13.
    rows = [
        f"111-{n}\t2024-03-{18 + n % 3}T10:00:{n:02d}+00:00\tShipped\tShipped\t1\tUSD\t{n}.00" for n in range(1, 26)
    ]
    (folder / "amazon.txt").write_text("\n".join((_AMAZON, *rows, "")), encoding="utf-8")
    done = project("metrics", folder, "--until", "2024-03-24")
    # Without customers there is nobody to value, and no next step.
    assert (done.code, done.err, done.next) == (0, "", "")
    out = " ".join(done.out.split())
    assert out.startswith("amazon.txt: recognised as Amazon all orders")
    assert "Average order value, after discounts" in out
    assert "USD 13.0 │ 10.0 to 16.0" in out
    reason = "holds nothing that identifies a customer, so who came back cannot be told."
    assert out.split("Not measured")[1].split(reason)[0].count("New customers; Retention over 90 days; ") == 1


def test_ids_that_a_spreadsheet_rounded_are_replaced_by_the_names_of_orders(project, folder):
    write(folder / "orders.csv", [march(day, f"#{1000 + day}", Id=_DAMAGED) for day in range(2, 25)])
    done = project("metrics", folder, "--json")
    assert done.code == 0
    # 23 orders of one damaged number each are 23 orders.
    assert '"rows_kept": 23' in done.out
    assert "order ids rounded by a spreadsheet" in done.out


def test_a_folder_wins_over_a_scenario_of_its_name(project, refused):
    place = project.folder / "tiny"
    place.mkdir()
    assert refused("tiny").startswith("tiny: there are no tables in it: it is empty")
    write(place / "orders.csv", [march(day, f"#{1000 + day}") for day in range(2, 25)])
    done = project("metrics", "tiny")
    assert done.code == 0
    assert done.out.startswith("orders.csv: recognised as Shopify orders")
