"""What a customer goes through with an order: incident, ticket, recovery, satisfaction, survey, return."""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.compiled import inlined, lean
from cxsim.simulation.journal import RETURN, SURVEY, TICKET, Books, count, note
from cxsim.simulation.life import Records
from cxsim.simulation.plan import Plan
from cxsim.simulation.world import World
from cxsim.tallies import N_REACH_TALLIES, N_TALLIES, ReachTally, Tally

_INCIDENT, _TICKET, _RESOLUTION = int(rng.Purpose.INCIDENT), int(rng.Purpose.TICKET), int(rng.Purpose.RESOLUTION)
_RECOVERY, _RESPONSE, _SURVEY = int(rng.Purpose.RECOVERY), int(rng.Purpose.RESPONSE), int(rng.Purpose.SURVEY)
_ANSWER, _SCORE, _RETURN = int(rng.Purpose.ANSWER), int(rng.Purpose.SCORE), int(rng.Purpose.RETURN)
_INCIDENTS, _TICKETS, _COMPENSATION = int(Tally.INCIDENTS), int(Tally.TICKETS), int(Tally.COMPENSATION)
_SURVEYED, _ANSWERED = int(Tally.SURVEYED), int(Tally.ANSWERED)
_PROMOTERS, _DETRACTORS = int(Tally.PROMOTERS), int(Tally.DETRACTORS)
_RETURNS, _REFUNDED, _SENT_BACK = int(Tally.RETURNS), int(Tally.REFUNDED), int(Tally.SENT_BACK)
_REACH_TICKETS = N_TALLIES + int(ReachTally.TICKETS)
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
        count(books, me.row, me.cohort, month, _INCIDENTS, 1)
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
    count(books, me.row, me.cohort, month, _TICKETS, 1)
    open_share, hours = facts.unresolved_share, 1.0
    repair, delight, paid = 0.0, 0.0, 0
    for s in range(len(card)):
        if card[s].on:
            reach = plan.reaches[s]
            count(books, me.row, me.cohort, month, _REACH_TICKETS + s * N_REACH_TALLIES, 1)
            open_share, hours = open_share * reach.unresolved, hours * reach.hours
            if shock < 0.0 and rng.uniform(rng.purpose_key(card[s].luck, _RECOVERY), me.k) < reach.recovery:
                repair, delight = max(repair, reach.repair), max(delight, reach.delight)
                paid += int(reach.compensation_cents)
    unresolved = rng.uniform(rng.purpose_key(me.key, _RESOLUTION), me.k) < open_share
    if paid > 0:
        count(books, me.row, me.cohort, month, _COMPENSATION, paid)
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
        said = scale.centre + scale.per_deviation * me.felt + noise
        score = int(min(max(np.floor(said + 0.5), scale.low), scale.high))
    if instrument == NPS:
        count(books, me.row, me.cohort, month, _SURVEYED, 1)
        count(books, me.row, me.cohort, month, _ANSWERED, 1 if score >= 0 else 0)
        count(books, me.row, me.cohort, month, _PROMOTERS, 1 if score >= _PROMOTER else 0)
        count(books, me.row, me.cohort, month, _DETRACTORS, 1 if 0 <= score <= _DETRACTOR else 0)
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
    me = life[0]
    part = world.facts[0].return_part
    cents = int(np.rint(part * paid))
    when = min(now + world.facts[0].return_days, len(books.month_of_day) - 0.5)
    month = books.month_of_day[int(when)]
    count(books, me.row, me.cohort, month, _RETURNS, 1)
    count(books, me.row, me.cohort, month, _REFUNDED, cents)
    count(books, me.row, me.cohort, month, _SENT_BACK, int(np.rint(part * listed)))
    note(books, RETURN, life, when, cents, int(np.rint(part * listed)), 0, 0)
    return cents
