"""Answers on a scale, by customer, in; the scale that turns satisfaction into such answers, with errors, out.

A score is the nearest whole number, within the scale's ends, to centre + per_deviation * S + noise; S is standard
normal between customers, and who is delighted or angry answers more often. How much of the spread is satisfaction and
how much is noise shows only where the same customers answer twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize, special

from cxsim.errors import EstimationError

FloatArray = NDArray[np.float64]
# Satisfaction on a grid: finer or wider ones change the fifth digit.
_GRID = np.linspace(-5.0, 5.0, 101)
_DENSITY = np.exp(-0.5 * _GRID * _GRID) / np.exp(-0.5 * _GRID * _GRID).sum()
_STEP = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaleFit:
    """A fitted scale.

    Attributes
    ----------
    centre, per_deviation, noise
        As in `cxsim.behaviour.Scale`.
    centre_error, per_deviation_error, noise_error
        Standard errors; of the last two None where their ratio was not fitted.
    spread
        Standard deviation of the scores before rounding.
    """

    centre: float
    per_deviation: float
    noise: float
    centre_error: float
    per_deviation_error: float | None
    noise_error: float | None
    spread: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Answering:
    """Who answers at all.

    Attributes
    ----------
    odds
        Odds of an answer at mean satisfaction; None where it is not known how many were asked.
    extremity
        As in `cxsim.behaviour.Surveys`.
    shift
        Mean satisfaction of those who are asked.
    """

    odds: float | None
    extremity: float
    shift: float = 0.0


def response_at_mean(share: float, extremity: float) -> float:
    """Return the share that answers at mean satisfaction where `share` of all who are asked answer.

    >>> round(response_at_mean(0.147, 0.3), 3)
    0.118
    """
    tilt = extremity * np.abs(_GRID)

    def excess(log_odds: float) -> float:
        return float((_DENSITY * special.expit(log_odds + tilt)).sum()) - share

    return float(special.expit(optimize.brentq(excess, -40.0, 40.0, xtol=1e-12)))


def fit_scale(
    patterns: pl.DataFrame, ends: tuple[int, int], answering: Answering, *, satisfaction_share: float | None
) -> ScaleFit:
    """Return the scale by maximum likelihood."""
    weights = _weights(patterns, answering)
    counts = patterns["customers"].to_numpy().astype(float)
    first = patterns["first"].to_numpy() - ends[0]
    second = patterns["second"].fill_null(ends[0]).to_numpy() - ends[0]
    alone = patterns["second"].is_null().to_numpy()
    satisfied = _GRID + answering.shift

    def loss(place: FloatArray) -> float:
        share = float(special.expit(place[2])) if satisfaction_share is None else satisfaction_share
        spread = math.exp(place[1])
        middle = place[0] + spread * math.sqrt(share) * satisfied
        chances = _chances(middle, spread * math.sqrt(1.0 - share), ends)
        both = np.where(alone[:, None], chances[first], chances[first] * chances[second])
        return -float(counts @ np.log((weights * both).sum(axis=1)))

    scores = np.repeat(patterns["first"].to_numpy(), patterns["customers"].to_numpy())
    start = [
        float(scores.mean()),
        math.log(max(float(scores.std()), 0.3)),
        *([0.0] if satisfaction_share is None else []),
    ]
    place = optimize.minimize(loss, np.array(start), method="BFGS").x
    errors = _errors(loss, place)
    found, width = _fitted(place, errors, satisfaction_share), ends[1] - ends[0]
    # Where all answers are the same, any scale far beyond its end would do.
    if found.centre_error > width or not ends[0] - width <= found.centre <= ends[1] + width:
        raise EstimationError("the answers do not say it: nearly all of them are the same.")
    return found


def _weights(patterns: pl.DataFrame, answering: Answering) -> FloatArray:
    """Return how satisfied those are who answered so often: shape (patterns, grid), rows adding up to 1."""
    answered = patterns["answered"].to_numpy()[:, None].astype(float)
    tilt = answering.extremity * np.abs(_GRID + answering.shift)
    if answering.odds is None:
        logs = answered * tilt
    else:
        log_odds = math.log(answering.odds) + tilt
        silent = patterns["asked"].to_numpy()[:, None] - answered
        logs = answered * special.log_expit(log_odds) + silent * special.log_expit(-log_odds)
    weights = _DENSITY * np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _chances(middle: FloatArray, noise: float, ends: tuple[int, int]) -> FloatArray:
    """Return the chance of each score at each satisfaction: shape (scores, grid)."""
    cuts = np.arange(ends[0], ends[1]) + 0.5
    below = special.ndtr((cuts[:, None] - middle) / max(noise, 1e-6))
    edges = np.vstack([np.zeros_like(middle), below, np.ones_like(middle)])
    found: FloatArray = np.maximum(np.diff(edges, axis=0), 1e-300)
    return found


def _errors(loss: Callable[[FloatArray], float], place: FloatArray) -> FloatArray:
    """Return the covariance of the parameters from the curvature at the best place."""
    size = len(place)
    curve = np.empty((size, size))
    steps = _STEP * np.eye(size)
    for i in range(size):
        for j in range(size):
            corners = [
                one * other * loss(place + one * steps[i] + other * steps[j]) for one in (1, -1) for other in (1, -1)
            ]
            curve[i, j] = sum(corners) / (4.0 * _STEP * _STEP)
    values = np.linalg.eigvalsh(curve)
    if not np.isfinite(values).all() or values.min() <= 0.0:
        raise EstimationError("the answers do not say it: their likelihood has no peak.")
    covariance: FloatArray = np.linalg.inv(curve).astype(np.float64)
    return covariance


def _fitted(place: FloatArray, errors: FloatArray, satisfaction_share: float | None) -> ScaleFit:
    spread = math.exp(place[1])
    share = float(special.expit(place[2])) if satisfaction_share is None else satisfaction_share
    per_deviation, noise = spread * math.sqrt(share), spread * math.sqrt(1.0 - share)
    both: tuple[float | None, float | None] = (None, None)
    if satisfaction_share is None:
        # By log spread and log odds of the share.
        slopes = np.array(
            [[0.0, per_deviation, 0.5 * per_deviation * (1.0 - share)], [0.0, noise, -0.5 * noise * share]]
        )
        deviations = np.sqrt(np.diag(slopes @ errors @ slopes.T))
        both = float(deviations[0]), float(deviations[1])
    return ScaleFit(
        centre=float(place[0]),
        per_deviation=per_deviation,
        noise=noise,
        centre_error=math.sqrt(float(errors[0, 0])),
        per_deviation_error=both[0],
        noise_error=both[1],
        spread=spread,
    )
