"""Exports of Shopify and of Amazon, whose rows are the items of orders, go in; orders and receipts come out."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cxsim.data.exports.columns import read_columns
from cxsim.data.exports.formats import Export, Facts, Format, Readout, counted, receipt_of
from cxsim.data.exports.order_lists import coarse, fine, identity, settled
from cxsim.data.orders import collected
from cxsim.data.shop import Policy, ReceiptLine, noticed
from cxsim.errors import DataError

_OF_LINE = ("line_units", "line_name", "line_price", "line_shipped")
_NUMBERS_OF_LINE = ("line_units", "line_price")
_OF_ORDER = ("subtotal", "shipping", "tax", "duties", "charged", "markdown", "refunded", "outstanding")
_TAG = r"(?i)(?:^|,)\s*{}\s*(?:,|$)"
_ROUNDED = r"^\d+(?:[.,]\d+)?[eE]\+?\d+$"
_FIRST_NUMBER = r"(?:^|\D)1001(?:\D|$)"
_ADDED = ("item_tax", "shipping_price", "shipping_tax", "wrap_price", "wrap_tax")
_OF_ITEM = ("item_price", "markdown", "shipping_markdown", *_ADDED)
# Identities of money hold to the cent.
_CENT = 101


def read_shopify(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the orders of a Shopify orders export, of any year.

    One row is one line of an order. Shopify, "Exporting orders": of an order with several lines, only the first row
    says what holds for the order as a whole. Lines of an order follow each other. `subtotal` is after markdowns,
    `line_price` is for one unit, and each moment has the offset of the shop on that day.
    """
    read = read_columns(export, form, policy, ("ordered_at", "shipped_at"), numbers=(*_OF_ORDER, *_NUMBERS_OF_LINE))
    lines = collected(read.rows, export.file)
    blocks = _blocks(lines)
    nameless = pl.col("name").is_null()
    headless = pl.col("charged").is_null() & pl.col("status").is_null() & ~nameless
    gone = {
        "lines without an order name": nameless,
        "further lines of an order whose first line is not in this file": headless,
    }
    dropped = {reason: int(blocks.filter(where)["lines"].sum()) for reason, where in gone.items()}
    orders = blocks.filter(~(headless | nameless))
    rounded = int(orders["id"].str.contains(_ROUNDED).sum())
    ident = "name" if rounded or orders["id"].null_count() else "id"
    rows = orders.with_columns(order_id=ident)
    receipt = receipt_of(
        export,
        form,
        rows=lines.height,
        lines=read.lines + noticed("dropped", dropped) + _noticed(rows, rounded),
        facts=read.facts + _arithmetic(rows),
    )
    opening = bool(rows["name"].str.contains(_FIRST_NUMBER).any())
    return replace(settled(_orders(rows, policy), receipt, form, policy), opening=opening)


def read_amazon(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the orders, without customers, of Amazon's report of all orders.

    One row is one item of an order, and its price is for all of its quantity, not for one (Amazon Seller Central,
    "Order reports": "aggregate of the quantity"). The report identifies no customer.
    """
    read = read_columns(export, form, policy, ("ordered_at",), numbers=(*_OF_ITEM, "units"))
    rows = collected(read.rows, export.file)
    items = rows.drop_nulls("order_id")
    dropped = {"lines without an order number": rows.height - items.height}
    receipt = receipt_of(
        export, form, rows=rows.height, lines=read.lines + noticed("dropped", dropped), facts=read.facts
    )
    return settled(_amazon_orders(items, policy, export.file), receipt, form, policy)


def _blocks(lines: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each run of lines of one order: the first that is written of it, and the sums of its lines."""
    name, ident, value = pl.col("name"), pl.col("id"), pl.col("value")
    # Of two orders that follow each other under one name, the second has another id.
    starts = name.ne_missing(name.shift()) | (ident != ident.forward_fill().shift()).fill_null(value=False)
    shipped = pl.col("line_shipped").fill_null("").str.to_lowercase() == "true"
    return (
        lines.with_columns(
            gift=(pl.col("line_name").str.contains("(?i)gift card") & ~shipped).fill_null(value=False),
            block=starts.cum_sum(),
        )
        .with_columns(value=fine(pl.col("line_units") * pl.col("line_price")))
        .group_by("block", maintain_order=True)
        .agg(
            pl.col(one for one in lines.columns if one not in _OF_LINE).first(ignore_nulls=True),
            lines=pl.len(),
            product=pl.col("line_name").max_by("value"),
            value=value.sum(),
            known=value.is_not_null().all(),
            gifts=value.filter("gift").sum(),
            units=pl.col("line_units").sum().cast(pl.Int64),
            gift_units=pl.col("line_units").filter("gift").sum().cast(pl.Int64),
        )
    )


def _orders(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    value, all_gifts = pl.col("value"), pl.col("gifts")
    out = int(policy.gift_cards == "drop")
    gifts = out * all_gifts
    net = fine(pl.col("subtotal")) - gifts
    # Where lines are missing or cannot be read, the subtotal alone says what the goods came to.
    listed = pl.when(pl.col("known") & (value - gifts >= net)).then(value - gifts).otherwise(net)
    return rows.select(
        *("order_id", "ordered_at", "shipped_at", "lines", "product", "shipping", "tax", "charged", "refunded"),
        *("channel", "coupon", "currency", "status"),
        customer_id=identity(pl.col("email"), pl.coalesce("phone", "billing_phone")),
        amount=coarse(net if policy.value == "merchandise" else fine(pl.col("charged")) - gifts),
        list_amount=coarse(listed),
        markdown=coarse(listed - net),
        units=pl.col("units") - out * pl.col("gift_units"),
        test=pl.col("payment").str.contains("(?i)bogus gateway").fill_null(value=False) | _tagged("test"),
        cancelled=pl.col("cancelled_at").is_not_null(),
        gift_cards=(all_gifts > 0) & (all_gifts == value),
    )


def _tagged(tag: str) -> pl.Expr:
    return pl.col("tags").fill_null("").str.contains(_TAG.format(tag))


def _noticed(rows: pl.DataFrame, rounded: int) -> tuple[ReceiptLine, ...]:
    """Count what a reader should know of orders that stay."""
    unpaid = pl.col("paid_at").is_null() & (pl.col("outstanding") == pl.col("charged"))
    reasons = {
        "orders marked as paid, without a payment time and with the full total outstanding, as some apps create them": (
            (pl.col("status") == "paid") & unpaid
        ),
        "orders with missing lines; the subtotal is used as the value of goods": (
            ~pl.col("known") | (pl.col("value") < fine(pl.col("subtotal")))
        ),
        "orders tagged as replacements": _tagged("replacement"),
        "orders created from a draft": pl.col("channel") == "shopify_draft_order",
        "orders with gift cards and goods": pl.col("gifts").is_between(0, pl.col("value"), closed="none"),
    }
    ids = {"order ids rounded by a spreadsheet, such as 5.0E+12; the order names are used instead": rounded}
    return noticed("kept", ids) + counted(rows, reasons)


def _arithmetic(rows: pl.DataFrame) -> Facts:
    """Count how often the sums of an order hold, and where prices include tax."""
    part = {name: fine(pl.col(name).fill_null(0)) for name in _OF_ORDER}
    delivered = part["subtotal"] + part["shipping"] - part["charged"]
    added = (delivered + part["tax"] + part["duties"]).abs() < _CENT
    sums = {
        "lines - markdown = subtotal": (pl.col("value") - part["markdown"] - part["subtotal"]).abs() < _CENT,
        "subtotal + shipping + taxes = total": added,
    }
    every = f"of {rows.height:,} orders"
    facts = {name: f"in {rows.filter(where).height:,} {every}" for name, where in sums.items()}
    facts["refunded"] = f"{rows.select(coarse(part['refunded'].sum())).item():,.2f}"
    inside = rows.filter((delivered.abs() < _CENT) & (part["tax"] > 0) & ~added).height
    if inside:
        facts["tax within prices"] = f"in {inside:,} {every}; their amounts include tax"
    return tuple(facts.items())


def _amazon_orders(items: pl.DataFrame, policy: Policy, file: str) -> pl.DataFrame:
    if items.drop_nulls("item_price")["currency"].null_count():
        raise DataError(f"{file}: there are prices without a currency; ask Amazon for the report again.")
    cancelled = pl.col("item_status").str.to_lowercase() == "cancelled"
    # Of a cancelled item nothing is sold; its price is blank.
    sold = [pl.when(cancelled).then(0).otherwise(fine(pl.col(name))).alias(name) for name in _OF_ITEM]
    orders = (
        items.with_columns(*sold)
        .group_by("order_id", maintain_order=True)
        .agg(
            pl.col("ordered_at").min(),
            pl.col("status", "currency", "channel").first(ignore_nulls=True),
            pl.col("product").max_by(pl.col("item_price").fill_null(0)),
            pl.col(*_OF_ITEM, "units").sum(),
            priced=pl.col("item_price").is_not_null().all(),
            lines=pl.len(),
        )
    )
    goods, off = pl.col("item_price"), pl.col("markdown")
    charged = goods - off + pl.sum_horizontal(*_ADDED) - pl.col("shipping_markdown")
    priced = {
        "amount": goods - off if policy.value == "merchandise" else charged,
        "list_amount": goods,
        "charged": charged,
    }
    return orders.select(
        *("order_id", "ordered_at", "product", "currency", "lines", "channel", "status"),
        pl.col("units").cast(pl.Int64),
        # An order that Amazon has not confirmed has no price yet.
        *(pl.when("priced").then(coarse(money)).alias(name) for name, money in priced.items()),
        customer_id=pl.lit(None, pl.String),
        markdown=coarse(off),
        shipping=coarse(pl.col("shipping_price") - pl.col("shipping_markdown")),
        tax=coarse(pl.sum_horizontal(pl.col("^.*_tax$"))),
    )
