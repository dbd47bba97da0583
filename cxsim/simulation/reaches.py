"""When a customer's reach is on: its present or next spell, and how strong a course is at a moment."""

from __future__ import annotations

import numpy as np

from cxsim.compiled import inlined
from cxsim.simulation.life import Records
from cxsim.simulation.plan import Plan


@inlined
def spell(card: Records, plan: Plan, s: int, last: float, now: float) -> tuple[float, float]:
    """Return the day on which reach `s` begins its spell at or after `now`'s, and the day from which it is off."""
    reach, joins, leaves = plan.reaches[s], card[s].joins, card[s].leaves
    if reach.idle_days >= 0.0:
        begins = max(last + reach.idle_days, joins)
        if begins >= leaves:
            return np.inf, np.inf
        return begins, min(begins + reach.for_days, leaves)
    if reach.every_days > 0.0:
        return _window(reach.every_days, reach.for_days, joins, leaves, now)
    return joins, leaves


@inlined
def _window(every: float, lasting: float, joins: float, leaves: float, now: float) -> tuple[float, float]:
    number = max(int((now - joins) / every), 0)
    # A quotient can be off by one at the very edge; the edges themselves are always computed in the same way.
    while number > 0 and joins + number * every > now:
        number -= 1
    while joins + (number + 1) * every <= now:
        number += 1
    if now >= joins + number * every + lasting:
        number += 1
    begins = joins + number * every
    if begins >= leaves:
        return np.inf, np.inf
    return begins, min(begins + lasting, leaves)


@inlined
def strength(plan: Plan, course: int, begins: float, now: float) -> tuple[float, float]:
    """Return how strong a course is at `now`, and the day on which that changes."""
    step = 0
    while begins + plan.courses[course, step].ends <= now:
        step += 1
    return plan.courses[course, step].strength, begins + plan.courses[course, step].ends
