"""Shapes of a Beta distribution of dropout in; a trapezoid rule in logit(p) for means over it out.

The integrands f(p) fall from a value at p = 0 to another at p = 1, and are analytic and bounded where |Im logit(p)| <
pi / 2: a rule of step h errs by exp(-pi^2 / h) of them. Where f no longer moves, the rest of the rule is a geometric
series, so that its nodes need not follow the slow tails of a Beta with small shapes.
"""

from __future__ import annotations

import math

from cxsim.compiled import lean

# A tail is cut where the integrand has fallen by exp(-36) = 2e-16.
DROP = 36.0
# The rule errs by |Gamma(a + 2 pi i / step)| / Gamma(a) of a Beta with small a and large b: by 2e-13 at a = 2, and by
# less for all others.
WIDEST_STEP = 0.28
STEP_PER_WIDTH = 0.45
# f moves by less than exp(-38) = 3e-17 of itself beyond a knee by so much.
_STILL = 38.0
_NEWTON_STEPS = 40


@lean
def dropout_rule(a: float, b: float, steepness: float, shape: float) -> tuple[float, float, int]:
    """Return first node, step and number of nodes for E[f(p)], p ~ Beta(a, b)."""
    steep = b + steepness
    # f only pushes the mass to the left, and at most as (1 - p) ** steepness does.
    low = math.log(a / steep) - fall(a, steep)
    high = math.log(a / b) + fall(b, a)
    low = max(low, -math.log1p(a + steep) - _STILL)
    high = min(high, math.log1p(a + shape) + _STILL)
    step = min(WIDEST_STEP, STEP_PER_WIDTH * math.sqrt(1.0 / a + 1.0 / steep))
    return low, step, math.ceil((high - low) / step) + 1


@lean
def fall(falling: float, other: float) -> float:
    """Return how far from its mode, on the side of `falling`, the density of logit(p) has fallen by `DROP`."""
    total = falling + other
    share = falling / total
    # Newton's method from above on a convex function: every iterate is far enough.
    distance = (DROP - total * math.log1p(-share)) / falling
    for _ in range(_NEWTON_STEPS):
        moved = share * -math.expm1(-distance)
        excess = falling * distance + total * math.log1p(-moved) - DROP
        slope = falling - total * share * math.exp(-distance) / (1.0 - moved)
        if excess <= 1e-3 * DROP or slope <= 0.0:
            break
        distance -= excess / slope
    return distance


@lean
def log_node(u: float) -> tuple[float, float]:
    """Return log(p) and log(1 - p) at logit(p) = u."""
    rest = math.log1p(math.exp(-abs(u)))
    return min(u, 0.0) - rest, min(-u, 0.0) - rest


@lean
def end_weight(node: int, nodes: int, step: float, a: float, b: float) -> float:
    """Return the weight of a node: 1, and at the ends that of all that lie beyond."""
    weight = 1.0
    if node == 0:
        weight /= -math.expm1(-a * step)
    if node == nodes - 1:
        weight /= -math.expm1(-b * step)
    return weight
