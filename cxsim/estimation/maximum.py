"""A log-likelihood with derivatives and starts in, its top out, or word that it has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Surface = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

_STEPS = 80
# A step this small in log-parameters changes no printed digit; the gradient is then at its rounding noise.
_STILL = 1e-11
# Of many orders the gradient's noise is larger, and where a direction is nearly flat it moves a parameter by more than
# that: steps this small that no longer shrink are noise.
_FINE = 1e-6
# A log-likelihood of n customers is summed to about n times the last bit: no smaller rise can be seen.
_NOISE = 1e-13
_LONGEST_STEP = 1.0
# A parameter that is so many e-folds away from its scale has run away, where nothing holds it.
_FAR = 12.0
# Condition number of the Hessian from which on a direction is no longer determined by the data.
_FLAT = 1e10
# A start whose top lies so little higher than another's found the same top.
_HIGHER = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Top:
    """Where a climb ended.

    Attributes
    ----------
    log_params
        Logarithms of the parameters there, shape (n_params,).
    value, gradient, hessian
        The surface there.
    settled
        Whether this is a top: no step goes higher, and every direction goes down. Otherwise a parameter ran away.
    """

    log_params: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    settled: bool

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the log-parameters, the inverse of minus the Hessian; of a settled top."""
        inverse = np.linalg.inv(-self.hessian)
        return np.asarray(0.5 * (inverse + inverse.T))


def highest(surface: Surface, starts: Sequence[FloatArray], centre: FloatArray, *, far: float = _FAR) -> Top:
    """Return the highest end of the climbs from several starts."""
    tops = [climb(surface, start, centre, far=far) for start in starts]
    best = max(top.value for top in tops)
    high = [top for top in tops if top.value >= best - _HIGHER * max(1.0, abs(best) * _HIGHER)]
    return next((top for top in high if top.settled), high[0])


def climb(surface: Surface, start: FloatArray, centre: FloatArray, *, far: float = _FAR) -> Top:
    """Return where Newton's steps from `start` end; they are halved until they rise, and turned uphill."""
    here, before = start, np.inf
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
        away = bool(np.abs(here - centre).max() > far)
        length = float(np.abs(step).max())
        still = length < _STILL or before <= length < _FINE
        before = length
        if away or still:
            settled = not away and _determined(hessian)
            return Top(log_params=here, value=value, gradient=gradient, hessian=hessian, settled=settled)
    return Top(log_params=here, value=value, gradient=gradient, hessian=hessian, settled=False)


def _uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return Newton's step, turned uphill where the surface is not concave, and not too long."""
    curvature, axes = np.linalg.eigh(-hessian)
    size = np.abs(curvature)
    step = axes @ ((axes.T @ gradient) / np.maximum(size, size.max() * 1e-12))
    return np.asarray(step * min(1.0, _LONGEST_STEP / np.abs(step).max()) if step.any() else step)


def _determined(hessian: FloatArray) -> bool:
    """Return whether the surface bends down in every direction by more than rounding."""
    curvature = np.linalg.eigvalsh(-hessian)
    return bool(curvature[0] > curvature[-1] / _FLAT)
