"""Shops made by hand, by chance with known ratios, and by a scenario whose behaviour is known exactly."""

from __future__ import annotations

import dataclasses
from datetime import datetime, time, timedelta

import numpy as np
import polars as pl

from cxsim.data.shop import Shop
from cxsim.library import root
from cxsim.params import quantities, read, with_values
from cxsim.strategies.behaviour import Behaviour
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.sources import shop_tables

LIKE = read(root() / "params" / "behaviour" / "online-shop.yaml", Behaviour)
# Far from what is assumed, and so many surveys and tickets that their scales can be measured.
OTHERWISE = {
    "experience.incidents.item_1.chance": 0.09,
    "experience.incidents.item_1.ticket": 0.35,
    "experience.contact": 0.20,
    "experience.first_contact": 0.60,
    "experience.response_hours": 30.0,
    "experience.response_spread": 1.4,
    "surveys.after_order": 0.6,
    "surveys.after_ticket": 0.9,
    "surveys.response": 0.4,
    "surveys.nps.centre": 7.5,
    "surveys.nps.per_deviation": 1.6,
    "surveys.csat.centre": 3.6,
    "surveys.ces.noise": 1.4,
    "returns.chance": 0.15,
    "returns.part": 0.6,
    "returns.days": 25.0,
    "sessions.conversion": 0.1,
}
# Satisfaction moves nothing: else those who are asked would not be as satisfied as all customers are.
UNMOVED = dict.fromkeys((f"experience.{name}_per_deviation" for name in ("purchase_rate", "dropout", "basket")), 1.0)


def exactly(**changes):
    """Return the bundled behaviour with every number certain, and some changed; no traits."""
    values = {name: quantity.value for name, quantity in quantities(LIKE)} | UNMOVED | changes
    return dataclasses.replace(with_values(LIKE, values), traits=None)


def new_customers(behaviour, *, per_month=5000, months=4, horizon_months=12, seed=11, **changes):
    """Return a scenario of new customers alone, 20,000 in four months if nothing else is said."""
    return dataclasses.replace(
        load_scenario("cdnow-service"),
        orders="cdnow-sample",
        existing_customers="none",
        dropout="bgnbd",
        draws=2,
        seed=seed,
        new_customers=NewCustomers(per_month=per_month, months=months),
        horizon_months=horizon_months,
        behaviour=behaviour,
        combinations=(),
        stacking=None,
        **changes,
    )


START = datetime.fromisoformat("2024-01-01")
EVERY = 28


def day(days: float) -> datetime:
    return START + timedelta(days=days)


def shop(orders=None, *, days=EVERY * 12, **tables) -> Shop:
    lazy = {name: table.lazy() for name, table in {"orders": orders, **tables}.items() if table is not None}
    return Shop(name="S", currency="EUR", since=START, until=day(days), opening=True, **lazy)


def orders_of(*rows) -> pl.DataFrame:
    """Return orders from (customer, day, amount, incident)."""
    named = [(f"o{n}", who, day(when), float(amount), bad) for n, (who, when, amount, bad) in enumerate(rows)]
    columns = ["order_id", "customer_id", "ordered_at", "amount", "incident"]
    return pl.DataFrame(named, schema=columns, orient="row", schema_overrides={"incident": pl.String})


def chance_shop(seed, *, customers=4000, periods=12, ratio=1.0, chance=0.2, bad=1.0, shape=2.0) -> Shop:
    """Return a shop whose customers order at gamma rates.

    `ratio` is what a late order makes of the order rate in the next period, to the power of their number; half of the
    customers, the bad ones, order at `bad` times the rate of the others, and where that is not 1 they alone meet late
    orders.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    worse = rng.random(customers) < 0.5
    rate = rng.gamma(shape, 0.4 / shape, customers) * np.where(worse, bad, 1.0)
    share = np.where(worse, 2 * chance, 0.02) if bad != 1.0 else np.full(customers, chance)
    late, found = np.zeros(customers), []
    for period in range(periods):
        count = rng.poisson(rate * ratio**late) + (period == 0)
        who = np.repeat(np.arange(customers), count)
        moment = EVERY * (period + rng.random(who.size))
        unlucky = rng.random(who.size) < share[who]
        late = np.bincount(who, weights=unlucky, minlength=customers)
        amount = np.round(rng.gamma(4.0, 10.0, who.size), 2)
        found.append(pl.DataFrame({"who": who, "moment": moment, "late": unlucky, "amount": amount}))
    orders = pl.concat(found).with_row_index("n")
    elapsed = pl.duration(microseconds=(pl.col("moment") * 86_400_000_000).cast(pl.Int64))
    return shop(
        orders.select(
            "amount",
            order_id=pl.format("o{}", "n"),
            customer_id=pl.format("c{}", "who"),
            ordered_at=pl.lit(START) + elapsed,
            incident=pl.when("late").then(pl.lit("late")),
        ),
        days=EVERY * periods,
    )


def causeless_shop(seed=11) -> Shop:
    """Return a simulated shop in which satisfaction moves nothing, so that no experience has an effect."""
    behaviour = load_scenario("cdnow-naive").behaviour
    behaviour = dataclasses.replace(behaviour, returns=load_scenario("cdnow-service").behaviour.returns)
    scenario = dataclasses.replace(
        load_scenario("cdnow-naive"),
        orders="cdnow-sample",
        existing_customers="none",
        new_customers=NewCustomers(per_month=1500, months=6),
        horizon_months=24,
        draws=2,
        seed=seed,
        behaviour=behaviour,
    )
    tables, calendar = shop_tables(scenario), scenario.calendar
    since, until = (datetime.combine(on, time()) for on in (calendar.starts_on, calendar.starts_of(calendar.months)))
    frames = {name: getattr(tables, name).lazy() for name in ("orders", "tickets", "surveys", "returns")}
    return Shop(name="World", currency="USD", since=since, until=until, opening=True, **frames)
