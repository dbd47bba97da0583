"""A finished report in; whether it can be made again, and what moved between two versions, out."""

from __future__ import annotations

from cxsim.audit.assumptions import AssumptionMove
from cxsim.audit.comparing import Comparison, compare
from cxsim.audit.difference import Difference
from cxsim.audit.results import ResultMove
from cxsim.audit.tables import TableMove
from cxsim.audit.verifying import Verdict, verify

__all__ = ["AssumptionMove", "Comparison", "Difference", "ResultMove", "TableMove", "Verdict", "compare", "verify"]
