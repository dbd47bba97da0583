"""A log density and places where its mass lies in, equally weighted draws from it out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import boxcox1p

from cxsim.clv.estimates import COVARIANCE_DIGITS, PARAMETER_DIGITS, rounded, significant
from cxsim.clv.models.special import FloatArray
from cxsim.errors import EstimationError

LogDensity = Callable[[FloatArray], FloatArray]

# The shape is drawn towards a half as if ten more weights of the tail had that shape.
_PRIOR_SHAPE, _PRIOR_WEIGHT = 0.5, 10.0
# Digits of the diagnosis: its own error is a hundred times larger.
_DIGITS = 6
# Tails heavier than those of any posterior that falls off like a normal one, and a middle that wastes few draws.
_FREEDOM = 7.0
# Up to here the weights have a finite variance, and there is nothing to mend.
_GOOD = 0.5
_ROUNDS = 4
_DIGITS_OF_SHARES = 4


class Place(NamedTuple):
    """Where to propose: a point, the covariance about there, and the log of the mass there, up to a constant."""

    centre: FloatArray
    spread: FloatArray
    log_mass: float = 0.0


class Weighted(NamedTuple):
    """Points, shape (n, d), with importance weights that sum to 1.

    `k_hat` is the shape of the tail of the weights: below 0.5 they have a finite variance, up to about 0.7 averages can
    be relied on, and from 1 on they have no mean. `effective_draws` equally weighted ones would say as much.
    """

    points: FloatArray
    weights: FloatArray
    k_hat: float
    effective_draws: float


def sample(
    log_density: LogDensity,
    places: Sequence[Place],
    *,
    draws: int,
    generator: np.random.Generator,
    proposals: int,
) -> Weighted:
    """Return draws from a density by importance resampling; the weights are those of the proposals.

    Rubin (1988), "Using the SIR algorithm to simulate posterior distributions"; Vehtari, Simpson, Gelman, Yao & Gabry
    (2024), JMLR 25(72); systematic resampling: Kitagawa (1996), JCGS 5, 1-25.

    k-hat cannot see what no proposal came near: maxima far from all places are overlooked.
    """
    best = found = _round(log_density, places, proposals, generator)
    moved = places[0]
    for _ in range(_ROUNDS):
        if best.k_hat <= _GOOD:
            break
        moved = _moved(found, moved.spread, max(place.log_mass for place in places))
        found = _round(log_density, [*places, moved], proposals, generator)
        best = found if found.k_hat < best.k_hat else best
    chosen = generator.permutation(_systematic(best, draws, generator.random()))
    return best._replace(points=best.points[chosen])


def reliable_k_hat(weights: int) -> float:
    """Return the largest k-hat at which averages over so many weights can be relied on, at most 0.7.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024), section 3.2.4, equation (13).
    """
    return min(1.0 - 1.0 / math.log10(max(weights, 10)), 0.7)


def smoothed(log_weights: FloatArray) -> tuple[FloatArray, float]:
    """Return normalised importance weights whose largest are what their fitted tail leads one to expect, and its shape.

    Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto Smoothed Importance Sampling", JMLR 25(72).
    """
    if not math.isfinite(log_weights.max()):
        raise EstimationError("importance weights must have a finite logarithm, some of them above zero.")
    ratios = np.exp(log_weights - log_weights.max())
    size = math.ceil(min(0.2 * ratios.size, 3.0 * math.sqrt(ratios.size)))
    # Stable, so that equal weights keep their places on every processor.
    order = np.argsort(ratios, kind="stable")
    tail, cutoff = order[-size:], ratios[order[-size - 1]]
    shape, scale = fit_tail(ratios[tail] - cutoff)
    if math.isfinite(shape) and scale > 0.0:
        # Quantiles of the generalised Pareto distribution.
        above = -scale * boxcox1p(-(np.arange(1, size + 1) - 0.5) / size, -shape)
        ratios[tail] = np.minimum(cutoff + above, 1.0)
    return ratios / ratios.sum(), significant(shape, _DIGITS)


def fit_tail(excess: FloatArray) -> tuple[float, float]:
    """Return shape and scale of the generalised Pareto distribution of what lies above a threshold.

    Shape k (positive for heavy tails, negative for bounded ones), drawn towards 0.5 with the weight of ten numbers,
    and scale. (0, 0) where nothing is above the threshold; an infinite shape where three quarters of the numbers
    vanish beside the largest.

    Zhang & Stephens (2009), "A New and Efficient Estimation Method for the Generalized Pareto Distribution",
    Technometrics 51, 316-325; the weak prior is that of Vehtari et al. (2024), appendix G.
    """
    n, largest = excess.size, excess[-1]
    if largest <= 0.0:
        return 0.0, 0.0
    quartile = excess[int(n / 4.0 + 0.5) - 1]
    # Beyond the range in which the candidates below can be distinguished.
    if quartile <= largest * 1e-250:
        return math.inf, 0.0
    candidates = 30 + int(math.sqrt(n))
    place = np.arange(1, candidates + 1) - 0.5
    theta = 1.0 / largest + (1.0 - np.sqrt(candidates / place)) / (3.0 * quartile)
    shapes = np.log1p(-theta[:, None] * excess).mean(axis=1)
    likelihood = n * (np.log(-theta / shapes) - shapes - 1.0)
    density = np.exp(likelihood - likelihood.max())
    best = density @ theta / density.sum()
    shape = np.log1p(-best * excess).mean()
    regular = (n * shape + _PRIOR_WEIGHT * _PRIOR_SHAPE) / (n + _PRIOR_WEIGHT)
    return regular, -shape / best


def _round(log_density: LogDensity, places: Sequence[Place], size: int, generator: np.random.Generator) -> Weighted:
    """Return weighted proposals, each place's number of them in proportion to the square root of its mass."""
    shares = _shares(places)
    parts = [(share, place.centre, root(place.spread)) for share, place in zip(shares, places, strict=True)]
    scores = generator.standard_normal((size, places[0].centre.size))
    scores /= np.sqrt(generator.chisquare(_FREEDOM, (size, 1)) / _FREEDOM)
    # Spread evenly over the places and shuffled, so that draws come in no order.
    turns = generator.permutation(np.searchsorted(np.cumsum(shares), (np.arange(size) + 0.5) / size))
    points = np.empty_like(scores)
    for turn, (_, centre, factor) in enumerate(parts):
        points[turns == turn] = _spread_out(centre, factor, scores[turns == turn])
    points = _rounded(points)
    values = log_density(points)
    if np.isnan(values).any():
        raise EstimationError(f"the log density is NaN at {int(np.isnan(values).sum())} of {size} points.")
    # Each point is weighed against all places, so that none that another place would have proposed weighs too much.
    proposal = [math.log(share) + _log_student(centre, factor, points) for share, centre, factor in parts]
    weights, k_hat = smoothed(values - np.logaddexp.reduce(proposal))
    effective = significant(1.0 / float(weights @ weights), _DIGITS)
    return Weighted(points=points, weights=weights, k_hat=k_hat, effective_draws=effective)


def _shares(places: Sequence[Place]) -> list[float]:
    """Return the share of the proposals that each place makes; to few digits, on which all processors agree."""
    highest = max(place.log_mass for place in places)
    sizes = [significant(math.exp(0.5 * (place.log_mass - highest)), _DIGITS_OF_SHARES) for place in places]
    return [size / sum(sizes) for size in sizes]


def _spread_out(centre: FloatArray, factor: list[list[float]], scores: FloatArray) -> FloatArray:
    """Return the points for standard scores; sums in a fixed order, which a matrix product does not promise."""
    columns = [
        sum((weight * score for weight, score in zip(row, scores.T, strict=True)), np.full(len(scores), middle))
        for middle, row in zip(centre, factor, strict=True)
    ]
    return np.column_stack(columns)


def _log_student(centre: FloatArray, factor: list[list[float]], points: FloatArray) -> FloatArray:
    """Return the log density of a place's distribution, up to a constant that all places share."""
    scores: list[FloatArray] = []
    for i, row in enumerate(factor):
        known = sum((weight * score for weight, score in zip(row, scores, strict=False)), np.zeros(len(points)))
        scores.append((points[:, i] - centre[i] - known) / row[i])
    size = sum(math.log(row[i]) for i, row in enumerate(factor))
    squares = sum(score * score for score in scores)
    return np.asarray(-0.5 * (_FREEDOM + centre.size) * np.log1p(squares / _FREEDOM) - size)


def _moved(found: Weighted, spread: FloatArray, log_mass: float) -> Place:
    """Return mean and covariance of weighted points; few of them are held by the spread that they were drawn with."""
    weights, points = found.weights, found.points
    mean = weights @ points
    off = points - mean
    seen, held = found.effective_draws, 2.0 * mean.size
    covariance = (seen * (off.T * weights) @ off + held * spread) / (seen + held)
    return Place(_rounded(mean), 0.5 * (covariance + covariance.T), log_mass)


def _systematic(found: Weighted, draws: int, offset: float) -> NDArray[np.intp]:
    """Return which points to take: those under equally spaced marks along the summed weights of the sorted points."""
    weights, points = found.weights, found.points
    widest = int((weights @ (points - weights @ points) ** 2).argmax())
    order = np.argsort(points[:, widest], kind="stable")
    edges = np.cumsum(weights[order])
    marks = (np.arange(draws) + offset) / draws * edges[-1]
    return np.asarray(order[np.minimum(np.searchsorted(edges, marks, side="right"), weights.size - 1)], dtype=np.intp)


def _rounded(values: FloatArray) -> FloatArray:
    if not np.isfinite(values).all():
        raise EstimationError("the place or spread of the proposals is not finite; fit the model again.")
    return rounded(values, PARAMETER_DIGITS)


def root(spread: FloatArray) -> list[list[float]]:
    """Return the Cholesky factor L of a covariance, L L' = covariance; the same on every processor."""
    size = len(spread)
    rows = rounded(spread, COVARIANCE_DIGITS).tolist()
    factor = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = rows[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            if i != j:
                factor[i][j] = rest / factor[j][j]
            elif rest > 0.0:
                factor[i][i] = math.sqrt(rest)
            else:
                raise EstimationError(f"the covariance is not positive definite; found {rows}. Fit the model again.")
    return factor
