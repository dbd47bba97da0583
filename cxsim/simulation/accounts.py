"""Points, status and membership of one customer in one reach: what they pull, how they run out and are renewed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.jit import inlined, lean
from cxsim.simulation.counts import N_REACH_COUNT_KINDS, CountKind, ReachCountKind, place
from cxsim.simulation.plan import COURSES, STIRS, Plan
from cxsim.simulation.service import happen, refund, sent_back
from cxsim.simulation.state import (
    CONTACT,
    MEMBER,
    ORDER,
    POINTS,
    STATUS_YEAR_DAYS,
    Books,
    Latents,
    Records,
    count_for,
    list_cents,
    note,
    spell,
    strength,
)
from cxsim.simulation.world import World

_RENEWAL, _REDEEM = int(rng.Purpose.RENEWAL), int(rng.Purpose.POINTS)
_FEES, _ISSUED, _REDEEMED = int(CountKind.FEES), int(CountKind.POINTS_ISSUED), int(CountKind.POINTS_REDEEMED)
_EXPIRED = int(CountKind.POINTS_EXPIRED)
_REDEMPTIONS = place(ReachCountKind.REDEMPTIONS)
HELD, DEMOTED = 1, 2
# In points: 29 points for one unit, times 1.00, are a hair below 29 in doubles, and would be cut to 28.
_HAIR = 1e-9


@inlined
def stirred(life: Records, card: Records, plan: Plan, s: int, now: float) -> tuple[float, float]:
    """Return the log on the order rate by points held and rewards had, and when it changes."""
    mine, reach = card[s], plan.reaches[s]
    gain, changes = 0.0, np.inf
    if mine.pull_log != 0.0:
        lapses = life[0].last + reach.points_expiry_days
        if now < lapses:
            gain, changes = mine.pull_log, lapses
    if reach.stirs > 0.0 and mine.rewarded_at > -np.inf:
        log, until = strength(plan, COURSES * s + STIRS, mine.rewarded_at, now)
        gain, changes = gain + log, min(changes, until)
    return gain, changes


@inlined
def roll_status(card: Records, plan: Plan, s: int, now: float) -> tuple[float, float, float]:
    """Close the years of membership that are over; return the logs on rate and dropout, and when they change."""
    mine, reach = card[s], plan.reaches[s]
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
def renew(life: Records, card: Records, plan: Plan, books: Books, now: float) -> float:
    """Take the fees that are due from a living member, or end the membership; return when the next one is due."""
    due = np.inf
    for s in range(len(card)):
        mine, reach = card[s], plan.reaches[s]
        if reach.period_days > 0.0 and mine.joins < np.inf:
            if mine.renews_at <= now and mine.renews_at < mine.leaves:
                _take_fee(life, card, plan, books, s, now)
            if mine.renews_at < mine.leaves:
                due = min(due, mine.renews_at)
    return due


@lean
def renew_on(life: Records, card: Records, plan: Plan, books: Books) -> None:
    """Take all fees until the horizon from a member who stays and orders no more."""
    horizon = float(len(books.month_of_day))
    for s in range(len(card)):
        if plan.reaches[s].period_days > 0.0 and card[s].joins < np.inf:
            while card[s].renews_at < min(card[s].leaves, horizon):
                _take_fee(life, card, plan, books, s, card[s].renews_at)


@lean
def _take_fee(life: Records, card: Records, plan: Plan, books: Books, s: int, now: float) -> None:
    mine, reach = card[s], plan.reaches[s]
    stays = mine.periods == 0
    if not stays:
        stays = rng.uniform(rng.purpose_key(mine.seed_key, _RENEWAL), mine.periods) < reach.renewal
    if stays:
        count_for(books, life, books.month_of_day[int(now)], _FEES, int(reach.fee_cents))
        mine.periods += 1
        mine.renews_at += reach.period_days
    else:
        mine.leaves = mine.renews_at
        mine.changes = -np.inf


@lean
def resume(card: Records, plan: Plan, now: float) -> None:
    """Set the paid memberships of one who comes back at `now`: what fell due in between was not paid.

    A membership that was running has ended with its last paid period; one that had not begun yet begins now.
    """
    for s in range(len(card)):
        mine = card[s]
        if plan.reaches[s].period_days > 0.0 and mine.joins < np.inf and mine.renews_at <= now:
            if mine.periods > 0:
                mine.leaves = min(mine.leaves, mine.renews_at)
            else:
                mine.joins = mine.renews_at = now


@inlined
def earn(life: Records, card: Records, plan: Plan, books: Books, s: int, kept: int, now: float) -> None:
    """Give the points of an order of which so many cents are kept, and count them towards the status."""
    mine, reach = card[s], plan.reaches[s]
    if reach.points_threshold > 0:
        rate = reach.points_per_cent
        if mine.status == HELD:
            rate *= reach.status_earn
        points = int(np.floor(rate * kept + _HAIR))
        mine.balance += points
        count_for(books, life, books.month_of_day[int(now)], _ISSUED, points)
        note(books, POINTS, life, now, s, points, mine.balance, 0)
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
def redeem(life: Records, card: Records, plan: Plan, books: Books, s: int, due: int, now: float) -> int:
    """Return the cents that a full card takes off an order of which so many are due."""
    mine, reach = card[s], plan.reaches[s]
    if reach.points_threshold <= 0 or mine.balance < reach.points_threshold or due < reach.reward_cents:
        return 0
    uniform = rng.uniform(rng.purpose_key(mine.seed_key, _REDEEM), life[0].k)
    if uniform >= reach.points_redemption:
        return 0
    mine.balance -= reach.points_threshold
    mine.rewarded_at = now
    month = books.month_of_day[int(now)]
    count_for(books, life, month, _REDEEMED, reach.points_threshold)
    count_for(books, life, month, _REDEMPTIONS + s * N_REACH_COUNT_KINDS, 1)
    note(books, POINTS, life, now, s, -reach.points_threshold, mine.balance, 0)
    return reach.reward_cents


@inlined
def expire(life: Records, card: Records, plan: Plan, books: Books, now: float) -> None:
    """Let the points of an idle spell lapse that is over at `now`."""
    for s in range(len(card)):
        mine = card[s]
        if mine.balance > 0:
            lapses = life[0].last + plan.reaches[s].points_expiry_days
            if lapses < now:
                count_for(books, life, books.month_of_day[int(lapses)], _EXPIRED, mine.balance)
                note(books, POINTS, life, lapses, s, -mine.balance, 0, 0)
                mine.balance, mine.pull_log = 0, 0.0


_REDEMPTION = int(rng.Purpose.REDEMPTION)
_ORDERS, _LIST, _MARKDOWN, _REWARD = (
    int(CountKind.ORDERS),
    int(CountKind.LIST),
    int(CountKind.MARKDOWN),
    int(CountKind.REWARD),
)
_OUTSTANDING, _UNSUBSCRIBED = int(CountKind.POINTS_OUTSTANDING), int(CountKind.UNSUBSCRIBED)
_REACH_ORDERS, _REACH_PAID = place(ReachCountKind.ORDERS), place(ReachCountKind.PAID)
_MEMBER_MONTHS, _CONTACTS = (
    place(ReachCountKind.MEMBER_MONTHS),
    place(ReachCountKind.CONTACTS),
)
_SECONDS_PER_DAY = 86_400.0
_POINTS_VALUE = place(ReachCountKind.POINTS_VALUE)


@inlined
def book_order(
    life: Records, card: Records, plan: Plan, world: World, books: Books, latents: Latents, now: float
) -> int:
    """Book the order of the customer who is simulated; return the place of what happened to it, from 1, or 0."""
    me, month = life[0], books.month_of_day[int(now)]
    spend = list_cents(latents, me.key, me.k, me.spend_rate)
    listed = int(np.rint(spend * _basket(life, card, plan, world, now)))
    incident = happen(life, card, plan, world)
    markdown = _markdown(life, card, plan, books, listed, month)
    expire(life, card, plan, books, now)
    reward = 0
    for s in range(len(card)):
        if card[s].on:
            reward += redeem(life, card, plan, books, s, listed - markdown - reward, now)
    paid = listed - markdown - reward
    count_for(books, life, month, _ORDERS, 1)
    count_for(books, life, month, _LIST, listed)
    if markdown > 0:
        count_for(books, life, month, _MARKDOWN, markdown)
    if reward > 0:
        count_for(books, life, month, _REWARD, reward)
    note(books, ORDER, life, now, listed, markdown, reward, incident)
    kept = paid
    if sent_back(life, card, plan, world) > 0.0:
        kept -= refund(life, world, books, paid, listed, now)
    for s in range(len(card)):
        if card[s].on:
            shift = s * N_REACH_COUNT_KINDS
            count_for(books, life, month, _REACH_ORDERS + shift, 1)
            count_for(books, life, month, _REACH_PAID + shift, paid)
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
        mine, reach, shift = card[s], plan.reaches[s], s * N_REACH_COUNT_KINDS
        leaves = _leaves(life, card, plan, s)
        if mine.joins < min(leaves, days):
            last_day = min(int(np.ceil(leaves)), len(books.month_of_day)) - 1
            joined, gone = books.month_of_day[int(mine.joins)], books.month_of_day[last_day] + 1
            # One more from the month of joining on, one less from the month after the last: `add_up_members`, once for
            # the block, makes months of these, which one by one would be a tenth of all work.
            books.counts[me.cohort, joined, _MEMBER_MONTHS + shift] += 1
            if gone < books.counts.shape[1]:
                books.counts[me.cohort, gone, _MEMBER_MONTHS + shift] -= 1
            books.values[me.row] += (gone - joined) * books.unit_value[_MEMBER_MONTHS + shift]
            note(books, MEMBER, life, mine.joins, s, int(min(leaves, days) * _SECONDS_PER_DAY), 0, 0)
            if reach.contacts_apart > 0.0:
                _write_to(life, card, plan, books, s, min(leaves, days))
            if reach.unsubscribe_per_day > 0.0 and leaves < min(reach.until_day, days):
                count_for(books, life, books.month_of_day[int(leaves)], _UNSUBSCRIBED, 1)
        if mine.balance > 0:
            # Rounded up: a liability is never shown too small.
            owed = -(-mine.balance * reach.reward_cents // reach.points_threshold)
            count_for(books, life, final, _OUTSTANDING, mine.balance)
            count_for(books, life, final, _POINTS_VALUE + shift, owed)


def add_up_members(counts: npt.NDArray[np.int64]) -> None:
    """Turn the members who join and leave in each month of a block's counts into members in each month, in place."""
    for column in range(_MEMBER_MONTHS, counts.shape[2], N_REACH_COUNT_KINDS):
        counts[:, :, column] = counts[:, :, column].cumsum(axis=1)


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
            uniform = rng.uniform(rng.purpose_key(card[s].seed_key, _REDEMPTION), life[0].k)
            if uniform < reach.redemption:
                taken += int(np.rint(reach.depth * listed + reach.face_cents))
                count_for(books, life, month, _REDEMPTIONS + s * N_REACH_COUNT_KINDS, 1)
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
                    count_for(books, life, month, _CONTACTS + s * N_REACH_COUNT_KINDS, 1)
                    note(books, CONTACT, life, begins, s, 0, 0, 0)
            elif reach.every_days > 0.0:
                _windows(life, card, plan, books, s, until)


@lean
def _write_to(life: Records, card: Records, plan: Plan, books: Books, s: int, until: float) -> None:
    """Count the messages that a member is sent: one in the middle of each interval, as long as the membership lasts."""
    sent, joins, apart = 0, card[s].joins, plan.reaches[s].contacts_apart
    when = joins + 0.5 * apart
    while when < until:
        # Those of a month at once: one by one, the messages of a cadence would be half of all work.
        month, before = books.month_of_day[int(when)], sent
        while when < until and books.month_of_day[int(when)] == month:
            note(books, CONTACT, life, when, s, 0, 0, 0)
            sent += 1
            when = joins + (sent + 0.5) * apart
        count_for(books, life, month, _CONTACTS + s * N_REACH_COUNT_KINDS, sent - before)


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
            count_for(books, life, month, _CONTACTS + s * N_REACH_COUNT_KINDS, 1)
            note(books, CONTACT, life, begins, s, 0, 0, 0)
        number += 1
        begins = mine.joins + number * every
