"""A likelihood of very many customers and its top in; the same likelihood near the top, for the cost of a few, out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxsim.estimation.likelihoods import Derivatives, Likelihood, derivatives, log_likelihoods, thinned

FloatArray = NDArray[np.float64]

# More distinct pasts than this are too many to be asked thousands of times.
MANY_PASTS = 50_000
# Customers who stand for all in what is not quadratic.
_WITNESSES = 10_000


def nearby(likelihood: Likelihood, top: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return a function of log-parameters, shape (m, d), that gives the log-likelihood near `top`, shape (m,).

    Value, slope and curvature at the top are those of all customers. What goes beyond them is small where so many
    customers leave little room, and is that of ten thousand customers, evenly spaced in the order of their pasts, each
    for several others: the noise of a sum over all, on the third order alone.
    """
    few = thinned(likelihood, _WITNESSES)
    whole, part = derivatives(likelihood, top), derivatives(few, top)

    def near(points: FloatArray) -> FloatArray:
        step = points - top
        return _quadratic(whole, step) + (log_likelihoods(few, points) - _quadratic(part, step))

    return near


def _quadratic(at_top: Derivatives, step: FloatArray) -> FloatArray:
    value, gradient, hessian = at_top
    return np.asarray(value + step @ gradient + 0.5 * np.einsum("mi,ij,mj->m", step, hessian, step))
