"""Draws from the posterior of fits to CDNOW against long Metropolis chains, and what a Posterior tells."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.posterior import Posterior, posterior, proposals_for
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise
from cxsim.errors import EstimationError

CHAINS = json.loads(Path(__file__).with_name("chains.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def customers():
    sample = summarise(load_cdnow(sample=True), until=date(1997, 9, 30)).sort("customer_id")
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


def test_a_thousand_draws_of_cdnow_are_made_by_three_thousand_proposals_worth_two_thousand(drawn):
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


def test_spend_has_luck_of_its_own(customers, drawn):
    spend = posterior(fit_spend(customers["sample"]), customers["sample"])
    assert isinstance(spend.params(0), GammaGammaParams)
    # A thousand independent pairs: a standard error of 0.032.
    assert abs(np.corrcoef(spend.log_params[:, 0], drawn.log_params[:, 0])[0, 1]) < 0.127


def test_mean_spread_and_interval_are_those_of_the_draws(drawn):
    alpha = np.exp(drawn.log_params[:, 1])
    assert drawn.mean["alpha"] == pytest.approx(alpha.mean(), rel=1e-12)
    assert drawn.sd["alpha"] == pytest.approx(alpha.std(), rel=1e-12)
    low, median, high = drawn.interval(0.9).row(1)[1:]
    assert (np.mean(alpha < low), np.mean(alpha > high)) == pytest.approx((0.05, 0.05), abs=0.002)
    assert median == pytest.approx(np.median(alpha), rel=1e-3)
    with pytest.raises(EstimationError, match="level must be above 0 and below 1"):
        drawn.interval(1.0)


def test_the_interval_of_well_known_parameters_is_near_the_likelihoods(customers, drawn):
    known = fit(customers["sample"]).conf_int(0.95)
    ratio = drawn.interval(0.95)["high"].to_numpy()[:2] / known["high"].to_numpy()[:2]
    # r and alpha are all but normal: within a tenth of a standard deviation of 0.05 and 0.09, and luck of the draws.
    assert np.abs(np.log(ratio)).max() < 0.02


def test_draws_cannot_be_written_over(drawn):
    with pytest.raises(ValueError, match="read-only"):
        drawn.log_params[0, 0] = 0.0


def test_where_nobody_leaves_there_is_a_posterior_and_it_is_wide():
    # Ten customers each of forty ages, who order every twenty days to the very end: no sign of leaving.
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


def test_no_draws_or_a_negative_seed_are_refused(customers):
    fitted = fit(customers["two_hundred"])
    for wrong in ({"draws": 0}, {"seed": -1}):
        with pytest.raises(EstimationError, match="draws must be at least 1 and seed not negative"):
            posterior(fitted, customers["two_hundred"], **wrong)


def test_many_pasts_are_given_fewer_proposals():
    assert proposals_for(1000, 1016) == 3000
    assert proposals_for(1000, 100_000) == 2000
    assert proposals_for(1000, 10_000_000) == 250
    assert proposals_for(1, 1016) == 250


def test_a_posterior_that_cannot_be_relied_on_says_so():
    bad = Posterior(
        model="bgnbd",
        names=("r", "alpha", "a", "b"),
        log_params=np.zeros((2, 4)),
        k_hat=0.9,
        effective_draws=3.0,
        proposals=4000,
    )
    assert not bad.reliable
    assert bad.verdict.startswith("The draws cannot be relied on (k-hat 0.90, 3 effective of 4,000 proposals)")
    assert bad.verdict in bad._repr_html_()
    assert repr(bad) == "Posterior(BG/NBD: r=1, alpha=1, a=1, b=1; 2 draws, k-hat 0.90)"


def test_draws_of_another_shape_are_refused():
    with pytest.raises(EstimationError, match="at least one row of 4"):
        Posterior(
            model="bgnbd",
            names=("r", "alpha", "a", "b"),
            log_params=np.zeros((2, 3)),
            k_hat=0.1,
            effective_draws=2.0,
            proposals=250,
        )
