"""Sequences of numbers in; arrays that can be reckoned with, or a refusal, out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.errors import DataError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def finite(what: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats of one dimension."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise DataError(f"{what} must be one row of numbers; found {array.ndim} dimensions.")
    wrong = int(array.size - np.isfinite(array).sum())
    if wrong:
        raise DataError(f"{what} must be finite numbers; found {wrong} of {array.size} missing or infinite.")
    return array


def not_negative(what: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats, none of them below 0."""
    array = finite(what, values)
    if array.size and array.min() < 0:
        raise DataError(f"{what} must not be below 0; found {array.min():g}.")
    return array


def same_length(one: tuple[str, FloatArray | BoolArray], other: tuple[str, FloatArray | BoolArray]) -> None:
    """Refuse two arrays, each with its name, that do not speak of the same units."""
    (name, array), (other_name, other_array) = one, other
    if array.size != other_array.size:
        raise DataError(
            f"{name} and {other_name} must be as long as each other; found {array.size} and {other_array.size}."
        )


def counts(what: str, successes: int, units: int) -> None:
    """Refuse a number of successes that units cannot have."""
    if not 0 <= successes <= units:
        raise DataError(f"{what} must be between 0 and the number of units; found {successes} of {units}.")
