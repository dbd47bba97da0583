"""A key and an ordinal in; one uniform, exponential, normal or gamma number out.

Every number has one ordinal. Where it takes more than one uniform, the others come from its own bits, used as a key; so
no number ever shares a uniform with another.

References
----------
Marsaglia & Tsang (2000), "The ziggurat method for generating random variables".
Marsaglia & Tsang (2000), "A simple method for generating gamma variables".
"""

from __future__ import annotations

import numpy as np

from cxsim.compiled import lean
from cxsim.rng.elementary import exp, log
from cxsim.rng.keys import random_bits, share
from cxsim.rng.ziggurat import (
    EXPONENTIAL_LAYERS,
    EXPONENTIAL_TAIL,
    NORMAL_LAYERS,
    NORMAL_TAIL,
    exponential_edges,
    normal_edges,
)

_NORMAL, _EXPONENTIAL = normal_edges(), exponential_edges()
# The layer comes from the lowest bits, the place in it from the upper 52.
_NORMAL_LAYER, _EXPONENTIAL_LAYER = np.uint64(NORMAL_LAYERS - 1), np.uint64(EXPONENTIAL_LAYERS - 1)


@lean
def uniform(key: np.uint64, ordinal: int) -> float:
    """Return a uniform number in the open interval (0, 1)."""
    return share(random_bits(key, ordinal))


@lean
def exponential(key: np.uint64, ordinal: int) -> float:
    """Return a unit exponential number."""
    bits = random_bits(key, ordinal)
    beyond = 0.0
    while True:
        layer = np.int64(bits & _EXPONENTIAL_LAYER)
        x = share(bits) * _EXPONENTIAL[layer]
        if x < _EXPONENTIAL[layer + 1]:
            return beyond + x
        if layer == 0:
            # The tail of an exponential is an exponential again.
            beyond += EXPONENTIAL_TAIL
        elif _under(exp(-_EXPONENTIAL[layer]), exp(-_EXPONENTIAL[layer + 1]), uniform(bits, 0), exp(-x)):
            return beyond + x
        bits = random_bits(bits, 1)


@lean
def normal(key: np.uint64, ordinal: int) -> float:
    """Return a standard normal number."""
    bits = random_bits(key, ordinal)
    while True:
        layer = np.int64(bits & _NORMAL_LAYER)
        side = 2.0 * share(bits) - 1.0
        x = side * _NORMAL[layer]
        if abs(x) < _NORMAL[layer + 1]:
            return x
        if layer == 0:
            return _normal_tail(bits, side)
        low, high = exp(-0.5 * _NORMAL[layer] ** 2), exp(-0.5 * _NORMAL[layer + 1] ** 2)
        if _under(low, high, uniform(bits, 0), exp(-0.5 * x * x)):
            return x
        bits = random_bits(bits, 1)


@lean
def gamma(key: np.uint64, ordinal: int, shape: float) -> float:
    """Return a gamma number of unit rate; for a shape below one the one of shape + 1 times u**(1 / shape)."""
    luck = random_bits(key, ordinal)
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    step = 0
    while True:
        x = normal(luck, step)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            u = uniform(luck, step + 1)
            if u < 1.0 - 0.0331 * x * x * x * x or log(u) < 0.5 * x * x + d * (1.0 - v + log(v)):
                break
        step += 2
    if shape < 1.0:
        # An ordinal that counting up from 0 never reaches.
        return d * v * exp(-exponential(luck, -2) / shape)
    return d * v


@lean
def _under(low: float, high: float, height: float, density: float) -> bool:
    """Return whether a point at `height` of the way between the densities at a layer's two ends is under the curve."""
    return low + height * (high - low) < density


@lean
def _normal_tail(bits: np.uint64, side: float) -> float:
    step = 0
    while True:
        x = exponential(bits, step + 2) / NORMAL_TAIL
        if 2.0 * exponential(bits, step + 3) > x * x:
            return NORMAL_TAIL + x if side > 0.0 else -NORMAL_TAIL - x
        step += 2
