"""What programmes for loyalty do, and seem to do: facts F16, F17 and F18 of the field."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.simulation.engine import events
from cxsim.simulation.state import LEFT, MEMBER, ORDER, POINTS
from cxsim.strategies.effects import Basket, Dropout, PurchaseRate
from cxsim.strategies.mechanisms import Points
from tests.simulation.mechanisms import made
from tests.simulation.regulars import DAY, regulars, side_by_side
from tests.simulation.worlds import (
    LOYAL,
    MODELS,
    PARETO,
    buying,
    existing,
    inputs,
    newcomers,
    orders_of_each,
    past_customers,
    programme,
)


@pytest.mark.parametrize("model", MODELS)
def test_a_programme_against_leaving_earns_nearly_all_through_survival_f16(model):
    # Gopalakrishnan et al. (2021): more than 80 % of the lift comes from staying longer, next to none from the basket.
    population = newcomers(20_000, months=36)
    club = programme(made(Dropout, ratio=0.7), made(PurchaseRate, ratio=1.01), made(Basket, ratio=1.002))
    ready = inputs(population, [], [club], latents=MODELS[model])
    usual, treated = (events(population, ready, seed=20240501, arm=arm) for arm in (0, 1))
    # Orders after the moment at which the same customer leaves in the baseline are owed to survival.
    left = usual.filter(pl.col("kind") == LEFT).select("customer", left="second")
    orders = treated.filter(pl.col("kind") == ORDER).join(left, on="customer", how="left")
    survived = orders.filter(pl.col("second") > pl.col("left"))["a"].sum()
    extra = orders["a"].sum() - usual.filter(pl.col("kind") == ORDER)["a"].sum()
    assert survived > 0.8 * extra > 0


def test_light_buyers_gain_most_where_they_respond_more_f16():
    # Liu (2007): light buyers rise, heavy buyers were already where they could be.
    copies = 10_000
    population = existing(past_customers([(0, 0, 200, None), (20, 190, 200, 20.0)], copies), months=24)
    club = programme(made(PurchaseRate, ratio=1.1, light_buyers=0.5), made(Dropout, ratio=0.9, light_buyers=0.5))
    ready = inputs(population, [], [club], latents=PARETO)
    usual, treated = (orders_of_each(population, ready, arm=arm).reshape(2, copies) for arm in (0, 1))
    gains = (treated - usual).sum(axis=1) / usual.sum(axis=1)
    errors = (treated - usual).std(axis=1) * np.sqrt(copies) / usual.sum(axis=1)
    assert gains[0] - gains[1] > 4 * np.hypot(*errors)


def test_orders_come_faster_and_faster_towards_a_full_card_and_slower_after_the_reward_f17():
    # Kivetz, Urminsky & Zheng (2006). Orders are of 10.00, and a card is full with 60 points.
    pull, steepness = 0.5, 2.0
    card = made(Points, threshold=60.0, reward=1.0, redemption=1.0, expiry_days=900.0, pull=pull, steepness=steepness)
    population = regulars(2_000)
    even = LOYAL._replace(p=1e12, q=1e12, v=10.01)
    ready = inputs(population, [], [programme(card)], latents=even)
    both = side_by_side(population, ready).with_columns(
        gap=pl.col("day").diff().over("customer"), usual_gap=pl.col("usual").diff().over("customer")
    )
    log = events(population, ready, seed=20240501, arm=1)
    held = log.filter((pl.col("kind") == POINTS) & (pl.col("b") > 0)).select("customer", "order", points="c")
    before = both.join(held.with_columns(pl.col("order") + 1), on=["customer", "order"]).drop_nulls()
    full = (before["points"].clip(upper_bound=60) / 60).to_numpy()
    # Card by card, the gap is the usual one over 1 + pull * full ** steepness; moments are cut to whole seconds.
    expected = before["usual_gap"].to_numpy() / (1 + pull * full**steepness)
    np.testing.assert_allclose(before["gap"].to_numpy(), expected, atol=3 / DAY)
    means = before.group_by("points").agg(pl.col("gap").mean(), pl.col("usual_gap").mean()).sort("points")
    on_the_way = means.filter(pl.col("points") < 60)
    pace = (on_the_way["usual_gap"] / on_the_way["gap"]).to_numpy()
    assert (np.diff(pace) > 0).all(), "faster with every point on the card"
    assert pace[-1] > 1.4
    just_rewarded = before.filter(pl.col("points") < 15)
    assert just_rewarded["usual_gap"].sum() < 1.05 * just_rewarded["gap"].sum(), "slower after the reward"


def test_members_seem_to_gain_more_than_they_do_where_keen_customers_join_f18():
    # Nastasoiu et al. (2021), Garnefeld et al. (2013): who joins would have ordered more often anyway.
    base = past_customers([(0, 0, 200, None), (2, 150, 200, 20.0), (8, 190, 200, 20.0)], 4_000)
    population = existing(base, months=12)
    club = programme(buying(1.1), who="frequency >= 2")
    ready = inputs(population, [], [club], latents=PARETO)
    usual, treated = (orders_of_each(population, ready, arm=arm) for arm in (0, 1))
    member = base["frequency"].to_numpy() >= 2
    true = treated[member].mean() / usual[member].mean() - 1
    seen, error = gap_and_error(treated[member], treated[~member])
    assert seen - true > 4 * error
    # Among those who join by lot, what is seen is the effect.
    lottery = inputs(population, [], [programme(buying(1.1), uptake=0.5)], latents=PARETO)
    drawn = events(population, lottery, seed=20240501, arm=1).filter(pl.col("kind") == MEMBER)["customer"].to_numpy()
    among = np.isin(np.arange(population.size), drawn)
    placed = orders_of_each(population, lottery, arm=1)
    seen, error = gap_and_error(placed[among], placed[~among])
    true = placed[among].mean() / usual[among].mean() - 1
    assert abs(seen - true) < 4 * error


def gap_and_error(members, others):
    """Return by how much more often members order, and its standard error."""
    ratio = members.mean() / others.mean()
    errors = (group.std() / group.mean() / np.sqrt(len(group)) for group in (members, others))
    return ratio - 1, ratio * np.hypot(*errors)
