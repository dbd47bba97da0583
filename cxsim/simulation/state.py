"""One customer of a block, and one customer's place in each reach: the records that the kernel keeps while it runs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim import rng
from cxsim.jit import inlined, lean
from cxsim.simulation.counts import LATER_PARTS, YEARS_AFTER, CountKind
from cxsim.simulation.plan import Plan
from cxsim.simulation.world import Population, World, fields

FIRST_NEW_CUSTOMER = 1 << 40
_MONTH = 1 << 41
_INSTANT = 1e-9
# Per day: at less, nothing happens in the age of the universe; as 0 it is never divided by, nor is a ratio of it.
_NEVER = 1e-250
_ALIVE, _PURCHASE_RATE = int(rng.Purpose.ALIVE), int(rng.Purpose.PURCHASE_RATE)
_DROPOUT_PROB, _DROPOUT_RATE = int(rng.Purpose.DROPOUT_PROB), int(rng.Purpose.DROPOUT_RATE)
_SPEND_RATE, _SPEND, _ARRIVAL = (int(rng.Purpose[name]) for name in ("SPEND_RATE", "SPEND", "ARRIVAL"))


class Latents(NamedTuple):
    """Distributions from which customers' own rates are drawn; time in days, money in units of the currency.

    Purchase rate ~ Gamma(r, alpha). Dropout competes: a chance after each order ~ Beta(a, b), none for a = 0, and a
    hazard per day ~ Gamma(s, beta), none for s = 0. BG/NBD is s = 0; Pareto/NBD is a = 0; MBG/NBD also lets customers
    drop out after their first order. Spend per order ~ Gamma(p, nu) with nu ~ Gamma(q, v), or `price`, where that is
    above 0.
    """

    r: float
    alpha: float
    a: float
    b: float
    s: float
    beta: float
    drop_after_first: int
    p: float
    q: float
    v: float
    price: float = 0.0


# One customer of a block for the kernel; days are days of the scenario. `last` is the day of the last order before the
# start, at most 0, and unused for new customers.
# place: of a new customer within the month of arrival
# trait: the part of satisfaction that goes together with the rates
CUSTOMER_RECORD = np.dtype(
    [
        *fields("key", np.uint64),
        *fields("number orders_before place cohort", np.int64),
        *fields("trait entry last rate dropout_prob dropout_rate spend_rate", np.float64),
        *fields("is_new alive", np.bool_),
    ],
    align=True,
)
Block = npt.NDArray[np.void]


class Stage(NamedTuple):
    """A population as arrays, worked out once for all blocks.

    past (existing customers, 4): frequency, age and idle days, and mean order value, 0 where there is no repeat order,
    and then multiplied by that 0; arrivals (months of arrivals + 1,): new customers before each month, also those who
    come only in some arms; month_starts (months + 1,); month_of_day (days,).
    """

    past: npt.NDArray[np.float64]
    arrivals: npt.NDArray[np.int64]
    month_starts: npt.NDArray[np.int64]
    month_of_day: npt.NDArray[np.int64]

    @property
    def customers(self) -> int:
        """Number of customers, existing and new."""
        return len(self.past) + int(self.arrivals[-1])

    @property
    def cohorts(self) -> int:
        """Number of cohorts: the existing base, one for each month of arrivals, and one of referred customers."""
        return len(self.arrivals) + 1

    @property
    def months(self) -> int:
        """Number of months of the scenario."""
        return len(self.month_starts) - 1


def staged(population: Population) -> Stage:
    """Return what the blocks of a population need, worked out once."""
    past = [
        population.base[name].cast(pl.Float64).fill_null(0.0).to_numpy()
        for name in ("frequency", "age_days", "idle_days", "monetary_value")
    ]
    return Stage(
        past=np.column_stack(past),
        arrivals=np.cumsum(np.array((0, *population.most_arrivals), dtype=np.int64)),
        month_starts=population.calendar.month_starts,
        month_of_day=population.calendar.month_of_day,
    )


def draw_block(
    stage: Stage,
    latents: Latents,
    prob_alive: npt.NDArray[np.float64],
    *,
    seed: int,
    draw: int,
    first: int,
    last: int,
) -> Block:
    """Return customers `first` to `last` (exclusive) with their latent rates.

    Existing customers are alive with probability `prob_alive`; given that, their rates follow the exact posterior:
    Gamma(r + x, alpha + T), Beta(a, b + x) (b + x + 1 where the first order counts), Gamma(s, beta + T) and, for spend,
    Gamma(q + p x, v + x m).
    """
    block = np.zeros(last - first, CUSTOMER_RECORD)
    _draw(block, latents, stage, prob_alive, seed, draw, first)
    return block


@lean
def draw_newcomer(block: Block, key: np.uint64, entry: float, cohort: int, latents: Latents) -> None:
    """Draw the rates of a customer who was referred into a block of one."""
    block[0].number = np.int64(key >> np.uint64(1))
    block[0].is_new, block[0].alive = True, True
    block[0].cohort, block[0].entry = cohort, entry
    block[0].orders_before, block[0].trait = 0, 0.0
    _draw_rates(block, 0, key, latents, 0.0, 0.0, 0.0, 0.0)


@lean
def _draw(
    block: Block, latents: Latents, stage: Stage, prob_alive: npt.NDArray[np.float64], seed: int, draw: int, first: int
) -> None:
    existing = len(stage.past)
    for i in range(len(block)):
        customer = first + i
        block[i].number = customer
        if customer < existing:
            frequency, age = stage.past[customer, 0], stage.past[customer, 1]
            idle, value = stage.past[customer, 2], stage.past[customer, 3]
            key = rng.customer_key(seed, draw, customer)
            block[i].last = -idle
            block[i].orders_before = int(frequency) + 1
            block[i].alive = rng.uniform(rng.purpose_key(key, _ALIVE), 0) < prob_alive[customer]
            survived = frequency + latents.drop_after_first
            _draw_rates(block, i, key, latents, frequency, age, value, survived)
        else:
            newcomer = customer - existing
            month = np.searchsorted(stage.arrivals, newcomer, side="right") - 1
            place = newcomer - stage.arrivals[month]
            key = rng.customer_key(seed, draw, FIRST_NEW_CUSTOMER + month * _MONTH + place)
            block[i].place = place
            block[i].is_new = True
            block[i].alive = True
            block[i].cohort = 1 + month
            share = rng.uniform(rng.purpose_key(key, _ARRIVAL), 0)
            begins, ends = stage.month_starts[month], stage.month_starts[month + 1]
            # The last instant of a month can be rounded into the next, where there may be no day any more.
            block[i].entry = min(begins + share * (ends - begins), ends - _INSTANT)
            _draw_rates(block, i, key, latents, 0.0, 0.0, 0.0, 0.0)


@lean
def _draw_rates(
    block: Block, i: int, key: np.uint64, latents: Latents, frequency: float, age: float, value: float, survived: float
) -> None:
    """Draw a customer's own rates; `survived` is after how many orders they could have left and did not."""
    block[i].key = key
    rate = rng.gamma(rng.purpose_key(key, _PURCHASE_RATE), 0, latents.r + frequency) / (latents.alpha + age)
    block[i].rate = rate if rate > _NEVER else 0.0
    if latents.a > 0.0:
        own_key = rng.purpose_key(key, _DROPOUT_PROB)
        leave = rng.gamma(own_key, 0, latents.a)
        stay = rng.gamma(own_key, 1, latents.b + survived)
        # Both can underflow to 0 only for absurdly small shapes; then the beta number is at one of its two ends.
        block[i].dropout_prob = leave / (leave + stay) if leave + stay > 0.0 else 0.0
    if latents.s > 0.0:
        own_key = rng.purpose_key(key, _DROPOUT_RATE)
        hazard = rng.gamma(own_key, 0, latents.s) / (latents.beta + age)
        block[i].dropout_rate = hazard if hazard > _NEVER else 0.0
    shape = latents.q + latents.p * frequency
    block[i].spend_rate = rng.gamma(rng.purpose_key(key, _SPEND_RATE), 0, shape) / (latents.v + frequency * value)


@inlined
def list_cents(latents: Latents, key: np.uint64, k: int, spend_rate: float) -> float:
    """Return what order number `k` costs by itself, in cents."""
    if latents.price > 0.0:
        return 100.0 * latents.price
    return float(100.0 * rng.gamma(rng.purpose_key(key, _SPEND), k, latents.p) / spend_rate)


_UPTAKE, _UNSUBSCRIBE, _REFERRAL = int(rng.Purpose.UPTAKE), int(rng.Purpose.UNSUBSCRIBE), int(rng.Purpose.REFERRAL)
_TRAIT = int(rng.Purpose.TRAIT)
STATUS_YEAR_DAYS = 365.0
# Light buyers respond more, but nobody more than four times as much as the mean buyer.
_MOST_LIGHT = 4.0

# The customer who is simulated; an array of one record, so that compiled functions can change it in place. `before` is
# how many orders were placed before the scenario, `k` how many in it; logs are of ratios; `mood` is the satisfaction
# that moves rates, `felt` the one that surveys ask for; `stock` is borrowed orders not yet given back.
# refers: the first reach in which the customer may win others
# borrower: whether a reach makes the customer borrow orders from later
LIFE_RECORD = np.dtype(
    [
        *fields("key", np.uint64),
        *fields("id row cohort before k revived refers", np.int64),
        *fields("is_new alive borrower", np.bool_),
        *fields(
            "entry last ended rate chance hazard spend_rate drop_log premium_log premium_fade mood felt trait stock",
            np.float64,
        ),
    ],
    align=True,
)
# That customer in one reach. `joins` and `leaves` are days (infinity: never). `on`, and the logs `rate`
# (without what a price adds) and `drop`, hold until `changes`.
# level_at: the last step of the reference price: its log until the next one
CARD_RECORD = np.dtype(
    [
        *fields("seed_key", np.uint64),
        *fields(
            "joins leaves changes rate drop rate_log drop_log basket_log reference level level_at level_log "
            "level_until pull_log rewarded_at year_ends status_pull_log renews_at referral_left",
            np.float64,
        ),
        *fields("on priced", np.bool_),
        *fields("balance status year_paid periods referrals", np.int64),
    ],
    align=True,
)
# Customers who were referred and wait to be simulated.
REFERRED_RECORD = np.dtype([("key", np.uint64), ("by", np.int64), ("entry", np.float64), ("reach", np.int64)])
MAX_REFERRED = 1024
Records = npt.NDArray[np.void]


@inlined
def settle(life: Records, block: Block, i: int, world: World) -> None:
    """Take over customer `i` of a block as the customer who is simulated."""
    me, customer, facts = life[0], block[i], world.facts[0]
    me.key, me.id, me.cohort, me.before = customer.key, customer.number, customer.cohort, customer.orders_before
    me.is_new, me.alive = customer.is_new, customer.alive
    me.k, me.revived, me.ended = 0, 0, np.inf
    me.entry, me.last = customer.entry, customer.last
    if customer.is_new:
        me.last = customer.entry
    me.rate, me.chance, me.hazard = customer.rate, customer.dropout_prob, customer.dropout_rate
    me.spend_rate = customer.spend_rate
    me.drop_log, me.premium_log, me.premium_fade = 0.0, 0.0, 0.0
    me.trait, me.stock = 0.0, 0.0
    if customer.is_new and facts.drift_rate_log != 0.0:
        me.rate *= rng.exp(facts.drift_rate_log * customer.entry)
    if customer.is_new and facts.drift_drop_log != 0.0:
        me.drop_log = facts.drift_drop_log * customer.entry
    if facts.experienced:
        own = rng.normal(rng.purpose_key(customer.key, _TRAIT), 0)
        me.trait = facts.trait_own * own + customer.trait
    me.mood = me.trait
    me.felt = me.trait


@inlined
def join(life: Records, card: Records, plan: Plan, latents: Latents, reached: npt.NDArray[np.bool_], row: int) -> None:
    """Write into `card` the day on which the customer joins each reach, and begin it; infinity for never.

    A customer joins if their uniform is below the uptake, and the earlier the smaller it is: raising the uptake adds
    customers and never removes one.
    """
    life[0].refers, life[0].borrower = len(card), False
    for s in range(len(card)):
        mine, reach = card[s], plan.reaches[s]
        mine.joins = np.inf
        mine.on = False
        mine.balance = 0
        if reached[row, s]:
            mine.seed_key = rng.purpose_key(life[0].key ^ reach.seed_key, _UPTAKE)
            u = rng.uniform(mine.seed_key, 0)
            if u < reach.uptake:
                joins = max(reach.from_day + reach.ramp_days * u / reach.uptake, life[0].entry)
                if joins < reach.until_day:
                    mine.joins = joins
                    _begin(life, card, plan, latents, s)


@lean
def _begin(life: Records, card: Records, plan: Plan, latents: Latents, s: int) -> None:
    mine, reach = card[s], plan.reaches[s]
    mine.leaves = reach.until_day
    if reach.unsubscribe_per_day > 0.0:
        stays = rng.exponential(rng.purpose_key(mine.seed_key, _UNSUBSCRIBE), 0) / reach.unsubscribe_per_day
        mine.leaves = min(mine.leaves, mine.joins + stays)
    mine.rate_log = reach.rate_log * _lightness(life, latents, reach.rate_light)
    mine.drop_log = reach.drop_log * _lightness(life, latents, reach.drop_light)
    mine.basket_log = reach.basket_log * _lightness(life, latents, reach.basket_light)
    mine.reference, mine.level, mine.level_at = 0.0, 0.0, mine.joins
    mine.level_log, mine.level_until = 0.0, np.inf
    mine.priced = reach.elasticity != 0.0
    if reach.forward > 0.0:
        life[0].borrower = True
    mine.pull_log, mine.rewarded_at = 0.0, -np.inf
    mine.status, mine.year_ends, mine.year_paid = 0, mine.joins + STATUS_YEAR_DAYS, 0
    mine.status_pull_log = 0.0
    mine.renews_at, mine.periods = mine.joins, 0
    mine.referrals = 0
    if reach.referrals_per_day > 0.0:
        life[0].refers = min(life[0].refers, s)
        mine.referral_left = rng.exponential(rng.purpose_key(mine.seed_key, _REFERRAL), 0)


@inlined
def _lightness(life: Records, latents: Latents, exponent: float) -> float:
    if exponent == 0.0:
        return 1.0
    if life[0].rate <= 0.0:
        return _MOST_LIGHT
    relative = rng.log(life[0].rate * latents.alpha / latents.r)
    return min(rng.exp(-exponent * relative), _MOST_LIGHT)


@inlined
def spell(card: Records, plan: Plan, s: int, last: float, now: float) -> tuple[float, float]:
    """Return the day on which reach `s` begins its spell at or after `now`'s, and the day from which it is off."""
    reach, joins, leaves = plan.reaches[s], card[s].joins, card[s].leaves
    if reach.idle_days >= 0.0:
        begins = max(last + reach.idle_days, joins)
        if begins >= leaves:
            return np.inf, np.inf
        return begins, min(begins + reach.for_days, leaves)
    if reach.every_days > 0.0:
        return _window(reach.every_days, reach.for_days, joins, leaves, now)
    return joins, leaves


@inlined
def _window(every: float, lasting: float, joins: float, leaves: float, now: float) -> tuple[float, float]:
    number = max(int((now - joins) / every), 0)
    # A quotient can be off by one at the very edge; the edges themselves are always computed in the same way.
    while number > 0 and joins + number * every > now:
        number -= 1
    while joins + (number + 1) * every <= now:
        number += 1
    if now >= joins + number * every + lasting:
        number += 1
    begins = joins + number * every
    if begins >= leaves:
        return np.inf, np.inf
    return begins, min(begins + lasting, leaves)


@inlined
def strength(plan: Plan, course: int, begins: float, now: float) -> tuple[float, float]:
    """Return how strong a course is at `now`, and the day on which that changes."""
    step = 0
    while begins + plan.courses[course, step].ends <= now:
        step += 1
    return plan.courses[course, step].strength, begins + plan.courses[course, step].ends


@inlined
def month_of(world: World, now: float, month: int) -> int:
    """Return the month of a day, the last one for the horizon itself; found at once if it is not far after `month`."""
    if world.months[month].begins > now:
        month = 0
    while month < len(world.months) - 2 and world.months[month + 1].begins <= now:
        month += 1
    return month


@inlined
def seasonal(world: World, now: float, month: int) -> float:
    """Return the seasonal time of a day of the scenario, and of a month."""
    if not world.facts[0].seasonal:
        return now
    mine = world.months[month]
    return mine.season + (now - mine.begins) * mine.level


@inlined
def day_of(world: World, time: float, month: int, latest: float) -> float:
    """Return the day of a seasonal time that is not before `month`; infinity if it is after the day `latest`."""
    if not world.facts[0].seasonal:
        return time
    if time >= world.months[len(world.months) - 1].season:
        return np.inf
    while world.months[month + 1].season <= time:
        month += 1
        if world.months[month].begins > latest:
            return np.inf
    mine = world.months[month]
    return mine.begins + (time - mine.season) / mine.level


# Kinds of events, and what their four numbers a to d mean. Every event also has the customer's number, the order it
# belongs to (counted from 0 within the scenario) and the second of the scenario.
ORDER = 0  # cents at list price, markdown, reward; place of the incident, from 1, or 0
TICKET = 1  # seconds to the first answer, to the end; 1 if the first answer solved it; cents of compensation
SURVEY = (
    2  # instrument (0 NPS, 1 CSAT, 2 CES); score, or -1 for no answer; 1 after a ticket; satisfaction in thousandths
)
RETURN = 3  # cents refunded; cents at list price
CONTACT = 4  # place of the reach
POINTS = 5  # place of the reach; points given (negative: taken); points held afterwards
LEFT = 6  # 1 if at an order; at second 0 of an existing customer: some time before
REVIVED = 7
ARRIVED = 8  # customer who referred them, or -1; place of the reach that attracted them, or -1
MEMBER = 9  # place of the reach; second at which membership ends, of the horizon where it goes on
KINDS = ("ORDER", "TICKET", "SURVEY", "RETURN", "CONTACT", "POINTS", "LEFT", "REVIVED", "ARRIVED", "MEMBER")
LOG_COLUMNS = ("kind", "customer", "order", "second", "a", "b", "c", "d")
_SECONDS_PER_DAY = 86_400.0


class Books(NamedTuple):
    """Where a block writes what happens; `counts`, `values`, the log and its cursor are changed in place.

    month_of_day (days,); unit_value (counts,), millionths of the currency unit for one of each count; later (years, 2),
    the same for LATER_ORDERS and LATER_LIST in each year after the horizon;
    counts (cohorts, months, counts); values (customers,), millionths; log (events, 8), of length 0 when not wanted;
    cursor (1,): events so far, also those beyond the log.
    """

    month_of_day: npt.NDArray[np.int64]
    unit_value: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    log: npt.NDArray[np.int64]
    cursor: npt.NDArray[np.int64]


@inlined
def count(books: Books, row: int, cohort: int, month: int, count_kind: int, amount: int) -> None:
    """Add `amount` to one count and its value to the customer's value."""
    books.counts[cohort, month, count_kind] += amount
    books.values[row] += amount * books.unit_value[count_kind]


@inlined
def count_for(books: Books, life: Records, month: int, count_kind: int, amount: int) -> None:
    """Add `amount` to one count of the customer who is simulated, as `count` does."""
    count(books, life[0].row, life[0].cohort, month, count_kind, amount)


_LATER_ORDERS, _LATER_LIST = int(CountKind.LATER_ORDERS), int(CountKind.LATER_LIST)
_YEAR = 365.25
# Who leaves more slowly than this share of a year orders as long as one who never does, to nine digits.
_STEADY = 1e-9


@lean
def expect(books: Books, row: int, cohort: int, buying: float, leaving: float, cents: float, pause: float) -> None:
    """Count the orders to be expected of a customer who is still there at the horizon, in each year after it.

    Orders come at the rate `buying` until the customer leaves, at the hazard `leaving`, both per day; neither depends
    on the past. For the days of `pause` none comes, and nobody leaves.
    """
    stays = rng.exp(-leaving * _YEAR)
    orders = buying * (_YEAR if leaving * _YEAR < _STEADY else (1.0 - stays) / leaving)
    so_far = 0.0
    for year in range(min(YEARS_AFTER, books.counts.shape[1])):
        coming = orders
        if pause > 0.0:
            passed = max((year + 1) * _YEAR - pause, 0.0)
            total = buying * (passed if leaving * _YEAR < _STEADY else (1.0 - rng.exp(-leaving * passed)) / leaving)
            coming, so_far = total - so_far, total
        parts, listed = int(np.rint(LATER_PARTS * coming)), int(np.rint(cents * coming))
        if parts == 0 and listed == 0 and pause == 0.0:
            break
        count(books, row, cohort, year, _LATER_ORDERS, parts)
        count(books, row, cohort, year, _LATER_LIST, listed)
        books.values[row] += parts * books.later[year, 0] + listed * books.later[year, 1]
        orders *= stays


@inlined
def mean_cents(latents: Latents, spend_rate: float) -> float:
    """Return what an order of a customer costs on average, in cents."""
    return 100.0 * (latents.price if latents.price > 0.0 else latents.p / spend_rate)


@inlined
def note(books: Books, kind: int, life: Records, when: float, a: int, b: int, c: int, d: int) -> None:
    """Write one event of the customer who is simulated."""
    place = books.cursor[0]
    books.cursor[0] = place + 1
    if place < len(books.log):
        _write(books.log, place, kind, life[0].id, life[0].k, when, a, b, c, d)


@lean
def _write(
    log: npt.NDArray[np.int64], place: int, kind: int, who: int, k: int, when: float, a: int, b: int, c: int, d: int
) -> None:
    log[place, 0], log[place, 1], log[place, 2] = kind, who, k
    log[place, 3] = int(when * _SECONDS_PER_DAY)
    log[place, 4], log[place, 5], log[place, 6], log[place, 7] = a, b, c, d
