"""Every benchmark: nothing in, one case each out."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pandas as pd

from benchmarks.measuring import Case, speed
from benchmarks.rivals import bare_loop, lifetimes_generator
from benchmarks.world import SEED, baseline, full, population
from cxsim.data import load_cdnow, summarise
from cxsim.simulation import Inputs, Population, simulate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifetimes.utils import summary_data_from_transaction_data

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


def cases() -> Iterator[Case]:
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
    yield _summary()
    yield from _memory()


def _one_core(people: Population, inputs: Callable[[], Inputs]) -> None:
    with ThreadPoolExecutor(max_workers=1) as one:
        simulate(people, [inputs], seed=SEED, executor=one)


def _summary() -> Case:
    transactions = load_cdnow()
    lines = transactions.table.collect()
    frame = pd.DataFrame({name: lines[name].to_numpy() for name in lines.columns})
    return speed(
        "RFM summary of the CDNOW log",
        lambda: _discard(summarise(lines, until=transactions.until)),
        lines.height,
        lambda: _discard(summary_data_from_transaction_data(frame, "customer_id", "ordered_at", "amount")),
        lines.height,
        rival_name="lifetimes' summary",
        target=None,
        unit="order lines per second",
    )


def _memory() -> Iterator[Case]:
    peaks = {size: _peak(size) for size in MEMORY_SIZES}
    smallest = MEMORY_SIZES[0]
    for size in MEMORY_SIZES[1:]:
        yield Case(
            name=f"peak memory at {size / 1e6:g} million customers",
            ours=peaks[size],
            rival=peaks[smallest],
            rival_name=f"ourselves at {smallest / 1e6:g} million",
            ratio=peaks[smallest] / peaks[size],
            target=0.9,
            unit="MB",
        )


def _peak(customers: int) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", str(customers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return float(done.stdout)


def _discard(_result: object) -> None:
    """Drop a result that only its making is measured of."""
