"""Customers' names in, a 64-bit number for each out, by which their luck is keyed; the same on every machine.

The number is a hash of the name's text alone. So a customer meets the same luck in whatever row they stand, and whoever
else stands in the table; 7 and "7" are the same name.

References
----------
Fowler, Noll, Vo & Eastlake (2012), "The FNV Non-Cryptographic Hash Algorithm": FNV-1a with 64 bits.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.compiled import lean

# As polars' own hash may differ between its releases, and Python's between two runs.
_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def customer_numbers(customer_id: pl.Series) -> NDArray[np.uint64]:
    """Return a number for each name.

    Shape of `customer_id`. Two of ten million different names share a number once in 370,000 shops; all that follows
    is that the two meet the same luck.
    """
    numbers = np.empty(len(customer_id), np.uint64)
    if len(customer_id):
        text = customer_id.cast(pl.String)
        ends = text.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
        _fill(numbers, np.frombuffer(text.str.join("").item().encode(), np.uint8), ends)
    return numbers


@lean
def _fill(numbers: NDArray[np.uint64], letters: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
    start = 0
    for i in range(len(numbers)):
        number = _OFFSET
        for place in range(start, ends[i]):
            number = (number ^ np.uint64(letters[place])) * _PRIME
        numbers[i] = number
        start = ends[i]
