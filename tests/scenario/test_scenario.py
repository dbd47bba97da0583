from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from cxsim.errors import ParamError
from cxsim.finance.economics import load_economics
from cxsim.params import Unit, names
from cxsim.strategies.effects import PurchaseRate, Reach
from cxsim.strategies.strategy import Strategy
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers, Scenario
from tests.simulated import assumed

PLAN = Strategy(
    name="plan",
    title="A plan",
    description="d",
    reach=Reach(who="everyone", uptake=assumed(1.0, Unit.SHARE), ramp_days=assumed(0.0, Unit.DAYS)),
    effects=(PurchaseRate(ratio=assumed(1.1, Unit.RATIO)),),
)
HAND_MADE = Scenario(
    name="hand-made",
    title="What would a plan bring?",
    description="d",
    orders="cdnow-sample",
    observed_until=date(1998, 6, 30),
    economics=load_economics("cdnow"),
    strategies=(PLAN,),
    horizon_months=12,
    seed=7,
)


@pytest.mark.parametrize("name", names("scenarios"))
def test_every_bundled_scenario_is_sound(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.arms[0] == "baseline"


def test_a_scenario_made_by_hand_starts_on_the_day_after_the_last_that_was_seen():
    assert HAND_MADE.calendar.starts_on == date(1998, 7, 1)
    assert HAND_MADE.calendar.months == 12


def test_the_baseline_is_the_first_arm():
    assert HAND_MADE.arms == ("baseline", "plan")


def test_seventeen_strategies_are_seventeen_arms_beside_the_baseline():
    plans = tuple(dataclasses.replace(PLAN, name=f"plan-{number}") for number in range(17))
    assert len(dataclasses.replace(HAND_MADE, strategies=plans).arms) == 18


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"horizon_months": 0}, "horizon_months must be 1 to 600; found 0"),
        ({"draws": 1}, "draws must be 2 to 10,000; found 1"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"observed_until": date(9999, 12, 31)}, "observed_until must be in 1900 to 2200"),
        ({"strategies": ()}, "strategies: there are none"),
        ({"strategies": [PLAN]}, "strategies must be a tuple; found list"),
        ({"strategies": (PLAN, PLAN)}, "different names.*found plan, plan"),
        ({"strategies": (dataclasses.replace(PLAN, name="baseline"),)}, "none may be 'baseline'"),
        ({"existing_customers": "none"}, "there are no customers"),
        ({"new_customers": NewCustomers(per_month=1, months=13)}, "beyond the horizon \\(12 months\\)"),
    ],
)
def test_a_scenario_is_refused_when(changes, words):
    with pytest.raises(ParamError, match=words):
        dataclasses.replace(HAND_MADE, **changes)


@pytest.mark.parametrize(("per_month", "months"), [(0, 1), (1, 0), (-1, 1), (10**8, 2)])
def test_new_customers_are_at_least_one_and_no_more_than_a_memory_holds(per_month, months):
    with pytest.raises(ParamError, match=r"found|too many"):
        NewCustomers(per_month=per_month, months=months)


def test_an_unknown_scenario_is_answered_with_the_choices():
    with pytest.raises(ParamError, match="no 'cdnow-quik'; did you mean 'cdnow-quick'"):
        load_scenario("cdnow-quik")
