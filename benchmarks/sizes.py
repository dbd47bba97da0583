"""A number of customers goes in; their summary, and how we fare with ten times as many, come out."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable

import polars as pl

from benchmarks.measuring import Case, seconds
from benchmarks.shop import order_log
from cxsim.data import read_transactions
from cxsim.data.rfm import summarise

# Rivals are measured at these; at the largest we are measured against ourselves at the last of them.
SIZES = (100_000, 1_000_000)
LARGEST = 10_000_000
# Sorting takes a little more than twice as long for twice as many, and caches hold less of them.
_NEARLY_LINEAR = 0.7
_ROUNDS = 3


@functools.lru_cache(maxsize=2)
def customers(number: int) -> pl.DataFrame:
    """Return the summary of the customers of a simulated shop."""
    return summarise(read_transactions(order_log(number)))


def titled(number: int) -> str:
    """Return a number of customers in words."""
    return f"{number / 1e6:g} million customers"


def linear(name: str, prepared: Callable[[int], Callable[[], object]]) -> Case:
    """Return customers per second at the largest size against those at the one before.

    Parameters
    ----------
    name
        What is measured.
    prepared
        From a number of customers, the work that is measured.
    """
    smaller = prepared(SIZES[-1])
    smaller()
    before = SIZES[-1] / statistics.median(seconds(smaller) for _ in range(_ROUNDS))
    rate = LARGEST / seconds(prepared(LARGEST))
    return Case(
        name=f"{name}, {titled(LARGEST)}",
        ours=rate,
        rival=before,
        rival_name=f"ourselves at {SIZES[-1] / 1e6:g} million",
        ratio=rate / before,
        target=_NEARLY_LINEAR,
        unit="customers per second",
    )
