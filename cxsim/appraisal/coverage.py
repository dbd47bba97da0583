"""Intervals and chances that were foretold, and what came, in; how often the foretelling held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TENTHS = 10


def share_inside(low: FloatArray, high: FloatArray, observed: FloatArray) -> float:
    """Return the share of customers whose number lies in their interval, ends included."""
    return float(((low <= observed) & (observed <= high)).mean())


def randomised_pit(below: FloatArray, at: FloatArray, luck: FloatArray) -> FloatArray:
    """Return where in its foretold distribution each observed count lies.

    Shape (n,), in [0, 1]; uniform if the distributions are right, which intervals of counts cannot show.

    Czado, Gneiting & Held (2009), "Predictive Model Assessment for Count Data", Biometrics 65, 1254-1261.
    """
    return np.asarray(np.clip(below + luck * at, 0.0, 1.0))


def tenths(places: FloatArray) -> FloatArray:
    """Return the share of places in each tenth of the scale from 0 to 1; a tenth each if the forecast is right.

    Shape (10,), sums to 1.
    """
    which = np.minimum((places * TENTHS).astype(np.int64), TENTHS - 1)
    return np.asarray(np.bincount(which, minlength=TENTHS) / places.size)
