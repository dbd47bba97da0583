"""Derivatives and rises of log Gamma against scipy's functions and correctly rounded sums."""

from __future__ import annotations

import math

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import polygamma, psi

from cxsim.clv.models.special import digamma, digamma_rise, lgamma_rise, trigamma, trigamma_rise, unit_rule

SIZES = np.concatenate([np.geomspace(1e-6, 1e12, 400), np.linspace(0.5, 13.0, 200)])


def test_digamma_and_trigamma_agree_with_scipy_from_a_millionth_to_a_million_millions():
    found = np.array([digamma(x) for x in SIZES])
    assert np.all(np.abs(found - psi(SIZES)) < 1e-14 * np.maximum(1.0, np.abs(found)))
    assert_allclose([trigamma(x) for x in SIZES], polygamma(1, SIZES), rtol=1e-14)


def test_rises_agree_with_correctly_rounded_sums_where_differences_would_not():
    for x in np.geomspace(1e-6, 1e12, 60):
        for n in (1, 2, 7, 40, 300):
            steps = [x + i for i in range(n)]
            # Each logarithm is right to its last bit, and no more is known of their sum than of the greatest.
            spread = n * max(1.0, abs(math.log(x)), abs(math.log(x + n)))
            assert abs(lgamma_rise(x, n) - math.fsum(map(math.log, steps))) < 1e-14 * spread
            assert_allclose(digamma_rise(x, n), math.fsum(1.0 / step for step in steps), rtol=1e-14)
            assert_allclose(trigamma_rise(x, n), -math.fsum(1.0 / step**2 for step in steps), rtol=1e-14)


def test_nothing_rises_over_no_distance():
    for x in (1e-3, 5.0, 1e9):
        assert lgamma_rise(x, 0.0) == digamma_rise(x, 0.0) == trigamma_rise(x, 0.0) == 0.0


def test_gauss_and_legendres_rule_is_exact_up_to_its_degree():
    for size in (1, 2, 5, 32, 64):
        nodes, weights = unit_rule(size)
        for degree in {0, 1, size, 2 * size - 1}:
            assert_allclose((weights * nodes**degree).sum(), 1.0 / (degree + 1.0), rtol=2e-15)
