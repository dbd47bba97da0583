"""Programmes become records; what cannot be played is refused with what is possible."""

from __future__ import annotations

import math

import pytest

from cxsim.errors import SimulationError
from cxsim.simulation import Calendar, compile_plan
from tests.simulation.worlds import START, buying, coupon, leaving, markdown, points, programme

YEAR = Calendar(starts_on=START, months=12)


def compiled(*effects, **reach):
    return compile_plan([programme(*effects, **reach)], YEAR)[0]


def test_the_baseline_has_no_record():
    assert len(compile_plan([], YEAR)) == 0


def test_a_reach_becomes_days_of_the_scenario():
    record = compiled(months=(1, 3), uptake=0.4, ramp_days=60.0, idle=(120.0, 30.0))
    assert (record["from_day"], record["until_day"]) == (31.0, 92.0)  # August and September
    assert (record["uptake"], record["ramp_days"], record["idle_days"], record["for_days"]) == (0.4, 60.0, 120.0, 30.0)


def test_a_programme_beyond_the_horizon_ends_with_it():
    assert compiled(months=(0, 99))["until_day"] == compiled()["until_day"] == YEAR.days


def test_a_reach_that_does_not_wait_says_so():
    record = compiled()
    assert record["idle_days"] < 0
    assert record["for_days"] == math.inf


def test_two_effects_of_a_kind_multiply():
    record = compiled(buying(1.1), buying(1.2), leaving(0.5))
    assert record["rate_ratio"] == 1.32
    assert record["dropout_ratio"] == 0.5


def test_points_are_held_in_cents_and_whole_points():
    record = compiled(points(earn=2.0, threshold=99.6, reward=4.999, redemption=0.7, expiry_days=365.0))
    assert (record["points_per_cent"], record["points_threshold"], record["reward_cents"]) == (0.02, 100, 500)


def test_a_ratio_is_cut_to_the_digits_on_which_all_math_libraries_agree():
    # 0.85 ** -2.62 = 1.530818559587..., of which 12 digits are kept.
    assert compiled(markdown(0.15, 1.0, -2.62))["rate_ratio"] == float(f"{0.85**-2.62:.12g}")


@pytest.mark.parametrize(
    ("programmes", "message"),
    [
        ([programme(months=(12, None))], "from_month is 12, but the horizon ends after 12 months; possible: 0 to 11"),
        (
            [programme(coupon(5.0, 0.5), markdown(0.1, 0.5, -1.0))],
            r"effects \['coupon', 'markdown'\]; at most one price",
        ),
        ([programme(points(), points())], r"effects \['points', 'points'\]; .* use two strategies instead"),
        ([programme()] * 17, "an arm has 17 programmes; at most 16 are possible"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(programmes, message):
    with pytest.raises(SimulationError, match=message):
        compile_plan(programmes, YEAR)


def test_sixteen_programmes_are_possible():
    assert len(compile_plan([programme()] * 16, YEAR)) == 16
