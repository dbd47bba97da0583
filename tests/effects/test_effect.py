"""Which effects may stand in one programme, and what each of them refuses to be."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from cxsim.errors import ParamError
from cxsim.params import Unit
from cxsim.strategies.effects import Basket, Coupon, Dropout, Effect, Markdown, PurchaseRate, refuse_contradictions
from cxsim.strategies.mechanisms import (
    Acquisition,
    Contacts,
    Incidents,
    Membership,
    Points,
    Reactivation,
    Recovery,
    Referral,
    Returns,
    Satisfaction,
    Status,
    Tickets,
)
from tests.simulated import assumed
from tests.simulation.mechanisms import made
from tests.simulation.worlds import coupon, markdown

RATIO, SHARE = assumed(1.1, Unit.RATIO), assumed(0.5, Unit.SHARE)
CLUB = made(Points)


@pytest.mark.parametrize(
    ("effects", "waits", "message"),
    [
        (
            [coupon(5.0, 0.5), markdown(0.1, 0.5, -1.0)],
            None,
            "at most one price effect (markdown or coupon) is possible",
        ),
        ([coupon(5.0, 0.5), coupon(3.0, 0.5)], None, "at most one price effect"),
        (
            [CLUB, made(Basket, ratio=1.1), CLUB],
            None,
            "points stands there twice, and which of them holds cannot be told",
        ),
        (
            [made(Incidents, ratio=0.5), made(Incidents, ratio=0.5, incident="late")],
            None,
            "incidents stands there twice",
        ),
        (
            [made(Incidents, ratio=0.5, incident="late"), made(Incidents, ratio=0.6, incident="late")],
            None,
            "incidents:late stands there twice",
        ),
        ([CLUB], "after_idle_days", "points cannot go with after_idle_days: it begins once for a member and goes on"),
        ([made(Status), CLUB], "every_days", "status, points cannot go with every_days"),
        ([made(Membership)], "every_days", "membership cannot go with every_days"),
        ([made(Contacts)], "after_idle_days", "contacts cannot go with after_idle_days"),
        ([made(Acquisition)], "every_days", "acquisition cannot go with every_days"),
        ([made(Referral)], "after_idle_days", "referral cannot go with after_idle_days"),
        ([made(Reactivation)], None, "reactivation needs a reach with after_idle_days"),
        ([made(Reactivation)], "every_days", "reactivation needs a reach with after_idle_days"),
    ],
)
def test_effects_that_contradict_each_other_or_their_reach_are_refused(effects, waits, message):
    with pytest.raises(ParamError, match=re.escape(message)):
        refuse_contradictions(effects, waits=waits)


@pytest.mark.parametrize(
    ("effects", "waits"),
    [
        ([made(Incidents, ratio=0.5, incident="late"), made(Incidents, ratio=0.5, incident="defect")], None),
        ([coupon(5.0, 0.5), made(Reactivation, share=0.2)], "after_idle_days"),
        ([CLUB, made(Status), made(Membership), made(Contacts), made(Acquisition), made(Referral)], None),
    ],
)
def test_effects_that_can_stand_together_are_accepted(effects, waits):
    refuse_contradictions(effects, waits=waits)
    with pytest.raises(ParamError, match="twice"):
        refuse_contradictions([*effects, effects[-1]], waits=waits)


def test_each_effect_has_a_kind_of_its_own():
    kinds = [kind.__dataclass_fields__["kind"].default for kind in get_args(Effect)]
    assert len(set(kinds)) == len(kinds) == 18


@pytest.mark.parametrize("effect", [PurchaseRate, Dropout, Basket, Incidents, Tickets, Returns])
def test_an_effect_in_the_wrong_unit_is_refused(effect):
    with pytest.raises(ParamError, match=r"ratio: wrong unit 'share'; it must be 'ratio'\."):
        effect(ratio=SHARE)


@pytest.mark.parametrize(
    ("value", "unit"),
    [(-0.1, Unit.RATIO), (0.0, Unit.RATIO), (-5.0, Unit.MONEY), (1.2, Unit.SHARE), (0.3, Unit.ELASTICITY)],
)
def test_a_number_outside_its_unit_is_refused_with_what_is_possible(value, unit):
    with pytest.raises(ParamError, match=rf"range \[.*\] is outside what the unit '{unit}' allows: .* to "):
        assumed(value, unit)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Coupon(face_value=SHARE, redemption=SHARE),
            "coupon.face_value: wrong unit 'share'; it must be 'money'.",
        ),
        (lambda: markdown(1.0, 0.5, -1.0), "markdown.depth must stay below 1 (the whole price); found 1."),
        # Half off every order at an elasticity of -10: 2 ** 10 times as many orders.
        (lambda: markdown(0.5, 1.0, -10.0), "order 1024 times as often; at most 100 times is possible"),
        (lambda: _markdown(loss_aversion=2.0), "reference_half_life_days, loss_aversion belong together"),
        (lambda: _markdown(dip_depth=0.2), "forward_buying, dip_depth belong together; forward_buying missing"),
        (
            lambda: _markdown(loss_aversion=2.0, reference_half_life_days=0.5),
            "markdown.reference_half_life_days must be at least 1.",
        ),
        (
            lambda: _markdown(forward_buying=0.5, dip_depth=1.0),
            "markdown.dip_depth must be 0.01 to 0.99; found [1, 1].",
        ),
        (
            lambda: _markdown(forward_buying=0.5, dip_depth=0.0),
            "markdown.dip_depth must be 0.01 to 0.99; found [0, 0].",
        ),
        (
            lambda: made(Points, earn=10.0, threshold=50.0, reward=5.0),
            "a reward of 5 for 50 points, at 10 points per unit of money, gives back all that was paid or more; raise",
        ),
        (lambda: made(Points, pull=0.1), "points: pull, steepness belong together; steepness missing"),
        (lambda: made(Points, rewarded=0.1), "rewarded, rewarded_half_life_days belong together"),
        (
            lambda: made(Points, rewarded=0.1, rewarded_half_life_days=0.5),
            "points.rewarded_half_life_days must be at least 1.",
        ),
        (lambda: made(Status, threshold=0.0), "status.threshold must be above 0; a status that everybody has is none."),
        (lambda: made(Status, pull=0.1), "status: pull, steepness belong together"),
        (lambda: made(Membership, period_days=27.0), "membership.period_days must be at least 28; found 27."),
        (lambda: made(Acquisition, depth=0.3), "acquisition: depth, loss_per_depth belong together"),
        (
            lambda: made(Acquisition, loyal=0.5, depth=0.3, loss_per_depth=2.0),
            "acquisition: loyal and depth both say how many stay; write one of them.",
        ),
        (lambda: made(Referral, premium_half_life_days=0.5), "referral.premium_half_life_days must be at least 1."),
        (lambda: Satisfaction(shift=SHARE), "satisfaction.shift: wrong unit 'share'; it must be 'standard deviations'"),
        (
            lambda: Recovery(share=SHARE, compensation=SHARE, repair=SHARE, delight=SHARE),
            "recovery.compensation: wrong unit 'share'; it must be 'money'",
        ),
        (
            lambda: Contacts(per_month=RATIO, response=RATIO, fatigue=RATIO, unsubscribe=SHARE),
            "contacts.per_month: wrong unit 'ratio'; it must be 'per month'",
        ),
    ],
)
def test_an_effect_that_cannot_be_is_refused_with_what_is_possible(make, message):
    with pytest.raises(ParamError, match=re.escape(message)):
        make()


def _markdown(**more):
    return made(Markdown, depth=0.1, redemption=0.5, elasticity=-1.0, **more)


def test_what_stays_of_customers_won_by_a_discount_falls_with_its_depth():
    # Lewis (2006): 35 % off halves the later value.
    assert made(Acquisition, depth=0.35, loss_per_depth=1.98).staying == pytest.approx(0.5, abs=0.0005)
    assert made(Acquisition, loyal=0.3).staying == 0.3
    assert made(Acquisition).staying == 1.0


def test_the_most_that_one_customer_can_bring_is_taken_at_the_far_ends():
    friends = Referral(
        per_year=assumed(1.0, Unit.PER_YEAR, range=(0.5, 2.0)),
        success=assumed(0.3, Unit.SHARE, range=(0.1, 0.5)),
        anyway=assumed(0.3, Unit.SHARE, range=(0.2, 0.4)),
        dropout=RATIO,
        premium=RATIO,
        premium_half_life_days=assumed(100.0, Unit.DAYS),
    )
    assert friends.most_per_year == pytest.approx(2.0 * 0.5 * 0.8)
