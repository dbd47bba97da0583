"""What is predicted agrees with the closed forms of the models; all within four standard errors."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from cxsim.clv.forecast import predict
from cxsim.clv.models.gamma_gamma import expected_spend
from cxsim.clv.models.purchases import discounted_expected_purchases, expected_purchases, purchase_probability

DAYS = 273
PASTS = {"one-timer": (0, 0, 272), "repeater": (2, 213, 272), "regular": (26, 216, 217), "silent": (8, 60, 250)}


@pytest.mark.parametrize("past", PASTS.values(), ids=PASTS)
def test_orders_and_value_have_the_expectations_of_the_models(model, assert_agrees, spend, twins, past):
    mean_spend = None if past[0] == 0 else 22.35
    customers = predict(twins(400, *past, mean_spend), [model] * 250, [spend] * 250, days=DAYS, seed=1).customers
    orders = float(expected_purchases(model, *past, time=DAYS))
    amount = float(expected_spend(spend, past[0], mean_spend or math.nan))
    assert_agrees(customers["orders_mean"], orders)
    assert_agrees(customers["value_mean"], orders * amount)


def test_value_is_discounted_by_the_moment_of_each_order_and_only_its_margin_counts(model, assert_agrees, spend, twins):
    past, amount = (2, 213, 272), float(expected_spend(spend, 2, 22.35))
    asked = {"days": 1000, "annual_discount_rate": 0.5, "margin": 0.4}
    found = predict(twins(400, *past, 22.35), [model] * 250, [spend] * 250, **asked).customers
    worth = discounted_expected_purchases(model, *past, rate=math.log(1.5) / 365.25, horizon=1000)
    assert_agrees(found["value_mean"], 0.4 * amount * float(worth))


@pytest.mark.parametrize("past", PASTS.values(), ids=PASTS)
def test_numbers_of_orders_have_the_probabilities_of_the_models(model, assert_agrees, twins, past):
    by_draw = predict(twins(300, *past), [model] * 250, days=DAYS, seed=3, by="customer_id").totals_by_draw
    orders = by_draw["orders"].to_numpy().reshape(300, 250)
    for count in (0, 1, 2, 5, 20):
        expected = float(purchase_probability(model, *past, end=DAYS, counts=count))
        assert_agrees((orders == count).mean(axis=1), expected, trials=orders.size)


def test_the_chance_of_an_order_is_that_of_the_models(model, assert_agrees, twins):
    found = predict(twins(400, 2, 213, 272), [model] * 250, days=DAYS, seed=4).customers["prob_order"]
    assert_agrees(found, 1.0 - float(purchase_probability(model, 2, 213, 272, end=DAYS, counts=0)))


def test_every_draw_is_played_with_its_own_parameters(models, twins):
    never = models["BG/NBD"].__class__(r=1e-3, alpha=1e6, a=1.0, b=1.0)
    by_draw = predict(twins(50, 2, 213, 272), [models["BG/NBD"], never] * 50, days=DAYS).totals_by_draw
    played = by_draw.group_by(odd=pl.col("draw") % 2, maintain_order=True).agg(pl.col("orders").sum())
    assert played["orders"][0] > 1000
    assert played["orders"][1] == 0


def test_draws_are_taken_evenly_and_a_posterior_is_asked_for_each(models, twins):
    class Asked:
        def __len__(self):
            return 400

        def params(self, number):
            return models["BG/NBD"] if number % 10 == 0 else pytest.fail(f"asked for {number}")

    assert predict(twins(3, 2, 213, 272), Asked(), days=DAYS, draws=40).draws == 40


@pytest.mark.parametrize("past", [(1_000_000, 1_000_000, 1_000_001), (1_000_000, 500_000, 1_000_001)])
def test_a_million_orders_give_finite_numbers(model, spend, twins, past):
    found = predict(twins(2, *past, 10.0), [model] * 40, [spend] * 40, days=30)
    assert np.isfinite(found.customers.drop("customer_id").to_numpy()).all()
    if past[1] == 1_000_000:
        # One order a day for ever: thirty of about ten, give or take five standard deviations of chance.
        assert 20 < found.customers["orders_mean"].mean() < 60
    else:
        assert found.totals["mean"].to_list() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("size", [1e-3, 1e6])
def test_tiny_and_huge_parameters_give_finite_numbers(models, spend, twins, size):
    for params in models.values():
        names = ("r", "alpha", "s", "beta") if hasattr(params, "s") else ("r", "alpha", "a", "b")
        kept = {} if hasattr(params, "s") else {"k": params.k, "leaves_after_first": params.leaves_after_first}
        extreme = params.__class__(**dict.fromkeys(names, size), **kept)
        found = predict(twins(3, 3, 60, 100, 5.0), [extreme] * 40, [spend] * 40, days=10)
        assert np.isfinite(found.customers.drop("customer_id").to_numpy()).all()
