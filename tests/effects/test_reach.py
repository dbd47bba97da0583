"""Whom a programme reaches and when: windows that hold something, one trigger, every quantity in its unit."""

from __future__ import annotations

import dataclasses

import pytest

from cxsim.errors import ParamError
from cxsim.params import Unit
from cxsim.strategies.effects import Reach
from tests.simulated import assumed

SHARE, DAYS = assumed(0.5, Unit.SHARE), assumed(30.0, Unit.DAYS)
REACH = Reach(who="true", uptake=SHARE, ramp_days=DAYS)


def days(value, low=None, high=None):
    return assumed(value, Unit.DAYS, range=(value if low is None else low, value if high is None else high))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uptake": DAYS}, r"reach\.uptake: wrong unit 'days'; it must be 'share'"),
        ({"ramp_days": SHARE}, r"reach\.ramp_days: wrong unit 'share'; it must be 'days'"),
        ({"from_month": -1}, "from_month must be 0 or later; found -1"),
        ({"from_month": 3, "until_month": 3}, r"until_month must be after from_month \(3\); found 3"),
        ({"from_order": 0}, "must hold an order between them, the first being number 1; found 0 and None"),
        ({"from_order": 3, "until_order": 3}, "must hold an order between them.*found 3 and 3"),
        ({"until_order": 1}, "must hold an order between them.*found None and 1"),
        ({"after_idle_days": DAYS}, "for_days belongs to after_idle_days or every_days; write it with one of them"),
        ({"every_days": DAYS}, "for_days belongs to after_idle_days or every_days; write it with one of them"),
        ({"for_days": DAYS}, "for_days belongs to after_idle_days or every_days; write it with one of them"),
        ({"after_idle_days": DAYS, "for_days": SHARE}, r"for_days: wrong unit 'share'; it must be 'days'"),
        (
            {"after_idle_days": DAYS, "every_days": DAYS, "for_days": days(5.0)},
            "after_idle_days and every_days are two triggers; write one of them",
        ),
        (
            {"every_days": days(30.0), "for_days": days(30.0)},
            r"windows overlap: each may last 30 days \(for_days\) and the next begin after 30 \(every_days\); make for",
        ),
        (
            {"every_days": days(30.0, low=20.0), "for_days": days(10.0, high=25.0)},
            "windows overlap: each may last 25 days.*begin after 20",
        ),
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
