"""One order, or the end of a customer's time, in; tallies per cohort and month out. Everything is a whole number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.compiled import inlined, lean
from cxsim.simulation.cards import earn, expire, redeem
from cxsim.simulation.journal import CONTACT, MEMBER, ORDER, Books, count, note
from cxsim.simulation.life import Records
from cxsim.simulation.plan import Plan
from cxsim.simulation.plan_rows import COURSES
from cxsim.simulation.reaches import spell, strength
from cxsim.simulation.service import happen, refund, sent_back
from cxsim.simulation.world import World
from cxsim.tallies import N_REACH_TALLIES, N_TALLIES, ReachTally, Tally

_SPEND, _REDEMPTION = int(rng.Purpose.SPEND), int(rng.Purpose.REDEMPTION)
_ORDERS, _LIST, _MARKDOWN, _REWARD = int(Tally.ORDERS), int(Tally.LIST), int(Tally.MARKDOWN), int(Tally.REWARD)
_OUTSTANDING, _UNSUBSCRIBED = int(Tally.POINTS_OUTSTANDING), int(Tally.UNSUBSCRIBED)
_REACH_ORDERS, _REACH_PAID = N_TALLIES + int(ReachTally.ORDERS), N_TALLIES + int(ReachTally.PAID)
_MEMBER_MONTHS, _CONTACTS = N_TALLIES + int(ReachTally.MEMBER_MONTHS), N_TALLIES + int(ReachTally.CONTACTS)
_SECONDS_PER_DAY = 86_400.0
_POINTS_VALUE, _REDEMPTIONS = N_TALLIES + int(ReachTally.POINTS_VALUE), N_TALLIES + int(ReachTally.REDEMPTIONS)


@inlined
def book_order(
    life: Records, card: Records, plan: Plan, world: World, books: Books, spend_shape: float, now: float
) -> int:
    """Book the order of the customer who is played; return the place of what happened to it, from 1, or 0."""
    me, month = life[0], books.month_of_day[int(now)]
    spend = 100.0 * rng.gamma(rng.purpose_key(me.key, _SPEND), me.k, spend_shape) / me.spend_rate
    listed = int(np.rint(spend * _basket(life, card, plan, world, now)))
    incident = happen(life, card, plan, world)
    markdown = _markdown(life, card, plan, books, listed, month)
    expire(life, card, plan, books, now)
    reward = 0
    for s in range(len(card)):
        if card[s].on:
            reward += redeem(life, card, plan, books, s, listed - markdown - reward, now)
    paid = listed - markdown - reward
    count(books, me.row, me.cohort, month, _ORDERS, 1)
    count(books, me.row, me.cohort, month, _LIST, listed)
    if markdown > 0:
        count(books, me.row, me.cohort, month, _MARKDOWN, markdown)
    if reward > 0:
        count(books, me.row, me.cohort, month, _REWARD, reward)
    note(books, ORDER, life, now, listed, markdown, reward, incident)
    kept = paid
    if sent_back(life, card, plan, world) > 0.0:
        kept -= refund(life, world, books, paid, listed, now)
    for s in range(len(card)):
        if card[s].on:
            shift = s * N_REACH_TALLIES
            count(books, me.row, me.cohort, month, _REACH_ORDERS + shift, 1)
            count(books, me.row, me.cohort, month, _REACH_PAID + shift, paid)
            earn(life, card, plan, books, s, kept, now)
    _contact(life, card, plan, books, now)
    return incident


@lean
def book_end(life: Records, card: Records, plan: Plan, books: Books) -> None:
    """Book what goes on until the horizon whether or not the customer still buys: contacts, membership, points.

    A shop does not see that somebody has left: it goes on writing to them and paying for their membership. Only a
    membership that costs a fee ends with the period in which the customer left.
    """
    me, days = life[0], float(len(books.month_of_day))
    final = books.month_of_day[len(books.month_of_day) - 1]
    _contact(life, card, plan, books, days)
    expire(life, card, plan, books, days)
    for s in range(len(card)):
        mine, reach, shift = card[s], plan.reaches[s], s * N_REACH_TALLIES
        leaves = _leaves(life, card, plan, s)
        if mine.joins < min(leaves, days):
            last_day = min(int(np.ceil(leaves)), len(books.month_of_day)) - 1
            joined, gone = books.month_of_day[int(mine.joins)], books.month_of_day[last_day] + 1
            # One more from the month of joining on, one less from the month after the last: `add_up_members`, once for
            # the block, makes months of these, which one by one would be a tenth of all work.
            books.counts[me.cohort, joined, _MEMBER_MONTHS + shift] += 1
            if gone < books.counts.shape[1]:
                books.counts[me.cohort, gone, _MEMBER_MONTHS + shift] -= 1
            books.values[me.row] += (gone - joined) * books.worth[_MEMBER_MONTHS + shift]
            note(books, MEMBER, life, mine.joins, s, int(min(leaves, days) * _SECONDS_PER_DAY), 0, 0)
            if reach.unsubscribe_per_day > 0.0 and leaves < min(reach.until_day, days):
                count(books, me.row, me.cohort, books.month_of_day[int(leaves)], _UNSUBSCRIBED, 1)
        if mine.balance > 0:
            # Rounded up: a liability is never shown too small.
            owed = -(-mine.balance * reach.reward_cents // reach.points_threshold)
            count(books, me.row, me.cohort, final, _OUTSTANDING, mine.balance)
            count(books, me.row, me.cohort, final, _POINTS_VALUE + shift, owed)


def add_up_members(counts: npt.NDArray[np.int64]) -> None:
    """Turn the members who join and leave in each month of a block's counts into members in each month, in place."""
    for place in range(_MEMBER_MONTHS, counts.shape[2], N_REACH_TALLIES):
        counts[:, :, place] = counts[:, :, place].cumsum(axis=1)


@inlined
def _leaves(life: Records, card: Records, plan: Plan, s: int) -> float:
    """Return the day on which membership of a reach ends; the day of joining for a fee that was never paid."""
    mine = card[s]
    if mine.joins == np.inf or plan.reaches[s].period_days <= 0.0:
        return mine.leaves
    if mine.periods == 0:
        return mine.joins
    return mine.leaves if life[0].alive else min(mine.leaves, mine.renews_at)


@inlined
def _basket(life: Records, card: Records, plan: Plan, world: World, now: float) -> float:
    """Return the ratio on the order's list price."""
    gains = top = total = 0.0
    for s in range(len(card)):
        if card[s].on and card[s].basket_log != 0.0:
            begins, _ = spell(card, plan, s, life[0].last, now)
            weight, _ = strength(plan, COURSES * s + 2, begins, now)
            log = card[s].basket_log * weight
            if log > 0.0:
                gains += log
                top = max(top, log)
            else:
                total += log
    total += top + plan.stacking * (gains - top)
    if world.facts[0].experienced:
        total += world.facts[0].basket_centre + world.facts[0].basket_log * life[0].mood
    if life[0].premium_log != 0.0:
        total += life[0].premium_log * rng.exp(-life[0].premium_fade * (now - life[0].entry))
    return rng.exp(total) if total != 0.0 else 1.0


@inlined
def _markdown(life: Records, card: Records, plan: Plan, books: Books, listed: int, month: int) -> int:
    taken = 0
    for s in range(len(card)):
        reach = plan.reaches[s]
        if card[s].on and reach.redemption > 0.0:
            luck = rng.uniform(rng.purpose_key(card[s].luck, _REDEMPTION), life[0].k)
            if luck < reach.redemption:
                taken += int(np.rint(reach.depth * listed + reach.face_cents))
                count(books, life[0].row, life[0].cohort, month, _REDEMPTIONS + s * N_REACH_TALLIES, 1)
    return min(taken, listed)


@inlined
def _contact(life: Records, card: Records, plan: Plan, books: Books, until: float) -> None:
    """Count how often reaches switched on between the last order and `until`: answered idle spells, and windows."""
    coming = life[0].before + life[0].k + 1
    for s in range(len(card)):
        reach = plan.reaches[s]
        if card[s].joins < np.inf and reach.from_order <= coming < reach.until_order:
            if reach.idle_days >= 0.0:
                begins, _ = spell(card, plan, s, life[0].last, until)
                if begins < until:
                    month = books.month_of_day[int(begins)]
                    count(books, life[0].row, life[0].cohort, month, _CONTACTS + s * N_REACH_TALLIES, 1)
                    note(books, CONTACT, life, begins, s, 0, 0, 0)
            elif reach.every_days > 0.0:
                _windows(life, card, plan, books, s, until)


@lean
def _windows(life: Records, card: Records, plan: Plan, books: Books, s: int, until: float) -> None:
    """Count the windows of a reach that comes again and again, from the last order on and before `until`."""
    mine, every = card[s], plan.reaches[s].every_days
    over = min(until, mine.leaves)
    number = max(int((life[0].last - mine.joins) / every) - 1, 0)  # a quotient can be off by one at the very edge
    begins = mine.joins + number * every
    while begins < over:
        if begins >= life[0].last:
            month = books.month_of_day[int(begins)]
            count(books, life[0].row, life[0].cohort, month, _CONTACTS + s * N_REACH_TALLIES, 1)
            note(books, CONTACT, life, begins, s, 0, 0, 0)
        number += 1
        begins = mine.joins + number * every
