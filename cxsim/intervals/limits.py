"""Values of earlier periods in; the range in which the next one is nothing unusual out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cxsim.intervals.arrays import finite, not_negative, same_length

SIGMAS = 3.0
FEWEST_PERIODS = 8
# Mean range of two draws from a normal distribution, in its standard deviations: 2 / sqrt(pi).
RANGE_OF_TWO = 2 / math.sqrt(math.pi)


def usual_range(values: ArrayLike, errors: ArrayLike | None = None) -> tuple[float, float] | None:
    """Range in which the next value is nothing unusual, from those before it: an individuals chart.

    The spread comes from how far each value lies from the one before, so that a slow drift does not hide a jump.

    Wheeler and Chambers (1992), Understanding Statistical Process Control, chapter 3.
    """
    periods = finite("values", values)
    chance = 0.0
    if errors is not None:
        known = not_negative("errors", errors)
        same_length(("values", periods), ("errors", known))
        chance = float(np.sqrt(np.mean(known**2))) if known.size else 0.0
    if periods.size < FEWEST_PERIODS:
        return None
    middle = float(periods.mean())
    sigma = float(np.abs(np.diff(periods)).mean()) / RANGE_OF_TWO
    half = SIGMAS * max(sigma, chance)
    return middle - half, middle + half
