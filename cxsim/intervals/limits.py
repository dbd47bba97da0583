"""Values of earlier periods in; the range in which the next one is nothing unusual out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.intervals.arrays import finite, not_negative, same_length

SIGMAS = 3.0
FEWEST_PERIODS = 8
# Mean range of two draws from a normal distribution, in its standard deviations: 2 / sqrt(pi).
RANGE_OF_TWO = 2 / math.sqrt(math.pi)


def p_limits(share: float, units: int) -> tuple[float, float]:
    """Return between which shares `units` units lie when each counts with probability `share`: three sigmas around it.

    Parameters
    ----------
    share
        The share of all periods, in [0, 1].
    units
        Of the period to be judged, at least 1.

    Returns
    -------
    tuple[float, float]
        Lower and upper limit, cut at 0 and 1.

    Raises
    ------
    DataError
        When the share is not in [0, 1], or there is no unit.

    References
    ----------
    Shewhart (1931), Economic Control of Quality of Manufactured Product.

    Examples
    --------
    >>> tuple(round(limit, 6) for limit in p_limits(0.2, 50))
    (0.030294, 0.369706)
    """
    if not 0 <= share <= 1 or units < 1:
        raise DataError(f"a share lies between 0 and 1, over at least one unit; found {share} over {units}.")
    half = SIGMAS * math.sqrt(share * (1 - share) / units)
    return max(share - half, 0.0), min(share + half, 1.0)


def usual_range(values: ArrayLike, errors: ArrayLike | None = None) -> tuple[float, float] | None:
    """Range in which the next value is nothing unusual, from those before it: an individuals chart.

    The spread comes from how far each value lies from the one before, so that a slow drift does not hide a jump.

    Parameters
    ----------
    values
        Of earlier complete periods, by time; without the one that is judged.
    errors
        Their standard errors; the range is then at least three times as wide to each side as their root mean square,
        so that chance among few customers is no alarm. None where they are unknown.

    Returns
    -------
    tuple[float, float] or None
        Mean plus or minus 2.66 mean moving ranges; None with fewer than 8 values.

    Raises
    ------
    DataError
        When a number is missing or infinite, an error is negative, or the two differ in length.

    References
    ----------
    Wheeler and Chambers (1992), Understanding Statistical Process Control, chapter 3.

    Examples
    --------
    >>> low, high = usual_range([10, 12, 10, 12, 10, 12, 10, 12])
    >>> round(low, 2), round(high, 2)
    (5.68, 16.32)
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


def smoothed_range(values: ArrayLike, *, weight: float = 0.2) -> tuple[float, float, float] | None:
    """Weigh later values more and return where they stand now, and between which limits that is nothing unusual.

    It notices a small lasting shift, which `usual_range` lets pass; a single jump it notices later.

    Parameters
    ----------
    values
        Of all complete periods, by time, with the one that is judged.
    weight
        Of the last value, in (0, 1]; those before it share the rest in the same way.

    Returns
    -------
    tuple[float, float, float] or None
        The weighted mean, and the limits at three of its standard deviations around the mean of the values; None with
        fewer than 8 values.

    Raises
    ------
    DataError
        When a value is missing or infinite, or the weight is not in (0, 1].

    References
    ----------
    Roberts (1959), "Control Chart Tests Based on Geometric Moving Averages", Technometrics 1, 239-250.

    Examples
    --------
    >>> tuple(round(number, 4) for number in smoothed_range([10, 12, 10, 12, 10, 12, 10, 12], weight=0.5))
    (11.332, 7.93, 14.07)
    """
    if not 0 < weight <= 1:
        raise DataError(f"the weight of the last value lies above 0 and is at most 1; found {weight}.")
    periods = finite("values", values)
    if periods.size < FEWEST_PERIODS:
        return None
    middle = float(periods.mean())
    sigma = float(np.abs(np.diff(periods)).mean()) / RANGE_OF_TWO
    ages = np.arange(periods.size - 1, -1, -1)
    left = (1 - weight) ** periods.size
    now = float((weight * (1 - weight) ** ages * periods).sum()) + left * middle
    half = SIGMAS * sigma * math.sqrt(weight / (2 - weight) * (1 - left**2))
    return now, middle - half, middle + half
