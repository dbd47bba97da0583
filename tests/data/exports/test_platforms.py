"""Exports of platforms, a few cells of each under its header: who bought, for how much, what is left out and why."""

from __future__ import annotations

import csv
import io
from datetime import date

import polars as pl
import pytest

from cxsim.data.exports.formats import OWN_FORMATS, formats
from cxsim.data.exports.order_lists import plain_status
from cxsim.data.exports.read_shop import read_shop, read_transactions
from cxsim.errors import DataError
from tests.first_hour import write_exports

FORMATS = {form.name: form for form in formats()}
# Tables that any tool may write: they come from no platform.
OF_NOBODY = ("sessions", "survey-answers")
# docs/exports.md says of them that no public page shows their header.
WITHOUT_ADDRESS = ("freshdesk-tickets", "shopify-customers", "surveymonkey-answers", "typeform-answers")

# ruff: noqa: E501 - headers of exports

# Some columns of each; the orders that are kept, by number: customer, amount and what was paid back; how many rows are
# dropped for which reason.
ORDERS = {
    "online-retail": (
        """
InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country
540001;901;MUG;6;1/4/2011 9:05;2.55;15001;France
540001;902;TIN;12;1/4/2011 9:05;1.25;15001;France
C540017;901;MUG;-2;1/14/2011 16:40;2.55;15001;France
540020;903;STARS;1;1/15/2011 10:12;0.85;;France
540021;904;;-10;1/15/2011 10:20;0;;France
""",
        {"540001": ("15001", 30.3, 5.1), "540020": (None, 0.85, 0.0)},
        {"credit notes and negative lines": 1, "free orders": 1},
    ),
    "squarespace-orders": (
        """
Order ID;Email;Financial Status;Currency;Subtotal;Shipping;Taxes;Amount Refunded;Total;Created at;Lineitem quantity;Lineitem price;Cancelled at
101;ana@x.example;PAID;USD;20.00;10.00;0.00;0.00;30.00;2018-07-25 21:06:10 -0400;1;12.00;
101;;;;;;;;;;2;4.00;
102;Ben@X.example;REFUNDED;USD;24.00;0.00;2.12;26.12;26.12;2018-08-02 08:59:58 -0400;2;12.00;
103;cy@x.example;PENDING;USD;5.00;0.00;0.00;0.00;5.00;2018-08-03 08:00:00 -0400;1;5.00;
104;dee@x.example;VOIDED;USD;9.00;0.00;0.00;0.00;9.00;2018-08-04 08:00:00 -0400;1;9.00;
105;eve@x.example;PAID;USD;7.00;0.00;0.00;0.00;7.00;2018-08-05 08:00:00 -0400;1;7.00;2018-08-06 08:00:00 -0400
""",
        {"101": ("ana@x.example", 20.0, 0.0), "102": ("ben@x.example", 24.0, 26.12), "103": ("cy@x.example", 5.0, 0.0)},
        {"cancelled or voided orders": 2},
    ),
    "etsy-sold-orders": (
        """
Sale Date;Order ID;Buyer User ID;Number of Items;Currency;Order Value;Discount Amount;Order Total;Status
09/03/26;901;ana;2;CAD;68.00;0.00;76.00;Completed
09/12/26;902;ben;3;CAD;1,027.00;102.70;1,004.30;
09/20/26;903;cy;1;CAD;9.00;0.00;15.00;Canceled
""",
        {"901": ("ana", 68.0, None), "902": ("ben", 924.3, None)},
        {"cancelled or voided orders": 1},
    ),
    "etsy-sold-order-items": (
        """
Sale Date;Item Name;Buyer;Quantity;Price;Discount Amount;Item Total;Currency;Transaction ID;Order ID
09/03/26;Mug;ana;2;34.00;0.00;68.00;CAD;41;901
09/12/26;Soap;ben;3;9.00;2.70;27.00;CAD;42;902
09/12/26;Dish;ben;1;1,000.00;100.00;1,000.00;CAD;43;902
""",
        {"901": ("ana", 68.0, None), "902": ("ben", 924.3, None)},
        {},
    ),
    "ebay-orders": (
        """
Sales Record Number;Order Number;Buyer Username;Item Title;Quantity;Sold For;Sale Date;Paid On Date
;;;;;;;
101;12-3;ana;Lamp, brass;1;$1,045.99;Jul-21-25;Jul-21-25
102;13-3;ben;;3;$30.00;Jul-25-25;Jul-25-25
102;13-3;ben;Stamps A;2;$10.00;Jul-25-25;Jul-25-25
102;13-3;ben;Stamps B;1;$10.00;Jul-25-25;Jul-25-25
3;record(s) downloaded;;;;;;
Seller ID : mine;;;;;;;
""",
        {"12-3": ("ana", 1045.99, None), "13-3": ("ben", 30.0, None)},
        {"rows of an order's sums, and what stands before and after the rows": 4},
    ),
    "square-items": (
        """
Date;Time;Item;Qty;Net Sales;Transaction ID;Event Type;Customer ID
2026-07-18;12:59:30;Mug;1.0;$15.00;T1;Payment;CUST1
2026-07-18;12:59:30;Print;1.0;$1,012.00;T1;Payment;CUST1
2026-07-18;13:20:01;Custom Amount;1.0;$8.00;T2;Payment;
2026-07-20;09:00:00;Print;-1.0;-$1,012.00;T3;Refund;CUST1
""",
        {"T1": ("CUST1", 1027.0, 1012.0), "T2": (None, 8.0, 0.0)},
        {"credit notes and negative lines": 1},
    ),
    "square-transactions": (
        """
Date;Time;Net Sales;Gift Card Sales;Tax;Partial Refunds;Total Collected;Transaction ID;Event Type;Customer ID
2026-07-18;12:59:30;$1,027.00;$0.00;$82.16;$0.00;$1,109.16;T1;Payment;CUST1
2026-07-18;13:20:01;$8.00;$0.00;$0.00;-$2.00;$8.00;T2;Payment;CUST2
2026-07-20;09:00:00;-$1,027.00;$0.00;-$82.16;$0.00;-$1,109.16;T3;Refund;CUST1
""",
        {"T2": ("CUST2", 8.0, 2.0)},
        {"credit notes and negative lines": 1, "orders fully reversed by a credit note": 1},
    ),
    "stripe-payments": (
        """
id;Created date (UTC);Amount;Amount Refunded;Currency;Mode;Status;Customer ID;Customer Email
ch_1;2026-07-10 18:37:41;1,000.00;0.00;usd;Live;Paid;cus_1;ana@x.example
ch_2;2026-07-11 08:00:00;59.90;59.90;usd;Live;Refunded;;ben@x.example
ch_3;2026-07-11 09:00:00;80.00;10.00;usd;Live;Paid;;cy@x.example
ch_4;2026-07-12 09:00:00;25.00;0.00;usd;Live;Failed;;dee@x.example
ch_5;2026-07-12 09:05:00;25.00;0.00;usd;Test;Paid;;t@x.example
""",
        {"ch_1": ("cus_1", 1000.0, 0.0), "ch_2": ("ben@x.example", 59.9, 59.9), "ch_3": ("cy@x.example", 80.0, 10.0)},
        {"payments in test mode": 1, "cancelled or voided orders": 1},
    ),
    "paypal-activity": (
        """
Date;Time;Type;Status;Currency;Gross;Net;From Email Address;Transaction ID;Shipping and Handling Amount;Sales Tax
09/25/2026;10:00:00;Express Checkout Payment;Completed;USD;1,065.00;1,033.00;ana@x.example;1AA;5.00;60.00
09/25/2026;18:00:00;General Withdrawal;Completed;USD;-500.00;-500.00;;1AB;0.00;0.00
09/26/2026;08:00:00;Website Payment;Pending;USD;20.00;20.00;ben@x.example;1AC;0.00;0.00
09/27/2026;09:00:00;Website Payment;Denied;USD;30.00;30.00;cy@x.example;1AD;0.00;0.00
""",
        {"1AA": ("ana@x.example", 1000.0, None), "1AC": ("ben@x.example", 20.0, None)},
        {"refunds, fees, transfers and conversions": 1, "cancelled or voided orders": 1},
    ),
    "bigcommerce-orders": (
        """
Order ID;Customer Email;Order Date;Order Status;Subtotal (ex tax);Order Total (inc tax);Order Currency Code;Refund Amount
101;ana@x.example;23/09/2024;Completed;1,000.00;1,216.00;GBP;0.00
102;ben@x.example;25/09/2024;Refunded;50.00;60.50;GBP;60.50
103;cy@x.example;25/09/2024;Cancelled;10.00;12.10;GBP;0.00
104;dee@x.example;26/09/2024;Awaiting Payment;10.00;12.10;GBP;0.00
""",
        {
            "101": ("ana@x.example", 1000.0, 0.0),
            "102": ("ben@x.example", 50.0, 60.5),
            "104": ("dee@x.example", 10.0, 0.0),
        },
        {"cancelled or voided orders": 1},
    ),
    "prestashop-orders": (
        """
ID;Customer;Total;Status;Date
1001;A. Example;€1,061.80;Paiement accepté;2024-05-01 10:20:30
1002;B. Example;€69.90;Awaiting check payment;2024-05-02 11:00:00
1003;C. Example;€14.90;Annulé;2024-05-02 12:00:00
""",
        {"1001": (None, 1061.8, None), "1002": (None, 69.9, None)},
        {"cancelled or voided orders": 1},
    ),
}


def written(name, cells, path, **renamed):
    """Write cells under the whole header of a format, names replaced where an edition has others."""
    rows = list(csv.DictReader(io.StringIO(cells.strip()), delimiter=";"))
    header = FORMATS[name].header
    assert set(rows[0]) <= set(header)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([renamed.get(column, column) for column in header])
        csv.DictWriter(file, header, restval="").writerows(rows)
    return path


@pytest.mark.parametrize("name", ORDERS)
def test_orders_of_a_platform_are_read_with_customers_amounts_and_what_is_left_out(name, tmp_path):
    cells, kept, dropped = ORDERS[name]
    shop = read_shop(written(name, cells, tmp_path / "export.csv"))
    receipt = shop.receipts[0]
    assert receipt.recognised == FORMATS[name].title
    orders = shop.orders.collect()
    back = pl.col("refunded").round(2) if "refunded" in orders.columns else pl.lit(None)
    found = orders.select("order_id", "customer_id", "amount", back=back).rows()
    assert {number: tuple(rest) for number, *rest in found} == kept
    lines = [(line.reason, line.rows) for line in receipt.lines if line.action == "dropped" and line.rows]
    assert {next(words for words in dropped if words in reason): rows for reason, rows in lines} == dropped


def test_the_second_edition_of_the_online_retail_log_is_read_as_the_first(tmp_path):
    cells = ORDERS["online-retail"][0].replace(";15001;", ";15001.0;")
    second = {"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"}
    orders = read_transactions(written("online-retail", cells, tmp_path / "second.csv", **second))
    assert orders.table.select("customer_id", "amount").collect().rows() == [("15001", 25.2)]


def test_an_order_of_ebay_that_nobody_paid_is_counted_as_such(tmp_path):
    cells = ORDERS["ebay-orders"][0].replace(";Jul-21-25;Jul-21-25", ";Jul-21-25;")
    receipt = read_shop(written("ebay-orders", cells, tmp_path / "export.csv")).receipts[0]
    assert [line.rows for line in receipt.lines if "unpaid" in line.reason] == [1]


def test_an_order_that_square_took_back_in_part_keeps_the_rest(tmp_path):
    cells = ORDERS["square-transactions"][0].replace("-$1,027.00", "-$1,012.00")
    orders = read_transactions(written("square-transactions", cells, tmp_path / "export.csv"))
    assert orders.table.sort("customer_id").select("amount").collect()["amount"].to_list() == [15.0, 6.0]


def test_orders_without_customers_are_not_fitted_and_the_reason_is_said(tmp_path):
    path = written("prestashop-orders", ORDERS["prestashop-orders"][0], tmp_path / "export.csv")
    assert "SQL Manager" in read_shop(path).missing("orders.customer_id")
    with pytest.raises(DataError, match="no order of a known customer"):
        read_transactions(path)


def test_klaviyo_campaigns_are_set_aside_and_the_reason_is_said(tmp_path):
    cells = "Campaign Name;Total Recipients;Campaign Channel\nSale;645.0;email\nText;10.0;sms\n"
    with pytest.raises(DataError, match=r"(?s)2 rows are not used.*not of what was sent to whom.*sent by e-mail: 1"):
        read_shop(written("klaviyo-campaigns", cells, tmp_path / "campaigns.csv"))


TALKS = """
Conversation ID;Conversation started at (UTC);Current conversation state;User email;First response time (seconds);Conversation rating
21;2026-01-05 10:00:00;Closed;ana@x.example;240;5
22;2026-01-05 23:50:00;Open;Ben@X.example;;
23;2026-01-07 09:00:00;Snoozed;;93600;1
"""


def test_intercom_conversations_are_tickets_and_their_ratings_answers(tmp_path):
    berlin = {"Conversation started at (UTC)": "Conversation started at (Europe/Berlin)"}
    shop = read_shop(written("intercom-conversations", TALKS, tmp_path / "conversations.csv", **berlin))
    waits = pl.col("first_response_at") - pl.col("created_at")
    tickets = shop.tickets.select("customer_id", seconds=waits.dt.total_seconds()).collect().rows()
    assert tickets == [("ana@x.example", 240), ("ben@x.example", None), (None, 93_600)]
    assert shop.surveys.select("instrument", "score").collect().rows() == [("csat", 5), ("csat", 1)]


@pytest.mark.parametrize(
    "moments", ["2026/09/27 3:00:00 PM GMT+3|2026/09/28 12:05:09 AM GMT+3", "27/09/2026 15:00:00|28/9/2026 0:05:09"]
)
def test_google_forms_answers_are_read_from_the_form_and_from_its_sheet(moments, tmp_path):
    path = tmp_path / "answers.csv"
    rows = zip(moments.split("|"), ("ana@x.example", ""), ("9", "10"), ("Fine, all", ""), strict=True)
    text = io.StringIO()
    csv.writer(text).writerows([("Timestamp", "Email Address", "How likely are you to recommend us?", "Why?"), *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
    shop = read_shop(path)
    assert shop.receipts[0].recognised == "Google Forms answers"
    found = shop.surveys.select("customer_id", pl.col("sent_at").dt.to_string("%d %H:%M:%S"), "score").collect().rows()
    assert found == [("ana@x.example", "27 15:00:00", 9), (None, "28 00:05:09", 10)]


@pytest.mark.parametrize("form", [one for one in FORMATS.values() if one.statuses], ids=lambda form: form.name)
def test_a_format_knows_each_status_once(form):
    words = pl.Series([word for words in form.statuses.values() for word in words]).to_frame("word")
    plain = words.select(plain_status(pl.col("word"))).to_series()
    assert plain.filter(plain.is_duplicated()).to_list() == []


@pytest.mark.parametrize(
    "form", [one for one in FORMATS.values() if one not in OWN_FORMATS], ids=lambda form: form.name
)
def test_every_format_of_a_platform_says_where_and_when_its_header_was_seen(form):
    if form.name in OF_NOBODY:
        assert form.source is None
        return
    if form.name in WITHOUT_ADDRESS:
        assert form.source is None
        return
    assert form.source.address.startswith("https://")
    assert form.source.seen > date(2015, 1, 1)


def test_generated_downloads_are_always_the_same_and_read_without_a_question(tmp_path):
    first, again = (write_exports(tmp_path / name, orders=400, tickets=60) for name in ("first", "again"))
    for name in ("shopify_orders.csv", "zendesk_tickets.csv"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
    shop = read_shop(first)
    assert [one for one in shop.findings if one.severity != "note"] == []
    assert (shop.currency, shop.opening) == ("EUR", True)
    assert shop.tickets.collect().height == 60
    receipt = next(one for one in shop.receipts if one.table == "orders")
    dropped = sum(line.rows for line in receipt.lines if line.action == "dropped")
    # Of cancelled orders all lines are dropped, so that they count at least once.
    assert shop.orders.select(pl.len()).collect().item() in range(400 - dropped, 400)
