"""What is not known, taken apart, and what knowing it would be worth: draws in, variances and values out."""

from __future__ import annotations

from cxsim.uncertainty.digits import steady
from cxsim.uncertainty.everything import Worth, evpi, evppi_of_case, known
from cxsim.uncertainty.explained import Share, explained
from cxsim.uncertainty.sample_size import STANDARD, Asked, Groups, groups, smallest_difference
from cxsim.uncertainty.shapley import feasible_sets, shapley
from cxsim.uncertainty.surface import Surface, surface

__all__ = [
    "STANDARD",
    "Asked",
    "Groups",
    "Share",
    "Surface",
    "Worth",
    "evpi",
    "evppi_of_case",
    "explained",
    "feasible_sets",
    "groups",
    "known",
    "shapley",
    "smallest_difference",
    "steady",
    "surface",
]
