"""A number of events and what they came from in; their rate with its interval out."""

from __future__ import annotations

import math

from scipy import special

from cxsim.errors import DataError
from cxsim.intervals.cautions import NOBODY, caution_for
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import tail


def garwood(events: int, exposure: float, *, level: float = 0.95) -> Estimate:
    """Rate of events per unit of exposure, with the exact interval of a Poisson number.

    Only where events come independently of each other; where one customer causes several, see `ratio`.

    Garwood (1936), "Fiducial Limits for the Poisson Distribution", Biometrika 28, 437-442.
    """
    if events < 0 or not 0 <= exposure < math.inf:
        raise DataError(
            f"events must not be negative, and exposure a number of at least 0; found {events} and {exposure}."
        )
    outside = tail(level)
    if exposure == 0:
        return Estimate(value=None, low=None, high=None, units=events, method="Garwood", level=level, caution=NOBODY)
    return Estimate(
        value=events / exposure,
        low=float(special.gammaincinv(events, outside)) / exposure if events else 0.0,
        high=float(special.gammaincinv(events + 1, 1 - outside)) / exposure,
        units=events,
        method="Garwood",
        level=level,
        caution=caution_for(events, noun="event") if events else "indicative: no event",
    )
