"""Successes among units in; the share with its interval out."""

from __future__ import annotations

import math

from cxsim.intervals.arrays import counts
from cxsim.intervals.cautions import caution_for, nobody
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import normal_quantile


def wilson(successes: int, units: int, *, level: float = 0.95) -> Estimate:
    """Share of successes, with the interval of Wilson's score test.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212. Brown,
    Cai and DasGupta (2001), "Interval Estimation for a Binomial Proportion", Statistical Science 16, eq. 4.
    """
    counts("successes", successes, units)
    z = normal_quantile(level)
    if units == 0:
        return nobody("Wilson", level)
    share = successes / units
    weight = 1 + z**2 / units
    centre = (share + z**2 / (2 * units)) / weight
    half = z * math.sqrt(share * (1 - share) / units + z**2 / (4 * units**2)) / weight
    return Estimate(
        value=share,
        # The ends are 0 and 1 there exactly; rounding would leave them a hair off.
        low=0.0 if successes == 0 else centre - half,
        high=1.0 if successes == units else centre + half,
        units=units,
        method="Wilson",
        level=level,
        caution=caution_for(units, successes),
    )
