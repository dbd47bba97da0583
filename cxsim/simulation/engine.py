"""A population and one input per draw in; counts of every arm and draw out, the same bits on any executor.

Customers run in fixed blocks, so memory is bounded by the block. Parts are folded pairwise over aligned power-of-two
ranges of blocks, so neither the number of workers nor the size of a task changes a bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any, NamedTuple, Protocol

from cxsim.errors import SimulationError
from cxsim.simulation.blocks import Stage, staged
from cxsim.simulation.playing import Counts, Inputs, block_counts, number_of_blocks
from cxsim.simulation.population import Population

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
    report = progress or _silent
    if executor is not None:
        return _run(staged(population), inputs, seed, executor, report)
    with ThreadPoolExecutor(max_workers=cpu_count()) as threads:
        return _run(staged(population), inputs, seed, threads, report)


def simulate_blocks(task: Task) -> Counts:
    """Return the counts of a range of blocks: the work that is handed to an executor."""
    numbers = range(task.first_block, task.last_block)
    return _fold(block_counts(task.stage, task.inputs, task.seed, number) for number in numbers)


def _run(
    stage: Stage, inputs: Sequence[Callable[[], Inputs]], seed: int, executor: Executor, progress: Progress
) -> list[Counts]:
    n_blocks = number_of_blocks(stage.customers)
    ranges = [(first, min(first + BLOCKS_PER_TASK, n_blocks)) for first in range(0, n_blocks, BLOCKS_PER_TASK)]
    total = len(inputs) * len(ranges)
    parts = _in_order(_tasks(stage, inputs, seed, ranges), executor)
    results: list[Counts] = []
    for number in range(len(inputs)):
        done = number * len(ranges)
        results.append(_fold(_reporting((next(parts) for _ in ranges), progress, done, total)))
    return results


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


def _silent(done: int, total: int) -> None:
    """Report nothing."""
