"""New customers whom a programme brings: who was attracted, and whom a customer recommends."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from cxsim import rng
from cxsim.jit import inlined, lean
from cxsim.simulation.counts import N_REACH_COUNT_KINDS, ReachCountKind, place
from cxsim.simulation.plan import Plan
from cxsim.simulation.state import MAX_REFERRED, Block, Books, Latents, Records, count_for
from cxsim.simulation.world import World, rounded

_ATTRACTED, _REFERRAL = int(rng.Purpose.ATTRACTED), int(rng.Purpose.REFERRAL)
_REFERRED, _ANYWAY = int(rng.Purpose.REFERRED), int(rng.Purpose.ANYWAY)
_REACH_ATTRACTED, _REFERRALS = (
    place(ReachCountKind.ATTRACTED),
    place(ReachCountKind.REFERRALS),
)


@lean
def attracted(life: Records, plan: Plan, books: Books) -> int:
    """Book a customer who comes on top; return the reach that brought them. Some of them never order again."""
    me = life[0]
    key = rng.purpose_key(me.key, _ATTRACTED)
    total = 0.0
    for s in range(len(plan.reaches)):
        total += plan.reaches[s].attracts
    by, left = 0, rng.uniform(key, 0) * total
    for s in range(len(plan.reaches)):
        if plan.reaches[s].attracts > 0.0:
            by = s
            left -= plan.reaches[s].attracts
            if left < 0.0:
                break
    count_for(books, life, books.month_of_day[int(me.entry)], _REACH_ATTRACTED + by * N_REACH_COUNT_KINDS, 1)
    if rng.uniform(key, 1) >= plan.reaches[by].loyal:
        me.rate = 0.0
    return by


@inlined
def recommend(
    life: Records, card: Records, plan: Plan, books: Books, waiting: Records, queue: int, now: float, then: float
) -> int:
    """Let the customer win new ones between `now` and `then`; return how many wait to be simulated."""
    for s in range(life[0].refers, len(card)):
        if card[s].on and plan.reaches[s].referrals_per_day > 0.0 and life[0].felt >= 0.0:
            queue = _won(life, card, plan, books, waiting, queue, s, then, then - now)
    return queue


@lean
def recommend_on(
    life: Records, card: Records, plan: Plan, books: Books, waiting: Records, queue: int, now: float
) -> int:
    """Let a customer who stays and orders no more win new ones until the horizon; return how many of them wait."""
    coming = life[0].before + life[0].k + 1
    for s in range(life[0].refers, len(card)):
        mine, reach = card[s], plan.reaches[s]
        if reach.referrals_per_day > 0.0 and mine.joins < np.inf and life[0].felt >= 0.0:
            begins, ends = max(now, mine.joins), min(mine.leaves, float(len(books.month_of_day)))
            if begins < ends and reach.from_order <= coming < reach.until_order:
                queue = _won(life, card, plan, books, waiting, queue, s, ends, ends - begins)
    return queue


@lean
def _won(
    life: Records,
    card: Records,
    plan: Plan,
    books: Books,
    waiting: Records,
    queue: int,
    s: int,
    then: float,
    passed: float,
) -> int:
    me, mine, reach = life[0], card[s], plan.reaches[s]
    mine.referral_left -= reach.referrals_per_day * passed
    while mine.referral_left <= 0.0:
        when = max(then + mine.referral_left / reach.referrals_per_day, me.entry)
        if when < len(books.month_of_day):
            month = books.month_of_day[int(when)]
            count_for(books, life, month, _REFERRALS + s * N_REACH_COUNT_KINDS, 1)
            new = rng.uniform(rng.purpose_key(mine.seed_key, _ANYWAY), mine.referrals) >= reach.anyway
            if new and queue < MAX_REFERRED:
                waiting[queue].key = rng.random_bits(rng.purpose_key(mine.seed_key, _REFERRED), mine.referrals)
                waiting[queue].by = me.id
                waiting[queue].entry, waiting[queue].reach = when, s
                queue += 1
        mine.referrals += 1
        mine.referral_left += rng.exponential(rng.purpose_key(mine.seed_key, _REFERRAL), mine.referrals)
    return queue


_KNOTS = 257
# Beyond these places in a distribution the outermost scores are kept: one customer in a million on each side.
_FAR = 1e-6

Table = npt.NDArray[np.float64]


class Scores(NamedTuple):
    """Normal scores of customers' rates, to be looked up; tables of shape (2, knots), without knots for what is absent.

    rates by log order rate, chances by log odds of leaving after an order, hazards by log hazard, spends by log of the
    rate of spend.
    """

    rates: Table
    chances: Table
    hazards: Table
    spends: Table


def normal_scores(latents: Latents, world: World) -> Scores:
    """Return the tables of a draw, all empty where satisfaction goes together with nothing."""
    nothing = np.zeros((2, 0))
    facts = world.facts[0]
    if not (facts["trait_rate"] or facts["trait_stay"] or facts["trait_spend"]):
        return Scores(nothing, nothing, nothing, nothing)
    return Scores(
        rates=_gamma_table(latents.r, latents.alpha),
        chances=_chance_table(latents.a, latents.b) if latents.a > 0.0 else nothing,
        hazards=_gamma_table(latents.s, latents.beta) if latents.s > 0.0 else nothing,
        spends=nothing if latents.price > 0.0 else _gamma_table(latents.q, latents.v),
    )


@functools.lru_cache(maxsize=64)
def _gamma_table(shape: float, rate: float) -> Table:
    """Return logs of a gamma number and their normal scores: shape (2, knots)."""
    ends = np.log(special.gammaincinv(shape, [_FAR, 1.0 - _FAR]))
    # Below the smallest double the inverse is 0; a gamma number's distribution there is x ** shape / gamma(shape + 1).
    if not np.isfinite(ends[0]):
        ends[0] = (np.log(_FAR) + special.gammaln(shape + 1.0)) / shape
    logs = np.linspace(ends[0], ends[1], _KNOTS)
    with np.errstate(under="ignore"):
        places = special.gammainc(shape, np.exp(logs))
    return _table(logs - np.log(rate), places)


@functools.lru_cache(maxsize=64)
def _chance_table(a: float, b: float) -> Table:
    """Return log odds of a beta number and their normal scores: shape (2, knots)."""
    low, high = special.betaincinv(a, b, [_FAR, 1.0 - _FAR])
    ends = [max(low, 1e-300), min(high, 1.0 - 1e-15)]
    first, last = (np.log(end) - np.log1p(-end) for end in ends)
    odds = np.linspace(first, last, _KNOTS)
    return _table(odds, special.betainc(a, b, special.expit(odds)))


def _table(knots: Table, places: Table) -> Table:
    scores = special.ndtri(np.clip(places, _FAR, 1.0 - _FAR))
    return np.array([[rounded(number) for number in row] for row in (knots, scores)])


@lean
def relate(block: Block, scores: Scores, world: World) -> None:
    """Write into the customers of a block the part of their satisfaction that goes together with their rates."""
    facts = world.facts[0]
    for i in range(len(block)):
        customer, trait = block[i], 0.0
        if facts.trait_rate != 0.0 and customer.rate > 0.0:
            trait += facts.trait_rate * _score(scores.rates, rng.log(customer.rate))
        if facts.trait_spend != 0.0 and scores.spends.shape[1] > 0:
            trait -= facts.trait_spend * _score(scores.spends, rng.log(customer.spend_rate))
        if facts.trait_stay != 0.0:
            if scores.hazards.shape[1] > 0 and customer.dropout_rate > 0.0:
                trait -= facts.trait_stay * _score(scores.hazards, rng.log(customer.dropout_rate))
            elif scores.chances.shape[1] > 0 and 0.0 < customer.dropout_prob < 1.0:
                odds = customer.dropout_prob / (1.0 - customer.dropout_prob)
                trait -= facts.trait_stay * _score(scores.chances, rng.log(odds))
        customer.trait = trait


@lean
def _score(table: Table, log: float) -> float:
    last = table.shape[1] - 1
    step = table[0, 1] - table[0, 0]
    if log <= table[0, 0]:
        return table[1, 0]
    if log >= table[0, last]:
        return table[1, last]
    knot = min(int((log - table[0, 0]) / step), last - 1)
    share = (log - table[0, knot]) / step
    return table[1, knot] + share * (table[1, knot + 1] - table[1, knot])
