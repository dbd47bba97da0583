"""One order, or the end of a customer's time, in; tallies per cohort and month out. Everything is a whole number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.compiled import inlined
from cxsim.simulation import reaches
from cxsim.simulation.blocks import Block
from cxsim.simulation.plan import Plan
from cxsim.tallies import N_REACH_TALLIES, N_TALLIES, ReachTally, Tally

_SPEND, _REDEMPTION, _POINTS = int(rng.Purpose.SPEND), int(rng.Purpose.REDEMPTION), int(rng.Purpose.POINTS)
_ORDERS, _LIST, _MARKDOWN, _REWARD = int(Tally.ORDERS), int(Tally.LIST), int(Tally.MARKDOWN), int(Tally.REWARD)
_ARRIVALS, _ISSUED, _REDEEMED = int(Tally.ARRIVALS), int(Tally.POINTS_ISSUED), int(Tally.POINTS_REDEEMED)
_EXPIRED, _OUTSTANDING = int(Tally.POINTS_EXPIRED), int(Tally.POINTS_OUTSTANDING)
_REACH_ORDERS, _REACH_PAID = N_TALLIES + int(ReachTally.ORDERS), N_TALLIES + int(ReachTally.PAID)
_MEMBER_MONTHS, _CONTACTS = N_TALLIES + int(ReachTally.MEMBER_MONTHS), N_TALLIES + int(ReachTally.CONTACTS)
_POINTS_VALUE = N_TALLIES + int(ReachTally.POINTS_VALUE)
# An arm has at most 16 reaches; two orders' numbers never share one.
_REACH_STEP = 16
# In points: 29 points for one unit, times 1.00, are a hair below 29 in doubles, and would be cut to 28.
_HAIR = 1e-9


class Books(NamedTuple):
    """Where a block writes what happens; `counts`, `values` and the log are added to in place.

    month_of_day (days,); worth (tallies,), millionths of the currency unit for one of each tally;
    counts (cohorts, months, tallies); values (customers,), millionths; log (orders, 3): number in the block, day and
    cents paid of each order, of length 0 when not wanted.
    """

    month_of_day: npt.NDArray[np.int64]
    worth: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    log: npt.NDArray[np.int64]


class Card(NamedTuple):
    """What one customer carries, for each reach: the day it was joined (inf: never), points held, and whether it is on.

    `on` holds for the order that is being booked.
    """

    adopts: npt.NDArray[np.float64]
    balance: npt.NDArray[np.int64]
    on: npt.NDArray[np.bool_]


@inlined
def count(books: Books, i: int, cohort: int, month: int, tally: int, amount: int) -> None:
    """Add `amount` to one tally and its worth to the customer's value."""
    books.counts[cohort, month, tally] += amount
    books.values[i] += amount * books.worth[tally]


@inlined
def book_arrival(books: Books, block: Block, i: int) -> None:
    """Book a new customer on the day of the first order."""
    count(books, i, block[i].cohort, books.month_of_day[int(block[i].entry)], _ARRIVALS, 1)


@inlined
def book_order(
    plan: Plan,
    card: Card,
    books: Books,
    block: Block,
    i: int,
    k: int,
    now: float,
    last: float,
    spend_shape: float,
    logged: int,
) -> int:
    """Book the customer's order number `k` at `now`; return how many orders the block has had."""
    cohort, month = block[i].cohort, books.month_of_day[int(now)]
    spend = 100.0 * rng.gamma(rng.purpose_key(block[i].key, _SPEND), k, spend_shape) / block[i].spend_rate
    paid = int(np.rint(spend))
    if len(plan) == 0:
        count(books, i, cohort, month, _LIST, paid)
    else:
        paid = _book_reached(plan, card, books, block, i, k, now, last, spend)
    count(books, i, cohort, month, _ORDERS, 1)
    if logged < len(books.log):
        books.log[logged, 0], books.log[logged, 1], books.log[logged, 2] = i, int(now), paid
    return logged + 1


@inlined
def book_end(plan: Plan, card: Card, books: Books, block: Block, i: int, last: float) -> None:
    """Book what goes on until the horizon whether or not the customer still buys: contacts, membership, points.

    A shop does not see that somebody has left: it goes on writing to them and paying for their membership.
    """
    days = len(books.month_of_day)
    cohort, final = block[i].cohort, books.month_of_day[days - 1]
    _contact(plan, card, books, i, cohort, last, float(days))
    _expire(plan, card, books, i, cohort, float(days), last)
    for s in range(len(card.adopts)):
        shift = s * N_REACH_TALLIES
        if card.adopts[s] < days:
            last_day = min(int(np.ceil(plan[s].until_day)), days) - 1
            joined, leaves = books.month_of_day[int(card.adopts[s])], books.month_of_day[last_day] + 1
            # One more from the month of joining on, one less from the month after the last: `add_up_members`, once for
            # the block, makes months of these, which one by one would be a tenth of all work.
            books.counts[cohort, joined, _MEMBER_MONTHS + shift] += 1
            if leaves < books.counts.shape[1]:
                books.counts[cohort, leaves, _MEMBER_MONTHS + shift] -= 1
            books.values[i] += (leaves - joined) * books.worth[_MEMBER_MONTHS + shift]
        if card.balance[s] > 0:
            # Rounded up: a liability is never shown too small.
            owed = -(-card.balance[s] * plan[s].reward_cents // plan[s].points_threshold)
            count(books, i, cohort, final, _OUTSTANDING, card.balance[s])
            count(books, i, cohort, final, _POINTS_VALUE + shift, owed)


def add_up_members(counts: npt.NDArray[np.int64]) -> None:
    """Turn the members who join and leave in each month of a block's counts into members in each month, in place."""
    for place in range(_MEMBER_MONTHS, counts.shape[2], N_REACH_TALLIES):
        counts[:, :, place] = counts[:, :, place].cumsum(axis=1)


@inlined
def _book_reached(
    plan: Plan, card: Card, books: Books, block: Block, i: int, k: int, now: float, last: float, spend: float
) -> int:
    """Book the amounts of an order in an arm with reaches; return what is paid."""
    cohort, month, key = block[i].cohort, books.month_of_day[int(now)], block[i].key
    reaches.mark(plan, card.adopts, last, now, card.on)
    listed = int(np.rint(spend * _basket(plan, card)))
    markdown = _markdown(plan, card, key, k, listed)
    _expire(plan, card, books, i, cohort, now, last)
    reward = _redeem(plan, card, books, key, i, cohort, month, k, listed - markdown)
    paid = listed - markdown - reward
    count(books, i, cohort, month, _LIST, listed)
    count(books, i, cohort, month, _MARKDOWN, markdown)
    count(books, i, cohort, month, _REWARD, reward)
    _earn(plan, card, books, i, cohort, month, paid)
    _contact(plan, card, books, i, cohort, last, now)
    return paid


@inlined
def _basket(plan: Plan, card: Card) -> float:
    ratio = 1.0
    for s in range(len(card.on)):
        if card.on[s]:
            ratio *= plan[s].basket_ratio
    return ratio


@inlined
def _markdown(plan: Plan, card: Card, key: np.uint64, k: int, listed: int) -> int:
    taken = 0
    for s in range(len(card.on)):
        if card.on[s] and plan[s].redemption > 0.0:
            luck = rng.uniform(rng.purpose_key(key, _REDEMPTION), k * _REACH_STEP + s)
            if luck < plan[s].redemption:
                taken += int(np.rint(plan[s].depth * listed + plan[s].face_cents))
    return min(taken, listed)


@inlined
def _redeem(
    plan: Plan, card: Card, books: Books, key: np.uint64, i: int, cohort: int, month: int, k: int, due: int
) -> int:
    reward = 0
    for s in range(len(card.on)):
        full = plan[s].points_threshold > 0 and card.balance[s] >= plan[s].points_threshold
        if card.on[s] and full and due - reward >= plan[s].reward_cents:
            luck = rng.uniform(rng.purpose_key(key, _POINTS), k * _REACH_STEP + s)
            if luck < plan[s].points_redemption:
                card.balance[s] -= plan[s].points_threshold
                reward += plan[s].reward_cents
                count(books, i, cohort, month, _REDEEMED, plan[s].points_threshold)
    return reward


@inlined
def _earn(plan: Plan, card: Card, books: Books, i: int, cohort: int, month: int, paid: int) -> None:
    for s in range(len(card.on)):
        if card.on[s]:
            shift = s * N_REACH_TALLIES
            count(books, i, cohort, month, _REACH_ORDERS + shift, 1)
            count(books, i, cohort, month, _REACH_PAID + shift, paid)
            if plan[s].points_threshold > 0:
                points = int(np.floor(plan[s].points_per_cent * paid + _HAIR))
                card.balance[s] += points
                count(books, i, cohort, month, _ISSUED, points)


@inlined
def _expire(plan: Plan, card: Card, books: Books, i: int, cohort: int, now: float, last: float) -> None:
    for s in range(len(card.balance)):
        lapse = last + plan[s].points_expiry_days
        if card.balance[s] > 0 and lapse < now:
            month = books.month_of_day[int(lapse)]
            count(books, i, cohort, month, _EXPIRED, card.balance[s])
            card.balance[s] = 0


@inlined
def _contact(plan: Plan, card: Card, books: Books, i: int, cohort: int, last: float, until: float) -> None:
    for s in range(len(card.adopts)):
        if plan[s].idle_days >= 0.0:
            begins, _ = reaches.spell(plan, s, card.adopts, last)
            if begins < until:
                month = books.month_of_day[int(begins)]
                count(books, i, cohort, month, _CONTACTS + s * N_REACH_TALLIES, 1)
