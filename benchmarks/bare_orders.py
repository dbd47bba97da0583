"""One order of the bare rival, and what follows it; and the record of a customer."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.bare_numbers import (
    BACK,
    CHANCES,
    CLUB,
    FACTS,
    FRIENDS,
    RAMP,
    RAMP_ENDS,
    RATIOS,
    SALES,
    SCALES,
    SERVICE,
    SHOCKS,
    STACKING,
    TICKETS,
    WELCOME,
)
from benchmarks.world import P

TOTALS = (
    "orders", "list", "markdown", "reward", "refunded", "fees", "tickets", "compensation", "revived", "referrals",
    "answers", "scores", "hours", "points",
)  # fmt: skip
_BITS = ("welcomed", "served", "sentence", "referring", "member")
_NUMBERS = (
    "rate", "chance", "spend_rate", "entry", "last", "trait", "mood", "felt", "drop_log", "premium_log", "light",
    "referral_left", "sale_at", "sale_next", "window", "level", "reference", "seen_at", "step_at", "stock", "priced",
    "borrows", "dip", "buying", "club_at", "club_next", "club", "pull", "status_pull", "rewarded_at", "year_ends",
    "year_paid", "balance", "welcome", "welcome_next", "fee_at", "letters_until",
)  # fmt: skip
LIFE = np.dtype(
    [*((bit, np.bool_) for bit in _BITS), ("status", np.int64), *((n, np.float64) for n in _NUMBERS)], align=True
)


@njit
def order(me, now, first, sums):
    """Play an order; return whether the customer stays."""
    log = FACTS.basket_centre + FACTS.basket_log * me.mood
    if me.welcomed:
        log += WELCOME.basket_log
    if me.premium_log != 0.0:
        log += me.premium_log * np.exp(-FRIENDS.premium_fade_per_day * (now - me.entry))
    listed = np.rint(100.0 * np.random.gamma(P, 1.0 / me.spend_rate) * np.exp(log))
    taken = 0.0
    if now >= me.sale_at and me.window < 0.0 and np.random.random() < SALES.redemption:
        taken = np.rint(SALES.depth * listed)
    idle = now - me.last
    sent = me.sentence and not first and BACK.idle_days <= idle < BACK.idle_days + BACK.for_days
    if sent and np.random.random() < BACK.redemption:
        taken += BACK.face_cents
    taken = min(taken, listed)
    member = me.club_at <= now
    reward = _reward(me, listed - taken, now) if member else 0.0
    paid = listed - taken - reward
    sums[0] += 1
    sums[1] += listed
    sums[2] += taken
    sums[3] += reward
    kept = paid
    if np.random.random() < FACTS.return_chance * (SERVICE.returns if me.served else 1.0):
        kept -= np.rint(FACTS.return_part * paid)
        sums[4] += paid - kept
    drops = _drops(me, now)
    if member:
        _earn(me, kept, sums)
    _serve(me, sums)
    me.last = now
    return first or np.random.random() >= me.chance * np.exp(drops + FACTS.drop_centre + FACTS.drop_log * me.mood)


@njit
def _drops(me, now):
    welcome = club = harm = 0.0
    if me.welcomed:
        step = 0
        while me.entry + RAMP_ENDS[step] <= now:
            step += 1
        welcome = WELCOME.drop_log * RAMP[step]
    if me.status == 1:
        club = CLUB.status_drop_log
    elif me.status == 2:
        harm = CLUB.demotion_log
    top = min(welcome, club)
    return top + STACKING * (welcome + club - top) + harm + me.drop_log


@njit
def status_year(me, now):
    """Close the years of the club that are over."""
    while now >= me.year_ends:
        if me.status == 1 and me.year_paid < CLUB.status_cents:
            me.status = 2
        elif me.status == 2:
            me.status = 0
        me.year_paid, me.status_pull = 0.0, 0.0
        me.year_ends += 365.0


@njit
def _reward(me, due, now):
    if me.balance > 0.0 and me.last + CLUB.points_expiry_days < now:
        me.balance, me.pull = 0.0, 0.0
    if me.balance < CLUB.points_threshold or due < CLUB.reward_cents or np.random.random() >= CLUB.points_redemption:
        return 0.0
    me.balance -= CLUB.points_threshold
    me.rewarded_at = now
    return CLUB.reward_cents


@njit
def _earn(me, kept, sums):
    points = np.floor(CLUB.points_per_cent * (CLUB.status_earn if me.status == 1 else 1.0) * kept + 1e-9)
    me.balance += points
    sums[13] += points
    me.pull = _pull(min(me.balance / CLUB.points_threshold, 1.0), CLUB.pull, CLUB.steepness)
    me.year_paid += kept
    if me.year_paid >= CLUB.status_cents:
        me.status, me.status_pull = 1, 0.0
    elif me.status != 1:
        me.status_pull = _pull(me.year_paid / CLUB.status_cents, CLUB.status_pull, CLUB.status_steepness)


@njit
def _pull(full, pull, steepness):
    return np.log(1.0 + pull * full**steepness) if full > 0.0 else 0.0


@njit
def _serve(me, sums):
    u, begins, asks, shock = np.random.random(), 0.0, FACTS.contact, 0.0
    for kind in range(len(CHANCES)):
        ratio = RATIOS[kind] if me.served else 1.0
        if begins <= u < begins + CHANCES[kind] * ratio:
            asks, shock = TICKETS[kind], SHOCKS[kind]
            break
        begins += CHANCES[kind] * max(ratio, 1.0)
    shift, delight = (SERVICE.shift if me.served else 0.0), 0.0
    asked = np.random.random() < asks * (SERVICE.tickets if me.served else 1.0)
    if asked:
        shock, delight = _answer(me, shock, sums)
    experience = me.trait + shift + shock - FACTS.usual
    me.mood += FACTS.memory * (experience - me.mood)
    me.felt += FACTS.memory * (experience + delight - me.felt)
    if np.random.random() < FACTS.survey_order:
        _ask(me, 0, sums)
    if asked:
        for instrument in (1, 2):
            if np.random.random() < FACTS.survey_ticket:
                _ask(me, instrument, sums)


@njit
def _answer(me, shock, sums):
    sums[6] += 1
    share, hours, repair, delight = FACTS.unresolved_share, FACTS.response_days, 0.0, 0.0
    if me.served:
        share, hours = share * SERVICE.unresolved, hours * SERVICE.hours
        if shock < 0.0 and np.random.random() < SERVICE.recovery:
            repair, delight = SERVICE.repair, SERVICE.delight
            sums[7] += SERVICE.compensation_cents
    unresolved = np.random.random() < share
    sums[12] += hours * np.exp(FACTS.response_spread * np.random.normal()) * (6.0 if unresolved else 2.0)
    if unresolved:
        shock += FACTS.unresolved
    if shock < 0.0:
        shock *= 1.0 - repair
    return shock, delight


@njit
def _ask(me, instrument, sums):
    odds = FACTS.answer_odds * np.exp(FACTS.extremity * abs(me.felt))
    if np.random.random() < odds / (1.0 + odds):
        said = SCALES[instrument, 0] + SCALES[instrument, 1] * me.felt + SCALES[instrument, 2] * np.random.normal()
        sums[10] += 1
        sums[11] += min(max(np.floor(said + 0.5), SCALES[instrument, 3]), SCALES[instrument, 4])
