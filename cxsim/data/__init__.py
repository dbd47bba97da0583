"""A shop's files in; checked orders, tickets, surveys and sessions out, and what became of every row."""

from cxsim.data.cdnow import load_cdnow
from cxsim.data.exports.read_shop import read_database, read_shop, read_transactions
from cxsim.data.rfm import cumulative_repeat_orders, holdout, summarise
from cxsim.data.shop import Shop

__all__ = [
    "Shop",
    "cumulative_repeat_orders",
    "holdout",
    "load_cdnow",
    "read_database",
    "read_shop",
    "read_transactions",
    "summarise",
]
