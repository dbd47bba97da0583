"""Waiting times, some of them not over, in; the lognormal distribution that they come from, with errors, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from cxsim.errors import DataError

FloatArray = NDArray[np.float64]
_STEP = 1e-4


@dataclass(frozen=True, kw_only=True, slots=True)
class Lognormal:
    """A fitted distribution of waiting times.

    Attributes
    ----------
    median, median_error
        In the unit of the times, and its standard error.
    spread, spread_error
        Standard deviation of the log, and its standard error.
    log_error
        Standard error of the log of the median.
    """

    median: float
    median_error: float
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
    return Lognormal(
        median=median,
        median_error=median * log_error,
        spread=spread,
        spread_error=spread * spread_error,
        log_error=log_error,
    )
