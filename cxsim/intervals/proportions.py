"""Successes among units in; the share with its interval out."""

from __future__ import annotations

import math

from scipy import special

from cxsim.intervals.arrays import counts
from cxsim.intervals.cautions import caution_for, nobody
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import normal_quantile, tail


def wilson(successes: int, units: int, *, level: float = 0.95) -> Estimate:
    """Share of successes, with the interval of Wilson's score test.

    Parameters
    ----------
    successes, units
        Units that count, of all units; each unit counts once.
    level
        Probability with which such intervals hold the truth, in (0, 1).

    Returns
    -------
    Estimate
        In [0, 1]; without units, neither value nor ends.

    Raises
    ------
    DataError
        When there are more successes than units, or either is negative.

    References
    ----------
    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212.
    Brown, Cai and DasGupta (2001), "Interval Estimation for a Binomial Proportion", Statistical Science 16, eq. 4.

    Examples
    --------
    >>> estimate = wilson(3, 20)
    >>> round(estimate.low, 6), round(estimate.high, 6), estimate.caution
    (0.052369, 0.360419, 'indicative: 20 units')
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


def clopper_pearson(successes: int, units: int, *, level: float = 0.95) -> Estimate:
    """Share of successes, with the exact interval: it holds the truth at least as often as it says.

    Parameters
    ----------
    successes, units
        Units that count, of all units; each unit counts once.
    level
        Probability with which such intervals hold the truth, at least; in (0, 1).

    Returns
    -------
    Estimate
        In [0, 1]; without units, neither value nor ends.

    Raises
    ------
    DataError
        When there are more successes than units, or either is negative.

    References
    ----------
    Clopper and Pearson (1934), "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
    Biometrika 26, 404-413.

    Examples
    --------
    >>> estimate = clopper_pearson(3, 20)
    >>> round(estimate.low, 6), round(estimate.high, 6)
    (0.032071, 0.378927)
    """
    counts("successes", successes, units)
    outside = tail(level)
    if units == 0:
        return nobody("Clopper-Pearson", level)
    failures = units - successes
    return Estimate(
        value=successes / units,
        low=0.0 if successes == 0 else float(special.betaincinv(successes, failures + 1, outside)),
        high=1.0 if failures == 0 else float(special.betaincinv(successes + 1, failures, 1 - outside)),
        units=units,
        method="Clopper-Pearson",
        level=level,
        caution=caution_for(units, successes),
    )
