"""What programmes may be made of: every quantity in its unit, and nothing that cannot be played."""

from __future__ import annotations

import dataclasses

import pytest

from cxsim.effects import Coupon, Dropout, Markdown, PurchaseRate, Reach
from cxsim.errors import ParamError
from cxsim.quantity import assumed
from cxsim.units import Unit

SHARE, DAYS, RATIO = assumed(0.5, Unit.SHARE), assumed(30.0, Unit.DAYS), assumed(1.1, Unit.RATIO)
REACH = Reach(who="true", uptake=SHARE, ramp_days=DAYS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uptake": DAYS}, "uptake: wrong unit 'days'; it must be 'share'"),
        ({"ramp_days": SHARE}, "ramp_days: wrong unit 'share'; it must be 'days'"),
        ({"from_month": -1}, "from_month must be 0 or later; found -1"),
        ({"from_month": 3, "until_month": 3}, r"until_month must be after from_month \(3\); found 3"),
        ({"after_idle_days": DAYS}, "after_idle_days and for_days belong together; write both or neither"),
        ({"for_days": DAYS}, "after_idle_days and for_days belong together; write both or neither"),
        ({"after_idle_days": DAYS, "for_days": SHARE}, "for_days: wrong unit 'share'; it must be 'days'"),
    ],
)
def test_a_reach_that_cannot_be_is_refused(change, message):
    with pytest.raises(ParamError, match=message):
        dataclasses.replace(REACH, **change)


@pytest.mark.parametrize("effect", [PurchaseRate, Dropout])
def test_an_effect_in_the_wrong_unit_is_refused(effect):
    with pytest.raises(ParamError, match=r"ratio: wrong unit 'share'; it must be 'ratio'\."):
        effect(ratio=SHARE)


def test_a_coupon_needs_money_and_not_a_share():
    with pytest.raises(ParamError, match=r"coupon\.face_value: wrong unit 'share'; it must be 'money'\."):
        Coupon(face_value=SHARE, redemption=SHARE)


def test_a_markdown_of_the_whole_price_is_refused():
    with pytest.raises(ParamError, match=r"must stay below 1 \(the whole price\); found 1\."):
        Markdown(depth=assumed(1.0, Unit.SHARE), redemption=SHARE, elasticity=assumed(-1.0, Unit.ELASTICITY))


def test_a_markdown_under_which_customers_would_never_stop_ordering_is_refused():
    # Half off every order at an elasticity of -10: 2 ** 10 times as many orders.
    with pytest.raises(ParamError, match="order 1024 times as often; at most 100 times is possible"):
        Markdown(depth=SHARE, redemption=assumed(1.0, Unit.SHARE), elasticity=assumed(-10.0, Unit.ELASTICITY))


def test_each_effect_says_its_kind():
    assert [PurchaseRate(ratio=RATIO).kind, Dropout(ratio=RATIO).kind] == ["purchase_rate", "dropout"]
