"""Two ways of leaving at once: each fitted model is a special case, and the mixture is what it should be."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cxsim.simulation.engine import events, simulate
from tests.simulation.busy import everyone, everything
from tests.simulation.shops import FULL, traits
from tests.simulation.worlds import CDNOW, COMPETING, LOYAL, MBG, PARETO, inputs, newcomers, orders_of_each

CROWD = everyone(copies=300, months=12)


@pytest.mark.parametrize(
    ("fitted", "competing"),
    [
        # A hazard that is 0 for everybody, and chances that are: the ends of the two distributions.
        pytest.param(CDNOW, CDNOW._replace(s=0.6, beta=1e300), id="BG/NBD"),
        pytest.param(MBG, MBG._replace(s=0.6, beta=1e300), id="MBG/NBD"),
        pytest.param(PARETO, PARETO._replace(a=1e-300, b=2.0), id="Pareto/NBD"),
    ],
)
@pytest.mark.parametrize("busy", [False, True], ids=["plain", "with every mechanism"])
def test_competing_dropout_is_each_fitted_model_to_the_last_bit(fitted, competing, busy):
    arm, behaviour = (everything(), {"behaviour": FULL}) if busy else ([], {})
    logs = [events(CROWD, inputs(CROWD, arm, latents=latents, **behaviour), seed=3) for latents in (fitted, competing)]
    assert logs[0].equals(logs[1])


@pytest.mark.parametrize("latents", [CDNOW, PARETO, MBG], ids=["BG/NBD", "Pareto/NBD", "MBG/NBD"])
def test_what_a_model_does_not_use_changes_nothing(latents):
    unused = latents._replace(b=latents.b if latents.a else 9.0, beta=latents.beta if latents.s else 9.0)
    logs = [events(CROWD, inputs(CROWD, [], latents=one), seed=3) for one in (latents, unused)]
    assert logs[0].equals(logs[1])


@pytest.mark.parametrize("latents", [CDNOW, MBG], ids=["BG/NBD", "MBG/NBD"])
@pytest.mark.parametrize("busy", [False, True], ids=["plain", "with every mechanism"])
def test_a_customer_who_orders_no_more_is_played_to_the_end_all_the_same(latents, busy):
    # Who cannot order before the horizon is not followed event by event, but for a hazard. With one that ends nobody's
    # time in the age of the universe, everybody is followed: the same must come out. (Satisfaction would go together
    # with staying by that hazard instead of by the chance, and is therefore left alone.)
    shop = dataclasses.replace(FULL, traits=traits(0.3, 0.0, 0.1))
    arm, behaviour = (everything(), {"behaviour": shop}) if busy else ([], {})
    forever = latents._replace(s=1e6, beta=1e206)
    ready = [inputs(CROWD, arm, latents=one, **behaviour) for one in (latents, forever)]
    logs = [events(CROWD, one, seed=3) for one in ready]
    assert logs[0].equals(logs[1])
    counts = [simulate(CROWD, [lambda one=one: one], seed=3)[0].by_arm[0] for one in ready]
    np.testing.assert_array_equal(*counts)


SIZE, DAYS = 200_000, 365.0


def test_with_equal_customers_the_orders_of_a_year_are_those_of_the_closed_form():
    # Orders come at a rate while one is there, and one leaves at hazard + rate * chance: an exponential lifetime.
    rate, chance, hazard = 0.1, 0.05, 0.004
    even = LOYAL._replace(a=1e9, b=1e9 / chance - 1e9, s=1e9, beta=1e9 / hazard)
    population = newcomers(SIZE, months=13)
    repeats = orders_of_each(population, inputs(population, [], latents=even), before=DAYS + 15.5) - 1
    # Entries are even over July, 15.5 days on average; the mean over 31 days of exp(-going t).
    going = hazard + rate * chance
    mean_left = np.exp(-going * DAYS) * np.sinh(going * 15.5) / (going * 15.5)
    expected = rate * (1.0 - mean_left) / going
    assert abs(repeats.mean() - expected) < 4 * repeats.std() / np.sqrt(SIZE)


def elsewhere(latents, size, seed):
    """Simulate the repeat orders of a year and who is left, in a few lines of numpy that share nothing with cxsim."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(latents.r, 1.0 / latents.alpha, size)
    chance = draw.beta(latents.a, latents.b, size)
    ends = draw.exponential(size=size) / draw.gamma(latents.s, 1.0 / latents.beta, size)
    entry = draw.uniform(0.0, 31.0, size)
    there = draw.random(size) >= chance if latents.drop_after_first else np.ones(size, bool)
    now, repeats = np.zeros(size), np.zeros(size, np.int64)
    while there.any():
        now[there] += draw.exponential(size=there.sum()) / np.maximum(rate[there], 1e-300)
        ordered = there & (now < np.minimum(ends, DAYS + 15.5 - entry))
        repeats[ordered] += 1
        there = ordered & (draw.random(size) >= chance)
    return repeats


@pytest.mark.parametrize("first", [0, 1], ids=["not after the first order", "also after the first order"])
def test_with_customers_of_all_kinds_orders_are_those_of_another_simulation(first):
    latents = COMPETING._replace(drop_after_first=first)
    population = newcomers(SIZE, months=13)
    mine = orders_of_each(population, inputs(population, [], latents=latents), before=DAYS + 15.5) - 1
    theirs = elsewhere(latents, SIZE, seed=1)
    for found, expected in ((mine, theirs), (mine == 0, theirs == 0), (mine > 10, theirs > 10)):
        error = np.hypot(found.std(), expected.std()) / np.sqrt(SIZE)
        assert abs(found.mean() - expected.mean()) < 4 * error
