"""Promoters, passives and detractors in; the net promoter score, from -100 to 100, with its interval out."""

from __future__ import annotations

import math

from cxsim.errors import DataError
from cxsim.intervals.cautions import caution_for, clipped, joined, nobody
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import normal_quantile

SCALE = (-100.0, 100.0)


def net_promoter(promoters: int, passives: int, detractors: int, *, level: float = 0.95) -> Estimate:
    """Net promoter score of those who answered, with the adjusted Wald interval.

    The interval is that of a sample with three more answers, 3/4 of them promoters and 3/4 detractors; it keeps its
    level with few answers, where the plain one (`net_promoter_wald`) leaves the scale.

    Parameters
    ----------
    promoters, passives, detractors
        Number of customers who gave 9 or 10, 7 or 8, 0 to 6.
    level
        Probability with which such intervals hold the truth, in (0, 1).

    Returns
    -------
    Estimate
        The value is the score as it was asked, without the added answers.

    Raises
    ------
    DataError
        When a number is negative.

    References
    ----------
    Rocks (2016), "Interval Estimation for the 'Net Promoter Score'", The American Statistician 70, 365-372.

    Examples
    --------
    >>> estimate = net_promoter(25, 15, 10)
    >>> estimate.value, round(estimate.low, 4), round(estimate.high, 4)
    (30.0, 7.2995, 49.3043)
    """
    units = _answers(promoters, passives, detractors)
    z = normal_quantile(level)
    if units == 0:
        return nobody("adjusted Wald", level)
    value = 100 * (promoters - detractors) / units
    for_score, against = (promoters + 0.75) / (units + 3), (detractors + 0.75) / (units + 3)
    half = z * _error(for_score, against, units + 3)
    middle = 100 * (for_score - against)
    # With a single answer, the middle can lie further from the score than half the interval.
    low, high, note = clipped(min(middle - half, value), max(middle + half, value), SCALE)
    return Estimate(
        value=value,
        low=low,
        high=high,
        units=units,
        method="adjusted Wald",
        level=level,
        caution=joined([caution_for(units), note]),
    )


def net_promoter_wald(promoters: int, passives: int, detractors: int, *, level: float = 0.95) -> Estimate:
    """Net promoter score with the plain interval, which other tools print; it may leave the scale.

    Parameters
    ----------
    promoters, passives, detractors
        Number of customers who gave 9 or 10, 7 or 8, 0 to 6.
    level
        Probability with which such intervals would hold the truth in a large sample, in (0, 1).

    Returns
    -------
    Estimate
        Score plus or minus z standard errors.

    Raises
    ------
    DataError
        When a number is negative.

    Examples
    --------
    >>> estimate = net_promoter_wald(25, 15, 10)
    >>> estimate.value, round(estimate.low, 4), round(estimate.high, 4)
    (30.0, 8.3515, 51.6485)
    """
    units = _answers(promoters, passives, detractors)
    z = normal_quantile(level)
    if units == 0:
        return nobody("Wald", level)
    value = 100 * (promoters - detractors) / units
    half = z * net_promoter_error(promoters, passives, detractors)
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        units=units,
        method="Wald",
        level=level,
        caution=caution_for(units),
    )


def net_promoter_error(promoters: int, passives: int, detractors: int) -> float:
    """Return the standard error of a net promoter score, in points.

    Parameters
    ----------
    promoters, passives, detractors
        Number of customers who gave 9 or 10, 7 or 8, 0 to 6; at least one of them.

    Raises
    ------
    DataError
        When a number is negative, or nobody answered.

    Examples
    --------
    >>> round(net_promoter_error(25, 15, 10), 4)
    11.0454
    """
    units = _answers(promoters, passives, detractors)
    if units == 0:
        raise DataError("a score has a standard error once somebody answered; found nobody.")
    return _error(promoters / units, detractors / units, units)


def net_promoter_change(now: tuple[int, int, int], before: tuple[int, int, int], *, level: float = 0.95) -> Estimate:
    """Score now less the score before, of two sets of different customers.

    Parameters
    ----------
    now, before
        Promoters, passives and detractors.
    level
        Probability with which such intervals hold the truth, in (0, 1).

    Returns
    -------
    Estimate
        In points; its units are the fewer of the two. Neither value nor ends where one of them has no answers.

    Raises
    ------
    DataError
        When a number is negative.

    Examples
    --------
    >>> estimate = net_promoter_change((25, 15, 10), (40, 30, 30))
    >>> estimate.value, round(estimate.low, 4), round(estimate.high, 4)
    (20.0, -7.0872, 47.0872)
    """
    one, other = net_promoter_wald(*now, level=level), net_promoter_wald(*before, level=level)
    value = low = high = None
    if one.value is not None and other.value is not None:
        value = one.value - other.value
        half = normal_quantile(level) * math.hypot(net_promoter_error(*now), net_promoter_error(*before))
        low, high = value - half, value + half
    return Estimate(
        value=value,
        low=low,
        high=high,
        units=min(one.units, other.units),
        method="Wald",
        level=level,
        caution=joined([one.caution, other.caution]),
    )


def _answers(promoters: int, passives: int, detractors: int) -> int:
    if min(promoters, passives, detractors) < 0:
        raise DataError(
            f"promoters, passives and detractors must not be negative; found {promoters}, {passives} and {detractors}."
        )
    return promoters + passives + detractors


def _error(promoters: float, detractors: float, units: float) -> float:
    """Return 100 standard deviations of the mean of answers that count +1, 0 and -1."""
    return 100 * math.sqrt(max(promoters + detractors - (promoters - detractors) ** 2, 0.0) / units)
