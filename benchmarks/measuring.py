"""Two things to do in; how fast each is and the ratio, measured in turns so that a slow moment hits both, out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One line of the table.

    Attributes
    ----------
    name
        What is measured.
    ours, rival
        Medians, in `unit`.
    rival_name
        Against what.
    ratio
        How many times better we are; above 1 is better, whatever the unit.
    target
        The least ratio that is wanted; None where there is none.
    unit
        Unit of `ours` and `rival`.
    """

    name: str
    ours: float
    rival: float
    rival_name: str
    ratio: float
    target: float | None
    unit: str


def speed(
    name: str,
    ours: Callable[[], None],
    our_size: int,
    rival: Callable[[], None],
    rival_size: int,
    *,
    rival_name: str,
    target: float | None,
    unit: str,
) -> Case:
    """Return items per second of both, as medians over rounds in which they take turns; ratios are paired."""
    ours()
    rival()
    pairs = [(our_size / _seconds(ours), rival_size / _seconds(rival)) for _ in range(ROUNDS)]
    return Case(
        name=name,
        ours=statistics.median(pair[0] for pair in pairs),
        rival=statistics.median(pair[1] for pair in pairs),
        rival_name=rival_name,
        ratio=statistics.median(pair[0] / pair[1] for pair in pairs),
        target=target,
        unit=unit,
    )


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
