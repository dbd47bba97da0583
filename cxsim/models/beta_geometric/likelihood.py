"""Parameters of a Beta-geometric model and a customer's past in, its log-likelihood and P(alive, stage) out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, gammaln, logsumexp

from cxsim.models.admission import history
from cxsim.models.beta_geometric.params import BetaGeometricParams

FloatArray = NDArray[np.float64]


def log_likelihood(
    params: BetaGeometricParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike
) -> FloatArray:
    """Return the log-likelihood of each customer's past.

    Natural logarithms, broadcast shape. They stay finite for a million orders. For k > 1 the term (k - 1) * sum(log
    gaps), which no parameter moves, is left out.

    Fader, Hardie & Lee (2005), Marketing Science 24, 275-284, equation (6); Platzer & Reutterer (2016), Marketing
    Science 35, 779-799, appendix, for k > 1 and for leaving after the first order.
    """
    x, last, end = history(frequency, last_order, age)
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    shape, chances = r + params.k * x, x + params.leaves_after_first
    shared = gammaln(shape) - gammaln(r) + betaln(a, b + chances) - betaln(a, b) - x * math.lgamma(params.k)
    # alpha^r (alpha + age)^-shape, without the difference of two large logarithms where alpha is large.
    shared = shared - r * np.log1p(end / alpha) - params.k * x * np.log(alpha + end)
    alive, left = _log_parts(params, x, last, end)
    return np.asarray(shared + np.logaddexp(logsumexp(alive, axis=-1), left))


def phase_probs(params: BetaGeometricParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the probabilities that a customer has not left by `age`, and how far the next order has come.

    Broadcast shape and one more axis of length k: P(alive, and j of k stages passed since the last order). Sums over
    it to P(alive).

    Fader & Hardie (2008), "Computing P(alive) using the BG/NBD model", note 021; Platzer & Reutterer (2016).
    """
    alive, left = _log_parts(params, *history(frequency, last_order, age))
    total = np.logaddexp(logsumexp(alive, axis=-1), left)
    return np.asarray(np.minimum(np.exp(alive - total[..., None]), 1.0))


def phase_probs_new(params: BetaGeometricParams) -> FloatArray:
    """Return the same probabilities right after the first order.

    Shape (k,): no stage has passed; with `leaves_after_first`, the customer may have left already.
    """
    probs = np.zeros(params.k)
    probs[0] = params.b / (params.a + params.b) if params.leaves_after_first else 1.0
    return probs


def _log_parts(
    params: BetaGeometricParams, x: FloatArray, last: FloatArray, end: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms of (alive, j stages) and of (left), both over that of (alive, no stage)."""
    shape, idle = params.r + params.k * x, end - last
    stages = np.zeros((*x.shape, params.k))
    with np.errstate(divide="ignore"):
        share = np.log(idle) - np.log(params.alpha + end)
    for j in range(1, params.k):
        stages[..., j] = stages[..., j - 1] + np.log((shape + j - 1.0) / j) + share
    chances = x + params.leaves_after_first
    odds = np.log(params.a) - np.log(params.b + np.maximum(chances, 1.0) - 1.0)
    left = odds + shape * np.log1p(idle / (params.alpha + last))
    return stages, np.where(chances > 0, left, -np.inf)
