"""Counts, waits and answers in; a number of a shop's behaviour with its 90 % interval, or why there is none, out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize, special

from cxsim.errors import DataError, EstimationError
from cxsim.metrics.intervals import RatioSums, ratio_error
from cxsim.params import Z95

FloatArray = NDArray[np.float64]
# Independent units from which a number of the behaviour is measured: below it the interval is only an indication.
FEWEST = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A number that was measured.

    Attributes
    ----------
    path
        Its place in the behaviour, as `cxsim.params.quantities` names it.
    value, error
        The number and its standard error.
    low, high
        Ends of its 90 % interval.
    units
        Customers or tickets behind it.
    method
        How it was measured, in words.
    """

    path: str
    value: float
    error: float
    low: float
    high: float
    units: int
    method: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotMeasured:
    """A number that was not measured, by its place in the behaviour, and why not."""

    path: str
    reason: str


Outcome = Measurement | NotMeasured


def share_of(path: str, rows: pl.LazyFrame, *, of: str) -> Outcome:
    """Return the share of `counted` in `among` with its interval on the logit scale, by the delta method."""
    sums = sums_over_customers(rows)
    if sums.units < FEWEST:
        return NotMeasured(path=path, reason=f"there are {of} of {sums.units} customers only; {FEWEST} are needed.")
    if sums.x <= 0.0:
        return NotMeasured(path=path, reason=f"it is nowhere seen among {sums.n:,.0f} {of}.")
    value, error = sums.x / sums.n, ratio_error(sums)
    low = high = value
    if error == 0.0 or not 0.0 < value < 1.0:
        error = 0.0
    else:
        middle, half = math.log(value / (1.0 - value)), Z95 * error / (value * (1.0 - value))
        low, high = (1.0 / (1.0 + math.exp(-(middle + side * half))) for side in (-1.0, 1.0))
    method = f"share of {of}, delta over customers"
    return Measurement(path=path, value=value, error=error, low=low, high=high, units=sums.units, method=method)


def sums_over_customers(rows: pl.LazyFrame) -> RatioSums:
    """Return the sums of a ratio over customers: what is counted, among what; a guest is a customer alone."""
    # Squares of cents of many orders can be more than 64 bits hold.
    x, n = pl.col("counted").cast(pl.Int128), pl.col("among").cast(pl.Int128)
    known = rows.filter(pl.col("customer_id").is_not_null())
    guests = rows.filter(pl.col("customer_id").is_null())
    parts = [
        part.select(units=pl.len(), x=x.sum(), n=n.sum(), xx=(x * x).sum(), nn=(n * n).sum(), xn=(x * n).sum())
        for part in (known.group_by("customer_id").agg(pl.col("counted", "among").sum()), guests)
    ]
    units, *sums = pl.concat(parts).sum().collect(engine="streaming").row(0)
    return RatioSums(units=units, **dict(zip(("x", "n", "xx", "nn", "xn"), map(float, sums), strict=True)))


def on_own_scale(path: str, value: float, error: float, *, units: int, method: str) -> Measurement:
    """Return a number with its interval on its own scale."""
    half = Z95 * error
    return Measurement(
        path=path, value=value, error=error, low=value - half, high=value + half, units=units, method=method
    )


_STEP = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class Lognormal:
    """A fitted distribution of waiting times.

    Attributes
    ----------
    median
        In the unit of the times.
    spread, spread_error
        Standard deviation of the log, and its standard error.
    log_error
        Standard error of the log of the median.
    """

    median: float
    spread: float
    spread_error: float
    log_error: float


def fit_lognormal(over: FloatArray, waiting: FloatArray) -> Lognormal:
    """Return the distribution by maximum likelihood, with those who still wait right-censored.

    Lawless (2003), "Statistical Models and Methods for Lifetime Data", section 5.3.
    """
    logs, open_logs = np.log(over), np.log(waiting)
    start = (float(logs.mean()), float(logs.std())) if logs.size else (0.0, 0.0)
    if start[1] <= 0.0:
        raise DataError(f"a distribution needs two waiting times that differ; found {logs.size}.")
    count, total, squares = logs.size, float(logs.sum()), float((logs * logs).sum())

    def slope(place: FloatArray) -> FloatArray:
        """Return the derivatives of minus the log-likelihood by mean and log of the spread."""
        mean, spread = place[0], math.exp(place[1])
        z = (open_logs - mean) / spread
        # The hazard of the standard normal, by logarithms because the tail is soon 0.
        hazard = np.exp(-0.5 * z * z - 0.5 * math.log(2.0 * math.pi) - special.log_ndtr(-z))
        by_mean = (total - count * mean) / spread**2 + float(hazard.sum()) / spread
        square = (squares - 2.0 * mean * total + count * mean * mean) / spread**2
        return -np.array([by_mean, square - count + float((hazard * z).sum())])

    first = np.array([start[0], math.log(start[1])])
    place = np.asarray(optimize.root(slope, first, method="hybr", tol=1e-12).x, dtype=float)
    curve = np.column_stack([(slope(place + step) - slope(place - step)) / (2.0 * _STEP) for step in _STEP * np.eye(2)])
    variances = np.diag(np.linalg.inv(0.5 * (curve + curve.T)))
    log_error, spread_error = (math.sqrt(float(variance)) for variance in variances)
    median, spread = math.exp(place[0]), math.exp(place[1])
    return Lognormal(median=median, spread=spread, spread_error=spread * spread_error, log_error=log_error)


# Satisfaction on a grid: finer or wider ones change the fifth digit.
_GRID = np.linspace(-5.0, 5.0, 101)
_DENSITY = np.exp(-0.5 * _GRID * _GRID) / np.exp(-0.5 * _GRID * _GRID).sum()
_ANSWERS_STEP = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaleFit:
    """A fitted scale.

    Attributes
    ----------
    centre, per_deviation, noise
        As in `cxsim.strategies.behaviour.Scale`.
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
class Responding:
    """Who answers at all.

    Attributes
    ----------
    odds
        Odds of an answer at mean satisfaction; None where it is not known how many were asked.
    extremity
        As in `cxsim.strategies.behaviour.Surveys`.
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
    patterns: pl.DataFrame, ends: tuple[int, int], responding: Responding, *, satisfaction_share: float | None
) -> ScaleFit:
    """Return the scale by maximum likelihood."""
    weights = _weights(patterns, responding)
    counts = patterns["customers"].to_numpy().astype(float)
    first = patterns["first"].to_numpy() - ends[0]
    second = patterns["second"].fill_null(ends[0]).to_numpy() - ends[0]
    alone = patterns["second"].is_null().to_numpy()
    satisfied = _GRID + responding.shift

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


def _weights(patterns: pl.DataFrame, responding: Responding) -> FloatArray:
    """Return how satisfied those are who answered so often: shape (patterns, grid), rows adding up to 1."""
    answered = patterns["answered"].to_numpy()[:, None].astype(float)
    tilt = responding.extremity * np.abs(_GRID + responding.shift)
    if responding.odds is None:
        logs = answered * tilt
    else:
        log_odds = math.log(responding.odds) + tilt
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
    steps = _ANSWERS_STEP * np.eye(size)
    for i in range(size):
        for j in range(size):
            corners = [
                one * other * loss(place + one * steps[i] + other * steps[j]) for one in (1, -1) for other in (1, -1)
            ]
            curve[i, j] = sum(corners) / (4.0 * _ANSWERS_STEP * _ANSWERS_STEP)
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
