"""What drives a customer at a moment: the ratios on order rate and dropout, and when they change next."""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.compiled import inlined
from cxsim.simulation.cards import HELD, roll_status, stirred
from cxsim.simulation.life import Records
from cxsim.simulation.memory import remembered
from cxsim.simulation.plan import Plan
from cxsim.simulation.plan_rows import COURSES, STIRS
from cxsim.simulation.reaches import spell, strength
from cxsim.simulation.world import World

# More than what adding up in another order can change.
_SLACK = 1e-9


@inlined
def weigh(force: Records, life: Records, card: Records, plan: Plan, world: World, now: float) -> None:
    """Work out the forces at `now`, and write which reaches are on."""
    mine, me, facts = force[0], life[0], world.facts[0]
    rate, drop = _logs(force, life, card, plan, now)
    drop += me.drop_log
    if facts.experienced:
        rate += facts.rate_centre + facts.rate_log * me.mood
        drop += facts.drop_centre + facts.drop_log * me.mood
    mine.buying = rng.exp(rate) if rate != 0.0 else 1.0
    if drop != mine.drop:
        mine.drop, mine.dropping = drop, rng.exp(drop)
    mine.anew, mine.dip = False, 0.0
    if me.stock > 0.0 and mine.borrows == 0.0:
        mine.dip = _dip(card, plan)
        mine.buying *= 1.0 - mine.dip


@inlined
def _logs(force: Records, life: Records, card: Records, plan: Plan, now: float) -> tuple[float, float]:
    """Return the logs on rate and dropout of all reaches, and write when they change and what is borrowed.

    A reach is looked at only on the day on which it changes, and all of them after an order.
    """
    rates = drops = top_rate = top_drop = harm_rate = harm_drop = 0.0
    force[0].switch, force[0].borrows = np.inf, 0.0
    for s in range(len(card)):
        if card[s].joins < np.inf:
            if force[0].anew or card[s].changes <= now:
                _look(life, card, plan, s, now)
            rate, drop = card[s].rate + _priced(force, card, plan, s, now), card[s].drop
            force[0].switch = min(force[0].switch, card[s].changes)
            if rate > 0.0:
                rates += rate
                top_rate = max(top_rate, rate)
            else:
                harm_rate += rate
            if drop < 0.0:
                drops += drop
                top_drop = min(top_drop, drop)
            else:
                harm_drop += drop
    rate = top_rate + plan.stacking * (rates - top_rate) + harm_rate
    return rate, top_drop + plan.stacking * (drops - top_drop) + harm_drop


@inlined
def _priced(force: Records, card: Records, plan: Plan, s: int, now: float) -> float:
    """Return the log on the order rate by the price of a reach, and write when it changes and what is borrowed."""
    if not card[s].priced:
        return 0.0
    priced, until = remembered(card, plan, s, now)
    force[0].switch = min(force[0].switch, until)
    if priced > 0.0:
        force[0].borrows = max(force[0].borrows, plan.reaches[s].forward * (1.0 - rng.exp(-priced)))
    return priced


@inlined
def most_buying(life: Records, card: Records, plan: Plan, world: World) -> float:
    """Return a ratio on the order rate that is not exceeded before the next order: every part of it at its best."""
    total = top = 0.0
    for s in range(len(card)):
        mine, reach = card[s], plan.reaches[s]
        if mine.joins < np.inf:
            most = max(mine.rate_log, 0.0) + max(reach.contact_log, 0.0) + max(mine.pull_log, 0.0)
            if reach.stirs > 0.0 and mine.rewarded_at > -np.inf:
                most += plan.courses[COURSES * s + STIRS, 0].strength
            if reach.status_cents > 0.0:
                most += max(reach.status_rate_log if mine.status == HELD else mine.status_pull_log, 0.0)
            most += max(reach.elasticity * reach.price_log, 0.0)
            total += most
            top = max(top, most)
    log = top + plan.stacking * (total - top)
    if world.facts[0].experienced:
        log += world.facts[0].rate_centre + world.facts[0].rate_log * life[0].mood
    return rng.exp(log + _SLACK)


@inlined
def _dip(card: Records, plan: Plan) -> float:
    dip = 0.0
    for s in range(len(card)):
        if card[s].joins < np.inf and card[s].priced:
            dip = max(dip, plan.reaches[s].dip)
    return dip


@inlined
def _look(life: Records, card: Records, plan: Plan, s: int, now: float) -> None:
    """Write whether a reach is on, its logs on rate and dropout without what a price adds, and when they change."""
    reach, mine = plan.reaches[s], card[s]
    begins, ends = spell(card, plan, s, life[0].last, now)
    rate = drop = 0.0
    changes = begins
    mine.on = False
    if begins <= now:
        changes = ends if now < ends else np.inf
        coming = life[0].before + life[0].k + 1
        mine.on = now < ends and reach.from_order <= coming < reach.until_order
    if mine.on:
        if mine.rate_log != 0.0:
            weight, until = strength(plan, COURSES * s, begins, now)
            rate, changes = mine.rate_log * weight, min(changes, until)
        if mine.drop_log != 0.0:
            weight, until = strength(plan, COURSES * s + 1, begins, now)
            drop, changes = mine.drop_log * weight, min(changes, until)
        rate += reach.contact_log
        if reach.points_threshold > 0:
            gain, until = stirred(life, card, plan, s, now)
            rate, changes = rate + gain, min(changes, until)
        if reach.status_cents > 0.0:
            gain, loss, until = roll_status(card, plan, s, now)
            rate, drop, changes = rate + gain, drop + loss, min(changes, until)
    mine.rate, mine.drop, mine.changes = rate, drop, changes
