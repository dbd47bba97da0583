"""A number in, its logarithm or exponential out, with the same bits on every processor.

The C library's log and exp differ in the last bit between processors with and without fused multiply-add; plain
arithmetic does not.

References
----------
Freely distributable libm (1993), e_log.c and e_exp.c: the polynomials' coefficients. Errors stay below one unit in the
last place.
"""

from __future__ import annotations

import hashlib
import math
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from cxsim.jit import lean

_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_ONE_BITS = np.uint64(0x3FF0000000000000)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_S52 = np.uint64(52)


@lean
def log(x: float) -> float:
    """Return the natural logarithm, with the same bits on every processor."""
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


@lean
def exp(x: float) -> float:
    """Return e to the power `x`, with the same bits on every processor."""
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


# What a random number is for. The place in this list, from 1, is part of its key: names are only ever added at the end.
Purpose = IntEnum(
    "Purpose",
    [
        "ALIVE",
        "PURCHASE_RATE",
        "DROPOUT_PROB",
        "DROPOUT_RATE",
        "SPEND_RATE",
        "ARRIVAL",
        "ORDER",
        "DROPOUT",
        "SPEND",
        "UPTAKE",
        "REDEMPTION",
        "LIFETIME",
        "POINTS",
        "TRAIT",
        "INCIDENT",
        "TICKET",
        "RESOLUTION",
        "RECOVERY",
        "RESPONSE",
        "SURVEY",
        "ANSWER",
        "SCORE",
        "RETURN",
        "REFERRAL",
        "REFERRED",
        "ANYWAY",
        "REVIVAL",
        "RENEWAL",
        "UNSUBSCRIBE",
        "ATTRACTED",
        "SESSION",
    ],
)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_STEP = np.uint64(1)
_TWO_52 = 1.0 / 4503599627370496.0


@lean
def customer_key(seed: int, draw: int, customer: int) -> np.uint64:
    """Return the key of one customer in one draw."""
    key = _mix(np.uint64(seed) + _GOLDEN)
    key = _mix(key + np.uint64(draw) * _GOLDEN + _STEP)
    return _mix(key + np.uint64(customer) * _GOLDEN + _STEP)


@lean
def purpose_key(key: np.uint64, purpose: int) -> np.uint64:
    """Return the key of one purpose of a customer."""
    return _mix(key + np.uint64(purpose) * _GOLDEN)


@lean
def random_bits(key: np.uint64, ordinal: int) -> np.uint64:
    """Return 64 random bits; they may serve as a key in turn, for a number that takes more than one uniform."""
    return _mix(key + np.uint64(ordinal + 1) * _GOLDEN)


@lean
def share(bits: np.uint64) -> float:
    """Return the upper 52 bits as a number in the open interval (0, 1): a multiple of 2**-52 and half a step."""
    # Not 53 bits: adding the half would then round the largest number to 1, and what is certain would not be.
    return (np.float64(bits >> _S12) + 0.5) * _TWO_52


@lean
def _mix(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


def stream(seed: int, draw: int, name: str) -> np.random.Generator:
    """Return the generator for one named purpose of one draw, for the few numbers drawn outside the kernel."""
    # A cryptographic digest, because Python's own hash() differs from run to run.
    digest = hashlib.sha256(f"{seed}/{draw}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


# Layers, where the tail begins, and the area of each layer. The area follows from the other two: it is the one for
# which the last layer ends at the density's top.
NORMAL_LAYERS, NORMAL_TAIL, _NORMAL_AREA = 128, 3.442619855899, 9.91256303526217e-3
EXPONENTIAL_LAYERS, EXPONENTIAL_TAIL, _EXPONENTIAL_AREA = 256, 7.69711747013104972, 0.0039496598225815571993


def normal_edges() -> npt.NDArray[np.float64]:
    """Return the right edges of the layers under exp(-x**2 / 2), widest first, and 0: shape (layers + 1,)."""
    edges = [_NORMAL_AREA / math.exp(-0.5 * NORMAL_TAIL**2), NORMAL_TAIL]
    while len(edges) < NORMAL_LAYERS:
        edges.append(math.sqrt(-2.0 * math.log(_NORMAL_AREA / edges[-1] + math.exp(-0.5 * edges[-1] ** 2))))
    return _portable([*edges, 0.0])


def exponential_edges() -> npt.NDArray[np.float64]:
    """Return the right edges of the layers under exp(-x), widest first, and 0: shape (layers + 1,)."""
    edges = [_EXPONENTIAL_AREA / math.exp(-EXPONENTIAL_TAIL), EXPONENTIAL_TAIL]
    while len(edges) < EXPONENTIAL_LAYERS:
        edges.append(-math.log(_EXPONENTIAL_AREA / edges[-1] + math.exp(-edges[-1])))
    return _portable([*edges, 0.0])


def _portable(edges: list[float]) -> npt.NDArray[np.float64]:
    """Cut to 12 digits, to which all math libraries agree; an edge may be off by that much without anyone seeing it."""
    return np.array([float(f"{edge:.12g}") for edge in edges])


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
    bits = random_bits(key, ordinal)
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / np.sqrt(9.0 * d)
    step = 0
    while True:
        x = normal(bits, step)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            u = uniform(bits, step + 1)
            if u < 1.0 - 0.0331 * x * x * x * x or log(u) < 0.5 * x * x + d * (1.0 - v + log(v)):
                break
        step += 2
    if shape < 1.0:
        # An ordinal that counting up from 0 never reaches.
        return d * v * exp(-exponential(bits, -2) / shape)
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
