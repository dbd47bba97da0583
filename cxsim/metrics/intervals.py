"""Sequences of numbers in; arrays that can be reckoned with, or a refusal, out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cxsim.errors import DataError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def finite(what: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats of one dimension."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise DataError(f"{what} must be one row of numbers; found {array.ndim} dimensions.")
    wrong = int(array.size - np.isfinite(array).sum())
    if wrong:
        raise DataError(f"{what} must be finite numbers; found {wrong} of {array.size} missing or infinite.")
    return array


def not_negative(what: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats, none of them below 0."""
    array = finite(what, values)
    if array.size and array.min() < 0:
        raise DataError(f"{what} must not be below 0; found {array.min():g}.")
    return array


def same_length(one: tuple[str, FloatArray | BoolArray], other: tuple[str, FloatArray | BoolArray]) -> None:
    """Refuse two arrays, each with its name, that do not speak of the same units."""
    (name, array), (other_name, other_array) = one, other
    if array.size != other_array.size:
        raise DataError(
            f"{name} and {other_name} must be as long as each other; found {array.size} and {other_array.size}."
        )


def counts(what: str, successes: int, units: int) -> None:
    """Refuse a number of successes that units cannot have."""
    if not 0 <= successes <= units:
        raise DataError(f"{what} must be between 0 and the number of units; found {successes} of {units}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value
        The estimate; None where there are too few units to say one.
    low, high
        Ends of the interval; None where the sample cannot say one, as a median that was not reached.
    units
        How many independent units were observed: customers, mostly.
    method
        How the interval was made, such as "Wilson".
    level
        Probability with which such intervals hold the truth.
    caution
        What to know before leaning on it, such as "indicative: 12 customers"; empty where there is nothing.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    method: str
    level: float = 0.95
    caution: str = ""


# Below these, rates move by tens of percentage points from one sample to the next.
FEW_UNITS = 30
FEW_SUCCESSES = 5
NOBODY = "nobody"


def caution_for(units: int, successes: int | None = None, *, noun: str = "unit") -> str:
    """Say whether the sample is too small to lean on."""
    nouns = noun if units == 1 else f"{noun}s"
    if units == 0:
        return NOBODY
    if units < FEW_UNITS:
        return f"indicative: {units} {nouns}"
    if successes is not None and successes < FEW_SUCCESSES:
        return f"indicative: {successes} of {units} {nouns}"
    return ""


def nobody(method: str, level: float) -> Estimate:
    """Return the estimate of a sample without units: neither value nor ends."""
    return Estimate(value=None, low=None, high=None, units=0, method=method, level=level, caution=NOBODY)


def joined(cautions: Iterable[str]) -> str:
    """Return several cautions as one, each said once and empty ones left out."""
    return "; ".join(dict.fromkeys(caution for caution in cautions if caution))


def clipped(low: float, high: float, scale: tuple[float, float] | None) -> tuple[float, float, str]:
    """Cut an interval where the scale ends, and say so."""
    if scale is None:
        return low, high, ""
    cut = [f"{end:g}" for end, beyond in zip(scale, (low < scale[0], high > scale[1]), strict=True) if beyond]
    note = f"clipped at {' and '.join(cut)}" if cut else ""
    return max(low, float(scale[0])), min(high, float(scale[1])), note


def normal_quantile(level: float) -> float:
    """Return the z with P(-z < Z < z) = `level` for a standard normal Z."""
    return float(special.ndtri(1 - tail(level)))


def student_quantile(level: float, freedom: int) -> float:
    """Return the t with P(-t < T < t) = `level` for Student's T with `freedom` >= 1 degrees of freedom."""
    return float(special.stdtrit(freedom, 1 - tail(level)))


def tail(level: float) -> float:
    """Return the probability that an interval leaves out at each end."""
    if not 0 < level < 1:
        raise DataError(f"the level of an interval lies between 0 and 1, as 0.95; found {level}.")
    return (1 - level) / 2


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


def difference(one: Estimate, other: Estimate, *, correlation: float = 0.0) -> Estimate:
    """One less the other, with an interval recovered from the two intervals (MOVER).

    Two intervals that overlap are no test of whether the two differ; this one is.

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


def _check_pair(one: Estimate, other: Estimate, correlation: float) -> None:
    if one.level != other.level:
        raise DataError(f"two intervals are compared at one level; found {one.level} and {other.level}.")
    if not -1 <= correlation <= 1:
        raise DataError(f"a correlation lies between -1 and 1; found {correlation}.")


def _recovered(one: float, other: float, correlation: float) -> float:
    """Return the deviation of a difference from those of its parts."""
    # With a correlation of 1 and equal parts, rounding can leave a trace below 0.
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))


def garwood(events: int, exposure: float, *, level: float = 0.95) -> Estimate:
    """Rate of events per unit of exposure, with the exact interval of a Poisson number.

    Only where events come independently of each other; where one customer causes several, see `ratio`.

    Garwood (1936), "Fiducial Limits for the Poisson Distribution", Biometrika 28, 437-442.
    """
    if events < 0 or not 0 <= exposure < math.inf:
        raise DataError(
            f"events must not be negative, and exposure a number of at least 0; found {events} and {exposure}."
        )
    outside = tail(level)
    if exposure == 0:
        return Estimate(value=None, low=None, high=None, units=events, method="Garwood", level=level, caution=NOBODY)
    return Estimate(
        value=events / exposure,
        low=float(special.gammaincinv(events, outside)) / exposure if events else 0.0,
        high=float(special.gammaincinv(events + 1, 1 - outside)) / exposure,
        units=events,
        method="Garwood",
        level=level,
        caution=caution_for(events, noun="event") if events else "indicative: no event",
    )


SIGMAS = 3.0
FEWEST_PERIODS = 8
# Mean range of two draws from a normal distribution, in its standard deviations: 2 / sqrt(pi).
RANGE_OF_TWO = 2 / math.sqrt(math.pi)


def usual_range(values: ArrayLike, errors: ArrayLike | None = None) -> tuple[float, float] | None:
    """Range in which the next value is nothing unusual, from those before it: an individuals chart.

    The spread comes from how far each value lies from the one before, so that a slow drift does not hide a jump.

    Wheeler and Chambers (1992), Understanding Statistical Process Control, chapter 3.
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


def discoveries(p_values: ArrayLike, rate: float = 0.05) -> BoolArray:
    """Tell which comparisons are findings, so that on average at most a share `rate` of the findings is chance.

    True for a finding, shape (n,).

    Benjamini and Hochberg (1995), "Controlling the False Discovery Rate", JRSS B 57, 289-300, eq. 1.
    """
    values = finite("p-values", p_values)
    if not 0 < rate < 1:
        raise DataError(f"the rate of false findings lies between 0 and 1; found {rate}.")
    if values.size and (values.min() < 0 or values.max() > 1):
        raise DataError(f"p-values lie between 0 and 1; found {values.min():g} to {values.max():g}.")
    ordered = np.sort(values)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, values.size + 1) / max(values.size, 1))
    if passed.size == 0:
        return np.zeros(values.size, dtype=np.bool_)
    return np.asarray(values <= ordered[passed[-1]], dtype=np.bool_)


def median_of(values: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Median of one value per unit, with two of the values as ends, whatever the distribution.

    Thompson (1936), "On Confidence Ranges for the Median", Annals of Mathematical Statistics 7, 122-128.
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
    """Return how often the `rank`-th smallest and the `rank`-th largest of `units` values hold the median."""
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


def wilson(successes: int, units: int, *, level: float = 0.95) -> Estimate:
    """Share of successes, with the interval of Wilson's score test.

    Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212. Brown,
    Cai and DasGupta (2001), "Interval Estimation for a Binomial Proportion", Statistical Science 16, eq. 4.
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
