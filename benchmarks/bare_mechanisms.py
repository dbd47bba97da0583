"""Every mechanism of the full arm once more, as somebody would write it by hand for these eight programmes alone.

It plays what ours plays, at the same numbers: drift, seasons, traits, incidents, tickets with answers and recovery,
satisfaction, three surveys, returns; fading, climbing and light-buyer effects with stacking; sales with a reference
price on its weekly grid, forward buying and its dip; points with pull, rewards and lapsing; status with demotion; paid
membership; letters with unsubscribing; coupons to the idle and their return; attracted and referred customers. What
moves no order rate it works out at the orders alone, what moves one only when it changes, and like ours it stops the
clock of a customer who cannot order any more before the horizon. Numbers come from numba's own generator. A handful of
totals is added up; there are no books per cohort and month, no values of customers, no log, and nobody meets the same
random numbers twice.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.bare_numbers import (
    ATTRACTED_SHARE,
    BACK,
    CHANCE_SCORES,
    CLUB,
    FACTS,
    FRIENDS,
    LETTERS,
    PAID,
    RATE_SCORES,
    SALES,
    SERVICE,
    SPEND_SCORES,
    STACKING,
    STIRRED,
    WELCOME,
)
from benchmarks.bare_orders import LIFE, TOTALS, order
from benchmarks.bare_pulls import club, fee, sale, welcome
from benchmarks.bare_seasons import HORIZON, SEASON_END, day, month_at, season
from benchmarks.world import ALPHA_DAYS, A, B, Q, R, V

_WAITING = 1024
_YEAR = 365.0


def bare_mechanisms(customers: int) -> np.ndarray:
    """Return the totals TOTALS of so many customers, without those whom programmes attract among them."""
    sums = np.zeros(len(TOTALS))
    _all(round(customers * ATTRACTED_SHARE), customers, 1, np.zeros(1, LIFE), np.zeros((_WAITING, 1)), sums)
    return sums


@njit(nogil=True)
def _all(customers, usual, seed, lives, waiting, sums):
    np.random.seed(seed)
    me = lives[0]
    for i in range(customers):
        _born(me, np.random.random() * 31.0, 0.0, 0.0)
        if i >= usual and np.random.random() >= FRIENDS.loyal:
            me.rate = 0.0
        queue, played = _live(me, waiting, 0, sums), 0
        while played < queue:
            _born(me, waiting[played, 0], FRIENDS.referred_drop_log, FRIENDS.premium_log)
            queue = _live(me, waiting, queue, sums)
            played += 1


@njit
def _born(me, entry, drop_log, premium_log):
    rate, chance = np.random.gamma(R, 1.0 / ALPHA_DAYS), np.random.beta(A, B)
    me.spend_rate = np.random.gamma(Q, 1.0 / V)
    trait = FACTS.trait_own * np.random.normal() - FACTS.trait_spend * _score(SPEND_SCORES, np.log(me.spend_rate))
    if rate > 0.0:
        trait += FACTS.trait_rate * _score(RATE_SCORES, np.log(rate))
    if 0.0 < chance < 1.0:
        trait -= FACTS.trait_stay * _score(CHANCE_SCORES, np.log(chance / (1.0 - chance)))
    me.trait = me.mood = me.felt = trait
    me.rate, me.chance, me.entry, me.last = rate * np.exp(FACTS.drift_rate_log * entry), chance, entry, entry
    me.drop_log, me.premium_log = FACTS.drift_drop_log * entry + drop_log, premium_log
    me.welcomed, me.served = np.random.random() < WELCOME.uptake, np.random.random() < SERVICE.uptake
    me.sentence, me.referring = np.random.random() < BACK.uptake, np.random.random() < FRIENDS.uptake
    me.referral_left = np.random.exponential(1.0)
    me.light = 1.0
    if me.welcomed:
        me.light = 4.0
        if rate > 0.0:
            me.light = min((me.rate * ALPHA_DAYS / R) ** -WELCOME.rate_light, 4.0)
    me.sale_at = entry if np.random.random() < SALES.uptake else np.inf
    me.window, me.level, me.reference, me.stock, me.step_at = 0.0, 0.0, 0.0, 0.0, np.inf
    _join(me, entry)


@njit
def _join(me, entry):
    u = np.random.random()
    me.club_at = max(CLUB.ramp_days * u / CLUB.uptake, entry) if u < CLUB.uptake else np.inf
    me.year_ends, me.year_paid, me.status, me.balance = me.club_at + _YEAR, 0.0, 0, 0.0
    me.pull, me.status_pull, me.rewarded_at = 0.0, 0.0, -np.inf
    me.fee_at = entry if np.random.random() < PAID.uptake else np.inf
    me.member = False
    me.letters_until = 0.0
    if np.random.random() < LETTERS.uptake:
        me.letters_until = entry + np.random.exponential(1.0 / LETTERS.unsubscribe_per_day)


@njit
def _score(table, log):
    place = (log - table[0, 0]) / (table[0, 1] - table[0, 0])
    if place <= 0.0:
        return table[1, 0]
    knot = int(place)
    if knot >= table.shape[1] - 1:
        return table[1, table.shape[1] - 1]
    return table[1, knot] + (place - knot) * (table[1, knot + 1] - table[1, knot])


@njit
def _live(me, waiting, queue, sums):
    month = month_at(me.entry, 0)
    now, time = me.entry, season(me.entry, month)
    alive, left, fresh = _first(me, now, sums), np.random.exponential(1.0), True
    while True:
        if not alive:
            now, alive, fresh = _back(me, sums), True, True
            if now >= HORIZON:
                return queue
            month = month_at(now, month)
            time = season(now, month)
        change = _move(me, now, sums)
        if fresh and me.rate * _most(me) * (SEASON_END - time) < left:
            return _stay(me, waiting, queue, now, sums)
        speed = me.rate * me.buying
        order_at, dip_at = _next(me, time, month, left, change)
        then = min(order_at, change, dip_at)
        end = min(then, HORIZON)
        month = month_at(end, month)
        passed = season(end, month) - time
        time, left, fresh = time + passed, left - speed * passed, False
        _store(me, speed * passed, dip_at <= then)
        if me.referring and me.felt >= 0.0:
            queue = _recommend(me, waiting, queue, now, end, sums)
        if then >= HORIZON:
            return queue
        now = then
        if order_at <= then:
            alive, left, fresh, me.club_next = order(me, now, False, sums), np.random.exponential(1.0), True, now


@njit
def _first(me, now, sums):
    me.welcome_next = me.club_next = me.sale_next = me.seen_at = now
    me.buying, me.dip, me.borrows, me.priced = 1.0, 0.0, 0.0, 0.0
    _move(me, now, sums)
    stays = order(me, now, True, sums)
    me.club_next = now
    return stays


@njit
def _back(me, sums):
    """Return when a customer who has left comes back; infinity for never."""
    now = me.last + BACK.idle_days
    if not me.sentence or now >= HORIZON or np.random.random() >= BACK.revive:
        return np.inf
    sums[8] += 1
    me.drop_log += BACK.second_drop_log
    _lapse(me, now)
    return now


@njit
def _next(me, time, month, left, change):
    speed = me.rate * me.buying
    order_at = dip_at = np.inf
    if speed > 0.0:
        order_at = day(time + left / speed, month, change)
        if me.dip > 0.0:
            dip_at = day(time + me.stock * (1.0 - me.dip) / me.dip / speed, month, change)
    return order_at, dip_at


@njit
def _store(me, intensity, over):
    if me.borrows > 0.0:
        me.stock += me.borrows * intensity
    elif me.dip > 0.0:
        me.stock = 0.0 if over else max(me.stock - intensity * me.dip / (1.0 - me.dip), 0.0)


@njit
def _most(me):
    """Return a ratio on the order rate that nothing exceeds before the next order."""
    club = max(CLUB.status_rate_log, me.status_pull) + me.pull + (STIRRED[0] if me.rewarded_at > -np.inf else 0.0)
    paid = PAID.rate_log if me.fee_at < np.inf else 0.0
    sale = SALES.elasticity * SALES.price_log if me.sale_at < np.inf else 0.0
    welcome = WELCOME.rate_log * me.light if me.welcomed else 0.0
    gains, top = welcome + club + paid + sale + LETTERS.contact_log, max(welcome, club, paid, sale)
    return np.exp(top + STACKING * (gains - top) + FACTS.rate_centre + FACTS.rate_log * me.mood)


@njit
def _stay(me, waiting, queue, now, sums):
    """Let a customer who cannot order any more before the horizon pay and recommend until then."""
    while me.fee_at < HORIZON:
        fee(me, sums)
    if me.referring and me.felt >= 0.0:
        queue = _recommend(me, waiting, queue, now, HORIZON, sums)
    return queue


@njit
def _recommend(me, waiting, queue, now, end, sums):
    me.referral_left -= FRIENDS.referrals_per_day * (end - now)
    while me.referral_left <= 0.0:
        sums[9] += 1
        if np.random.random() >= FRIENDS.anyway and queue < _WAITING:
            waiting[queue, 0] = max(end + me.referral_left / FRIENDS.referrals_per_day, me.entry)
            queue += 1
        me.referral_left += np.random.exponential(1.0)
    return queue


@njit
def _lapse(me, now):
    """End the membership whose fee fell due while the customer was away."""
    if me.fee_at <= now:
        me.fee_at, me.member = np.inf, False


@njit
def _move(me, now, sums):
    """Bring what drives orders up to date; return when that changes next."""
    if me.welcome_next <= now:
        welcome(me, now)
    if me.club_next <= now:
        club(me, now)
    if me.fee_at <= now:
        fee(me, sums)
    if me.sale_at < np.inf:
        sale(me, now)
    letters = LETTERS.contact_log if now < me.letters_until else 0.0
    paid = PAID.rate_log if me.member else 0.0
    gains, top, loss = me.welcome + me.club + paid + letters, max(me.welcome, me.club, paid, letters), 0.0
    change = min(me.welcome_next, me.club_next, me.fee_at)
    if now < me.letters_until:
        change = min(change, me.letters_until)
    if me.sale_at < np.inf:
        change = min(change, me.sale_next, me.step_at)
        if me.priced > 0.0:
            gains, top = gains + me.priced, max(top, me.priced)
        else:
            loss = me.priced
    log = top + STACKING * (gains - top) + loss + FACTS.rate_centre + FACTS.rate_log * me.mood
    me.buying = np.exp(log)
    me.dip = 0.0
    if me.stock > 0.0 and me.borrows == 0.0:
        me.dip = SALES.dip
        me.buying *= 1.0 - me.dip
    return change
