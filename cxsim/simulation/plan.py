"""Programmes in, records out: what the compiled kernel reads instead of effects."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim.errors import SimulationError
from cxsim.params import CENTS, DAYS_PER_MONTH, DAYS_PER_YEAR, Quantity
from cxsim.simulation.counts import width
from cxsim.simulation.world import Calendar, fields, rounded
from cxsim.strategies.behaviour import MAX_INCIDENTS
from cxsim.strategies.effects import (
    ALWAYS,
    MAX_STEPS,
    Basket,
    Coupon,
    Course,
    Dropout,
    Effect,
    Markdown,
    Programme,
    PurchaseRate,
    Reach,
    decay_steps,
    steps_of,
)
from cxsim.strategies.mechanisms import (
    Acquisition,
    Contacts,
    Incidents,
    Membership,
    Points,
    Reactivation,
    Recovery,
    Referral,
    Resolution,
    Returns,
    Satisfaction,
    Status,
    Tickets,
)

# Effects that may have a course, in the order of a plan's rows of steps.
COURSED = ("purchase_rate", "dropout", "basket")
# The last course of a reach, behind these, is what a reward stirs.
COURSES = len(COURSED) + 1
STIRS = COURSES - 1

# What a reach's record holds where no effect changes it: 0, which stands for none of a threshold, a status or a paid
# membership; or 1 for a ratio; or infinity: no reference price, and points that never expire.
NEUTRAL: dict[str, float] = dict(
    [
        *fields(
            "rate_log rate_light drop_log drop_light basket_log basket_light depth face_cents redemption price_log "
            "elasticity loss_aversion forward dip points_per_cent points_threshold reward_cents points_redemption pull "
            "stirs status_cents status_rate_log status_drop_log status_pull demotion_log fee_cents period_days renewal "
            "recovery compensation_cents repair delight shift contact_log unsubscribe_per_day revive second_drop_log "
            "referrals_per_day anyway referred_drop_log premium_log premium_fade_per_day attracts",
            0.0,
        ),
        *fields("steepness status_earn status_steepness tickets unresolved hours returns loyal", 1.0),
        *fields("forget_per_day points_expiry_days", math.inf),
    ]
)


def effect_row(effect: Effect) -> dict[str, float]:
    """Return the fields that an effect sets; none for one on incidents, which have rows of their own."""
    match effect:
        case PurchaseRate() | Dropout() | Basket():
            stem = {"purchase_rate": "rate", "dropout": "drop", "basket": "basket"}[effect.kind]
            light = _known(effect.light_buyers, 0.0)
            return {f"{stem}_log": math.log(effect.ratio.value), f"{stem}_light": light}
        case Markdown() | Coupon():
            return _price_row(effect)
        case Points() | Status() | Membership():
            return _loyalty_row(effect)
        case Contacts() | Reactivation():
            return _contact_row(effect)
        case Acquisition() | Referral():
            return _growth_row(effect)
        case _:
            return _service_row(effect)


def incident_ratios(programme: Programme, incidents: Sequence[str]) -> list[float]:
    """Return a programme's ratio on the chance of each incident: 1 where it changes nothing."""
    ratios = [1.0] * MAX_INCIDENTS
    for effect in programme.effects:
        if isinstance(effect, Incidents):
            if effect.incident is None:
                ratios = [effect.ratio.value] * MAX_INCIDENTS
            else:
                ratios[incidents.index(effect.incident)] = effect.ratio.value
    return ratios


def _price_row(effect: Markdown | Coupon) -> dict[str, float]:
    if isinstance(effect, Coupon):
        return {"face_cents": round(effect.face_value.value * CENTS), "redemption": effect.redemption.value}
    half_life = effect.reference_half_life_days
    return {
        "depth": effect.depth.value,
        "redemption": effect.redemption.value,
        "price_log": math.log1p(-effect.depth.value * effect.redemption.value),
        "elasticity": effect.elasticity.value,
        "forget_per_day": math.inf if half_life is None else math.log(2.0) / half_life.value,
        "loss_aversion": _known(effect.loss_aversion, 0.0),
        "forward": _known(effect.forward_buying, 0.0),
        "dip": _known(effect.dip_depth, 0.0),
    }


def _loyalty_row(effect: Points | Status | Membership) -> dict[str, float]:
    match effect:
        case Points():
            return _points_row(effect)
        case Status():
            return _status_row(effect)
        case Membership():
            return {
                "fee_cents": round(effect.fee.value * CENTS),
                "period_days": effect.period_days.value,
                "renewal": effect.renewal.value,
            }


def _contact_row(effect: Contacts | Reactivation) -> dict[str, float]:
    if isinstance(effect, Reactivation):
        return {"revive": effect.share.value, "second_drop_log": math.log(effect.second_life.value)}
    monthly = effect.per_month.value
    return {
        "contact_log": effect.response.value * monthly - effect.fatigue.value * monthly**2,
        "unsubscribe_per_day": effect.unsubscribe.value * monthly / DAYS_PER_MONTH,
    }


def _points_row(effect: Points) -> dict[str, float]:
    return {
        "points_per_cent": effect.earn.value / CENTS,
        "points_threshold": round(effect.threshold.value),
        "reward_cents": round(effect.reward.value * CENTS),
        "points_redemption": effect.redemption.value,
        "points_expiry_days": effect.expiry_days.value,
        "pull": _known(effect.pull, 0.0),
        "steepness": _known(effect.steepness, 1.0),
        "stirs": _known(effect.rewarded, 0.0),
    }


def _status_row(effect: Status) -> dict[str, float]:
    return {
        "status_cents": round(effect.threshold.value * CENTS),
        "status_rate_log": math.log(effect.purchase_rate.value),
        "status_drop_log": math.log(effect.dropout.value),
        "status_earn": _known(effect.earn, 1.0),
        "status_pull": _known(effect.pull, 0.0),
        "status_steepness": _known(effect.steepness, 1.0),
        "demotion_log": math.log(effect.demotion.value),
    }


def _growth_row(effect: Acquisition | Referral) -> dict[str, float]:
    if isinstance(effect, Acquisition):
        return {"attracts": max(effect.ratio.value - 1.0, 0.0), "loyal": effect.staying}
    return {
        "referrals_per_day": effect.per_year.value * effect.success.value / DAYS_PER_YEAR,
        "anyway": effect.anyway.value,
        "referred_drop_log": math.log(effect.dropout.value),
        "premium_log": math.log(effect.premium.value),
        "premium_fade_per_day": math.log(2.0) / effect.premium_half_life_days.value,
    }


def _service_row(effect: Effect) -> dict[str, float]:
    match effect:
        case Tickets():
            return {"tickets": effect.ratio.value}
        case Resolution():
            return {"unresolved": effect.unresolved.value, "hours": effect.hours.value}
        case Recovery():
            return {
                "recovery": effect.share.value,
                "compensation_cents": round(effect.compensation.value * CENTS),
                "repair": effect.repair.value,
                "delight": effect.delight.value,
            }
        case Satisfaction():
            return {"shift": effect.shift.value}
        case Returns():
            return {"returns": effect.ratio.value}
        case _:
            return {}


def _known(quantity: Quantity | None, otherwise: float) -> float:
    return otherwise if quantity is None else quantity.value


MAX_REACHES = 16
_NO_ORDER = 1 << 40

# One arm for the kernel, one record per reach; times are days of the scenario. A later mechanism adds its fields in
# plan_rows and its branch in the kernel; nothing else changes. (A record array and not one array per field, because
# handing dozens of arrays from function to function costs the kernel ten times its own work.)
# idle_days: negative: does not wait for an idle spell
# every_days: negative: does not come again
REACH_RECORD = np.dtype(
    [
        *fields("seed_key", np.uint64),
        *fields("uptake ramp_days from_day until_day", np.float64),
        *fields("from_order until_order", np.int64),
        *fields("idle_days every_days for_days", np.float64),
        *((name, np.int64 if name in {"points_threshold", "reward_cents"} else np.float64) for name in NEUTRAL),
    ],
)
# A step of a course: the day since its beginning on which it ends, and the strength until then.
STEP_RECORD = np.dtype([("ends", np.float64), ("strength", np.float64)])


class Plan(NamedTuple):
    """One arm as arrays.

    reaches (programmes,); courses (programmes * 4, steps): of purchase rate, dropout and basket, and what a reward
    stirs, each row padded with steps that end never; incidents (programmes, 6): ratio on each incident's chance;
    stacking: share that counts of all but the strongest of several gains.
    """

    reaches: npt.NDArray[np.void]
    courses: npt.NDArray[np.void]
    incidents: npt.NDArray[np.float64]
    stacking: float


def compile_plan(
    programmes: Sequence[Programme], calendar: Calendar, *, incidents: Sequence[str] = (), stacking: float = 1.0
) -> Plan:
    """Return the records of one arm; no reaches for an empty list, which is the baseline."""
    if len(programmes) > MAX_REACHES:
        raise SimulationError(f"an arm has {len(programmes)} programmes; at most {MAX_REACHES} are possible.")
    rows = [_row(programme, calendar) for programme in programmes]
    steps = [course for programme in programmes for course in _courses(programme)]
    courses = np.zeros((len(steps), MAX_STEPS), STEP_RECORD)
    courses["ends"] = np.inf
    for place, (ends, strengths) in enumerate(steps):
        courses["ends"][place, : len(ends)] = [rounded(end) for end in ends]
        courses["strength"][place, : len(strengths)] = [rounded(strength) for strength in strengths]
    return Plan(
        reaches=np.array([tuple(row[name] for name in REACH_RECORD.names or ()) for row in rows], dtype=REACH_RECORD),
        courses=courses,
        incidents=np.array([incident_ratios(one, incidents) for one in programmes]).reshape(
            len(programmes), MAX_INCIDENTS
        ),
        stacking=rounded(stacking),
    )


def count_kinds_of(plan: Plan) -> int:
    """Return how many counts an arm with this plan has."""
    return width(len(plan.reaches))


def arrivals_of(
    programmes: Sequence[Programme], arrivals: Sequence[int], calendar: Calendar, *, stacking: float = 1.0
) -> tuple[int, ...]:
    """Return how many customers arrive in each month of an arm."""
    counts = []
    for month, number in enumerate(arrivals):
        logs = [math.log(_conversion(programme, month, calendar)) for programme in programmes]
        gains = [log for log in logs if log > 0.0]
        most = max(gains, default=0.0)
        total = most + stacking * (sum(gains) - most) + sum(log for log in logs if log < 0.0)
        counts.append(round(number * math.exp(rounded(total))))
    return tuple(counts)


def _conversion(programme: Programme, month: int, calendar: Calendar) -> float:
    """Return the ratio on arrivals in a month: the uptake is reached, more and more in the ramp."""
    reach, ratio = programme.reach, 1.0
    until = calendar.months if reach.until_month is None else reach.until_month
    for effect in programme.effects:
        if isinstance(effect, Acquisition) and reach.from_month <= month < until:
            middle = 0.5 * float(calendar.month_starts[month] + calendar.month_starts[month + 1])
            since, ramp = middle - float(calendar.month_starts[reach.from_month]), reach.ramp_days.value
            begun = 1.0 if ramp <= 0.0 else min(since / ramp, 1.0)
            ratio *= 1.0 + (effect.ratio.value - 1.0) * reach.uptake.value * begun
    return ratio


def _row(programme: Programme, calendar: Calendar) -> dict[str, float]:
    row = _reach_row(programme.reach, calendar) | NEUTRAL
    for effect in programme.effects:
        row |= effect_row(effect)
    whole = {"seed_key": _seed_key(programme.name), "from_order": row["from_order"], "until_order": row["until_order"]}
    return {name: rounded(number) for name, number in row.items()} | whole


def _seed_key(name: str) -> int:
    """Return the number of a programme in a customer's random numbers; Python's own hash() differs from run to run."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def _reach_row(reach: Reach, calendar: Calendar) -> dict[str, float]:
    until = calendar.months if reach.until_month is None else min(reach.until_month, calendar.months)
    return {
        "uptake": reach.uptake.value,
        "ramp_days": reach.ramp_days.value,
        "from_day": float(calendar.month_starts[reach.from_month]),
        "until_day": float(calendar.month_starts[until]),
        "from_order": 0 if reach.from_order is None else reach.from_order,
        "until_order": _NO_ORDER if reach.until_order is None else reach.until_order,
        "idle_days": -1.0 if reach.after_idle_days is None else reach.after_idle_days.value,
        "every_days": -1.0 if reach.every_days is None else reach.every_days.value,
        "for_days": math.inf if reach.for_days is None else reach.for_days.value,
    }


def _courses(programme: Programme) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    courses: dict[str, Course | None] = dict.fromkeys(COURSED)
    stirred = ALWAYS
    for effect in programme.effects:
        if effect.kind in COURSED:
            courses[effect.kind] = getattr(effect, "course", None)
        if isinstance(effect, Points) and effect.rewarded is not None and effect.rewarded_half_life_days is not None:
            ends, heights = decay_steps(effect.rewarded_half_life_days.value)
            stirred = ends, tuple(math.log1p(effect.rewarded.value * height) for height in heights)
    return [*(steps_of(course) for course in courses.values()), stirred]
