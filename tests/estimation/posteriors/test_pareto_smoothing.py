"""Pareto smoothing against known tails."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cxsim.clv.sampling import fit_tail, reliable_k_hat, smoothed
from cxsim.errors import EstimationError


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4, 0.9])
def test_the_shape_and_scale_of_a_generalised_pareto_tail_are_recovered(shape):
    uniform = np.sort(np.random.default_rng(5).random(20_000))
    excess = 2.0 * (np.expm1(-shape * np.log1p(-uniform)) / shape if shape else -np.log1p(-uniform))
    found, scale = fit_tail(excess)
    # Standard errors of maximum likelihood (Smith 1987): (1 + k) / sqrt(n) and scale sqrt(2 (1 + k) / n).
    assert found == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(20_000))
    assert scale == pytest.approx(2.0, abs=4 * 2.0 * math.sqrt(2 * (1 + shape) / 20_000))


def test_a_short_tail_is_drawn_towards_a_half_with_the_weight_of_ten_numbers():
    # Evenly spaced numbers are a bounded tail of shape -1, less what the estimator cannot reach with so few.
    found, _ = fit_tail(np.arange(1, 21) / 20.0)
    unregular = (found * 30 - 5.0) / 20
    assert -1.3 < unregular < -0.5
    assert found > unregular


def test_equal_weights_stay_equal_and_are_worth_as_many_draws():
    found = smoothed(np.full(400, -1234.5))
    assert np.allclose(found.weights, 1 / 400, rtol=1e-15)
    assert (found.k_hat, found.effective_draws) == (0.0, 400.0)


def test_weights_of_a_known_tail_have_its_k_hat():
    # exp(k e) of a standard exponential e has a Pareto tail of shape k.
    exponential = np.random.default_rng(8).exponential(size=40_000)
    for shape in (0.3, 0.7):
        # The tail has 600 weights: its standard error is (1 + k) / sqrt(600).
        assert smoothed(shape * exponential).k_hat == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(600))


def test_smoothing_keeps_the_order_of_the_weights_and_none_exceeds_the_largest_seen():
    log_weights = 0.8 * np.random.default_rng(2).exponential(size=3000)
    found = smoothed(log_weights)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.diff(found.weights[np.argsort(log_weights)]) >= 0.0).all()
    raw = np.exp(log_weights - log_weights.max())
    assert found.weights.max() / found.weights.min() <= raw.max() / raw.min() * (1 + 1e-12)


def test_smoothing_brings_a_heavy_tailed_mean_nearer_to_the_truth():
    # The mean of exp(0.6 e) is 1 / (1 - 0.6) = 2.5: what the largest weights say is tamed, the rest is untouched.
    luck = np.random.default_rng(3)
    raw, tamed = [], []
    for _ in range(200):
        log_weights = 0.6 * luck.exponential(size=1000)
        weights = smoothed(log_weights).weights
        ratio = np.exp(log_weights - log_weights.max())
        middle = np.argsort(log_weights)[500]
        raw.append(math.exp(log_weights[middle]) * ratio.sum() / ratio[middle] / 1000)
        tamed.append(math.exp(log_weights[middle]) / weights[middle] / 1000)
    assert np.std(tamed) < np.std(raw)


def test_one_weight_that_is_all_has_an_infinite_k_hat():
    found = smoothed(np.array([0.0] + [-2000.0] * 99))
    assert found.k_hat == math.inf
    assert found.effective_draws == pytest.approx(1.0)


def test_points_without_mass_get_no_weight():
    found = smoothed(np.array([-math.inf] * 50 + [0.0] * 50))
    assert found.weights[:50].sum() == 0.0
    assert found.effective_draws == pytest.approx(50.0)


@pytest.mark.parametrize("log_weights", [np.zeros(24), np.full(30, -np.inf), np.array([np.nan] * 30), np.zeros((5, 6))])
def test_weights_that_are_none_are_refused(log_weights):
    with pytest.raises(EstimationError, match="importance weights must be at least 25 numbers"):
        smoothed(log_weights)


def test_the_threshold_of_vehtari_et_al_is_seven_tenths_from_2155_weights_on():
    # 1 - 1 / log10(S) = 0.7 at S = 10^(10/3) = 2154.4.
    assert reliable_k_hat(2155) == 0.7
    assert reliable_k_hat(2154) == pytest.approx(0.7, abs=1e-4)
    assert reliable_k_hat(2154) < 0.7
