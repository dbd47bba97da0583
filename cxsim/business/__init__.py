"""A study in, everything that a finance director asks of it out: one frozen business case of tables."""

from __future__ import annotations

from cxsim.business.case import BusinessCase, business_case
from cxsim.business.checklist import checklist
from cxsim.business.information import information
from cxsim.business.kpis import kpis
from cxsim.business.liabilities import liabilities
from cxsim.business.planned_tests import planned_tests
from cxsim.business.register import case_register
from cxsim.business.splitting import split

__all__ = [
    "BusinessCase",
    "business_case",
    "case_register",
    "checklist",
    "information",
    "kpis",
    "liabilities",
    "planned_tests",
    "split",
]
