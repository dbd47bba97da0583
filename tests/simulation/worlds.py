"""Customers, programmes and plays for the tests of the simulator, in few words and without spread in any number."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import date

import numpy as np
import polars as pl

from cxsim.params import Unit
from cxsim.simulation.counts import YEARS_AFTER, CountKind, place
from cxsim.simulation.engine import Counts, Inputs, simulate
from cxsim.simulation.plan import arrivals_of, compile_plan, count_kinds_of
from cxsim.simulation.state import Latents
from cxsim.simulation.world import Calendar, Population, compile_world, empty_base, reached_by
from cxsim.strategies.behaviour import PLAIN
from cxsim.strategies.effects import Effect, Programme, Reach
from tests.simulated import assumed, orders
from tests.simulation.mechanisms import made

WEEK = 7.0
# Spend as fitted to CDNOW (research of the field: Fader, Hardie & Lee 2005, p and q per order, v in dollars).
SPEND = {"p": 6.2495723, "q": 3.7442247, "v": 15.4435210}
# The maxima of three models on the CDNOW sample; published in weeks, held here in days.
CDNOW = Latents(
    r=0.2425945, alpha=4.4136020 * WEEK, a=0.7929220, b=2.4259068, s=0.0, beta=1.0, drop_after_first=0, **SPEND
)
PARETO = Latents(r=0.5533, alpha=10.578 * WEEK, a=0.0, b=1.0, s=0.6062, beta=11.669 * WEEK, drop_after_first=0, **SPEND)
MBG = Latents(
    r=0.5248432, alpha=6.1830853 * WEEK, a=0.8913594, b=1.6140022, s=0.0, beta=1.0, drop_after_first=1, **SPEND
)
# Both ways of leaving at once: after each order, the first among them, and on the calendar.
COMPETING = Latents(r=0.4, alpha=6.0 * WEEK, a=0.6, b=3.0, s=0.7, beta=40.0 * WEEK, drop_after_first=1, **SPEND)
MODELS = {"BG/NBD": CDNOW, "MBG/NBD": MBG, "Pareto/NBD": PARETO, "competing": COMPETING}
# Whoever is here never leaves, and all order once in ten days on average, for about ten units of money.
LOYAL = Latents(r=1e6, alpha=1e7, a=0.0, b=1.0, s=0.0, beta=1.0, drop_after_first=0, p=1e6, q=1e6, v=10.0)
START = date(1998, 7, 1)
EVERYONE = "true"


def share(value: float):
    return assumed(value, Unit.SHARE)


def days(value: float):
    return assumed(value, Unit.DAYS)


def buying(ratio: float) -> Effect:
    return made("purchase_rate", ratio=ratio)


def leaving(ratio: float) -> Effect:
    return made("dropout", ratio=ratio)


def basket(ratio: float) -> Effect:
    return made("basket", ratio=ratio)


def markdown(depth: float, redemption: float, elasticity: float) -> Effect:
    return made("markdown", depth=depth, redemption=redemption, elasticity=elasticity)


def coupon(face_value: float, redemption: float) -> Effect:
    return made("coupon", face_value=face_value, redemption=redemption)


def points(**numbers) -> Effect:
    return made("points", **numbers)


def programme(
    *effects: Effect,
    who=EVERYONE,
    uptake=1.0,
    ramp_days=0.0,
    months=(0, None),
    orders=(None, None),
    idle=None,
    every=None,
    name="plan",
) -> Programme:
    """`months` and `orders` are from and until; `idle` and `every` are (so many days, for so many days)."""
    waits = {} if idle is None else {"after_idle_days": days(idle[0]), "for_days": days(idle[1])}
    waits |= {} if every is None else {"every_days": days(every[0]), "for_days": days(every[1])}
    reach = Reach(
        who=who,
        uptake=share(uptake),
        ramp_days=days(ramp_days),
        from_month=months[0],
        until_month=months[1],
        from_order=orders[0],
        until_order=orders[1],
        **waits,
    )
    return Programme(name=name, reach=reach, effects=effects)


def past_customers(pasts: Sequence[tuple[int, int, int, float | None]], copies: int = 1) -> pl.DataFrame:
    """Return a base from (frequency, recency_days, age_days, monetary_value), each of them `copies` times in a row."""
    columns = list(zip(*[past for past in pasts for _ in range(copies)], strict=True))
    table = pl.DataFrame(
        dict(zip(("frequency", "recency_days", "age_days", "monetary_value"), columns, strict=True)),
        schema_overrides={"monetary_value": pl.Float64},
    )
    return table.select(
        origin=pl.lit("existing"),
        frequency="frequency",
        recency_days="recency_days",
        age_days="age_days",
        idle_days=pl.col("age_days") - pl.col("recency_days"),
        monetary_value="monetary_value",
    )


def newcomers(size: int, months: int = 36, starts_on: date = START) -> Population:
    """Return customers who all arrive within the first month."""
    return Population(base=empty_base(), arrivals=(size,), calendar=Calendar(starts_on=starts_on, months=months))


def existing(base: pl.DataFrame, months: int = 12, arrivals: tuple[int, ...] = ()) -> Population:
    return Population(base=base, arrivals=arrivals, calendar=Calendar(starts_on=START, months=months))


def inputs(
    population: Population,
    *arms: Sequence[Programme],
    latents=CDNOW,
    behaviour=PLAIN,
    prob_alive=None,
    draw=0,
    worth=None,
    stacking=1.0,
) -> Inputs:
    """Return the inputs of a draw; an arm is a list of programmes; `worth` is by tally, 1 % of LIST if not given."""
    plans = tuple(
        compile_plan(arm, population.calendar, incidents=behaviour.incidents, stacking=stacking) for arm in arms
    )
    return Inputs(
        draw=draw,
        latents=latents,
        prob_alive=np.ones(population.base.height) if prob_alive is None else prob_alive,
        world=compile_world(behaviour, population.calendar),
        plans=plans,
        arrivals=tuple(arrivals_of(arm, population.arrivals, population.calendar, stacking=stacking) for arm in arms),
        reached=tuple(reached_by(population, [one.reach.who for one in arm]) for arm in arms),
        later=np.zeros((YEARS_AFTER, 2), np.int64),
        unit_values=tuple(_worth(count_kinds_of(plan), worth or {CountKind.LIST: 100}) for plan in plans),
    )


def play(population: Population, *arms: Sequence[Programme], seed=20240501, **settings) -> Counts:
    """Return the counts of one draw."""
    ready = inputs(population, *arms, **settings)
    return simulate(population, [lambda: ready], seed=seed)[0]


def total(counts: Counts, arm: int, column: int) -> int:
    return int(counts.by_arm[arm][:, :, column].sum())


def orders_of_each(population: Population, ready: Inputs, *, arm=0, before=None, seed=20240501):
    """Return how many orders each customer places before a day, shape (customers,)."""
    log = orders(population, ready, seed=seed, arm=arm)
    counted = log if before is None else log.filter(pl.col("day") < before)
    return np.bincount(counted["customer"].to_numpy(), minlength=population.size)


def paid(counts: Counts, arm: int) -> int:
    listed, off, reward = (
        total(counts, arm, place(count_kind)) for count_kind in (CountKind.LIST, CountKind.MARKDOWN, CountKind.REWARD)
    )
    return listed - off - reward


class Serial:
    """Runs a task when it is handed over."""

    def submit(self, work, task, /):
        done = Future()
        done.set_result(work(task))
        return done


def _worth(count_kinds: int, worth: dict[CountKind, int]):
    return np.array([worth.get(column, 0) for column in range(count_kinds)], dtype=np.int64)
