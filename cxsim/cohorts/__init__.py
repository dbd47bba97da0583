"""Customers by when they came and by what they said, in; what they are worth, and how far that is selection, out."""

from __future__ import annotations

from cxsim.cohorts.adjusted import AdjustedRatio, adjusted_ratio, e_value
from cxsim.cohorts.answerers import Windows
from cxsim.cohorts.by_nps import ltv_by_nps
from cxsim.cohorts.cohort_table import Measure, cohort_table
from cxsim.cohorts.comparing import Ratio, plain_ratio, ratio_to_own_past
from cxsim.cohorts.selection import selection_panel

__all__ = [
    "AdjustedRatio",
    "Measure",
    "Ratio",
    "Windows",
    "adjusted_ratio",
    "cohort_table",
    "e_value",
    "ltv_by_nps",
    "plain_ratio",
    "ratio_to_own_past",
    "selection_panel",
]
