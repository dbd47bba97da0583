"""What drives a customer of the bare rival to order: welcome, club, membership and sales, each brought up to date."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.bare_numbers import CLUB, FADING, FADING_ENDS, PAID, SALES, STIRRED, STIRRED_ENDS, WELCOME
from benchmarks.bare_orders import status_year

_NEAR, _FALL = 1e-3, 0.35


@njit
def welcome(me, now):
    """Bring the fading welcome up to date."""
    me.welcome, me.welcome_next = 0.0, np.inf
    if me.welcomed:
        step = 0
        while me.entry + FADING_ENDS[step] <= now:
            step += 1
        me.welcome, me.welcome_next = WELCOME.rate_log * me.light * FADING[step], me.entry + FADING_ENDS[step]


@njit
def club(me, now):
    """Bring points, rewards and status up to date."""
    me.club, me.club_next = 0.0, me.club_at
    if me.club_at > now:
        return
    status_year(me, now)
    me.club_next = me.year_ends
    lapses = me.last + CLUB.points_expiry_days
    if me.pull != 0.0 and now < lapses:
        me.club, me.club_next = me.pull, min(me.club_next, lapses)
    if me.rewarded_at > -np.inf:
        step = 0
        while me.rewarded_at + STIRRED_ENDS[step] <= now:
            step += 1
        me.club += STIRRED[step]
        me.club_next = min(me.club_next, me.rewarded_at + STIRRED_ENDS[step])
    me.club += CLUB.status_rate_log if me.status == 1 else me.status_pull


@njit
def fee(me, sums):
    """Take the fee that is due, or end the membership."""
    if not me.member or np.random.random() < PAID.renewal:
        me.member = True
        sums[5] += PAID.fee_cents
        me.fee_at += PAID.period_days
    else:
        me.member, me.fee_at = False, np.inf


@njit
def sale(me, now):
    """Bring price and reference price up to date."""
    if me.sale_next <= now:
        while now >= me.sale_at + SALES.every_days:
            me.sale_at += SALES.every_days
        on = now < me.sale_at + SALES.for_days
        me.window = SALES.price_log if on else 0.0
        me.sale_next = me.sale_at + (SALES.for_days if on else SALES.every_days)
    if now < me.step_at and me.level == me.window:
        return
    if now > me.seen_at:
        me.reference = me.level + (me.reference - me.level) * np.exp(-SALES.forget_per_day * (now - me.seen_at))
    me.seen_at, me.level = now, me.window
    gap, me.priced, me.borrows, me.step_at = me.window - me.reference, 0.0, 0.0, np.inf
    if abs(gap) < _NEAR:
        me.reference = me.window
        return
    fall = min(SALES.forget_per_day * (me.sale_next - now), _FALL)
    me.step_at = now + fall / SALES.forget_per_day
    mean = (1.0 - np.exp(-fall)) / fall
    me.priced = gap * mean * SALES.elasticity * (1.0 if gap < 0.0 else SALES.loss_aversion)
    if me.priced > 0.0:
        me.borrows = SALES.forward * (1.0 - np.exp(-me.priced))
