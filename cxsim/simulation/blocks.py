"""A population and the distributions of its rates in; blocks of customers with rates of their own out.

A customer's luck is keyed by a number of their own: the place in the customer list for existing customers, month and
place within it for new ones, so that neither the size of the base nor of the blocks, nor customers whom a programme
brings in an earlier month, move anybody's luck.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim import rng
from cxsim.compiled import lean
from cxsim.errors import SimulationError
from cxsim.simulation.population import Population

FIRST_NEW_CUSTOMER = 1 << 40
_MONTH = 1 << 41
_SEEDS = 1 << 63
_INSTANT = 1e-9
# Per day: at less, nothing happens in the age of the universe; as 0 it is never divided by, nor is a ratio of it.
_NEVER = 1e-250
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
        ("number", np.int64),
        ("orders_before", np.int64),
        ("place", np.int64),  # of a new customer within the month of arrival
        ("trait", np.float64),  # the part of satisfaction that goes together with the rates
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


class Stage(NamedTuple):
    """A population as arrays, worked out once for all blocks.

    past (existing customers, 4): frequency, age and idle days, and mean order value, 0 where there is no repeat order,
    and then multiplied by that 0; arrivals (months of arrivals + 1,): new customers before each month, also those who
    come only in some arms; month_starts (months + 1,); month_of_day (days,).
    """

    past: npt.NDArray[np.float64]
    arrivals: npt.NDArray[np.int64]
    month_starts: npt.NDArray[np.int64]
    month_of_day: npt.NDArray[np.int64]

    @property
    def customers(self) -> int:
        """Number of customers, existing and new."""
        return len(self.past) + int(self.arrivals[-1])

    @property
    def cohorts(self) -> int:
        """Number of cohorts: the existing base, one for each month of arrivals, and one of referred customers."""
        return len(self.arrivals) + 1

    @property
    def months(self) -> int:
        """Number of months of the scenario."""
        return len(self.month_starts) - 1


def staged(population: Population) -> Stage:
    """Return what the blocks of a population need, worked out once."""
    past = [
        population.base[name].cast(pl.Float64).fill_null(0.0).to_numpy()
        for name in ("frequency", "age_days", "idle_days", "monetary_value")
    ]
    return Stage(
        past=np.column_stack(past),
        arrivals=np.cumsum(np.array((0, *population.most_arrivals), dtype=np.int64)),
        month_starts=population.calendar.month_starts,
        month_of_day=population.calendar.month_of_day,
    )


def draw_block(
    stage: Stage,
    latents: Latents,
    prob_alive: npt.NDArray[np.float64],
    *,
    seed: int,
    draw: int,
    first: int,
    last: int,
) -> Block:
    """Return customers `first` to `last` (exclusive) with their latent rates.

    Existing customers are alive with probability `prob_alive`; given that, their rates follow the exact posterior:
    Gamma(r + x, alpha + T), Beta(a, b + x) (b + x + 1 where the first order counts), Gamma(s, beta + T) and, for spend,
    Gamma(q + p x, v + x m).
    """
    if not 0 <= seed < _SEEDS:
        raise SimulationError(f"the seed must be from 0 to {_SEEDS - 1}; found {seed}.")
    if prob_alive.shape != (len(stage.past),):
        raise SimulationError(
            f"prob_alive has shape {prob_alive.shape}; there are {len(stage.past)} existing customers."
        )
    block = np.zeros(last - first, CUSTOMER_RECORD)
    _draw(block, latents, stage, prob_alive, seed, draw, first)
    return block


@lean
def draw_newcomer(block: Block, key: np.uint64, entry: float, cohort: int, latents: Latents) -> None:
    """Draw the rates of a customer who was referred into a block of one."""
    block[0].number = np.int64(key >> np.uint64(1))
    block[0].is_new, block[0].alive = True, True
    block[0].cohort, block[0].entry = cohort, entry
    block[0].orders_before, block[0].trait = 0, 0.0
    _draw_rates(block, 0, key, latents, 0.0, 0.0, 0.0, 0.0)


@lean
def _draw(
    block: Block, latents: Latents, stage: Stage, prob_alive: npt.NDArray[np.float64], seed: int, draw: int, first: int
) -> None:
    existing = len(stage.past)
    for i in range(len(block)):
        customer = first + i
        block[i].number = customer
        if customer < existing:
            frequency, age = stage.past[customer, 0], stage.past[customer, 1]
            idle, value = stage.past[customer, 2], stage.past[customer, 3]
            key = rng.customer_key(seed, draw, customer)
            block[i].last = -idle
            block[i].orders_before = int(frequency) + 1
            block[i].alive = rng.uniform(rng.purpose_key(key, _ALIVE), 0) < prob_alive[customer]
            survived = frequency + latents.drop_after_first
            _draw_rates(block, i, key, latents, frequency, age, value, survived)
        else:
            newcomer = customer - existing
            month = np.searchsorted(stage.arrivals, newcomer, side="right") - 1
            place = newcomer - stage.arrivals[month]
            key = rng.customer_key(seed, draw, FIRST_NEW_CUSTOMER + month * _MONTH + place)
            block[i].place = place
            block[i].is_new = True
            block[i].alive = True
            block[i].cohort = 1 + month
            share = rng.uniform(rng.purpose_key(key, _ARRIVAL), 0)
            begins, ends = stage.month_starts[month], stage.month_starts[month + 1]
            # The last instant of a month can be rounded into the next, where there may be no day any more.
            block[i].entry = min(begins + share * (ends - begins), ends - _INSTANT)
            _draw_rates(block, i, key, latents, 0.0, 0.0, 0.0, 0.0)


@lean
def _draw_rates(
    block: Block, i: int, key: np.uint64, latents: Latents, frequency: float, age: float, value: float, survived: float
) -> None:
    """Draw a customer's own rates; `survived` is after how many orders they could have left and did not."""
    block[i].key = key
    rate = rng.gamma(rng.purpose_key(key, _PURCHASE_RATE), 0, latents.r + frequency) / (latents.alpha + age)
    block[i].rate = rate if rate > _NEVER else 0.0
    if latents.a > 0.0:
        luck = rng.purpose_key(key, _DROPOUT_PROB)
        leave = rng.gamma(luck, 0, latents.a)
        stay = rng.gamma(luck, 1, latents.b + survived)
        # Both can underflow to 0 only for absurdly small shapes; then the beta number is at one of its two ends.
        block[i].dropout_prob = leave / (leave + stay) if leave + stay > 0.0 else 0.0
    if latents.s > 0.0:
        luck = rng.purpose_key(key, _DROPOUT_RATE)
        hazard = rng.gamma(luck, 0, latents.s) / (latents.beta + age)
        block[i].dropout_rate = hazard if hazard > _NEVER else 0.0
    shape = latents.q + latents.p * frequency
    block[i].spend_rate = rng.gamma(rng.purpose_key(key, _SPEND_RATE), 0, shape) / (latents.v + frequency * value)
