"""Programmes that together have every kind of effect, in the numbers that the bare rival plays as well."""

from __future__ import annotations

from cxsim.params import Quantity, Unit
from cxsim.strategies.effects import Basket, Coupon, Course, Dropout, Effect, Markdown, Programme, PurchaseRate, Reach
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

# Of several gains the largest counts in full, and this share of the others.
STACKING = 0.7


def every_mechanism() -> tuple[Programme, ...]:
    """Return eight programmes; no kind of effect is missing."""
    return (_welcome(), _sales(), _club(), _paid(), _letters(), _win_back(), _service(), _friends())


def _welcome() -> Programme:
    rate = PurchaseRate(
        ratio=_ratio(1.15), course=Course(half_life_days=_days(120.0)), light_buyers=assumed(0.3, Unit.EXPONENT)
    )
    drop = Dropout(ratio=_ratio(0.9), course=Course(ramp_days=_days(180.0)))
    return _programme("welcome", 0.9, rate, drop, Basket(ratio=_ratio(1.02)))


def _sales() -> Programme:
    markdown = Markdown(
        depth=_share(0.2),
        redemption=_share(0.6),
        elasticity=assumed(-2.0, Unit.ELASTICITY),
        reference_half_life_days=_days(30.0),
        loss_aversion=_ratio(1.5),
        forward_buying=_share(0.3),
        dip_depth=_share(0.2),
    )
    return _programme("sales", 0.8, markdown, every_days=_days(91.0), for_days=_days(7.0))


def _club() -> Programme:
    points = Points(
        earn=assumed(1.0, Unit.POINTS_PER_MONEY),
        threshold=assumed(100.0, Unit.POINTS),
        reward=_money(5.0),
        redemption=_share(0.7),
        expiry_days=_days(365.0),
        pull=_share(0.1),
        steepness=assumed(1.5, Unit.EXPONENT),
        rewarded=_share(0.1),
        rewarded_half_life_days=_days(60.0),
    )
    status = Status(
        threshold=assumed(150.0, Unit.MONEY_PER_YEAR),
        purchase_rate=_ratio(1.05),
        dropout=_ratio(0.9),
        demotion=_ratio(1.1),
        earn=_ratio(1.5),
        pull=_share(0.05),
        steepness=assumed(2.0, Unit.EXPONENT),
    )
    return _programme("club", 0.4, points, status, ramp_days=180.0)


def _paid() -> Programme:
    member = Membership(fee=_money(10.0), period_days=_days(365.0), renewal=_share(0.6))
    return _programme("paid", 0.1, member, PurchaseRate(ratio=_ratio(1.2)))


def _letters() -> Programme:
    contacts = Contacts(
        per_month=assumed(2.0, Unit.PER_MONTH),
        response=assumed(0.04, Unit.EXPONENT),
        fatigue=assumed(0.005, Unit.EXPONENT),
        unsubscribe=_share(0.003),
    )
    return _programme("letters", 0.6, contacts)


def _win_back() -> Programme:
    coupon = Coupon(face_value=_money(4.0), redemption=_share(0.4))
    back = Reactivation(share=_share(0.03), second_life=_ratio(1.2))
    return _programme("win-back", 0.6, coupon, back, after_idle_days=_days(120.0), for_days=_days(30.0))


def _service() -> Programme:
    recovery = Recovery(
        share=_share(0.5),
        compensation=_money(3.0),
        repair=_share(0.6),
        delight=assumed(0.2, Unit.DEVIATIONS),
    )
    effects = (
        Incidents(ratio=_ratio(0.7), incident="late"),
        Tickets(ratio=_ratio(0.8)),
        Resolution(unresolved=_ratio(0.7), hours=_ratio(0.5)),
        recovery,
        Satisfaction(shift=assumed(0.05, Unit.DEVIATIONS)),
        Returns(ratio=_ratio(1.1)),
    )
    return _programme("service", 0.9, *effects)


def _friends() -> Programme:
    referral = Referral(
        per_year=assumed(0.5, Unit.PER_YEAR),
        success=_share(0.1),
        anyway=_share(0.3),
        dropout=_ratio(0.82),
        premium=_ratio(1.1),
        premium_half_life_days=_days(365.0),
    )
    return _programme("friends", 0.9, referral, Acquisition(ratio=_ratio(1.05), charge=_share(0.0), loyal=_share(0.8)))


def _programme(name: str, uptake: float, *effects: Effect, ramp_days: float = 0.0, **waits: Quantity) -> Programme:
    reach = Reach(who="true", uptake=_share(uptake), ramp_days=_days(ramp_days), **waits)
    return Programme(name=name, reach=reach, effects=effects)


def _ratio(value: float) -> Quantity:
    return assumed(value, Unit.RATIO)


def _share(value: float) -> Quantity:
    return assumed(value, Unit.SHARE)


def _money(value: float) -> Quantity:
    return assumed(value, Unit.MONEY)


def _days(value: float) -> Quantity:
    return assumed(value, Unit.DAYS)
