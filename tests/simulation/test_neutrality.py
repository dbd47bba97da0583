"""A programme that changes nothing changes not one bit, whatever it is made of: fact F1 of the field (design)."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.engine import events
from cxsim.simulation.state import ARRIVED, LEFT, ORDER
from cxsim.strategies.behaviour import PLAIN
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
from tests.simulation.busy import everyone, everything
from tests.simulation.mechanisms import made
from tests.simulation.shops import FULL, UNMOVED
from tests.simulation.worlds import MODELS, coupon, existing, inputs, markdown, past_customers, play, programme

CROWD = existing(
    past_customers([(2, 213, 272, 22.0), (0, 0, 272, None), (12, 260, 272, 55.0)], 400), arrivals=(600, 0, 500)
)
LASTING = {
    "permanent": {},
    "windowed": {"months": (2, 7)},
    "ramped": {"uptake": 0.5, "ramp_days": 200.0},
    "for some": {"who": "frequency >= 2"},
    "for some orders": {"orders": (2, 5)},
}
RETURNING = {
    "idle-triggered": {"idle": (40.0, 30.0)},
    "again and again": {"every": (50.0, 20.0)},
    "all at once": {"uptake": 0.7, "ramp_days": 50.0, "months": (1, 9), "idle": (30.0, 20.0), "orders": (2, 9)},
}
COURSES = {
    "delayed": made(Course, delay_days=40.0),
    "ramped": made(Course, ramp_days=90.0),
    "fading": made(Course, half_life_days=30.0),
    "ending": made(Course, lasts_days=45.0),
    "of every shape": made(Course, delay_days=10.0, ramp_days=30.0, half_life_days=60.0, lasts_days=150.0),
}
NOTHING = {
    "nothing at all": (),
    "ratios of one": (made(PurchaseRate, ratio=1.0), made(Dropout, ratio=1.0), made(Basket, ratio=1.0)),
    "ratios of one for light buyers": tuple(
        made(kind, ratio=1.0, light_buyers=1.0) for kind in (PurchaseRate, Dropout, Basket)
    ),
    **{
        f"ratios of one, {name}": tuple(
            made(kind, ratio=1.0, course=course) for kind in (PurchaseRate, Dropout, Basket)
        )
        for name, course in COURSES.items()
    },
    "a coupon nobody redeems": (coupon(10.0, 0.0),),
    "a markdown of nothing": (markdown(0.0, 1.0, -2.0),),
    "a remembered markdown of nothing": (
        made(
            Markdown,
            depth=0.0,
            redemption=1.0,
            elasticity=-2.0,
            reference_half_life_days=30.0,
            loss_aversion=2.0,
            forward_buying=0.5,
            dip_depth=0.3,
        ),
    ),
    "incidents as they are": (made(Incidents, ratio=1.0),),
    "tickets as they are": (made(Tickets, ratio=1.0),),
    "answers as they are": (made(Resolution),),
    "nothing made up for": (made(Recovery, share=0.0, compensation=5.0, repair=1.0, delight=1.0),),
    "satisfaction as it is": (made(Satisfaction, shift=0.0),),
    "returns as they are": (made(Returns, ratio=1.0),),
}
FOR_GOOD = {
    "a card that pulls nobody and is never redeemed": (
        made(Points, redemption=0.0, pull=0.0, steepness=2.0, rewarded=0.0, rewarded_half_life_days=30.0),
    ),
    "a status without advantages": (made(Status, pull=0.0, steepness=2.0, earn=1.0),),
    "a membership without a fee": (made(Membership, fee=0.0, period_days=30.0, renewal=0.5),),
    "letters without effect": (made(Contacts),),
    "nobody attracted": (made(Acquisition, loyal=0.2),),
    "nobody recommended": (made(Referral, per_year=0.0, dropout=0.5, premium=2.0),),
}
ON_RETURN = {"nobody comes back": (made(Reactivation, share=0.0, second_life=0.5),)}
CASES = [
    *((name, effects, LASTING | RETURNING) for name, effects in NOTHING.items()),
    *((name, effects, LASTING) for name, effects in FOR_GOOD.items()),
    *((name, effects, {"idle-triggered": RETURNING["idle-triggered"]}) for name, effects in ON_RETURN.items()),
]
POINTS = {CountKind.POINTS_ISSUED, CountKind.POINTS_EXPIRED, CountKind.POINTS_OUTSTANDING}


@pytest.mark.parametrize("behaviour", [PLAIN, FULL], ids=["plain shop", "full shop"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("effects", "reaches"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_programme_without_effect_changes_not_one_tally(effects, reaches, model, behaviour):
    arms = [[programme(*effects, **reach)] for reach in reaches.values()]
    counts = play(CROWD, [], *arms, latents=MODELS[model], behaviour=behaviour, stacking=0.7)
    own = POINTS if any(effect.kind == "points" for effect in effects) else set()
    for arm, reach in enumerate(reaches, start=1):
        for count_kind in set(CountKind) - own:
            mine, theirs = (counts.by_arm[which][:, :, place(count_kind)] for which in (arm, 0))
            np.testing.assert_array_equal(mine, theirs, err_msg=f"{count_kind.name}, {reach}")
        assert counts.paired[arm].tolist() == [0.0, 0.0]
        reached = counts.by_arm[arm][:, :, place(ReachCountKind.MEMBER_MONTHS)]
        assert reached.sum() > 0, "nobody was reached, so nothing was shown"


@pytest.mark.parametrize("model", MODELS)
def test_ten_programmes_without_effect_at_once_change_not_one_tally(model):
    arm = [programme(*effects, name=name) for name, effects, _ in CASES[:: len(CASES) // 9]]
    counts = play(CROWD, [], arm, latents=MODELS[model], behaviour=FULL)
    common = set(CountKind) - POINTS
    for count_kind in common:
        np.testing.assert_array_equal(
            counts.by_arm[1][:, :, place(count_kind)], counts.by_arm[0][:, :, place(count_kind)]
        )


@pytest.mark.parametrize("model", MODELS)
def test_a_shop_in_which_nothing_moves_an_order_has_the_orders_of_the_plain_one_to_the_last_bit(model):
    # The plain baseline is played in a loop of its own, which is three times as fast: this holds it to the long one.
    moments = []
    for behaviour in (PLAIN, UNMOVED):
        log = events(CROWD, inputs(CROWD, [], latents=MODELS[model], behaviour=behaviour), seed=9)
        kept = log.filter(log["kind"].is_in([ORDER, LEFT, ARRIVED]))
        incident = (kept["kind"] == ORDER).cast(int) * kept["d"]
        moments.append(kept.with_columns(d=kept["d"] - incident))
    assert moments[1].equals(moments[0])
    assert moments[0].height > CROWD.size


@pytest.mark.parametrize("model", MODELS)
def test_a_programme_without_effect_leaves_every_moment_as_it_is(model):
    ready = inputs(CROWD, [], [programme(name="letters", months=(1, 8))], latents=MODELS[model])
    logs = [events(CROWD, ready, seed=9, arm=arm) for arm in (0, 1)]
    happened = [log.filter(log["kind"].is_in([ORDER, LEFT, ARRIVED])) for log in logs]
    assert happened[1].equals(happened[0])


@pytest.mark.parametrize("model", MODELS)
def test_beside_other_programmes_one_without_effect_changes_not_one_tally_either(model):
    # It switches on and off at its own moments; nobody remembers a price, stores an order or counts a day by them.
    idle, weekly = programme(name="idle", idle=(9.0, 5.0)), programme(name="weekly", every=(11.0, 4.0))
    crowd, arm = everyone(), everything()
    counts = play(crowd, arm, [*arm, idle, weekly], latents=MODELS[model], behaviour=FULL)
    width = counts.by_arm[0].shape[2]
    np.testing.assert_array_equal(counts.by_arm[1][:, :, :width], counts.by_arm[0])
    assert counts.paired[1].tolist() == [0.0, 0.0]
