"""The order grid of Magento goes in; orders in the currency of the store, and a receipt, come out.

Of the two totals the one marked `(Base)` is in the store's own currency; `(Purchased)` is in the customer's, and those
of different orders have no sum. The grid shows neither lines nor markdowns nor tax.
"""

from __future__ import annotations

import polars as pl

from cxsim.data.exports.files import collected
from cxsim.data.exports.format import Export, Format, Policy, Readout, found, headed, names_in
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.exports.placed_orders import Placed, coarse, fine, identity, number, settled

_COLUMNS = names_in(
    "ID|Purchase Point|Purchase Date|Bill-to Name|Ship-to Name|Grand Total (Base)|Grand Total (Purchased)|"
    "Status|Billing Address|Shipping Address|Shipping Information|Customer Email|Customer Group|Subtotal|"
    "Shipping and Handling|Customer Name|Payment Method|Total Refunded|Allocated sources|Pickup Location Code|"
    "Braintree Transaction Source|Dispute State"
)
_REQUIRED = ("ID", "Purchase Date", "Grand Total (Base)", "Status", "Customer Email", "Shipping and Handling")
_USED = (*_REQUIRED, "Total Refunded")
_CANCELLED = ("canceled", "cancelled", "fraud", "suspected fraud")
_UNPAID = ("pending", "pending payment", "on hold", "holded", "payment review")
_LACKS = {
    "orders.markdown": "the order grid of Magento does not show what was taken off.",
    "orders.tax": "the order grid of Magento does not show tax.",
    "returns": "the order grid of Magento tells how much of an order was paid back, but not when.",
}
_WITH_TAX = "grand total less shipping, which holds the tax on the goods"


def _read(export: Export, policy: Policy) -> Readout:
    named = headed(export, _COLUMNS)
    present = set(named.rows.collect_schema().names())
    cells = collected(
        named.rows.select(text_of(n).alias(n) if n in present else pl.lit(None, pl.String).alias(n) for n in _USED),
        export.file,
    )
    when = moments(cells.lazy(), ["Purchase Date"], file=export.file, clock=policy.clock)
    total, shipping, refunded = (
        fine(number(name, export.file)) for name in ("Grand Total (Base)", "Shipping and Handling", "Total Refunded")
    )
    status = pl.col("Status").str.to_lowercase().str.replace_all("_", " ", literal=True)
    orders = cells.select(
        order_id="ID",
        customer_id=identity(pl.col("Customer Email"), pl.lit(None, pl.String)),
        ordered_at=when.columns["Purchase Date"],
        amount=coarse(total - shipping if policy.value == "merchandise" else total),
        shipping=coarse(shipping),
        charged=coarse(total),
        refunded=coarse(refunded),
        lines=pl.lit(1, pl.Int64),
        status=status,
        cancelled=status.is_in(_CANCELLED),
        unpaid=status.is_in(_UNPAID),
    )
    placed = Placed(
        export=export,
        recognised=MAGENTO_ORDERS.name,
        columns=found(named, _COLUMNS),
        rows_read=cells.height,
        orders=orders,
        facts=(*when.facts, *((("amount", _WITH_TAX),) if policy.value == "merchandise" else ())),
        lacks=_LACKS,
    )
    return settled(placed, policy)


MAGENTO_ORDERS = Format(name="Magento order grid", columns=_COLUMNS, required=_REQUIRED, read=_read)
