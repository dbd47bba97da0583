"""Simulated shops that ask after every order: the design of tests/study/test_facts_nps."""

from __future__ import annotations

import dataclasses
from datetime import datetime, time, timedelta

import polars as pl

from cxsim.simulation.engine import events
from cxsim.simulation.state import KINDS
from tests.simulation.shops import experience, incident, scale, shop, surveys, traits
from tests.simulation.worlds import PARETO, START, inputs, newcomers

MONTHS = 20
# All customers come within the first month, so 31 days, a year and two seasons of 91 days hold everybody.
OPENING = datetime.combine(START, time.min)
UNTIL = OPENING + timedelta(days=31 + 365 + 2 * 91)
ANSWER = scale(8.0, 1.3, 1.4)
# One order in four is remembered as two deviations worse, and the last order is all that is remembered.
NEWS = incident("broken", 0.25, -2.0, 0.0)


def tables(seed, customers, *, latent=0.3, news=False, buying=1.0, leaving=1.0, basket=1.0):
    """Return the orders and the answers of a world until UNTIL."""
    asking = dataclasses.replace(surveys(after_order=1.0, after_ticket=0.0, response=1.0, extremity=0.0), nps=ANSWER)
    going = experience(
        *((NEWS,) if news else ()),
        contact=0.0,
        memory=1.0 if news else 0.3,
        buying=buying,
        leaving=leaving,
        basket=basket,
    )
    behaviour = shop(traits=traits(latent, latent, latent), experience=going, surveys=asking)
    population = newcomers(customers, months=MONTHS)
    log = events(population, inputs(population, [], latents=PARETO, behaviour=behaviour), seed=seed)
    when = (pl.lit(OPENING) + pl.duration(seconds="second")).cast(pl.Datetime("us"))
    named = {"customer_id": pl.col("customer").cast(pl.String)}
    orders = log.filter(pl.col("kind") == KINDS.index("ORDER")).select(
        **named, order_id=pl.lit(""), ordered_at=when, amount=pl.col("a") / 100
    )
    answers = log.filter(pl.col("kind") == KINDS.index("SURVEY")).select(
        **named, survey_id=pl.lit(""), sent_at=when, instrument=pl.lit("nps"), score="b"
    )
    return orders.filter(pl.col("ordered_at") < UNTIL), answers.filter(pl.col("sent_at") < UNTIL)
