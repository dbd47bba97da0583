"""A few numbers in, the one of a given rank among them out, without sorting the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import lean


@lean
def ranked(numbers: NDArray[np.float64], size: int, zeros: int, rank: int) -> float:
    """Return the number of a rank among `zeros` zeros and the first `size` of some positive numbers.

    Hoare (1961), "Algorithm 65: Find".
    """
    place = rank - zeros
    if place < 0:
        return 0.0
    low, high = 0, size - 1
    while low < high:
        pivot, i, j = numbers[place], low, high
        while i <= j:
            while numbers[i] < pivot:
                i += 1
            while pivot < numbers[j]:
                j -= 1
            if i <= j:
                numbers[i], numbers[j] = numbers[j], numbers[i]
                i += 1
                j -= 1
        if j < place:
            low = i
        if place < i:
            high = j
    return float(numbers[place])
