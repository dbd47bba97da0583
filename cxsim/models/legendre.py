"""A number of nodes in, Gauss and Legendre's rule on (0, 1) out, correct to the last bit on every machine."""

from __future__ import annotations

import functools
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_DIGITS = 40


@functools.cache
def unit_rule(size: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the rule that integrates polynomials of degree below 2 `size` over (0, 1).

    numpy's rule errs by 1e-12 in the outermost weights of 48 nodes, which is where steep integrands live, and its last
    bits depend on the machine's LAPACK. It is the start here for one step of Newton's method in decimals.

    Shape (size,) each, not to be written to; small nodes hold all their digits too.

    Abramowitz & Stegun (1964), 25.4.29 and 25.4.30.
    """
    nodes, weights = np.empty(size), np.empty(size)
    start, _ = np.polynomial.legendre.leggauss(size)
    with localcontext(prec=_DIGITS):
        # The rule is symmetric: the left half is found, the right half mirrored.
        for place, rough in enumerate(start[: (size + 1) // 2]):
            x = Decimal(float(rough))
            value, slope = _polynomial(size, x)
            x -= value / slope
            _, slope = _polynomial(size, x)
            nodes[place], nodes[-1 - place] = float((1 + x) / 2), float((1 - x) / 2)
            weights[place] = weights[-1 - place] = float(1 / ((1 - x * x) * slope * slope))
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def _polynomial(degree: int, x: Decimal) -> tuple[Decimal, Decimal]:
    """Return Legendre's polynomial and its derivative."""
    before, value = Decimal(1), x
    for k in range(2, degree + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, degree * (x * value - before) / (x * x - 1)
