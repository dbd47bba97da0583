"""A plan, a world and a block of customers in; what happens to them, counted per cohort, month and kind, out.

One customer at a time, in continuous time, from event to event. The next order comes when the accumulated purchase
intensity reaches a unit exponential threshold (random time change; Gibson & Bruck 2000), the end when the accumulated
dropout hazard does, or when the uniform of an order falls below its dropout probability. More hazard therefore means an
earlier end for every single customer, never a later one.

An intensity is accumulated from an anchor, and the anchor moves only when the intensity changes. So a programme that
changes no intensity leaves every order time as it is, to the last bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.jit import counted, inlined, lean
from cxsim.rng import Purpose
from cxsim.simulation.accounts import HELD, book_end, book_order, renew, renew_on, resume, roll_status, stirred
from cxsim.simulation.arrivals import Scores, attracted, recommend, recommend_on, relate
from cxsim.simulation.counts import CountKind
from cxsim.simulation.plan import COURSES, STIRS
from cxsim.simulation.service import left_to_give_back, remembered, serve, store
from cxsim.simulation.state import (
    ARRIVED,
    LEFT,
    ORDER,
    REVIVED,
    Block,
    Desk,
    Whole,
    count_for,
    day_of,
    draw_newcomer,
    join,
    month_of,
    note,
    seasonal,
    settle,
    spell,
    strength,
)

# More than what adding up in another order can change.
_SLACK = 1e-9


@inlined
def weigh(desk: Desk, now: float) -> None:
    """Work out the forces at `now`, and write which reaches are on."""
    me, facts = desk.life[0], desk.facts[0]
    rate, drop = _logs(desk, now)
    drop += me.drop_log
    if facts.experienced:
        rate += facts.rate_centre + facts.rate_log * me.mood
        drop += facts.drop_centre + facts.drop_log * me.mood
    me.buying = rng.exp(rate) if rate != 0.0 else 1.0
    if drop != me.drop:
        me.drop, me.dropping = drop, rng.exp(drop)
    me.anew, me.dip = False, 0.0
    if me.stock > 0.0 and me.borrows == 0.0:
        me.dip = _dip(desk)
        me.buying *= 1.0 - me.dip


@inlined
def _logs(desk: Desk, now: float) -> tuple[float, float]:
    """Return the logs on rate and dropout of all reaches, and write when they change and what is borrowed.

    A reach is looked at only on the day on which it changes, and all of them after an order.
    """
    me = desk.life[0]
    rates = drops = top_rate = top_drop = harm_rate = harm_drop = 0.0
    me.switch, me.borrows = np.inf, 0.0
    for s in range(len(desk.card)):
        mine = desk.card[s]
        if mine.joins < np.inf:
            if me.anew or mine.changes <= now:
                _look(desk, s, now)
            rate, drop = mine.rate + _priced(desk, s, now), mine.drop
            me.switch = min(me.switch, mine.changes)
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
    rate = top_rate + desk.stacking * (rates - top_rate) + harm_rate
    return rate, top_drop + desk.stacking * (drops - top_drop) + harm_drop


@inlined
def _priced(desk: Desk, s: int, now: float) -> float:
    """Return the log on the order rate by the price of a reach, and write when it changes and what is borrowed."""
    me = desk.life[0]
    if not desk.card[s].priced:
        return 0.0
    priced, until = remembered(desk, s, now)
    me.switch = min(me.switch, until)
    if priced > 0.0:
        me.borrows = max(me.borrows, desk.reaches[s].forward * (1.0 - rng.exp(-priced)))
    return priced


@inlined
def most_buying(desk: Desk) -> float:
    """Return a ratio on the order rate that is not exceeded before the next order: every part of it at its best."""
    facts = desk.facts[0]
    total = top = 0.0
    for s in range(len(desk.card)):
        mine, reach = desk.card[s], desk.reaches[s]
        if mine.joins < np.inf:
            most = max(mine.rate_log, 0.0) + max(reach.contact_log, 0.0) + max(mine.pull_log, 0.0)
            if reach.stirs > 0.0 and mine.rewarded_at > -np.inf:
                most += desk.courses[COURSES * s + STIRS, 0].strength
            if reach.status_cents > 0.0:
                most += max(reach.status_rate_log if mine.status == HELD else mine.status_pull_log, 0.0)
            most += max(reach.elasticity * reach.price_log, 0.0)
            total += most
            top = max(top, most)
    log = top + desk.stacking * (total - top)
    if facts.experienced:
        log += facts.rate_centre + facts.rate_log * desk.life[0].mood
    return rng.exp(log + _SLACK)


@inlined
def _dip(desk: Desk) -> float:
    dip = 0.0
    for s in range(len(desk.card)):
        mine = desk.card[s]
        if mine.joins < np.inf and mine.priced:
            dip = max(dip, desk.reaches[s].dip)
    return dip


@inlined
def _look(desk: Desk, s: int, now: float) -> None:
    """Write whether a reach is on, its logs on rate and dropout without what a price adds, and when they change."""
    me = desk.life[0]
    reach, mine = desk.reaches[s], desk.card[s]
    begins, ends = spell(desk, s, me.last, now)
    rate = drop = 0.0
    changes = begins
    mine.on = False
    if begins <= now:
        changes = ends if now < ends else np.inf
        coming = me.before + me.k + 1
        mine.on = now < ends and reach.from_order <= coming < reach.until_order
    if mine.on:
        if mine.rate_log != 0.0:
            weight, until = strength(desk, COURSES * s, begins, now)
            rate, changes = mine.rate_log * weight, min(changes, until)
        if mine.drop_log != 0.0:
            weight, until = strength(desk, COURSES * s + 1, begins, now)
            drop, changes = mine.drop_log * weight, min(changes, until)
        rate += reach.contact_log
        if reach.points_threshold > 0:
            gain, until = stirred(desk, s, now)
            rate, changes = rate + gain, min(changes, until)
        if reach.status_cents > 0.0:
            gain, loss, until = roll_status(desk, s, now)
            rate, drop, changes = rate + gain, drop + loss, min(changes, until)
    mine.rate, mine.drop, mine.changes = rate, drop, changes


@lean
def run_block(
    desk: Desk,
    scores: Scores,
    block: Block,
    reached: npt.NDArray[np.bool_],
    extra: npt.NDArray[np.int8],
) -> int:
    """Simulate one block under one plan, and write what happens into the books."""
    me = desk.life[0]
    most = 0
    for i in range(len(block)):
        if extra[i] < 0:
            continue
        settle(desk, block, i)
        me.row = i
        join(desk, reached, i)
        done, queue, referrer, by = -1, 0, -1, extra[i]
        # The customer first, then those whom they referred, then those whom these referred.
        while done < queue:
            if done >= 0:
                _seat(desk, scores, done)
                me.row = i
                join(desk, reached, len(block))
                referrer, by = desk.waiting[done].by, 0
            if not me.alive:
                note(desk, LEFT, 0.0, 0, 0, 0, 0)
            if me.is_new:
                _arrive(desk, by, referrer)
            queue = _live(desk, queue)
            book_end(desk)
            done += 1
        most = max(most, queue)
    return most


@inlined
def _seat(desk: Desk, scores: Scores, done: int) -> None:
    """Take a referred customer as the one who is simulated."""
    one = desk.waiting[done]
    reach = desk.reaches[one.reach]
    draw_newcomer(desk.child, one.key, one.entry, desk.counts.shape[0] - 1, desk.latents)
    relate(desk.child, scores, desk.facts)
    settle(desk, desk.child, 0)
    me = desk.life[0]
    me.drop_log += reach.referred_drop_log
    me.premium_log, me.premium_fade = reach.premium_log, reach.premium_fade_per_day


@inlined
def _arrive(desk: Desk, extra: int, referrer: int) -> None:
    me = desk.life[0]
    by = -1
    if extra == 1:
        by = attracted(desk)
    else:
        count_for(desk, me.entry, CountKind.ARRIVALS if referrer < 0 else CountKind.REFERRED, 1)
    note(desk, ARRIVED, me.entry, referrer, by, 0, 0)


@inlined
def _live(desk: Desk, queue: int) -> int:
    """Simulate a customer from the entry to the horizon; return how many referred customers wait."""
    me = desk.life[0]
    horizon = desk.horizon
    _start(desk)
    while True:
        if not me.alive:
            me.now = _revive(desk)
            if me.now >= horizon:
                break
            _start_again(desk)
        anew = me.anew
        _move(desk)
        if anew and _orders_no_more(desk):
            renew_on(desk)
            queue = recommend_on(desk, queue, me.now)
            break
        order_at, end_at, dip_at = _next(desk)
        then = min(order_at, end_at, me.switch, me.due, dip_at)
        queue = _pass(desk, queue, min(then, horizon))
        if then >= horizon:
            break
        if end_at <= then:
            me.alive, me.ended = False, then
            note(desk, LEFT, then, 0, 0, 0, 0)
            me.order_left = _remaining(desk)
            continue
        if dip_at <= then:
            me.stock = 0.0
        if order_at <= then:
            before = me.mood
            incident = book_order(desk, desk.latents.p, then)
            if desk.facts[0].experienced:
                serve(desk, incident, then)
            _stay_or_leave(desk, before)
    return queue


@inlined
def _start(desk: Desk) -> None:
    """Set the clocks at the entry of a customer; a new one orders at once."""
    me = desk.life[0]
    me.now, me.month = me.entry, month_of(desk, me.entry, 0)
    me.season = seasonal(desk, me.entry, me.month)
    me.order_anchor, me.end_anchor = me.season, me.now
    me.order_left = 0.0 if me.is_new else rng.exponential(rng.purpose_key(me.key, Purpose.ORDER), 0)
    me.end_left = np.inf
    if me.hazard > 0.0:
        me.end_left = rng.exponential(rng.purpose_key(me.key, Purpose.LIFETIME), 0)
    me.buying, me.dropping, me.drop = 1.0, 1.0, 0.0
    me.due, me.anew = -np.inf, True


@inlined
def _start_again(desk: Desk) -> None:
    """Set the clocks of one who has come back: what was left to wait for the order is still left."""
    me = desk.life[0]
    me.revived += 1
    me.alive, me.anew = True, True
    me.month = month_of(desk, me.now, 0)
    me.season = seasonal(desk, me.now, me.month)
    me.order_anchor, me.end_anchor = me.season, me.now
    if me.hazard > 0.0:
        me.end_left = rng.exponential(rng.purpose_key(me.key, Purpose.LIFETIME), me.revived)


@inlined
def _next(desk: Desk) -> tuple[float, float, float]:
    """Return when the next order, the end, and the end of a dip come if nothing changes before."""
    me = desk.life[0]
    order_at = end_at = dip_at = np.inf
    if me.hazard > 0.0:
        end_at = me.end_anchor + me.end_left / (me.hazard * me.dropping)
    if me.is_new and me.k == 0:
        order_at = me.entry
    elif me.rate > 0.0:
        # What comes after these need not be known.
        latest = min(end_at, me.switch, me.due)
        speed = me.rate * me.buying
        order_at = day_of(desk, me.order_anchor + me.order_left / speed, me.month, latest)
        if me.dip > 0.0:
            back = left_to_give_back(desk) / speed
            dip_at = day_of(desk, me.season + back, me.month, latest)
    return order_at, end_at, dip_at


@inlined
def _orders_no_more(desk: Desk) -> bool:
    """Return whether no order, and no end, can come before the horizon, whatever the reaches do: most have such a time.

    What is left of it needs no clock.
    """
    me = desk.life[0]
    if me.hazard > 0.0 or (me.is_new and me.k == 0) or me.due <= me.now:
        return False
    ahead = desk.months[len(desk.months) - 1].season - me.season
    return me.rate * most_buying(desk) * ahead < _remaining(desk)


@inlined
def _remaining(desk: Desk) -> float:
    """Return how much intensity is left until the next order."""
    me = desk.life[0]
    gone = me.rate * me.buying * (me.season - me.order_anchor)
    return max(me.order_left - gone, 0.0)


@inlined
def _pass(desk: Desk, queue: int, then: float) -> int:
    """Let time go by until the next event: borrowed orders, and recommendations; return how many customers wait."""
    me = desk.life[0]
    me.month = month_of(desk, then, me.month)
    season = seasonal(desk, then, me.month)
    store(desk, me.rate * me.buying * (season - me.season))
    queue = recommend(desk, queue, me.now, then)
    me.now, me.season = then, season
    return queue


@inlined
def _stay_or_leave(desk: Desk, before: float) -> None:
    """Decide whether the customer leaves after an order that was just placed; `before` is the mood before it."""
    me, facts = desk.life[0], desk.facts[0]
    leaving = me.chance * me.dropping
    if facts.experienced and facts.drop_log != 0.0:
        # What happened with this very order moves the chance of leaving after it.
        leaving *= rng.exp(facts.drop_log * (me.mood - before))
    tested = me.k > 0 or not me.is_new or desk.latents.drop_after_first == 1
    if tested and rng.uniform(rng.purpose_key(me.key, Purpose.DROPOUT), me.k) < leaving:
        me.alive, me.ended = False, me.now
    me.last = me.now
    me.k += 1
    if not me.alive:
        note(desk, LEFT, me.now, 1, 0, 0, 0)
    me.order_left = rng.exponential(rng.purpose_key(me.key, Purpose.ORDER), me.k)
    me.order_anchor, me.anew = me.season, True


@inlined
def _move(desk: Desk) -> None:
    """Work out the forces anew, and move the anchors of what has changed."""
    me = desk.life[0]
    buying, dropping, left = me.buying, me.dropping, _remaining(desk)
    if me.due <= me.now:
        me.due = renew(desk, me.now)
    weigh(desk, me.now)
    if me.buying != buying:
        me.order_left, me.order_anchor = left, me.season
    if me.dropping != dropping and me.hazard > 0.0:
        me.end_left = max(me.end_left - me.hazard * dropping * (me.now - me.end_anchor), 0.0)
        me.end_anchor = me.now


@inlined
def _revive(desk: Desk) -> float:
    """Return the day on which a programme brings back the customer who had left; infinity for never.

    Each programme has one chance in an idle spell: on the day that it answers it.
    """
    me, earliest, by = desk.life[0], np.inf, 0
    gone = me.ended if me.ended < np.inf else 0.0
    for s in range(len(desk.card)):
        mine, reach = desk.card[s], desk.reaches[s]
        if reach.revive > 0.0 and mine.joins < np.inf:
            begins, _ = spell(desk, s, me.last, gone)
            coming = me.before + me.k + 1
            within = reach.from_order <= coming < reach.until_order
            if within and gone <= begins < earliest:
                ordinal = 64 * me.k + me.revived
                if rng.uniform(rng.purpose_key(mine.seed_key, Purpose.REVIVAL), ordinal) < reach.revive:
                    earliest, by = begins, s
    if earliest < desk.horizon:
        me.drop_log += desk.reaches[by].second_drop_log
        resume(desk, earliest)
        count_for(desk, earliest, CountKind.REVIVED, 1)
        note(desk, REVIVED, earliest, by, 0, 0, 0)
    return earliest


@lean
def run_plain_block(desk: Desk, block: Block, present: np.ndarray) -> None:
    """Simulate one block of customers, of whom `present` says who is there, and write what happens into the books."""
    me = desk.life[0]
    for i in range(len(block)):
        if present[i]:
            one, alive = block[i], block[i].alive
            me.row, me.id, me.cohort, me.k = i, one.number, one.cohort, 0
            if not alive:
                note(desk, LEFT, 0.0, 0, 0, 0, 0)
            if one.is_new:
                count_for(desk, one.entry, CountKind.ARRIVALS, 1)
                note(desk, ARRIVED, one.entry, -1, -1, 0, 0)
                _order(desk, block, i, one.entry)
                if desk.latents.drop_after_first == 1:
                    alive = rng.uniform(rng.purpose_key(one.key, Purpose.DROPOUT), 0) >= one.dropout_prob
                me.k = 1
                if not alive:
                    note(desk, LEFT, one.entry, 1, 0, 0, 0)
            if alive:
                _alone_live(desk, block, i)


@inlined
def _alone_live(desk: Desk, block: Block, i: int) -> None:
    me, one, horizon = desk.life[0], block[i], desk.horizon
    order_key, dropout_key = rng.purpose_key(one.key, Purpose.ORDER), rng.purpose_key(one.key, Purpose.DROPOUT)
    rate, chance, hazard = one.rate, one.dropout_prob, one.dropout_rate
    now, end_at = one.entry, np.inf
    if hazard > 0.0:
        end_at = now + rng.exponential(rng.purpose_key(one.key, Purpose.LIFETIME), 0) / hazard
    alive = rate > 0.0
    while alive:
        now += rng.exponential(order_key, me.k) / rate
        if now >= horizon or end_at <= now:
            break
        _order(desk, block, i, now)
        alive = rng.uniform(dropout_key, me.k) >= chance
        me.k += 1
        if not alive:
            note(desk, LEFT, now, 1, 0, 0, 0)
    if end_at < horizon and (alive or rate <= 0.0):
        note(desk, LEFT, end_at, 0, 0, 0, 0)


@inlined
def _order(desk: Desk, block: Block, i: int, now: float) -> None:
    one = block[i]
    key = rng.purpose_key(one.key, Purpose.SPEND)
    paid = int(np.rint(100.0 * rng.gamma(key, desk.life[0].k, desk.latents.p) / one.spend_rate))
    count_for(desk, now, CountKind.LIST, paid)
    count_for(desk, now, CountKind.ORDERS, 1)
    note(desk, ORDER, now, paid, 0, 0, 0)


# A customer looks at the shop at most so often before an order.
_MOST = 1000


def visits(orders: Whole, *, seed: int, draw: int, conversion: float) -> Whole:
    """Return the visits before each order.

    The number of visits without an order before one with an order is geometric, so that the share `conversion` of all
    visits ends in an order; they lie evenly between the order before and this one.

    Shape (visits, 4): row of the order, customer, second, and 1 for the visit with the order.
    """
    return _visits(orders, seed, draw, conversion)


@counted
def _visits(orders: Whole, seed: int, draw: int, conversion: float) -> Whole:
    total = 0
    for row in range(len(orders)):
        total += _idle(seed, draw, orders[row, 0], orders[row, 1], conversion) + 1
    found, place = np.empty((total, 4), np.int64), 0
    for row in range(len(orders)):
        customer, order, before, at = orders[row]
        key = rng.purpose_key(rng.customer_key(seed, draw, customer), Purpose.SESSION)
        for number in range(_idle(seed, draw, customer, order, conversion)):
            share = rng.uniform(key, (order + 1) * _MOST + number)
            found[place] = (row, customer, before + int(share * (at - before)), 0)
            place += 1
        found[place] = (row, customer, at, 1)
        place += 1
    return found


@lean
def _idle(seed: int, draw: int, customer: int, order: int, conversion: float) -> int:
    """Return the number of visits without an order before one order."""
    if conversion >= 1.0:
        return 0
    key = rng.purpose_key(rng.customer_key(seed, draw, customer), Purpose.SESSION)
    waiting = rng.exponential(key, -2 - order)
    return min(int(waiting / -rng.log(1.0 - conversion)), _MOST - 1)
