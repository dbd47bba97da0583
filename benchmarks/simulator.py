"""The simulator beside its rivals, in speed and in memory: nothing goes in, one case each comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from benchmarks.measuring import Case, speed
from benchmarks.peaks import measured
from benchmarks.rivals import bare_loop, lifetimes_generator
from benchmarks.world import SEED, baseline, full, population
from cxsim.simulation import Inputs, Population, simulate

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


def simulator() -> Iterator[Case]:
    """Yield each case as soon as it is measured."""
    people = population(OUR_CUSTOMERS)
    arms = {"baseline, plain BG/NBD": baseline(people), "full arm, three programmes": full(people)}
    for rival in RIVALS:
        for name, inputs in arms.items():
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
    yield from _memory()


def _one_core(people: Population, inputs: Callable[[], Inputs]) -> None:
    with ThreadPoolExecutor(max_workers=1) as one:
        simulate(people, [inputs], seed=SEED, executor=one)


def _memory() -> Iterator[Case]:
    smallest, *larger = MEMORY_SIZES
    least = measured("memory", smallest)["simulate"]
    for size in larger:
        peak = measured("memory", size)["simulate"]
        yield Case(
            name=f"peak memory at {size / 1e6:g} million customers",
            ours=peak,
            rival=least,
            rival_name=f"ourselves at {smallest / 1e6:g} million",
            ratio=least / peak,
            target=0.9,
            unit="MB",
        )
