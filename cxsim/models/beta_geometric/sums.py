"""One customer who is alive, with their stage and a time, in; P(still alive) and expected orders out, as a sum over n.

The stages that pass in the time are negative binomial; after m orders the customer stays with B(a, b + m) / B(a, b).
Every term is positive and follows from the one before, so that nothing cancels; only large numbers of stages cost time.
"""

from __future__ import annotations

import math

from cxsim.compiled import lean

# What is left out, relative to the sum.
_LEFT_OUT = 1e-17


@lean
def terms_needed(shape: float, reach: float) -> float:
    """Return a bound on the terms which `survival_and_orders` adds; infinite where the first one underflows."""
    if shape * math.log1p(reach) > 600.0:
        return math.inf
    mean = shape * reach
    return mean + 9.0 * math.sqrt(mean * (1.0 + reach)) + 37.0 * (1.0 + reach)


@lean
def survival_and_orders(k: int, stage: int, shape: float, reach: float, a: float, b: float) -> tuple[float, float]:
    """Return P(alive after the time) and the expected orders in it."""
    prob, limit = math.exp(-shape * math.log1p(reach)), reach / (1.0 + reach)
    stays, had, orders_done, passed, n = 1.0, 0.0, 0.0, stage, 0.0
    survival = orders = 0.0
    while True:
        survival += prob * stays
        orders += prob * had
        ratio = limit * (shape + n) / (n + 1.0)
        # No later ratio exceeds this one, and `had` grows by less than `stays` per term.
        worst = max(ratio, limit)
        rest, ahead = 1.0 - worst, prob * worst
        if (
            rest > 0.0
            and n >= k
            and ahead * stays <= _LEFT_OUT * survival * rest
            and ahead * (had * rest + stays) <= _LEFT_OUT * orders * rest * rest
        ):
            return survival, orders
        prob *= ratio
        n += 1.0
        passed += 1
        if passed == k:
            passed = 0
            had += stays
            stays *= (b + orders_done) / (a + b + orders_done)
            orders_done += 1.0
