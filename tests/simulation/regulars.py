"""Customers who never leave and order at one known rate: what a programme does to them can be said in closed form."""

from __future__ import annotations

import polars as pl

from cxsim.simulation.engine import Inputs, events
from cxsim.simulation.state import ORDER
from cxsim.simulation.world import Population
from tests.simulation.worlds import existing, past_customers

DAY = 86_400


def regulars(size: int, months: int = 12) -> Population:
    """Return existing customers, all there from the first moment on; with `LOYAL` each orders about every ten days."""
    return existing(past_customers([(0, 0, 0, None)], size), months=months)


def moments(population: Population, ready: Inputs, *, arm: int, seed: int = 20240501) -> pl.DataFrame:
    """Return customer, order (from 0), day (with fractions, to the second) and amount at list price of every order."""
    log = events(population, ready, seed=seed, arm=arm).filter(pl.col("kind") == ORDER)
    return log.select("customer", "order", day=pl.col("second") / DAY, listed=pl.col("a") / 100)


def side_by_side(population: Population, ready: Inputs, *, arms=(0, 1), seed: int = 20240501) -> pl.DataFrame:
    """Return the days of the same orders, `usual` in the first arm and `day` in the second.

    The n-th order of a customer comes when so much intensity has been gone through, the same in every arm. So for each
    of them the intensity up to `day` in the second arm is the intensity up to `usual` in the first.
    """
    first, second = (moments(population, ready, arm=arm, seed=seed) for arm in arms)
    usual = first.select("customer", "order", usual="day")
    return second.join(usual, on=["customer", "order"], how="inner").sort("customer", "order")


__all__ = ["DAY", "moments", "regulars", "side_by_side"]
