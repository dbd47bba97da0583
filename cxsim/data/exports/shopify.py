"""A Shopify orders export, of any year, goes in; its orders and a receipt come out.

One row is one line of an order. Shopify, "Exporting orders": of an order with several lines, only the first row says
what holds for the order as a whole. Lines of an order follow each other.
`Subtotal` is after markdowns, `Lineitem price` is for one unit, and each moment has the offset of the shop on that day.
"""

from __future__ import annotations

import polars as pl

from cxsim.data.exports.files import collected
from cxsim.data.exports.format import Export, Format, Policy, Readout, Receipt, ReceiptLine, found, headed, names_in
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.exports.placed_orders import Placed, coarse, fine, identity, number, settled
from cxsim.errors import DataError

COLUMNS = names_in(
    "Name|Email|Financial Status|Paid at|Fulfillment Status|Fulfilled at|Accepts Marketing|Currency|Subtotal|"
    "Shipping|Taxes|Total|Discount Code|Discount Amount|Shipping Method|Created at|Lineitem quantity|"
    "Lineitem name|Lineitem price|Lineitem compare at price|Lineitem sku|Lineitem requires shipping|"
    "Lineitem taxable|Lineitem fulfillment status|Billing Name|Billing Street|Billing Address1|"
    "Billing Address2|Billing Company|Billing City|Billing Zip|Billing Province|Billing Country|Billing Phone|"
    "Shipping Name|Shipping Street|Shipping Address1|Shipping Address2|Shipping Company|Shipping City|"
    "Shipping Zip|Shipping Province|Shipping Country|Shipping Phone|Notes|Note Attributes|Cancelled at|"
    "Payment Method|Payment Reference|Refunded Amount|Vendor|Outstanding Balance|Employee|Location|Device ID|"
    "Id|Tags|Risk Level|Source|Lineitem discount|Tax 1 Name|Tax 1 Value|Tax 2 Name|Tax 2 Value|Tax 3 Name|"
    "Tax 3 Value|Tax 4 Name|Tax 4 Value|Tax 5 Name|Tax 5 Value|Phone|Receipt Number|Duties|"
    "Billing Province Name|Shipping Province Name|Payment ID|Payment Terms Name|Next Payment Due At|"
    "Payment References"
)
REQUIRED = names_in(
    "Name|Financial Status|Currency|Subtotal|Total|Created at|Lineitem quantity|Lineitem name|Lineitem price"
)
# What holds for an order as a whole.
_OF_ORDER = names_in(
    "Name|Id|Email|Phone|Billing Phone|Financial Status|Paid at|Fulfilled at|Currency|Subtotal|Shipping|Taxes|"
    "Duties|Total|Discount Code|Discount Amount|Created at|Cancelled at|Payment Method|Refunded Amount|"
    "Outstanding Balance|Source|Tags"
)
_OF_LINE = ("Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem requires shipping")
_MONEY = (
    "Subtotal",
    "Shipping",
    "Taxes",
    "Duties",
    "Total",
    "Discount Amount",
    "Refunded Amount",
    "Outstanding Balance",
)
_UNPAID = ("pending", "authorized", "expired")
_TAG = r"(?i)(?:^|,)\s*{}\s*(?:,|$)"
_DAMAGED = r"^\d+(?:[.,]\d+)?[eE]\+?\d+$"
_FIRST_NUMBER = r"(?:^|\D)1001(?:\D|$)"
# Identities of money hold to the cent.
_CENT = 101

_LACKS = {
    "returns": (
        "the Shopify orders export tells how much of an order was paid back, but neither when nor for which line."
    ),
}


def _read(export: Export, policy: Policy) -> Readout:
    named = headed(export, COLUMNS)
    present = set(named.rows.collect_schema().names())
    wanted = (*_OF_ORDER, *_OF_LINE)
    cells = collected(
        named.rows.select(text_of(n).alias(n) if n in present else pl.lit(None, pl.String).alias(n) for n in wanted),
        export.file,
    )
    blocks = _blocks(cells, export.file)
    headless = blocks["Total"].is_null() & blocks["Financial Status"].is_null()
    nameless = blocks["Name"].is_null()
    orders = blocks.filter(~(headless | nameless))
    when = moments(orders.lazy(), ["Created at", "Fulfilled at"], file=export.file, clock=policy.clock)
    damaged = int(orders["Id"].str.contains(_DAMAGED).sum())
    by_name = damaged > 0 or orders["Id"].null_count() > 0
    rows = orders.with_columns(number(name, export.file) for name in _MONEY).with_columns(
        order_id="Name" if by_name else "Id",
        ordered_at=when.columns["Created at"],
        shipped_at=when.columns["Fulfilled at"],
    )
    placed = Placed(
        export=export,
        recognised=SHOPIFY_ORDERS.name,
        columns=found(named, COLUMNS),
        rows_read=cells.height,
        orders=_orders(rows, policy),
        lines=(
            _gone("lines without the name of an order", blocks.filter(nameless)),
            _gone(
                "further lines of an order whose first line is not in this file", blocks.filter(headless & ~nameless)
            ),
            *_noticed(rows, damaged),
        ),
        facts=(*when.facts, *_arithmetic(rows)),
        lacks=_LACKS,
        opening=bool(rows["Name"].str.contains(_FIRST_NUMBER).any()),
    )
    return settled(placed, policy)


SHOPIFY_ORDERS = Format(name="Shopify orders", columns=COLUMNS, required=REQUIRED, read=_read)


def _blocks(cells: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return one row for each run of lines of one order: the first that is said of it, and the sums of its lines."""
    name, ident = pl.col("Name"), pl.col("Id")
    earlier = ident.forward_fill().shift()
    # Of two orders that follow each other under one name, the second has another Id.
    starts = name.ne_missing(name.shift()) | (ident.is_not_null() & earlier.is_not_null() & (ident != earlier))
    value = fine(pl.col("Lineitem quantity") * pl.col("Lineitem price"))
    gift = (
        pl.col("Lineitem name").str.contains("(?i)gift card") & (pl.col("Lineitem requires shipping") != "true")
    ).fill_null(value=False)
    lines = cells.with_columns(
        number("Lineitem quantity", file),
        number("Lineitem price", file),
        pl.col("Lineitem requires shipping").fill_null("").str.to_lowercase(),
        block=starts.fill_null(value=True).cum_sum(),
    ).with_columns(value=value, gift=gift)
    goods = ~pl.col("gift")
    return lines.group_by("block", maintain_order=True).agg(
        *(pl.col(one).first(ignore_nulls=True) for one in _OF_ORDER),
        pl.col("Lineitem name").max_by("value").alias("product"),
        lines=pl.len(),
        value=pl.col("value").sum(),
        known=pl.col("value").is_not_null().all(),
        gifts=pl.col("value").filter(~goods).sum(),
        units=pl.col("Lineitem quantity").sum().cast(pl.Int64),
        gift_units=pl.col("Lineitem quantity").filter(~goods).sum().cast(pl.Int64),
    )


def _orders(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    keeps = policy.gift_cards == "keep"
    gifts = pl.lit(0) if keeps else pl.col("gifts")
    net = fine(pl.col("Subtotal")) - gifts
    said = pl.col("value") - gifts
    # Where lines are missing or cannot be read, the subtotal alone says what the goods came to.
    listed = pl.when(pl.col("known") & (said >= net)).then(said).otherwise(net)
    charged = fine(pl.col("Total")) - gifts
    tags = pl.col("Tags").fill_null("")
    return rows.select(
        "order_id",
        "ordered_at",
        "shipped_at",
        "lines",
        "product",
        customer_id=identity(pl.col("Email"), pl.coalesce("Phone", "Billing Phone")),
        amount=coarse(net if policy.value == "merchandise" else charged),
        list_amount=coarse(listed),
        markdown=coarse(listed - net),
        shipping="Shipping",
        tax="Taxes",
        charged="Total",
        refunded="Refunded Amount",
        units=pl.col("units") - (pl.lit(0) if keeps else pl.col("gift_units")),
        channel="Source",
        coupon="Discount Code",
        currency="Currency",
        status="Financial Status",
        test=pl.col("Payment Method").str.contains("(?i)bogus gateway").fill_null(value=False)
        | tags.str.contains(_TAG.format("test")),
        cancelled=pl.col("Cancelled at").is_not_null() | (pl.col("Financial Status") == "voided"),
        unpaid=pl.col("Financial Status").is_in(_UNPAID),
        gift_cards=(pl.col("gifts") > 0) & (pl.col("gifts") == pl.col("value")),
    )


def _gone(reason: str, blocks: pl.DataFrame) -> ReceiptLine:
    return ReceiptLine(reason=reason, action="dropped", rows=int(blocks["lines"].sum()))


def _noticed(rows: pl.DataFrame, damaged: int) -> tuple[ReceiptLine, ...]:
    """Count what a reader should know of orders that stay."""
    short = ~pl.col("known") | (pl.col("value") < fine(pl.col("Subtotal")))
    by_app = (
        (pl.col("Financial Status") == "paid")
        & pl.col("Paid at").is_null()
        & (pl.col("Outstanding Balance") == pl.col("Total"))
    )
    noticed = {
        "order ids that a spreadsheet rounded, such as 5.0E+12; all orders go by their names": pl.lit(damaged),
        "orders marked as paid without a time and with the whole total outstanding, as apps make them": by_app.sum(),
        "orders whose lines are missing in part; their goods are what the subtotal says": short.sum(),
        "orders tagged as replacement": pl.col("Tags").str.contains(_TAG.format("replacement")).sum(),
        "orders made from a draft": (pl.col("Source") == "shopify_draft_order").sum(),
        "orders of no charge": (pl.col("Total") == 0).sum(),
        "orders with gift cards and goods": ((pl.col("gifts") > 0) & (pl.col("gifts") < pl.col("value"))).sum(),
    }
    counts = rows.select(n.alias(reason) for reason, n in noticed.items())
    return tuple(ReceiptLine(reason=reason, action="kept", rows=int(counts[reason][0] or 0)) for reason in noticed)


def _arithmetic(rows: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    """Tell how often the sums of an order hold, and whether prices include tax."""
    part = {name: fine(pl.col(name).fill_null(0)) for name in _MONEY}
    goods_fit = (pl.col("value") - part["Discount Amount"] - part["Subtotal"]).abs() < _CENT
    delivered = part["Subtotal"] + part["Shipping"] - part["Total"]
    added = (delivered + part["Taxes"] + part["Duties"]).abs() < _CENT
    included = (delivered.abs() < _CENT) & (part["Taxes"] > 0) & ~added
    fits, adds, inside = rows.select(goods_fit.sum(), added.sum().alias("a"), included.sum().alias("i")).row(0)
    every = f"of {rows.height:,} orders"
    facts = [
        ("lines - markdown = subtotal", f"in {fits:,} {every}"),
        ("subtotal + shipping + taxes = total", f"in {adds:,} {every}"),
        ("paid back", f"{rows.select(coarse(fine(pl.col('Refunded Amount')).sum())).item():,.2f}"),
    ]
    if inside:
        facts.append(("tax within prices", f"in {inside:,} {every}, whose amounts hold their tax"))
    return tuple(facts)


_COLUMNS = names_in(
    "Customer ID|First Name|Last Name|Email|Accepts Email Marketing|Default Address Company|"
    "Default Address Address1|Default Address Address2|Default Address City|Default Address Province Code|"
    "Default Address Country Code|Default Address Zip|Default Address Phone|Phone|Accepts SMS Marketing|"
    "Total Spent|Total Orders|Note|Tax Exempt|Tags"
)
# What earlier years called the same columns.
_EARLIER = {"Accepts Marketing": "Accepts Email Marketing", "Zip": "Default Address Zip"}
_REQUIRED = ("First Name", "Last Name", "Email", "Total Spent", "Total Orders")
_REASON = "there is no moment in it, neither of a first order nor of any other; export the orders instead"


def shopify_customers(export: Export) -> pl.DataFrame:
    """Return customers and leads with what they consent to.

    Shopify writes an apostrophe before whatever a spreadsheet could take for a number; it is taken off.
    """
    named = headed(export, _COLUMNS, _EARLIER)
    present = set(named.rows.collect_schema().names())
    lacking = [name for name in _REQUIRED if name not in present]
    if lacking:
        raise DataError(f"{export.file}: not a Shopify customers export; it lacks {', '.join(lacking)}.")
    wanted = ("Customer ID", "Email", "Default Address Zip", "Accepts Email Marketing", "Total Orders", "Total Spent")
    cells = collected(
        named.rows.select(text_of(n).alias(n) if n in present else pl.lit(None, pl.String).alias(n) for n in wanted),
        export.file,
    )
    orders = number("Total Orders", export.file).cast(pl.Int64, strict=False)
    return cells.select(
        customer_id=pl.col("Customer ID").str.strip_prefix("'"),
        email=pl.col("Email").str.to_lowercase(),
        zip=pl.col("Default Address Zip").str.strip_prefix("'"),
        accepts_email=pl.col("Accepts Email Marketing").str.to_lowercase() == "yes",
        orders=orders,
        spent=number("Total Spent", export.file),
        lead=orders == 0,
    )


def _set_aside(export: Export, _policy: Policy) -> Readout:
    customers = shopify_customers(export)
    leads, consenting = customers.select(pl.col("lead").sum(), pl.col("accepts_email").sum()).row(0)
    receipt = Receipt(
        file=export.file,
        table="none",
        recognised=SHOPIFY_CUSTOMERS.name,
        columns=found(headed(export, _COLUMNS, _EARLIER), _COLUMNS),
        rows_read=customers.height,
        lines=(ReceiptLine(reason=_REASON, action="dropped", rows=customers.height),),
        facts=(("never ordered", f"{leads:,}"), ("accept e-mail", f"{consenting:,}")),
    )
    return Readout(tables={}, receipts=(receipt,))


SHOPIFY_CUSTOMERS = Format(name="Shopify customers", columns=_COLUMNS, required=_REQUIRED, read=_set_aside)
