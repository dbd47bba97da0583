"""Amazon's report of all orders goes in; orders without customers, and a receipt, come out.

One row is one item of an order, and `item-price` is for all of its quantity, not for one (Amazon Seller Central, "Order
reports": "aggregate of the quantity"). The report identifies no customer.
"""

from __future__ import annotations

import polars as pl

from cxsim.data.exports.files import collected
from cxsim.data.exports.format import Export, Format, Policy, Readout, ReceiptLine, found, headed, names_in
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.exports.placed_orders import Placed, coarse, fine, number, settled
from cxsim.errors import DataError

_COLUMNS = names_in(
    "amazon-order-id|merchant-order-id|purchase-date|last-updated-date|order-status|fulfillment-channel|"
    "sales-channel|order-channel|url|ship-service-level|product-name|sku|asin|item-status|quantity|currency|"
    "item-price|item-tax|shipping-price|shipping-tax|gift-wrap-price|gift-wrap-tax|item-promotion-discount|"
    "ship-promotion-discount|ship-city|ship-state|ship-postal-code|ship-country|promotion-ids|"
    "is-business-order|purchase-order-number|price-designation"
)
_REQUIRED = ("amazon-order-id", "purchase-date", "order-status", "item-status", "quantity", "currency", "item-price")
_PRICE, _MARKDOWN = "item-price", "item-promotion-discount"
_ADDED = ("item-tax", "shipping-price", "shipping-tax", "gift-wrap-price", "gift-wrap-tax")
_LACKS = {
    "orders.customer_id": (
        "Amazon's report of all orders holds nothing that identifies a customer, so who came back cannot be told."
    ),
    "returns": "Amazon's report of all orders does not say what was sent back.",
}


def _read(export: Export, policy: Policy) -> Readout:
    named = headed(export, _COLUMNS)
    present = set(named.rows.collect_schema().names())
    cells = collected(
        named.rows.select(text_of(n).alias(n) if n in present else pl.lit(None, pl.String).alias(n) for n in _COLUMNS),
        export.file,
    )
    lines = cells.filter(pl.col("amazon-order-id").is_not_null())
    when = moments(lines.lazy(), ["purchase-date"], file=export.file, clock=policy.clock)
    placed = Placed(
        export=export,
        recognised=AMAZON_ORDERS.name,
        columns=found(named, _COLUMNS),
        rows_read=cells.height,
        orders=_orders(lines.with_columns(ordered_at=when.columns["purchase-date"]), policy, export.file),
        lines=(
            ReceiptLine(reason="lines without an order number", action="dropped", rows=cells.height - lines.height),
        ),
        facts=when.facts,
        lacks=_LACKS,
    )
    return settled(placed, policy)


AMAZON_ORDERS = Format(name="Amazon all orders", columns=_COLUMNS, required=_REQUIRED, read=_read)


def _summed(lines: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return one row an order, with the sums of its items in whole ten-thousandths."""
    if lines.filter(pl.col(_PRICE).is_not_null())["currency"].null_count():
        raise DataError(f"{file}: there are prices without a currency; ask Amazon for the report again.")
    off = pl.col("item-status").str.to_lowercase() == "cancelled"
    money = {name: fine(number(name, file)) for name in (_PRICE, _MARKDOWN, "ship-promotion-discount", *_ADDED)}
    # Of a cancelled item nothing is sold; its price is blank.
    sold = {name: pl.when(off.fill_null(value=False)).then(0).otherwise(one) for name, one in money.items()}
    items = lines.with_columns(**sold, quantity=number("quantity", file)).with_columns(
        shown=pl.col(_PRICE).fill_null(0)
    )
    return items.group_by("amazon-order-id", maintain_order=True).agg(
        pl.col("ordered_at").min(),
        pl.col("order-status", "currency", "sales-channel").first(ignore_nulls=True),
        product=pl.col("product-name").max_by("shown"),
        units=pl.col("quantity").sum().cast(pl.Int64),
        priced=pl.col(_PRICE).is_not_null().all(),
        goods=pl.col(_PRICE).sum(),
        off=pl.col(_MARKDOWN).sum(),
        added=pl.sum_horizontal(pl.col(name).sum() for name in _ADDED) - pl.col("ship-promotion-discount").sum(),
        shipping=pl.col("shipping-price").sum() - pl.col("ship-promotion-discount").sum(),
        tax=pl.sum_horizontal(pl.col(name).sum() for name in _ADDED if name.endswith("tax")),
        lines=pl.len(),
    )


def _orders(lines: pl.DataFrame, policy: Policy, file: str) -> pl.DataFrame:
    net = pl.col("goods") - pl.col("off")
    charged = net + pl.col("added")
    priced = pl.col("priced")
    return _summed(lines, file).select(
        "ordered_at",
        "units",
        "product",
        "currency",
        "lines",
        order_id="amazon-order-id",
        customer_id=pl.lit(None, pl.String),
        # An order that Amazon has not confirmed has no price yet.
        amount=pl.when(priced).then(coarse(net if policy.value == "merchandise" else charged)),
        list_amount=pl.when(priced).then(coarse(pl.col("goods"))),
        markdown=coarse(pl.col("off")),
        shipping=coarse(pl.col("shipping")),
        tax=coarse(pl.col("tax")),
        charged=pl.when(priced).then(coarse(charged)),
        channel="sales-channel",
        status="order-status",
        cancelled=pl.col("order-status").str.to_lowercase() == "cancelled",
        unpaid=pl.col("order-status").str.to_lowercase().str.starts_with("pending"),
    )
