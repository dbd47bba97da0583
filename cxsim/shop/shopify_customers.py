"""A Shopify customers export goes in; why it cannot be measured, and what it is good for all the same, come out.

It has one row a customer with a sum and a count of orders over all time, but no moment: neither cohorts nor rates can
be had from it.
"""

from __future__ import annotations

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import found, headed, names_in
from cxsim.shop.moments import text_of
from cxsim.shop.opening import collected
from cxsim.shop.placed import number
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt, ReceiptLine

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
