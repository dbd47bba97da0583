"""Counts, sums and waiting times in; estimates with proper intervals out."""

from __future__ import annotations

from cxsim.intervals.cautions import caution_for
from cxsim.intervals.clustered import clustered_wilson
from cxsim.intervals.differences import difference
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.events import garwood
from cxsim.intervals.levels import student_quantile
from cxsim.intervals.limits import usual_range
from cxsim.intervals.many import discoveries
from cxsim.intervals.means import median_of, order_coverage
from cxsim.intervals.proportions import wilson
from cxsim.intervals.ratios import CrossSums, RatioSums, ratio, ratio_correlation, ratio_error
from cxsim.intervals.scores import net_promoter
from cxsim.intervals.wait_readings import answered_within, median, quantile, still_waiting
from cxsim.intervals.waiting import Survival, survival_from_counts

__all__ = [
    "CrossSums",
    "Estimate",
    "RatioSums",
    "Survival",
    "answered_within",
    "caution_for",
    "clustered_wilson",
    "difference",
    "discoveries",
    "garwood",
    "median",
    "median_of",
    "net_promoter",
    "order_coverage",
    "quantile",
    "ratio",
    "ratio_correlation",
    "ratio_error",
    "still_waiting",
    "student_quantile",
    "survival_from_counts",
    "usual_range",
    "wilson",
]
