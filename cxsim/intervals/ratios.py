"""Sums over customers of what is above and below the line in; their ratio with its interval out.

A customer with several orders, tickets or answers counts once, with sums: what one customer does is not independent, so
an interval over orders would be too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.intervals.arrays import finite, same_length
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

    Parameters
    ----------
    sums
        Over independent units.
    level
        Probability with which such intervals hold the truth, in (0, 1).
    scale
        Smallest and largest possible ratio, where the interval is cut; None where there is none.

    Returns
    -------
    Estimate
        With Student's t of units - 1 degrees of freedom. No value where the denominators add up to 0, no ends with one
        unit.

    References
    ----------
    Deng, Knoblich and Lu (2018), "Applying the Delta Method in Metric Analytics", KDD 2018, eq. 5; with the factor
    K / (K - 1) of Cochran (1977), Sampling Techniques, eq. 2.46.

    Examples
    --------
    >>> estimate = ratio_of([100, 30, 120, 90, 60], [2, 1, 3, 1, 1])
    >>> estimate.value, round(estimate.low, 4), round(estimate.high, 4)
    (50.0, 28.7473, 71.2527)
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
    """Return the standard error of a ratio of sums by the delta method over units.

    Parameters
    ----------
    sums
        Over at least 2 independent units.

    Raises
    ------
    DataError
        When there are fewer than 2 units, or the denominators add up to 0.

    Examples
    --------
    >>> round(ratio_error(ratio_sums([100, 30, 120, 90, 60], [2, 1, 3, 1, 1])), 6)
    7.654655
    """
    if sums.units < 2 or not sums.n:
        raise DataError(
            f"a ratio has a standard error with 2 units or more and a denominator; found {sums.units} units, "
            f"denominator {sums.n:g}."
        )
    return math.sqrt(sums.units / (sums.units - 1) * _residual(sums)) / abs(sums.n)


def ratio_sums(numerators: ArrayLike, denominators: ArrayLike) -> RatioSums:
    """Return the sums over units of what each has above and below the line.

    Parameters
    ----------
    numerators, denominators
        One per unit, shape (n,).

    Raises
    ------
    DataError
        When one is missing or infinite, or the two are not as long as each other.
    """
    x, n = finite("numerators", numerators), finite("denominators", denominators)
    same_length(("numerators", x), ("denominators", n))
    return RatioSums(
        units=x.size,
        x=float(np.sum(x)),
        n=float(np.sum(n)),
        xx=float(np.sum(x * x)),
        nn=float(np.sum(n * n)),
        xn=float(np.sum(x * n)),
    )


def ratio_of(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    level: float = 0.95,
    scale: tuple[float, float] | None = None,
) -> Estimate:
    """Sum of numerators over sum of denominators, from one of each per unit.

    Parameters
    ----------
    numerators, denominators
        One per unit, shape (n,).
    level
        Probability with which such intervals hold the truth, in (0, 1).
    scale
        Smallest and largest possible ratio, where the interval is cut; None where there is none.

    Returns
    -------
    Estimate
        As `ratio`.

    Raises
    ------
    DataError
        When one is missing or infinite, or the two are not as long as each other.
    """
    return ratio(ratio_sums(numerators, denominators), level=level, scale=scale)


def ratio_correlation(one: RatioSums, other: RatioSums, cross: CrossSums) -> float:
    """Return how two ratios over partly or wholly the same units go together, in [-1, 1]; 0 where it is undefined.

    Parameters
    ----------
    one, other
        Sums of the two ratios.
    cross
        Sums of their products over the units; what `difference` needs when customers stand behind both periods.

    References
    ----------
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
