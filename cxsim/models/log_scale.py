"""Derivatives in the parameters in, derivatives in their logarithms out; compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import inlined


@inlined
def to_logs(out: NDArray[np.float64], theta: tuple[float, ...]) -> None:
    """Turn gradient and Hessian in the parameters into those in their logarithms, in place."""
    size = len(theta)
    place = 1 + size
    for i in range(size):
        out[1 + i] *= theta[i]
        for j in range(i, size):
            out[place] *= theta[i] * theta[j]
            if i == j:
                out[place] += out[1 + i]
            place += 1
