"""The contracts of the tables of a business case: what a finance director asks beyond the returns of each strategy."""

from __future__ import annotations

from cxsim.business_tables.ignorance import INFORMATION, SPLIT, TEST_PLAN
from cxsim.business_tables.money import COHORT_MONEY, FAN, GRAINS, INVESTMENT, LIABILITIES, PERIODS
from cxsim.business_tables.sensitivity import BASE_CASE, BREAK_EVENS, GRID, GRID_CENTRE, HEAT, PATHWAYS, RATES, TORNADO
from cxsim.business_tables.verdict import CHECKLIST, DECISION, KPIS, PORTFOLIO, REGISTER

__all__ = [
    "BASE_CASE",
    "BREAK_EVENS",
    "CHECKLIST",
    "COHORT_MONEY",
    "DECISION",
    "FAN",
    "GRAINS",
    "GRID",
    "GRID_CENTRE",
    "HEAT",
    "INFORMATION",
    "INVESTMENT",
    "KPIS",
    "LIABILITIES",
    "PATHWAYS",
    "PERIODS",
    "PORTFOLIO",
    "RATES",
    "REGISTER",
    "SPLIT",
    "TEST_PLAN",
    "TORNADO",
]
