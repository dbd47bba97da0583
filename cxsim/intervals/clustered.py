"""Sums over customers, each of whom may answer several times, in; the share with an interval within [0, 1] out."""

from __future__ import annotations

import math

from cxsim.errors import DataError
from cxsim.intervals.cautions import caution_for, joined
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import normal_quantile, student_quantile
from cxsim.intervals.ratios import RatioSums, ratio_error


def clustered_wilson(sums: RatioSums, *, level: float = 0.95) -> Estimate:
    """Share of answers, tickets or orders that count, where one customer may stand behind several.

    Wilson's interval of as many independent answers as would be as uncertain; unlike `ratio`, it stays in [0, 1] and
    has a width where all answers or none count.

    Korn and Graubard (1998), "Confidence Intervals for Proportions with Small Expected Number of Positive Counts
    Estimated from Survey Data", Survey Methodology 24, 193-201, with Wilson's interval in place of Clopper's.
    """
    if not 0 <= sums.x <= sums.n:
        raise DataError(f"those that count are some of all; found {sums.x:g} of {sums.n:g}.")
    z = normal_quantile(level)
    value = sums.x / sums.n if sums.n else None
    low = high = None
    caution = caution_for(sums.units)
    if value is None and sums.units:
        caution = joined([caution, "nothing to divide by"])
    if value is not None and sums.units > 1:
        # With t in place of z, as the error is itself estimated, from as many units as there are.
        answers = _independent_answers(sums, value) * (z / student_quantile(level, sums.units - 1)) ** 2
        weight = 1 + z**2 / answers
        centre = (value + z**2 / (2 * answers)) / weight
        half = z * math.sqrt(value * (1 - value) / answers + z**2 / (4 * answers**2)) / weight
        low = 0.0 if value == 0 else centre - half
        high = 1.0 if value == 1 else centre + half
    return Estimate(
        value=value, low=low, high=high, units=sums.units, method="Wilson over units", level=level, caution=caution
    )


def _independent_answers(sums: RatioSums, value: float) -> float:
    """Return how many independent answers would have the same standard error.

    It is an estimate, and can be more than there are by chance; cutting it there would make the interval too wide.
    """
    error = ratio_error(sums)
    if value in {0, 1} or not error:
        # All alike: no more is known than one answer of each customer would say.
        return float(min(sums.units, sums.n))
    return value * (1 - value) / error**2
