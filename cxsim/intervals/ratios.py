"""Sums over customers of what is above and below the line in; their ratio with its interval out.

A customer with several orders, tickets or answers counts once, with sums: what one customer does is not independent, so
an interval over orders would be too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cxsim.errors import DataError
from cxsim.intervals.cautions import caution_for, clipped, joined
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import student_quantile, tail


@dataclass(frozen=True, kw_only=True, slots=True)
class RatioSums:
    """Sums over independent units, each with a numerator x and a denominator n.

    Attributes
    ----------
    units
        How many units there are: customers, mostly.
    x, n
        Sum of the numerators; of the denominators.
    xx, nn, xn
        Sum of x squared, of n squared, of x times n.
    """

    units: int
    x: float
    n: float
    xx: float
    nn: float
    xn: float

    def __post_init__(self) -> None:
        if self.units < 0 or self.xx < 0 or self.nn < 0:
            raise DataError(
                f"units and sums of squares must not be negative; found units {self.units}, xx {self.xx}, nn {self.nn}."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossSums:
    """Sums over the units of two ratios x1/n1 and x2/n2; a unit that one of them leaves out adds nothing.

    Attributes
    ----------
    xx, xn, nx, nn
        Sum of x1 times x2, of x1 times n2, of n1 times x2, of n1 times n2.
    """

    xx: float
    xn: float
    nx: float
    nn: float


def ratio(sums: RatioSums, *, level: float = 0.95, scale: tuple[float, float] | None = None) -> Estimate:
    """Sum of numerators over sum of denominators, with an interval by the delta method over units.

    Deng, Knoblich and Lu (2018), "Applying the Delta Method in Metric Analytics", KDD 2018, eq. 5; with the factor K
    / (K - 1) of Cochran (1977), Sampling Techniques, eq. 2.46.
    """
    tail(level)
    low = high = None
    caution = caution_for(sums.units)
    value = sums.x / sums.n if sums.n else None
    if value is None and sums.units:
        caution = joined([caution, "nothing to divide by"])
    if value is not None and sums.units > 1:
        half = student_quantile(level, sums.units - 1) * ratio_error(sums)
        low, high, note = clipped(value - half, value + half, scale)
        caution = joined([caution, note, "" if half else "no spread between units"])
    return Estimate(
        value=value, low=low, high=high, units=sums.units, method="delta over units", level=level, caution=caution
    )


def ratio_error(sums: RatioSums) -> float:
    """Return the standard error of a ratio of sums by the delta method over units."""
    if sums.units < 2 or not sums.n:
        raise DataError(
            f"a ratio has a standard error with 2 units or more and a denominator; found {sums.units} units, "
            f"denominator {sums.n:g}."
        )
    return math.sqrt(sums.units / (sums.units - 1) * _residual(sums)) / abs(sums.n)


def ratio_correlation(one: RatioSums, other: RatioSums, cross: CrossSums) -> float:
    """Return how two ratios over partly or wholly the same units go together, in [-1, 1]; 0 where it is undefined.

    Cochran (1977), Sampling Techniques, section 6.19: the covariance of two ratios is that of their residuals.
    """
    if not (one.n and other.n):
        return 0.0
    first, second = one.x / one.n, other.x / other.n
    together = cross.xx - second * cross.xn - first * cross.nx + first * second * cross.nn
    spread = math.sqrt(_residual(one)) * math.sqrt(_residual(other))
    return min(max(together / spread, -1.0), 1.0) if spread else 0.0


def _residual(sums: RatioSums) -> float:
    """Return the sum of squares of x - R n."""
    value = sums.x / sums.n
    total = sums.xx - 2 * value * sums.xn + value**2 * sums.nn
    # What is left of three large sums that cancel is no more than their rounding.
    noise = 1e-14 * max(sums.xx, abs(value * sums.xn), value**2 * sums.nn)
    return total if total > noise else 0.0
