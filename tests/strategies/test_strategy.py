from __future__ import annotations

import pytest

from cxsim.errors import ParamError
from cxsim.params import Unit, names, quantities
from cxsim.strategies.effects import Coupon, Markdown, PurchaseRate, Reach
from cxsim.strategies.mechanisms import Points
from cxsim.strategies.strategy import COST_UNITS, Cost, Strategy, load_strategy
from tests.simulated import assumed

REACH = Reach(who="repeat_buyers", uptake=assumed(1.0, Unit.SHARE), ramp_days=assumed(0.0, Unit.DAYS))
MORE = PurchaseRate(ratio=assumed(1.1, Unit.RATIO, range=(1.0, 1.2)))
COUPON = Coupon(face_value=assumed(4.0, Unit.MONEY), redemption=assumed(0.4, Unit.SHARE))
MARKDOWN = Markdown(
    depth=assumed(0.1, Unit.SHARE), redemption=assumed(0.4, Unit.SHARE), elasticity=assumed(-2.0, Unit.ELASTICITY)
)
POINTS = Points(
    earn=assumed(1.0, Unit.POINTS_PER_MONEY),
    threshold=assumed(100.0, Unit.POINTS),
    reward=assumed(4.0, Unit.MONEY),
    redemption=assumed(0.7, Unit.SHARE),
    expiry_days=assumed(365.0, Unit.DAYS),
)


def _strategy(**changes):
    written = {"name": "plan", "title": "A plan", "description": "d", "reach": REACH, "effects": (MORE,)}
    return Strategy(**written | changes)


def test_a_strategy_made_by_hand_says_assumed_of_its_numbers():
    assert {quantity.evidence for _, quantity in quantities(_strategy())} == {"assumed"}
    assert [path for path, _ in quantities(_strategy())] == [
        "reach.uptake", "reach.ramp_days", "effects.purchase_rate_1.ratio",
    ]  # fmt: skip


def test_the_simulator_is_sentence_a_condition_and_not_the_name_of_a_segment():
    assert _strategy().programme().reach.who == "frequency >= 1"


def test_a_strategy_may_cost_and_do_nothing():
    assert _strategy(effects=()).programme().effects == ()


@pytest.mark.parametrize("kind", COST_UNITS)
def test_every_cost_has_its_own_unit(kind):
    wrong = assumed(1.0, Unit.POINTS)
    with pytest.raises(ParamError, match=f"cost '{kind}': wrong unit 'points'; it must be '{COST_UNITS[kind]}'"):
        Cost(kind=kind, amount=wrong)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"effects": [MORE]}, "effects must be a tuple; found list"),
        ({"costs": []}, "costs must be a tuple; found list"),
        ({"effects": (COUPON, MARKDOWN)}, "at most one price effect \\(markdown or coupon\\).*found coupon, markdown"),
        ({"effects": (POINTS, MORE, POINTS)}, "points stands there twice.*write one, or two strategies"),
        (
            {"costs": (Cost(kind="per_contact", amount=assumed(0.01, Unit.MONEY_PER_CONTACT)),)},
            "needs a reach with after_idle",
        ),
    ],
)
def test_a_strategy_is_refused_when(changes, words):
    with pytest.raises(ParamError, match=words):
        _strategy(**changes)


@pytest.mark.parametrize("name", names("strategies"))
def test_every_bundled_strategy_is_sound_and_says_what_can_go_wrong(name):
    strategy = load_strategy(name)
    assert strategy.name == name
    assert strategy.harms


def test_an_unknown_strategy_is_answered_with_the_choices():
    with pytest.raises(ParamError, match="no 'points-program'; did you mean 'points-programme'"):
        load_strategy("points-program")
