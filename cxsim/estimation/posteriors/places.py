"""A surface and a start in; its top or tops, and places along the ridges through them, out: where its mass lies.

A posterior may trail off in one direction for many standard deviations, in a bend: leaving that is as likely, but ever
more alike from customer to customer. No distribution about the top alone would propose what lies out there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cxsim.estimation.maximum import Surface, climb
from cxsim.estimation.posteriors.priors import REACH, WEAK
from cxsim.estimation.posteriors.sampling import Place

FloatArray = NDArray[np.float64]

# Known to a tenth in every direction, the logarithms are normal, and there is no other top worth looking for.
_NARROW = 0.1
# A top where some customers leave at once and the others never may have another beside it where all leave now and then.
# One comes to that from where few leave: a and b, or s and beta, a standard deviation of the prior up.
_FEW_LEAVE = (0.0, 0.0, WEAK, WEAK)
_SAME_TOP = 0.01

# In standard deviations at the top: the first step, and by how much each is longer than the one before.
_STRIDE, _GROWTH = 1.5, 1.5
# e^-9 of the height at the top: all that is lower holds less than a thousandth of the mass.
_DEPTH = 9.0
_STEPS = 12
# Steps back onto the ridge after each stride; they converge quadratically, and a proposal needs two digits.
_CORRECTIONS = 6
_LONGEST = 1.0


def places_of(surface: Surface, start: FloatArray, middle: FloatArray) -> list[Place]:
    """Return places that between them hold nearly all of a posterior's mass."""
    first = climb(surface, start, middle, far=REACH)
    if not first.settled:
        return []
    if float(np.linalg.eigvalsh(first.covariance)[-1]) < _NARROW**2:
        return [Place(centre=first.log_params, spread=first.covariance)]
    places = along_ridge(surface, first.log_params, first.covariance)
    second = climb(surface, middle + np.array(_FEW_LEAVE[-middle.size :]), middle, far=REACH)
    if second.settled and float(np.abs(second.log_params - first.log_params).max()) > _SAME_TOP:
        places += along_ridge(surface, second.log_params, second.covariance)
    return places


def along_ridge(surface: Surface, top: FloatArray, covariance: FloatArray) -> list[Place]:
    """Return the top and places on both sides of it, in the direction in which least is known."""
    variances, axes = np.linalg.eigh(covariance)
    # The sign of an axis is left to chance by the algebra.
    along = axes[:, -1] * np.sign(axes[np.abs(axes[:, -1]).argmax(), -1])
    height = surface(top)[0]
    places = [_place(top, covariance, height)]
    first = _STRIDE * float(np.sqrt(variances[-1]))
    shortest = 0.25 * first
    for way in (1.0, -1.0):
        here, tangent, stride = top, along, first
        for _ in range(_STEPS):
            found = _back_on_ridge(surface, here + way * stride * tangent, axes[:, :-1])
            if found is None and stride > shortest:
                stride *= 0.5
                continue
            if found is None or found[1] < height - _DEPTH:
                break
            there, value, across = found
            tangent = way * (there - here) / stride
            places.append(_place(there, across + stride**2 * np.outer(tangent, tangent), value))
            here, stride = there, _GROWTH * stride
    return places


def _back_on_ridge(
    surface: Surface, start: FloatArray, across: FloatArray
) -> tuple[FloatArray, float, FloatArray] | None:
    """Return the highest point across the ridge, its height, and the spread across; None where there is no top."""
    here = start
    for _ in range(_CORRECTIONS):
        value, gradient, hessian = surface(here)
        curvature = -across.T @ hessian @ across
        if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0.0:
            return None
        spread = np.linalg.inv(curvature)
        step = across @ (spread @ (across.T @ gradient))
        if np.abs(step).max() < 0.01 * _LONGEST:
            return here, value, across @ spread @ across.T
        here = here + step * min(1.0, _LONGEST / float(np.abs(step).max()))
    return None


def _place(centre: FloatArray, spread: FloatArray, height: float) -> Place:
    return Place(centre=centre, spread=spread, log_mass=height + 0.5 * float(np.linalg.slogdet(spread)[1]))
