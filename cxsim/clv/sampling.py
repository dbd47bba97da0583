"""A log density and places where its mass lies in, equally weighted draws from it out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxsim.clv.optimum import PARAMETER_DIGITS, as_matrix, significant
from cxsim.clv.purchase_fit import root
from cxsim.errors import EstimationError

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


LogDensity = Callable[[FloatArray], FloatArray]

# Tails heavier than those of any posterior that falls off like a normal one, and a middle that wastes few draws.
_FREEDOM = 7.0
# Up to here the weights have a finite variance, and there is nothing to mend.
_GOOD = 0.5
_ROUNDS = 4
_DIGITS_OF_SHARES = 4


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Place:
    """Where to propose.

    Attributes
    ----------
    centre, spread
        A point, shape (d,), and the covariance about there, shape (d, d).
    log_mass
        Logarithm of what the density holds about there, up to a constant that all places share.
    """

    centre: FloatArray
    spread: FloatArray
    log_mass: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """Equally weighted draws from a density.

    Attributes
    ----------
    log_params
        Shape (draws, d).
    k_hat
        Shape of the tail of the weights; above about 0.7 the draws cannot be relied on.
    effective_draws
        Equally weighted draws that would say as much as the weighted proposals did.
    proposals
        Weighted proposals that the draws were taken from.
    """

    log_params: FloatArray
    k_hat: float
    effective_draws: float
    proposals: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Round:
    points: FloatArray
    weighed: SmoothedWeights


def sample(
    log_density: LogDensity,
    places: Sequence[Place],
    *,
    draws: int,
    seed_stream: np.random.Generator,
    proposals: int | None = None,
) -> Sample:
    """Return draws from a density by importance resampling.

    Rubin (1988), "Using the SIR algorithm to simulate posterior distributions"; Vehtari, Simpson, Gelman, Yao & Gabry
    (2024), JMLR 25(72); systematic resampling: Kitagawa (1996), JCGS 5, 1-25.

    k-hat cannot see what no proposal came near: tops far from all places are overlooked.
    """
    wanted = max(4 * draws, 4 * FEWEST_WEIGHTS) if proposals is None else proposals
    if draws < 1 or wanted < FEWEST_WEIGHTS or not places:
        raise EstimationError(
            f"a sample needs at least 1 draw, {FEWEST_WEIGHTS} proposals and 1 place; found {draws}, {wanted} and "
            f"{len(places)}."
        )
    best = found = _round(log_density, places, wanted, seed_stream)
    moved = places[0]
    for _ in range(_ROUNDS):
        if best.weighed.k_hat <= _GOOD:
            break
        moved = _moved(found, moved.spread, max(place.log_mass for place in places))
        found = _round(log_density, [*places, moved], wanted, seed_stream)
        best = found if found.weighed.k_hat < best.weighed.k_hat else best
    chosen = seed_stream.permutation(_systematic(best, draws, float(seed_stream.random())))
    return Sample(
        log_params=best.points[chosen],
        k_hat=best.weighed.k_hat,
        effective_draws=best.weighed.effective_draws,
        proposals=wanted,
    )


def _round(log_density: LogDensity, places: Sequence[Place], size: int, luck: np.random.Generator) -> _Round:
    """Return weighted proposals, each place's number of them in proportion to the square root of its mass."""
    factors, dimension = [root(as_matrix(place.spread)) for place in places], places[0].centre.size
    scores = luck.standard_normal((size, dimension)) / np.sqrt(luck.chisquare(_FREEDOM, (size, 1)) / _FREEDOM)
    shares = _shares(places)
    # Spread evenly over the places and shuffled, so that draws come in no order.
    turns = luck.permutation(np.searchsorted(np.cumsum(shares), (np.arange(size) + 0.5) / size))
    points = np.empty((size, dimension))
    for turn, (place, factor) in enumerate(zip(places, factors, strict=True)):
        points[turns == turn] = _spread_out(place.centre, factor, scores[turns == turn])
    points = _rounded(points)
    values = np.asarray(log_density(points), dtype=np.float64)
    if values.shape != (size,) or np.isnan(values).any():
        raise EstimationError(
            f"the log density must be {size} numbers, none of them NaN; found shape {values.shape} with "
            f"{int(np.isnan(values).sum())} NaN."
        )
    # Each point is weighed against all places, so that none that another place would have proposed weighs too much.
    parts = zip(shares, places, factors, strict=True)
    proposal = [math.log(share) + _log_student(place.centre, factor, points) for share, place, factor in parts]
    return _Round(points=points, weighed=smoothed(values - np.logaddexp.reduce(proposal)))


def _shares(places: Sequence[Place]) -> list[float]:
    """Return the share of the proposals that each place makes; to few digits, on which all processors agree."""
    highest = max(place.log_mass for place in places)
    sizes = [significant(math.exp(0.5 * (place.log_mass - highest)), _DIGITS_OF_SHARES) for place in places]
    return [size / sum(sizes) for size in sizes]


def _spread_out(centre: FloatArray, factor: list[list[float]], scores: FloatArray) -> FloatArray:
    """Return the points for standard scores; sums in a fixed order, which a matrix product does not promise."""
    points = np.tile(centre, (len(scores), 1))
    for i, row in enumerate(factor):
        for j in range(i + 1):
            points[:, i] += row[j] * scores[:, j]
    return points


def _log_student(centre: FloatArray, factor: list[list[float]], points: FloatArray) -> FloatArray:
    """Return the log density of a place's distribution, up to a constant that all places share."""
    off, dimension = points - centre, centre.size
    scores = np.empty_like(off)
    for i, row in enumerate(factor):
        known = sum((row[j] * scores[:, j] for j in range(i)), np.zeros(len(off)))
        scores[:, i] = (off[:, i] - known) / row[i]
    size = sum(math.log(row[i]) for i, row in enumerate(factor))
    return np.asarray(-0.5 * (_FREEDOM + dimension) * np.log1p((scores * scores).sum(axis=1) / _FREEDOM) - size)


def _moved(found: _Round, spread: FloatArray, log_mass: float) -> Place:
    """Return mean and covariance of weighted points; few of them are held by the spread that they were drawn with."""
    weights, points = found.weighed.weights, found.points
    mean = weights @ points
    off = points - mean
    seen, held = found.weighed.effective_draws, 2.0 * mean.size
    covariance = (seen * (off.T * weights) @ off + held * spread) / (seen + held)
    return Place(centre=_rounded(mean), spread=0.5 * (covariance + covariance.T), log_mass=log_mass)


def _systematic(found: _Round, draws: int, luck: float) -> NDArray[np.intp]:
    """Return which points to take: those under equally spaced marks along the summed weights of the sorted points."""
    weights, points = found.weighed.weights, found.points
    widest = int((weights @ (points - weights @ points) ** 2).argmax())
    order = np.argsort(points[:, widest], kind="stable")
    edges = np.cumsum(weights[order])
    marks = (np.arange(draws) + luck) / draws * edges[-1]
    return np.asarray(order[np.minimum(np.searchsorted(edges, marks, side="right"), weights.size - 1)], dtype=np.intp)


def _rounded(values: FloatArray) -> FloatArray:
    if not np.isfinite(values).all():
        raise EstimationError("the place or spread of the proposals is not finite; fit the model again.")
    cut = [significant(float(value), PARAMETER_DIGITS) for value in values.ravel()]
    return np.array(cut).reshape(values.shape)
