"""Shops made by hand, and by chance with known ratios, for the tests of this room."""

from __future__ import annotations

import dataclasses
from datetime import datetime, time, timedelta

import numpy as np
import polars as pl

from cxsim.data.shop import Shop
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.shop_tables import shop_tables

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
