"""What a customer goes through with an order: incident, ticket, recovery, satisfaction, survey, return."""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.jit import inlined, lean
from cxsim.rng import Purpose
from cxsim.simulation.counts import CountKind, ReachCountKind
from cxsim.simulation.state import RETURN, SURVEY, TICKET, Desk, column_of, count_for, note

_SECONDS = 86_400.0
# The end of a ticket comes after as many hours again as the first answer, or five times as many where that did not
# solve it.
_SOLVED_AT_ONCE, _SOLVED_LATER = 2.0, 6.0
_PROMOTER, _DETRACTOR = 9, 6
NPS, CSAT, CES = 0, 1, 2


@inlined
def happen(desk: Desk) -> int:
    """Return the place of what happens to the customer's present order, from 1; 0 for nothing.

    Each incident has a stretch of one uniform number for itself, from the start of which its chance is measured: a
    programme that lowers the chance of one takes incidents away and changes none of the others.
    """
    if len(desk.incidents) == 0:
        return 0
    u = rng.uniform(rng.purpose_key(desk.life[0].key, Purpose.INCIDENT), desk.life[0].k)
    begins = 0.0
    for kind in range(len(desk.incidents)):
        ratio = 1.0
        for s in range(len(desk.card)):
            if desk.card[s].on:
                ratio *= desk.ratios[s, kind]
        chance = desk.incidents[kind].chance
        if begins <= u < begins + chance * ratio:
            return kind + 1
        begins += chance * max(ratio, 1.0)
    return 0


@inlined
def serve(desk: Desk, incident: int, now: float) -> None:
    """Play what follows an order: ticket, answer, recovery; and move the customer's satisfaction."""
    me, facts = desk.life[0], desk.facts[0]
    shift, tickets = 0.0, 1.0
    for s in range(len(desk.card)):
        if desk.card[s].on:
            shift += desk.reaches[s].shift
            tickets *= desk.reaches[s].tickets
    asks, shock = facts.contact, 0.0
    if incident > 0:
        count_for(desk, now, CountKind.INCIDENTS, 1)
        asks, shock = desk.incidents[incident - 1].ticket, desk.incidents[incident - 1].shock
    delight = 0.0
    asked = rng.uniform(rng.purpose_key(me.key, Purpose.TICKET), me.k) < asks * tickets
    if asked:
        shock, delight = _answer(desk, shock, now)
    experience = me.trait + shift + shock - facts.usual
    me.mood += facts.memory * (experience - me.mood)
    me.felt += facts.memory * (experience + delight - me.felt)
    if facts.survey_order > 0.0:
        _ask(desk, NPS, facts.survey_order, now)
    if asked and facts.survey_ticket > 0.0:
        _ask(desk, CSAT, facts.survey_ticket, now)
        _ask(desk, CES, facts.survey_ticket, now)


@inlined
def _answer(desk: Desk, shock: float, now: float) -> tuple[float, float]:
    """Answer a ticket; return the order's shock after it, and the delight of a recovery."""
    me, facts = desk.life[0], desk.facts[0]
    count_for(desk, now, CountKind.TICKETS, 1)
    open_share, hours = facts.unresolved_share, 1.0
    repair, delight, paid = 0.0, 0.0, 0
    for s in range(len(desk.card)):
        if desk.card[s].on:
            reach = desk.reaches[s]
            count_for(desk, now, column_of(s, ReachCountKind.TICKETS), 1)
            open_share, hours = open_share * reach.unresolved, hours * reach.hours
            if (
                shock < 0.0
                and rng.uniform(rng.purpose_key(desk.card[s].seed_key, Purpose.RECOVERY), me.k) < reach.recovery
            ):
                repair, delight = max(repair, reach.repair), max(delight, reach.delight)
                paid += int(reach.compensation_cents)
    unresolved = rng.uniform(rng.purpose_key(me.key, Purpose.RESOLUTION), me.k) < open_share
    if paid > 0:
        count_for(desk, now, CountKind.COMPENSATION, paid)
    first = facts.response_days * hours
    if facts.response_spread > 0.0:
        first *= rng.exp(facts.response_spread * rng.normal(rng.purpose_key(me.key, Purpose.RESPONSE), me.k))
    whole = first * (_SOLVED_LATER if unresolved else _SOLVED_AT_ONCE)
    note(desk, TICKET, now, int(first * _SECONDS), int(whole * _SECONDS), 0 if unresolved else 1, paid)
    if unresolved:
        shock += facts.unresolved
    if repair > 0.0 and shock < 0.0:
        shock *= 1.0 - repair
    return shock, delight


@lean
def _ask(desk: Desk, instrument: int, share: float, now: float) -> None:
    me, facts, scale = desk.life[0], desk.facts[0], desk.scales[instrument]
    ordinal = 3 * me.k + instrument
    if rng.uniform(rng.purpose_key(me.key, Purpose.SURVEY), ordinal) >= share:
        return
    odds = facts.answer_odds * rng.exp(facts.extremity * abs(me.felt))
    score = -1
    if rng.uniform(rng.purpose_key(me.key, Purpose.ANSWER), ordinal) < odds / (1.0 + odds):
        noise = scale.noise * rng.normal(rng.purpose_key(me.key, Purpose.SCORE), ordinal)
        answer = scale.centre + scale.per_deviation * me.felt + noise
        score = int(min(max(np.floor(answer + 0.5), scale.low), scale.high))
    if instrument == NPS:
        count_for(desk, now, CountKind.SURVEYED, 1)
        count_for(desk, now, CountKind.ANSWERED, 1 if score >= 0 else 0)
        count_for(desk, now, CountKind.PROMOTERS, 1 if score >= _PROMOTER else 0)
        count_for(desk, now, CountKind.DETRACTORS, 1 if 0 <= score <= _DETRACTOR else 0)
    thousandths = int(np.floor(1000.0 * me.felt + 0.5))
    note(desk, SURVEY, now, instrument, score, 0 if instrument == NPS else 1, thousandths)


@inlined
def sent_back(desk: Desk) -> float:
    """Return the share of the customer's present order that is sent back; 0 for none."""
    chance = desk.facts[0].return_chance
    if chance <= 0.0:
        return 0.0
    for s in range(len(desk.card)):
        if desk.card[s].on:
            chance *= desk.reaches[s].returns
    if rng.uniform(rng.purpose_key(desk.life[0].key, Purpose.RETURN), desk.life[0].k) < chance:
        return desk.facts[0].return_part
    return 0.0


@inlined
def refund(desk: Desk, paid: int, listed: int, now: float) -> int:
    """Book the refund of an order of which a share was sent back; return the cents. None comes after the horizon."""
    part = desk.facts[0].return_part
    cents = int(np.rint(part * paid))
    when = min(now + desk.facts[0].return_days, desk.horizon - 0.5)
    count_for(desk, when, CountKind.RETURNS, 1)
    count_for(desk, when, CountKind.REFUNDED, cents)
    count_for(desk, when, CountKind.SENT_BACK, int(np.rint(part * listed)))
    note(desk, RETURN, when, cents, int(np.rint(part * listed)), 0, 0)
    return cents


# A reference price moves in steps of half its half-life at most, in which the gap falls by three tenths, and has
# arrived when it is a thousandth away.
_NEAR, _FALL = 1e-3, 0.35


@inlined
def remembered(desk: Desk, s: int, now: float) -> tuple[float, float]:
    """Return the log on the order rate by the price of reach `s` against the reference price, and when it changes.

    Both prices are logs relative to the list price. Within a step the gap counts with its mean, so that nothing of its
    whole weight is lost. A step ends when it is over or the reach changes, and by nothing else that happens to the
    customer.
    """
    reach, mine = desk.reaches[s], desk.card[s]
    level = reach.price_log if mine.on else 0.0
    if reach.forget_per_day == np.inf:
        return reach.elasticity * level, np.inf
    if level != mine.level or now >= mine.level_until:
        _step(desk, s, level, now)
    return mine.level_log, mine.level_until


@inlined
def _step(desk: Desk, s: int, level: float, now: float) -> None:
    """Move the reference price to the present moment, and begin a step."""
    reach, mine = desk.reaches[s], desk.card[s]
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
def store(desk: Desk, intensity: float) -> None:
    """Borrow from later, or give back, as orders with so much intensity go by.

    While `dip` is the share by which orders are down, each unit of intensity gives back dip / (1 - dip).
    """
    me = desk.life[0]
    if me.borrows > 0.0:
        me.stock += me.borrows * intensity
    elif me.dip > 0.0:
        me.stock = max(me.stock - intensity * me.dip / (1.0 - me.dip), 0.0)


@inlined
def left_to_give_back(desk: Desk) -> float:
    """Return after how much intensity of orders the stock is used up; infinity while it is not being used."""
    me = desk.life[0]
    if me.dip > 0.0:
        return me.stock * (1.0 - me.dip) / me.dip
    return np.inf
