"""The one tap of luck: a seed, a draw, a customer, a purpose and an ordinal in; a random number out, always the same.

There is no shared stream. Each number is a hash of what it is for, so a customer's k-th order meets the same luck under
every strategy, in any block, on any thread. log and exp are written out in plain arithmetic, because the C library's
differ in the last bit between processors with and without fused multiply-add.

References
----------
Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators" (the mixing function and its increment).
Marsaglia & Tsang (2000), "A simple method for generating gamma variables".
Freely distributable libm (1993), e_log.c and e_exp.c (the polynomials' coefficients).
"""

from __future__ import annotations

import hashlib
from enum import IntEnum

import numpy as np
from numba import njit


class Purpose(IntEnum):
    """What a random number is for; the value is part of its key, so a member is never renumbered."""

    ALIVE = 1
    PURCHASE_RATE = 2
    DROPOUT_PROB = 3
    DROPOUT_RATE = 4
    SPEND_RATE = 5
    ARRIVAL = 6
    ORDER = 7
    DROPOUT = 8
    SPEND = 9
    UPTAKE = 10
    REDEMPTION = 11
    LIFETIME = 12
    POINTS = 13


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_STEP = np.uint64(1)
_TWO_53 = 1.0 / 9007199254740992.0

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_ONE_BITS = np.uint64(0x3FF0000000000000)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_S52 = np.uint64(52)


@njit(cache=True)
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


@njit(cache=True)
def customer_key(seed: int, draw: int, customer: int) -> np.uint64:
    """Return the key of one customer in one draw."""
    key = _mix(np.uint64(seed) + _GOLDEN)
    key = _mix(key + np.uint64(draw) * _GOLDEN + _STEP)
    return _mix(key + np.uint64(customer) * _GOLDEN + _STEP)


@njit(cache=True)
def purpose_key(key: np.uint64, purpose: int) -> np.uint64:
    """Return the key of one purpose of a customer; numbers for it are counted from ordinal 0."""
    return _mix(key + np.uint64(purpose) * _GOLDEN)


@njit(cache=True)
def uniform(key: np.uint64, ordinal: int) -> float:
    """Return a uniform number in the open interval (0, 1), a multiple of 2**-53 shifted by half a step."""
    bits = _mix(key + np.uint64(ordinal + 1) * _GOLDEN)
    return (np.float64(bits >> _S11) + 0.5) * _TWO_53


@njit(cache=True)
def log(x: float) -> float:
    """Return the natural logarithm of a normal positive `x`, with the same bits on every processor."""
    bits = np.float64(x).view(np.uint64)
    exponent = np.int64(bits >> _S52) - 1023
    mantissa = np.uint64((bits & _MANTISSA) | _ONE_BITS).view(np.float64)
    if mantissa > 1.4142135623730951:
        mantissa *= 0.5
        exponent += 1
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half = 0.5 * f * f
    k = np.float64(exponent)
    return k * _LN2_HI - ((half - (s * (half + (even + odd)) + k * _LN2_LO)) - f)


@njit(cache=True)
def exp(x: float) -> float:
    """Return e to the power `x`, with the same bits on every processor; 0 below -700, infinity above 709."""
    if x < -700.0:
        return 0.0
    if x > 709.0:
        return np.inf
    k = np.floor(x * 1.44269504088896338700 + 0.5)
    hi = x - k * _LN2_HI
    lo = k * _LN2_LO
    r = hi - lo
    t = r * r
    c = r - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))
        )
    )
    y = 1.0 - ((lo - (r * c) / (2.0 - c)) - hi)
    return y * np.uint64(np.uint64(np.int64(k) + 1023) << _S52).view(np.float64)


@njit(cache=True)
def exponential(key: np.uint64, ordinal: int) -> float:
    """Return a unit exponential number."""
    return -log(uniform(key, ordinal))


@njit(cache=True)
def gamma(key: np.uint64, first: int, shape: float) -> float:
    """Return a gamma number of unit rate; `first` is the ordinal at which its uniforms begin.

    Marsaglia & Tsang's rejection, with Marsaglia's polar normal so that no trigonometry is needed; for a shape below
    one the boost u**(1 / shape). It takes as many uniforms as it needs, at most a few; give every number a `first` at
    least 64 away from the next.
    """
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    ordinal = first + 1
    while True:
        a = 2.0 * uniform(key, ordinal) - 1.0
        b = 2.0 * uniform(key, ordinal + 1) - 1.0
        u = uniform(key, ordinal + 2)
        ordinal += 3
        s = a * a + b * b
        if s >= 1.0 or s == 0.0:
            continue
        x = a * np.sqrt(-2.0 * log(s) / s)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if u < 1.0 - 0.0331 * x * x * x * x or log(u) < 0.5 * x * x + d * (1.0 - v + log(v)):
            break
    if shape < 1.0:
        return d * v * exp(log(uniform(key, first)) / shape)
    return d * v


def stream(seed: int, draw: int, name: str) -> np.random.Generator:
    """Return the generator for one named purpose of one draw, for the few numbers drawn outside the kernel.

    Parameters
    ----------
    seed
        Seed of the scenario, 0 or larger.
    draw
        Number of the draw, from 0.
    name
        What the numbers are for. Never the name of a strategy: luck belongs to customers and assumptions.

    Examples
    --------
    >>> float(stream(7, 0, "fit").random()) == float(stream(7, 0, "fit").random())
    True
    """
    # A cryptographic digest, because Python's own hash() differs from run to run.
    digest = hashlib.sha256(f"{seed}/{draw}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
