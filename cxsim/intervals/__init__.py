"""Counts, sums and waiting times in; estimates with proper intervals out."""

from __future__ import annotations

from cxsim.intervals.bootstraps import bootstrap_ratio, resampled_ratios
from cxsim.intervals.cautions import caution_for
from cxsim.intervals.clustered import clustered_wilson
from cxsim.intervals.differences import difference, newcombe, times
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.events import garwood
from cxsim.intervals.hours import Schedule, open_minutes, open_minutes_of, open_minutes_through, weekday_hours
from cxsim.intervals.levels import student_quantile
from cxsim.intervals.limits import p_limits, smoothed_range, usual_range
from cxsim.intervals.many import discoveries
from cxsim.intervals.means import mean, median_of, order_coverage
from cxsim.intervals.proportions import clopper_pearson, wilson
from cxsim.intervals.ratios import (
    CrossSums,
    RatioSums,
    ratio,
    ratio_correlation,
    ratio_error,
    ratio_of,
    ratio_sums,
)
from cxsim.intervals.scores import net_promoter, net_promoter_change, net_promoter_error, net_promoter_wald
from cxsim.intervals.shrinkage import BetaPrior, fitted_prior, shrunk
from cxsim.intervals.strata import effective_answers, poststratified, worst_case
from cxsim.intervals.value import partitioned
from cxsim.intervals.wait_readings import answered_within, median, quantile, restricted_mean, still_waiting
from cxsim.intervals.waiting import (
    Survival,
    first_gap_survival,
    gap_survival,
    survival,
    survival_from_counts,
)

__all__ = [
    "BetaPrior",
    "CrossSums",
    "Estimate",
    "RatioSums",
    "Schedule",
    "Survival",
    "answered_within",
    "bootstrap_ratio",
    "caution_for",
    "clopper_pearson",
    "clustered_wilson",
    "difference",
    "discoveries",
    "effective_answers",
    "first_gap_survival",
    "fitted_prior",
    "gap_survival",
    "garwood",
    "mean",
    "median",
    "median_of",
    "net_promoter",
    "net_promoter_change",
    "net_promoter_error",
    "net_promoter_wald",
    "newcombe",
    "open_minutes",
    "open_minutes_of",
    "open_minutes_through",
    "order_coverage",
    "p_limits",
    "partitioned",
    "poststratified",
    "quantile",
    "ratio",
    "ratio_correlation",
    "ratio_error",
    "ratio_of",
    "ratio_sums",
    "resampled_ratios",
    "restricted_mean",
    "shrunk",
    "smoothed_range",
    "still_waiting",
    "student_quantile",
    "survival",
    "survival_from_counts",
    "times",
    "usual_range",
    "weekday_hours",
    "wilson",
    "worst_case",
]
