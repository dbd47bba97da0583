"""Powers, scales and an end in, integrals of products of falling powers of time up to that end out; compiled.

All are taken in y = log(1 + t / c), c the smallest scale, where the integrands are analytic for |Im y| < pi: panel by
panel with Gauss and Legendre's rule, no panel longer than _PANEL.
"""

from __future__ import annotations

import math

from cxsim.compiled import lean
from cxsim.models.legendre import unit_rule

# On a panel of this length 32 nodes hold 1e-13 of the integral, though it fall by exp(-80) (measured in the tests).
_PANEL = 4.0
_NODES, _WEIGHTS = unit_rule(32)
# Of an integral no more than exp(-40), 4e-18, lies beyond its upper end.
_DROP = 40.0
# A bump's end need not be known well: it is where nothing matters.
_BISECTIONS = 8


@lean
def power_integral(power_a: float, power_b: float, a: float, b: float, end: float) -> float:
    """Return the integral of (1 + t / a)^-power_a (1 + t / b)^-power_b over 0 < t < end."""
    if end <= 0.0:
        return 0.0
    near, far, power_near, power_far = a, b, power_a, power_b
    if b < a:
        near, far, power_near, power_far = b, a, power_b, power_a
    length, ratio, fall = math.log1p(end / near), near / far, power_a + power_b - 1.0
    # From here on far + t is t to all digits, so that the integrand is exp(-fall y).
    plain = math.log1p(far / near) + math.log1p(power_far) + _DROP
    top = min(length, plain)
    if (power_near - 1.0) * top > _DROP:
        top = _DROP / (power_near - 1.0)
    if (power_far - 1.0) * math.log1p(ratio * math.expm1(top)) > _DROP:
        top = math.log1p(math.expm1(_DROP / (power_far - 1.0)) / ratio)
    panels = max(1, math.ceil(top / _PANEL))
    step, total = top / panels, 0.0
    for panel in range(panels):
        for i in range(_NODES.size):
            y = step * (panel + _NODES[i])
            far_log = math.log1p(ratio * math.expm1(y))
            total += step * _WEIGHTS[i] * math.exp((1.0 - power_near) * y - power_far * far_log)
    if top == plain:
        last = math.exp((1.0 - power_near) * top - power_far * math.log1p(ratio * math.expm1(top)))
        total += last * -math.expm1(-fall * (length - top)) / fall
    return near * total


@lean
def discounted_integral(power: float, b: float, rate: float, end: float) -> float:
    """Return the integral of exp(-rate t) (1 + t / b)^-power over 0 < t < end."""
    if end <= 0.0:
        return 0.0
    top, steep = math.log1p(end / b), rate * b
    if rate * end > _DROP:
        top = math.log1p(_DROP / steep)
    if (power - 1.0) * top > _DROP:
        top = _DROP / (power - 1.0)
    panels = max(1, math.ceil(top / _PANEL))
    step, total = top / panels, 0.0
    for panel in range(panels):
        for i in range(_NODES.size):
            y = step * (panel + _NODES[i])
            total += step * _WEIGHTS[i] * math.exp((1.0 - power) * y - steep * math.expm1(y))
    return b * total


@lean
def log_bump(u: float, count: float, power_a: float, power_b: float, a: float, b: float) -> float:
    """Return the log of u times the integrand of `bump_integral`: concave in log(u)."""
    share = -math.log1p(a / u)
    return math.log(u) + count * share - power_a * math.log1p(u / a) - power_b * math.log1p(u / b)


@lean
def bump_integral(count: float, power_a: float, power_b: float, a: float, b: float, end: float) -> tuple[float, float]:
    """Return the integral of (u / (a + u))^count (1 + u / a)^-power_a (1 + u / b)^-power_b over 0 < u < end."""
    near = min(a, b)
    mode = _mode(count, power_a, power_b, a, b, end)
    peak = log_bump(mode, count, power_a, power_b, a, b)
    outer, step = 0.5 * mode, 0.5
    while peak - log_bump(outer, count, power_a, power_b, a, b) < _DROP:
        step *= step
        outer = mode * step
    low = _where_fallen(mode, outer, count, power_a, power_b, a, b, peak)
    high = _where_fallen(mode, end, count, power_a, power_b, a, b, peak)
    total = 0.0
    # A panel on either side of the mode at least, so that none sees more of the bump than its half.
    for side in range(2):
        left, right = (low, mode) if side == 0 else (mode, high)
        length = math.log1p((right - left) / (near + left))
        panels = math.ceil(length / _PANEL)
        for panel in range(panels):
            for i in range(_NODES.size):
                y = length / panels * (panel + _NODES[i])
                u = left + (near + left) * math.expm1(y)
                weight = length / panels * _WEIGHTS[i] * (near + u) / u
                total += weight * math.exp(log_bump(u, count, power_a, power_b, a, b) - peak)
    return peak, total


@lean
def _mode(count: float, power_a: float, power_b: float, a: float, b: float, end: float) -> float:
    """Return about where `log_bump` is largest up to `end`."""
    high = end
    if 1.0 + count - (count + power_a) * high / (a + high) - power_b * high / (b + high) >= 0.0:
        return high
    low = min(high, min(a, b) * (1.0 + count) / (count + power_a + power_b))
    # The geometric mean halves the bracket in log(u).
    while high > 1.0001 * low:
        middle = math.sqrt(low) * math.sqrt(high)
        if 1.0 + count - (count + power_a) * middle / (a + middle) - power_b * middle / (b + middle) > 0.0:
            low = middle
        else:
            high = middle
    return low


@lean
def _where_fallen(
    inner: float, outer: float, count: float, power_a: float, power_b: float, a: float, b: float, peak: float
) -> float:
    """Return a place between the mode and `outer` where `log_bump` has fallen by _DROP, or `outer` if none has."""
    if peak - log_bump(outer, count, power_a, power_b, a, b) < _DROP:
        return outer
    for _ in range(_BISECTIONS):
        middle = math.sqrt(inner) * math.sqrt(outer)
        if peak - log_bump(middle, count, power_a, power_b, a, b) < _DROP:
            inner = middle
        else:
            outer = middle
    return outer
