"""Logarithms of importance weights in; steadied weights, and a diagnosis of whether they can be relied on, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.estimates import significant

FloatArray = NDArray[np.float64]

# A tail of five weights is the least that a distribution of two parameters can be fitted to.
FEWEST_WEIGHTS = 25
# The shape is drawn towards a half as if ten more weights of the tail had said so.
_PRIOR_SHAPE, _PRIOR_WEIGHT = 0.5, 10.0
# What the diagnosis is told to: its own error is a hundred times larger.
_DIGITS = 6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SmoothedWeights:
    """Importance weights whose largest are replaced by what their fitted tail leads one to expect.

    Attributes
    ----------
    weights
        Shape (m,), not negative, sum 1.
    k_hat
        Shape of the tail. Below 0.5 the weights have a finite variance; up to about 0.7 averages can be relied on;
        from there on they cannot, and from 1 on the weights have no mean. Infinite where one weight is all.
    effective_draws
        Equally weighted draws that would say as much: 1 over the sum of the squared weights.
    """

    weights: FloatArray
    k_hat: float
    effective_draws: float


def reliable_k_hat(weights: int) -> float:
    """Return the largest k-hat at which averages over so many weights can be relied on, at most 0.7.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024), section 3.2.4, equation (13).
    """
    return min(1.0 - 1.0 / math.log10(max(weights, 10)), 0.7)


def smoothed(log_weights: FloatArray) -> SmoothedWeights:
    """Return Pareto-smoothed, normalised importance weights.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto Smoothed Importance Sampling", JMLR 25(72).
    """
    given = np.asarray(log_weights, dtype=np.float64)
    usable = given.ndim == 1 and given.size >= FEWEST_WEIGHTS and not np.isnan(given).any()
    if not usable or not math.isfinite(given.max()):
        raise EstimationError(
            f"importance weights must be at least {FEWEST_WEIGHTS} numbers, not NaN and some of them above zero; "
            f"found shape {given.shape} with {int(np.isfinite(given).sum())} finite logarithms."
        )
    ratios = np.exp(given - given.max())
    size = math.ceil(min(0.2 * ratios.size, 3.0 * math.sqrt(ratios.size)))
    # Stable, so that equal weights keep their places on every processor.
    order = np.argsort(ratios, kind="stable")
    tail, cutoff = order[-size:], float(ratios[order[-size - 1]])
    shape, scale = fit_tail(ratios[tail] - cutoff)
    if math.isfinite(shape) and scale > 0.0:
        ratios[tail] = np.minimum(cutoff + _quantiles(shape, scale, size), 1.0)
    weights = ratios / ratios.sum()
    return SmoothedWeights(
        weights=weights,
        k_hat=significant(shape, _DIGITS),
        effective_draws=significant(1.0 / float(weights @ weights), _DIGITS),
    )


def fit_tail(excess: FloatArray) -> tuple[float, float]:
    """Return shape and scale of the generalised Pareto distribution of what lies above a threshold.

    Shape k (positive for heavy tails, negative for bounded ones), drawn towards 0.5 with the weight of ten numbers,
    and scale. (0, 0) where nothing is above the threshold; an infinite shape where three quarters of the numbers
    vanish beside the largest.

    Zhang & Stephens (2009), "A New and Efficient Estimation Method for the Generalized Pareto Distribution",
    Technometrics 51, 316-325; the weak prior is that of Vehtari et al. (2024), appendix G.
    """
    n, largest = excess.size, float(excess[-1])
    if largest <= 0.0:
        return 0.0, 0.0
    quartile = float(excess[int(n / 4.0 + 0.5) - 1])
    # Beyond the range in which the candidates below can be told apart.
    if quartile <= largest * 1e-250:
        return math.inf, 0.0
    candidates = 30 + int(math.sqrt(n))
    place = np.arange(1, candidates + 1) - 0.5
    theta = 1.0 / largest + (1.0 - np.sqrt(candidates / place)) / (3.0 * quartile)
    shapes = np.log1p(-theta[:, None] * excess).mean(axis=1)
    likelihood = n * (np.log(-theta / shapes) - shapes - 1.0)
    belief = np.exp(likelihood - likelihood.max())
    best = float(belief @ theta / belief.sum())
    shape = float(np.log1p(-best * excess).mean())
    regular = (n * shape + _PRIOR_WEIGHT * _PRIOR_SHAPE) / (n + _PRIOR_WEIGHT)
    return regular, -shape / best


def _quantiles(shape: float, scale: float, size: int) -> FloatArray:
    """Return the generalised Pareto distribution's quantiles at (1/2, 3/2, ...) / size."""
    log_above = np.log1p(-(np.arange(1, size + 1) - 0.5) / size)
    # The limit of the formula at a shape of zero.
    if abs(shape) < 1e-12:
        return np.asarray(-scale * log_above)
    return np.asarray(scale * np.expm1(-shape * log_above) / shape)
