"""Near the top, the likelihood of very many customers is told from ten thousand of them."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.clv.fit import fit
from cxsim.clv.likelihood import KINDS, log_likelihoods, purchase_likelihood, purchase_patterns
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.posterior import posterior
from cxsim.clv.purchase_fit import MANY_PASTS, nearby
from tests.estimation.shops import simulated

SHOP = BetaGeometricParams(r=0.8, alpha=30.0, a=0.9, b=4.0)


@pytest.fixture(scope="module")
def crowd():
    return simulated(SHOP, 120_000, seed=3)


@pytest.fixture(scope="module")
def fitted(crowd):
    return fit(crowd)


def test_proposals_keep_their_log_likelihoods_to_a_twentieth(crowd, fitted):
    likelihood = purchase_likelihood(KINDS["bgnbd"], 1, purchase_patterns(crowd))
    top = np.log([fitted.params.r, fitted.params.alpha, fitted.params.a, fitted.params.b])
    scores = np.random.default_rng(1).standard_normal((200, 4))
    points = top + 2.0 * scores @ np.linalg.cholesky(np.array(fitted.log_covariance)).T
    exact, near = log_likelihoods(likelihood, points), nearby(likelihood, top)(points)
    # Twice as far out as the posterior goes, they span ten points and more; a weight is then right to 5 %.
    assert exact.max() - exact.min() > 10.0
    assert np.abs(near - exact).max() < 0.05


def test_the_draws_have_the_spread_of_the_posterior(crowd, fitted):
    assert fitted.n_patterns > MANY_PASTS
    found = posterior(fitted, crowd, draws=2000)
    assert found.reliable
    spread = np.sqrt(np.diag(np.array(fitted.log_covariance)))
    # So many customers make the posterior normal; 2,000 draws know a spread to 1.6 %, and 4 of these are allowed.
    np.testing.assert_allclose(found.log_params.std(axis=0), spread, rtol=0.065)
