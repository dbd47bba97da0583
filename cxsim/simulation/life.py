"""One customer of a block, and one customer's place in each reach: the records that the kernel keeps while it plays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.compiled import inlined, lean
from cxsim.simulation.blocks import Block, Latents
from cxsim.simulation.plan import Plan
from cxsim.simulation.world import World

_UPTAKE, _UNSUBSCRIBE, _REFERRAL = int(rng.Purpose.UPTAKE), int(rng.Purpose.UNSUBSCRIBE), int(rng.Purpose.REFERRAL)
_TRAIT = int(rng.Purpose.TRAIT)
STATUS_YEAR_DAYS = 365.0
# Light buyers respond more, but nobody more than four times as much as the mean buyer.
_MOST_LIGHT = 4.0

# The customer who is being played; an array of one record, so that compiled functions can change it in place. `before`
# is how many orders were placed before the scenario, `k` how many in it; logs are of ratios; `mood` is the satisfaction
# that moves rates, `felt` the one that is said in surveys; `stock` is borrowed orders not yet given back.
LIFE_RECORD = np.dtype(
    [
        ("key", np.uint64),
        ("id", np.int64),
        ("row", np.int64),
        ("cohort", np.int64),
        ("before", np.int64),
        ("k", np.int64),
        ("revived", np.int64),
        ("is_new", np.bool_),
        ("alive", np.bool_),
        ("entry", np.float64),
        ("last", np.float64),
        ("ended", np.float64),
        ("rate", np.float64),
        ("chance", np.float64),
        ("hazard", np.float64),
        ("spend_rate", np.float64),
        ("drop_log", np.float64),
        ("premium_log", np.float64),
        ("premium_fade", np.float64),
        ("mood", np.float64),
        ("felt", np.float64),
        ("trait", np.float64),
        ("stock", np.float64),
        ("refers", np.int64),  # the first reach in which the customer may win others
    ],
    align=True,
)
# That customer in one reach. `joins` and `leaves` are days (infinity: never). `on`, and the logs `rate`
# (without what a price adds) and `drop`, hold until `changes`.
CARD_RECORD = np.dtype(
    [
        ("luck", np.uint64),
        ("joins", np.float64),
        ("leaves", np.float64),
        ("on", np.bool_),
        ("priced", np.bool_),
        ("changes", np.float64),
        ("rate", np.float64),
        ("drop", np.float64),
        ("rate_log", np.float64),
        ("drop_log", np.float64),
        ("basket_log", np.float64),
        ("reference", np.float64),
        ("level", np.float64),
        ("level_at", np.float64),  # the last step of the reference price: what the price is worth until the next one
        ("level_log", np.float64),
        ("level_until", np.float64),
        ("balance", np.int64),
        ("pull_log", np.float64),
        ("rewarded_at", np.float64),
        ("status", np.int64),
        ("year_ends", np.float64),
        ("year_paid", np.int64),
        ("status_pull_log", np.float64),
        ("renews_at", np.float64),
        ("periods", np.int64),
        ("referral_left", np.float64),
        ("referrals", np.int64),
    ],
    align=True,
)
# Customers who were referred and wait to be played.
REFERRED_RECORD = np.dtype([("key", np.uint64), ("by", np.int64), ("entry", np.float64), ("reach", np.int64)])
MAX_REFERRED = 1024
Records = npt.NDArray[np.void]


@inlined
def settle(life: Records, block: Block, i: int, world: World) -> None:
    """Take over customer `i` of a block as the customer who is played."""
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
    life[0].refers = len(card)
    for s in range(len(card)):
        mine, reach = card[s], plan.reaches[s]
        mine.joins = np.inf
        mine.on = False
        mine.balance = 0
        if reached[row, s]:
            mine.luck = rng.purpose_key(life[0].key ^ reach.luck, _UPTAKE)
            u = rng.uniform(mine.luck, 0)
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
        stays = rng.exponential(rng.purpose_key(mine.luck, _UNSUBSCRIBE), 0) / reach.unsubscribe_per_day
        mine.leaves = min(mine.leaves, mine.joins + stays)
    mine.rate_log = reach.rate_log * _lightness(life, latents, reach.rate_light)
    mine.drop_log = reach.drop_log * _lightness(life, latents, reach.drop_light)
    mine.basket_log = reach.basket_log * _lightness(life, latents, reach.basket_light)
    mine.reference, mine.level, mine.level_at = 0.0, 0.0, mine.joins
    mine.level_log, mine.level_until = 0.0, np.inf
    mine.priced = reach.elasticity != 0.0
    mine.pull_log, mine.rewarded_at = 0.0, -np.inf
    mine.status, mine.year_ends, mine.year_paid = 0, mine.joins + STATUS_YEAR_DAYS, 0
    mine.status_pull_log = 0.0
    mine.renews_at, mine.periods = mine.joins, 0
    mine.referrals = 0
    if reach.referrals_per_day > 0.0:
        life[0].refers = min(life[0].refers, s)
        mine.referral_left = rng.exponential(rng.purpose_key(mine.luck, _REFERRAL), 0)


@inlined
def _lightness(life: Records, latents: Latents, exponent: float) -> float:
    if exponent == 0.0:
        return 1.0
    if life[0].rate <= 0.0:
        return _MOST_LIGHT
    relative = rng.log(life[0].rate * latents.alpha / latents.r)
    return min(rng.exp(-exponent * relative), _MOST_LIGHT)
