"""Counts in, money out: ledger, statement, returns and their uncertainty."""

from __future__ import annotations

from cxsim.valuation.booking import SHARED, Books, book
from cxsim.valuation.economics import ACCOUNTS, Economics, Schedule, fixed_costs, load_economics, tariff
from cxsim.valuation.flows import Flows, flows, weights
from cxsim.valuation.returns import Rule, net_present_value, npv_by_draw, payback_months, read_returns, returns
from cxsim.valuation.statement import cash, statement
from cxsim.valuation.totals import totals

__all__ = [
    "ACCOUNTS",
    "SHARED",
    "Books",
    "Economics",
    "Flows",
    "Rule",
    "Schedule",
    "book",
    "cash",
    "fixed_costs",
    "flows",
    "load_economics",
    "net_present_value",
    "npv_by_draw",
    "payback_months",
    "read_returns",
    "returns",
    "statement",
    "tariff",
    "totals",
    "weights",
]
