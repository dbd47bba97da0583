"""A number in, its logarithm or exponential out, with the same bits on every processor.

The C library's log and exp differ in the last bit between processors with and without fused multiply-add; plain
arithmetic does not.

References
----------
Freely distributable libm (1993), e_log.c and e_exp.c: the polynomials' coefficients. Errors stay below one unit in the
last place.
"""

from __future__ import annotations

import numpy as np

from cxsim.compiled import lean

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
