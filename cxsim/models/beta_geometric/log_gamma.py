"""Shapes of a Beta, a Gamma or a count in; logarithms of their constants out, exact also for a million orders.

Differences of log Gamma lose a digit for each digit of log Gamma; beyond 15 Stirling's series is subtracted on paper.

References
----------
Abramowitz & Stegun (1964), 6.1.40.
"""

from __future__ import annotations

import math

from cxsim.compiled import lean
from cxsim.models.special import lgamma_rest

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
    """Return the log probability of n events of a Poisson process whose rate is Gamma(shape, 1), in the time `reach`."""
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
