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
    ours: Callable[[], object],
    our_size: int,
    rival: Callable[[], object],
    rival_size: int,
    *,
    rival_name: str,
    target: float | None,
    unit: str,
    rounds: int = ROUNDS,
) -> Case:
    """Return items per second of both, as medians over rounds in which they take turns; ratios are paired.

    Both are run once before, so that nothing is measured that happens once only; a rival that takes a minute, and is
    therefore given a single round, is not.
    """
    ours()
    if rounds > 1:
        rival()
    pairs = [(our_size / seconds(ours), rival_size / seconds(rival)) for _ in range(rounds)]
    return Case(
        name=name,
        ours=statistics.median(pair[0] for pair in pairs),
        rival=statistics.median(pair[1] for pair in pairs),
        rival_name=rival_name,
        ratio=statistics.median(pair[0] / pair[1] for pair in pairs),
        target=target,
        unit=unit,
    )


def within(name: str, amount: float, limit: float, *, unit: str) -> Case:
    """Return a case of something that must not be more than a limit."""
    return Case(
        name=name,
        ours=amount,
        rival=limit,
        rival_name="the limit",
        ratio=limit / amount,
        target=1.0,
        unit=unit,
    )


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
