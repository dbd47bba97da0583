"""Importance resampling against densities whose moments are known."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.clv.sampling import Place, sample
from cxsim.errors import EstimationError
from cxsim.rng import stream

MEAN = np.array([1.0, -2.0, 30.0])
COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, -0.3], [0.0, -0.3, 0.5]])


def normal(points, mean=MEAN, covariance=COVARIANCE):
    off = points - mean
    return -0.5 * np.einsum("mi,ij,mj->m", off, np.linalg.inv(covariance), off)


def drawn(log_density, mode, spread, draws=4000, **more):
    places = [Place(centre=np.asarray(mode, dtype=float), spread=np.asarray(spread, dtype=float))]
    return sample(log_density, places, draws=draws, seed_stream=stream(1, 0, "test"), **more)


def test_a_normal_density_gives_a_small_k_hat_and_its_own_moments():
    found = drawn(normal, MEAN, COVARIANCE)
    assert found.k_hat < 0.2
    error = np.sqrt(np.diag(COVARIANCE) / 4000)
    assert (np.abs(found.log_params.mean(axis=0) - MEAN) < 4 * error).all()
    variances = found.log_params.var(axis=0)
    assert (np.abs(variances / np.diag(COVARIANCE) - 1.0) < 4 * np.sqrt(2 / 4000)).all()
    # The variance of a sample correlation is (1 - rho^2)^2 / n.
    assert np.corrcoef(found.log_params.T)[0, 1] == pytest.approx(0.8 / np.sqrt(2.0), abs=4 * 0.68 / np.sqrt(4000))


def test_the_same_stream_gives_the_same_bytes():
    assert drawn(normal, MEAN, COVARIANCE).log_params.tobytes() == drawn(normal, MEAN, COVARIANCE).log_params.tobytes()


def test_draws_are_written_in_ten_digits_and_come_in_no_order():
    found = drawn(normal, MEAN, COVARIANCE, draws=1000).log_params
    assert all(float(f"{x:.9e}") == x for x in found.ravel())
    # The lag-one correlation of 1,000 independent numbers has a standard error of 0.032.
    assert abs(np.corrcoef(found[1:, 1], found[:-1, 1])[0, 1]) < 0.127


def test_a_proposal_in_the_wrong_place_and_too_narrow_is_mended():
    found = drawn(normal, MEAN + 2.0, 0.1 * COVARIANCE)
    assert found.k_hat < 0.5
    assert (np.abs(found.log_params.mean(axis=0) - MEAN) < 4 * np.sqrt(np.diag(COVARIANCE) / 1000)).all()


def test_a_density_with_far_heavier_tails_than_the_proposal_is_flagged():
    # Tails like |x|^-1.2 in every direction have no mean; no moving of the proposal can catch up with them.
    def heavy(points):
        return -1.1 * np.log1p(np.abs(points)).sum(axis=1)

    assert drawn(heavy, np.zeros(3), 0.01 * np.eye(3)).k_hat > 0.7


def test_a_density_with_two_tops_is_drawn_in_full_from_both():
    far = np.array([9.0, 0.0])

    def two(points):
        unit = np.eye(2)
        return np.logaddexp(normal(points, np.zeros(2), unit), normal(points, far, unit))

    places = [Place(centre=np.zeros(2), spread=np.eye(2)), Place(centre=far, spread=np.eye(2))]
    found = sample(two, places, draws=4000, seed_stream=stream(1, 0, "test"))
    assert found.k_hat < 0.5
    # Half of the draws at either top: a standard error of 0.008 at most.
    assert (found.log_params[:, 0] > 4.5).mean() == pytest.approx(0.5, abs=0.032)


def test_a_second_top_within_reach_of_the_proposals_is_found_without_being_sentence_of():
    far = np.array([5.0, 0.0])

    def two(points):
        return np.logaddexp(normal(points, np.zeros(2), np.eye(2)), normal(points, far, np.eye(2)))

    found = drawn(two, np.zeros(2), np.eye(2))
    assert found.k_hat < 0.7
    assert (found.log_params[:, 0] > 2.5).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("draws", "proposals"), [(0, 100), (10, 24)])
def test_too_few_draws_or_proposals_are_refused(draws, proposals):
    with pytest.raises(EstimationError, match="at least 1 draw, 25 proposals"):
        drawn(normal, MEAN, COVARIANCE, draws=draws, proposals=proposals)


def test_a_density_that_is_not_a_number_is_refused():
    with pytest.raises(EstimationError, match="none of them NaN"):
        drawn(lambda points: np.full(len(points), np.nan), MEAN, COVARIANCE)


def test_more_draws_than_proposals_repeat_some():
    found = drawn(normal, MEAN, COVARIANCE, draws=1000, proposals=250)
    assert found.log_params.shape == (1000, 3)
    assert len(np.unique(found.log_params, axis=0)) <= 250
