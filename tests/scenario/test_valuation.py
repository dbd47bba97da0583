"""A valuation is read from its file, and refuses what cannot be valued."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from cxsim.errors import ParamError
from cxsim.params import Unit, names
from cxsim.study.assumptions import assumptions, register
from cxsim.study.loading import load_case
from cxsim.study.scenario import Scenario, Valuation, load_valuation
from cxsim.tables import ASSUMPTIONS, check
from tests.simulated import assumed

QUICK = load_valuation("cdnow-value-quick")


def test_the_bundled_valuations_ask_the_same_of_the_sample_and_of_all_customers():
    whole = load_valuation("cdnow-value")
    assert (QUICK.orders, whole.orders) == ("cdnow-sample", "cdnow")
    assert (QUICK.calibration_end, QUICK.observed_until) == (date(1997, 9, 30), date(1998, 6, 30))
    # 39 weeks after the 39 weeks of calibration, as in Fader, Hardie & Lee (2005).
    assert QUICK.holdout_days == whole.holdout_days == 39 * 7


def test_a_case_is_a_scenario_or_a_valuation_by_its_name():
    assert isinstance(load_case("cdnow-value"), Valuation)
    assert isinstance(load_case("cdnow-quick"), Scenario)


def test_an_unknown_case_is_answered_with_the_nearest_of_both_kinds():
    with pytest.raises(
        ParamError, match=r"no 'cdnow-valeu'; did you mean 'cdnow-value'\? Possible: cdnow-experience, cdnow-naive"
    ):
        load_case("cdnow-valeu")


def test_no_name_is_given_twice():
    assert not set(names("scenarios")) & set(names("valuations"))


def test_every_assumed_number_is_listed():
    table = check(register(QUICK), ASSUMPTIONS)
    assert table["id"].to_list() == [
        "valuations/cdnow-value-quick/annual_discount_rate",
        "valuations/cdnow-value-quick/margin",
    ]
    assert [quantity.value for _, _, quantity in assumptions(QUICK)] == table["value"].to_list()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"currency": "usd"}, "three capitals, such as USD; found 'usd'"),
        ({"horizon_days": 0}, "horizon_days must be 1 to 36,525; found 0"),
        ({"draws": 10}, "draws must be 20 to 10,000; found 10"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"margin": assumed(0.4, Unit.RATIO)}, "margin: wrong unit 'ratio'; it must be 'share'"),
        ({"margin": assumed(0.0, Unit.SHARE)}, "margin: its range must lie above 0"),
        (
            {"annual_discount_rate": assumed(0.1, Unit.SHARE_PER_YEAR, range=(0.05, 0.2))},
            r"annual_discount_rate: a choice has no spread; .* not \[0.05, 0.2\]",
        ),
        ({"calibration_end": date(1998, 6, 30)}, "calibration_end must be before observed_until"),
        ({"observed_until": date(1066, 10, 14)}, "observed_until must be in 1900 to 2200; found 1066-10-14"),
        ({"models": ()}, "models must be at least one, each named once; found none"),
        ({"models": ("bgnbd", "bgnbd")}, "each named once; found bgnbd, bgnbd"),
    ],
)
def test_what_cannot_be_valued_is_refused_in_words(change, words):
    with pytest.raises(ParamError, match=words):
        dataclasses.replace(QUICK, **change)
