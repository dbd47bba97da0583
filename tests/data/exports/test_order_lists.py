"""Orders of Shopify, WooCommerce, Magento and Amazon: every number of the examples, and every quirk by itself."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import polars as pl
import pytest

from cxsim.data.contracts import ORDERS
from cxsim.data.exports.read_shop import read_shop, read_transactions
from cxsim.data.shop import Policy
from cxsim.errors import DataError
from cxsim.tables import check
from tests.data.samples import COLUMNS, EXPORTS, line, order, read_as, write

NUMBERS = tuple(map(str, range(30)))
FILE = EXPORTS / "shopify_orders.csv"
EXPECTED = json.loads((EXPORTS / "expected.json").read_text())
AS_CHARGED = Policy(value="charged", gift_cards="keep")
EVERY = Policy(value="charged", gift_cards="keep", test="keep", cancelled="keep")


def orders_of(shop) -> pl.DataFrame:
    return check(shop.orders.collect(), ORDERS)


def names(shop) -> list[str]:
    """Orders by name: the ids of the example file end in the number of the order."""
    return sorted("#" + ident[-4:] for ident in orders_of(shop)["order_id"])


def noticed(shop, words: str) -> int:
    """Rows of the line of the first receipt whose reason has these words."""
    (found,) = [one for one in shop.receipts[0].lines if words in one.reason]
    return found.rows


def fact(shop, name: str) -> str:
    return dict(shop.receipts[0].facts)[name]


def test_lines_are_put_together_to_orders_whose_totals_and_units_count_once():
    shop = read_shop(FILE, policy=EVERY)
    receipt, every = shop.receipts[0], orders_of(shop)
    assert (receipt.rows_read, receipt.rows_kept) == (EXPECTED["rows"], EXPECTED["orders"]) == (12, 10)
    assert receipt.columns == (79, 79)
    assert every["amount"].sum() == EXPECTED["sum_total_all_statuses"] == 1532.0
    assert every["units"].sum() == EXPECTED["line_quantity"] == 18


def test_by_default_tests_and_cancelled_orders_are_left_out_and_refunds_known_by_order():
    shop, default = read_shop(FILE, policy=AS_CHARGED), EXPECTED["policy_default"]
    orders = orders_of(shop)
    assert names(shop) == default["kept_orders"]
    # 20 + 70 + 30 + 40 + 113 + 50 + 50 + 100
    assert orders["amount"].sum() == default["kept_total"] == 473.0
    assert orders["refunded"].sum() == EXPECTED["refunds_total"] == 55.0
    assert orders["amount"].sum() - orders["refunded"].sum() == default["kept_total_less_refunds"] == 418.0
    listed = "; ".join(f"{one} {n} ({total:,.2f})" for one, (n, total) in sorted(EXPECTED["by_status"].items()))
    assert fact(shop, "status") == listed


def test_gift_cards_count_when_they_are_redeemed_and_merchandise_is_without_shipping():
    shop = read_shop(FILE, policy=Policy(value="charged"))
    orders = orders_of(shop)
    assert "#1007" not in names(shop)
    assert "#1006" in names(shop)
    # 473 - 55 - 50
    assert orders["amount"].sum() - orders["refunded"].sum() == 368.0
    assert EXPECTED["policy_default"]["also_excluding_gift_card_sale_1007_to_avoid_double_count_with_1006"] == 368.0
    # 473 less the gift card of 50 and the 5 of shipping in #1005
    assert orders_of(read_shop(FILE))["amount"].sum() == 418.0


@pytest.mark.parametrize(
    ("policy", "more", "fewer"),
    [
        ({"test": "keep"}, EXPECTED["test_orders"], ()),
        ({"cancelled": "keep"}, EXPECTED["cancelled_or_voided"], ()),
        ({"unpaid": "drop"}, (), ("#1002",)),
    ],
)
def test_the_policy_keeps_tests_and_cancelled_orders_and_leaves_out_unpaid_ones(policy, more, fewer):
    found = set(names(read_shop(FILE, policy=Policy(gift_cards="keep", **policy))))
    assert found == (set(EXPECTED["policy_default"]["kept_orders"]) | set(more)) - set(fewer)


def test_an_order_of_an_app_counts_although_no_time_of_payment_is_known():
    shop = read_shop(FILE, policy=Policy(unpaid="drop"))
    assert EXPECTED["paid_but_blank_paid_at"] == ["#1004"]
    assert "#1004" in names(shop)
    assert noticed(shop, "as some apps create them") == 1


def test_days_are_those_of_the_shop_or_of_universal_time_by_the_offset_of_each_order():
    def moment(policy, number):
        orders = orders_of(read_shop(FILE, policy=policy))
        return orders.filter(pl.col("order_id").str.ends_with(number))["ordered_at"].item()

    assert f"{moment(Policy(), '1001'):%Y-%m}" == EXPECTED["order_1001_month_shop_local"] == "2024-01"
    assert EXPECTED["order_1001_month_utc"] == "2024-02"
    # Winter: 23:30 -0500; summer: 10:00 -0400.
    assert moment(Policy(clock="utc"), "1001") == datetime(2024, 2, 1, 4, 30)
    assert moment(Policy(clock="utc"), "1006") == datetime(2024, 3, 11, 14, 0)
    assert fact(read_shop(FILE), "offsets").startswith(", ".join(EXPECTED["offsets_in_file"]))


def test_customers_are_known_by_address_and_else_by_telephone():
    customers = orders_of(read_shop(FILE, policy=EVERY))["customer_id"]
    kept = orders_of(read_shop(FILE, policy=AS_CHARGED))["customer_id"]
    # Five addresses, staff@ among them, and one telephone: six, of which five order in earnest.
    by_address = customers.filter(customers.str.contains("@"))
    assert by_address.n_unique() == EXPECTED["customers_by_email_casefold"] == 5
    assert customers.n_unique() == EXPECTED["customers_incl_phone_only"] == 6
    assert kept.n_unique() == 5
    assert "+15550100" in kept.to_list()


def test_the_example_of_three_lines_adds_up():
    orders = orders_of(read_shop(FILE))
    (found,) = orders.filter(pl.col("order_id").str.ends_with("1005")).to_dicts()
    # 2 x 30 + 30 + 30 - 12 = 108, and 5 of shipping
    assert (found["list_amount"], found["markdown"], found["amount"]) == (
        120.0,
        12.0,
        EXPECTED["order_1005"]["subtotal"],
    )
    assert (found["shipping"], found["charged"]) == (5.0, EXPECTED["order_1005"]["total"])
    assert (found["units"], found["coupon"], found["product"], found["channel"]) == (4, "WELCOME10", "Mug", "web")


def test_net_sales_leave_out_gift_cards_shipping_and_tax(shopify):
    first = order(
        Subtotal="115.00", Shipping="5.00", Taxes="9.00", Total="129.00", Discount_Amount="10.00",
        Refunded_Amount="49.50", Lineitem_quantity="2", Lineitem_price="50.00",
    )  # fmt: skip
    gift = line("#1002", "1", "25.00", Lineitem_name="Gift Card - $25", Lineitem_requires_shipping="false")
    shop = shopify([first, gift | {"Lineitem name": "Gift Card - $25", "Lineitem requires shipping": "false"}])
    (found,) = orders_of(shop).to_dicts()
    # Goods 2 x 50 = 100, less 10; of the total of 129, 49.50 were paid back; returns of 45 leave 45 of net sales.
    assert (found["list_amount"], found["markdown"], found["amount"]) == (100.0, 10.0, 90.0)
    assert found["charged"] - found["refunded"] == 79.5
    assert found["amount"] - 45 == 45
    assert noticed(shop, "gift cards and goods") == 1
    assert orders_of(shopify([first, gift], policy=Policy(value="charged")))["amount"].item() == 104.0


def test_further_lines_may_lack_everything_but_the_name(shopify):
    first = order(Subtotal="50.00", Total="50.00")
    bare = shopify([first, line("#1002", "2", "15.00")])
    full = shopify(
        [first, line("#1002", "2", "15.00", Email=first["Email"]) | {"Created at": first["Created at"]}],
        name="full.csv",
    )
    assert orders_of(bare).equals(orders_of(full))
    assert orders_of(bare).select("units", "list_amount", "product").row(0) == (3, 50.0, "Further")


FIFTY = order(Subtotal="50.00", Total="50.00")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        # Cells that are filled down do not count twice.
        ([FIFTY, FIFTY | {"Lineitem quantity": "2", "Lineitem price": "15.00"}], [(50.0, 3, 50.0)]),
        # The same article may stand on several lines.
        ([order(Subtotal="40.00", Total="40.00"), line("#1002", "1", "20.00", Lineitem_name="Mug")], [(40.0, 2, 40.0)]),
        # Two orders of one name are different by their ids.
        (
            [order(Id="1"), order(Id="2", Total="30.00", Subtotal="30.00", Lineitem_price="30.00")],
            [(20.0, 1, 20.0), (30.0, 1, 30.0)],
        ),
        # Where lines are missing the subtotal says what the goods came to.
        ([order(Subtotal="90.00", Total="90.00")], [(90.0, 1, 90.0)]),
    ],
)
def test_lines_belong_to_one_order_as_often_as_they_stand_there(shopify, rows, found):
    assert orders_of(shopify(rows)).select("amount", "units", "list_amount").rows() == found


def test_older_exports_are_recognised_by_their_names_wherever_they_stand(shopify):
    until_2012 = tuple(reversed(COLUMNS[: COLUMNS.index("Cancelled at") + 1]))
    shop = shopify([order(), line("#1002", "1", "0.00"), order("#1001")], columns=until_2012)
    assert orders_of(shop)["order_id"].to_list() == ["#1002", "#1001"]
    assert shop.receipts[0].columns == (47, 79)
    assert shop.opening


def test_ids_that_a_spreadsheet_rounded_give_way_to_names(shopify):
    shop = shopify([order("#1002", Id="5.00000E+12"), order("#1003", Id="5.00000E+12")])
    assert orders_of(shop)["order_id"].to_list() == ["#1002", "#1003"]
    assert noticed(shop, "rounded by a spreadsheet") == 2


def test_days_that_a_spreadsheet_rewrote_are_read_where_the_file_tells_day_from_month(shopify):
    rewritten = order("#1002", Created_at="03/02/2024 10:00")
    rows = [rewritten, order("#1003", Created_at="25/02/2024 10:00")]
    assert orders_of(shopify(rows))["ordered_at"][0] == datetime(2024, 2, 3, 10)
    with pytest.raises(DataError, match=r"'03/02/2024 10:00' can be read as 3 February 2024 or 2 March 2024, and no"):
        shopify([rewritten])


@pytest.mark.parametrize(
    ("more", "words", "rows"),
    [
        ([order("#1003", Created_at="")], "orders without a timestamp", 1),
        ([order("#1003", Total="", Subtotal="")], "orders without a value", 1),
        ([order("#1003", Payment_Method="(for testing) Bogus Gateway")], "test orders", 1),
        ([order("#1003", Tags="vip, Test")], "test orders", 1),
        ([order("#1003", Financial_Status="voided"), line("#1003", "1", "5.00")], "cancelled", 2),
    ],
)
def test_what_does_not_count_goes_with_all_its_rows_and_is_counted(shopify, more, words, rows):
    shop = shopify([order("#1002"), *more])
    assert (noticed(shop, words), shop.receipts[0].rows_kept, orders_of(shop).height) == (rows, 1, 1)


@pytest.mark.parametrize(
    ("cells", "message", "words"),
    [
        ({"Created_at": "yesterday"}, "'Created at': 1 of 2 cells .*: row 2: 'yesterday' ", "without a timestamp"),
        # Decimal commas beside decimal points are not guessed.
        (
            {"Total": "12,50", "Subtotal": "12,50"},
            "'Subtotal': .* such as '20.00', .* such as '12,50'",
            "without a value",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_or_missing_if_somebody_says_so(shopify, cells, message, words):
    rows = [order("#1002"), order("#1003", **cells)]
    with pytest.raises(DataError, match=message):
        shopify(rows)
    shop = shopify(rows, policy=Policy(unreadable="missing"))
    assert (noticed(shop, words), orders_of(shop).height) == (1, 1)


def test_a_test_is_a_whole_tag_and_an_order_that_stands_twice_counts_once(shopify):
    shop = shopify([order("#1002"), order("#1003", Tags="contest"), order("#1002")])
    assert (orders_of(shop).height, noticed(shop, "appear twice")) == (2, 1)


def test_universal_time_needs_offsets(shopify):
    with pytest.raises(DataError, match=r"have no UTC offset"):
        shopify([order(Created_at="2024-02-01 10:00:00")], policy=Policy(clock="utc"))


def test_replacements_and_drafts_stay_free_orders_if_the_policy_keeps_them_and_all_are_counted(shopify):
    free = order("#1003", Tags="replacement", Total="0.00", Subtotal="0.00", Discount_Amount="20.00")
    rows = [order("#1002", Source="shopify_draft_order"), free]
    for policy, left in ((Policy(), 1), (Policy(zero="keep"), 2)):
        shop = shopify(rows, policy=policy)
        assert [noticed(shop, words) for words in ("replacement", "draft", "free orders")] == [1, 1, 1]
        assert orders_of(shop).height == left


def test_lines_of_no_order_of_the_file_are_counted(shopify):
    shop = shopify([line("#1009", "1", "5.00"), order("#1002", Taxes="3.19", Email=""), line("", "1", "5.00")])
    assert noticed(shop, "first line is not in this file") == 1
    assert noticed(shop, "without an order name") == 1
    assert fact(shop, "without identity") == "1 of 1 orders (100.0%)"
    assert fact(shop, "tax within prices") == "in 1 of 1 orders; their amounts include tax"
    assert orders_of(shop).height == 1


def test_one_id_for_orders_of_different_moments_is_refused(shopify):
    rows = [
        order("#1002", Id="7"),
        order("#1003", Id="8"),
        order("#1004", Id="7", Created_at="2024-05-01 10:00:00 -0400"),
    ]
    with pytest.raises(
        DataError, match=r"1 order numbers are shared by orders with different times or customers, .* '7'"
    ):
        shopify(rows)


def test_a_column_that_only_some_orders_fill_is_left_out_and_said(shopify):
    shop = shopify([order("#1002"), order("#1003", Shipping="")])
    assert shop.missing("orders.shipping") == "the export has it for 1 of 2 orders."
    assert "shipping" not in orders_of(shop).columns


def test_refunds_without_a_date_are_no_returns_and_the_first_order_shows_the_opening(shopify):
    shop = read_shop(FILE)
    assert "neither their dates nor their lines" in shop.missing("returns")
    assert shop.opening
    assert not shopify([order("#10010"), order("#21001")]).opening


def many_rows(orders: int) -> list[dict[str, str]]:
    """Orders of one to four lines, newest first, some voided; the same each time."""
    generator = np.random.Generator(np.random.PCG64(20240501))
    rows = []
    for number in range(orders, 0, -1):
        lines = [
            (int(generator.integers(1, 4)), int(generator.integers(100, 9999))) for _ in range(generator.integers(1, 5))
        ]
        cents = sum(quantity * price for quantity, price in lines)
        cut = int(generator.integers(0, 100))
        status = "voided" if generator.random() < 0.02 else "paid"
        first = order(
            f"#{5000 + number}",
            Email=f"Buyer{number % 4001}@example.com",
            Financial_Status=status,
            Subtotal=f"{(cents - cut) / 100:.2f}",
            Discount_Amount=f"{cut / 100:.2f}",
            Total=f"{(cents - cut) / 100:.2f}",
            Lineitem_quantity=str(lines[0][0]),
            Lineitem_price=f"{lines[0][1] / 100:.2f}",
        )
        rows += [first, *(line(first["Name"], str(quantity), f"{price / 100:.2f}") for quantity, price in lines[1:])]
    return rows


def test_ten_thousand_lines_read_as_a_plain_loop_reads_them(tmp_path):
    rows = many_rows(4_000)
    assert len(rows) > 9_000
    units = lists = net = kept = 0
    counts = False
    for row in rows:
        if "Financial Status" in row:
            counts = row["Financial Status"] == "paid"
            kept += counts
            net += counts * round(float(row["Subtotal"]) * 100)
        units += counts * int(row["Lineitem quantity"])
        lists += counts * int(row["Lineitem quantity"]) * round(float(row["Lineitem price"]) * 100)
    orders = orders_of(read_shop(write(tmp_path / "large.csv", rows)))
    cents = orders.select((pl.col("amount", "list_amount") * 100).round().cast(pl.Int64).sum())
    assert (orders.height, orders["units"].sum(), *cents.row(0)) == (kept, units, net, lists)


CUSTOMERS = pl.scan_csv(EXPORTS / "shopify_customers.csv", infer_schema=False)
WOO, AMAZON = EXPORTS / "woo_advanced_order_export.csv", EXPORTS / "amazon_all_orders.txt"
CHARGED = Policy(value="charged")

SUITE = (
    "order_id,order_number,order_date,status,shipping_total,tax_total,discount_total,order_total,order_subtotal,"
    "order_currency,customer_email,customer_id\n"
)
PLAIN = (
    "id,status,currency,date_created,date_created_gmt,discount_total,shipping_total,total,total_tax,customer_id,"
    "billing_email\n"
)
ANALYTICS = (
    "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),Net Sales,"
    "Attribution\n2024-02-01 10:00:00,7,$40.00,completed,Eve Doe,new,3× Mug,3,,40.00,direct\n"
)
MAGENTO = (
    "ID,Purchase Point,Purchase Date,Grand Total (Base),Grand Total (Purchased),Status,Customer Email,Subtotal,"
    "Shipping and Handling,Total Refunded\n"
)


def test_totals_that_repeat_on_every_line_of_woocommerce_count_once():
    expected = EXPECTED["woo_aoe"]
    every = orders_of(read_shop(WOO, policy=Policy(value="charged", cancelled="keep")))
    assert (every.height, every["amount"].sum()) == (expected["orders"], expected["sum_total_dedup"]) == (2, 55.0)
    kept = orders_of(read_shop(WOO, policy=CHARGED))
    assert (kept["amount"] - kept["refunded"]).sum() == expected["net_after_refund_excl_cancelled"] == 30.0
    # Goods are without shipping: 20 + 15, of 3 pieces
    assert orders_of(read_shop(WOO)).select("amount", "units", "shipping").row(0) == (35.0, 3, 5.0)


def test_totals_on_the_first_line_alone_read_the_same(text_file):
    lines = WOO.read_text().splitlines()
    bare = lines[2].replace(",35.00,,5.00,10.00,40.00,", ",,,,,,")
    assert bare != lines[2]
    shop = read_shop(text_file("\n".join([*lines[:2], bare, lines[3]])))
    assert orders_of(shop).equals(orders_of(read_shop(WOO)))


def test_an_order_with_two_totals_is_left_out(text_file):
    text = WOO.read_text()
    first = text.splitlines()[1]
    shop = read_shop(text_file(text.replace(first, first.replace("40.00", "41.00"))), policy=Policy(cancelled="keep"))
    assert noticed(shop, "show different totals") == 2
    assert orders_of(shop)["order_id"].to_list() == ["502"]


def test_the_import_export_suite_writes_the_month_first(text_file):
    rows = "7,7,02/25/2024 10:00:00,completed,5.00,0.00,4.00,41.00,40.00,EUR,Eve@Example.com,3\n"
    shop = read_shop(text_file(SUITE + rows))
    (found,) = orders_of(shop).to_dicts()
    assert (found["ordered_at"], found["customer_id"]) == (datetime(2024, 2, 25, 10), "eve@example.com")
    assert (found["list_amount"], found["markdown"], found["amount"], found["charged"]) == (40.0, 4.0, 36.0, 41.0)
    assert shop.currency == "EUR"


def test_plain_orders_are_read_with_accounts_and_guests(text_file):
    rows = (
        "1,wc-completed,EUR,2024-02-01T10:00:00,2024-02-01T09:00:00,2.00,5.00,35.00,6.00,3,\n"
        "2,processing,EUR,2024-02-02T10:00:00,2024-02-02T09:00:00,0.00,5.00,35.00,6.00,0,\n"
        "3,wc-failed,EUR,2024-02-03T10:00:00,2024-02-03T09:00:00,0.00,5.00,35.00,6.00,0,eve@example.com\n"
    )
    path = text_file(PLAIN + rows)
    orders = orders_of(read_shop(path))
    # 35 - 5 - 6 = 24; before 2 were taken off, 26
    assert orders.select("customer_id", "amount", "list_amount").rows() == [
        ("account 3", 24.0, 26.0),
        (None, 24.0, 24.0),
    ]
    in_utc = orders_of(read_shop(path, policy=Policy(clock="utc")))
    assert in_utc["ordered_at"].to_list() == [datetime(2024, 2, 1, 9), datetime(2024, 2, 2, 9)]


def test_the_analytics_of_woocommerce_know_neither_customers_nor_what_was_charged(text_file):
    path = text_file(ANALYTICS)
    shop = read_shop(path)
    assert orders_of(shop).select("amount", "units", "customer_id").row(0) == (40.0, 3, None)
    assert "by their names alone" in shop.missing("orders.customer_id")
    with pytest.raises(DataError, match="do not show the total charged; use policy value: merchandise"):
        read_shop(path, policy=CHARGED)


def test_magento_counts_in_the_currency_of_the_store(text_file):
    rows = (
        '1,Main,"Feb 1, 2024 10:00:00 AM",45.00,39.00,complete,Eve@Example.com,40.00,5.00,10.00\n'
        '2,Main,"Feb 2, 2024 3:00:00 PM",15.00,13.00,canceled,fay@example.com,10.00,5.00,0.00\n'
    )
    shop = read_shop(text_file(MAGENTO + rows))
    (found,) = orders_of(shop).to_dicts()
    assert (found["charged"], found["amount"], found["refunded"]) == (45.0, 40.0, 10.0)
    assert found["customer_id"] == "eve@example.com"
    assert noticed(shop, "cancelled") == 1
    assert dict(shop.receipts[0].facts)["amount"] == "grand total less shipping, which holds the tax on the goods"
    assert "does not show what was taken off" in shop.missing("orders.markdown")


def test_amazon_names_nobody_and_the_price_of_an_item_is_for_all_its_pieces():
    shop, expected = read_shop(AMAZON), EXPECTED["amazon"]
    orders = orders_of(shop)
    assert (orders["amount"].sum(), orders.height) == (expected["revenue"], expected["shipped_orders"]) == (30.0, 1)
    assert orders["units"].sum() == 3
    assert expected["customers"] is None
    assert orders["customer_id"].null_count() == 1
    assert "identifies a customer" in shop.missing("orders.customer_id")


def test_orders_of_amazon_without_a_price_yet_are_left_out_and_prices_without_a_currency_refused(text_file):
    text = AMAZON.read_text()
    pending = text.splitlines()[1].replace("Shipped", "Pending").replace("USD\t30.00", "\t").replace("001", "009")
    assert noticed(read_shop(text_file(text + pending, "orders.txt")), "without a value") == 1
    with pytest.raises(DataError, match=r"orders\.txt: there are prices without a currency"):
        read_shop(text_file(text.replace("\tUSD\t30.00", "\t\t30.00"), "orders.txt"))


def test_the_customers_of_shopify_are_counted_under_their_earlier_names_too_and_cannot_be_measured():
    older = pl.LazyFrame({"Total Orders": ["0", "2"], "Accepts Marketing": ["yes", "yes"]})
    now, then = (read_as("Shopify customers", rows).receipts[0] for rows in (CUSTOMERS, older))
    expected = EXPECTED["shopify_customers"]
    assert now.rows_read == expected["rows"]
    assert dict(now.facts)["never ordered"] == str(expected["zero_order_leads"]) == "1"
    assert dict(then.facts) == {"never ordered": "1", "accept e-mail": "2"}
    with pytest.raises(DataError, match=r"nothing in it can be measured(?s:.*)there is no moment in it"):
        read_shop(EXPORTS / "shopify_customers.csv")


@pytest.mark.parametrize("name", ["place", "row", "key", "unread", "lines"])
def test_a_column_that_we_do_not_use_may_have_any_name(name, text_file):
    rows = [f"c{place % 7},2024-01-{1 + place % 28:02d},{5 + place % 9},{place},x{place}" for place in range(30)]
    header = f"customer_id,ordered_at,amount,{{}},{name}"
    twice = "\n".join(sorted(rows * 2))
    once = read_transactions(text_file(f"{header.format('order_id')}\n{twice}"))
    assert once.totals.orders == 30
    assert read_transactions(text_file(f"{header.format('status')}\n{twice}"), policy={"counts": NUMBERS}).totals == (
        once.totals
    )
    lines = "\n".join(f"{row}{line}" for row in rows for line in "ab")
    with pytest.raises(DataError, match=r"'amount': 1 of 60 cells cannot be read as an amount: row 7: 'n/a'"):
        read_transactions(text_file(f"{header.format('order_id')}\n{lines.replace(',8,3,x3a', ',n/a,3,x3a')}"))
    (found,) = read_transactions(text_file(f"{header.format('number')}\n{lines}")).findings
    assert "--order-id 'number'" in found.advice


def test_of_many_statuses_that_nobody_knows_the_most_frequent_are_named(text_file):
    rows = "".join(f"c{place},2024-01-01,5,note {place // 2}\n" for place in range(51))
    with pytest.raises(DataError, match=r"'note 0': 2 orders \(10\.00\).*; and 16 more\. .*rename it\.$") as refusal:
        read_transactions(text_file(f"customer_id,ordered_at,amount,status\n{rows}"))
    assert len(str(refusal.value)) < 1_000


def test_a_quotation_mark_that_is_not_closed_is_named_with_its_cell(text_file):
    rows = 'customer_id,ordered_at,amount,note\na,2024-01-01,5,x\nb,2024-01-02,6,"y\nc,2024-01-03,7,z\n'
    with pytest.raises(DataError, match=r"""quotation mark is not closed, in the cell that begins '"y'"""):
        read_transactions(text_file(rows))


def test_orders_without_numbers_count_once_where_one_file_has_customers_as_numbers(tmp_path):
    days = [datetime(2024, 1, 1 + day) for day in range(20)]
    orders = pl.DataFrame({"customer_id": [day % 9 for day in range(20)], "ordered_at": days, "amount": [5.0] * 20})
    orders.write_parquet(tmp_path / "all.parquet")
    orders.head(12).write_csv(tmp_path / "part.csv")
    found = read_transactions(tmp_path)
    assert found.totals == (9, 20, 100.0)
    assert "12 of 12 rows" in next(one.sentence for one in found.findings if one.topic.startswith("part.csv"))
