"""A log density and places where its mass lies in, equally weighted draws from it out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.estimates import PARAMETER_DIGITS, as_matrix, significant
from cxsim.estimation.posteriors.factor import root
from cxsim.estimation.posteriors.pareto_smoothing import FEWEST_WEIGHTS, SmoothedWeights, smoothed

FloatArray = NDArray[np.float64]
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
