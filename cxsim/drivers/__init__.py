"""A shop's tables in; which experiences go with later orders, retention and spend, and in which dose, out."""

from __future__ import annotations

from cxsim.drivers.associations import Associations, associations
from cxsim.drivers.doses import DOSES_OF, Dose, dose_curve
from cxsim.drivers.exposures import Exposure, Sight, exposures_of
from cxsim.drivers.person_periods import PersonPeriods, person_periods

__all__ = [
    "DOSES_OF",
    "Associations",
    "Dose",
    "Exposure",
    "PersonPeriods",
    "Sight",
    "associations",
    "dose_curve",
    "exposures_of",
    "person_periods",
]
