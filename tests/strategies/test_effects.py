"""Which effects may stand in one programme, and what each of them refuses to be."""

from __future__ import annotations

import dataclasses
import math
import re
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxsim.errors import ParamError
from cxsim.params import Unit
from cxsim.strategies.effects import (
    ALWAYS,
    MAX_STEPS,
    Basket,
    Course,
    Dropout,
    Effect,
    PurchaseRate,
    Reach,
    refuse_contradictions,
    steps_of,
)
from cxsim.strategies.mechanisms import Incidents, Referral, Returns, Tickets
from tests.simulated import assumed
from tests.simulation.mechanisms import made
from tests.simulation.worlds import coupon, markdown

RATIO, SHARE = assumed(1.1, Unit.RATIO), assumed(0.5, Unit.SHARE)
CLUB, LATE = made("points"), made("incidents", ratio=0.5, incident="late")


@pytest.mark.parametrize(
    ("effects", "waits", "message"),
    [
        ([coupon(5.0, 0.5), markdown(0.1, 0.5, -1.0)], None, "at most one price effect (markdown or coupon)"),
        ([CLUB, made("basket", ratio=1.1), CLUB], None, "points stands there twice, and which of them holds is not"),
        ([made("incidents", ratio=0.5), LATE], None, "incidents stands there twice"),
        ([LATE, made("incidents", ratio=0.6, incident="late")], None, "incidents:late stands there twice"),
        ([CLUB], "after_idle_days", "points cannot go with after_idle_days: it begins once for a member and goes on"),
        ([made("status"), CLUB], "every_days", "status, points cannot go with every_days"),
        ([made("reactivation")], None, "reactivation needs a reach with after_idle_days"),
        ([made("reactivation")], "every_days", "reactivation needs a reach with after_idle_days"),
    ],
)
def test_effects_that_contradict_each_other_or_their_reach_are_refused(effects, waits, message):
    with pytest.raises(ParamError, match=re.escape(message)):
        refuse_contradictions(effects, waits=waits)


EVERY_LASTING = [made(kind) for kind in ("points", "status", "membership", "contacts", "acquisition", "referral")]


@pytest.mark.parametrize(
    ("effects", "waits"),
    [
        ([LATE, made("incidents", ratio=0.5, incident="defect")], None),
        ([coupon(5.0, 0.5), made("reactivation", share=0.2)], "after_idle_days"),
        (EVERY_LASTING, None),
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


PRICE = {"depth": 0.1, "redemption": 0.5, "elasticity": -1.0}
LETTERS = {"per_month": RATIO, "response": RATIO, "fatigue": RATIO, "unsubscribe": SHARE}


@pytest.mark.parametrize(
    ("kind", "numbers", "message"),
    [
        ("coupon", {"face_value": SHARE, "redemption": SHARE}, "coupon.face_value: wrong unit 'share'; it must be"),
        ("markdown", PRICE | {"depth": 1.0}, "markdown.depth must stay below 1 (the whole price); found 1."),
        # Half off every order at an elasticity of -10: 2 ** 10 times as many orders.
        ("markdown", {"depth": 0.5, "redemption": 1.0, "elasticity": -10.0}, "order 1024 times as often; at most 100"),
        ("markdown", PRICE | {"loss_aversion": 2.0}, "reference_half_life_days, loss_aversion belong together"),
        ("markdown", PRICE | {"dip_depth": 0.2}, "forward_buying, dip_depth belong together; forward_buying missing"),
        ("markdown", PRICE | {"loss_aversion": 2.0, "reference_half_life_days": 0.5},
         "markdown.reference_half_life_days must be at least 1; found 0.5."),
        ("markdown", PRICE | {"forward_buying": 0.5, "dip_depth": 1.0}, "dip_depth must be 0.01 to 0.99; found [1, 1]"),
        ("points", {"earn": 10.0, "threshold": 50.0, "reward": 5.0},
         "a reward of 5 for 50 points, at 10 points per unit of money, gives back all that was paid or more; raise"),
        ("points", {"pull": 0.1}, "points: pull, steepness belong together; steepness missing"),
        ("points", {"rewarded": 0.1, "rewarded_half_life_days": 0.5}, "rewarded_half_life_days must be at least 1"),
        ("status", {"threshold": 0.0}, "status.threshold must be above 0; a status that everybody has is none."),
        ("membership", {"period_days": 27.0}, "membership.period_days must be at least 28; found 27."),
        ("acquisition", {"depth": 0.3}, "acquisition: depth, loss_per_depth belong together"),
        ("acquisition", {"loyal": 0.5, "depth": 0.3, "loss_per_depth": 2.0},
         "acquisition: loyal and depth both say how many stay; write one of them."),
        ("referral", {"premium_half_life_days": 0.5}, "referral.premium_half_life_days must be at least 1; found 0.5."),
        ("contacts", LETTERS, "contacts.per_month: wrong unit 'ratio'; it must be 'per month'"),
    ],
)  # fmt: skip
def test_an_effect_that_cannot_be_is_refused_with_what_is_possible(kind, numbers, message):
    with pytest.raises(ParamError, match=re.escape(message)):
        made(kind, **numbers)


def test_what_stays_of_customers_won_by_a_discount_falls_with_its_depth():
    # Lewis (2006): 35 % off halves the later value.
    assert made("acquisition", depth=0.35, loss_per_depth=1.98).staying == pytest.approx(0.5, abs=0.0005)
    assert made("acquisition", loyal=0.3).staying == 0.3
    assert made("acquisition").staying == 1.0


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


# Courses: steps that keep the whole amount of an effect, and courses that cannot be.


def course(**parts):
    return Course(**{f"{name}_days": assumed(float(value), Unit.DAYS) for name, value in parts.items()})


def area(steps, until=1e5):
    ends = np.minimum(steps[0], until)
    return float(np.diff(ends, prepend=0.0) @ np.array(steps[1]))


lengths = st.floats(1.0, 2_000.0)


@given(lengths)
def test_a_fading_effect_has_the_area_of_its_half_life(half_life):
    steps = course(half_life=half_life).steps()
    assert area(steps) == pytest.approx(half_life / math.log(2.0), rel=1e-12)


@given(lengths, lengths)
def test_a_climb_counts_half_and_a_delay_nothing(delay, ramp):
    until = 10_000.0
    steps = course(delay=delay, ramp=ramp).steps()
    assert area(steps, until) == pytest.approx(until - delay - ramp / 2.0, rel=1e-12)


@given(lengths, lengths, lengths)
def test_a_delayed_climb_that_fades_has_the_area_of_its_parts(delay, ramp, half_life):
    steps = course(delay=delay, ramp=ramp, half_life=half_life).steps()
    assert area(steps) == pytest.approx(ramp / 2.0 + half_life / math.log(2.0), rel=1e-9)


@given(lengths, lengths)
def test_what_lasts_so_many_days_is_over_then(half_life, lasting):
    ends, strengths = course(half_life=half_life, lasts=lasting).steps()
    after = [strength for end, strength in zip(ends, strengths, strict=True) if end > lasting]
    assert set(after) == {0.0}
    assert max(strengths) <= 1.0


# A part may be left out by a length of 0; shorter than a minute is no part.
parts = st.just(0.0) | st.floats(1e-3, 500.0)


@given(parts, parts, lengths, st.floats(501.0, 5_000.0))
def test_steps_follow_each_other_and_are_not_too_many(delay, ramp, half_life, lasting):
    ends, strengths = course(delay=delay, ramp=ramp, half_life=half_life, lasts=lasting).steps()
    assert len(ends) == len(strengths) <= MAX_STEPS
    assert ends[-1] == math.inf
    assert all(before < after for before, after in pairwise(ends))
    assert all(0.0 <= strength <= 1.0 for strength in strengths)


@given(parts, parts, lengths | st.none(), st.floats(501.0, 5_000.0))
def test_an_end_in_the_middle_of_a_step_leaves_what_the_course_had_done_by_then(delay, ramp, half_life, lasting):
    fading = {} if half_life is None else {"half_life": half_life}
    climbed = min(max(lasting - delay, 0.0), ramp)
    whole = lasting - delay - ramp
    if half_life is not None:
        whole = half_life / math.log(2.0) * (1.0 - 2.0 ** (-max(whole, 0.0) / half_life))
    expected = (climbed**2 / (2.0 * ramp) if ramp else 0.0) + max(whole, 0.0)
    found = area(course(delay=delay, ramp=ramp, lasts=lasting, **fading).steps())
    # Of a fading that goes on for more than eight half-lives, what comes later is counted in its last step.
    late = half_life is not None and lasting - delay - ramp > 8.0 * half_life
    assert found == pytest.approx(expected, rel=2.0**-8 if late else 1e-9)


def test_parts_of_no_length_take_no_step():
    assert course(delay=0, ramp=0).steps() == steps_of(None) == ALWAYS


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "there is nothing in it; write one of delay_days, ramp_days, half_life_days, lasts_days, or leave it out"),
        ({"half_life": 0}, r"course\.half_life_days must be above 0; an effect that is gone at once is none"),
        (
            {"delay": 90, "lasts": 60},
            r"only after 90 days \(delay_days\) and be over after 60 \(lasts_days\): nothing is",
        ),
    ],
)
def test_a_course_that_cannot_be_is_refused(parts, message):
    with pytest.raises(ParamError, match=message):
        course(**parts)


def test_a_course_whose_ranges_could_cross_is_refused():
    with pytest.raises(ParamError, match=r"begin only after 80 days.*over after 70"):
        Course(
            delay_days=assumed(50.0, Unit.DAYS, range=(30.0, 80.0)),
            lasts_days=assumed(90.0, Unit.DAYS, range=(70.0, 120.0)),
        )


# Whom a programme reaches and when: windows that hold something, one trigger, every quantity in its unit.

DAYS = assumed(30.0, Unit.DAYS)
REACH = Reach(who="true", uptake=SHARE, ramp_days=DAYS)


def days(value, low=None, high=None):
    return assumed(value, Unit.DAYS, range=(value if low is None else low, value if high is None else high))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uptake": DAYS}, r"reach\.uptake: wrong unit 'days'; it must be 'share'"),
        ({"from_month": -1}, "from_month must be 0 or later; found -1"),
        ({"from_month": 3, "until_month": 3}, r"until_month must be after from_month \(3\); found 3"),
        ({"from_order": 0}, "must hold an order between them, the first being number 1; found 0 and None"),
        ({"from_order": 3, "until_order": 3}, "must hold an order between them.*found 3 and 3"),
        ({"after_idle_days": DAYS}, "for_days belongs to after_idle_days or every_days; write it with one of them"),
        ({"for_days": DAYS}, "for_days belongs to after_idle_days or every_days; write it with one of them"),
        ({"after_idle_days": DAYS, "for_days": SHARE}, r"for_days: wrong unit 'share'; it must be 'days'"),
        ({"after_idle_days": DAYS, "every_days": DAYS, "for_days": days(5.0)}, "two triggers; write one of them"),
        (
            {"every_days": DAYS, "for_days": DAYS},
            r"overlap: each may last 30 days \(for_days\) and the next begin after 30",
        ),
        ({"every_days": days(30.0, low=20.0), "for_days": days(10.0, high=25.0)}, "may last 25 days.*begin after 20"),
    ],
)
def test_a_reach_that_cannot_be_is_refused(change, message):
    with pytest.raises(ParamError, match=message):
        dataclasses.replace(REACH, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"from_order": 1, "until_order": 2},
        {"from_month": 0, "until_month": 1},
        {"every_days": days(30.0), "for_days": days(29.0)},
        {"after_idle_days": days(10.0), "for_days": days(500.0)},
    ],
)
def test_a_reach_that_holds_something_is_accepted(change):
    assert dataclasses.replace(REACH, **change) != REACH
