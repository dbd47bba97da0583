"""Who is simulated: existing customers from their exact posterior and new monthly cohorts, drawn block by block.

A customer's luck is keyed by a number of their own: the place in the customer list for existing customers, a count from
2**40 for new ones, so that neither the size of the base nor of the blocks moves anybody's luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.exceptions import PolarsError

from cxsim import rng
from cxsim.errors import SimulationError
from cxsim.simulation.calendar import Calendar
from cxsim.simulation.compiled import lean
from cxsim.tables import CUSTOMERS, check

FIRST_NEW_CUSTOMER = 1 << 40
_ALIVE, _PURCHASE_RATE = int(rng.Purpose.ALIVE), int(rng.Purpose.PURCHASE_RATE)
_DROPOUT_PROB, _DROPOUT_RATE = int(rng.Purpose.DROPOUT_PROB), int(rng.Purpose.DROPOUT_RATE)
_SPEND_RATE, _ARRIVAL = int(rng.Purpose.SPEND_RATE), int(rng.Purpose.ARRIVAL)


class Latents(NamedTuple):
    """Distributions from which customers' own rates are drawn; time in days, money in units of the currency.

    Purchase rate ~ Gamma(r, alpha). Dropout competes: a chance after each order ~ Beta(a, b), none for a = 0, and a
    hazard per day ~ Gamma(s, beta), none for s = 0. BG/NBD is s = 0; Pareto/NBD is a = 0; MBG/NBD also lets customers
    drop out after their first order. Spend per order ~ Gamma(p, nu) with nu ~ Gamma(q, v).
    """

    r: float
    alpha: float
    a: float
    b: float
    s: float
    beta: float
    drop_after_first: int
    p: float
    q: float
    v: float


# One customer of a block for the kernel; days are days of the scenario. `last` is the day of the last order before the
# start, at most 0, and unused for new customers.
CUSTOMER_RECORD = np.dtype(
    [
        ("key", np.uint64),
        ("entry", np.float64),
        ("last", np.float64),
        ("is_new", np.bool_),
        ("alive", np.bool_),
        ("rate", np.float64),
        ("dropout_prob", np.float64),
        ("dropout_rate", np.float64),
        ("spend_rate", np.float64),
        ("cohort", np.int64),
    ],
    align=True,
)
Block = npt.NDArray[np.void]


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """Existing customers and the number of new ones per month.

    Attributes
    ----------
    base
        Existing customers at the start, under CUSTOMERS; may be empty.
    arrivals
        New customers in each month from the first; at most as many months as the calendar has.
    calendar
        Days and months of the scenario.

    Raises
    ------
    SimulationError
        For a population without customers, or arrivals after the horizon.
    """

    base: pl.DataFrame
    arrivals: tuple[int, ...]
    calendar: Calendar

    def __post_init__(self) -> None:
        check(self.base, CUSTOMERS)
        if min(self.arrivals, default=0) < 0:
            raise SimulationError(f"a cohort cannot have fewer than 0 customers; found {min(self.arrivals)}.")
        if self.size == 0:
            raise SimulationError("there are no customers: neither an existing base nor new ones.")
        if len(self.arrivals) > self.calendar.months:
            raise SimulationError(
                f"new customers arrive for {len(self.arrivals)} months, but the horizon is {self.calendar.months}."
            )

    @property
    def size(self) -> int:
        """Number of customers, existing and new."""
        return self.base.height + sum(self.arrivals)

    @property
    def cohorts(self) -> int:
        """Number of cohorts: the existing base, then one for each month of arrivals."""
        return 1 + len(self.arrivals)


def empty_base() -> pl.DataFrame:
    """Return a base without customers, for a shop that only starts."""
    return pl.DataFrame(schema={name: kinds[0] for name, kinds in CUSTOMERS.columns.items()})  # type: ignore[misc]


def existing_customers(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return a table under CUSTOMERS from one under RFM, in the same order."""
    return rfm.select(
        origin=pl.lit("existing"),
        frequency="frequency",
        recency_days="recency_days",
        age_days="age_days",
        idle_days=pl.col("age_days") - pl.col("recency_days"),
        monetary_value="monetary_value",
    )


def reached_by(population: Population, conditions: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which customers meet which condition.

    Parameters
    ----------
    population
        Customers of the scenario.
    conditions
        Conditions over the columns of CUSTOMERS, in SQL words.

    Returns
    -------
    numpy.ndarray
        Shape (existing customers + 1, conditions): the last row stands for every new customer. Where a condition
        needs a mean order value that a customer does not have, the customer is not reached.

    Raises
    ------
    SimulationError
        For a condition that is no condition over these columns.
    """
    newcomer = pl.DataFrame(
        {"origin": ["new"], "frequency": [0], "recency_days": [0], "age_days": [0], "idle_days": [0],
         "monetary_value": [None]},
        schema=population.base.schema,
    )
    everyone = pl.concat([population.base, newcomer])
    return np.column_stack([_meets(everyone, condition) for condition in conditions] or [np.empty((everyone.height, 0))]
                           ).astype(np.bool_)


def _meets(customers: pl.DataFrame, condition: str) -> npt.NDArray[np.bool_]:
    try:
        met = customers.select(met=pl.sql_expr(condition))["met"]
    except PolarsError as cause:
        raise SimulationError(
            f"who: '{condition}' is no condition over customers ({cause}); possible columns: {', '.join(customers.columns)}."
        ) from cause
    if met.dtype != pl.Boolean:
        raise SimulationError(f"who: '{condition}' gives {met.dtype}, not true or false.")
    if len(met) == 1:
        met = met.new_from_index(0, customers.height)
    return met.fill_null(value=False).to_numpy()


def draw_block(
    population: Population, latents: Latents, prob_alive: npt.NDArray[np.float64], *, seed: int, draw: int, first: int, last: int
) -> Block:
    """Return customers `first` to `last` (exclusive) with their latent rates.

    Existing customers are alive with probability `prob_alive`; given that, their rates follow the exact posterior:
    Gamma(r + x, alpha + T), Beta(a, b + x), Gamma(s, beta + T) and, for spend, Gamma(q + p x, v + x m).
    """
    existing = population.base.height
    base = population.base.slice(first, max(min(last, existing) - first, 0))
    arrivals = np.cumsum(np.array((0, *population.arrivals), dtype=np.int64))
    observed = [
        base[name].cast(pl.Float64).fill_null(0.0).to_numpy()
        for name in ("frequency", "age_days", "idle_days", "monetary_value")
    ]
    block = np.zeros(last - first, CUSTOMER_RECORD)
    _draw(block, latents, *observed, prob_alive, arrivals, population.calendar.month_starts, seed, draw, first, existing)
    return block


@lean
def _draw(block, latents, frequency, age, idle, value, prob_alive, arrivals, starts, seed, draw, first, existing):
    for i in range(len(block)):
        customer = first + i
        if customer < existing:
            key = rng.customer_key(seed, draw, customer)
            block[i].last = -idle[i]
            block[i].alive = rng.uniform(rng.purpose_key(key, _ALIVE), 0) < prob_alive[customer]
            _draw_rates(block, i, key, latents, frequency[i], age[i], value[i])
        else:
            newcomer = customer - existing
            key = rng.customer_key(seed, draw, FIRST_NEW_CUSTOMER + newcomer)
            month = np.searchsorted(arrivals, newcomer, side="right") - 1
            block[i].is_new = True
            block[i].alive = True
            block[i].cohort = 1 + month
            share = rng.uniform(rng.purpose_key(key, _ARRIVAL), 0)
            block[i].entry = starts[month] + share * (starts[month + 1] - starts[month])
            _draw_rates(block, i, key, latents, 0.0, 0.0, 0.0)


@lean
def _draw_rates(block, i, key, latents, frequency, age, value):
    block[i].key = key
    block[i].rate = rng.gamma(rng.purpose_key(key, _PURCHASE_RATE), 0, latents.r + frequency) / (latents.alpha + age)
    if latents.a > 0.0:
        luck = rng.purpose_key(key, _DROPOUT_PROB)
        leave = rng.gamma(luck, 0, latents.a)
        stay = rng.gamma(luck, 1024, latents.b + frequency)
        # Both can underflow to 0 only for absurdly small shapes; then the beta number is at one of its two ends.
        block[i].dropout_prob = leave / (leave + stay) if leave + stay > 0.0 else 0.0
    if latents.s > 0.0:
        luck = rng.purpose_key(key, _DROPOUT_RATE)
        block[i].dropout_rate = rng.gamma(luck, 0, latents.s) / (latents.beta + age)
    shape = latents.q + latents.p * frequency
    block[i].spend_rate = rng.gamma(rng.purpose_key(key, _SPEND_RATE), 0, shape) / (latents.v + frequency * value)
