"""Orders in; the visits to the shop that led to them, and those that led to nothing, out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.compiled import counted, lean

_SESSION = int(rng.Purpose.SESSION)
# A customer looks at the shop at most so often before an order.
_MOST = 1000
Whole = npt.NDArray[np.int64]


def visits(orders: Whole, *, seed: int, draw: int, conversion: float) -> Whole:
    """Return the visits before each order.

    The number of visits without an order before one with an order is geometric, so that the share `conversion` of all
    visits ends in an order; they lie evenly between the order before and this one.

    Shape (visits, 4): row of the order, customer, second, and 1 for the visit with the order.
    """
    return _visits(orders, seed, draw, conversion)


@counted
def _visits(orders: Whole, seed: int, draw: int, conversion: float) -> Whole:
    total = 0
    for row in range(len(orders)):
        total += _idle(seed, draw, orders[row, 0], orders[row, 1], conversion) + 1
    found, place = np.empty((total, 4), np.int64), 0
    for row in range(len(orders)):
        customer, order, before, at = orders[row]
        key = rng.purpose_key(rng.customer_key(seed, draw, customer), _SESSION)
        for number in range(_idle(seed, draw, customer, order, conversion)):
            share = rng.uniform(key, (order + 1) * _MOST + number)
            found[place] = (row, customer, before + int(share * (at - before)), 0)
            place += 1
        found[place] = (row, customer, at, 1)
        place += 1
    return found


@lean
def _idle(seed: int, draw: int, customer: int, order: int, conversion: float) -> int:
    """Return the number of visits without an order before one order."""
    if conversion >= 1.0:
        return 0
    key = rng.purpose_key(rng.customer_key(seed, draw, customer), _SESSION)
    waiting = rng.exponential(key, -2 - order)
    return min(int(waiting / -rng.log(1.0 - conversion)), _MOST - 1)
