"""Programmes in, records out: what the compiled kernel reads instead of effects."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim.errors import SimulationError
from cxsim.params import CENTS, DAYS_PER_MONTH, DAYS_PER_YEAR
from cxsim.simulation.counts import width
from cxsim.simulation.world import Calendar, Made, fields, made_of, records, rounded, same
from cxsim.strategies.behaviour import MAX_INCIDENTS
from cxsim.strategies.effects import (
    ALWAYS,
    MAX_STEPS,
    Course,
    Effect,
    Markdown,
    Programme,
    Reach,
    decay_steps,
    steps_of,
)
from cxsim.strategies.mechanisms import Acquisition, Contacts, Incidents, Points, Referral
from cxsim.strategies.units import value_of

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
            "recovery compensation_cents repair delight shift contact_log contacts_apart unsubscribe_per_day revive "
            "second_drop_log referrals_per_day anyway referred_drop_log premium_log premium_fade_per_day attracts",
            0.0,
        ),
        *fields("steepness status_earn status_steepness tickets unresolved hours returns loyal", 1.0),
        *fields("forget_per_day points_expiry_days", math.inf),
    ]
)


def _cents(amount: float) -> float:
    return round(amount * CENTS)


def _fading(half_life_days: float) -> float:
    return math.log(2.0) / half_life_days


# By kind of effect: for each field that it sets the number of the effect that it comes from, and how. A number that is
# left out leaves the field neutral.
_FIELDS: Mapping[str, Made] = {
    "purchase_rate": {"rate_log": ("ratio", math.log), "rate_light": ("light_buyers", float)},
    "dropout": {"drop_log": ("ratio", math.log), "drop_light": ("light_buyers", float)},
    "basket": {"basket_log": ("ratio", math.log), "basket_light": ("light_buyers", float)},
    "markdown": {
        **same("depth redemption elasticity loss_aversion"),
        "forget_per_day": ("reference_half_life_days", _fading),
        "forward": ("forward_buying", float),
        "dip": ("dip_depth", float),
    },
    "coupon": {"face_cents": ("face_value", _cents), **same("redemption")},
    "points": {
        **same("pull steepness"),
        "points_per_cent": ("earn", lambda earned: earned / CENTS),
        "points_threshold": ("threshold", round),
        "reward_cents": ("reward", _cents),
        "points_redemption": ("redemption", float),
        "points_expiry_days": ("expiry_days", float),
        "stirs": ("rewarded", float),
    },
    "status": {
        "status_cents": ("threshold", _cents),
        "status_rate_log": ("purchase_rate", math.log),
        "status_drop_log": ("dropout", math.log),
        "status_earn": ("earn", float),
        "status_pull": ("pull", float),
        "status_steepness": ("steepness", float),
        "demotion_log": ("demotion", math.log),
    },
    "membership": {"fee_cents": ("fee", _cents), **same("period_days renewal")},
    "tickets": {"tickets": ("ratio", float)},
    "resolution": same("unresolved hours"),
    "recovery": {
        **same("repair delight"),
        "recovery": ("share", float),
        "compensation_cents": ("compensation", _cents),
    },
    "satisfaction": same("shift"),
    "returns": {"returns": ("ratio", float)},
    "reactivation": {"revive": ("share", float), "second_drop_log": ("second_life", math.log)},
    "acquisition": {"attracts": ("ratio", lambda ratio: max(ratio - 1.0, 0.0))},
    "referral": {
        **same("anyway"),
        "referred_drop_log": ("dropout", math.log),
        "premium_log": ("premium", math.log),
        "premium_fade_per_day": ("premium_half_life_days", _fading),
    },
}


def effect_row(effect: Effect) -> dict[str, float]:
    """Return the fields that an effect sets; none for one on incidents, which have rows of their own."""
    row = made_of(effect, _FIELDS.get(effect.kind, {}))
    match effect:
        case Markdown():
            return row | {"price_log": math.log1p(-effect.depth.value * effect.redemption.value)}
        case Contacts():
            monthly = effect.per_month.value
            gain = effect.response.value * monthly - effect.fatigue.value * monthly**2
            return {
                "contact_log": gain,
                "contacts_apart": DAYS_PER_MONTH / monthly if monthly > 0.0 else 0.0,
                "unsubscribe_per_day": effect.unsubscribe.value * monthly / DAYS_PER_MONTH,
            }
        case Acquisition():
            return row | {"loyal": effect.staying}
        case Referral():
            return row | {"referrals_per_day": effect.per_year.value * effect.success.value / DAYS_PER_YEAR}
        case _:
            return row


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


MAX_REACHES = 16
_NO_ORDER = 1 << 40

# One arm for the kernel, one record per reach; times are days of the scenario. A later mechanism adds its fields in
# plan_rows and its branch in the kernel; nothing else changes. (A record array and not one array per field, because
# handing dozens of arrays from function to function costs the kernel ten times its own work.)
# idle_days: negative: does not wait for an idle spell
# every_days: negative: does not come again
# contacts_apart: days from one message to a member to the next; 0: none is sent
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
        reaches=records(rows, REACH_RECORD),
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
        "idle_days": value_of(reach.after_idle_days, -1.0),
        "every_days": value_of(reach.every_days, -1.0),
        "for_days": value_of(reach.for_days, math.inf),
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
