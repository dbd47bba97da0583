"""Counts, or sums over customers, in; an estimate with its 95 % interval, out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy
from scipy import special

from cxsim.errors import DataError

LEVEL = 0.95
_UPPER = 0.975
# The standard normal's quantile.
Z = float(special.ndtri(_UPPER))


class Estimate(NamedTuple):
    """A number with its 95 % interval.

    Attributes
    ----------
    value
        The estimate; None where there are too few units for one.
    low, high
        Ends of the interval; None where the sample has none, as a median that was not reached.
    units
        How many independent units were observed: customers, mostly.
    method
        How the interval was made, such as "Wilson".
    caution
        What to know before leaning on it, such as "indicative: 12 customers"; empty where there is nothing.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    units: int = 0
    method: str = ""
    caution: str = ""


# Below these, rates move by tens of percentage points from one sample to the next.
FEW_UNITS = 30
FEW_SUCCESSES = 5
NOBODY = "no cases"


def caution_for(units: int, successes: int | None = None, *, noun: str = "unit") -> str:
    """Return a caution where the sample is too small to lean on."""
    if units == 0:
        return NOBODY
    if units < FEW_UNITS:
        return f"indicative: {units} {noun if units == 1 else f'{noun}s'}"
    if successes is not None and successes < FEW_SUCCESSES:
        return f"indicative: {successes} of {units} {noun}s"
    return ""


def joined(cautions: Iterable[str]) -> str:
    """Return several cautions as one, each of them once and empty ones left out."""
    return "; ".join(dict.fromkeys(caution for caution in cautions if caution))


def clipped(low: float, high: float, scale: tuple[float, float] | None) -> tuple[float, float, str]:
    """Cut an interval where the scale ends, with a note that it was cut."""
    if scale is None:
        return low, high, ""
    cut = [f"{end:g}" for end, beyond in zip(scale, (low < scale[0], high > scale[1]), strict=True) if beyond]
    note = f"clipped at {' and '.join(cut)}" if cut else ""
    return max(low, float(scale[0])), min(high, float(scale[1])), note


def student_quantile(freedom: int) -> float:
    """Return the t with P(-t < T < t) = 0.95 for Student's T with `freedom` >= 1 degrees of freedom."""
    return float(special.stdtrit(freedom, _UPPER))


class RatioSums(NamedTuple):
    """Sums over independent units, each with a numerator x and a denominator n; xx, nn and xn are sums of products."""

    units: int
    x: float
    n: float
    xx: float
    nn: float
    xn: float


def summed(x: pl.Expr, n: pl.Expr, units: pl.Expr) -> pl.Expr:
    """Return what RatioSums holds of rows of one unit each, as a struct."""
    # Squares of cents of millions of customers need more than 64 bits.
    x, n = x.cast(pl.Int128), n.cast(pl.Int128)
    return pl.struct(units=units, x=x.sum(), n=n.sum(), xx=(x * x).sum(), nn=(n * n).sum(), xn=(x * n).sum())


class CrossSums(NamedTuple):
    """Sums of x1 times x2, x1 times n2, n1 times x2 and n1 times n2 over the units that two ratios share."""

    xx: float
    xn: float
    nx: float
    nn: float


def ratio(sums: RatioSums, *, scale: tuple[float, float] | None = None) -> Estimate:
    """Sum of numerators over sum of denominators, with an interval by the delta method over units.

    Deng, Knoblich and Lu (2018), "Applying the Delta Method in Metric Analytics", KDD 2018, eq. 5; with the factor K
    / (K - 1) of Cochran (1977), Sampling Techniques, eq. 2.46.
    """
    value, caution = _quotient(sums)
    low = high = None
    if value is not None and sums.units > 1:
        half = student_quantile(sums.units - 1) * ratio_error(sums)
        low, high, note = clipped(value - half, value + half, scale)
        caution = joined([caution, note, "" if half else "no spread between units"])
    return Estimate(value, low, high, sums.units, "delta over units", caution)


def _quotient(sums: RatioSums) -> tuple[float | None, str]:
    """Return a ratio of sums with a caution; None where there is nothing to divide by."""
    value = sums.x / sums.n if sums.n else None
    note = "nothing to divide by" if value is None and sums.units else ""
    return value, joined([caution_for(sums.units), note])


def ratio_error(sums: RatioSums) -> float:
    """Return the standard error of a ratio of sums by the delta method over units."""
    if sums.units < 2 or not sums.n:
        raise DataError(
            f"a ratio has a standard error with 2 units or more and a denominator; found {sums.units} units, "
            f"denominator {sums.n:g}."
        )
    return math.sqrt(sums.units / (sums.units - 1) * _residual(sums)) / abs(sums.n)


def ratio_correlation(one: RatioSums, other: RatioSums, cross: CrossSums) -> float:
    """Return the correlation of two ratios over partly or wholly the same units; 0 where it is undefined.

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


def wilson(successes: int, units: int) -> Estimate:
    """Share of successes, with the interval of Wilson's score test.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212.
    """
    if units == 0:
        return Estimate(method="Wilson", caution=NOBODY)
    if not 0 <= successes <= units:
        raise DataError(f"successes must be between 0 and the number of units; found {successes} of {units}.")
    ends = scipy.stats.binomtest(successes, units).proportion_ci(LEVEL, method="wilson")
    return Estimate(
        successes / units, float(ends.low), float(ends.high), units, "Wilson", caution_for(units, successes)
    )


def clustered_wilson(sums: RatioSums) -> Estimate:
    """Share of answers, tickets or orders that count, where one customer may stand behind several.

    Wilson's interval of as many independent answers as would be as uncertain; unlike `ratio`, it stays in [0, 1] and
    has a width where all answers or none count.

    Korn and Graubard (1998), "Confidence Intervals for Proportions with Small Expected Number of Positive Counts
    Estimated from Survey Data", Survey Methodology 24, 193-201, with Wilson's interval in place of Clopper's.
    """
    if not 0 <= sums.x <= sums.n:
        raise DataError(f"those that count are some of all; found {sums.x:g} of {sums.n:g}.")
    value, caution = _quotient(sums)
    low = high = None
    if value is not None and sums.units > 1:
        # With t in place of z, as the error is itself estimated, from as many units as there are.
        answers = _independent_answers(sums, value) * (Z / student_quantile(sums.units - 1)) ** 2
        weight = 1 + Z**2 / answers
        centre = (value + Z**2 / (2 * answers)) / weight
        half = Z * math.sqrt(value * (1 - value) / answers + Z**2 / (4 * answers**2)) / weight
        low = 0.0 if value == 0 else centre - half
        high = 1.0 if value == 1 else centre + half
    return Estimate(value, low, high, sums.units, "Wilson over units", caution)


def _independent_answers(sums: RatioSums, value: float) -> float:
    """Return how many independent answers would have the same standard error.

    It is an estimate, and can be more than there are by chance; cutting it there would make the interval too wide.
    """
    error = ratio_error(sums)
    if value in {0, 1} or not error:
        # All the same: they count as one answer of each customer.
        return float(min(sums.units, sums.n))
    return value * (1 - value) / error**2


def difference(one: Estimate, other: Estimate, *, correlation: float = 0.0) -> Estimate:
    """One less the other, with an interval recovered from the two intervals (MOVER).

    Two intervals that overlap are no test of whether the two differ; this one is.

    Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics in Medicine 27,
    1693-1702; with correlation, Zou (2007), Psychological Methods 12, 399-413, eq. 15. With Wilson's intervals it is
    method 10 of Newcombe (1998), Statistics in Medicine 17, 873-890.
    """
    value = low = high = None
    if one.value is not None and other.value is not None:
        value = one.value - other.value
        if one.low is not None and other.high is not None:
            low = value - _recovered(one.value - one.low, other.high - other.value, correlation)
        if one.high is not None and other.low is not None:
            high = value + _recovered(one.high - one.value, other.value - other.low, correlation)
    method = "Newcombe" if {one.method, other.method} == {"Wilson"} and correlation == 0 else "MOVER"
    return Estimate(value, low, high, min(one.units, other.units), method, joined([one.caution, other.caution]))


def _recovered(one: float, other: float, correlation: float) -> float:
    """Return the deviation of a difference from those of its parts."""
    # With a correlation of 1 and equal parts, rounding can leave a trace below 0.
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))


def garwood(events: int) -> Estimate:
    """Return a number of events that come independently of each other, with the exact interval of a Poisson mean.

    Garwood (1936), "Fiducial Limits for the Poisson Distribution", Biometrika 28, 437-442.
    """
    low = float(special.gammaincinv(events, 1 - _UPPER)) if events else 0.0
    high = float(special.gammaincinv(events + 1, _UPPER))
    caution = caution_for(events, noun="event") if events else "indicative: no event"
    return Estimate(float(events), low, high, events, "Garwood", caution)


PROMOTER_SCALE = (-100.0, 100.0)


def net_promoter(promoters: int, passives: int, detractors: int) -> Estimate:
    """Net promoter score of those who answered, with the adjusted Wald interval.

    The interval is that of a sample with three more answers, 3/4 of them promoters and 3/4 detractors; it keeps its
    level with few answers, where the plain one leaves the scale.

    Rocks (2016), "Interval Estimation for the 'Net Promoter Score'", The American Statistician 70, 365-372.
    """
    units = promoters + passives + detractors
    if units == 0:
        return Estimate(method="adjusted Wald", caution=NOBODY)
    value = 100 * (promoters - detractors) / units
    more, against = (promoters + 0.75) / (units + 3), (detractors + 0.75) / (units + 3)
    half = Z * (100 * math.sqrt(max(more + against - (more - against) ** 2, 0.0) / (units + 3)))
    middle = 100 * (more - against)
    # With a single answer, the middle can lie further from the score than half the interval.
    low, high, note = clipped(min(middle - half, value), max(middle + half, value), PROMOTER_SCALE)
    return Estimate(value, low, high, units, "adjusted Wald", joined([caution_for(units), note]))


SIGMAS = 3.0
FEWEST_PERIODS = 8
# Mean range of two draws from a normal distribution, in its standard deviations: 2 / sqrt(pi).
RANGE_OF_TWO = 2 / math.sqrt(math.pi)


def usual_range(values: Sequence[float]) -> tuple[float, float] | None:
    """Range in which the next value is nothing unusual, from those before it: an individuals chart.

    The spread comes from how far each value lies from the one before, so that a slow drift does not hide a jump.

    Wheeler and Chambers (1992), Understanding Statistical Process Control, chapter 3.
    """
    if len(values) < FEWEST_PERIODS:
        return None
    middle = float(np.mean(values))
    half = SIGMAS * (float(np.abs(np.diff(values)).mean()) / RANGE_OF_TWO)
    return middle - half, middle + half
