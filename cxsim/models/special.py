"""Positive numbers in, derivatives of log Gamma and rises of it out, to all digits but the last two; compiled.

Numba knows lgamma, not its derivatives. They go up the recurrence to where the asymptotic series holds all digits. A
rise is the difference between x + n and x. It is not taken between two function values, which for a great x agree in
most of their digits.

References
----------
Abramowitz & Stegun (1964), 6.1.41, 6.3.5, 6.3.18, 6.4.6 and 6.4.12.
"""

from __future__ import annotations

import math

from cxsim.compiled import lean

# From here on, the first term that is left out of each series is below 2e-16 of the result.
_FAR = 10.0


@lean
def digamma(x: float) -> float:
    """Return the derivative of log Gamma."""
    passed = 0.0
    while x < _FAR:
        passed += 1.0 / x
        x += 1.0
    return math.log(x) - _digamma_rest(x) - passed


@lean
def trigamma(x: float) -> float:
    """Return the second derivative of log Gamma."""
    passed = 0.0
    while x < _FAR:
        passed += 1.0 / (x * x)
        x += 1.0
    return 1.0 / x + _trigamma_rest(x) + passed


@lean
def lgamma_rise(x: float, n: float) -> float:
    """Return log Gamma(x + n) - log Gamma(x), the log of x (x + 1) ... (x + n - 1) where n is whole."""
    if x < _FAR:
        return math.lgamma(x + n) - math.lgamma(x)
    grown = math.log1p(n / x)
    # n log(x) apart from the rest, which tends to n (n - 1) / (2 x).
    rest = (x - 0.5) * _log1p_less(n / x) + n * (grown - 0.5 / x)
    return n * math.log(x) + rest + lgamma_rest(x + n) - lgamma_rest(x)


@lean
def digamma_rise(x: float, n: float) -> float:
    """Return the derivative of log Gamma at x + n, less that at x."""
    passed = 0.0
    while x < _FAR:
        passed += n / (x * (x + n))
        x += 1.0
    return math.log1p(n / x) + (_digamma_rest(x) - _digamma_rest(x + n)) + passed


@lean
def trigamma_rise(x: float, n: float) -> float:
    """Return the second derivative of log Gamma at x + n, less that at x: not positive."""
    passed = 0.0
    while x < _FAR:
        far = x + n
        passed += n * (x + far) / (x * x * far * far)
        x += 1.0
    return (_trigamma_rest(x + n) - _trigamma_rest(x)) - n / (x * (x + n)) - passed


@lean
def _log1p_less(z: float) -> float:
    """Return log(1 + z) - z for z >= 0."""
    if z > 0.1:
        return math.log1p(z) - z
    # The logarithm is 2 artanh(y), and 2 y - z is -y z.
    y = z / (2.0 + z)
    square, power, odd, total = y * y, 1.0, 3.0, 0.0
    while power > 1e-17:
        total += power / odd
        power *= square
        odd += 2.0
    return -y * z + 2.0 * y * square * total


@lean
def lgamma_rest(x: float) -> float:
    """Return log Gamma(x) less Stirling's formula, (x - 1/2) log(x) - x + log(2 pi) / 2."""
    z = 1.0 / (x * x)
    series = 1.0 / 1260.0 - z * (1.0 / 1680.0 - z * (1.0 / 1188.0 - z * (691.0 / 360360.0 - z / 156.0)))
    return (1.0 / 12.0 - z * (1.0 / 360.0 - z * series)) / x


@lean
def _digamma_rest(x: float) -> float:
    """Return log(x) less the derivative of log Gamma, for x from _FAR on."""
    z = 1.0 / (x * x)
    series = 1.0 / 252.0 - z * (1.0 / 240.0 - z * (1.0 / 132.0 - z * (691.0 / 32760.0 - z / 12.0)))
    return 0.5 / x + z * (1.0 / 12.0 - z * (1.0 / 120.0 - z * series))


@lean
def _trigamma_rest(x: float) -> float:
    """Return the second derivative of log Gamma less 1 / x, for x from _FAR on."""
    z = 1.0 / (x * x)
    series = 1.0 / 30.0 - z * (5.0 / 66.0 - z * (691.0 / 2730.0 - z * (7.0 / 6.0 - z * 3617.0 / 510.0)))
    return z * (0.5 + (1.0 / 6.0 - z * (1.0 / 30.0 - z * (1.0 / 42.0 - z * series))) / x)
