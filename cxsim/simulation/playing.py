"""A population and the inputs of one draw in; what happens in each arm, under the same luck, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import SimulationError
from cxsim.simulation.blocks import Block, Latents, Stage, draw_block, staged
from cxsim.simulation.booking import Books, add_up_members
from cxsim.simulation.kernel import play
from cxsim.simulation.plan import Plan, tallies_of
from cxsim.simulation.population import Population
from cxsim.units import CENTS

# Chosen once, for a block's arrays to stay in a processor's second-level cache; part of the result's definition,
# because the paired sums are folded block by block.
BLOCK_SIZE = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Everything that one draw needs.

    Attributes
    ----------
    draw
        Number of the draw; part of every random number's key.
    latents
        Distributions of customers' rates.
    prob_alive
        Shape (existing customers,).
    plans
        One plan per arm; the first is the baseline.
    reached
        Per arm, shape (existing customers + 1, reaches); the last row stands for new customers.
    worths
        Per arm, shape (tallies,): millionths of the currency unit for one of each tally.

    Raises
    ------
    SimulationError
        For arrays that do not fit the plans: compiled code reads where it is told, without a second look.
    """

    draw: int
    latents: Latents
    prob_alive: npt.NDArray[np.float64]
    plans: tuple[Plan, ...]
    reached: tuple[npt.NDArray[np.bool_], ...]
    worths: tuple[npt.NDArray[np.int64], ...]

    def __post_init__(self) -> None:
        shapes = [(len(self.prob_alive) + 1, len(plan)) for plan in self.plans]
        if [reached.shape for reached in self.reached] != shapes:
            found = [reached.shape for reached in self.reached]
            raise SimulationError(
                f"reached: the shapes are {found}; with these plans and customers they must be {shapes}."
            )
        widths = [(tallies_of(plan),) for plan in self.plans]
        if [worth.shape for worth in self.worths] != widths:
            found = [worth.shape for worth in self.worths]
            raise SimulationError(f"worths: the shapes are {found}; with these plans they must be {widths}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What happened in one draw, or in a part of it.

    Attributes
    ----------
    by_arm
        Per arm, shape (cohorts, months, tallies).
    paired
        Shape (arms, 2): sum and sum of squares over customers of the value in the arm less the value in the baseline,
        in millionths of the currency unit.
    customers
        Number of customers.
    """

    by_arm: tuple[npt.NDArray[np.int64], ...]
    paired: npt.NDArray[np.float64]
    customers: int

    def __add__(self, other: Counts) -> Counts:
        """Return both parts together."""
        return Counts(
            by_arm=tuple(mine + theirs for mine, theirs in zip(self.by_arm, other.by_arm, strict=True)),
            paired=self.paired + other.paired,
            customers=self.customers + other.customers,
        )


def orders(population: Population, inputs: Inputs, *, seed: int, arm: int = 0) -> pl.DataFrame:
    """Return every order of one draw and arm.

    Parameters
    ----------
    population, inputs, seed
        As in `simulate`.
    arm
        Place of the arm in the inputs.

    Returns
    -------
    polars.DataFrame
        customer (number from 0: existing customers in their order, then new ones), day (of the scenario), amount (paid,
        in units of the currency); by customer and time.
    """
    stage, parts = staged(population), []
    for number in range(number_of_blocks(stage.customers)):
        block = _block(stage, inputs, seed, number)
        _, _, length = _play(stage, inputs, block, arm)
        books, _, _ = _play(stage, inputs, block, arm, log_length=length)
        customer, day, cents = books.log.T
        parts.append(pl.DataFrame({"customer": customer + number * BLOCK_SIZE, "day": day, "cents": cents}))
    return pl.concat(parts).select("customer", "day", amount=pl.col("cents") / CENTS)


def customer_values(population: Population, inputs: Inputs, *, seed: int, arm: int = 0) -> npt.NDArray[np.int64]:
    """Return what each customer is worth in one draw and arm.

    Parameters
    ----------
    population, inputs, seed
        As in `simulate`.
    arm
        Place of the arm in the inputs.

    Returns
    -------
    numpy.ndarray
        Millionths of the currency unit, shape (customers,): existing customers in their order, then new ones.
    """
    stage, parts = staged(population), []
    for number in range(number_of_blocks(stage.customers)):
        books, _, _ = _play(stage, inputs, _block(stage, inputs, seed, number), arm)
        parts.append(books.values)
    return np.concatenate(parts)


def block_counts(stage: Stage, inputs: Inputs, seed: int, number: int) -> Counts:
    """Return the counts of one block of customers."""
    block = _block(stage, inputs, seed, number)
    played = [_play(stage, inputs, block, arm)[:2] for arm in range(len(inputs.plans))]
    baseline = played[0][0].values
    gains = [books.values - baseline for books, _ in played]
    return Counts(
        by_arm=tuple(counts for _, counts in played),
        paired=np.array([(float(gain.sum()), np.square(gain.astype(np.float64)).sum()) for gain in gains]),
        customers=len(block.customers),
    )


def number_of_blocks(customers: int) -> int:
    """Return into how many blocks so many customers are cut; the last one may not be full."""
    return -(-customers // BLOCK_SIZE)


class _Placed(NamedTuple):
    """A block and the number of its first customer."""

    first: int
    customers: Block


def _block(stage: Stage, inputs: Inputs, seed: int, number: int) -> _Placed:
    first = number * BLOCK_SIZE
    last = min(first + BLOCK_SIZE, stage.customers)
    drawn = draw_block(stage, inputs.latents, inputs.prob_alive, seed=seed, draw=inputs.draw, first=first, last=last)
    return _Placed(first, drawn)


def _play(
    stage: Stage, inputs: Inputs, block: _Placed, arm: int, *, log_length: int = 0
) -> tuple[Books, npt.NDArray[np.int64], int]:
    plan, size = inputs.plans[arm], len(block.customers)
    rows = np.minimum(np.arange(block.first, block.first + size), len(stage.past))
    counts = np.zeros((stage.cohorts, stage.months, tallies_of(plan)), np.int64)
    books = Books(
        month_of_day=stage.month_of_day,
        worth=inputs.worths[arm],
        counts=counts,
        values=np.zeros(size, np.int64),
        log=np.empty((log_length, 3), np.int64),
    )
    ordered = play(plan, inputs.latents, block.customers, inputs.reached[arm][rows], books)
    add_up_members(counts)
    return books, counts, ordered
