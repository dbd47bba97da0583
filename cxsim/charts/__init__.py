"""Figures: one function per figure, a table goes in and an `altair` chart comes out; nothing here computes a result."""

from __future__ import annotations

from cxsim.charts.benefits import benefit_waterfall
from cxsim.charts.by_size import npv_by_size
from cxsim.charts.by_structure import npv_by_structure
from cxsim.charts.calibration import calibration
from cxsim.charts.cohorts import cohort_heatmap
from cxsim.charts.deciles import value_by_decile, value_captured
from cxsim.charts.drivers import associations, dose_curve
from cxsim.charts.fan import cash_fan
from cxsim.charts.forecasts import forecasts
from cxsim.charts.frequencies import frequency_histogram, holdout_by_frequency
from cxsim.charts.frontier import efficient_frontier
from cxsim.charts.heat import heat_map
from cxsim.charts.knowing import worth_of_knowing
from cxsim.charts.model_scores import alive_by_model, forecast_bias
from cxsim.charts.naive import ltv_by_nps, naive_against_truth
from cxsim.charts.returns import npv_by_strategy, npv_distribution
from cxsim.charts.selection import selection
from cxsim.charts.spend import spend_by_frequency
from cxsim.charts.split import variance_split
from cxsim.charts.theme import enable
from cxsim.charts.tornado import tornado
from cxsim.charts.tracking import tracking
from cxsim.charts.weekly import weekly
from cxsim.charts.what_if import what_if

__all__ = [
    "alive_by_model",
    "associations",
    "benefit_waterfall",
    "calibration",
    "cash_fan",
    "cohort_heatmap",
    "dose_curve",
    "efficient_frontier",
    "enable",
    "forecast_bias",
    "forecasts",
    "frequency_histogram",
    "heat_map",
    "holdout_by_frequency",
    "ltv_by_nps",
    "naive_against_truth",
    "npv_by_size",
    "npv_by_strategy",
    "npv_by_structure",
    "npv_distribution",
    "selection",
    "spend_by_frequency",
    "tornado",
    "tracking",
    "value_by_decile",
    "value_captured",
    "variance_split",
    "weekly",
    "what_if",
    "worth_of_knowing",
]
