"""Common random numbers: what they buy in precision, and the order of outcomes that they keep for every customer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.simulation.counts import ReachCountKind, place
from cxsim.simulation.engine import customer_values
from tests.simulation.worlds import (
    CDNOW,
    MBG,
    PARETO,
    basket,
    buying,
    inputs,
    leaving,
    newcomers,
    orders_of_each,
    play,
    programme,
    total,
)

CUSTOMERS = 20_000
MODELS = {"BG/NBD": CDNOW, "Pareto/NBD": PARETO, "MBG/NBD": MBG}
FEW = settings(max_examples=15)
models = st.sampled_from(sorted(MODELS))


def precision(effect, latents):
    """Return how many times smaller the standard error of a customer's mean gain is with the same luck in both arms."""
    population = newcomers(CUSTOMERS, months=24)
    ready = inputs(population, [], [programme(effect)], latents=latents)
    baseline, treated = (customer_values(population, ready, seed=1, arm=arm).astype(float) for arm in (0, 1))
    elsewhere = customer_values(population, ready, seed=2, arm=1).astype(float)
    return (elsewhere - baseline).std() / (treated - baseline).std()


def test_the_same_luck_makes_the_error_of_a_gain_ten_times_smaller():
    found = precision(buying(1.05), CDNOW)
    assert found >= 10, f"{found:.1f} times"


@pytest.mark.parametrize("latents", [CDNOW, PARETO], ids=["BG/NBD", "Pareto/NBD"])
@pytest.mark.parametrize("effect", [leaving(0.95), basket(1.03)], ids=["less dropout", "larger basket"])
def test_the_same_luck_makes_the_variance_of_a_gain_fifty_times_smaller_f7(effect, latents):
    found = precision(effect, latents) ** 2
    assert found >= 50, f"{found:.0f} times"


def test_the_paired_error_is_that_of_the_differences_customer_by_customer():
    population = newcomers(10_000, months=12)
    ready = inputs(population, [], [programme(buying(1.2))])
    counts = play(population, [], [programme(buying(1.2))])
    gains = np.subtract(*(customer_values(population, ready, seed=20240501, arm=arm) for arm in (1, 0)))
    assert counts.paired[1, 0] == gains.sum()
    # Squares of millionths are beyond 2**53, so their sum is a rounded one.
    assert counts.paired[1, 1] == pytest.approx(float(np.square(gains.astype(float)).sum()), rel=1e-12)


@FEW
@given(models, st.floats(0.05, 20.0), st.floats(1.0, 5.0), st.integers(0, 99))
def test_more_dropout_gives_no_customer_more_orders(model, ratio, more, seed):
    population = newcomers(500, months=24)
    ready = inputs(population, [programme(leaving(ratio))], [programme(leaving(ratio * more))], latents=MODELS[model])
    less, most = (orders_of_each(population, ready, arm=arm, seed=seed) for arm in (1, 0))
    assert (less <= most).all()


# With a dropout after an order, who orders faster comes sooner to the order after which they leave, but not after fewer
# orders; so up to any day the count cannot fall. The gain is that the same orders come earlier: E2 has it in numbers.
@FEW
@given(models, st.floats(0.05, 20.0), st.floats(1.0, 5.0), st.integers(0, 99))
def test_a_higher_purchase_rate_gives_no_customer_fewer_orders(model, ratio, more, seed):
    population = newcomers(500, months=24)
    ready = inputs(population, [programme(buying(ratio))], [programme(buying(ratio * more))], latents=MODELS[model])
    less, most = (orders_of_each(population, ready, arm=arm, seed=seed) for arm in (0, 1))
    assert (less <= most).all()


@FEW
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 400.0), st.integers(0, 99))
def test_a_higher_uptake_adds_members_and_removes_none(one, other, ramp_days, seed):
    low, high = sorted((one, other))
    population = newcomers(300, months=24)
    arms = [[programme(basket(2.0), uptake=uptake, ramp_days=ramp_days)] for uptake in (low, high)]
    ready = inputs(population, [], *arms)
    baseline, fewer, more = (customer_values(population, ready, seed=seed, arm=arm) for arm in range(3))
    # Members' orders are twice as large from the day they join; with a higher uptake, members join no later.
    assert (baseline <= fewer).all()
    assert (fewer <= more).all()
    counts = play(population, [], *arms, seed=seed)
    months = place(ReachCountKind.MEMBER_MONTHS)
    assert total(counts, 1, months) <= total(counts, 2, months)


@pytest.mark.parametrize(("uptake", "members"), [(0.0, 0), (1.0, 2_000)])
def test_an_uptake_of_none_or_all_is_kept_to_the_last_customer(uptake, members):
    population = newcomers(2_000, months=1)
    counts = play(population, [], [programme(uptake=uptake)])
    assert total(counts, 1, place(ReachCountKind.MEMBER_MONTHS)) == members


@pytest.mark.parametrize(
    ("effect", "latents", "at_a_year", "at_three_years"),
    [
        # Computed from the closed forms at the maxima on CDNOW, in per cent of the repeat orders of 52 and 156 weeks.
        pytest.param(buying(1.1), CDNOW, 6.3, 5.2, id="BG/NBD, rate +10 %"),
        pytest.param(buying(1.1), PARETO, 10.0, 10.0, id="Pareto/NBD, rate +10 %"),
        pytest.param(leaving(0.9), CDNOW, 3.8, 4.9, id="BG/NBD, dropout -10 %"),
        pytest.param(leaving(0.9), PARETO, 3.6, 4.7, id="Pareto/NBD, dropout -10 %"),
    ],
)
def test_what_a_lever_brings_depends_on_the_model_of_leaving_f6(effect, latents, at_a_year, at_three_years):
    size = 200_000
    population = newcomers(size, months=37)
    ready = inputs(population, [], [programme(effect)], latents=latents)
    # Entries are 15.5 days after the start on average; the percentages hardly move with the horizon.
    for weeks, percent in ((52, at_a_year), (156, at_three_years)):
        baseline, treated = (
            orders_of_each(population, ready, arm=arm, before=round(weeks * 7 + 15.5)).sum() - size for arm in (0, 1)
        )
        assert 100 * (treated / baseline - 1) == pytest.approx(percent, abs=0.3)
