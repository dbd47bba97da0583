"""Expected and observed numbers of each customer in; how far a forecast was off, in one number each, out.

None stands where a score has no meaning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def total_bias(expected: FloatArray, observed: FloatArray) -> float | None:
    """Return by what share the expected total is above the observed one; None where nothing was observed."""
    came = float(observed.sum())
    return float(expected.sum()) / came - 1.0 if came > 0.0 else None


def mean_absolute_error(expected: FloatArray, observed: FloatArray) -> float:
    """Return the mean distance between what was expected of a customer and what came."""
    return float(np.abs(expected - observed).mean())


def root_mean_squared_error(expected: FloatArray, observed: FloatArray) -> float:
    """Return the root of the mean squared distance between what was expected of a customer and what came."""
    return float(np.sqrt(np.square(expected - observed).mean()))


def correlation(expected: FloatArray, observed: FloatArray) -> float | None:
    """Return Pearson's correlation over customers; None where either is the same for everyone."""
    if np.ptp(expected) == 0.0 or np.ptp(observed) == 0.0:
        return None
    return float(np.corrcoef(expected, observed)[0, 1])


def log_score(log_probs: FloatArray) -> float:
    """Return the mean of minus the log probability that was given to what came; smaller is better.

    Gneiting & Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, 359-378.
    """
    return float(-log_probs.mean())
