"""The events of one world in; the same with times and the names of customers and orders, out."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import polars as pl

from cxsim.scenario import Scenario
from cxsim.simulation import EVENTS, Population

SECONDS_PER_DAY = 86_400


def start_of(scenario: Scenario) -> pl.Expr:
    """Return the first moment of a scenario."""
    return pl.lit(datetime.combine(scenario.calendar.starts_on, time())).cast(pl.Datetime("us"))


def moment(scenario: Scenario, second: pl.Expr) -> pl.Expr:
    """Return the time of a second of the scenario."""
    return (start_of(scenario) + pl.duration(seconds=second)).cast(pl.Datetime("us"))


def named_events(log: pl.DataFrame, scenario: Scenario, rfm: pl.DataFrame, population: Population) -> pl.DataFrame:
    """Add when events happened, and the names of customers and orders; whoever was there has the name in the orders."""
    customer = customer_name(pl.col("customer"), scenario, rfm, population)
    return log.with_columns(
        customer_id=customer,
        order_id=pl.format("{}-{}", customer, pl.col("order") + 1),
        at=moment(scenario, pl.col("second")),
    )


def customer_name(number: pl.Expr, scenario: Scenario, rfm: pl.DataFrame, population: Population) -> pl.Expr:
    """Return the name of a customer by the simulator's number.

    New customers are named after month and place within it, so that one whom a programme attracts renames nobody.
    """
    known = rfm["customer_id"].cast(pl.String).head(population.base.height)
    name: Any = pl.when(number >= 1 << 40).then(pl.format("referred-{}", number))
    first = len(known)
    for month, customers in enumerate(population.most_arrivals):
        label = f"new-{scenario.calendar.starts_of(month):%Y-%m}"
        name = name.when(number.is_between(first, first + customers - 1)).then(
            pl.format("{}-{}", pl.lit(label), number - first + 1)
        )
        first += customers
    there = pl.lit(known).gather(number.clip(0, len(known) - 1)) if len(known) else pl.lit(None)
    named: pl.Expr = name.otherwise(there)
    return named


def of_kind(told: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return the events of one kind."""
    return told.filter(pl.col("kind") == EVENTS.index(kind))
