"""A plan, a world and a block of customers in; what happens to them, counted per cohort, month and tally, out.

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
from cxsim.compiled import inlined, lean
from cxsim.simulation.blocks import Block, Latents, draw_newcomer
from cxsim.simulation.booking import book_end, book_order
from cxsim.simulation.cards import renew, renew_on, resume
from cxsim.simulation.desk import Desk
from cxsim.simulation.forces import most_buying, weigh
from cxsim.simulation.journal import ARRIVED, LEFT, REVIVED, Books, count, note
from cxsim.simulation.life import Records, join, settle
from cxsim.simulation.memory import left_to_give_back, store
from cxsim.simulation.newcomers import attracted, recommend, recommend_on
from cxsim.simulation.plan import Plan
from cxsim.simulation.reaches import spell
from cxsim.simulation.season import day_of, month_of, seasonal
from cxsim.simulation.service import serve
from cxsim.simulation.traits import Scores, relate
from cxsim.simulation.world import World
from cxsim.tallies import Tally

_ORDER, _DROPOUT, _LIFETIME = int(rng.Purpose.ORDER), int(rng.Purpose.DROPOUT), int(rng.Purpose.LIFETIME)
_REVIVAL = int(rng.Purpose.REVIVAL)
_ARRIVALS, _REFERRED, _REVIVED = int(Tally.ARRIVALS), int(Tally.REFERRED), int(Tally.REVIVED)


@lean
def play(
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
    """Play one block under one plan, and write what happens into the books."""
    most = 0
    for i in range(len(block)):
        if extra[i] < 0:
            continue
        settle(desk.life, block, i, world)
        desk.life[0].row = i
        join(desk.life, desk.card, plan, latents, reached, i)
        played, queue, referrer, by = -1, 0, -1, extra[i]
        # The customer first, then those whom they referred, then those whom these referred.
        while played < queue:
            if played >= 0:
                _seat(plan, world, latents, scores, desk, books, played)
                desk.life[0].row = i
                join(desk.life, desk.card, plan, latents, reached, len(block))
                referrer, by = desk.waiting[played].by, 0
            if not desk.life[0].alive:
                note(books, LEFT, desk.life, 0.0, 0, 0, 0, 0)
            if desk.life[0].is_new:
                _arrive(desk.life, plan, books, by, referrer)
            queue = _live(plan, world, latents, desk, books, queue)
            book_end(desk.life, desk.card, plan, books)
            played += 1
        most = max(most, queue)
    return most


@inlined
def _seat(plan: Plan, world: World, latents: Latents, scores: Scores, desk: Desk, books: Books, played: int) -> None:
    """Take a referred customer as the one who is played."""
    one = desk.waiting[played]
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
        count(books, me.row, me.cohort, month, _ARRIVALS if referrer < 0 else _REFERRED, 1)
    note(books, ARRIVED, life, me.entry, referrer, by, 0, 0)


@inlined
def _live(plan: Plan, world: World, latents: Latents, desk: Desk, books: Books, queue: int) -> int:
    """Play a customer from the entry to the horizon; return how many referred customers wait."""
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
            incident = book_order(desk.life, desk.card, plan, world, books, latents.p, then)
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
    if me.hazard > 0.0 or (me.is_new and me.k == 0) or time.due <= time.now:
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
    """Play whether the customer leaves after an order that was just placed; `before` is the mood before it."""
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
                if rng.uniform(rng.purpose_key(card[s].luck, _REVIVAL), ordinal) < plan.reaches[s].revive:
                    earliest, by = begins, s
    if earliest < len(books.month_of_day):
        me.drop_log += plan.reaches[by].second_drop_log
        resume(card, plan, earliest)
        count(books, me.row, me.cohort, books.month_of_day[int(earliest)], _REVIVED, 1)
        note(books, REVIVED, life, earliest, by, 0, 0, 0)
    return earliest
