"""Counts in, money out: ledger, statement, returns and their uncertainty."""

from __future__ import annotations

from cxsim.valuation.booking import SHARED, Books, book
from cxsim.valuation.cohort_money import cohort_money
from cxsim.valuation.economics import ACCOUNTS, Economics, Schedule, fixed_costs, load_economics, tariff
from cxsim.valuation.fan import fan
from cxsim.valuation.flows import Flows, cash_days, flows, weights
from cxsim.valuation.internal_rate import InternalRate, internal_rate, modified_internal_rate
from cxsim.valuation.investment import investment
from cxsim.valuation.periods import periods
from cxsim.valuation.returns import (
    LATE,
    Rule,
    draw_at,
    net_present_value,
    npv_by_draw,
    payback_months,
    read_returns,
    returns,
    share_error,
)
from cxsim.valuation.revenue_recognition import (
    Allocation,
    allocate,
    by_period,
    recognised,
    stand_alone_price,
    straight_line,
)
from cxsim.valuation.statement import HIGH, LOW, cash, statement
from cxsim.valuation.totals import totals, years
from cxsim.valuation.worst_tenth import WorstTenth, worst_tenth

__all__ = [
    "ACCOUNTS",
    "HIGH",
    "LATE",
    "LOW",
    "SHARED",
    "Allocation",
    "Books",
    "Economics",
    "Flows",
    "InternalRate",
    "Rule",
    "Schedule",
    "WorstTenth",
    "allocate",
    "book",
    "by_period",
    "cash",
    "cash_days",
    "cohort_money",
    "draw_at",
    "fan",
    "fixed_costs",
    "flows",
    "internal_rate",
    "investment",
    "load_economics",
    "modified_internal_rate",
    "net_present_value",
    "npv_by_draw",
    "payback_months",
    "periods",
    "read_returns",
    "recognised",
    "returns",
    "share_error",
    "stand_alone_price",
    "statement",
    "straight_line",
    "tariff",
    "totals",
    "weights",
    "worst_tenth",
    "years",
]
