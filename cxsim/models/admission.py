"""Numbers handed to a model in, the same numbers as arrays out, or a refusal which says what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.errors import DataError, ParamError

FloatArray = NDArray[np.float64]


def require_positive(model: str, params: Mapping[str, float]) -> None:
    """Refuse parameters of `model` which are not positive finite numbers."""
    for name, value in params.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ParamError(f"{model}: {name} is {value!r}; it must be a positive finite number.")


def require_rate(rate: float, horizon: float) -> None:
    """Refuse a discount rate and a horizon over which what is to come has no finite worth."""
    if not (rate >= 0.0 and horizon >= 0.0) or (rate == 0.0 and math.isinf(horizon)) or math.isinf(rate):
        raise DataError(
            f"rate and horizon must not be negative, and rate must be positive for an infinite horizon; "
            f"found rate {rate} and horizon {horizon}."
        )


def non_negative(name: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of finite numbers >= 0."""
    array = np.asarray(values, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array >= 0.0))
    if bad.any():
        first = array[bad].flat[0]
        raise DataError(f"{name} must be finite and not negative; found {first} ({bad.sum()} of {bad.size}).")
    return array


def whole(name: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of whole numbers >= 0."""
    array = non_negative(name, values)
    bad = array != np.floor(array)
    if bad.any():
        raise DataError(f"{name} must be whole numbers; found {array[bad].flat[0]} ({bad.sum()} of {bad.size}).")
    return array


def history(frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the three numbers of a customer's past as arrays of one shape."""
    x, last, end = np.broadcast_arrays(
        whole("frequency", frequency), non_negative("last_order", last_order), non_negative("age", age)
    )
    late = last > end
    if late.any():
        raise DataError(
            f"last_order must not exceed age; found last_order {last[late].flat[0]} with age {end[late].flat[0]} "
            f"({late.sum()} of {late.size})."
        )
    return x, last, end
