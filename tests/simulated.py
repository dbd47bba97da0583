"""What many tests make by hand: an assumed quantity, the orders of one arm."""

from __future__ import annotations

import polars as pl

from cxsim.params import CENTS, Quantity, Unit
from cxsim.simulation.engine import Inputs, events
from cxsim.simulation.state import ORDER
from cxsim.simulation.world import Population

SECONDS_PER_DAY = 86_400


def assumed(value: float, unit: Unit, range: tuple[float, float] | None = None, description: str = "") -> Quantity:  # noqa: A002
    return Quantity(
        description=description or "Typed in by hand.",
        unit=unit,
        value=value,
        range=range or (value, value),
        evidence="assumed",
    )


def orders(population: Population, inputs: Inputs, *, seed: int, arm: int = 0) -> pl.DataFrame:
    log = events(population, inputs, seed=seed, arm=arm).filter(pl.col("kind") == ORDER)
    paid = (pl.col("a") - pl.col("b") - pl.col("c")) / CENTS
    return log.select("customer", day=pl.col("second") // SECONDS_PER_DAY, amount=paid)
