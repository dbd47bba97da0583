"""Programmes become records; what cannot be played is refused with what is possible."""

from __future__ import annotations

import math

import pytest

from cxsim.errors import SimulationError
from cxsim.simulation.plan import compile_plan
from cxsim.simulation.world import Calendar
from cxsim.strategies.mechanisms import Incidents
from tests.simulation.mechanisms import made
from tests.simulation.worlds import START, buying, coupon, leaving, markdown, points, programme

YEAR = Calendar(starts_on=START, months=12)


def compiled(*effects, **reach):
    return compile_plan([programme(*effects, **reach)], YEAR).reaches[0]


def test_the_baseline_has_no_record():
    assert len(compile_plan([], YEAR).reaches) == 0


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


def test_ratios_become_logs_so_that_those_of_several_programmes_add_up():
    record = compiled(buying(1.1), leaving(0.5))
    assert record["rate_log"] == float(f"{math.log(1.1):.12g}")
    assert record["drop_log"] == float(f"{math.log(0.5):.12g}")


def test_points_are_held_in_cents_and_whole_points():
    record = compiled(points(earn=2.0, threshold=99.6, reward=4.999, redemption=0.7, expiry_days=365.0))
    assert (record["points_per_cent"], record["points_threshold"], record["reward_cents"]) == (0.02, 100, 500)


def test_a_ratio_is_cut_to_the_digits_on_which_all_math_libraries_agree():
    # log(0.85) = -0.162518929497774..., of which 12 digits are kept.
    assert compiled(markdown(0.15, 1.0, -2.62))["price_log"] == -0.162518929498


@pytest.mark.parametrize(
    ("programmes", "message"),
    [
        ([programme(months=(12, None))], "from_month is 12, but the horizon ends after 12 months; possible: 0 to 11"),
        (
            [programme(coupon(5.0, 0.5), markdown(0.1, 0.5, -1.0))],
            "programme 'plan': effects: at most one price.*found coupon, markdown; write two strategies",
        ),
        (
            [programme(points(), points())],
            "programme 'plan': effects: points stands there twice.*write one, or two strategies",
        ),
        ([programme(buying(1.1), buying(1.2))], "programme 'plan': effects: purchase_rate stands there twice"),
        ([programme()] * 17, "an arm has 17 programmes; at most 16 are possible"),
    ],
)
def test_a_plan_that_cannot_be_played_is_refused(programmes, message):
    with pytest.raises(SimulationError, match=message):
        compile_plan(programmes, YEAR)


def test_sixteen_programmes_are_possible():
    assert len(compile_plan([programme()] * 16, YEAR).reaches) == 16


INCIDENTS = ("late", "defect", "stock_out")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lat", "the shop's behaviour has no incident 'lat'; did you mean 'late'\\? Possible: late, defect, stock_out"),
        ("fire", "the shop's behaviour has no incident 'fire'; possible: late, defect, stock_out"),
    ],
)
def test_an_unknown_incident_is_answered_with_the_nearest(name, message):
    with pytest.raises(SimulationError, match=f"programme 'plan': {message}"):
        compile_plan([programme(made(Incidents, ratio=0.5, incident=name))], YEAR, incidents=INCIDENTS)


def test_incidents_have_a_ratio_each_and_one_without_a_name_means_all():
    one, every = (
        compile_plan([programme(effect)], YEAR, incidents=INCIDENTS).incidents[0].tolist()
        for effect in (made(Incidents, ratio=0.5, incident="defect"), made(Incidents, ratio=0.5))
    )
    assert one == [1.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert every == [0.5] * 6


@pytest.mark.parametrize("stacking", [-0.1, 1.1])
def test_a_share_of_stacking_that_is_none_is_refused(stacking):
    with pytest.raises(SimulationError, match=f"stacking must be a share from 0 to 1; found {stacking:g}"):
        compile_plan([], YEAR, stacking=stacking)


def test_a_trigger_that_contradicts_an_effect_is_refused():
    with pytest.raises(SimulationError, match="programme 'plan': effects: points cannot go with after_idle_days"):
        compile_plan([programme(points(), idle=(30.0, 10.0))], YEAR)
