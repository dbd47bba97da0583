"""Counts, waits and answers in; a number of a shop's behaviour with its 90 % interval, or why there is none, out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray
from scipy import special

from cxsim.errors import DataError, EstimationError
from cxsim.metrics.intervals import RatioSums, ratio_error, summed
from cxsim.params import Z95

FloatArray = NDArray[np.float64]
# Independent units from which a number of the behaviour is measured: below it the interval is only an indication.
FEWEST = 30


class Measurement(NamedTuple):
    """A number that was measured, the ends of its 90 % interval, and its standard error.

    units: customers or tickets behind it; method: how it was measured, in words.
    """

    value: float
    low: float
    high: float
    error: float
    units: int
    method: str


# What was measured, or why it was not; of several numbers, by their places as `cxsim.params.quantities` names them.
Outcome = Measurement | str
Outcomes = dict[str, Outcome]


def share_of(rows: pl.LazyFrame, *, of: str) -> Outcome:
    """Return the share of `counted` in `among` with its interval on the logit scale, by the delta method."""
    sums = sums_over_customers(rows)
    if sums.units < FEWEST:
        return f"there are {of} of only {sums.units} customers; {FEWEST} are needed."
    if sums.x <= 0.0:
        return f"there is no case among {sums.n:,.0f} {of}."
    value, error = sums.x / sums.n, ratio_error(sums)
    low = high = value
    if error == 0.0 or not 0.0 < value < 1.0:
        error = 0.0
    else:
        middle, half = math.log(value / (1.0 - value)), Z95 * error / (value * (1.0 - value))
        low, high = (1.0 / (1.0 + math.exp(-(middle + side * half))) for side in (-1.0, 1.0))
    return Measurement(value, low, high, error, sums.units, f"share of {of}, delta over customers")


def sums_over_customers(rows: pl.LazyFrame) -> RatioSums:
    """Return the sums of a ratio over customers: what is counted, among what; a guest is a customer alone."""
    known = rows.filter(pl.col("customer_id").is_not_null()).group_by("customer_id")
    guests = rows.filter(pl.col("customer_id").is_null())
    everybody = pl.concat(
        [known.agg(pl.col("counted", "among").sum()), guests.select("customer_id", "counted", "among")]
    )
    sums = everybody.select(summed(pl.col("counted"), pl.col("among"), pl.len()))
    return RatioSums(**sums.collect(engine="streaming").item())


def on_own_scale(value: float, error: float, units: int, method: str) -> Measurement:
    """Return a number with its interval on its own scale."""
    half = Z95 * error
    return Measurement(value, value - half, value + half, error, units, method)


_STEP = 1e-4


class Lognormal(NamedTuple):
    """A fitted distribution of waiting times: its median, the standard deviation of the log, and standard errors.

    log_error: of the log of the median.
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
    place = np.asarray(scipy.optimize.root(slope, first, method="hybr", tol=1e-12).x, dtype=float)
    curve = np.column_stack([(slope(place + step) - slope(place - step)) / (2.0 * _STEP) for step in _STEP * np.eye(2)])
    variances = np.diag(np.linalg.inv(0.5 * (curve + curve.T)))
    log_error, spread_error = (math.sqrt(float(variance)) for variance in variances)
    median, spread = math.exp(place[0]), math.exp(place[1])
    return Lognormal(median, spread, spread * spread_error, log_error)


# Satisfaction on a grid: finer or wider ones change the fifth digit.
_GRID = np.linspace(-5.0, 5.0, 101)
_DENSITY = np.exp(-0.5 * _GRID * _GRID) / np.exp(-0.5 * _GRID * _GRID).sum()
_ANSWERS_STEP = 1e-3


class ScaleFit(NamedTuple):
    """A fitted `cxsim.strategies.behaviour.Scale` with standard errors, of the last two only where both were fitted.

    spread: standard deviation of the scores before rounding.
    """

    centre: float
    per_deviation: float
    noise: float
    spread: float
    centre_error: float
    per_deviation_error: float | None
    noise_error: float | None


class Responding(NamedTuple):
    """Who answers at all.

    odds: of an answer at mean satisfaction; None where it is not known how many were asked. extremity: as in
    `cxsim.strategies.behaviour.Surveys`. shift: mean satisfaction of those who are asked.
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

    return float(special.expit(scipy.optimize.brentq(excess, -40.0, 40.0, xtol=1e-12)))


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
        per_deviation, noise, _ = _parts(place, satisfaction_share)
        chances = _chances(place[0] + per_deviation * satisfied, noise, ends)
        both = np.where(alone[:, None], chances[first], chances[first] * chances[second])
        return -float(counts @ np.log((weights * both).sum(axis=1)))

    scores = np.repeat(patterns["first"].to_numpy(), patterns["customers"].to_numpy())
    start = [float(scores.mean()), math.log(max(float(scores.std()), 0.3))]
    place = scipy.optimize.minimize(loss, [*start, 0.0] if satisfaction_share is None else start, method="BFGS").x
    found, width = _fitted(place, _errors(loss, place), satisfaction_share), ends[1] - ends[0]
    # Where all answers are the same, any scale far beyond its end would do.
    if found.centre_error > width or not ends[0] - width <= found.centre <= ends[1] + width:
        raise EstimationError("the answers do not determine it: nearly all are the same.")
    return found


def _parts(place: FloatArray, satisfaction_share: float | None) -> tuple[float, float, float]:
    """Return what satisfaction and noise add to a score, and the share of the former in its variance."""
    share = float(special.expit(place[2])) if satisfaction_share is None else satisfaction_share
    spread = math.exp(place[1])
    return spread * math.sqrt(share), spread * math.sqrt(1.0 - share), share


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
    steps = _ANSWERS_STEP * np.eye(len(place))
    corners = [(one, other) for one in (1, -1) for other in (1, -1)]
    curve = np.array(
        [[sum(a * b * loss(place + a * one + b * other) for a, b in corners) for other in steps] for one in steps]
    ) / (4.0 * _ANSWERS_STEP * _ANSWERS_STEP)
    values = np.linalg.eigvalsh(curve)
    if not np.isfinite(values).all() or values.min() <= 0.0:
        raise EstimationError("the answers do not determine it: their likelihood has no maximum.")
    covariance: FloatArray = np.linalg.inv(curve).astype(np.float64)
    return covariance


def _fitted(place: FloatArray, errors: FloatArray, satisfaction_share: float | None) -> ScaleFit:
    per_deviation, noise, share = _parts(place, satisfaction_share)
    both: list[float | None] = [None, None]
    if satisfaction_share is None:
        # By log spread and log odds of the share.
        slopes = np.array(
            [[0.0, per_deviation, 0.5 * per_deviation * (1.0 - share)], [0.0, noise, -0.5 * noise * share]]
        )
        both = np.sqrt(np.diag(slopes @ errors @ slopes.T)).tolist()
    centre, centre_error = float(place[0]), math.sqrt(float(errors[0, 0]))
    return ScaleFit(centre, per_deviation, noise, math.exp(place[1]), centre_error, *both)
