"""Orders of WooCommerce, Magento and Amazon, and Shopify's customers: the examples, and what each cannot say."""

# ruff: noqa: DTZ001 - the clocks of shops have no zone
from __future__ import annotations

import json
from datetime import datetime

import polars as pl
import pytest

from cxsim.data.contracts import ORDERS
from cxsim.data.exports.format import Export, Policy
from cxsim.data.exports.read_shop import read_shop
from cxsim.data.exports.shopify import shopify_customers
from cxsim.errors import DataError
from cxsim.tables import check
from tests.shop.shopify_rows import EXPORTS

EXPECTED = json.loads((EXPORTS / "expected.json").read_text())
WOO, AMAZON = EXPORTS / "woo_advanced_order_export.csv", EXPORTS / "amazon_all_orders.txt"
CHARGED = Policy(value="charged")

SUITE = "order_id,order_number,order_date,status,shipping_total,tax_total,discount_total,order_total,order_subtotal,"
SUITE += "order_currency,customer_email,customer_id\n"
PLAIN = "id,status,currency,date_created,date_created_gmt,discount_total,shipping_total,total,total_tax,customer_id,"
PLAIN += "billing_email\n"
ANALYTICS = (
    "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),Net Sales,"
)
ANALYTICS += "Attribution\n"
MAGENTO = "ID,Purchase Point,Purchase Date,Grand Total (Base),Grand Total (Purchased),Status,Customer Email,Subtotal,"
MAGENTO += "Shipping and Handling,Total Refunded\n"


def orders_of(shop) -> pl.DataFrame:
    return check(shop.orders.collect(), ORDERS)


def dropped(shop, words: str) -> int:
    (found,) = [one for one in shop.receipts[0].lines if words in one.reason]
    return found.rows


# The Advanced Order Export of WooCommerce.


def test_totals_that_repeat_on_every_line_count_once():
    every = orders_of(read_shop(WOO, policy=Policy(value="charged", cancelled="keep")))
    assert every["amount"].sum() == EXPECTED["woo_aoe"]["sum_total_dedup"] == 55.0
    assert every.height == EXPECTED["woo_aoe"]["orders"] == 2


def test_cancelled_orders_go_and_refunds_are_known():
    orders = orders_of(read_shop(WOO, policy=CHARGED))
    assert (
        (orders["amount"] - orders["refunded"]).sum() == EXPECTED["woo_aoe"]["net_after_refund_excl_cancelled"] == 30.0
    )


def test_goods_are_without_shipping():
    # 20 + 15, of 3 pieces
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
    assert dropped(shop, "differ in their total") == 2
    assert orders_of(shop)["order_id"].to_list() == ["502"]


# The other exports of WooCommerce.


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


def test_the_analytics_of_woocommerce_know_no_customer(text_file):
    rows = "2024-02-01 10:00:00,7,$40.00,completed,Eve Doe,new,3× Mug,3,,40.00,direct\n"
    shop = read_shop(text_file(ANALYTICS + rows))
    assert orders_of(shop).select("amount", "units", "customer_id").row(0) == (40.0, 3, None)
    assert "by their names alone" in shop.missing("orders.customer_id")


def test_the_analytics_of_woocommerce_do_not_say_what_was_charged(text_file):
    rows = "2024-02-01 10:00:00,7,$40.00,completed,Eve Doe,new,3× Mug,3,,40.00,direct\n"
    with pytest.raises(DataError, match="do not say what was charged; use policy value: merchandise"):
        read_shop(text_file(ANALYTICS + rows), policy=CHARGED)


# Magento.


def test_magento_counts_in_the_currency_of_the_store(text_file):
    rows = (
        '1,Main,"Feb 1, 2024 10:00:00 AM",45.00,39.00,complete,Eve@Example.com,40.00,5.00,10.00\n'
        '2,Main,"Feb 2, 2024 3:00:00 PM",15.00,13.00,canceled,fay@example.com,10.00,5.00,0.00\n'
    )
    shop = read_shop(text_file(MAGENTO + rows))
    (found,) = orders_of(shop).to_dicts()
    assert (found["charged"], found["amount"], found["refunded"]) == (45.0, 40.0, 10.0)
    assert found["customer_id"] == "eve@example.com"
    assert dropped(shop, "cancelled") == 1
    assert dict(shop.receipts[0].facts)["amount"] == "grand total less shipping, which holds the tax on the goods"
    assert "does not show what was taken off" in shop.missing("orders.markdown")


# Amazon.


def test_the_price_of_an_item_is_for_all_its_pieces():
    orders = orders_of(read_shop(AMAZON))
    assert orders["amount"].sum() == EXPECTED["amazon"]["revenue"] == 30.0
    assert orders["units"].sum() == 3
    assert orders.height == EXPECTED["amazon"]["shipped_orders"] == 1


def test_the_receipt_shows_how_many_orders_were_cancelled():
    facts = dict(read_shop(AMAZON).receipts[0].facts)
    assert facts["orders"] == "2, of which 1 count"
    assert facts["status"].startswith("Cancelled 1 (0.00)")


def test_nobody_is_known_of_those_who_order_at_amazon():
    shop = read_shop(AMAZON)
    assert EXPECTED["amazon"]["customers"] is None
    assert orders_of(shop)["customer_id"].null_count() == 1
    assert "identifies a customer" in shop.missing("orders.customer_id")


def test_orders_without_a_price_yet_are_left_out(text_file):
    lines = AMAZON.read_text().splitlines()
    pending = lines[1].replace("Shipped", "Pending").replace("USD\t30.00", "\t").replace("0000001", "0000009")
    shop = read_shop(text_file("\n".join([*lines, pending]), "orders.txt"))
    assert dropped(shop, "value is missing") == 1


def test_prices_without_a_currency_are_refused(text_file):
    text = AMAZON.read_text().replace("\tUSD\t30.00", "\t\t30.00")
    with pytest.raises(DataError, match=r"orders\.txt: there are prices without a currency"):
        read_shop(text_file(text, "orders.txt"))


# Shopify's customers.


def test_the_customers_of_shopify_cannot_be_measured():
    with pytest.raises(DataError, match=r"nothing in it can be measured(?s:.*)there is no moment in it"):
        read_shop(EXPORTS / "shopify_customers.csv")


def test_the_customers_of_shopify_are_read_without_apostrophes():
    rows = pl.scan_csv(EXPORTS / "shopify_customers.csv", infer_schema=False)
    customers = shopify_customers(Export(file="customers.csv", rows=rows))
    expected = EXPECTED["shopify_customers"]
    assert customers["customer_id"].to_list() == expected["ids"]
    assert customers["zip"][0] == expected["zip_first"] == "01234"
    assert customers["lead"].sum() == expected["zero_order_leads"] == 1
    assert customers.select("orders", "spent", "accepts_email").row(0) == (3, 233.0, True)
    assert customers.height == expected["rows"]


def test_older_exports_of_customers_have_no_ids():
    older = pl.LazyFrame({n: ["1"] for n in ("First Name", "Last Name", "Email", "Zip", "Total Spent", "Total Orders")})
    assert shopify_customers(Export(file="a.csv", rows=older)).select("customer_id", "zip").row(0) == (None, "1")


def test_another_file_is_no_export_of_customers():
    with pytest.raises(DataError, match=r"a\.csv: not a Shopify customers export; it lacks First Name, Last Name"):
        shopify_customers(Export(file="a.csv", rows=pl.LazyFrame({"Email": ["a"]})))
