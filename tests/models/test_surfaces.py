"""The compiled likelihoods of the Beta-geometric models and of Gamma-Gamma against formulas and differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import gammaln

from cxsim.clv.models.bgnbd import BetaGeometricParams, log_likelihood, value
from cxsim.clv.models.bgnbd import sums as surface_sums
from cxsim.clv.models.gamma_gamma import sums as surface_sums_2
from cxsim.clv.models.gamma_gamma import value as surface_value

FREQUENCY = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 7.0, 7.0, 40.0])
LAST = np.array([0.0, 0.0, 12.0, 200.0, 63.0, 300.0, 30.0, 350.0])
AGE = np.array([30.0, 400.0, 365.0, 200.0, 365.0, 310.0, 365.0, 365.0])
WEIGHT = np.array([50.0, 70.0, 9.0, 1.0, 4.0, 2.0, 1.0, 1.0])
PLACES = [(0.24, 30.9, 0.79, 2.43), (3.0, 4.0, 0.05, 0.4), (0.01, 900.0, 20.0, 300.0)]
# Cubes of the step against rounding over it: central differences of numbers of about 1e3 are right to 1e-7 of those.
STEP = 1e-4


def beta_geometric_surface(k, first):
    past = (FREQUENCY, LAST, AGE, WEIGHT)

    def sums(here):
        out = np.empty(15)
        surface_sums(here, *past, k, first, out)
        return out

    return sums, lambda here: value(here, *past, k, first)


def gamma_gamma_surface():
    past = (np.array([1.0, 1.0, 3.0, 12.0]), np.array([5.0, 80.0, 33.3, 41.0]), np.array([9.0, 2.0, 3.0, 1.0]))

    def sums(here):
        out = np.empty(10)
        surface_sums_2(here, *past, out)
        return out

    return sums, lambda here: surface_value(here, *past)


CASES = [(beta_geometric_surface(k, first), place) for k in (1, 2, 5) for first in (0, 1) for place in PLACES]
CASES += [(gamma_gamma_surface(), place) for place in [(6.25, 3.74, 15.44), (0.3, 0.8, 400.0), (80.0, 60.0, 50.0)]]


@pytest.mark.parametrize(("functions", "place"), CASES)
def test_gradient_and_hessian_are_those_of_differences(functions, place):
    sums, value = functions
    here, size = np.log(place), len(place)
    found = sums(here)
    assert_allclose(found[0], value(here), rtol=1e-13)
    moves = STEP * np.eye(size)
    gradient = [(value(here + move) - value(here - move)) / (2 * STEP) for move in moves]
    hessian = np.array([(sums(here + move) - sums(here - move))[1 : 1 + size] / (2 * STEP) for move in moves])
    scale = np.abs(found).max()
    assert_allclose(found[1 : 1 + size], gradient, atol=1e-7 * scale)
    assert_allclose(found[1 + size :], hessian[np.triu_indices(size)], atol=1e-7 * scale)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_the_likelihood_is_the_sum_over_customers(k, first, place):
    r, alpha, a, b = place
    params = BetaGeometricParams(r=r, alpha=alpha, a=a, b=b, k=k, leaves_after_first=first)
    each = log_likelihood(params, FREQUENCY, LAST, AGE)
    _, value = beta_geometric_surface(k, int(first))
    # Two ways of adding up logarithms of Gamma functions, each right to some 1e-14 of the largest.
    assert_allclose(value(np.log(place)), WEIGHT @ each, rtol=1e-11)


def test_the_likelihood_of_spend_is_the_sum_over_customers():
    p, q, v = 6.25, 3.74, 15.44
    x, m = np.array([1.0, 1.0, 3.0, 12.0]), np.array([5.0, 80.0, 33.3, 41.0])
    # Of a customer's total, given the rate, a Gamma density of shape p x; rates are Gamma(q, v). Note 025, (1a).
    each = (
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + p * x * np.log(x) + (p * x - 1) * np.log(m)
    )
    each -= (p * x + q) * np.log(x * m + v)
    _, value = gamma_gamma_surface()
    assert_allclose(value(np.log([p, q, v])), np.array([9.0, 2.0, 3.0, 1.0]) @ each, rtol=1e-12)
