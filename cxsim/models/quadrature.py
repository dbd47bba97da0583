"""Shape of a Beta integrand in, nodes and step of a trapezoid rule in logit(p) out; and two rules on a time axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

FloatArray = NDArray[np.float64]

# A tail is cut where the integrand has fallen by exp(-40) = 4e-18, below the last bit of the integral.
_DROP = 40.0
# The integrands are analytic for |Im logit(p)| < pi / 2: a trapezoid rule errs by exp(-pi^2 / step) = 7e-18.
_WIDEST_STEP = 0.25
# A Gaussian peak of width sigma costs exp(-2 (pi sigma / step)^2) = 3e-18 at this share of sigma.
_STEP_PER_SIGMA = 0.7
_BISECTIONS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class LogitRule:
    """A trapezoid rule for integrals over a dropout probability.

    Attributes
    ----------
    p, log_p, log_q
        The nodes: p, log p and log(1 - p); shape (n_nodes,).
    step
        Distance of neighbours in logit(p).
    """

    p: FloatArray
    log_p: FloatArray
    log_q: FloatArray
    step: float


def logit_rule(
    a: float, b_low: float, b_high: float, *, bend: float = 1.0, left_order: float = 0.0, right_order: float = 0.0
) -> LogitRule:
    """Return one rule for the integrals of g(p) under every Beta(a, b) with b_low <= b <= b_high.

    Parameters
    ----------
    a, b_low, b_high
        Shapes of the Beta distributions, > 0.
    bend, left_order
        |g| falls at least like (p / bend) ** left_order below `bend`.
    right_order
        |g| falls at least like (1 - p) ** right_order towards p = 1.
    """
    knee = math.log(bend) - math.log1p(-bend) if bend < 1.0 else 0.0
    left_mode, right_mode = math.log(a / b_high), math.log(a / b_low)

    def left_drop(distance: float) -> float:
        u = left_mode - distance
        return _log_density(left_mode, a, b_high) - _log_density(u, a, b_high) + left_order * max(knee - u, 0.0)

    def right_drop(distance: float) -> float:
        u = right_mode + distance
        return _log_density(right_mode, a, b_low) - _log_density(u, a, b_low) + right_order * max(u, 0.0)

    # Below the bend g is at its largest while the integral may be smaller by bend / mode: so much further must we go.
    low = left_mode - _solve(left_drop, _DROP + max(left_mode - knee, 0.0))
    high = right_mode + _solve(right_drop, _DROP)
    step = min(_WIDEST_STEP, _STEP_PER_SIGMA * math.sqrt(1.0 / a + 1.0 / b_high))
    u = low + step * np.arange(math.ceil((high - low) / step) + 1)
    return LogitRule(p=expit(u), log_p=log_expit(u), log_q=log_expit(-u), step=step)


def exponential_rule() -> tuple[FloatArray, FloatArray]:
    """Return nodes t and weights of the integral of exp(-t) g(t) over t > 0, for smooth g which is O(t) at 0.

    A trapezoid rule in log t: the integrand falls like t^2 on the left and like exp(-t) on the right.
    """
    u = np.arange(-_DROP / 2.0, math.log(_DROP), _WIDEST_STEP)
    nodes = np.exp(u)
    return nodes, _WIDEST_STEP * nodes * np.exp(-nodes)


def stretched_rule(end: float, scale: float, n_nodes: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes t and weights of the integral of g(t) over 0 < t < end, for g that changes at t of order `scale`.

    Gauss and Legendre's rule in log(1 + t / scale).
    """
    x, w = np.polynomial.legendre.leggauss(n_nodes)
    length = math.log1p(end / scale)
    y = 0.5 * length * (x + 1.0)
    return scale * np.expm1(y), 0.5 * length * w * scale * np.exp(y)


def _log_density(u: float, a: float, b: float) -> float:
    """Return the log density of logit(p) under Beta(a, b), without its constant."""
    return a * u - (a + b) * (max(u, 0.0) + math.log1p(math.exp(-abs(u))))


def _solve(rising: Callable[[float], float], level: float) -> float:
    """Return a distance at which `rising` has reached `level`, never less."""
    near, far = 0.0, 1.0
    while rising(far) < level:
        far *= 2.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (near + far)
        if rising(middle) < level:
            near = middle
        else:
            far = middle
    return far
