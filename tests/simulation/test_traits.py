"""Satisfaction that goes together with rates: the correlations asked for are the ones that come out."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from scipy import stats

from cxsim.simulation.engine import events
from cxsim.simulation.state import ARRIVED, ORDER, SURVEY, draw_block, staged
from cxsim.strategies.mechanisms import Referral
from tests.simulation.mechanisms import made
from tests.simulation.shops import experience, shop, surveys, traits
from tests.simulation.worlds import CDNOW, MODELS, existing, inputs, newcomers, past_customers, programme

SIZE = 40_000
ASKED = {"purchase_rate": 0.4, "staying": 0.3, "spend": -0.2}
# Satisfaction stays where it is by nature; everyone is asked after the first order, and says it.
OPEN = shop(
    experience=experience(memory=0.0),
    traits=traits(**ASKED),
    surveys=surveys(after_order=1.0, response=1.0, extremity=0.0),
)


def scores(latents):
    """Return the normal scores of each customer's rates, from the distributions as scipy has them."""
    population = newcomers(SIZE, months=2)
    rates = draw_block(staged(population), latents, np.zeros(0), seed=11, draw=0, first=0, last=SIZE)
    staying = -stats.norm.ppf(
        stats.gamma.cdf(rates["dropout_rate"], latents.s, scale=1.0 / latents.beta)
        if latents.s > 0.0
        else stats.beta.cdf(rates["dropout_prob"], latents.a, latents.b)
    )
    return {
        "purchase_rate": stats.norm.ppf(stats.gamma.cdf(rates["rate"], latents.r, scale=1.0 / latents.alpha)),
        "staying": staying,
        "spend": -stats.norm.ppf(stats.gamma.cdf(rates["spend_rate"], latents.q, scale=1.0 / latents.v)),
    }


def satisfaction(latents, behaviour=OPEN):
    population = newcomers(SIZE, months=2)
    log = events(population, inputs(population, [], latents=latents, behaviour=behaviour), seed=11)
    first = log.filter((pl.col("kind") == SURVEY) & (pl.col("order") == 0) & (pl.col("a") == 0)).sort("customer")
    assert first["customer"].to_list() == list(range(SIZE))
    return first["d"].to_numpy() / 1000.0


@pytest.mark.parametrize("model", MODELS)
def test_satisfaction_goes_together_with_each_rate_as_was_asked(model):
    said, own = satisfaction(MODELS[model]), scores(MODELS[model])
    for name, asked in ASKED.items():
        kept = np.isfinite(own[name])  # a few in a million lie so far out that scipy has no score for them
        found = np.corrcoef(said[kept], own[name][kept])[0, 1]
        assert abs(found - asked) < 4 * (1 - asked**2) / np.sqrt(SIZE), f"{name}: {found:.4f}"


@pytest.mark.parametrize("model", MODELS)
def test_satisfaction_is_standard_normal_between_customers_whatever_it_goes_together_with(model):
    said = satisfaction(MODELS[model])
    assert abs(said.mean()) < 4 / np.sqrt(SIZE)
    assert abs(said.std() - 1.0) < 4 / np.sqrt(2 * SIZE)


def test_without_traits_satisfaction_says_nothing_about_rates():
    said = satisfaction(CDNOW, dataclasses.replace(OPEN, traits=None))
    for name, own in scores(CDNOW).items():
        assert abs(np.corrcoef(said, own)[0, 1]) < 4 / np.sqrt(SIZE), name
    assert abs(said.std() - 1.0) < 4 / np.sqrt(2 * SIZE)


def test_referred_customers_have_the_satisfaction_that_goes_with_their_rates_as_well():
    friends = programme(made(Referral, per_year=20.0, success=1.0), who="origin = 'existing'", months=(0, 1))
    population = existing(past_customers([(1, 5, 10, 20.0)], 30_000), months=2)
    log = events(population, inputs(population, [friends], latents=CDNOW, behaviour=OPEN), seed=11)
    referred = log.filter((pl.col("kind") == ARRIVED) & (pl.col("a") >= 0)).select("customer")
    said = log.filter((pl.col("kind") == SURVEY) & (pl.col("order") == 0) & (pl.col("a") == 0))
    felt = referred.join(said, on="customer")["d"].to_numpy() / 1000.0
    assert abs(felt.std() - 1.0) < 4 / np.sqrt(2 * len(felt))
    assert abs(felt.mean()) < 4 / np.sqrt(len(felt))
    # Their first order is what they are known by: spend goes with a correlation of the logs that is below -0.2 by the
    # chance in one order, and not by chance on the other side of 0.
    first = log.filter((pl.col("kind") == ORDER) & (pl.col("order") == 0))
    listed = np.log(referred.join(first, on="customer")["a"].to_numpy() + 1.0)
    assert np.corrcoef(felt, listed)[0, 1] < -4 / np.sqrt(len(felt))
    assert len(felt) > 10_000
