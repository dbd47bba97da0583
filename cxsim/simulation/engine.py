"""A population and one input per draw in; counts of every arm and draw out, the same bits on any executor.

Customers run in fixed blocks, so memory is bounded by the block. Parts are folded pairwise over aligned power-of-two
ranges of blocks, so neither the number of workers nor the size of a task changes a bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import SimulationError
from cxsim.simulation.booking import Books
from cxsim.simulation.kernel import play
from cxsim.simulation.plan import Plan, tallies_of
from cxsim.simulation.population import Block, Latents, Population, draw_block
from cxsim.units import CENTS

# Chosen once, for a block's arrays to stay in a processor's second-level cache; part of the result's definition, because
# the paired sums are folded block by block.
BLOCK_SIZE = 4096
# A power of two; 32 blocks take about a tenth of a second, so that handing out a task costs nothing beside it.
BLOCKS_PER_TASK = 32
_PATIENCE_SECONDS = 600.0

Progress = Callable[[int, int], None]


class Future(Protocol):
    """What a submitted task gives back."""

    def result(self, timeout: float | None = None) -> Any: ...  # noqa: D102, ANN401
    def cancel(self) -> bool: ...  # noqa: D102


class Executor(Protocol):
    """Anything that runs tasks: every executor of concurrent.futures, or a cluster's client behind an adapter."""

    def submit(self, work: Callable[..., Any], /, *args: Any) -> Future: ...  # noqa: D102, ANN401


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
    """

    draw: int
    latents: Latents
    prob_alive: npt.NDArray[np.float64]
    plans: tuple[Plan, ...]
    reached: tuple[npt.NDArray[np.bool_], ...]
    worths: tuple[npt.NDArray[np.int64], ...]


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


def simulate(
    population: Population,
    inputs: Sequence[Callable[[], Inputs]],
    *,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Counts]:
    """Simulate every draw and return its counts, in the order of `inputs`.

    Parameters
    ----------
    population
        Who is simulated.
    inputs
        For each draw a function that makes its inputs; called when the draw's turn comes, so that no more than a few
        are in memory.
    seed
        Seed of the scenario.
    executor
        Runs the tasks; threads, one per processor, when None.
    progress
        Called with the number of tasks done and their total.

    Returns
    -------
    list of Counts
        One per draw.

    Raises
    ------
    SimulationError
        When a worker gives no answer for ten minutes.
    """
    report = progress or _silent
    if executor is not None:
        return _run(population, inputs, seed, executor, report)
    with ThreadPoolExecutor(max_workers=cpu_count()) as threads:
        return _run(population, inputs, seed, threads, report)


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
        customer (number from 0), day (of the scenario), amount (paid, in units of the currency).
    """
    parts = []
    for first, last in _blocks(population.size):
        block = _block(population, inputs, seed, first, last)
        _, _, length = _play(population, inputs, block, first, arm, 0)
        books, _, _ = _play(population, inputs, block, first, arm, length)
        parts.append(
            pl.DataFrame({"customer": books.log_customer + first, "day": books.log_day, "cents": books.log_cents})
        )
    return pl.concat(parts).select("customer", "day", amount=pl.col("cents") / CENTS)


def customer_values(population: Population, inputs: Inputs, *, seed: int, arm: int = 0) -> npt.NDArray[np.int64]:
    """Return what each customer is worth in one draw and arm, in millionths of the currency unit: shape (customers,)."""
    parts = []
    for first, last in _blocks(population.size):
        block = _block(population, inputs, seed, first, last)
        books, _, _ = _play(population, inputs, block, first, arm, 0)
        parts.append(books.values)
    return np.concatenate(parts)


def simulate_blocks(population: Population, inputs: Inputs, seed: int, first_block: int, last_block: int) -> Counts:
    """Return the counts of a range of blocks: the task that is handed to an executor."""
    blocks = _blocks(population.size)[first_block:last_block]
    return _fold(_block_counts(population, inputs, seed, first, last) for first, last in blocks)


def _run(
    population: Population, inputs: Sequence[Callable[[], Inputs]], seed: int, executor: Executor, progress: Progress
) -> list[Counts]:
    n_blocks = len(_blocks(population.size))
    ranges = [(first, min(first + BLOCKS_PER_TASK, n_blocks)) for first in range(0, n_blocks, BLOCKS_PER_TASK)]
    total = len(inputs) * len(ranges)
    parts = _in_order(_tasks(population, inputs, seed, ranges), executor)
    results: list[Counts] = []
    for number in range(len(inputs)):
        done = number * len(ranges)
        results.append(_fold(_reporting((next(parts) for _ in ranges), progress, done, total)))
    return results


Task = tuple[Population, Inputs, int, int, int]


def _tasks(
    population: Population, inputs: Sequence[Callable[[], Inputs]], seed: int, ranges: Sequence[tuple[int, int]]
) -> Iterator[Task]:
    for make in inputs:
        ready = make()
        for first, last in ranges:
            yield population, ready, seed, first, last


def _in_order(tasks: Iterator[Task], executor: Executor) -> Iterator[Counts]:
    """Yield the results in the order of the tasks, with only a few tasks in flight."""
    window = 2 * (cpu_count() or 1) + 2
    flying: deque[Future] = deque()
    try:
        while True:
            while len(flying) < window and (task := next(tasks, None)) is not None:
                flying.append(executor.submit(simulate_blocks, *task))
            if not flying:
                return
            yield flying.popleft().result(timeout=_PATIENCE_SECONDS)
    except TimeoutError as cause:
        raise SimulationError(
            f"no answer from a worker for {_PATIENCE_SECONDS:.0f} seconds; is the machine out of memory? "
            "Fewer customers or another executor may help."
        ) from cause
    finally:
        for future in flying:
            future.cancel()


def _reporting(parts: Iterable[Counts], progress: Progress, done: int, total: int) -> Iterator[Counts]:
    for number, part in enumerate(parts, start=1):
        progress(done + number, total)
        yield part


def _fold(parts: Iterable[Counts]) -> Counts:
    """Add up pairwise, like a binary counter: the same additions however the parts were grouped into tasks."""
    stack: list[tuple[int, Counts]] = []
    for part in parts:
        level, summed = 0, part
        while stack and stack[-1][0] == level:
            summed, level = stack.pop()[1] + summed, level + 1
        stack.append((level, summed))
    total = stack.pop()[1]
    while stack:
        total = stack.pop()[1] + total
    return total


def _block(population: Population, inputs: Inputs, seed: int, first: int, last: int) -> Block:
    return draw_block(
        population, inputs.latents, inputs.prob_alive, seed=seed, draw=inputs.draw, first=first, last=last
    )


def _block_counts(population: Population, inputs: Inputs, seed: int, first: int, last: int) -> Counts:
    block = _block(population, inputs, seed, first, last)
    played = [_play(population, inputs, block, first, arm, 0)[:2] for arm in range(len(inputs.plans))]
    baseline = played[0][0].values
    gains = [(books.values - baseline).astype(np.float64) for books, _ in played]
    return Counts(
        by_arm=tuple(counts for _, counts in played),
        paired=np.array([(gain.sum(), np.square(gain).sum()) for gain in gains]),
        customers=last - first,
    )


def _play(
    population: Population, inputs: Inputs, block: Block, first: int, arm: int, log_length: int
) -> tuple[Books, npt.NDArray[np.int64], int]:
    plan = inputs.plans[arm]
    size, existing = len(block), population.base.height
    rows = np.minimum(np.arange(first, first + size), existing)
    counts = np.zeros((population.cohorts, population.calendar.months, tallies_of(plan)), np.int64)
    books = Books(
        month_of_day=population.calendar.month_of_day,
        worth=inputs.worths[arm],
        counts=counts,
        values=np.zeros(size, np.int64),
        log_customer=np.empty(log_length, np.int64),
        log_day=np.empty(log_length, np.int64),
        log_cents=np.empty(log_length, np.int64),
    )
    ordered = play(plan, inputs.latents, block, inputs.reached[arm][rows], books)
    return books, counts, ordered


def _silent(done: int, total: int) -> None:
    """Report nothing."""


def _blocks(customers: int) -> list[tuple[int, int]]:
    return [(first, min(first + BLOCK_SIZE, customers)) for first in range(0, customers, BLOCK_SIZE)]
