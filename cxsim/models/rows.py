"""A compiled function of rows, and columns, in; its outputs for all rows, computed on all processors, out."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Rows come out the same in whatever chunk they are, so the chunks only share out the work.
_ROWS = 2048
_PROCESSORS = os.cpu_count() or 1


def each_row(
    compiled: Callable[..., None],
    columns: tuple[FloatArray, ...],
    constants: tuple[float | FloatArray, ...],
    *,
    outputs: tuple[int, ...],
) -> tuple[FloatArray, ...]:
    """Return what `compiled` writes for each row.

    Arrays of shape (n rows, width).
    """
    flat = tuple(np.ascontiguousarray(column, dtype=np.float64).ravel() for column in columns)
    results = tuple(np.empty((flat[0].size, width)) for width in outputs)
    starts = range(0, flat[0].size, _ROWS)

    def work(start: int) -> None:
        compiled(start, min(start + _ROWS, flat[0].size), *flat, *constants, *results)

    if len(starts) <= 1:
        list(map(work, starts))
    else:
        with ThreadPoolExecutor(max_workers=_PROCESSORS) as threads:
            list(threads.map(work, starts))
    return results
