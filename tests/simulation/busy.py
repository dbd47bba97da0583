"""Programmes that together have every kind of effect, all in one arm; and a population that all of them reach."""

from __future__ import annotations

from cxsim.simulation.world import Calendar, Population
from cxsim.strategies.effects import Programme
from tests.simulation.mechanisms import made
from tests.simulation.worlds import START, coupon, past_customers, programme

PASTS = [(2, 213, 272, 22.0), (0, 0, 272, None), (12, 260, 272, 55.0)]


def everyone(copies: int = 400, months: int = 24) -> Population:
    """Return existing customers and new ones of three months, to whom programmes may add as many again."""
    arrivals = (600, 0, 500)
    return Population(
        base=past_customers(PASTS, copies),
        arrivals=arrivals,
        most_arrivals=tuple(2 * number for number in arrivals),
        calendar=Calendar(starts_on=START, months=months),
    )


def everything() -> list[Programme]:
    """Return eight programmes; no kind of effect is missing."""
    return [WELCOME, SALES, CLUB, PAID, LETTERS, WIN_BACK, SERVICE, FRIENDS]


WELCOME = programme(
    made("purchase_rate", ratio=1.3, course=made("course", half_life_days=120.0), light_buyers=0.3),
    made("dropout", ratio=0.8, course=made("course", ramp_days=180.0)),
    made("basket", ratio=1.05),
    uptake=0.9,
    name="welcome",
)
SALES = programme(
    made(
        "markdown",
        depth=0.2,
        redemption=0.6,
        elasticity=-2.0,
        reference_half_life_days=30.0,
        loss_aversion=1.5,
        forward_buying=0.4,
        dip_depth=0.3,
    ),
    uptake=0.8,
    every=(91.0, 7.0),
    name="sales",
)
CLUB = programme(
    made(
        "points",
        threshold=37.0,
        reward=3.5,
        expiry_days=150.0,
        pull=0.2,
        steepness=1.5,
        rewarded=0.2,
        rewarded_half_life_days=60.0,
    ),
    made("status", threshold=80.0, purchase_rate=1.2, dropout=0.8, demotion=1.3, earn=1.5, pull=0.1, steepness=1.0),
    uptake=0.7,
    ramp_days=120.0,
    name="club",
)
PAID = programme(
    made("membership", fee=5.0, period_days=90.0, renewal=0.7),
    made("purchase_rate", ratio=1.2),
    uptake=0.2,
    months=(1, None),
    name="paid",
)
LETTERS = programme(
    made("contacts", per_month=4.0, response=0.05, fatigue=0.004, unsubscribe=0.02), uptake=0.8, name="letters"
)
WIN_BACK = programme(
    coupon(4.0, 0.5), made("reactivation", share=0.3, second_life=1.3), idle=(120.0, 30.0), name="win-back"
)
SERVICE = programme(
    made("incidents", ratio=0.5, incident="late"),
    made("tickets", ratio=0.8),
    made("resolution", unresolved=0.7, hours=0.5),
    made("recovery", share=0.5, compensation=3.0, repair=0.7, delight=0.5),
    made("satisfaction", shift=0.1),
    made("returns", ratio=0.8),
    name="service",
)
FRIENDS = programme(
    made("referral", per_year=1.0, success=0.3, anyway=0.2, dropout=0.9, premium=1.1),
    made("acquisition", ratio=1.2, charge=0.5, loyal=0.7),
    name="friends",
)
