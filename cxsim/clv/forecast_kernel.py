"""A block of customers with a past and draws of the parameters in; what each will do, summed up over the draws, out.

Customers' own rates need not be drawn. With a Gamma distributed rate integrated out, the stages of the gaps between
orders are a Yule process: after n of them the next one comes when log(alpha + age) has grown by an exponential number
over r + n. With a Beta distributed chance integrated out, dropout is Polya's urn. Both are exact, and an order costs
one exponential and one uniform number.

References
----------
Johnson, Kotz & Balakrishnan (1997), "Discrete Multivariate Distributions", chapter 40 (Polya's urn). Feller (1971),
volume 2, chapter II.4 (mixed Poisson processes and their conditional rates).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxsim import rng
from cxsim.clv.models.pareto_integrals import log_odds
from cxsim.clv.models.special import FloatArray
from cxsim.jit import inlined, lean

IntArray = NDArray[np.int64]

# One draw of all parameters for the kernel: those of a model that is not asked for stay 0.
FIELDS = ("r", "alpha", "a", "b", "s", "beta", "p", "q", "v", "price")
PARAMS_RECORD = np.dtype([(name, np.float64) for name in FIELDS])
Thetas = NDArray[np.void]


class Family(NamedTuple):
    """What all draws have in common; compiled code takes 1 for yes and 0 for no.

    k: stages between two orders. first: 1 if customers may leave after the first order. calendar: 1 if they leave at
    any time (Pareto/NBD), 0 if after an order. spends: 1 if there is a model of spend.
    """

    k: int
    first: int
    calendar: int
    spends: int


# Beyond this, exp would be infinite anyway.
_TOP = 700.0
_LARGE = 1e100
_LOG_LARGE = 230.25850929940458


@lean
def _odds_of_dropout(theta: Any, family: Family, x: float, last: float, age: float) -> float:
    """Return the odds that a customer has left: P(left) / P(alive), may be infinite."""
    if family.calendar == 1:
        odds = log_odds(theta.r + x, theta.s, theta.alpha + last, theta.beta + last, age - last)
        return rng.exp(min(odds, _TOP))
    chances = x + family.first
    if chances == 0.0:
        return 0.0
    shape = theta.r + family.k * x
    fall = shape * rng.log((theta.alpha + age) / (theta.alpha + last))
    if family.k > 1:
        fall -= _log_phases(shape, (age - last) / (theta.alpha + age), family.k)
    return float(theta.a / (theta.b + chances - 1.0) * rng.exp(min(fall, _TOP)))


@lean
def _phase(shape: float, ratio: float, k: int, uniform: float) -> int:
    """Return how many of the k stages of the next gap a living customer has behind them."""
    # Phase j weighs (shape)_j ratio^j / j! beside phase 0: what a negative binomial would, cut off at k. From the top
    # down, because there the scale is known after the way up.
    term, total, top = 1.0, 1.0, 0
    for j in range(1, k):
        term *= (shape + j - 1.0) * ratio / j
        if term == 0.0:
            break
        total, top = total + term, j
        if term > _LARGE:
            term, total = term / _LARGE, total / _LARGE
    reached = term
    while top > 0 and reached < uniform * total:
        term *= top / ((shape + top - 1.0) * ratio)
        reached, top = reached + term, top - 1
    return top


@lean
def _log_phases(shape: float, ratio: float, k: int) -> float:
    """Return the log weight of being alive in any phase, beside phase 0."""
    term, total, scale = 1.0, 1.0, 0.0
    for j in range(1, k):
        term *= (shape + j - 1.0) * ratio / j
        total += term
        if term > _LARGE:
            term, total, scale = term / _LARGE, total / _LARGE, scale + _LOG_LARGE
    return scale + rng.log(total)


@lean
def ranked(numbers: FloatArray, size: int, zeros: int, rank: int) -> float:
    """Return the number of a rank among `zeros` zeros and the first `size` of some positive numbers.

    Hoare (1961), "Algorithm 65: Find".
    """
    place = rank - zeros
    if place < 0:
        return 0.0
    low, high = 0, size - 1
    while low < high:
        pivot, i, j = numbers[place], low, high
        while i <= j:
            while numbers[i] < pivot:
                i += 1
            while pivot < numbers[j]:
                j -= 1
            if i <= j:
                numbers[i], numbers[j] = numbers[j], numbers[i]
                i += 1
                j -= 1
        if j < place:
            low = i
        if place < i:
            high = j
    return float(numbers[place])


# One customer of a block. `paid` is how many orders `total` is the amount of: those whose mean is monetary_value.
CUSTOMER_RECORD = np.dtype(
    [
        ("number", np.uint64),
        *((name, np.float64) for name in ("frequency", "last", "age", "paid", "total")),
        ("group", np.int64),
    ]
)
Block = NDArray[np.void]

# What is known of a customer over all draws, in the order of the columns of `outcomes`.
OUTCOMES = ("orders_mean", "orders_low", "orders_high", "prob_order", "value_mean", "value_low", "value_high")
# What is added up for a group of customers and a draw. Value is counted in whole units of money and in 2**-50 of one,
# so that it is the same in whatever order customers are added up.
ORDERS, BUYERS, UNITS, PARTS = 0, 1, 2, 3
COUNTERS = 4
PART_BITS = 50
_PARTS_PER_UNIT = float(1 << PART_BITS)
# A block of 4,096 customers, each below this, stays in the range of whole numbers.
LARGEST_VALUE = float(1 << 49)

_ALIVE, _ORDER, _DROPOUT, _LIFETIME, _SPEND_RATE, _SPEND = (
    int(rng.Purpose[name]) for name in ("ALIVE", "ORDER", "DROPOUT", "LIFETIME", "SPEND_RATE", "SPEND")
)
# The golden section: its multiples, with whole numbers dropped, fill the unit interval evenly from the first on.
_SECTION = 0.6180339887498949


class Question(NamedTuple):
    """What is asked of every customer.

    days: how far ahead. rate: continuous rate per day of discounting. margin: share of an amount that
    counts. low_rank, high_rank: places of the interval's ends among the sorted draws, from 0. seed: of random numbers.
    """

    days: float
    rate: float
    margin: float
    low_rank: int
    high_rank: int
    seed: int


class Scratch(NamedTuple):
    """Room for one customer's draws, each of shape (draws,): odds of having left, and orders and value where any."""

    odds: FloatArray
    orders: FloatArray
    values: FloatArray


@lean
def forecast_customers(
    block: Block,
    order: IntArray,
    thetas: Thetas,
    family: Family,
    question: Question,
    scratch: Scratch,
    outcomes: FloatArray,
    counts: IntArray,
) -> int:
    """Simulate what is ahead of each customer in each draw."""
    too_large = 0
    x, last, age = -1.0, -1.0, -1.0
    for i in order:
        if block[i].frequency != x or block[i].last != last or block[i].age != age:
            x, last, age = block[i].frequency, block[i].last, block[i].age
            for draw in range(len(thetas)):
                scratch.odds[draw] = _odds_of_dropout(thetas[draw], family, x, last, age)
        too_large += _forecast_one(block, i, thetas, family, question, scratch, outcomes, counts)
    return too_large


@inlined
def _forecast_one(
    block: Block,
    i: int,
    thetas: Thetas,
    family: Family,
    question: Question,
    scratch: Scratch,
    outcomes: FloatArray,
    counts: IntArray,
) -> int:
    draws, too_large = len(thetas), 0
    buying, all_orders, all_value = 0, 0.0, 0.0
    # One uniform number, moved on evenly from draw to draw: each draw's is uniform, and the share of draws in which a
    # customer is alive is as near to its expectation as can be.
    uniform = rng.uniform(rng.purpose_key(rng.customer_key(question.seed, 0, block[i].number), _ALIVE), 0)
    for draw in range(draws):
        uniform += _SECTION
        if uniform >= 1.0:
            uniform -= 1.0
        used = uniform * (1.0 + scratch.odds[draw])
        # Where the odds are infinite and the number is 0 the product is no number, and no number is smaller than 1.
        if not used < 1.0:
            continue
        key = rng.customer_key(question.seed, draw, block[i].number)
        orders, value = _ahead(thetas[draw], family, question, block, i, key, used)
        if orders == 0:
            continue
        if not value < LARGEST_VALUE:
            value, too_large = 0.0, too_large + 1
        scratch.orders[buying], scratch.values[buying] = orders, value
        buying, all_orders, all_value = buying + 1, all_orders + orders, all_value + value
        _count(counts, block[i].group, draw, orders, value)
    outcomes[i, 0], outcomes[i, 3], outcomes[i, 4] = all_orders / draws, buying / draws, all_value / draws
    outcomes[i, 1] = ranked(scratch.orders, buying, draws - buying, question.low_rank)
    outcomes[i, 2] = ranked(scratch.orders, buying, draws - buying, question.high_rank)
    outcomes[i, 5] = ranked(scratch.values, buying, draws - buying, question.low_rank)
    outcomes[i, 6] = ranked(scratch.values, buying, draws - buying, question.high_rank)
    return too_large


@inlined
def _count(counts: IntArray, group: int, draw: int, orders: int, value: float) -> None:
    units = np.int64(value)
    counts[group, draw, ORDERS] += orders
    counts[group, draw, BUYERS] += 1
    counts[group, draw, UNITS] += units
    counts[group, draw, PARTS] += np.int64((value - units) * _PARTS_PER_UNIT)


@inlined
def _ahead(
    theta: Any, family: Family, question: Question, block: Block, i: int, key: np.uint64, uniform: float
) -> tuple[int, float]:
    """Return the orders of a living customer and their value."""
    shape, scale = theta.r + family.k * block[i].frequency, theta.alpha + block[i].age
    stages, end = family.k, question.days
    if family.k > 1:
        behind = _phase(shape, (block[i].age - block[i].last) / scale, family.k, uniform)
        shape, stages = shape + behind, family.k - behind
    if family.calendar == 1:
        lived = rng.exponential(rng.purpose_key(key, _LIFETIME), 0) / theta.s
        end = min(end, (theta.beta + block[i].age) * (rng.exp(lived) - 1.0))
    limit = rng.log(1.0 + end / scale)
    times, dropout = rng.purpose_key(key, _ORDER), rng.purpose_key(key, _DROPOUT)
    stays = theta.b + block[i].frequency + family.first
    clock, stage, orders, value, spend_rate = 0.0, 0, 0, 0.0, 1.0
    while True:
        for _ in range(stages):
            clock += rng.exponential(times, stage) / shape
            shape, stage = shape + 1.0, stage + 1
        if clock > limit:
            break
        if family.spends == 1:
            if theta.price > 0.0:
                amount = theta.price
            else:
                if orders == 0:
                    spend_rate = _spend_rate(theta, block, i, key)
                amount = rng.gamma(rng.purpose_key(key, _SPEND), orders, theta.p) / spend_rate
            value += amount * question.margin * _discount(question.rate, scale, clock)
        orders, stages = orders + 1, family.k
        # An urn without balls of the first kind, as Pareto/NBD has it, never gives one.
        if rng.uniform(dropout, orders) * (theta.a + stays) < theta.a:
            break
        stays += 1.0
    return orders, value


@inlined
def _spend_rate(theta: Any, block: Block, i: int, key: np.uint64) -> float:
    shape = theta.q + theta.p * block[i].paid
    return float(rng.gamma(rng.purpose_key(key, _SPEND_RATE), 0, shape) / (theta.v + block[i].total))


@inlined
def _discount(rate: float, scale: float, clock: float) -> float:
    """Return today's value of one unit of money that comes when the log of the scale has grown by `clock`."""
    return rng.exp(-rate * scale * (rng.exp(clock) - 1.0)) if rate > 0.0 else 1.0
