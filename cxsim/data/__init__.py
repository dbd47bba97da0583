"""Reading, hygiene and summaries of a shop's orders, and the orders of CDNOW."""

from __future__ import annotations

from cxsim.data.cdnow import load_cdnow
from cxsim.data.holdout import cumulative_repeat_orders, holdout
from cxsim.data.hygiene import HygieneLine, HygienePolicy, HygieneReport
from cxsim.data.named import named_orders
from cxsim.data.rfm import summarise
from cxsim.data.transactions import Transactions, read_transactions

__all__ = [
    "HygieneLine",
    "HygienePolicy",
    "HygieneReport",
    "Transactions",
    "cumulative_repeat_orders",
    "holdout",
    "load_cdnow",
    "named_orders",
    "read_transactions",
    "summarise",
]
