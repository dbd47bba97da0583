"""A population and one input per draw in; counts of every arm and draw out, the same bits on any executor.

Customers run in fixed blocks, so memory is bounded by the block. Parts are folded pairwise over aligned power-of-two
ranges of blocks, so neither the number of workers nor the size of a task changes a bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from os import cpu_count
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import SimulationError
from cxsim.simulation.accounts import add_up_members
from cxsim.simulation.arrivals import normal_scores, relate
from cxsim.simulation.kernel import run_block, run_plain_block
from cxsim.simulation.plan import Plan, count_kinds_of
from cxsim.simulation.service import empty_desk
from cxsim.simulation.state import LOG_COLUMNS, MAX_REFERRED, Block, Books, Latents, Stage, draw_block, staged
from cxsim.simulation.world import Population, World

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
    world
        How customers behave in every arm.
    plans
        One plan per arm; the first is the baseline.
    arrivals
        Per arm, how many customers arrive in each month.
    reached
        Per arm, shape (existing customers + 1, reaches); the last row stands for new customers.
    unit_values
        Per arm, shape (counts,): millionths of the currency unit for one of each count.
    later
        Shape (YEARS_AFTER, 2): the same for expected orders and what they cost, in each year after the horizon.
    """

    draw: int
    latents: Latents
    prob_alive: npt.NDArray[np.float64]
    world: World
    plans: tuple[Plan, ...]
    arrivals: tuple[tuple[int, ...], ...]
    reached: tuple[npt.NDArray[np.bool_], ...]
    unit_values: tuple[npt.NDArray[np.int64], ...]
    later: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What happened in one draw, or in a part of it.

    Attributes
    ----------
    by_arm
        Per arm, shape (cohorts, months, counts).
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


def events(population: Population, inputs: Inputs, *, seed: int, arm: int = 0) -> pl.DataFrame:
    """Return everything that happens in one draw and arm, customer by customer."""
    stage, parts, room = staged(population), [], 0
    for number in range(number_of_blocks(stage.customers)):
        block, first = _block(stage, inputs, seed, number), number * BLOCK_SIZE
        books, _, length = _run_block(stage, inputs, block, first, arm, log_length=room)
        if length > room:
            # With room to spare, so that most of the blocks that follow need no second attempt.
            room = length + length // 4
            books, _, _ = _run_block(stage, inputs, block, first, arm, log_length=room)
        parts.append(pl.DataFrame(books.log[:length], schema=dict.fromkeys(LOG_COLUMNS, pl.Int64)))
    return pl.concat(parts)


def customer_values(population: Population, inputs: Inputs, *, seed: int, arm: int = 0) -> npt.NDArray[np.int64]:
    """Return what each customer is worth in one draw and arm.

    Millionths of the currency unit, shape (customers,): existing customers in their order, then new ones.
    """
    stage, parts = staged(population), []
    for number in range(number_of_blocks(stage.customers)):
        books, _, _ = _run_block(stage, inputs, _block(stage, inputs, seed, number), number * BLOCK_SIZE, arm)
        parts.append(books.values)
    return np.concatenate(parts)


def block_counts(stage: Stage, inputs: Inputs, seed: int, number: int) -> Counts:
    """Return the counts of one block of customers."""
    block = _block(stage, inputs, seed, number)
    simulated = [_run_block(stage, inputs, block, number * BLOCK_SIZE, arm)[:2] for arm in range(len(inputs.plans))]
    gains = [books.values - simulated[0][0].values for books, _ in simulated]
    return Counts(
        by_arm=tuple(counts for _, counts in simulated),
        paired=np.array([(float(gain.sum()), np.square(gain.astype(np.float64)).sum()) for gain in gains]),
        customers=len(block),
    )


def number_of_blocks(customers: int) -> int:
    """Return into how many blocks so many customers are cut; the last one may not be full."""
    return -(-customers // BLOCK_SIZE)


def _block(stage: Stage, inputs: Inputs, seed: int, number: int) -> Block:
    first = number * BLOCK_SIZE
    last = min(first + BLOCK_SIZE, stage.customers)
    drawn = draw_block(stage, inputs.latents, inputs.prob_alive, seed=seed, draw=inputs.draw, first=first, last=last)
    relate(drawn, normal_scores(inputs.latents, inputs.world), inputs.world)
    return drawn


def _run_block(
    stage: Stage, inputs: Inputs, block: Block, first: int, arm: int, *, log_length: int = 0
) -> tuple[Books, npt.NDArray[np.int64], int]:
    plan, size = inputs.plans[arm], len(block)
    rows = np.minimum(np.append(np.arange(first, first + size), len(stage.past)), len(stage.past))
    counts = np.zeros((stage.cohorts, stage.months, count_kinds_of(plan)), np.int64)
    books = Books(
        month_of_day=stage.month_of_day,
        unit_value=inputs.unit_values[arm],
        later=inputs.later,
        counts=counts,
        values=np.zeros(size, np.int64),
        log=np.empty((log_length, len(LOG_COLUMNS)), np.int64),
        cursor=np.zeros(1, np.int64),
    )
    extra = _extra(inputs.arrivals[0], inputs.arrivals[arm], block)
    if len(plan.reaches) == 0 and inputs.world.facts[0]["plain"]:
        run_plain_block(inputs.latents, block, extra == 0, books)
    else:
        desk, reached = empty_desk(len(plan.reaches)), inputs.reached[arm][rows]
        scores = normal_scores(inputs.latents, inputs.world)
        waiting = run_block(plan, inputs.world, inputs.latents, scores, block, reached, extra, desk, books)
        if waiting >= MAX_REFERRED:
            raise SimulationError(
                f"one customer brought {MAX_REFERRED} new ones and more, with those whom these brought: referrals "
                "explode. Lower the number of recommendations a year or their success, or shorten the horizon."
            )
    add_up_members(counts)
    return books, counts, int(books.cursor[0])


def _extra(usual: tuple[int, ...], arrivals: tuple[int, ...], customers: Block) -> npt.NDArray[np.int8]:
    """Return 0 for who comes in every arm, 1 for whom this arm attracts, -1 for who does not come in it."""
    if not arrivals:
        return np.zeros(len(customers), np.int8)
    month = np.clip(customers["cohort"] - 1, 0, len(arrivals) - 1)
    here = np.array(arrivals)[month] > customers["place"]
    extra = np.where(customers["place"] < np.array(usual)[month], 0, 1)
    return np.where(customers["is_new"], np.where(here, extra, -1), 0).astype(np.int8)


# A power of two; 32 blocks take about a tenth of a second, so that handing out a task costs nothing beside it.
BLOCKS_PER_TASK = 32
_PATIENCE_SECONDS = 600.0

Progress = Callable[[int, int], None]


class Future(Protocol):
    """What a submitted task gives back."""

    def result(self, timeout: float | None = None) -> Any:
        """Return what the task returned, or raise what it raised; TimeoutError after so many seconds."""

    def cancel(self) -> bool:
        """Take the task back if it has not begun."""


class Executor(Protocol):
    """Anything that runs tasks: every executor of concurrent.futures, or a cluster's client behind an adapter."""

    def submit(self, work: Callable[[Task], Counts], task: Task, /) -> Future:
        """Run ``work(task)`` soon, perhaps elsewhere."""


class Task(NamedTuple):
    """A range of blocks of one draw: `first_block` to before `last_block`."""

    stage: Stage
    inputs: Inputs
    seed: int
    first_block: int
    last_block: int


def simulate(
    population: Population,
    inputs: Sequence[Callable[[], Inputs]],
    *,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Counts]:
    """Simulate every draw and return its counts, in the order of `inputs`."""
    if executor is None:
        with ThreadPoolExecutor(max_workers=cpu_count()) as threads:
            return simulate(population, inputs, seed=seed, executor=threads, progress=progress)
    stage = staged(population)
    n_blocks = number_of_blocks(stage.customers)
    ranges = [(first, min(first + BLOCKS_PER_TASK, n_blocks)) for first in range(0, n_blocks, BLOCKS_PER_TASK)]
    parts = _in_order(_tasks(stage, inputs, seed, ranges), executor)
    if progress is not None:
        parts = _reporting(parts, progress, len(inputs) * len(ranges))
    return [_fold(islice(parts, len(ranges))) for _ in inputs]


def simulate_blocks(task: Task) -> Counts:
    """Return the counts of a range of blocks: the work that is handed to an executor."""
    numbers = range(task.first_block, task.last_block)
    return _fold(block_counts(task.stage, task.inputs, task.seed, number) for number in numbers)


def _tasks(
    stage: Stage, inputs: Sequence[Callable[[], Inputs]], seed: int, ranges: Sequence[tuple[int, int]]
) -> Iterator[Task]:
    for make in inputs:
        ready = make()
        for first, last in ranges:
            yield Task(stage, ready, seed, first, last)


def _in_order(tasks: Iterator[Task], executor: Executor) -> Iterator[Counts]:
    """Yield the results in the order of the tasks, with only a few tasks in flight."""
    window = 2 * (cpu_count() or 1) + 2
    flying: deque[Future] = deque()
    try:
        while True:
            while len(flying) < window and (task := next(tasks, None)) is not None:
                flying.append(executor.submit(simulate_blocks, task))
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


def _reporting(parts: Iterator[Counts], progress: Progress, total: int) -> Iterator[Counts]:
    for number, part in enumerate(parts, start=1):
        progress(number, total)
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
