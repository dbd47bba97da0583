"""The name of a shop in; everything that its tables say, and why they do not say the rest, out."""

from __future__ import annotations

from cxsim.overview.behaviour_file import behaviour_yaml, require_new_behaviour, source_yaml, write_behaviour
from cxsim.overview.calibration import Calibration, calibrate
from cxsim.overview.definitions import definitions
from cxsim.overview.figures import (
    associations_details,
    associations_figure,
    clv_details,
    cohort_figure,
    dose_figure,
    doses_details,
    selection_details,
    selection_figure,
    weekly_figure,
    worth_figure,
)
from cxsim.overview.loading import load_shop, seen_until
from cxsim.overview.overview import Overview, overview
from cxsim.overview.predictive_clv import PredictiveClv, predictive_clv

__all__ = [
    "Calibration",
    "Overview",
    "PredictiveClv",
    "associations_details",
    "associations_figure",
    "behaviour_yaml",
    "calibrate",
    "clv_details",
    "cohort_figure",
    "definitions",
    "dose_figure",
    "doses_details",
    "load_shop",
    "overview",
    "predictive_clv",
    "require_new_behaviour",
    "seen_until",
    "selection_details",
    "selection_figure",
    "source_yaml",
    "weekly_figure",
    "worth_figure",
    "write_behaviour",
]
