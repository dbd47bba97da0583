"""Two estimates in; how far one lies above the other, or how many times it is the other, out."""

from __future__ import annotations

import math

from cxsim.errors import DataError
from cxsim.intervals.cautions import joined
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import normal_quantile
from cxsim.intervals.proportions import wilson


def difference(one: Estimate, other: Estimate, *, correlation: float = 0.0) -> Estimate:
    """One less the other, with an interval recovered from the two intervals (MOVER).

    Two intervals that overlap are no test of whether the two differ; this one is.

    Parameters
    ----------
    one, other
        Estimates at the same level; each end says by itself how uncertain its side is.
    correlation
        Of the two estimates, in [-1, 1]; 0 where no unit stands behind both.

    Returns
    -------
    Estimate
        Its units are the fewer of the two. Without one of the values there is none; an end is None where an end that
        it rests on is.

    Raises
    ------
    DataError
        When the levels differ, or the correlation is not in [-1, 1].

    References
    ----------
    Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics in Medicine 27,
    1693-1702; with correlation, Zou (2007), Psychological Methods 12, 399-413, eq. 15. With Wilson's intervals it is
    method 10 of Newcombe (1998), Statistics in Medicine 17, 873-890.
    """
    _check_pair(one, other, correlation)
    value = low = high = None
    if one.value is not None and other.value is not None:
        value = one.value - other.value
        if one.low is not None and other.high is not None:
            low = value - _recovered(one.value - one.low, other.high - other.value, correlation)
        if one.high is not None and other.low is not None:
            high = value + _recovered(one.high - one.value, other.value - other.low, correlation)
    return Estimate(
        value=value,
        low=low,
        high=high,
        units=min(one.units, other.units),
        method="Newcombe" if {one.method, other.method} == {"Wilson"} and correlation == 0 else "MOVER",
        level=one.level,
        caution=joined([one.caution, other.caution]),
    )


def newcombe(k1: int, n1: int, k2: int, n2: int, *, level: float = 0.95) -> Estimate:
    """Share of the first group less that of the second, with Newcombe's hybrid score interval.

    Parameters
    ----------
    k1, n1
        Successes among the units of the first group.
    k2, n2
        The same of the second, which shares no unit with the first.
    level
        Probability with which such intervals hold the truth, in (0, 1).

    Returns
    -------
    Estimate
        In [-1, 1]; see `difference`.

    Raises
    ------
    DataError
        When there are more successes than units, or either is negative.

    References
    ----------
    Newcombe (1998), "Interval estimation for the difference between independent proportions", Statistics in Medicine
    17, 873-890, method 10.

    Examples
    --------
    >>> estimate = newcombe(9, 30, 4, 30)
    >>> round(estimate.value, 6), round(estimate.low, 6), round(estimate.high, 6)
    (0.166667, -0.044304, 0.362606)
    """
    return difference(wilson(k1, n1, level=level), wilson(k2, n2, level=level))


def times(
    one: Estimate, one_error: float, other: Estimate, other_error: float, *, correlation: float = 0.0
) -> Estimate:
    """How many times one is the other, with an interval that is symmetric on the log scale.

    Parameters
    ----------
    one
        Estimate of something that is positive.
    one_error
        Its standard error, such as `ratio_error` says.
    other
        What it is compared with, at the same level.
    other_error
        Its standard error.
    correlation
        Of the two estimates, in [-1, 1].

    Returns
    -------
    Estimate
        None where one of the two is unknown, or not above 0.

    Raises
    ------
    DataError
        When the levels differ, a standard error is negative, or the correlation is not in [-1, 1].

    References
    ----------
    The delta method for log(one) - log(other); as Deng, Knoblich and Lu (2018), "Applying the Delta Method in Metric
    Analytics", KDD 2018, section 3, do for a relative change.

    Examples
    --------
    >>> spend = Estimate(value=55.0, low=None, high=None, units=40, method="delta")
    >>> before = Estimate(value=50.0, low=None, high=None, units=40, method="delta")
    >>> estimate = times(spend, 6.0, before, 7.654655)
    >>> round(estimate.value, 4), round(estimate.low, 4), round(estimate.high, 4)
    (1.1, 0.761, 1.59)
    """
    _check_pair(one, other, correlation)
    if not (one_error >= 0 and other_error >= 0):
        raise DataError(f"a standard error must not be negative; found {one_error} and {other_error}.")
    units = min(one.units, other.units)
    caution = joined([one.caution, other.caution])
    if one.value is None or other.value is None or one.value <= 0 or other.value <= 0:
        known = one.value is not None and other.value is not None
        caution = joined([caution, "not above 0" if known else ""])
        return Estimate(
            value=None, low=None, high=None, units=units, method="log-delta", level=one.level, caution=caution
        )
    value = one.value / other.value
    half = normal_quantile(one.level) * _recovered(one_error / one.value, other_error / other.value, correlation)
    return Estimate(
        value=value,
        low=value * math.exp(-half),
        high=value * math.exp(half),
        units=units,
        method="log-delta",
        level=one.level,
        caution=caution,
    )


def _check_pair(one: Estimate, other: Estimate, correlation: float) -> None:
    if one.level != other.level:
        raise DataError(f"two intervals are compared at one level; found {one.level} and {other.level}.")
    if not -1 <= correlation <= 1:
        raise DataError(f"a correlation lies between -1 and 1; found {correlation}.")


def _recovered(one: float, other: float, correlation: float) -> float:
    """Return the deviation of a difference from those of its parts."""
    # With a correlation of 1 and equal parts, rounding can leave a trace below 0.
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))
