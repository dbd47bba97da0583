"""The simulator beside its rivals, in speed and in memory: nothing goes in, one case each comes out."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from benchmarks.bare_mechanisms import bare_mechanisms
from benchmarks.first_run import on_a_fresh_machine
from benchmarks.measuring import Case, seconds, speed, within
from benchmarks.peaks import measured
from benchmarks.rivals import bare_loop, lifetimes_generator
from benchmarks.world import ARMS, SEED, baseline, everything, full
from cxsim.simulation.engine import Inputs, simulate
from cxsim.simulation.world import Population

OUR_CUSTOMERS = 1_000_000
PER_SECOND = "customers per second and core, three years"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rival:
    """Somebody else's simulator, on how many customers it is measured, and the ratio that is wanted."""

    short: str
    name: str
    run: Callable[[int], None]
    customers: int
    target: float


RIVALS = (
    Rival(
        short="lifetimes",
        name="lifetimes' generator, orders only",
        run=lifetimes_generator,
        customers=5_000,
        target=100.0,
    ),
    Rival(
        short="a bare loop",
        name="bare compiled loop, baseline without books",
        run=bare_loop,
        customers=OUR_CUSTOMERS,
        target=1 / 6,
    ),
)
MEMORY_SIZES = (200_000, 1_000_000, 5_000_000)
SIZES = (100_000, 1_000_000, 4_000_000)
FIRST_CUSTOMERS = 25_000
_ROUNDS = 3
_MICROSECONDS, _FIRST_SECONDS = 3.0, 20.0
# Customers per second at any size, of those at the smallest; and the same, with other programmes, for what was
# compiled for others.
_FLAT, _NOT_COMPILED_AGAIN = 0.9, 0.5


def simulator() -> Iterator[Case]:
    """Yield each case as soon as it is measured."""
    arms = {"baseline, plain BG/NBD": baseline(OUR_CUSTOMERS), "full arm, three programmes": full(OUR_CUSTOMERS)}
    for rival in RIVALS:
        for name, (people, inputs) in arms.items():
            yield speed(
                f"{name}, booked; against {rival.short}",
                partial(_one_core, people, inputs),
                OUR_CUSTOMERS,
                partial(rival.run, rival.customers),
                rival.customers,
                rival_name=rival.name,
                target=rival.target,
                unit=PER_SECOND,
            )
    yield from _every_mechanism()
    yield from _first()
    yield from _memory()


def _every_mechanism() -> Iterator[Case]:
    """Yield every mechanism against the bare loop, against the clock, and against ourselves at other sizes."""
    yield speed(
        "every mechanism, booked; against a bare loop",
        partial(_one_core, *everything(OUR_CUSTOMERS)),
        ARMS * OUR_CUSTOMERS,
        partial(bare_mechanisms, OUR_CUSTOMERS),
        OUR_CUSTOMERS,
        rival_name="bare compiled loop, every mechanism without books",
        target=1 / 3,
        unit=PER_SECOND,
        rounds=_ROUNDS,
    )
    taken = {size: _microseconds(size) for size in SIZES}
    name = "every mechanism, one customer in one arm"
    yield within(name, taken[OUR_CUSTOMERS], _MICROSECONDS, unit="microseconds, one core, three years")
    smallest, *larger = SIZES
    for size in larger:
        yield Case(
            name=f"{name}, at {size / 1e6:g} million",
            ours=taken[size],
            rival=taken[smallest],
            rival_name=f"ourselves at {smallest / 1e6:g} million",
            ratio=taken[smallest] / taken[size],
            target=_FLAT,
            unit="microseconds",
        )


def _microseconds(size: int) -> float:
    work = partial(_one_core, *everything(size))
    return 1e6 * statistics.median(seconds(work) for _ in range(_ROUNDS)) / (ARMS * size)


def _first() -> Iterator[Case]:
    cold, warm = on_a_fresh_machine(FIRST_CUSTOMERS)
    for state, found in (("on a fresh machine", cold), ("once compiled", warm)):
        name = f"first result {state}, every mechanism, loading included"
        yield within(name, found["first"], _FIRST_SECONDS, unit="seconds")
    yield Case(
        name="other programmes, nothing compiled again",
        ours=cold["other"],
        rival=cold["again"],
        rival_name="the same programmes again",
        ratio=cold["again"] / cold["other"],
        target=_NOT_COMPILED_AGAIN,
        unit="seconds",
    )


def _one_core(people: Population, inputs: Callable[[], Inputs]) -> None:
    with ThreadPoolExecutor(max_workers=1) as one:
        simulate(people, [inputs], seed=SEED, executor=one)


def _memory() -> Iterator[Case]:
    smallest, *larger = MEMORY_SIZES
    least = measured("memory", smallest)
    for size in larger:
        for name, peak in measured("memory", size).items():
            yield Case(
                name=f"peak memory at {size / 1e6:g} million customers, {name}",
                ours=peak,
                rival=least[name],
                rival_name=f"ourselves at {smallest / 1e6:g} million",
                ratio=least[name] / peak,
                target=_FLAT,
                unit="MB",
            )
