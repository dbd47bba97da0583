"""Every kind of effect in few words: numbers in, effects without spread out."""

from __future__ import annotations

from cxsim.params import Quantity, Unit
from cxsim.strategies.effects import Basket, Course, Dropout, Markdown, PurchaseRate
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
from tests.simulated import assumed

_UNITS = {
    Acquisition: {
        "ratio": Unit.RATIO,
        "charge": Unit.SHARE,
        "loyal": Unit.SHARE,
        "depth": Unit.SHARE,
        "loss_per_depth": Unit.EXPONENT,
    },
    Basket: {"ratio": Unit.RATIO, "light_buyers": Unit.EXPONENT},
    Contacts: {
        "per_month": Unit.PER_MONTH,
        "response": Unit.EXPONENT,
        "fatigue": Unit.EXPONENT,
        "unsubscribe": Unit.SHARE,
    },
    Course: dict.fromkeys(("delay_days", "ramp_days", "half_life_days", "lasts_days"), Unit.DAYS),
    Dropout: {"ratio": Unit.RATIO, "light_buyers": Unit.EXPONENT},
    Incidents: {"ratio": Unit.RATIO},
    Markdown: {
        "depth": Unit.SHARE,
        "redemption": Unit.SHARE,
        "elasticity": Unit.ELASTICITY,
        "reference_half_life_days": Unit.DAYS,
        "loss_aversion": Unit.RATIO,
        "forward_buying": Unit.SHARE,
        "dip_depth": Unit.SHARE,
    },
    Membership: {"fee": Unit.MONEY, "period_days": Unit.DAYS, "renewal": Unit.SHARE},
    Points: {
        "earn": Unit.POINTS_PER_MONEY,
        "threshold": Unit.POINTS,
        "reward": Unit.MONEY,
        "redemption": Unit.SHARE,
        "expiry_days": Unit.DAYS,
        "pull": Unit.SHARE,
        "steepness": Unit.EXPONENT,
        "rewarded": Unit.SHARE,
        "rewarded_half_life_days": Unit.DAYS,
    },
    PurchaseRate: {"ratio": Unit.RATIO, "light_buyers": Unit.EXPONENT},
    Reactivation: {"share": Unit.SHARE, "second_life": Unit.RATIO},
    Recovery: {"share": Unit.SHARE, "compensation": Unit.MONEY, "repair": Unit.SHARE, "delight": Unit.DEVIATIONS},
    Referral: {
        "per_year": Unit.PER_YEAR,
        "success": Unit.SHARE,
        "anyway": Unit.SHARE,
        "dropout": Unit.RATIO,
        "premium": Unit.RATIO,
        "premium_half_life_days": Unit.DAYS,
    },
    Resolution: {"unresolved": Unit.RATIO, "hours": Unit.RATIO},
    Returns: {"ratio": Unit.RATIO},
    Satisfaction: {"shift": Unit.DEVIATIONS},
    Status: {
        "threshold": Unit.MONEY_PER_YEAR,
        "purchase_rate": Unit.RATIO,
        "dropout": Unit.RATIO,
        "demotion": Unit.RATIO,
        "earn": Unit.RATIO,
        "pull": Unit.SHARE,
        "steepness": Unit.EXPONENT,
    },
    Tickets: {"ratio": Unit.RATIO},
}
_USUAL = {
    Points: {"earn": 1.0, "threshold": 100.0, "reward": 5.0, "redemption": 0.7, "expiry_days": 365.0},
    Status: {"threshold": 150.0, "purchase_rate": 1.0, "dropout": 1.0, "demotion": 1.0},
    Membership: {"fee": 10.0, "period_days": 365.0, "renewal": 0.7},
    Contacts: {"per_month": 4.0, "response": 0.0, "fatigue": 0.0, "unsubscribe": 0.0},
    Referral: {
        "per_year": 0.5,
        "success": 0.2,
        "anyway": 0.0,
        "dropout": 1.0,
        "premium": 1.0,
        "premium_half_life_days": 365.0,
    },
    Recovery: {"share": 1.0, "compensation": 0.0, "repair": 0.0, "delight": 0.0},
    Reactivation: {"share": 0.0, "second_life": 1.0},
    Resolution: {"unresolved": 1.0, "hours": 1.0},
    Acquisition: {"ratio": 1.0, "charge": 0.0},
}


def made(kind, /, **numbers):
    """Return an effect or a course of numbers; what is not a number, such as a course or a name, is handed through."""
    written = _USUAL.get(kind, {}) | numbers
    return kind(**{name: _quantity(kind, name, value) for name, value in written.items()})


def _quantity(kind, name, value):
    if value is None or isinstance(value, Quantity | Course | str):
        return value
    return assumed(value, _UNITS[kind][name])
