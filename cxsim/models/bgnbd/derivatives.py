"""Weighted customers in, log-likelihood of BG/NBD with gradient and Hessian in the logarithms of the parameters out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, polygamma

from cxsim.models.bgnbd.likelihood import BgNbdParams, log_likelihood

FloatArray = NDArray[np.float64]


def log_likelihood_derivatives(
    params: BgNbdParams, frequency: FloatArray, last_order: FloatArray, age: FloatArray, *, weights: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return the weighted log-likelihood, its gradient and its Hessian in (log r, log alpha, log a, log b).

    Parameters
    ----------
    params
        Parameters, alpha in the unit of `last_order` and `age`.
    frequency, last_order, age, weights
        Repeat orders; age at the last order; age now; number of such customers. Shape (n,).

    Returns
    -------
    tuple
        A number, an array of shape (4,), an array of shape (4, 4).

    References
    ----------
    Derivatives of equation (6) of Fader, Hardie & Lee (2005): the likelihood is a common factor times the sum of
    an `alive` and a `left` part, so the Hessian of the sum's logarithm is the mixture of both Hessians plus the
    variance of both gradients.
    """
    value = float((weights * log_likelihood(params, frequency, last_order, age)).sum())
    theta = np.array([params.r, params.alpha, params.a, params.b])
    common, common_curve = _shared(params, frequency)
    alive, alive_curve = _branch(params, frequency, age)
    left, left_curve = _branch(params, frequency, last_order)
    leaving, leaving_curve = _leaving(params, frequency)
    left, left_curve = left + leaving, left_curve + leaving_curve
    odds = params.a / (params.b + np.maximum(frequency, 1.0) - 1.0)
    idle = np.log1p((age - last_order) / (params.alpha + last_order))
    share = np.where(frequency > 0, expit(np.log(odds) + (params.r + frequency) * idle), 0.0)
    gap = left - alive
    gradient = common + alive + share * gap
    hessian = (
        common_curve
        + alive_curve
        + share * (left_curve - alive_curve)
        + share * (1.0 - share) * gap[:, None] * gap[None, :]
    )
    slope = theta * (weights * gradient).sum(axis=-1)
    curve = theta[:, None] * theta[None, :] * (weights * hessian).sum(axis=-1) + np.diag(slope)
    return value, slope, curve


def _shared(params: BgNbdParams, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return gradient (4, n) and Hessian (4, 4, n) of the factor that both branches share."""
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    gradient, hessian = np.zeros((4, x.size)), np.zeros((4, 4, x.size))
    both = digamma(a + b) - digamma(a + b + x)
    gradient[0] = digamma(r + x) - digamma(r) + np.log(alpha)
    gradient[1] = r / alpha
    gradient[2] = both
    gradient[3] = both + digamma(b + x) - digamma(b)
    curve = polygamma(1, a + b) - polygamma(1, a + b + x)
    hessian[0, 0] = polygamma(1, r + x) - polygamma(1, r)
    hessian[0, 1] = hessian[1, 0] = 1.0 / alpha
    hessian[1, 1] = -r / alpha**2
    hessian[2, 2] = hessian[2, 3] = hessian[3, 2] = curve
    hessian[3, 3] = curve + polygamma(1, b + x) - polygamma(1, b)
    return gradient, hessian


def _branch(params: BgNbdParams, x: FloatArray, time: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return gradient and Hessian of -(r + x) log(alpha + time)."""
    total = params.alpha + time
    gradient, hessian = np.zeros((4, x.size)), np.zeros((4, 4, x.size))
    gradient[0] = -np.log(total)
    gradient[1] = -(params.r + x) / total
    hessian[0, 1] = hessian[1, 0] = -1.0 / total
    hessian[1, 1] = (params.r + x) / total**2
    return gradient, hessian


def _leaving(params: BgNbdParams, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return gradient and Hessian of log a - log(b + x - 1)."""
    stays = params.b + np.maximum(x, 1.0) - 1.0
    gradient, hessian = np.zeros((4, x.size)), np.zeros((4, 4, x.size))
    gradient[2] = 1.0 / params.a
    gradient[3] = -1.0 / stays
    hessian[2, 2] = -1.0 / params.a**2
    hessian[3, 3] = 1.0 / stays**2
    return gradient, hessian
