"""Points, status and membership of one customer in one reach: what they pull, how they run out and are renewed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.jit import inlined, lean
from cxsim.rng import Purpose
from cxsim.simulation.counts import N_REACH_COUNT_KINDS, CountKind, ReachCountKind, place
from cxsim.simulation.plan import COURSES, STIRS
from cxsim.simulation.service import happen, refund, sent_back
from cxsim.simulation.state import (
    CONTACT,
    MEMBER,
    ORDER,
    POINTS,
    STATUS_YEAR_DAYS,
    Desk,
    column_of,
    count_for,
    note,
    spell,
    strength,
)

HELD, DEMOTED = 1, 2
# In points: 29 points for one unit, times 1.00, are a hair below 29 in doubles, and would be cut to 28.
_HAIR = 1e-9


@inlined
def stirred(desk: Desk, s: int, now: float) -> tuple[float, float]:
    """Return the log on the order rate by points held and rewards had, and when it changes."""
    mine, reach = desk.card[s], desk.reaches[s]
    gain, changes = 0.0, np.inf
    if mine.pull_log != 0.0:
        lapses = desk.life[0].last + reach.points_expiry_days
        if now < lapses:
            gain, changes = mine.pull_log, lapses
    if reach.stirs > 0.0 and mine.rewarded_at > -np.inf:
        log, until = strength(desk, COURSES * s + STIRS, mine.rewarded_at, now)
        gain, changes = gain + log, min(changes, until)
    return gain, changes


@inlined
def roll_status(desk: Desk, s: int, now: float) -> tuple[float, float, float]:
    """Close the years of membership that are over; return the logs on rate and dropout, and when they change."""
    mine, reach = desk.card[s], desk.reaches[s]
    while now >= mine.year_ends:
        if mine.status == HELD and mine.year_paid < reach.status_cents:
            mine.status = DEMOTED
        elif mine.status == DEMOTED:
            mine.status = 0
        mine.year_paid, mine.status_pull_log = 0, 0.0
        mine.year_ends += STATUS_YEAR_DAYS
    if mine.status == HELD:
        return reach.status_rate_log, reach.status_drop_log, mine.year_ends
    if mine.status == DEMOTED:
        return mine.status_pull_log, reach.demotion_log, mine.year_ends
    return mine.status_pull_log, 0.0, mine.year_ends


@inlined
def renew(desk: Desk, now: float) -> float:
    """Take the fees that are due from a living member, or end the membership; return when the next one is due."""
    due = np.inf
    for s in range(len(desk.card)):
        mine, reach = desk.card[s], desk.reaches[s]
        if reach.period_days > 0.0 and mine.joins < np.inf:
            if mine.renews_at <= now and mine.renews_at < mine.leaves:
                _take_fee(desk, s, now)
            if mine.renews_at < mine.leaves:
                due = min(due, mine.renews_at)
    return due


@inlined
def renew_on(desk: Desk) -> None:
    """Take all fees until the horizon from a member who stays and orders no more."""
    for s in range(len(desk.card)):
        mine = desk.card[s]
        if desk.reaches[s].period_days > 0.0 and mine.joins < np.inf:
            while mine.renews_at < min(mine.leaves, desk.horizon):
                _take_fee(desk, s, mine.renews_at)


@lean
def _take_fee(desk: Desk, s: int, now: float) -> None:
    mine, reach = desk.card[s], desk.reaches[s]
    stays = mine.periods == 0
    if not stays:
        stays = rng.uniform(rng.purpose_key(mine.seed_key, Purpose.RENEWAL), mine.periods) < reach.renewal
    if stays:
        count_for(desk, now, CountKind.FEES, int(reach.fee_cents))
        mine.periods += 1
        mine.renews_at += reach.period_days
    else:
        mine.leaves = mine.renews_at
        mine.changes = -np.inf


@lean
def resume(desk: Desk, now: float) -> None:
    """Set the paid memberships of one who comes back at `now`: what fell due in between was not paid.

    A membership that was running has ended with its last paid period; one that had not begun yet begins now.
    """
    for s in range(len(desk.card)):
        mine = desk.card[s]
        if desk.reaches[s].period_days > 0.0 and mine.joins < np.inf and mine.renews_at <= now:
            if mine.periods > 0:
                mine.leaves = min(mine.leaves, mine.renews_at)
            else:
                mine.joins = mine.renews_at = now


@inlined
def earn(desk: Desk, s: int, kept: int, now: float) -> None:
    """Give the points of an order of which so many cents are kept, and count them towards the status."""
    mine, reach = desk.card[s], desk.reaches[s]
    if reach.points_threshold > 0:
        rate = reach.points_per_cent
        if mine.status == HELD:
            rate *= reach.status_earn
        points = int(np.floor(rate * kept + _HAIR))
        mine.balance += points
        count_for(desk, now, CountKind.POINTS_ISSUED, points)
        note(desk, POINTS, now, s, points, mine.balance, 0)
        if reach.pull > 0.0:
            full = min(mine.balance / reach.points_threshold, 1.0)
            mine.pull_log = _pull_log(full, reach.pull, reach.steepness)
    if reach.status_cents > 0.0:
        mine.year_paid += kept
        if mine.year_paid >= reach.status_cents:
            mine.status, mine.status_pull_log = HELD, 0.0
        elif reach.status_pull > 0.0 and mine.status != HELD:
            mine.status_pull_log = _pull_log(
                mine.year_paid / reach.status_cents, reach.status_pull, reach.status_steepness
            )


@lean
def _pull_log(full: float, pull: float, steepness: float) -> float:
    if full <= 0.0:
        return 0.0
    return rng.log(1.0 + pull * rng.exp(steepness * rng.log(full)))


@inlined
def redeem(desk: Desk, s: int, due: int, now: float) -> int:
    """Return the cents that a full card takes off an order of which so many are due."""
    mine, reach = desk.card[s], desk.reaches[s]
    if reach.points_threshold <= 0 or mine.balance < reach.points_threshold or due < reach.reward_cents:
        return 0
    uniform = rng.uniform(rng.purpose_key(mine.seed_key, Purpose.POINTS), desk.life[0].k)
    if uniform >= reach.points_redemption:
        return 0
    mine.balance -= reach.points_threshold
    mine.rewarded_at = now
    count_for(desk, now, CountKind.POINTS_REDEEMED, reach.points_threshold)
    count_for(desk, now, column_of(s, ReachCountKind.REDEMPTIONS), 1)
    note(desk, POINTS, now, s, -reach.points_threshold, mine.balance, 0)
    return reach.reward_cents


@inlined
def expire(desk: Desk, now: float) -> None:
    """Let the points of an idle spell lapse that is over at `now`."""
    for s in range(len(desk.card)):
        mine = desk.card[s]
        if mine.balance > 0:
            lapses = desk.life[0].last + desk.reaches[s].points_expiry_days
            if lapses < now:
                count_for(desk, lapses, CountKind.POINTS_EXPIRED, mine.balance)
                note(desk, POINTS, lapses, s, -mine.balance, 0, 0)
                mine.balance, mine.pull_log = 0, 0.0


_SECONDS_PER_DAY = 86_400.0


@inlined
def book_order(desk: Desk, spend_shape: float, now: float) -> int:
    """Book the order of the customer who is simulated; return the place of what happened to it, from 1, or 0."""
    me = desk.life[0]
    spend = 100.0 * rng.gamma(rng.purpose_key(me.key, Purpose.SPEND), me.k, spend_shape) / me.spend_rate
    listed = int(np.rint(spend * _basket(desk, now)))
    incident = happen(desk)
    markdown = _markdown(desk, listed, now)
    expire(desk, now)
    reward = 0
    for s in range(len(desk.card)):
        if desk.card[s].on:
            reward += redeem(desk, s, listed - markdown - reward, now)
    paid = listed - markdown - reward
    count_for(desk, now, CountKind.ORDERS, 1)
    count_for(desk, now, CountKind.LIST, listed)
    if markdown > 0:
        count_for(desk, now, CountKind.MARKDOWN, markdown)
    if reward > 0:
        count_for(desk, now, CountKind.REWARD, reward)
    note(desk, ORDER, now, listed, markdown, reward, incident)
    kept = paid
    if sent_back(desk) > 0.0:
        kept -= refund(desk, paid, listed, now)
    for s in range(len(desk.card)):
        if desk.card[s].on:
            count_for(desk, now, column_of(s, ReachCountKind.ORDERS), 1)
            count_for(desk, now, column_of(s, ReachCountKind.PAID), paid)
            earn(desk, s, kept, now)
    _contact(desk, now)
    return incident


@inlined
def book_end(desk: Desk) -> None:
    """Book what goes on until the horizon whether or not the customer still buys: contacts, membership, points.

    A shop does not see that somebody has left: it goes on writing to them and paying for their membership. Only a
    membership that costs a fee ends with the period in which the customer left.
    """
    me, days = desk.life[0], desk.horizon
    _contact(desk, days)
    expire(desk, days)
    for s in range(len(desk.card)):
        mine, reach = desk.card[s], desk.reaches[s]
        leaves = _leaves(desk, s)
        if mine.joins < min(leaves, days):
            last_day = min(int(np.ceil(leaves)), len(desk.month_of_day)) - 1
            joined, gone = desk.month_of_day[int(mine.joins)], desk.month_of_day[last_day] + 1
            # One more from the month of joining on, one less from the month after the last: `add_up_members`, once for
            # the block, makes months of these, which one by one would be a tenth of all work.
            column = column_of(s, ReachCountKind.MEMBER_MONTHS)
            desk.counts[me.cohort, joined, column] += 1
            if gone < desk.counts.shape[1]:
                desk.counts[me.cohort, gone, column] -= 1
            desk.values[me.row] += (gone - joined) * desk.unit_value[column]
            note(desk, MEMBER, mine.joins, s, int(min(leaves, days) * _SECONDS_PER_DAY), 0, 0)
            if reach.unsubscribe_per_day > 0.0 and leaves < min(reach.until_day, days):
                count_for(desk, leaves, CountKind.UNSUBSCRIBED, 1)
        if mine.balance > 0:
            # Rounded up: a liability is never shown too small.
            owed = -(-mine.balance * reach.reward_cents // reach.points_threshold)
            count_for(desk, days - 0.5, CountKind.POINTS_OUTSTANDING, mine.balance)
            count_for(desk, days - 0.5, column_of(s, ReachCountKind.POINTS_VALUE), owed)


def add_up_members(counts: npt.NDArray[np.int64]) -> None:
    """Turn the members who join and leave in each month of a block's counts into members in each month, in place."""
    for column in range(place(ReachCountKind.MEMBER_MONTHS), counts.shape[2], N_REACH_COUNT_KINDS):
        counts[:, :, column] = counts[:, :, column].cumsum(axis=1)


@inlined
def _leaves(desk: Desk, s: int) -> float:
    """Return the day on which membership of a reach ends; the day of joining for a fee that was never paid."""
    mine = desk.card[s]
    if mine.joins == np.inf or desk.reaches[s].period_days <= 0.0:
        return mine.leaves
    if mine.periods == 0:
        return mine.joins
    return mine.leaves if desk.life[0].alive else min(mine.leaves, mine.renews_at)


@inlined
def _basket(desk: Desk, now: float) -> float:
    """Return the ratio on the order's list price."""
    facts = desk.facts[0]
    me = desk.life[0]
    gains = top = total = 0.0
    for s in range(len(desk.card)):
        mine = desk.card[s]
        if mine.on and mine.basket_log != 0.0:
            begins, _ = spell(desk, s, me.last, now)
            weight, _ = strength(desk, COURSES * s + 2, begins, now)
            log = mine.basket_log * weight
            if log > 0.0:
                gains += log
                top = max(top, log)
            else:
                total += log
    total += top + desk.stacking * (gains - top)
    if facts.experienced:
        total += facts.basket_centre + facts.basket_log * me.mood
    if me.premium_log != 0.0:
        total += me.premium_log * rng.exp(-me.premium_fade * (now - me.entry))
    return rng.exp(total) if total != 0.0 else 1.0


@inlined
def _markdown(desk: Desk, listed: int, now: float) -> int:
    taken = 0
    for s in range(len(desk.card)):
        mine = desk.card[s]
        reach = desk.reaches[s]
        if mine.on and reach.redemption > 0.0:
            uniform = rng.uniform(rng.purpose_key(mine.seed_key, Purpose.REDEMPTION), desk.life[0].k)
            if uniform < reach.redemption:
                taken += int(np.rint(reach.depth * listed + reach.face_cents))
                count_for(desk, now, column_of(s, ReachCountKind.REDEMPTIONS), 1)
    return min(taken, listed)


@inlined
def _contact(desk: Desk, until: float) -> None:
    """Count how often reaches switched on between the last order and `until`: answered idle spells, and windows."""
    me = desk.life[0]
    coming = me.before + me.k + 1
    for s in range(len(desk.card)):
        reach = desk.reaches[s]
        if desk.card[s].joins < np.inf and reach.from_order <= coming < reach.until_order:
            if reach.idle_days >= 0.0:
                begins, _ = spell(desk, s, me.last, until)
                if begins < until:
                    count_for(desk, begins, column_of(s, ReachCountKind.CONTACTS), 1)
                    note(desk, CONTACT, begins, s, 0, 0, 0)
            elif reach.every_days > 0.0:
                _windows(desk, s, until)


@inlined
def _windows(desk: Desk, s: int, until: float) -> None:
    """Count the windows of a reach that comes again and again, from the last order on and before `until`."""
    mine, every = desk.card[s], desk.reaches[s].every_days
    over = min(until, mine.leaves)
    number = max(int((desk.life[0].last - mine.joins) / every) - 1, 0)  # a quotient can be off by one at the very edge
    begins = mine.joins + number * every
    while begins < over:
        if begins >= desk.life[0].last:
            count_for(desk, begins, column_of(s, ReachCountKind.CONTACTS), 1)
            note(desk, CONTACT, begins, s, 0, 0, 0)
        number += 1
        begins = mine.joins + number * every
