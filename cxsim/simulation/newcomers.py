"""New customers whom a programme brings: who was attracted, and whom a customer recommends."""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.compiled import inlined, lean
from cxsim.simulation.journal import Books, count
from cxsim.simulation.life import MAX_REFERRED, Records
from cxsim.simulation.plan import Plan
from cxsim.tallies import N_REACH_TALLIES, N_TALLIES, ReachTally

_ATTRACTED, _REFERRAL = int(rng.Purpose.ATTRACTED), int(rng.Purpose.REFERRAL)
_REFERRED, _ANYWAY = int(rng.Purpose.REFERRED), int(rng.Purpose.ANYWAY)
_REACH_ATTRACTED, _REFERRALS = N_TALLIES + int(ReachTally.ATTRACTED), N_TALLIES + int(ReachTally.REFERRALS)


@lean
def attracted(life: Records, plan: Plan, books: Books) -> int:
    """Book a customer who comes on top; return the reach that brought them. Some of them never order again."""
    me = life[0]
    luck = rng.purpose_key(me.key, _ATTRACTED)
    total = 0.0
    for s in range(len(plan.reaches)):
        total += plan.reaches[s].attracts
    by, left = 0, rng.uniform(luck, 0) * total
    for s in range(len(plan.reaches)):
        if plan.reaches[s].attracts > 0.0:
            by = s
            left -= plan.reaches[s].attracts
            if left < 0.0:
                break
    count(books, me.row, me.cohort, books.month_of_day[int(me.entry)], _REACH_ATTRACTED + by * N_REACH_TALLIES, 1)
    if rng.uniform(luck, 1) >= plan.reaches[by].loyal:
        me.rate = 0.0
    return by


@inlined
def recommend(
    life: Records, card: Records, plan: Plan, books: Books, waiting: Records, queue: int, now: float, then: float
) -> int:
    """Let the customer win new ones between `now` and `then`; return how many wait to be played."""
    for s in range(life[0].refers, len(card)):
        if card[s].on and plan.reaches[s].referrals_per_day > 0.0 and life[0].felt >= 0.0:
            queue = _won(life, card, plan, books, waiting, queue, s, then, then - now)
    return queue


@lean
def recommend_on(
    life: Records, card: Records, plan: Plan, books: Books, waiting: Records, queue: int, now: float
) -> int:
    """Let a customer who stays and orders no more win new ones until the horizon; return how many wait to be played."""
    coming = life[0].before + life[0].k + 1
    for s in range(life[0].refers, len(card)):
        mine, reach = card[s], plan.reaches[s]
        if reach.referrals_per_day > 0.0 and mine.joins < np.inf and life[0].felt >= 0.0:
            begins, ends = max(now, mine.joins), min(mine.leaves, float(len(books.month_of_day)))
            if begins < ends and reach.from_order <= coming < reach.until_order:
                queue = _won(life, card, plan, books, waiting, queue, s, ends, ends - begins)
    return queue


@lean
def _won(
    life: Records,
    card: Records,
    plan: Plan,
    books: Books,
    waiting: Records,
    queue: int,
    s: int,
    then: float,
    passed: float,
) -> int:
    me, mine, reach = life[0], card[s], plan.reaches[s]
    mine.referral_left -= reach.referrals_per_day * passed
    while mine.referral_left <= 0.0:
        when = max(then + mine.referral_left / reach.referrals_per_day, me.entry)
        if when < len(books.month_of_day):
            month = books.month_of_day[int(when)]
            count(books, me.row, me.cohort, month, _REFERRALS + s * N_REACH_TALLIES, 1)
            new = rng.uniform(rng.purpose_key(mine.luck, _ANYWAY), mine.referrals) >= reach.anyway
            if new and queue < MAX_REFERRED:
                waiting[queue].key = rng.random_bits(rng.purpose_key(mine.luck, _REFERRED), mine.referrals)
                waiting[queue].by = me.id
                waiting[queue].entry, waiting[queue].reach = when, s
                queue += 1
        mine.referrals += 1
        mine.referral_left += rng.exponential(rng.purpose_key(mine.luck, _REFERRAL), mine.referrals)
    return queue
