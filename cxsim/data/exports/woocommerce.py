"""Orders as plugins of WooCommerce and its own analytics export them go in; orders and receipts come out.

Moments are by the clock of the site and have no offset. Order totals stand on every line of an order or on the first
alone, as the plugin was set up: both are read, and each order is counted once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from cxsim.data.exports.files import collected
from cxsim.data.exports.format import Export, Format, Policy, Readout, ReceiptLine, found, headed, names_in
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.exports.placed_orders import Placed, coarse, fine, identity, number, settled
from cxsim.errors import DataError

# By the names of the statuses, with blanks for dashes and without the prefix of the database.
_CANCELLED = ("cancelled", "failed", "trash", "draft", "checkout draft")
_UNPAID = ("pending", "pending payment", "on hold")
_NO_DATE = "the export tells how much of an order was paid back, but not when."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """Which column of a format says what; "" where none does."""

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    order_id: str
    ordered_at: str
    status: str
    total: str
    subtotal: str = ""
    shipping: str = ""
    tax: str = ""
    markdown: str = ""
    refunded: str = ""
    email: str = ""
    phone: str = ""
    account: str = ""
    currency: str = ""
    coupon: str = ""
    units: str = ""
    product: str = ""
    line_value: str = ""
    universal: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)


_ADVANCED = _Source(
    name="WooCommerce Advanced Order Export",
    columns=names_in(
        "Order Number|Order Status|Order Date|Customer Note|First Name (Billing)|Last Name (Billing)|"
        "Company (Billing)|Address 1&2 (Billing)|City (Billing)|State Code (Billing)|Postcode (Billing)|"
        "Country Code (Billing)|Email (Billing)|Phone (Billing)|First Name (Shipping)|Last Name (Shipping)|"
        "Address 1&2 (Shipping)|City (Shipping)|State Code (Shipping)|Postcode (Shipping)|"
        "Country Code (Shipping)|Item #|SKU|Name|Product Variation|Quantity|Quantity (- Refund)|Item Cost|"
        "Order Line (w/o tax)|Order Line Tax|Order Line Total|Order Line Total Refunded|"
        "Order Line Total (- Refund)|Image URL|Coupon Code|Discount Amount|Discount Amount Tax|"
        "Payment Method Title|Coupons Used|Cart Discount Amount|Order Subtotal Amount|Order Tax Amount|"
        "Order Shipping Amount|Order Refund Amount|Order Total Amount|Order Total Tax Amount|Total items|"
        "Total products"
    ),
    required=("Order Number", "Order Status", "Order Date", "Order Total Amount", "Order Subtotal Amount"),
    order_id="Order Number",
    ordered_at="Order Date",
    status="Order Status",
    total="Order Total Amount",
    subtotal="Order Subtotal Amount",
    shipping="Order Shipping Amount",
    tax="Order Total Tax Amount",
    markdown="Cart Discount Amount",
    refunded="Order Refund Amount",
    email="Email (Billing)",
    phone="Phone (Billing)",
    coupon="Coupon Code",
    units="Quantity",
    product="Name",
    line_value="Order Line Total",
    also={"Item Name": "Name"},
    lacks={"returns": _NO_DATE},
)
_SUITE = _Source(
    name="WooCommerce Import Export Suite",
    columns=names_in(
        "order_id|order_number|order_date|paid_date|status|shipping_total|shipping_tax_total|fee_total|"
        "fee_tax_total|tax_total|cart_discount|order_discount|discount_total|order_total|order_subtotal|"
        "order_currency|payment_method|payment_method_title|transaction_id|shipping_method|customer_id|"
        "customer_user|customer_email|billing_email|billing_phone"
    ),
    required=("order_id", "order_date", "status", "order_total", "order_subtotal", "discount_total"),
    order_id="order_id",
    ordered_at="order_date",
    status="status",
    total="order_total",
    subtotal="order_subtotal",
    shipping="shipping_total",
    tax="tax_total",
    markdown="discount_total",
    email="customer_email",
    phone="billing_phone",
    account="customer_id",
    currency="order_currency",
    also={"customer_user": "customer_id", "billing_email": "customer_email"},
    lacks={"returns": "the export says nothing of what was paid back."},
)
_PLAIN = _Source(
    name="WooCommerce orders",
    columns=names_in(
        "id|parent_id|number|status|currency|date_created|date_created_gmt|discount_total|discount_tax|"
        "shipping_total|shipping_tax|cart_tax|total|total_tax|prices_include_tax|customer_id|billing_email|"
        "billing_phone|payment_method|payment_method_title|date_paid|date_completed"
    ),
    required=("id", "status", "date_created", "total", "total_tax", "shipping_total", "discount_total", "customer_id"),
    order_id="id",
    ordered_at="date_created",
    status="status",
    total="total",
    shipping="shipping_total",
    tax="total_tax",
    markdown="discount_total",
    email="billing_email",
    phone="billing_phone",
    account="customer_id",
    currency="currency",
    universal="date_created_gmt",
    also={"billing.email": "billing_email", "billing.phone": "billing_phone", "billing: email": "billing_email"},
    lacks={"returns": "the export says nothing of what was paid back."},
)
_ANALYTICS = _Source(
    name="WooCommerce Analytics orders",
    columns=names_in(
        "Date|Order #|N. Revenue (formatted)|Status|Customer|Customer type|Product(s)|Items sold|Coupon(s)|"
        "Net Sales|Attribution"
    ),
    required=("Date", "Order #", "Status", "Customer type", "Product(s)"),
    order_id="Order #",
    ordered_at="Date",
    status="Status",
    total="",
    subtotal="Net Sales",
    coupon="Coupon(s)",
    units="Items sold",
    product="Product(s)",
    also={"N. Revenue": "Net Sales"},
    lacks={
        "orders.customer_id": (
            "the orders of WooCommerce Analytics name customers by their names alone, which many people share; export "
            "the orders with their e-mail addresses."
        ),
        "returns": "WooCommerce Analytics takes what was paid back off the sales without saying when.",
    },
)


def _read(source: _Source, export: Export, policy: Policy) -> Readout:
    named = headed(export, source.columns, source.also)
    if policy.value == "charged" and not source.total:
        raise DataError(f"{export.file}: {source.name} do not say what was charged; use policy value: merchandise.")
    present = set(named.rows.collect_schema().names())
    cells = collected(
        named.rows.select(
            text_of(n).alias(n) if n in present else pl.lit(None, pl.String).alias(n) for n in source.columns
        ),
        export.file,
    )
    lines = cells.filter(pl.col(source.order_id).is_not_null())
    orders, torn = _once(lines, source, export.file)
    universal = policy.clock == "utc" and source.universal in present
    at = source.universal if universal else source.ordered_at
    when = moments(orders.lazy(), [at], file=export.file, clock="shop" if universal else policy.clock)
    placed = Placed(
        export=export,
        recognised=source.name,
        columns=found(named, source.columns),
        rows_read=cells.height,
        orders=_priced(orders.with_columns(ordered_at=when.columns[at]), source, policy),
        lines=(
            ReceiptLine(reason="lines without an order number", action="dropped", rows=cells.height - lines.height),
            ReceiptLine(reason="orders whose lines differ in their total", action="dropped", rows=torn),
        ),
        facts=when.facts,
        lacks=source.lacks,
    )
    return settled(placed, policy)


def _once(lines: pl.DataFrame, source: _Source, file: str) -> tuple[pl.DataFrame, int]:
    """Return one row an order, and how many lines belong to orders that have several totals."""
    total = source.total or source.subtotal
    of_lines = {source.units, source.product, source.line_value}
    value = number(source.line_value, file) if source.line_value else pl.lit(None, pl.Float64)
    quantity = number(source.units, file) if source.units else pl.lit(None, pl.Float64)
    grouped = (
        lines.with_columns(_value=value, _quantity=quantity)
        .group_by(source.order_id, maintain_order=True)
        .agg(
            *(pl.col(n).first(ignore_nulls=True) for n in source.columns if n != source.order_id and n not in of_lines),
            product=pl.col(source.product).max_by(pl.col("_value").fill_null(0))
            if source.product
            else pl.lit(None, pl.String),
            units=pl.col("_quantity").sum().cast(pl.Int64),
            counted=pl.col("_quantity").is_not_null().any(),
            totals=pl.col(total).drop_nulls().n_unique(),
            lines=pl.len(),
        )
    )
    several = pl.col("totals") > 1
    return grouped.filter(~several), int(grouped.filter(several)["lines"].sum())


def _priced(orders: pl.DataFrame, source: _Source, policy: Policy) -> pl.DataFrame:
    total, subtotal, shipping, tax, refunded = (
        _money(name, source) for name in (source.total, source.subtotal, source.shipping, source.tax, source.refunded)
    )
    # An order without a coupon has a blank here.
    markdown = _money(source.markdown, source).fill_null(0)
    goods = subtotal - markdown if source.subtotal else total - shipping - tax
    status = pl.col(source.status).str.to_lowercase().str.strip_prefix("wc-").str.replace_all("-", " ", literal=True)
    columns: dict[str, pl.Expr] = {
        "customer_id": _who(source),
        "amount": coarse(goods if policy.value == "merchandise" else total),
        "status": status,
        "cancelled": status.is_in(_CANCELLED),
        "unpaid": status.is_in(_UNPAID),
    }
    sentence = {"charged": total, "shipping": shipping, "tax": tax, "refunded": refunded}
    columns |= {name: coarse(money) for name, money in sentence.items() if getattr(source, _SAID_AS.get(name, name))}
    if source.markdown:
        columns |= {"list_amount": coarse(goods + markdown), "markdown": coarse(markdown)}
    if source.units:
        columns["units"] = pl.when("counted").then("units")
    if source.product:
        columns["product"] = pl.col("product")
    columns |= {name: pl.col(at) for name, at in (("coupon", source.coupon), ("currency", source.currency)) if at}
    return orders.select("ordered_at", "lines", order_id=source.order_id, **columns)


_SAID_AS = {"charged": "total"}


def _money(name: str, source: _Source) -> pl.Expr:
    """Return a column of money in ten-thousandths; the formatted one of Analytics without its currency sign."""
    if not name:
        return pl.lit(None, pl.Int64)
    return fine(number(name, source.name))


def _who(source: _Source) -> pl.Expr:
    if not source.email:
        return pl.lit(None, pl.String)
    known = identity(pl.col(source.email), pl.col(source.phone))
    if not source.account:
        return known
    # Guests have the account 0.
    return pl.coalesce(
        known, pl.when(~pl.col(source.account).is_in(["0", ""])).then("account " + pl.col(source.account))
    )


def _format(source: _Source) -> Format:
    return Format(name=source.name, columns=source.columns, required=source.required, read=partial(_read, source))


WOOCOMMERCE = tuple(_format(source) for source in (_ADVANCED, _SUITE, _PLAIN, _ANALYTICS))
