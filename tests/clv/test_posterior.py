"""Draws from the posterior of fits to CDNOW against long Metropolis chains, and what a Posterior tells."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.inputs import purchase_patterns
from cxsim.clv.likelihood import KINDS, log_likelihoods, purchase_likelihood
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.optimum import WEAK, log_prior, purchase_problem, spend_problem
from cxsim.clv.posterior import MANY_PASTS, Posterior, _along_ridge, _places, nearby, posterior
from cxsim.errors import EstimationError
from tests.clv.shops import simulated

CHAINS = json.loads(Path(__file__).with_name("chains.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def customers(sample):
    sample = sample.sort("customer_id")
    return {"sample": sample, "two_hundred": sample.gather_every(11).head(200)}


@pytest.fixture(scope="module")
def drawn(customers):
    return posterior(fit(customers["sample"]), customers["sample"])


@pytest.mark.parametrize("case", CHAINS)
def test_means_and_spreads_are_those_of_long_metropolis_chains(customers, case):
    group, model = case.split("/")
    rfm, chain = customers[group], CHAINS[case]
    fitted = fit_spend(rfm) if model == "gamma_gamma" else fit(rfm, model=model)
    found = posterior(fitted, rfm, draws=4000)
    assert found.names == tuple(chain["names"])
    assert found.reliable
    # Monte Carlo errors: of 4,000 draws 0.016 and 0.011 standard deviations, of the chains as they state, under 0.02.
    sd = np.array(chain["sd"])
    assert (np.abs(found.log_params.mean(axis=0) - chain["mean"]) < 0.1 * sd).all()
    assert (np.abs(found.log_params.std(axis=0) / sd - 1.0) < 0.05).all()


@pytest.mark.parametrize("case", CHAINS)
def test_the_chains_agree_with_one_another(case):
    chain = CHAINS[case]
    assert max(chain["r_hat"]) < 1.005
    assert chain["n_draws"] >= 200_000
    assert (np.array(chain["mean_error"]) < 0.02 * np.array(chain["sd"])).all()
    assert (np.array(chain["sd_error"]) < 0.02 * np.array(chain["sd"])).all()


def test_a_thousand_draws_of_cdnow_are_made_by_three_thousand_proposals_that_say_as_much_as_two_thousand(drawn):
    assert len(drawn) == 1000
    assert (drawn.proposals, drawn.k, drawn.model) == (3000, 1, "bgnbd")
    assert drawn.effective_draws > 1500
    assert drawn.k_hat < 0.5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(customers, drawn):
    fitted = fit(customers["sample"])
    again = posterior(fitted, customers["sample"])
    assert again.log_params.tobytes() == drawn.log_params.tobytes()
    assert (again.k_hat, again.effective_draws) == (drawn.k_hat, drawn.effective_draws)
    assert posterior(fitted, customers["sample"], seed=1).log_params.tobytes() != drawn.log_params.tobytes()


def test_the_order_of_the_customers_plays_no_part(customers, drawn):
    backwards = customers["sample"].reverse()
    assert posterior(fit(backwards), backwards).log_params.tobytes() == drawn.log_params.tobytes()


def test_a_draw_is_a_set_of_parameters(drawn):
    params = drawn.params(7)
    assert isinstance(params, BetaGeometricParams)
    # Ten significant digits are kept.
    assert params.alpha == pytest.approx(math.exp(drawn.log_params[7, 1]), rel=1e-9)
    with pytest.raises(EstimationError, match="no draw 1000; possible: 0 to 999"):
        drawn.params(1000)


def test_draws_of_regular_buyers_keep_their_number_of_stages(customers):
    rfm = customers["two_hundred"]
    found = posterior(fit(rfm, model="mbgcnbd", k=2), rfm, draws=50)
    params = found.params(0)
    assert isinstance(params, BetaGeometricParams)
    assert (params.k, params.leaves_after_first, found.title) == (2, True, "MBG/CNBD-2")


def test_spend_has_random_numbers_of_its_own(customers, drawn):
    spend = posterior(fit_spend(customers["sample"]), customers["sample"])
    assert isinstance(spend.params(0), GammaGammaParams)
    # A thousand independent pairs: a standard error of 0.032.
    assert abs(np.corrcoef(spend.log_params[:, 0], drawn.log_params[:, 0])[0, 1]) < 0.127


def test_mean_spread_and_interval_are_those_of_the_draws(drawn):
    alpha = np.exp(drawn.log_params[:, 1])
    assert drawn.mean["alpha"] == pytest.approx(alpha.mean(), rel=1e-12)
    low, median, high = drawn.interval(0.9).row(1)[1:]
    assert (np.mean(alpha < low), np.mean(alpha > high)) == pytest.approx((0.05, 0.05), abs=0.002)
    assert median == pytest.approx(np.median(alpha), rel=1e-3)
    with pytest.raises(EstimationError, match="level must be above 0 and below 1"):
        drawn.interval(1.0)


def test_where_nobody_leaves_there_is_a_posterior_and_it_is_wide():
    # Ten customers each of forty ages, who order every twenty days to the very end: no sign of dropout.
    age = np.repeat(np.arange(100, 140), 10)
    frequency = age // 20
    rfm = pl.DataFrame(
        {
            "customer_id": np.arange(400),
            "frequency": frequency,
            "recency_days": frequency * 20,
            "age_days": age,
            "monetary_value": np.full(400, 10.0),
        }
    )
    found = posterior(fit(rfm), rfm, draws=500)
    assert found.reliable
    assert found.log_params[:, 3].std() > 1.0
    chance = 1.0 / (1.0 + np.exp(found.log_params[:, 3] - found.log_params[:, 2]))
    assert np.median(chance) < 0.01


def test_other_customers_than_those_of_the_fit_are_refused(customers):
    with pytest.raises(EstimationError, match="the posterior needs the customers that the model was fitted to, 2357"):
        posterior(fit(customers["sample"]), customers["two_hundred"])


def test_a_posterior_that_cannot_be_relied_on_says_so():
    numbers = {"model": "bgnbd", "k_hat": 0.9, "effective_draws": 3.0, "proposals": 4000}
    bad = Posterior(log_params=np.zeros((2, 4)), **numbers)
    assert not bad.reliable
    assert bad.verdict.startswith("The draws are not reliable (k-hat 0.90, 3 effective of 4,000 proposals)")
    assert bad.verdict in bad._repr_html_()
    assert repr(bad) == "Posterior(BG/NBD: r=1, alpha=1, a=1, b=1; 2 draws, k-hat 0.90)"
    with pytest.raises(EstimationError, match="at least one row of 4"):
        Posterior(log_params=np.zeros((2, 3)), **numbers)


def banana(here):
    """Return a normal surface in (x, y - x^2 / 10), value, gradient and Hessian; x has a standard deviation of 5."""
    x, y = here
    off = y - 0.1 * x * x
    gradient = np.array([-x / 25.0 + 0.2 * x * off / 0.01, -off / 0.01])
    hessian = np.array([[-0.04 + 20.0 * off - 4.0 * x * x, 20.0 * x], [20.0 * x, -100.0]])
    return -0.5 * (x * x / 25.0 + off * off / 0.01), gradient, hessian


def test_a_bent_ridge_is_followed():
    places = _along_ridge(banana, np.zeros(2), np.diag([25.0, 0.01]))
    assert len(places) >= 5
    for place in places:
        x, y = place.centre
        # On the ridge to a few of its widths of 0.1; three standard deviations out, it has climbed to 22.
        assert y == pytest.approx(0.1 * x * x, abs=0.3)
    assert max(place.centre[0] for place in places) > 10.0
    assert min(place.centre[0] for place in places) < -10.0


COVARIANCE = np.array([[1.0, 0.5, 0.0, 0.0], [0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.2, 0.0], [0.0, 0.0, 0.0, 0.1]])


def normal(here, precision):
    return float(-0.5 * here @ precision @ here), -precision @ here, -precision


def test_the_ridge_of_a_normal_surface_is_its_longest_axis():
    precision = np.linalg.inv(COVARIANCE)
    places = _along_ridge(lambda here: normal(here, precision), np.zeros(4), COVARIANCE)
    assert (places[0].centre == 0.0).all()
    for place in places[1:]:
        # The longest axis is (1, 1, 0, 0), of variance 1.5.
        assert place.centre == pytest.approx(np.array([1.0, 1.0, 0.0, 0.0]) * place.centre[0], abs=1e-9)
        assert place.centre[0] ** 2 / 1.5 < 9.0
        assert place.spread[2:, 2:] == pytest.approx(COVARIANCE[2:, 2:], rel=1e-9)
    assert {np.sign(place.centre[0]) for place in places} == {-1.0, 0.0, 1.0}


def test_what_is_known_well_is_proposed_about_its_maximum_alone():
    precision = 1e4 * np.eye(4)
    (place,) = _places(lambda here: normal(here, precision), np.full(4, 0.3), np.zeros(4))
    assert place.centre == pytest.approx(np.zeros(4), abs=1e-12)
    assert place.spread == pytest.approx(1e-4 * np.eye(4), abs=1e-15)


def test_a_surface_without_a_maximum_has_no_places():
    def slope(here):
        return float(here.sum()), np.ones(4), -1e-9 * np.eye(4)

    assert _places(slope, np.zeros(4), np.zeros(4)) == []


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


def test_the_log_prior_is_that_of_scipys_normal_distributions():
    means, points = np.array([0.5, 4.0]), np.array([[0.0, 1.0], [2.0, -3.0], [0.5, 4.0]])
    expected = norm.logpdf(points, means, WEAK).sum(axis=1)
    assert np.allclose(log_prior(points, means), expected, rtol=1e-14)
    assert log_prior(points[0], means) == pytest.approx(expected[0], rel=1e-14)


def test_the_prior_adds_its_own_slope_and_curvature_to_those_of_the_likelihood(sample):
    problem = purchase_problem(KINDS["bgnbd"], 1, purchase_patterns(sample))
    here, step = np.array([0, 4.0, 1, -1]), 1e-4
    both = zip(problem.log_posterior(here), problem.log_likelihood(here), strict=True)
    found = [after - before for after, before in both]
    moves = step * np.eye(4)
    rises = log_prior(here + moves, problem.prior) - log_prior(here - moves, problem.prior)
    slope = rises / (2 * step)
    # A quadratic: central differences are exact but for rounding, 1e-16 / 1e-4, beside a likelihood of 1e4.
    assert np.allclose(found[1], slope, atol=1e-8)
    assert np.allclose(found[2], -np.eye(4) / WEAK**2, atol=1e-8)


def test_times_are_measured_in_the_mean_age_of_customers_and_money_in_the_mean_order():
    pasts = {"frequency": [0.0, 1.0], "recency_days": [0.0, 9.0], "age_days": [100.0, 200.0], "weight": [3.0, 1.0]}
    spends = {"frequency": [1.0, 3.0], "monetary_value": [10.0, 30.0], "weight": [2.0, 1.0]}
    orders = purchase_problem(KINDS["bgnbd"], 1, pl.DataFrame(pasts)).prior
    assert orders[1] == pytest.approx(math.log(125.0), rel=1e-9)
    # Five orders of 110 in all.
    assert spend_problem(pl.DataFrame(spends)).prior[2] == pytest.approx(math.log(22.0), rel=1e-9)
