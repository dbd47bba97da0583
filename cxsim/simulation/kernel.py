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
from cxsim.simulation.accounts import HELD, book_end, book_order, renew, renew_on, resume, roll_status, stirred
from cxsim.simulation.arrivals import Scores, attracted, recommend, recommend_on, relate
from cxsim.simulation.counts import CountKind
from cxsim.simulation.plan import COURSES, STIRS, Plan
from cxsim.simulation.service import Desk, left_to_give_back, remembered, serve, store
from cxsim.simulation.state import (
    ARRIVED,
    LEFT,
    LOG_COLUMNS,
    ORDER,
    REVIVED,
    Block,
    Books,
    Latents,
    Records,
    count,
    count_for,
    day_of,
    draw_newcomer,
    expect,
    join,
    list_cents,
    mean_cents,
    month_of,
    note,
    seasonal,
    settle,
    spell,
    strength,
)
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


_ORDER, _DROPOUT, _LIFETIME = int(rng.Purpose.ORDER), int(rng.Purpose.DROPOUT), int(rng.Purpose.LIFETIME)
_REVIVAL = int(rng.Purpose.REVIVAL)
_ARRIVALS, _REFERRED, _REVIVED = int(CountKind.ARRIVALS), int(CountKind.REFERRED), int(CountKind.REVIVED)


@lean
def run_block(
    plan: Plan,
    world: World,
    latents: Latents,
    scores: Scores,
    block: Block,
    reached: npt.NDArray[np.bool_],
    extra: npt.NDArray[np.int8],
    desk: Desk,
    books: Books,
) -> int:
    """Simulate one block under one plan, and write what happens into the books."""
    most = 0
    for i in range(len(block)):
        if extra[i] < 0:
            continue
        settle(desk.life, block, i, world)
        desk.life[0].row = i
        join(desk.life, desk.card, plan, latents, reached, i)
        done, queue, referrer, by = -1, 0, -1, extra[i]
        # The customer first, then those whom they referred, then those whom these referred.
        while done < queue:
            if done >= 0:
                _seat(plan, world, latents, scores, desk, books, done)
                desk.life[0].row = i
                join(desk.life, desk.card, plan, latents, reached, len(block))
                referrer, by = desk.waiting[done].by, 0
            if not desk.life[0].alive:
                note(books, LEFT, desk.life, 0.0, 0, 0, 0, 0)
            if desk.life[0].is_new:
                _arrive(desk.life, plan, books, by, referrer)
            queue = _live(plan, world, latents, desk, books, queue)
            book_end(desk.life, desk.card, plan, books)
            if desk.life[0].alive and desk.life[0].rate > 0.0:
                _look_ahead(desk.life, world, latents, books)
            done += 1
        most = max(most, queue)
    return most


@lean
def _look_ahead(life: Records, world: World, latents: Latents, books: Books) -> None:
    """Count what is to be expected of a customer who is still there: by their own rates, when no programme runs."""
    me, facts = life[0], world.facts[0]
    buying, dropping, basket = me.rate, rng.exp(me.drop_log), 1.0
    if facts.experienced:
        # Satisfaction returns to what it usually is.
        buying *= rng.exp(facts.rate_centre + facts.rate_log * me.trait)
        dropping *= rng.exp(facts.drop_centre + facts.drop_log * me.trait)
        basket = rng.exp(facts.basket_centre + facts.basket_log * me.trait)
    leaving = me.hazard * dropping + buying * min(me.chance * dropping, 1.0)
    cents = basket * mean_cents(latents, me.spend_rate)
    # Borrowed orders are missing first. Who leaves on the calendar does so meanwhile; after an order nobody can.
    pause = me.stock / buying
    if pause > 0.0:
        buying *= rng.exp(-me.hazard * dropping * pause)
    expect(books, me.row, me.cohort, buying, leaving, cents, pause)


@inlined
def _seat(plan: Plan, world: World, latents: Latents, scores: Scores, desk: Desk, books: Books, done: int) -> None:
    """Take a referred customer as the one who is simulated."""
    one = desk.waiting[done]
    reach = plan.reaches[one.reach]
    draw_newcomer(desk.child, one.key, one.entry, books.counts.shape[0] - 1, latents)
    relate(desk.child, scores, world)
    settle(desk.life, desk.child, 0, world)
    me = desk.life[0]
    me.drop_log += reach.referred_drop_log
    me.premium_log, me.premium_fade = reach.premium_log, reach.premium_fade_per_day


@inlined
def _arrive(life: Records, plan: Plan, books: Books, extra: int, referrer: int) -> None:
    me = life[0]
    month = books.month_of_day[int(me.entry)]
    by = -1
    if extra == 1:
        by = attracted(life, plan, books)
    else:
        count_for(books, life, month, _ARRIVALS if referrer < 0 else _REFERRED, 1)
    note(books, ARRIVED, life, me.entry, referrer, by, 0, 0)


@inlined
def _live(plan: Plan, world: World, latents: Latents, desk: Desk, books: Books, queue: int) -> int:
    """Simulate a customer from the entry to the horizon; return how many referred customers wait."""
    me, mine, time = desk.life[0], desk.force[0], desk.clock[0]
    horizon = float(len(books.month_of_day))
    _start(desk, world)
    while True:
        if not me.alive:
            time.now = _revive(desk.life, desk.card, plan, books)
            if time.now >= horizon:
                break
            _start_again(desk, world)
        anew = mine.anew
        _move(plan, world, desk, books)
        if anew and _orders_no_more(plan, world, desk):
            renew_on(desk.life, desk.card, plan, books)
            queue = recommend_on(desk.life, desk.card, plan, books, desk.waiting, queue, time.now)
            break
        order_at, end_at, dip_at = _next(desk, world)
        then = min(order_at, end_at, mine.switch, time.due, dip_at)
        queue = _pass(plan, world, desk, books, queue, min(then, horizon))
        if then >= horizon:
            break
        if end_at <= then:
            me.alive, me.ended = False, then
            note(books, LEFT, desk.life, then, 0, 0, 0, 0)
            time.order_left = _remaining(desk)
            continue
        if dip_at <= then:
            me.stock = 0.0
        if order_at <= then:
            before = me.mood
            incident = book_order(desk.life, desk.card, plan, world, books, latents, then)
            if world.facts[0].experienced:
                serve(desk.life, desk.card, plan, world, books, incident, then)
            _stay_or_leave(world, latents, desk, books, before)
    return queue


@inlined
def _start(desk: Desk, world: World) -> None:
    """Set the clocks at the entry of a customer; a new one orders at once."""
    me, time = desk.life[0], desk.clock[0]
    time.now, time.month = me.entry, month_of(world, me.entry, 0)
    time.season = seasonal(world, me.entry, time.month)
    time.order_anchor, time.end_anchor = time.season, time.now
    time.order_left = 0.0 if me.is_new else rng.exponential(rng.purpose_key(me.key, _ORDER), 0)
    time.end_left = np.inf
    if me.hazard > 0.0:
        time.end_left = rng.exponential(rng.purpose_key(me.key, _LIFETIME), 0)
    desk.force[0].buying, desk.force[0].dropping, desk.force[0].drop = 1.0, 1.0, 0.0
    time.due, desk.force[0].anew = -np.inf, True


@inlined
def _start_again(desk: Desk, world: World) -> None:
    """Set the clocks of one who has come back: what was left to wait for the order is still left."""
    me, time = desk.life[0], desk.clock[0]
    me.revived += 1
    me.alive, desk.force[0].anew = True, True
    time.month = month_of(world, time.now, 0)
    time.season = seasonal(world, time.now, time.month)
    time.order_anchor, time.end_anchor = time.season, time.now
    if me.hazard > 0.0:
        time.end_left = rng.exponential(rng.purpose_key(me.key, _LIFETIME), me.revived)


@inlined
def _next(desk: Desk, world: World) -> tuple[float, float, float]:
    """Return when the next order, the end, and the end of a dip come if nothing changes before."""
    me, mine, time = desk.life[0], desk.force[0], desk.clock[0]
    order_at = end_at = dip_at = np.inf
    if me.hazard > 0.0:
        end_at = time.end_anchor + time.end_left / (me.hazard * mine.dropping)
    if me.is_new and me.k == 0:
        order_at = me.entry
    elif me.rate > 0.0:
        # What comes after these need not be known.
        latest = min(end_at, mine.switch, time.due)
        speed = me.rate * mine.buying
        order_at = day_of(world, time.order_anchor + time.order_left / speed, time.month, latest)
        if mine.dip > 0.0:
            back = left_to_give_back(desk.life, desk.force) / speed
            dip_at = day_of(world, time.season + back, time.month, latest)
    return order_at, end_at, dip_at


@inlined
def _orders_no_more(plan: Plan, world: World, desk: Desk) -> bool:
    """Return whether no order, and no end, can come before the horizon, whatever the reaches do: most have such a time.

    What is left of it needs no clock.
    """
    me, time = desk.life[0], desk.clock[0]
    # How many orders are borrowed by the end needs a clock.
    if me.hazard > 0.0 or (me.is_new and me.k == 0) or time.due <= time.now or me.borrower:
        return False
    ahead = world.months[len(world.months) - 1].season - time.season
    return me.rate * most_buying(desk.life, desk.card, plan, world) * ahead < _remaining(desk)


@inlined
def _remaining(desk: Desk) -> float:
    """Return how much intensity is left until the next order."""
    time = desk.clock[0]
    gone = desk.life[0].rate * desk.force[0].buying * (time.season - time.order_anchor)
    return max(time.order_left - gone, 0.0)


@inlined
def _pass(plan: Plan, world: World, desk: Desk, books: Books, queue: int, then: float) -> int:
    """Let time go by until the next event: borrowed orders, and recommendations; return how many customers wait."""
    time = desk.clock[0]
    time.month = month_of(world, then, time.month)
    season = seasonal(world, then, time.month)
    store(desk.life, desk.force, desk.life[0].rate * desk.force[0].buying * (season - time.season))
    queue = recommend(desk.life, desk.card, plan, books, desk.waiting, queue, time.now, then)
    time.now, time.season = then, season
    return queue


@inlined
def _stay_or_leave(world: World, latents: Latents, desk: Desk, books: Books, before: float) -> None:
    """Decide whether the customer leaves after an order that was just placed; `before` is the mood before it."""
    me, time, facts = desk.life[0], desk.clock[0], world.facts[0]
    leaving = me.chance * desk.force[0].dropping
    if facts.experienced and facts.drop_log != 0.0:
        # What happened with this very order moves the chance of leaving after it.
        leaving *= rng.exp(facts.drop_log * (me.mood - before))
    tested = me.k > 0 or not me.is_new or latents.drop_after_first == 1
    if tested and rng.uniform(rng.purpose_key(me.key, _DROPOUT), me.k) < leaving:
        me.alive, me.ended = False, time.now
    me.last = time.now
    me.k += 1
    if not me.alive:
        note(books, LEFT, desk.life, time.now, 1, 0, 0, 0)
    time.order_left = rng.exponential(rng.purpose_key(me.key, _ORDER), me.k)
    time.order_anchor, desk.force[0].anew = time.season, True


@inlined
def _move(plan: Plan, world: World, desk: Desk, books: Books) -> None:
    """Work out the forces anew, and move the anchors of what has changed."""
    me, mine, time = desk.life[0], desk.force[0], desk.clock[0]
    buying, dropping, left = mine.buying, mine.dropping, _remaining(desk)
    if time.due <= time.now:
        time.due = renew(desk.life, desk.card, plan, books, time.now)
    weigh(desk.force, desk.life, desk.card, plan, world, time.now)
    if mine.buying != buying:
        time.order_left, time.order_anchor = left, time.season
    if mine.dropping != dropping and me.hazard > 0.0:
        time.end_left = max(time.end_left - me.hazard * dropping * (time.now - time.end_anchor), 0.0)
        time.end_anchor = time.now


@lean
def _revive(life: Records, card: Records, plan: Plan, books: Books) -> float:
    """Return the day on which a programme brings back the customer who had left; infinity for never.

    Each programme has one chance in an idle spell: on the day that it answers it.
    """
    me, earliest, by = life[0], np.inf, 0
    gone = me.ended if me.ended < np.inf else 0.0
    for s in range(len(card)):
        if plan.reaches[s].revive > 0.0 and card[s].joins < np.inf:
            begins, _ = spell(card, plan, s, me.last, gone)
            coming = me.before + me.k + 1
            within = plan.reaches[s].from_order <= coming < plan.reaches[s].until_order
            if within and gone <= begins < earliest:
                ordinal = 64 * me.k + me.revived
                if rng.uniform(rng.purpose_key(card[s].seed_key, _REVIVAL), ordinal) < plan.reaches[s].revive:
                    earliest, by = begins, s
    if earliest < len(books.month_of_day):
        me.drop_log += plan.reaches[by].second_drop_log
        resume(card, plan, earliest)
        count_for(books, life, books.month_of_day[int(earliest)], _REVIVED, 1)
        note(books, REVIVED, life, earliest, by, 0, 0, 0)
    return earliest


_ORDERS, _LIST = int(CountKind.ORDERS), int(CountKind.LIST)
_SECONDS_PER_DAY = 86_400.0
_NUMBERS = len(LOG_COLUMNS)


@lean
def run_plain_block(latents: Latents, block: Block, present: np.ndarray, books: Books) -> None:
    """Simulate one block of customers, of whom `present` says who is there, and write what happens into the books."""
    for i in range(len(block)):
        if not present[i]:
            continue
        k, alive = 0, block[i].alive
        if not alive:
            _log(books, block, i, LEFT, 0, 0.0, 0, 0)
        if block[i].is_new:
            count(books, i, block[i].cohort, books.month_of_day[int(block[i].entry)], _ARRIVALS, 1)
            _log(books, block, i, ARRIVED, 0, block[i].entry, -1, -1)
            _order(latents, books, block, i, 0, block[i].entry)
            k = 1
            if latents.drop_after_first == 1:
                key = rng.purpose_key(block[i].key, _DROPOUT)
                alive = rng.uniform(key, 0) >= block[i].dropout_prob
                if not alive:
                    _log(books, block, i, LEFT, 1, block[i].entry, 1, 0)
        if alive:
            _alone_live(latents, block, i, books, k)


@inlined
def _alone_live(latents: Latents, block: Block, i: int, books: Books, k: int) -> None:
    horizon = float(len(books.month_of_day))
    order_key, dropout_key = (
        rng.purpose_key(block[i].key, _ORDER),
        rng.purpose_key(block[i].key, _DROPOUT),
    )
    rate, chance, hazard = block[i].rate, block[i].dropout_prob, block[i].dropout_rate
    now, end_at = block[i].entry, np.inf
    if hazard > 0.0:
        end_at = now + rng.exponential(rng.purpose_key(block[i].key, _LIFETIME), 0) / hazard
    alive = rate > 0.0
    while alive:
        now += rng.exponential(order_key, k) / rate
        if now >= horizon or end_at <= now:
            break
        _order(latents, books, block, i, k, now)
        alive = rng.uniform(dropout_key, k) >= chance
        k += 1
        if not alive:
            _log(books, block, i, LEFT, k, now, 1, 0)
    if end_at < horizon and (alive or rate <= 0.0):
        _log(books, block, i, LEFT, k, end_at, 0, 0)
    elif alive:
        cents = mean_cents(latents, block[i].spend_rate)
        expect(books, i, block[i].cohort, rate, hazard + rate * chance, cents, 0.0)


@inlined
def _order(latents: Latents, books: Books, block: Block, i: int, k: int, now: float) -> None:
    cohort, month = block[i].cohort, books.month_of_day[int(now)]
    paid = int(np.rint(list_cents(latents, block[i].key, k, block[i].spend_rate)))
    count(books, i, cohort, month, _LIST, paid)
    count(books, i, cohort, month, _ORDERS, 1)
    _log(books, block, i, ORDER, k, now, paid, 0)


@inlined
def _log(books: Books, block: Block, i: int, kind: int, k: int, when: float, a: int, b: int) -> None:
    place = books.cursor[0]
    books.cursor[0] = place + 1
    if place < len(books.log):
        log = books.log
        log[place, 0], log[place, 1], log[place, 2] = kind, block[i].number, k
        log[place, 3], log[place, 4], log[place, 5] = int(when * _SECONDS_PER_DAY), a, b
        for column in range(6, _NUMBERS):
            log[place, column] = 0


_SESSION = int(rng.Purpose.SESSION)
# A customer looks at the shop at most so often before an order.
_MOST = 1000
Whole = npt.NDArray[np.int64]


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
        key = rng.purpose_key(rng.customer_key(seed, draw, customer), _SESSION)
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
    key = rng.purpose_key(rng.customer_key(seed, draw, customer), _SESSION)
    waiting = rng.exponential(key, -2 - order)
    return min(int(waiting / -rng.log(1.0 - conversion)), _MOST - 1)
