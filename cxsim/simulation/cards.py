"""Points, status and membership of one customer in one reach: what they pull, how they run out and are renewed."""

from __future__ import annotations

import numpy as np

from cxsim import rng
from cxsim.compiled import inlined, lean
from cxsim.simulation.journal import POINTS, Books, count, note
from cxsim.simulation.life import STATUS_YEAR_DAYS, Records
from cxsim.simulation.plan import Plan
from cxsim.simulation.plan_rows import COURSES, STIRS
from cxsim.simulation.reaches import strength
from cxsim.tallies import N_REACH_TALLIES, N_TALLIES, ReachTally, Tally

_RENEWAL, _REDEEM = int(rng.Purpose.RENEWAL), int(rng.Purpose.POINTS)
_FEES, _ISSUED, _REDEEMED = int(Tally.FEES), int(Tally.POINTS_ISSUED), int(Tally.POINTS_REDEEMED)
_EXPIRED = int(Tally.POINTS_EXPIRED)
_REDEMPTIONS = N_TALLIES + int(ReachTally.REDEMPTIONS)
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
        stays = rng.uniform(rng.purpose_key(mine.luck, _RENEWAL), mine.periods) < reach.renewal
    if stays:
        count(books, life[0].row, life[0].cohort, books.month_of_day[int(now)], _FEES, int(reach.fee_cents))
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
        count(books, life[0].row, life[0].cohort, books.month_of_day[int(now)], _ISSUED, points)
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
    luck = rng.uniform(rng.purpose_key(mine.luck, _REDEEM), life[0].k)
    if luck >= reach.points_redemption:
        return 0
    mine.balance -= reach.points_threshold
    mine.rewarded_at = now
    month = books.month_of_day[int(now)]
    count(books, life[0].row, life[0].cohort, month, _REDEEMED, reach.points_threshold)
    count(books, life[0].row, life[0].cohort, month, _REDEMPTIONS + s * N_REACH_TALLIES, 1)
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
                count(books, life[0].row, life[0].cohort, books.month_of_day[int(lapses)], _EXPIRED, mine.balance)
                note(books, POINTS, life, lapses, s, -mine.balance, 0, 0)
                mine.balance, mine.pull_log = 0, 0.0
