"""Exports of Shopify and of Amazon, whose rows are the items of orders, go in; orders and receipts come out."""

from __future__ import annotations

import polars as pl

from cxsim.data.exports.formats import Export, Format, Readout, cells, collected, located
from cxsim.data.exports.moments import moments
from cxsim.data.exports.order_lists import Placed, coarse, fine, identity, number, settled
from cxsim.data.shop import Policy, ReceiptLine, noticed
from cxsim.errors import DataError

_OF_LINE = ("line_units", "line_name", "line_price", "line_shipped")
_OF_ORDER = ("subtotal", "shipping", "tax", "duties", "charged", "markdown", "refunded", "outstanding")
_UNPAID = ("pending", "authorized", "expired")
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
    file = export.file
    lines = collected(cells(export, form), file)
    blocks = _blocks(lines, file)
    headless = blocks["charged"].is_null() & blocks["status"].is_null()
    nameless = blocks["name"].is_null()
    orders = blocks.filter(~(headless | nameless))
    when = moments(
        orders.lazy(), ["ordered_at", "shipped_at"], file=file, clock=policy.clock, shown=located(export, form)
    )
    rounded = int(orders["id"].str.contains(_ROUNDED).sum())
    by_name = rounded > 0 or orders["id"].null_count() > 0
    rows = orders.with_columns(
        *(number(name, file) for name in _OF_ORDER), order_id="name" if by_name else "id", **when.columns
    )
    gone = {
        "lines without the name of an order": nameless,
        "further lines of an order whose first line is not in this file": headless & ~nameless,
    }
    placed = Placed(
        export=export,
        form=form,
        rows_read=lines.height,
        orders=_orders(rows, policy),
        lines=(
            *noticed("dropped", {reason: int(blocks.filter(where)["lines"].sum()) for reason, where in gone.items()}),
            *_noticed(rows, rounded),
        ),
        facts=(*when.facts, *_arithmetic(rows)),
        opening=bool(rows["name"].str.contains(_FIRST_NUMBER).any()),
    )
    return settled(placed, policy)


def read_amazon(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the orders, without customers, of Amazon's report of all orders.

    One row is one item of an order, and its price is for all of its quantity, not for one (Amazon Seller Central,
    "Order reports": "aggregate of the quantity"). The report identifies no customer.
    """
    rows = collected(cells(export, form), export.file)
    lines = rows.filter(pl.col("order_id").is_not_null())
    when = moments(lines.lazy(), ["ordered_at"], file=export.file, clock=policy.clock, shown=located(export, form))
    placed = Placed(
        export=export,
        form=form,
        rows_read=rows.height,
        orders=_amazon_orders(_summed(lines.with_columns(**when.columns), export.file), policy),
        lines=noticed("dropped", {"lines without an order number": rows.height - lines.height}),
        facts=when.facts,
    )
    return settled(placed, policy)


def _blocks(lines: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return one row for each run of lines of one order: the first that is written of it, and the sums of its lines."""
    name, ident = pl.col("name"), pl.col("id")
    earlier = ident.forward_fill().shift()
    # Of two orders that follow each other under one name, the second has another id.
    starts = name.ne_missing(name.shift()) | (ident.is_not_null() & earlier.is_not_null() & (ident != earlier))
    shipped = pl.col("line_shipped").fill_null("").str.to_lowercase() == "true"
    goods = ~pl.col("gift")
    return (
        lines.with_columns(
            number("line_units", file),
            number("line_price", file),
            gift=(pl.col("line_name").str.contains("(?i)gift card") & ~shipped).fill_null(value=False),
            block=starts.fill_null(value=True).cum_sum(),
        )
        .with_columns(value=fine(pl.col("line_units") * pl.col("line_price")))
        .group_by("block", maintain_order=True)
        .agg(
            *(pl.col(one).first(ignore_nulls=True) for one in lines.columns if one not in _OF_LINE),
            pl.col("line_name").max_by("value").alias("product"),
            lines=pl.len(),
            value=pl.col("value").sum(),
            known=pl.col("value").is_not_null().all(),
            gifts=pl.col("value").filter(~goods).sum(),
            units=pl.col("line_units").sum().cast(pl.Int64),
            gift_units=pl.col("line_units").filter(~goods).sum().cast(pl.Int64),
        )
    )


def _orders(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    keeps = policy.gift_cards == "keep"
    gifts = pl.lit(0) if keeps else pl.col("gifts")
    net = fine(pl.col("subtotal")) - gifts
    of_lines = pl.col("value") - gifts
    # Where lines are missing or cannot be read, the subtotal alone says what the goods came to.
    listed = pl.when(pl.col("known") & (of_lines >= net)).then(of_lines).otherwise(net)
    charged = fine(pl.col("charged")) - gifts
    return rows.select(
        *("order_id", "ordered_at", "shipped_at", "lines", "product", "shipping", "tax", "charged", "refunded"),
        *("channel", "coupon", "currency", "status"),
        customer_id=identity(pl.col("email"), pl.coalesce("phone", "billing_phone")),
        amount=coarse(net if policy.value == "merchandise" else charged),
        list_amount=coarse(listed),
        markdown=coarse(listed - net),
        units=pl.col("units") - (pl.lit(0) if keeps else pl.col("gift_units")),
        test=pl.col("payment").str.contains("(?i)bogus gateway").fill_null(value=False)
        | pl.col("tags").fill_null("").str.contains(_TAG.format("test")),
        cancelled=pl.col("cancelled_at").is_not_null() | (pl.col("status") == "voided"),
        unpaid=pl.col("status").is_in(_UNPAID),
        gift_cards=(pl.col("gifts") > 0) & (pl.col("gifts") == pl.col("value")),
    )


def _noticed(rows: pl.DataFrame, rounded: int) -> tuple[ReceiptLine, ...]:
    """Count what a reader should know of orders that stay."""
    short = ~pl.col("known") | (pl.col("value") < fine(pl.col("subtotal")))
    unpaid = pl.col("paid_at").is_null() & (pl.col("outstanding") == pl.col("charged"))
    reasons = {
        "order ids that a spreadsheet rounded, such as 5.0E+12; all orders go by their names": pl.lit(rounded),
        "orders marked as paid without a time and with the whole total outstanding, as apps make them": (
            (pl.col("status") == "paid") & unpaid
        ).sum(),
        "orders whose lines are missing in part; their goods are what the subtotal says": short.sum(),
        "orders tagged as replacement": pl.col("tags").str.contains(_TAG.format("replacement")).sum(),
        "orders made from a draft": (pl.col("channel") == "shopify_draft_order").sum(),
        "orders of no charge": (pl.col("charged") == 0).sum(),
        "orders with gift cards and goods": ((pl.col("gifts") > 0) & (pl.col("gifts") < pl.col("value"))).sum(),
    }
    counts = rows.select(count.alias(reason) for reason, count in reasons.items()).row(0, named=True)
    return noticed("kept", {reason: int(count or 0) for reason, count in counts.items()})


def _arithmetic(rows: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    """Count how often the sums of an order hold, and where prices include tax."""
    part = {name: fine(pl.col(name).fill_null(0)) for name in _OF_ORDER}
    goods_fit = (pl.col("value") - part["markdown"] - part["subtotal"]).abs() < _CENT
    delivered = part["subtotal"] + part["shipping"] - part["charged"]
    added = (delivered + part["tax"] + part["duties"]).abs() < _CENT
    included = (delivered.abs() < _CENT) & (part["tax"] > 0) & ~added
    fits, adds, inside = rows.select(goods_fit.sum(), added.sum().alias("a"), included.sum().alias("i")).row(0)
    every = f"of {rows.height:,} orders"
    facts = [
        ("lines - markdown = subtotal", f"in {fits:,} {every}"),
        ("subtotal + shipping + taxes = total", f"in {adds:,} {every}"),
        ("paid back", f"{rows.select(coarse(fine(pl.col('refunded')).sum())).item():,.2f}"),
    ]
    if inside:
        facts.append(("tax within prices", f"in {inside:,} {every}, whose amounts hold their tax"))
    return tuple(facts)


def _summed(lines: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return one row an order, with the sums of its items in whole ten-thousandths."""
    if lines.filter(pl.col("item_price").is_not_null())["currency"].null_count():
        raise DataError(f"{file}: there are prices without a currency; ask Amazon for the report again.")
    off = (pl.col("item_status").str.to_lowercase() == "cancelled").fill_null(value=False)
    # Of a cancelled item nothing is sold; its price is blank.
    sold = {name: pl.when(off).then(0).otherwise(fine(number(name, file))) for name in _OF_ITEM}
    items = lines.with_columns(**sold, units=number("units", file))
    return items.group_by("order_id", maintain_order=True).agg(
        pl.col("ordered_at").min(),
        pl.col("status", "currency", "channel").first(ignore_nulls=True),
        pl.col("product").max_by(pl.col("item_price").fill_null(0)),
        units=pl.col("units").sum().cast(pl.Int64),
        priced=pl.col("item_price").is_not_null().all(),
        goods=pl.col("item_price").sum(),
        off=pl.col("markdown").sum(),
        added=pl.sum_horizontal(pl.col(name).sum() for name in _ADDED) - pl.col("shipping_markdown").sum(),
        shipping=pl.col("shipping_price").sum() - pl.col("shipping_markdown").sum(),
        tax=pl.sum_horizontal(pl.col(name).sum() for name in _ADDED if name.endswith("tax")),
        lines=pl.len(),
    )


def _amazon_orders(orders: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    net = pl.col("goods") - pl.col("off")
    charged = net + pl.col("added")
    priced = pl.col("priced")
    status = pl.col("status").str.to_lowercase()
    return orders.select(
        *("order_id", "ordered_at", "units", "product", "currency", "lines", "channel", "status"),
        customer_id=pl.lit(None, pl.String),
        # An order that Amazon has not confirmed has no price yet.
        amount=pl.when(priced).then(coarse(net if policy.value == "merchandise" else charged)),
        list_amount=pl.when(priced).then(coarse(pl.col("goods"))),
        markdown=coarse(pl.col("off")),
        shipping=coarse(pl.col("shipping")),
        tax=coarse(pl.col("tax")),
        charged=pl.when(priced).then(coarse(charged)),
        cancelled=status == "cancelled",
        unpaid=status.str.starts_with("pending"),
    )
