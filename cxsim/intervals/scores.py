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

    Rocks (2016), "Interval Estimation for the 'Net Promoter Score'", The American Statistician 70, 365-372.
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


def _answers(promoters: int, passives: int, detractors: int) -> int:
    if min(promoters, passives, detractors) < 0:
        raise DataError(
            f"promoters, passives and detractors must not be negative; found {promoters}, {passives} and {detractors}."
        )
    return promoters + passives + detractors


def _error(promoters: float, detractors: float, units: float) -> float:
    """Return 100 standard deviations of the mean of answers that count +1, 0 and -1."""
    return 100 * math.sqrt(max(promoters + detractors - (promoters - detractors) ** 2, 0.0) / units)
