"""Numerators and denominators of units in; their ratio with an interval from resampled units out."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from cxsim.errors import DataError
from cxsim.intervals.arrays import FloatArray, finite, same_length
from cxsim.intervals.cautions import caution_for, joined
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import tail

# Units drawn at a time: some 60 MB, whatever the sample and the number of draws.
_BLOCK = 2_000_000
_METHODS: dict[str, str] = {"percentile": "bootstrap over units", "BCa": "BCa bootstrap over units"}


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    draws: int,
    seed: int,
    kind: Literal["percentile", "BCa"] = "percentile",
    level: float = 0.95,
) -> Estimate:
    """Sum of numerators over sum of denominators, with an interval by resampling whole units.

    For ratios whose distribution is skew, as spend is; with hundreds of units `ratio` says the same at no cost. Hand
    over customers with their sums: resampling orders would take what one customer does for independent.

    Parameters
    ----------
    numerators, denominators
        One per unit, shape (n,).
    draws
        Number of resamples; 2000 or more for the ends of a 95 % interval.
    seed
        Of the resampling; the same seed gives the same interval.
    kind
        Quantiles of the resampled ratios as they are, or corrected for bias and skewness.
    level
        Probability with which such intervals hold the truth, in (0, 1).

    Returns
    -------
    Estimate
        No ends with one unit, or where a resample has nothing to divide by.

    Raises
    ------
    DataError
        When a number is missing or infinite, the two differ in length, the draws are not above 0, or the kind is
        unknown.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, eq. 13.5 and 14.9 to 14.15.

    Examples
    --------
    >>> estimate = bootstrap_ratio([30, 100, 90], [1, 2, 1], draws=2000, seed=1)
    >>> estimate.value, estimate.low, estimate.high
    (55.0, 30.0, 90.0)
    """
    x, n = _pair(numerators, denominators)
    if kind not in _METHODS:
        raise DataError(f"no bootstrap '{kind}'; possible: {', '.join(_METHODS)}.")
    outside = tail(level)
    value = float(x.sum() / n.sum()) if n.sum() else None
    caution = caution_for(x.size)
    low = high = None
    if value is None and x.size:
        caution = joined([caution, "nothing to divide by"])
    if value is not None and x.size > 1:
        ratios = resampled_ratios(x, n, draws=draws, seed=seed)
        if np.isnan(ratios).any():
            caution = joined([caution, "some resamples have nothing to divide by"])
        else:
            ends = np.array([outside, 1 - outside])
            shares = ends if kind == "percentile" else _corrected(ends, _bias(ratios, value), _acceleration(x, n))
            low, high = (float(end) for end in np.quantile(ratios, shares))
    return Estimate(value=value, low=low, high=high, units=x.size, method=_METHODS[kind], level=level, caution=caution)


def resampled_ratios(numerators: ArrayLike, denominators: ArrayLike, *, draws: int, seed: int) -> FloatArray:
    """Return the ratio of sums in each of `draws` samples of as many units, drawn with replacement.

    Parameters
    ----------
    numerators, denominators
        One per unit, shape (n,), n >= 1.
    draws
        Number of samples.
    seed
        Of the generator PCG64.

    Returns
    -------
    ndarray
        Shape (draws,); not a number where the denominators drawn add up to 0.

    Raises
    ------
    DataError
        When a number is missing or infinite, the two differ in length, there is no unit, or the draws are not above 0.
    """
    x, n = _pair(numerators, denominators)
    if draws < 1 or x.size == 0:
        raise DataError(f"a bootstrap needs at least one draw of at least one unit; found {draws} of {x.size}.")
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = max(_BLOCK // x.size, 1)
    ratios = np.empty(draws)
    for start in range(0, draws, rows):
        drawn = min(rows, draws - start)
        above, below = np.zeros(drawn), np.zeros(drawn)
        for first in range(0, x.size, _BLOCK):
            width = min(_BLOCK, x.size - first)
            units = generator.integers(0, x.size, size=(drawn, width))
            above += x[units].sum(axis=1)
            below += n[units].sum(axis=1)
        ratios[start : start + drawn] = np.divide(above, below, out=np.full(drawn, np.nan), where=below != 0)
    return ratios


def _pair(numerators: ArrayLike, denominators: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, n = finite("numerators", numerators), finite("denominators", denominators)
    same_length(("numerators", x), ("denominators", n))
    return x, n


def _bias(ratios: FloatArray, value: float) -> float:
    """Return how far the value lies from the median of the resampled ratios, in standard deviations."""
    # Ties count half, else a ratio with few possible values would look biased.
    below = (float((ratios < value).mean()) + float((ratios <= value).mean())) / 2
    share = min(max(below, 0.5 / ratios.size), 1 - 0.5 / ratios.size)
    return float(special.ndtri(share))


def _acceleration(x: FloatArray, n: FloatArray) -> float:
    """Return how fast the spread changes with the value, from the ratios without one unit each."""
    others = n.sum() - n
    if not others.all():
        return 0.0
    without = (x.sum() - x) / others
    deviations = without.mean() - without
    spread = float((deviations**2).sum())
    return float((deviations**3).sum()) / (6 * spread**1.5) if spread else 0.0


def _corrected(ends: FloatArray, bias: float, acceleration: float) -> FloatArray:
    moved = bias + special.ndtri(ends)
    return np.asarray(special.ndtr(bias + moved / (1 - acceleration * moved)), dtype=np.float64)
