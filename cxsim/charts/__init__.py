"""Figures: one function per figure, a table goes in and an `altair` chart comes out; nothing here computes a result."""

from __future__ import annotations

from cxsim.charts.cash import cumulative_cash
from cxsim.charts.frequencies import frequency_histogram, holdout_by_frequency
from cxsim.charts.returns import npv_by_strategy, npv_distribution
from cxsim.charts.spend import spend_by_frequency
from cxsim.charts.theme import enable
from cxsim.charts.tracking import tracking
from cxsim.charts.waterfall import waterfall

__all__ = [
    "cumulative_cash",
    "enable",
    "frequency_histogram",
    "holdout_by_frequency",
    "npv_by_strategy",
    "npv_distribution",
    "spend_by_frequency",
    "tracking",
    "waterfall",
]
