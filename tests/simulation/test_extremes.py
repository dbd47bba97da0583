"""Rates and chances at their ends: what is certain happens, and nothing is divided by nothing."""

from __future__ import annotations

import numpy as np

from tests.simulation.worlds import (
    CDNOW,
    LOYAL,
    MBG,
    buying,
    existing,
    inputs,
    leaving,
    newcomers,
    orders_of_each,
    past_customers,
    programme,
)


def test_a_chance_of_leaving_beyond_one_is_certain():
    even = CDNOW._replace(r=1e3, alpha=1e3, a=1e6, b=1e6)  # one order a day, and half of the customers leave after each
    population = newcomers(1_000, months=3)
    placed = orders_of_each(population, inputs(population, [programme(leaving(100.0))], latents=even))
    assert (placed <= 2).all()


def test_customers_with_hardly_any_purchase_rate_never_order_again():
    # For most, the rate is too small for a double: it is 0, and nothing may be divided by it.
    population = newcomers(1_000)
    never = CDNOW._replace(r=1e-6)
    placed = orders_of_each(population, inputs(population, [programme(buying(0.01), leaving(0.5))], latents=never))
    assert (placed == 1).all()


def test_customers_with_hardly_any_hazard_stay():
    population = newcomers(1_000, months=12)
    forever = LOYAL._replace(s=1e-6)
    ready = inputs(population, [programme(leaving(0.01))], latents=forever)
    assert (orders_of_each(population, ready) > 10).all()  # 36 on average, give or take 6


def test_those_who_survived_orders_under_mbg_are_loyal_after_one_more_than_they_repeated():
    # Alive after x repeats, a customer has stayed after x + 1 orders: P(leave) ~ Beta(a, b + x + 1).
    repeats, customers = 4, 40_000
    quick = MBG._replace(r=1e6, alpha=1e6)  # one order a day, so that all meet their next order
    population = existing(past_customers([(repeats, 90, 100, 20.0)], customers), months=2)
    placed = orders_of_each(population, inputs(population, [], latents=quick))
    chance = MBG.a / (MBG.a + MBG.b + repeats + 1)
    assert abs((placed == 1).mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / customers)
