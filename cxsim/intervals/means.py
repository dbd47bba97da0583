"""Values, one per unit, in; their mean or median with its interval out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from cxsim.errors import DataError
from cxsim.intervals.arrays import FloatArray, finite
from cxsim.intervals.cautions import caution_for, clipped, joined, nobody
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import student_quantile, tail


def mean(values: ArrayLike, *, level: float = 0.95, scale: tuple[float, float] | None = None) -> Estimate:
    """Mean of one value per unit, with Student's interval.

    Parameters
    ----------
    values
        One per unit, shape (n,).
    level
        Probability with which such intervals hold the truth, in (0, 1).
    scale
        Smallest and largest possible value, where the interval is cut; None where there is none.

    Returns
    -------
    Estimate
        No ends with one unit.

    Raises
    ------
    DataError
        When a value is missing, infinite or off the scale.

    References
    ----------
    Student (1908), "The Probable Error of a Mean", Biometrika 6, 1-25.

    Examples
    --------
    >>> estimate = mean([7, 6, 7, 5, 3], scale=(1, 7))
    >>> round(estimate.value, 4), round(estimate.low, 4), estimate.high, estimate.caution
    (5.6, 3.5223, 7.0, 'indicative: 5 units; clipped at 7')
    """
    tail(level)
    array = finite("values", values)
    _check_scale(array, scale)
    if array.size == 0:
        return nobody("Student's t", level)
    value = float(np.mean(array))
    low = high = None
    caution = caution_for(array.size)
    if array.size > 1:
        error = float(np.std(array, ddof=1)) / math.sqrt(array.size)
        half = student_quantile(level, array.size - 1) * error
        low, high, note = clipped(value - half, value + half, scale)
        caution = joined([caution, note])
    return Estimate(
        value=value, low=low, high=high, units=array.size, method="Student's t", level=level, caution=caution
    )


def median_of(values: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Median of one value per unit, with two of the values as ends, whatever the distribution.

    Parameters
    ----------
    values
        One per unit, shape (n,), none of them still to come; for those see `median` of a `Survival`.
    level
        Probability with which the interval holds the truth, at least; the method says the exact one.

    Returns
    -------
    Estimate
        No ends where even the smallest and the largest value reach the level too seldom: below 6 units at 95 %.

    Raises
    ------
    DataError
        When a value is missing or infinite.

    References
    ----------
    Thompson (1936), "On Confidence Ranges for the Median", Annals of Mathematical Statistics 7, 122-128.

    Examples
    --------
    >>> estimate = median_of([3, 5, 8, 12, 15, 20, 31, 45, 240])
    >>> estimate.value, estimate.low, estimate.high, estimate.method
    (15.0, 5.0, 45.0, 'order statistics 2 and 8 (96.1 %)')
    """
    outside = tail(level)
    array = np.sort(finite("values", values))
    units = array.size
    if units == 0:
        return nobody("order statistics", level)
    rank = _rank(units, outside)
    caution = caution_for(units)
    low = high = None
    method = "order statistics"
    if rank:
        low, high = float(array[rank - 1]), float(array[units - rank])
        coverage = order_coverage(units, rank)
        method = f"order statistics {rank} and {units + 1 - rank} ({100 * coverage:.1f} %)"
    else:
        caution = joined([caution, f"too few for an interval at {100 * level:g} %"])
    return Estimate(
        value=float(np.median(array)), low=low, high=high, units=units, method=method, level=level, caution=caution
    )


def order_coverage(units: int, rank: int) -> float:
    """Return how often the `rank`-th smallest and the `rank`-th largest of `units` values hold the median.

    Parameters
    ----------
    units
        Number of values, from a continuous distribution.
    rank
        From 1 to half of them.

    Raises
    ------
    DataError
        When the rank is not from 1 to half the units.

    Examples
    --------
    >>> order_coverage(9, 2)
    0.9609375
    """
    if not 1 <= rank <= units / 2:
        raise DataError(f"a rank lies between 1 and half of the {units} units; found {rank}.")
    return float(1 - 2 * special.bdtr(rank - 1, units, 0.5))


def _rank(units: int, outside: float) -> int:
    """Return the largest rank that leaves at most `outside` at each end; 0 where there is none."""
    # The binomial's quantile, found from where a normal curve has it and corrected by steps.
    rank = max(int(units / 2 - math.sqrt(units) / 2 * -special.ndtri(outside)), 0)
    while rank < units // 2 and special.bdtr(rank, units, 0.5) <= outside:
        rank += 1
    while rank > 0 and special.bdtr(rank - 1, units, 0.5) > outside:
        rank -= 1
    return rank


def _check_scale(array: FloatArray, scale: tuple[float, float] | None) -> None:
    if scale is None or array.size == 0:
        return
    if array.min() < scale[0] or array.max() > scale[1]:
        raise DataError(
            f"values must lie on the scale from {scale[0]:g} to {scale[1]:g}; found {array.min():g} to {array.max():g}."
        )
