"""One effect in; the fields of its reach's record out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cxsim.behaviour import MAX_INCIDENTS
from cxsim.effects import (
    Acquisition,
    Basket,
    Contacts,
    Coupon,
    Dropout,
    Effect,
    Incidents,
    Markdown,
    Membership,
    Points,
    Programme,
    PurchaseRate,
    Reactivation,
    Recovery,
    Referral,
    Resolution,
    Returns,
    Satisfaction,
    Status,
    Tickets,
)
from cxsim.errors import SimulationError, choices
from cxsim.quantity import Quantity
from cxsim.units import CENTS, DAYS_PER_MONTH, DAYS_PER_YEAR

# Effects that may have a course, in the order of a plan's rows of steps.
COURSED = ("purchase_rate", "dropout", "basket")
# The last course of a reach, behind these, is what a reward stirs.
COURSES = len(COURSED) + 1
STIRS = COURSES - 1

# What a reach's record says where no effect says otherwise.
NEUTRAL: dict[str, float] = {
    "rate_log": 0.0,
    "rate_light": 0.0,
    "drop_log": 0.0,
    "drop_light": 0.0,
    "basket_log": 0.0,
    "basket_light": 0.0,
    "depth": 0.0,
    "face_cents": 0.0,
    "redemption": 0.0,
    "price_log": 0.0,
    "elasticity": 0.0,
    "forget_per_day": math.inf,  # infinite: no reference price
    "loss_aversion": 0.0,
    "forward": 0.0,
    "dip": 0.0,
    "points_per_cent": 0.0,
    "points_threshold": 0.0,  # 0: gives no points
    "reward_cents": 0.0,
    "points_redemption": 0.0,
    "points_expiry_days": math.inf,
    "pull": 0.0,
    "steepness": 1.0,
    "stirs": 0.0,
    "status_cents": 0.0,  # 0: has no status
    "status_rate_log": 0.0,
    "status_drop_log": 0.0,
    "status_earn": 1.0,
    "status_pull": 0.0,
    "status_steepness": 1.0,
    "demotion_log": 0.0,
    "fee_cents": 0.0,
    "period_days": 0.0,  # 0: no paid membership
    "renewal": 0.0,
    "tickets": 1.0,
    "unresolved": 1.0,
    "hours": 1.0,
    "recovery": 0.0,
    "compensation_cents": 0.0,
    "repair": 0.0,
    "delight": 0.0,
    "shift": 0.0,
    "returns": 1.0,
    "contact_log": 0.0,
    "unsubscribe_per_day": 0.0,
    "revive": 0.0,
    "second_drop_log": 0.0,
    "referrals_per_day": 0.0,
    "anyway": 0.0,
    "referred_drop_log": 0.0,
    "premium_log": 0.0,
    "premium_fade_per_day": 0.0,
    "attracts": 0.0,
    "loyal": 1.0,
}


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
            elif effect.incident in incidents:
                ratios[incidents.index(effect.incident)] = effect.ratio.value
            else:
                raise SimulationError(
                    f"programme '{programme.name}': the shop's behaviour has no incident '{effect.incident}'; "
                    f"{choices(effect.incident, incidents)}"
                )
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
