"""Intervals hold as often as they say, for customers and for totals, in worlds simulated from the definitions."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from cxsim.clv.forecast import predict

# Some 13 months, and a year ahead, in hundredths of a day.
STEPS = 100
AGE, AHEAD = 400 * STEPS, 365 * STEPS


def finer(params):
    """Return the parameters with time in hundredths of a day."""
    values = {name: getattr(params, name) for name in params.__dataclass_fields__ if name != "k" or params.k > 1}
    return params.__class__(**{name: x * STEPS if name in ("alpha", "beta") else x for name, x in values.items()})


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_of_customers_hold_at_least_as_often_as_they_say(model, spend, world, level):
    rfm, orders, value = world(finer(model), 4000, age=AGE, ahead=AHEAD, seed=11)
    found = predict(rfm, [finer(model)] * 199, [spend] * 199, days=AHEAD, level=level, seed=5).customers
    for name, happened in (("orders", orders), ("value", value)):
        low, high = found[f"{name}_low"].to_numpy(), found[f"{name}_high"].to_numpy()
        # Values are compared to twelve digits of a sum.
        covered = (low - 1e-9 <= happened) & (happened <= high + 1e-9)
        assert covered.mean() >= level - 4 * math.sqrt(level * (1 - level) / len(covered))


def test_what_happens_falls_evenly_between_the_draws(model, world):
    """The randomised probability integral transform is uniform: the rank of the truth among the draws, ties drawn."""
    rfm, orders, _ = world(finer(model), 3000, age=AGE, ahead=AHEAD, seed=12)
    by_draw = predict(rfm, [finer(model)] * 99, days=AHEAD, by="customer_id").totals_by_draw
    drawn = by_draw["orders"].to_numpy().reshape(3000, 99)
    below, equal = (drawn < orders[:, None]).sum(axis=1), (drawn == orders[:, None]).sum(axis=1)
    ties = np.random.Generator(np.random.Philox(13)).random(3000)
    # Kolmogorov and Smirnov's test; 1e-4 is about four standard errors.
    assert stats.kstest((below + ties * (equal + 1)) / 100, stats.uniform().cdf).pvalue > 1e-4


def test_intervals_of_totals_hold_as_often_as_they_say(model, spend, world):
    rfm, orders, value = world(finer(model), 200 * 50, age=AGE, ahead=AHEAD, seed=14)
    worlds = rfm.with_columns(world=pl.col("customer_id") % 200)
    found = predict(worlds, [finer(model)] * 99, [spend] * 99, days=AHEAD, level=0.8, by="world")
    happened = pl.DataFrame({"world": worlds["world"], "orders": orders, "buyers": orders > 0, "value": value})
    truth = happened.group_by("world").sum().unpivot(index="world", variable_name="quantity", value_name="truth")
    inside = pl.col("truth").is_between("low", "high")
    held = found.totals.join(truth, on=["world", "quantity"]).group_by("quantity").agg(inside.mean(), n=pl.len())
    assert held["n"].to_list() == [200] * 3
    # Continuous totals hold in 80 of 100 worlds; whole numbers, of which the ends count, in some more.
    assert ((held["truth"] - 0.8).abs() <= 4 * math.sqrt(0.8 * 0.2 / 200)).all()


def test_the_interval_s_ends_are_draws_in_order_of_size(models, twins):
    # floor(100 * 0.05) = 5: the fifth draw from each end.
    found = predict(twins(40, 9, 200, 217), [models["BG/NBD"]] * 99, days=100, by="customer_id", level=0.9)
    drawn = np.sort(found.totals_by_draw["orders"].to_numpy().reshape(40, 99), axis=1)
    assert found.customers["orders_low"].to_list() == drawn[:, 4].tolist()
    assert found.customers["orders_high"].to_list() == drawn[:, -5].tolist()
    assert found.customers["orders_mean"].to_list() == pytest.approx(drawn.mean(axis=1).tolist(), rel=1e-15)
    assert found.totals.filter(quantity="orders")["low"].to_list() == drawn[:, 4].tolist()


def test_unsure_parameters_make_intervals_of_totals_wider(models, spend, twins):
    sure = models["MBG/NBD"]
    luck = np.random.Generator(np.random.Philox(15)).normal(0.0, 0.8, 200)
    unsure = [
        sure.__class__(r=sure.r * math.exp(z), alpha=sure.alpha, a=sure.a, b=sure.b, leaves_after_first=True)
        for z in luck
    ]
    shop = twins(2000, 2, 213, 272, 30.0)
    narrow = predict(shop, [sure] * 200, [spend] * 200, days=365).totals
    wide = predict(shop, unsure, [spend] * 200, days=365).totals
    assert ((wide["high"] - wide["low"]) > 1.5 * (narrow["high"] - narrow["low"])).all()
