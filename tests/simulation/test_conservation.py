"""What goes in comes out: points, money, customers; to the last unit."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from tests.simulation.worlds import (
    MODELS,
    basket,
    buying,
    coupon,
    existing,
    leaving,
    markdown,
    paid,
    past_customers,
    play,
    points,
    programme,
    total,
)

CROWD = existing(
    past_customers([(2, 213, 272, 22.0), (0, 0, 272, None), (12, 260, 272, 55.0)], 500), arrivals=(800, 0, 700)
)
BUSY = [
    programme(
        leaving(0.7), basket(1.1), points(threshold=37.0, reward=3.5, expiry_days=90.0), uptake=0.8, ramp_days=60.0
    ),
    programme(points(earn=0.3, threshold=5.0, reward=1.0), months=(2, 7)),
    programme(buying(1.5), coupon(4.0, 0.5), idle=(50.0, 30.0)),
]


@pytest.mark.parametrize("model", MODELS)
def test_points_issued_are_redeemed_or_expired_or_outstanding(model):
    counts = play(CROWD, BUSY, latents=MODELS[model])
    redeemed, expired, outstanding = (
        total(counts, 0, place(count_kind))
        for count_kind in (CountKind.POINTS_REDEEMED, CountKind.POINTS_EXPIRED, CountKind.POINTS_OUTSTANDING)
    )
    assert total(counts, 0, place(CountKind.POINTS_ISSUED)) == redeemed + expired + outstanding
    assert min(redeemed, expired, outstanding) > 0


def test_no_cohort_is_ever_owed_points_that_it_did_not_earn():
    by_cohort = play(CROWD, BUSY).by_arm[0].sum(axis=1)
    issued = by_cohort[:, place(CountKind.POINTS_ISSUED)]
    gone = sum(
        by_cohort[:, place(count_kind)]
        for count_kind in (CountKind.POINTS_REDEEMED, CountKind.POINTS_EXPIRED, CountKind.POINTS_OUTSTANDING)
    )
    assert issued.tolist() == gone.tolist()


def test_every_customer_arrives_once_and_in_the_month_of_the_cohort():
    arrivals = play(CROWD, BUSY).by_arm[0][:, :, place(CountKind.ARRIVALS)]
    expected = np.zeros_like(arrivals)
    expected[1, 0], expected[3, 2] = 800, 700
    assert arrivals.tolist() == expected.tolist()


def test_nobody_pays_less_than_nothing():
    counts = play(CROWD, [*BUSY, programme(coupon(1e4, 0.5)), programme(markdown(0.9, 1.0, 0.0))])
    assert (counts.by_arm[0] >= 0).all()
    assert paid(counts, 0) >= 0
    reach_paid = counts.by_arm[0][:, :, place(ReachCountKind.PAID)]
    assert (reach_paid >= 0).all()
