"""A past and one draw of the parameters in; how the odds stand that the customer has left, and their phase, out.

All of it is relative to one way of being alive, so that the constants of the likelihood, with their gamma functions,
cancel.

References
----------
Fader, Hardie & Lee (2005), equation (6); Batislam, Denizel & Filiztekin (2007); Platzer & Reutterer (2016) for k > 1.
"""

from __future__ import annotations

from typing import Any

from cxsim import rng
from cxsim.compiled import lean
from cxsim.estimation.predictive.parameters import Family
from cxsim.models.pareto_nbd.leaving import log_odds

# Beyond this, exp would be infinite anyway.
_TOP = 700.0
_LARGE = 1e100
_LOG_LARGE = 230.25850929940458


@lean
def odds_of_leaving(theta: Any, family: Family, x: float, last: float, age: float) -> float:
    """Return the odds that a customer has left: P(left) / P(alive), may be infinite."""
    if family.calendar == 1:
        odds = log_odds(theta.r + x, theta.s, theta.alpha + last, theta.beta + last, age - last)
        return rng.exp(min(odds, _TOP))
    chances = x + family.first
    if chances == 0.0:
        return 0.0
    shape = theta.r + family.k * x
    fall = shape * rng.log((theta.alpha + age) / (theta.alpha + last))
    if family.k > 1:
        fall -= _log_phases(shape, (age - last) / (theta.alpha + age), family.k)
    return float(theta.a / (theta.b + chances - 1.0) * rng.exp(min(fall, _TOP)))


@lean
def phase(shape: float, ratio: float, k: int, luck: float) -> int:
    """Return how many of the k stages of the next gap a living customer has behind them."""
    # Phase j weighs (shape)_j ratio^j / j! beside phase 0: what a negative binomial would, cut off at k. From the top
    # down, because there the scale is known after the way up.
    term, total, top = 1.0, 1.0, 0
    for j in range(1, k):
        term *= (shape + j - 1.0) * ratio / j
        if term == 0.0:
            break
        total, top = total + term, j
        if term > _LARGE:
            term, total = term / _LARGE, total / _LARGE
    reached = term
    while top > 0 and reached < luck * total:
        term *= top / ((shape + top - 1.0) * ratio)
        reached, top = reached + term, top - 1
    return top


@lean
def _log_phases(shape: float, ratio: float, k: int) -> float:
    """Return the log weight of being alive in any phase, beside phase 0."""
    term, total, scale = 1.0, 1.0, 0.0
    for j in range(1, k):
        term *= (shape + j - 1.0) * ratio / j
        total += term
        if term > _LARGE:
            term, total, scale = term / _LARGE, total / _LARGE, scale + _LOG_LARGE
    return scale + rng.log(total)
