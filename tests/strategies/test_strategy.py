from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import ParamError
from cxsim.library import names
from cxsim.params import Unit, quantities
from cxsim.strategies.effects import PurchaseRate, Reach
from cxsim.strategies.strategy import COST_UNITS, Cost, Strategy, condition, load_strategy
from cxsim.tables import CUSTOMERS, check
from tests.simulated import assumed
from tests.simulation.worlds import coupon, markdown, points

REACH = Reach(who="repeat_buyers", uptake=assumed(1.0, Unit.SHARE), ramp_days=assumed(0.0, Unit.DAYS))
MORE = PurchaseRate(ratio=assumed(1.1, Unit.RATIO, range=(1.0, 1.2)))
CENT = assumed(0.01, Unit.MONEY_PER_CONTACT)
COUPON, MARKDOWN, POINTS = coupon(4.0, 0.4), markdown(0.1, 0.4, -2.0), points()


def _strategy(**changes):
    written = {"name": "plan", "title": "A plan", "description": "d", "reach": REACH, "effects": (MORE,)}
    return Strategy(**written | changes)


def test_a_strategy_made_by_hand_says_assumed_of_its_numbers():
    assert {quantity.evidence for _, quantity in quantities(_strategy())} == {"assumed"}
    assert [path for path, _ in quantities(_strategy())] == [
        "reach.uptake", "reach.ramp_days", "effects.purchase_rate_1.ratio",
    ]  # fmt: skip


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
        ({"costs": (Cost(kind="per_contact", amount=CENT),)}, "needs a reach with after_idle"),
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


ONE_TIME, REPEATER, NEW = 0, 1, 2
PEOPLE = check(
    pl.DataFrame(
        {
            "origin": ["existing", "existing", "new"],
            "frequency": [0, 3, 0],
            "recency_days": [0, 200, 0],
            "age_days": [300, 300, 0],
            "idle_days": [300, 100, 0],
            "monetary_value": [None, 20.0, None],
        }
    ),
    CUSTOMERS,
)


@pytest.mark.parametrize(
    ("who", "met"),
    [
        ("everyone", [ONE_TIME, REPEATER, NEW]),
        ("true", [ONE_TIME, REPEATER, NEW]),
        ("existing", [ONE_TIME, REPEATER]),
        ("new", [NEW]),
        ("one_time_buyers", [ONE_TIME]),
        ("repeat_buyers", [REPEATER]),
        ("idle_days > 90 AND monetary_value >= 20", [REPEATER]),
        ("NOT origin = 'new'", [ONE_TIME, REPEATER]),
    ],
)
def test_a_segment_or_a_condition_is_met_by(who, met):
    people = PEOPLE.with_row_index("place").filter(pl.sql_expr(condition(who)))
    assert people["place"].to_list() == met


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("everybody", "no segment 'everybody'; did you mean 'everyone'"),
        ("frequency", "no segment 'frequency'"),
        ("idle > 90", 'unable to find column "idle"\\); possible columns: origin, frequency'),
        ("idle_days + 90", "gives Int64, not true or false"),
        ("idle_days > 'x'", "is no condition"),
        ("idle_days >", "is no condition"),
        ("true; DROP TABLE customers", "is no condition"),
        ("frequency IN (SELECT frequency FROM customers)", "is no condition"),
        ("'; --", "is no condition"),
        ("\x00", "is no condition"),
        ("(" * 5000 + "true" + ")" * 5000, "is no condition"),
        ("", "is no condition"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_is_possible(who, words):
    with pytest.raises(ParamError, match=words):
        condition(who)
