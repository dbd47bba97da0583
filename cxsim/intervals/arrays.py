"""Sequences of numbers in; arrays that can be reckoned with, or a refusal, out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.errors import DataError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def finite(what: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats of one dimension.

    Parameters
    ----------
    what
        Their name, for the message.
    values
        Numbers, shape (n,).

    Raises
    ------
    DataError
        When they have another shape, or one of them is missing or infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise DataError(f"{what} must be one row of numbers; found {array.ndim} dimensions.")
    wrong = int(array.size - np.isfinite(array).sum())
    if wrong:
        raise DataError(f"{what} must be finite numbers; found {wrong} of {array.size} missing or infinite.")
    return array


def not_negative(what: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats, none of them below 0.

    Parameters
    ----------
    what
        Their name, for the message.
    values
        Numbers, shape (n,).

    Raises
    ------
    DataError
        When they have another shape, or one of them is missing, infinite or below 0.
    """
    array = finite(what, values)
    if array.size and array.min() < 0:
        raise DataError(f"{what} must not be below 0; found {array.min():g}.")
    return array


def truths(what: str, values: ArrayLike) -> BoolArray:
    """Return `values` as an array of true and false.

    Parameters
    ----------
    what
        Their name, for the message.
    values
        True or False, shape (n,).

    Raises
    ------
    DataError
        When one of them is anything else; a missing answer is neither.
    """
    array = np.asarray(values)
    if array.size and array.dtype != np.bool_:
        raise DataError(f"{what} must be true or false for each unit; found {array.dtype}.")
    return array.astype(np.bool_)


def same_length(one: tuple[str, FloatArray | BoolArray], other: tuple[str, FloatArray | BoolArray]) -> None:
    """Refuse two arrays, each with its name, that do not speak of the same units.

    Parameters
    ----------
    one, other
        Name and array.

    Raises
    ------
    DataError
        When they differ in length.
    """
    (name, array), (other_name, other_array) = one, other
    if array.size != other_array.size:
        raise DataError(
            f"{name} and {other_name} must be as long as each other; found {array.size} and {other_array.size}."
        )


def counts(what: str, successes: int, units: int) -> None:
    """Refuse a number of successes that units cannot have.

    Parameters
    ----------
    what
        What is counted, for the message.
    successes, units
        Whole numbers.

    Raises
    ------
    DataError
        When not 0 <= successes <= units.
    """
    if not 0 <= successes <= units:
        raise DataError(f"{what} must be between 0 and the number of units; found {successes} of {units}.")
