"""A past under the Pareto/NBD model in, how much of it speaks for having left, and when, out; compiled.

A customer who left at u after the last order did so with a weight proportional to
(1 + u / (beta + last)) ** -(s + 1) * (1 + u / (alpha + last)) ** -(r + x). Its integral over the idle time, the
difference of two Gaussian 2F1 in the papers, is taken here as it stands, by Gauss and Legendre's rule in
y = log(1 + u / c) with c the smaller of the two scales: there the integrand is analytic for |Im y| < pi, and nothing
cancels for equal scales, for s = 1 or for thousands of orders.

References
----------
Schmittlein, Morrison & Colombo (1987), Management Science 33, 1-24, appendix; Fader & Hardie (2005), "A note on
deriving the Pareto/NBD model and related expressions".
"""

from __future__ import annotations

import math

import numpy as np

from cxsim.compiled import inlined
from cxsim.models.legendre import unit_rule

Moments = tuple[float, float, float, float, float, float, float, float, float, float, float, float, float, float, float]

# Of the integral no more than exp(-37), 1e-16, lies beyond the upper end.
_DROP = 37.0
# Nodes for a logarithmic length L of the interval and a fall F of the integrand's logarithm along it, at least
# _LEAST + _PER_LENGTH * L and _LEAST + _PER_FALL * sqrt(F): 1e-13 of the integral (measured in the tests).
_SIZES = (6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)
_LEAST, _PER_LENGTH, _PER_FALL = 4.0, 4.0, 4.0


_RULES = [unit_rule(size) for size in _SIZES]
# One after the other.
_NODES = np.concatenate([nodes for nodes, _ in _RULES])
_WEIGHTS = np.concatenate([weights for _, weights in _RULES])


@inlined
def log_odds(shape: float, s: float, start_a: float, start_b: float, idle: float) -> float:
    """Return log(P(left) / P(alive)); minus infinity for a customer who has just ordered."""
    if idle <= 0.0:
        return -math.inf
    length, first, stop = _reach(shape, s, start_a, start_b, idle)
    a_is_near = start_a <= start_b
    near, far = (start_a, start_b) if a_is_near else (start_b, start_a)
    power_near, power_far = (1.0 - shape, s + 1.0) if a_is_near else (-s, shape)
    ratio, total = near / far, 0.0
    for i in range(first, stop):
        y = length * _NODES[i]
        total += _WEIGHTS[i] * math.exp(power_near * y - power_far * math.log1p(ratio * math.expm1(y)))
    return log_scale(shape, s, start_a, start_b, idle) + math.log(near * length * total)


@inlined
def log_scale(shape: float, s: float, start_a: float, start_b: float, idle: float) -> float:
    """Return the log of the weight of having left just after the last order, over that of being alive, per time."""
    return math.log(s / start_b) + s * math.log1p(idle / start_b) + shape * math.log1p(idle / start_a)


@inlined
def moments(shape: float, s: float, start_a: float, start_b: float, idle: float) -> Moments:
    """Return the integral, then means and products of four functions of the time u of leaving.

    The four are a = log(1 + u / start_a), f = u / (start_a + u), and b, g, the same two with start_b. In order: the
    integral; a, f, b, g; aa, af, ab, ag, ff, fb, fg, bb, bg, gg. All are 0 for a customer who has just ordered.
    """
    if idle <= 0.0:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    length, first, stop = _reach(shape, s, start_a, start_b, idle)
    near = min(start_a, start_b)
    total, m_a, m_f, m_b, m_g = 0.0, 0.0, 0.0, 0.0, 0.0
    aa, af, ab, ag, ff = 0.0, 0.0, 0.0, 0.0, 0.0
    fb, fg, bb, bg, gg = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(first, stop):
        y = length * _NODES[i]
        u = near * math.expm1(y)
        a = y if start_a <= start_b else math.log1p(u / start_a)
        b = y if start_b <= start_a else math.log1p(u / start_b)
        f, g = u / (start_a + u), u / (start_b + u)
        w = _WEIGHTS[i] * math.exp(y - (s + 1.0) * b - shape * a)
        total += w
        m_a, m_f, m_b, m_g = m_a + w * a, m_f + w * f, m_b + w * b, m_g + w * g
        aa, af, ab, ag, ff = aa + w * a * a, af + w * a * f, ab + w * a * b, ag + w * a * g, ff + w * f * f
        fb, fg, bb, bg, gg = fb + w * f * b, fg + w * f * g, bb + w * b * b, bg + w * b * g, gg + w * g * g
    t = 1.0 / total
    return (
        near * length * total,
        *(m_a * t, m_f * t, m_b * t, m_g * t),
        *(aa * t, af * t, ab * t, ag * t, ff * t, fb * t, fg * t, bb * t, bg * t, gg * t),
    )


@inlined
def _reach(shape: float, s: float, start_a: float, start_b: float, idle: float) -> tuple[float, int, int]:
    """Return the upper end in y, and the rule's first node and the end of its nodes."""
    length_a, length_b = math.log1p(idle / start_a), math.log1p(idle / start_b)
    end = idle
    if s * length_b > _DROP:
        end = start_b * math.expm1(_DROP / s)
    if (shape - 1.0) * length_a > _DROP:
        end = min(end, start_a * math.expm1(_DROP / (shape - 1.0)))
    if end < idle:
        length_a, length_b = math.log1p(end / start_a), math.log1p(end / start_b)
    length = max(length_a, length_b)
    fall = abs((s + 1.0) * length_b + shape * length_a - length)
    wanted = _LEAST + max(_PER_LENGTH * length, _PER_FALL * math.sqrt(fall))
    first, size = 0, 0
    for candidate in _SIZES:
        first += size
        size = candidate
        if size >= wanted:
            break
    return length, first, first + size
