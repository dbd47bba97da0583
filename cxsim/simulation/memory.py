"""What customers remember of prices, and what they have stored: reference price and borrowed orders."""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.compiled import inlined
from cxsim.simulation.life import Records
from cxsim.simulation.plan import Plan

# A reference price moves in steps of half its half-life at most, in which the gap falls by three tenths, and has
# arrived when it is a thousandth away.
_NEAR, _FALL = 1e-3, 0.35


@inlined
def remembered(card: Records, plan: Plan, s: int, now: float) -> tuple[float, float]:
    """Return the log on the order rate by the price of reach `s` against the reference price, and when it changes.

    Both prices are logs relative to the list price. Within a step the gap counts with its mean, so that nothing of its
    whole weight is lost. A step ends when it is over or the reach changes, and by nothing else that happens to the
    customer.
    """
    reach, mine = plan.reaches[s], card[s]
    level = reach.price_log if mine.on else 0.0
    if reach.forget_per_day == np.inf:
        return reach.elasticity * level, np.inf
    if level != mine.level or now >= mine.level_until:
        _step(card, plan, s, level, now)
    return mine.level_log, mine.level_until


@inlined
def _step(card: Records, plan: Plan, s: int, level: float, now: float) -> None:
    """Move the reference price to the present moment, and begin a step."""
    reach, mine = plan.reaches[s], card[s]
    if now > mine.level_at:
        left = rng.exp(-reach.forget_per_day * (now - mine.level_at))
        mine.reference = mine.level + (mine.reference - mine.level) * left
    mine.level, mine.level_at = level, now
    gap = level - mine.reference
    if abs(gap) < _NEAR:
        mine.reference, mine.level_log, mine.level_until = level, 0.0, np.inf
        return
    weight = reach.elasticity if gap < 0.0 else reach.elasticity * reach.loss_aversion
    fall = min(reach.forget_per_day * (mine.changes - now), _FALL)
    mine.level_log = weight * gap * (1.0 - rng.exp(-fall)) / fall
    mine.level_until = now + fall / reach.forget_per_day


@inlined
def store(life: Records, force: Records, intensity: float) -> None:
    """Borrow from later, or give back, as orders with so much intensity go by.

    While `dip` is the share by which orders are down, each unit of intensity gives back dip / (1 - dip).
    """
    if force[0].borrows > 0.0:
        life[0].stock += force[0].borrows * intensity
    elif force[0].dip > 0.0:
        life[0].stock = max(life[0].stock - intensity * force[0].dip / (1.0 - force[0].dip), 0.0)


@inlined
def left_to_give_back(life: Records, force: Records) -> float:
    """Return after how much intensity of orders the stock is used up; infinity while it is not being used."""
    if force[0].dip > 0.0:
        return life[0].stock * (1.0 - force[0].dip) / force[0].dip
    return np.inf
