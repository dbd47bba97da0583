"""A shop's own tables: recognised, read, cleaned, with a receipt for every row."""

from __future__ import annotations

from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.period import Every, Period, complete_periods
from cxsim.shop.policy import Policy
from cxsim.shop.reading import read_shop
from cxsim.shop.receipt import Action, Receipt, ReceiptLine
from cxsim.shop.shop import TABLES, Shop
from cxsim.shop.shopify_customers import shopify_customers

__all__ = [
    "TABLES",
    "Action",
    "Every",
    "Export",
    "Format",
    "Period",
    "Policy",
    "Readout",
    "Receipt",
    "ReceiptLine",
    "Shop",
    "complete_periods",
    "read_shop",
    "shopify_customers",
]
