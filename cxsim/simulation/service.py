"""What a customer goes through with an order: incident, ticket, recovery, satisfaction, survey, return."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cxsim import rng
from cxsim.jit import inlined, lean
from cxsim.simulation.counts import N_REACH_COUNT_KINDS, CountKind, ReachCountKind, place
from cxsim.simulation.plan import Plan
from cxsim.simulation.state import (
    CARD_RECORD,
    CUSTOMER_RECORD,
    LIFE_RECORD,
    MAX_REFERRED,
    REFERRED_RECORD,
    RETURN,
    SURVEY,
    TICKET,
    Block,
    Books,
    Records,
    count_for,
    note,
)
from cxsim.simulation.world import World

_INCIDENT, _TICKET, _RESOLUTION = int(rng.Purpose.INCIDENT), int(rng.Purpose.TICKET), int(rng.Purpose.RESOLUTION)
_RECOVERY, _RESPONSE, _SURVEY = int(rng.Purpose.RECOVERY), int(rng.Purpose.RESPONSE), int(rng.Purpose.SURVEY)
_ANSWER, _SCORE, _RETURN = int(rng.Purpose.ANSWER), int(rng.Purpose.SCORE), int(rng.Purpose.RETURN)
_INCIDENTS, _TICKETS, _COMPENSATION = int(CountKind.INCIDENTS), int(CountKind.TICKETS), int(CountKind.COMPENSATION)
_SURVEYED, _ANSWERED = int(CountKind.SURVEYED), int(CountKind.ANSWERED)
_PROMOTERS, _DETRACTORS = int(CountKind.PROMOTERS), int(CountKind.DETRACTORS)
_RETURNS, _REFUNDED, _SENT_BACK = int(CountKind.RETURNS), int(CountKind.REFUNDED), int(CountKind.SENT_BACK)
_REACH_TICKETS = place(ReachCountKind.TICKETS)
_SECONDS = 86_400.0
# The end of a ticket comes after as many hours again as the first answer, or five times as many where that did not
# solve it.
_SOLVED_AT_ONCE, _SOLVED_LATER = 2.0, 6.0
_PROMOTER, _DETRACTOR = 9, 6
NPS, CSAT, CES = 0, 1, 2


@inlined
def happen(life: Records, card: Records, plan: Plan, world: World) -> int:
    """Return the place of what happens to the customer's present order, from 1; 0 for nothing.

    Each incident has a stretch of one uniform number for itself, from the start of which its chance is measured: a
    programme that lowers the chance of one takes incidents away and changes none of the others.
    """
    if len(world.incidents) == 0:
        return 0
    u = rng.uniform(rng.purpose_key(life[0].key, _INCIDENT), life[0].k)
    begins = 0.0
    for kind in range(len(world.incidents)):
        ratio = 1.0
        for s in range(len(card)):
            if card[s].on:
                ratio *= plan.incidents[s, kind]
        chance = world.incidents[kind].chance
        if begins <= u < begins + chance * ratio:
            return kind + 1
        begins += chance * max(ratio, 1.0)
    return 0


@lean
def serve(life: Records, card: Records, plan: Plan, world: World, books: Books, incident: int, now: float) -> None:
    """Play what follows an order: ticket, answer, recovery; and move the customer's satisfaction."""
    me, facts = life[0], world.facts[0]
    month = books.month_of_day[int(now)]
    shift, tickets = 0.0, 1.0
    for s in range(len(card)):
        if card[s].on:
            shift += plan.reaches[s].shift
            tickets *= plan.reaches[s].tickets
    asks, shock = facts.contact, 0.0
    if incident > 0:
        count_for(books, life, month, _INCIDENTS, 1)
        asks, shock = world.incidents[incident - 1].ticket, world.incidents[incident - 1].shock
    delight = 0.0
    asked = rng.uniform(rng.purpose_key(me.key, _TICKET), me.k) < asks * tickets
    if asked:
        shock, delight = _answer(life, card, plan, world, books, shock, now)
    experience = me.trait + shift + shock - facts.usual
    me.mood += facts.memory * (experience - me.mood)
    me.felt += facts.memory * (experience + delight - me.felt)
    if facts.survey_order > 0.0:
        _ask(life, world, books, NPS, facts.survey_order, now)
    if asked and facts.survey_ticket > 0.0:
        _ask(life, world, books, CSAT, facts.survey_ticket, now)
        _ask(life, world, books, CES, facts.survey_ticket, now)


@inlined
def _answer(
    life: Records, card: Records, plan: Plan, world: World, books: Books, shock: float, now: float
) -> tuple[float, float]:
    """Answer a ticket; return the order's shock after it, and the delight of a recovery."""
    me, facts = life[0], world.facts[0]
    month = books.month_of_day[int(now)]
    count_for(books, life, month, _TICKETS, 1)
    open_share, hours = facts.unresolved_share, 1.0
    repair, delight, paid = 0.0, 0.0, 0
    for s in range(len(card)):
        if card[s].on:
            reach = plan.reaches[s]
            count_for(books, life, month, _REACH_TICKETS + s * N_REACH_COUNT_KINDS, 1)
            open_share, hours = open_share * reach.unresolved, hours * reach.hours
            if shock < 0.0 and rng.uniform(rng.purpose_key(card[s].seed_key, _RECOVERY), me.k) < reach.recovery:
                repair, delight = max(repair, reach.repair), max(delight, reach.delight)
                paid += int(reach.compensation_cents)
    unresolved = rng.uniform(rng.purpose_key(me.key, _RESOLUTION), me.k) < open_share
    if paid > 0:
        count_for(books, life, month, _COMPENSATION, paid)
    first = facts.response_days * hours
    if facts.response_spread > 0.0:
        first *= rng.exp(facts.response_spread * rng.normal(rng.purpose_key(me.key, _RESPONSE), me.k))
    whole = first * (_SOLVED_LATER if unresolved else _SOLVED_AT_ONCE)
    note(books, TICKET, life, now, int(first * _SECONDS), int(whole * _SECONDS), 0 if unresolved else 1, paid)
    if unresolved:
        shock += facts.unresolved
    if repair > 0.0 and shock < 0.0:
        shock *= 1.0 - repair
    return shock, delight


@lean
def _ask(life: Records, world: World, books: Books, instrument: int, share: float, now: float) -> None:
    me, facts, scale = life[0], world.facts[0], world.scales[instrument]
    ordinal = 3 * me.k + instrument
    if rng.uniform(rng.purpose_key(me.key, _SURVEY), ordinal) >= share:
        return
    month = books.month_of_day[int(now)]
    odds = facts.answer_odds * rng.exp(facts.extremity * abs(me.felt))
    score = -1
    if rng.uniform(rng.purpose_key(me.key, _ANSWER), ordinal) < odds / (1.0 + odds):
        noise = scale.noise * rng.normal(rng.purpose_key(me.key, _SCORE), ordinal)
        answer = scale.centre + scale.per_deviation * me.felt + noise
        score = int(min(max(np.floor(answer + 0.5), scale.low), scale.high))
    if instrument == NPS:
        count_for(books, life, month, _SURVEYED, 1)
        count_for(books, life, month, _ANSWERED, 1 if score >= 0 else 0)
        count_for(books, life, month, _PROMOTERS, 1 if score >= _PROMOTER else 0)
        count_for(books, life, month, _DETRACTORS, 1 if 0 <= score <= _DETRACTOR else 0)
    thousandths = int(np.floor(1000.0 * me.felt + 0.5))
    note(books, SURVEY, life, now, instrument, score, 0 if instrument == NPS else 1, thousandths)


@inlined
def sent_back(life: Records, card: Records, plan: Plan, world: World) -> float:
    """Return the share of the customer's present order that is sent back; 0 for none."""
    chance = world.facts[0].return_chance
    if chance <= 0.0:
        return 0.0
    for s in range(len(card)):
        if card[s].on:
            chance *= plan.reaches[s].returns
    if rng.uniform(rng.purpose_key(life[0].key, _RETURN), life[0].k) < chance:
        return world.facts[0].return_part
    return 0.0


@inlined
def refund(life: Records, world: World, books: Books, paid: int, listed: int, now: float) -> int:
    """Book the refund of an order of which a share was sent back; return the cents. None comes after the horizon."""
    part = world.facts[0].return_part
    cents = int(np.rint(part * paid))
    when = min(now + world.facts[0].return_days, len(books.month_of_day) - 0.5)
    month = books.month_of_day[int(when)]
    count_for(books, life, month, _RETURNS, 1)
    count_for(books, life, month, _REFUNDED, cents)
    count_for(books, life, month, _SENT_BACK, int(np.rint(part * listed)))
    note(books, RETURN, life, when, cents, int(np.rint(part * listed)), 0, 0)
    return cents


# The forces of the customer who is simulated, in an array of one record: ratios in force since the last event, the day
# on which they change, and what the stock of borrowed orders needs to know.
FORCE_RECORD = np.dtype(
    [
        ("anew", np.bool_),  # every reach is to be looked at: an order may have changed anything
        ("buying", np.float64),
        ("dropping", np.float64),
        ("drop", np.float64),  # its logarithm
        ("switch", np.float64),
        ("borrows", np.float64),  # share of each order's intensity that is borrowed from later
        ("dip", np.float64),  # share by which orders are down while the stock lasts; 0 while none is used up
    ],
    align=True,
)


# Where a customer stands between two events; thresholds still to be reached, and from when they are counted.
CLOCK_RECORD = np.dtype(
    [
        ("now", np.float64),
        ("season", np.float64),  # the same in seasonal time
        ("order_left", np.float64),
        ("order_anchor", np.float64),  # in seasonal time
        ("end_left", np.float64),
        ("end_anchor", np.float64),
        ("due", np.float64),
        ("month", np.int64),
    ],
    align=True,
)


class Desk(NamedTuple):
    """Room for one customer: who it is, their place in each reach, forces and clocks; and for whom they refer.

    life (1,), card (reaches,), force (1,), clock (1,), waiting (MAX_REFERRED,), child (1,).
    """

    life: Records
    card: Records
    force: Records
    clock: Records
    waiting: Records
    child: Block


def empty_desk(reaches: int) -> Desk:
    """Return a desk for an arm with so many reaches."""
    return Desk(
        life=np.zeros(1, LIFE_RECORD),
        card=np.zeros(reaches, CARD_RECORD),
        force=np.zeros(1, FORCE_RECORD),
        clock=np.zeros(1, CLOCK_RECORD),
        waiting=np.zeros(MAX_REFERRED, REFERRED_RECORD),
        child=np.zeros(1, CUSTOMER_RECORD),
    )


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
