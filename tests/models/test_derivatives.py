"""Analytic derivatives of both log-likelihoods against differences."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cxsim.models import BgNbdParams, GammaGammaParams, bgnbd, gamma_gamma

# Central differences of step h err by h^2 and by 1e-16 / h: at 1e-5 both are 1e-10 or less, times the size of the sum.
STEP = 1e-5
TOLERANCE = 1e-7


def _differences(values, start):
    """Return the central differences of `values` in each coordinate."""
    moves = STEP * np.eye(start.size)
    return np.array([(values(start + move) - values(start - move)) / (2 * STEP) for move in moves])


def test_derivatives_of_the_bgnbd_likelihood():
    past = np.array([0.0, 1, 2, 40]), np.array([0.0, 0.5, 30, 38]), np.array([38.0, 20, 39, 39])
    weights = np.array([5.0, 2, 1, 3])

    def at(log_params):
        r, alpha, a, b = np.exp(log_params)
        return bgnbd.log_likelihood_derivatives(BgNbdParams(r=r, alpha=alpha, a=a, b=b), *past, weights=weights)

    start = np.log([0.3, 4.0, 0.8, 2.5])
    _, gradient, hessian = at(start)
    assert_allclose(gradient, _differences(lambda x: at(x)[0], start), rtol=TOLERANCE, atol=TOLERANCE)
    assert_allclose(hessian, _differences(lambda x: at(x)[1], start), rtol=TOLERANCE, atol=TOLERANCE)


def test_derivatives_of_the_gamma_gamma_likelihood():
    spends, weights = (np.array([1.0, 2, 30]), np.array([12.0, 22.35, 80])), np.array([5.0, 2, 1])

    def at(log_params):
        p, q, v = np.exp(log_params)
        return gamma_gamma.log_likelihood_derivatives(GammaGammaParams(p=p, q=q, v=v), *spends, weights=weights)

    start = np.log([6.0, 3.5, 15.0])
    _, gradient, hessian = at(start)
    assert_allclose(gradient, _differences(lambda x: at(x)[0], start), rtol=TOLERANCE, atol=TOLERANCE)
    assert_allclose(hessian, _differences(lambda x: at(x)[1], start), rtol=TOLERANCE, atol=TOLERANCE)
