"""The weak priors against scipy, finite differences, and what few customers know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from cxsim.clv.likelihood import PurchasePatterns, SpendPatterns
from cxsim.clv.optimum import LogNormalPrior, purchase_prior, spend_prior, weak_prior
from cxsim.errors import EstimationError

PRIOR = LogNormalPrior(names=("r", "alpha"), means=(0.5, 4.0), sds=(2.0, 3.0))
POINTS = np.array([[0.0, 1.0], [2.0, -3.0], [0.5, 4.0]])


def test_the_log_density_is_that_of_scipys_normal_distributions():
    expected = norm.logpdf(POINTS, PRIOR.means, PRIOR.sds).sum(axis=1)
    assert np.allclose(PRIOR.log_density(POINTS), expected, rtol=1e-14)
    assert PRIOR.log_density(POINTS[0]) == pytest.approx(expected[0], rel=1e-14)


def test_gradient_and_hessian_are_the_slopes_of_density_and_gradient():
    step = 1e-4
    for i in range(2):
        move = step * np.eye(2)[i]
        slope = (PRIOR.log_density(POINTS + move) - PRIOR.log_density(POINTS - move)) / (2 * step)
        bend = (PRIOR.gradient(POINTS + move) - PRIOR.gradient(POINTS - move)) / (2 * step)
        # A quadratic: central differences are exact but for rounding, 1e-16 / 1e-4.
        assert np.allclose(PRIOR.gradient(POINTS)[:, i], slope, atol=1e-10)
        assert np.allclose(PRIOR.hessian(POINTS)[:, i], bend, atol=1e-10)


def test_the_unit_of_time_says_nothing():
    days = weak_prior(("r", "alpha", "s", "beta"), scale=210.0)
    weeks = weak_prior(("r", "alpha", "s", "beta"), scale=30.0)
    at_days = np.log([0.5, 70.0, 0.6, 84.0])
    at_weeks = np.log([0.5, 10.0, 0.6, 12.0])
    # The means are kept to ten digits.
    assert days.log_density(at_days) == pytest.approx(float(weeks.log_density(at_weeks)), abs=1e-8)


def test_times_are_measured_in_the_mean_age_of_customers_and_money_in_the_mean_order():
    pasts = PurchasePatterns(
        frequency=np.array([0.0, 1.0]),
        recency_days=np.array([0.0, 9.0]),
        age_days=np.array([100.0, 200.0]),
        weight=np.array([3.0, 1.0]),
    )
    spends = SpendPatterns(
        frequency=np.array([1.0, 3.0]), monetary_value=np.array([10.0, 30.0]), weight=np.array([2.0, 1.0]), n_left_out=0
    )
    assert purchase_prior(("r", "alpha", "a", "b"), pasts).means[1] == pytest.approx(math.log(125.0), rel=1e-9)
    # Five orders of 110 in all.
    assert spend_prior(spends).means[2] == pytest.approx(math.log(22.0), rel=1e-9)


def test_unknown_parameters_and_impossible_scales_are_refused():
    with pytest.raises(EstimationError, match="no prior for the parameter 'alhpa'; did you mean 'alpha'"):
        weak_prior(("alhpa",), scale=1.0)
    with pytest.raises(EstimationError, match="scale of a prior must be positive"):
        weak_prior(("alpha",), scale=0.0)
    with pytest.raises(EstimationError, match="positive, finite sd"):
        LogNormalPrior(names=("r",), means=(0.0,), sds=(0.0,))
    with pytest.raises(EstimationError, match="found shape"):
        PRIOR.log_density(np.zeros(3))
