"""Importance resampling against densities whose moments are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cxsim.clv.sampling import Place, fit_tail, reliable_k_hat, root, sample, smoothed
from cxsim.errors import EstimationError
from cxsim.rng import stream

MEAN = np.array([1.0, -2.0, 30.0])
COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, -0.3], [0.0, -0.3, 0.5]])


def normal(points, mean=MEAN, covariance=COVARIANCE):
    off = points - mean
    return -0.5 * np.einsum("mi,ij,mj->m", off, np.linalg.inv(covariance), off)


def drawn(log_density, mode, spread, draws=4000, proposals=None):
    places = [Place(centre=np.asarray(mode, dtype=float), spread=np.asarray(spread, dtype=float))]
    return sample(log_density, places, draws=draws, generator=stream(1, 0, "test"), proposals=proposals or 4 * draws)


def test_a_normal_density_gives_a_small_k_hat_and_its_own_moments():
    found = drawn(normal, MEAN, COVARIANCE)
    assert found.k_hat < 0.2
    error = np.sqrt(np.diag(COVARIANCE) / 4000)
    assert (np.abs(found.points.mean(axis=0) - MEAN) < 4 * error).all()
    variances = found.points.var(axis=0)
    assert (np.abs(variances / np.diag(COVARIANCE) - 1.0) < 4 * np.sqrt(2 / 4000)).all()
    # The variance of a sample correlation is (1 - rho^2)^2 / n.
    assert np.corrcoef(found.points.T)[0, 1] == pytest.approx(0.8 / np.sqrt(2.0), abs=4 * 0.68 / np.sqrt(4000))


def test_draws_are_written_in_ten_digits_and_come_in_no_order():
    found = drawn(normal, MEAN, COVARIANCE, draws=1000).points
    assert all(float(f"{x:.9e}") == x for x in found.ravel())
    # The lag-one correlation of 1,000 independent numbers has a standard error of 0.032.
    assert abs(np.corrcoef(found[1:, 1], found[:-1, 1])[0, 1]) < 0.127


def test_a_proposal_in_the_wrong_place_and_too_narrow_is_mended():
    found = drawn(normal, MEAN + 2.0, 0.1 * COVARIANCE)
    assert found.k_hat < 0.5
    assert (np.abs(found.points.mean(axis=0) - MEAN) < 4 * np.sqrt(np.diag(COVARIANCE) / 1000)).all()


def test_a_density_with_far_heavier_tails_than_the_proposal_is_flagged():
    # Tails like |x|^-1.2 in every direction have no mean; no moving of the proposal can catch up with them.
    def heavy(points):
        return -1.1 * np.log1p(np.abs(points)).sum(axis=1)

    assert drawn(heavy, np.zeros(3), 0.01 * np.eye(3)).k_hat > 0.7


def test_a_density_with_two_maxima_is_drawn_in_full_from_both():
    far = np.array([9.0, 0.0])

    def two(points):
        unit = np.eye(2)
        return np.logaddexp(normal(points, np.zeros(2), unit), normal(points, far, unit))

    places = [Place(centre=np.zeros(2), spread=np.eye(2)), Place(centre=far, spread=np.eye(2))]
    found = sample(two, places, draws=4000, generator=stream(1, 0, "test"), proposals=16_000)
    assert found.k_hat < 0.5
    # Half of the draws at either maximum: a standard error of 0.008 at most.
    assert (found.points[:, 0] > 4.5).mean() == pytest.approx(0.5, abs=0.032)


def test_a_second_maximum_within_reach_of_the_proposals_is_found():
    far = np.array([5.0, 0.0])

    def two(points):
        return np.logaddexp(normal(points, np.zeros(2), np.eye(2)), normal(points, far, np.eye(2)))

    found = drawn(two, np.zeros(2), np.eye(2))
    assert found.k_hat < 0.7
    assert (found.points[:, 0] > 2.5).mean() == pytest.approx(0.5, abs=0.05)


def test_a_density_that_is_not_a_number_is_refused():
    with pytest.raises(EstimationError, match="the log density is NaN at 16000 of 16000 points"):
        drawn(lambda points: np.full(len(points), np.nan), MEAN, COVARIANCE)


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


def test_equal_weights_stay_equal():
    found, k_hat = smoothed(np.full(400, -1234.5))
    assert np.allclose(found, 1 / 400, rtol=1e-15)
    assert k_hat == 0.0


def test_weights_of_a_known_tail_have_its_k_hat():
    # exp(k e) of a standard exponential e has a Pareto tail of shape k.
    exponential = np.random.default_rng(8).exponential(size=40_000)
    for shape in (0.3, 0.7):
        # The tail has 600 weights: its standard error is (1 + k) / sqrt(600).
        assert smoothed(shape * exponential)[1] == pytest.approx(shape, abs=4 * (1 + shape) / math.sqrt(600))


def test_smoothing_keeps_the_order_of_the_weights_and_none_exceeds_the_largest_seen():
    log_weights = 0.8 * np.random.default_rng(2).exponential(size=3000)
    found, _ = smoothed(log_weights)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.diff(found[np.argsort(log_weights)]) >= 0.0).all()
    raw = np.exp(log_weights - log_weights.max())
    assert found.max() / found.min() <= raw.max() / raw.min() * (1 + 1e-12)


def test_smoothing_brings_a_heavy_tailed_mean_nearer_to_the_truth():
    # The mean of exp(0.6 e) is 1 / (1 - 0.6) = 2.5: what the largest weights say is tamed, the rest is untouched.
    generator = np.random.default_rng(3)
    raw, tamed = [], []
    for _ in range(200):
        log_weights = 0.6 * generator.exponential(size=1000)
        weights = smoothed(log_weights)[0]
        ratio = np.exp(log_weights - log_weights.max())
        middle = np.argsort(log_weights)[500]
        raw.append(math.exp(log_weights[middle]) * ratio.sum() / ratio[middle] / 1000)
        tamed.append(math.exp(log_weights[middle]) / weights[middle] / 1000)
    assert np.std(tamed) < np.std(raw)


def test_one_weight_that_is_all_has_an_infinite_k_hat_and_points_without_mass_get_none():
    found, k_hat = smoothed(np.array([0.0] + [-2000.0] * 99))
    assert k_hat == math.inf
    assert found[0] == pytest.approx(1.0)
    found, _ = smoothed(np.array([-math.inf] * 50 + [0.0] * 50))
    assert found[:50].sum() == 0.0
    assert found[50:] == pytest.approx(1 / 50)
    for log_weights in (np.full(30, -np.inf), np.full(30, np.nan)):
        with pytest.raises(EstimationError, match="importance weights must have a finite logarithm"):
            smoothed(log_weights)


def test_the_threshold_of_vehtari_et_al_is_seven_tenths_from_2155_weights_on():
    # 1 - 1 / log10(S) = 0.7 at S = 10^(10/3) = 2154.4.
    assert reliable_k_hat(2155) == 0.7
    assert reliable_k_hat(2154) == pytest.approx(0.7, abs=1e-4)
    assert reliable_k_hat(2154) < 0.7


def test_the_root_of_a_covariance_is_that_of_cholesky():
    assert np.allclose(root(COVARIANCE), np.linalg.cholesky(COVARIANCE), rtol=1e-12, atol=0)
    with pytest.raises(EstimationError, match="not positive definite"):
        root(np.array([[1.0, 2.0], [2.0, 1.0]]))
