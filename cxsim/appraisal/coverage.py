"""Intervals and chances that were foretold, and what came, in; how often the foretelling held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TENTHS = 10


def share_inside(low: FloatArray, high: FloatArray, observed: FloatArray) -> float:
    """Return the share of customers whose number lies in their interval, ends included.

    Parameters
    ----------
    low, high, observed
        Shape (n,), not empty.

    Returns
    -------
    float
        0 to 1. Intervals of whole numbers must hold at least as often as they say, and mostly hold more often: an
        interval from 0 to 0 holds with the chance of no order, which may be far above 80 %.

    Examples
    --------
    >>> share_inside(np.array([0.0, 1.0]), np.array([0.0, 3.0]), np.array([1.0, 3.0]))
    0.5
    """
    return float(((low <= observed) & (observed <= high)).mean())


def randomised_pit(below: FloatArray, at: FloatArray, luck: FloatArray) -> FloatArray:
    """Return where in its foretold distribution each observed count lies.

    Parameters
    ----------
    below
        Chance that was given to fewer than what came; shape (n,).
    at
        Chance that was given to the very number that came.
    luck
        Uniform in [0, 1), one per customer: a count fills a stretch of the scale, and luck chooses a place in it.

    Returns
    -------
    numpy.ndarray
        Shape (n,), in [0, 1]; uniform if the distributions are right, which intervals of counts cannot show.

    References
    ----------
    Czado, Gneiting & Held (2009), "Predictive Model Assessment for Count Data", Biometrics 65, 1254-1261.

    Examples
    --------
    >>> randomised_pit(np.array([0.0, 0.6]), np.array([0.6, 0.3]), np.array([0.5, 0.0]))
    array([0.3, 0.6])
    """
    return np.asarray(np.clip(below + luck * at, 0.0, 1.0))


def tenths(places: FloatArray) -> FloatArray:
    """Return the share of places in each tenth of the scale from 0 to 1; a tenth each if the forecast is right.

    Parameters
    ----------
    places
        In [0, 1], as from `randomised_pit`; shape (n,), not empty.

    Returns
    -------
    numpy.ndarray
        Shape (10,), sums to 1.
    """
    which = np.minimum((places * TENTHS).astype(np.int64), TENTHS - 1)
    return np.asarray(np.bincount(which, minlength=TENTHS) / places.size)
