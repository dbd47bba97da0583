"""Positive numbers in, derivatives of log Gamma and rises of it out, to all digits but the last two; compiled.

Numba knows lgamma, not its derivatives. They go up the recurrence to where the asymptotic series holds all digits. A
rise is the difference between x + n and x. It is not taken between two function values, which for a great x agree in
most of their digits.

References
----------
Abramowitz & Stegun (1964), 6.1.41, 6.3.5, 6.3.18, 6.4.6 and 6.4.12.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import ParamError
from cxsim.jit import inlined, lean

FloatArray = NDArray[np.float64]
Floats = tuple[float, ...]

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


def require_positive(model: str, params: Mapping[str, float]) -> None:
    """Refuse parameters of `model` which are not positive finite numbers."""
    for name, value in params.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ParamError(f"{model}: {name} is {value!r}; it must be a positive finite number.")


# From here on, the series errs by less than the last bit.
_STIRLING_FROM = 15.0
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@lean
def log_gamma_height(s: float) -> float:
    """Return s log(s) - s - log Gamma(s): the Gamma density of log(x) at its highest."""
    if s < _STIRLING_FROM:
        return s * math.log(s) - s - math.lgamma(s)
    return 0.5 * math.log(s) - _HALF_LOG_2PI - lgamma_rest(s)


@lean
def log_beta_height(a: float, b: float) -> float:
    """Return a log(p) + b log(1 - p) - log B(a, b) at p = a / (a + b)."""
    # B(a, b) is Gamma(a) Gamma(b) / Gamma(a + b), and the powers' logarithms are those of the three heights.
    return log_gamma_height(a) + log_gamma_height(b) - log_gamma_height(a + b)


@lean
def log_count_prob(n: float, shape: float, reach: float) -> float:
    """Return the log probability of n events in the time `reach` of a Poisson process with rate Gamma(shape, 1)."""
    if n == 0.0:
        return -shape * math.log1p(reach)
    if reach == 0.0:
        return -math.inf
    # Shares of the events among both kinds, expected over found; their distance from 1 is `gap` over n and over shape.
    gap, total = (shape * reach - n) / (1.0 + reach), n + shape
    events = _log_ratio(gap / n, reach * total / (n * (1.0 + reach)))
    others = _log_ratio(-gap / shape, total / (shape * (1.0 + reach)))
    return log_beta_height(n, shape) - math.log(n) + n * events + shape * others


@lean
def _log_ratio(distance: float, ratio: float) -> float:
    """Return log(ratio), where `distance` is ratio - 1 without rounding."""
    return math.log1p(distance) if abs(distance) < 0.5 else math.log(ratio)


_DIGITS = 40


@functools.cache
def unit_rule(size: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the rule that integrates polynomials of degree below 2 `size` over (0, 1).

    numpy's rule errs by 1e-12 in the outermost weights of 48 nodes, which is where steep integrands live, and its last
    bits depend on the machine's LAPACK. It is the start here for one step of Newton's method in decimals.

    Shape (size,) each, not to be written to; small nodes hold all their digits too.

    Abramowitz & Stegun (1964), 25.4.29 and 25.4.30.
    """
    nodes, weights = np.empty(size), np.empty(size)
    start, _ = np.polynomial.legendre.leggauss(size)
    with localcontext(prec=_DIGITS):
        # The rule is symmetric: the left half is found, the right half mirrored.
        for place, rough in enumerate(start[: (size + 1) // 2]):
            x = Decimal(float(rough))
            value, slope = _polynomial(size, x)
            x -= value / slope
            _, slope = _polynomial(size, x)
            nodes[place], nodes[-1 - place] = float((1 + x) / 2), float((1 - x) / 2)
            weights[place] = weights[-1 - place] = float(1 / ((1 - x * x) * slope * slope))
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def _polynomial(degree: int, x: Decimal) -> tuple[Decimal, Decimal]:
    """Return Legendre's polynomial and its derivative."""
    before, value = Decimal(1), x
    for k in range(2, degree + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, degree * (x * value - before) / (x * x - 1)


@inlined
def log1p_exp(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@inlined
def to_logs(out: FloatArray, theta: Floats) -> None:
    """Turn gradient and Hessian in the parameters into those in their logarithms, in place."""
    size = len(theta)
    place = 1 + size
    for i in range(size):
        out[1 + i] *= theta[i]
        for j in range(i, size):
            out[place] *= theta[i] * theta[j]
            if i == j:
                out[place] += out[1 + i]
            place += 1


# Rows come out the same in whatever chunk they are, so the chunks only share out the work.
_ROWS = 2048
Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results in the order of the items, computed on all processors."""
    if len(items) < 2:
        return list(map(function, items))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        return list(threads.map(function, items))


def each_row(
    compiled: Callable[..., None],
    columns: tuple[FloatArray, ...],
    constants: tuple[float | FloatArray, ...],
    *,
    outputs: tuple[int, ...],
) -> tuple[FloatArray, ...]:
    """Return what `compiled` writes for each row of the columns, which broadcast together.

    Arrays of their shape and one more axis of each of the `outputs`.
    """
    same = np.broadcast_arrays(*columns)
    flat = [np.array(column, dtype=np.float64, order="C").ravel() for column in same]
    size = flat[0].size
    results = [np.empty((size, width)) for width in outputs]

    def work(start: int) -> None:
        compiled(start, min(start + _ROWS, size), *flat, *constants, *results)

    in_threads(work, range(0, size, _ROWS))
    return tuple(result.reshape(*same[0].shape, result.shape[1]) for result in results)
