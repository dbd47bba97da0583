"""A log-likelihood with derivatives and a start in, its maximum with the covariance of the estimates out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import EstimationError

FloatArray = NDArray[np.float64]
Surface = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

_STEPS = 60
# A step this small in log-parameters changes no printed digit; the gradient is then at its rounding noise.
_STILL = 1e-11
# A log-likelihood of n customers is summed to about n times the last bit: no smaller rise can be seen.
_NOISE = 1e-13
_LONGEST_STEP = 1.0
# Condition number of the Hessian at which a direction is no longer determined by the data.
_FLAT = 1e10


@dataclass(frozen=True, kw_only=True, slots=True)
class Maximum:
    """The top of a log-likelihood.

    Attributes
    ----------
    log_params
        Logarithms of the estimates, shape (n_params,).
    value
        Log-likelihood of all customers.
    covariance
        Covariance of `log_params`, the inverse of minus the Hessian.
    max_abs_gradient
        Largest absolute derivative of `value` in a log-parameter.
    """

    log_params: FloatArray
    value: float
    covariance: FloatArray
    max_abs_gradient: float


def climb(model: str, names: tuple[str, ...], surface: Surface, start: FloatArray) -> Maximum:
    """Return the maximum of `surface` that is reached from `start` by Newton's steps, halved until they rise.

    Parameters
    ----------
    model, names
        Words for messages: the model and its parameters.
    surface
        Function of the log-parameters; returns value, gradient and Hessian.
    start
        Log-parameters to start from.

    Raises
    ------
    EstimationError
        If the surface has no top near the start, or is flat there in some direction.
    """
    here = start
    value, gradient, hessian = surface(here)
    for _ in range(_STEPS):
        step = _uphill(gradient, hessian)
        rise = float(gradient @ step)
        while True:
            there = here + step
            new = surface(there)
            if new[0] >= value + 1e-4 * rise - _NOISE * abs(value):
                break
            step, rise = 0.5 * step, 0.5 * rise
            if np.abs(step).max() < _STILL:
                there, new = here, (value, gradient, hessian)
                break
        here, (value, gradient, hessian) = there, new
        if np.abs(step).max() < _STILL:
            return _settled(model, names, here, value, gradient, hessian)
    raise EstimationError(
        f"{model}: the likelihood still rises after {_STEPS} steps, at {_described(names, here)}. One of these runs "
        "away because the data hold too little about it: use a longer period or more customers."
    )


def _uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return Newton's step, turned uphill where the surface is not concave, and not too long."""
    curvature, axes = np.linalg.eigh(-hessian)
    size = np.abs(curvature)
    step = axes @ ((axes.T @ gradient) / np.maximum(size, size.max() * 1e-12))
    return np.asarray(step * min(1.0, _LONGEST_STEP / np.abs(step).max()) if step.any() else step)


def _settled(
    model: str, names: tuple[str, ...], here: FloatArray, value: float, gradient: FloatArray, hessian: FloatArray
) -> Maximum:
    """Return the maximum if the data determine every direction."""
    curvature, axes = np.linalg.eigh(-hessian)
    if curvature[0] <= curvature[-1] / _FLAT:
        loose = ", ".join(name for name, part in zip(names, axes[:, 0], strict=True) if abs(part) > 0.1)
        raise EstimationError(
            f"{model}: the data do not determine {loose}; found {_described(names, here)}. Use a longer period or more "
            "customers."
        )
    covariance = np.linalg.inv(-hessian)
    return Maximum(
        log_params=here,
        value=value,
        covariance=0.5 * (covariance + covariance.T),
        max_abs_gradient=float(np.abs(gradient).max()),
    )


def _described(names: tuple[str, ...], here: FloatArray) -> str:
    """Return the parameters in words."""
    return ", ".join(f"{name} = {math.exp(min(x, 700.0)):.4g}" for name, x in zip(names, here, strict=True))
