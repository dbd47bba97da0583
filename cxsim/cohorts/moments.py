"""Orders of watched customers in; exact sums and sums of products over customers, by cohort and age, out.

All sums are of whole numbers, so that neither the order of the rows nor the number of threads moves a bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from cxsim.cohorts.watched import IntArray, Watched
from cxsim.units import MICROS_PER_CENT

RealArray = npt.NDArray[np.float64]
Numbers = TypeVar("Numbers", IntArray, RealArray)

AGAIN, ORDERS = "again", "orders"
_BLOCK = 1 << 19
# Whole numbers up to here, and their sums, are exact as floating-point numbers.
_EXACT = 2**53


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """The grid of ages.

    Attributes
    ----------
    length
        Of a step, in microseconds.
    ages
        How many steps.
    """

    length: int
    ages: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moments:
    """Sums over the customers of each cohort who were watched to the end of a step.

    Attributes
    ----------
    at_risk
        Shape (cohorts, ages): customers whose step was over.
    sums
        Shape (cohorts, ages): of the quantity in this step, in its own unit.
    shared
        Shape (cohorts, ages, ages): at [k, b, c], the sum over those at risk at c of the quantity at b <= c, in quanta.
    products
        Shape (cohorts, ages, ages): at [k, b, c], the sum over those at risk at b and c of quantity times quantity,
        in quanta squared.
    quantum
        Size of a quantum in the unit of the quantity.
    """

    at_risk: IntArray
    sums: IntArray
    shared: RealArray
    products: RealArray
    quantum: int


def moments(
    seen: Watched, cohort: IntArray, cohorts: int, *, steps: Steps, what: tuple[str, ...]
) -> dict[str, Moments]:
    """Return the moments of each quantity."""
    risen = _Sums(
        customers=np.zeros((cohorts, steps.ages + 1), dtype=np.int64),
        quanta={name: _quantum(seen, name) for name in what},
        sums={name: np.zeros((cohorts, steps.ages + 1, steps.ages), dtype=np.int64) for name in what},
        shared={name: np.zeros((cohorts, steps.ages + 1, steps.ages)) for name in what},
        products={name: np.zeros((cohorts, steps.ages, steps.ages)) for name in what},
    )
    age = seen.since // steps.length
    over = np.minimum(seen.customers["left"].to_numpy() // steps.length, steps.ages)
    for low in range(0, len(cohort), _BLOCK):
        block = slice(low, low + _BLOCK)
        here = (seen.customer >= low) & (seen.customer < low + _BLOCK) & (age < steps.ages)
        _add(risen, seen, np.flatnonzero(here), age=age, low=low, cohort=cohort[block], over=over[block])
    return {name: _closed(risen, name) for name in what}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sums:
    """Sums so far, by cohort and by how many steps were over."""

    customers: IntArray
    quanta: Mapping[str, int]
    sums: Mapping[str, IntArray]
    shared: Mapping[str, RealArray]
    products: Mapping[str, RealArray]


def _add(
    risen: _Sums, seen: Watched, rows: IntArray, *, age: IntArray, low: int, cohort: IntArray, over: IntArray
) -> None:
    ages = risen.customers.shape[1] - 1
    key = cohort * (ages + 1) + over
    order = np.argsort(key, kind="stable")
    order = order[np.searchsorted(key[order], 0) :]  # those left out have negative keys
    if len(order) == 0:
        return
    groups, starts, sizes = np.unique(key[order], return_index=True, return_counts=True)
    risen.customers.reshape(-1)[groups] += sizes
    watched = np.arange(ages) < over[order, None]
    cell = (seen.customer[rows] - low) * ages + age[rows]
    numbers, firsts = np.unique(cohort[order], return_index=True)
    for name, quantum in risen.quanta.items():
        worth = np.where(watched, _worth(seen, name, rows, cell=cell, shape=(len(cohort), ages))[order], 0.0)
        quanta = np.rint(worth / quantum)
        risen.sums[name].reshape(-1, ages)[groups] += np.add.reduceat(worth.astype(np.int64), starts, axis=0)
        risen.shared[name].reshape(-1, ages)[groups] += np.add.reduceat(quanta, starts, axis=0)
        for number, part in zip(numbers, np.split(quanta, firsts[1:]), strict=True):
            risen.products[name][number] += part.T @ part


def _worth(seen: Watched, name: str, rows: IntArray, *, cell: IntArray, shape: tuple[int, int]) -> RealArray:
    """Return the quantity of each customer at each age; whole numbers."""
    cells = shape[0] * shape[1]
    if name not in {AGAIN, ORDERS}:
        worth = np.bincount(cell, weights=seen.money[name][rows], minlength=cells)
        return worth.astype(np.float64, copy=False).reshape(shape)
    orders = np.bincount(cell, minlength=cells).reshape(shape).astype(np.float64)
    if name == AGAIN:
        orders[:, 0] -= 1
        orders = np.minimum(orders, 1.0)
    return orders


def _quantum(seen: Watched, name: str) -> int:
    """Return the size of a quantum: a cent, or so much more that no sum of products is beyond what is exact."""
    if name in {AGAIN, ORDERS}:
        return 1
    size = np.abs(seen.money[name])
    unit = 1 if np.any(size % MICROS_PER_CENT) else MICROS_PER_CENT
    # No product sum exceeds the largest customer's total times the total of all.
    largest, total = float(np.bincount(seen.customer, weights=size).max()), float(size.sum())
    bound = (int(largest) // unit + 1) * (int(total) // unit + 1)
    while bound >= _EXACT:
        unit, bound = 2 * unit, bound // 4 + 1
    return unit


def _closed(risen: _Sums, name: str) -> Moments:
    """Return sums over those of whom at least a step was over, from sums by how many were."""
    ages = np.arange(risen.products[name].shape[1])
    return Moments(
        at_risk=_over_more(risen.customers),
        sums=_over_more(risen.sums[name])[:, ages, ages],
        shared=_over_more(risen.shared[name]).transpose(0, 2, 1),
        products=risen.products[name],
        quantum=risen.quanta[name],
    )


def _over_more(table: Numbers) -> Numbers:
    """Return, at [k, c], the sum over those with more than c steps."""
    return np.flip(np.cumsum(np.flip(table, axis=1), axis=1), axis=1)[:, 1:]
