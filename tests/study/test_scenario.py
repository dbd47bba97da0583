"""Parts of a scenario that do not fit together are refused: what is wrong, what was found, what is possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest

from cxsim.clv.likelihood import KINDS, Model
from cxsim.errors import ParamError
from cxsim.finance.economics import load_economics
from cxsim.library import names
from cxsim.params import Unit
from cxsim.strategies.behaviour import PLAIN
from cxsim.strategies.effects import Dropout
from cxsim.strategies.levers import refuse_unmeasured
from cxsim.strategies.mechanisms import Incidents, Recovery, Resolution, Satisfaction
from cxsim.strategies.strategy import Cost
from cxsim.study.assumptions import assumptions, register
from cxsim.study.loading import load_case, load_scenario, load_valuation
from cxsim.study.scenario import Combination, NewCustomers, PurchaseModel, Scenario, Valuation
from cxsim.tables import ASSUMPTIONS, check
from tests.simulated import assumed
from tests.study.plans import (
    FASTER,
    FEWER_TICKETS,
    MADE,
    SHOP,
    TEN_OFF,
    combination,
    made,
    plan,
    ratio,
    referring,
    share,
)

PLAN = MADE.strategies[0]


@pytest.mark.parametrize("name", names("scenarios"))
def test_every_bundled_scenario_is_sound(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.arms[0] == "baseline"


def test_a_scenario_made_by_hand_starts_on_the_day_after_the_last_that_was_seen():
    assert MADE.calendar.starts_on == date(1998, 7, 1)
    assert MADE.calendar.months == 12


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
        ({"strategies": (replace(PLAN, name="baseline"),)}, "none may be 'baseline'"),
        ({"existing_customers": "none"}, "there are no customers"),
        ({"new_customers": NewCustomers(per_month=1, months=13)}, "beyond the horizon \\(12 months\\)"),
    ],
)
def test_a_scenario_is_refused_when(changes, words):
    with pytest.raises(ParamError, match=words):
        replace(MADE, **changes)


@pytest.mark.parametrize(("per_month", "months"), [(0, 1), (1, 0), (-1, 1), (10**8, 2)])
def test_new_customers_are_at_least_one_and_no_more_than_a_memory_holds(per_month, months):
    with pytest.raises(ParamError, match=r"found|too many"):
        NewCustomers(per_month=per_month, months=months)


DEVIATION = assumed(0.1, Unit.DEVIATIONS)
EXPERIENCED = {
    "incidents": Incidents(ratio=ratio(0.9)),
    "tickets": FEWER_TICKETS,
    "resolution": Resolution(unresolved=ratio(0.9), hours=ratio(0.9)),
    "recovery": Recovery(share=share(0.5), compensation=assumed(5.0, Unit.MONEY), repair=share(0.5), delight=DEVIATION),
    "satisfaction": Satisfaction(shift=DEVIATION),
}


PER_TICKET = Cost(kind="per_ticket", amount=assumed(1.0, Unit.MONEY_PER_TICKET))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        *(
            (plan("plan", effect), f"{kind}, .*'plain' has no part experience.*online-shop")
            for kind, effect in EXPERIENCED.items()
        ),
        (plan("plan", FASTER, costs=(PER_TICKET,)), "the cost per_ticket, .*part experience. Name one"),
    ],
    ids=[*EXPERIENCED, "per_ticket"],
)
def test_what_changes_what_customers_go_through_needs_a_behaviour_that_says_what_that_is(changed, words):
    assert made(changed).behaviour is SHOP
    with pytest.raises(ParamError, match=f"'plan' has {words}"):
        made(changed, behaviour=PLAIN)


def test_an_incident_that_the_shop_does_not_have_is_answered_with_the_nearest():
    with pytest.raises(ParamError, match=r"no incident 'defects'; did you mean 'defect'\? Possible: late, defect, "):
        made(plan("plan", Incidents(ratio=ratio(0.9), incident="defects")))


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (SHOP, "'online-shop' has tickets, but the economics 'cdnow' do not say.*support_per_ticket"),
        (
            replace(SHOP, experience=None, surveys=None, traits=None),
            "'online-shop' has returns, but the economics 'cdnow' do not say.*handling_per_return and resaleable",
        ),
    ],
    ids=["tickets", "returns"],
)
def test_what_happens_must_have_a_cost(behaviour, words):
    with pytest.raises(ParamError, match=words):
        made(behaviour=behaviour, economics=load_economics("cdnow"))


SEARCHED = plan(
    "searched", Dropout(ratio=ratio(0.9, ends=(0.5, 1.0))), mode="break-even", searches="effects.dropout_1.ratio"
)


@pytest.mark.parametrize(
    ("strategies", "changes", "words"),
    [
        (
            ["plan", "othr"],
            {},
            "combination 'both': no strategy 'othr'; did you mean 'other'. Possible: plan, other, searched",
        ),
        (["plan", "searched"], {}, "combination 'both': the effect of 'searched' has no prior.*leave it out"),
        (["plan", "other"], {"stacking": None}, "combinations need the number stacking"),
        (["plan", "other"], {"stacking": ratio(1.0)}, "stacking: wrong unit 'ratio'; it must be 'share'"),
    ],
    ids=["unknown", "searched", "no stacking", "stacking in another unit"],
)
def test_a_combination_is_refused_for(strategies, changes, words):
    plans = plan("plan", FASTER), plan("other", FASTER), SEARCHED
    written = {"combinations": (combination(*strategies),), "stacking": share(0.5)}
    with pytest.raises(ParamError, match=words):
        made(*plans, **written | changes)


@pytest.mark.parametrize(
    ("name", "strategies", "words"),
    [
        ("Both", ("a", "b"), "'Both' is not a valid name; use lower-case letters, digits and single hyphens"),
        ("both", ("a",), "'both' must name at least two strategies, each once; found a"),
        ("both", ("a", "a"), "'both' must name at least two strategies, each once; found a, a"),
        ("both", (), "at least two strategies, each once; found none"),
    ],
)
def test_a_combination_is_no_combination(name, strategies, words):
    with pytest.raises(ParamError, match=words):
        Combination(name=name, title="t", strategies=strategies)


def test_two_markdowns_at_once_are_refused_and_one_after_the_other_are_not():
    spring = plan("spring", TEN_OFF, when={"until_month": 3})
    autumn = plan("autumn", TEN_OFF, when={"from_month": 3})
    written = {"combinations": (combination("spring", "autumn"),), "stacking": share(0.5)}
    assert made(spring, autumn, **written).arms == ("baseline", "spring", "autumn", "both")
    late = plan("spring", TEN_OFF, when={"until_month": 4})
    with pytest.raises(ParamError, match="markdowns of 'spring' and 'autumn' run in the same months, from month 3"):
        made(late, autumn, **written)


def test_referrals_that_could_explode_are_refused():
    friends = plan("friends", referring(1.0))  # 1 * 0.5 * (1 - 0.2) = 0.4 a year
    assert made(friends, horizon_months=12).horizon_months == 12
    with pytest.raises(ParamError, match=r"'friends'.*refers 1\.60 new ones within 48 months.*Below 1 is possible"):
        made(friends, horizon_months=48)


def test_referrals_that_explode_only_together_are_refused_only_together():
    plans = plan("friends", referring(1.5)), plan("family", referring(1.5))
    assert len(made(*plans).arms) == 3
    with pytest.raises(ParamError, match=r"'friends' and 'family'.*refers 1\.20 new ones within 12 months"):
        made(*plans, combinations=(combination("friends", "family"),), stacking=share(0.5))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"searches": "effects.dropout_1.ratio"}, "searches belongs to mode: break-even"),
        ({"mode": "break-even"}, "mode break-even needs searches.*found 'None'; possible: effects.dropout_1.ratio"),
        (
            {"mode": "break-even", "searches": "effects.dropout.ratio"},
            "found 'effects.dropout.ratio'; did you mean 'effects.dropout_1.ratio'",
        ),
        # The uptake has no spread here, and is no effect.
        ({"mode": "break-even", "searches": "reach.uptake"}, "found 'reach.uptake'; possible: effects.dropout_1.ratio"),
    ],
)
def test_a_search_is_refused_for(changes, words):
    with pytest.raises(ParamError, match=words):
        plan("plan", Dropout(ratio=ratio(0.9, ends=(0.5, 1.0))), **changes)


@pytest.mark.parametrize(
    ("lever", "words"),
    [
        ("L31", r"'plan': the effect of its lever L31 \(Brand.*write mode: break-even"),
        ("L311", "'plan': no lever 'L311'; did you mean 'L31'"),
    ],
)
def test_an_effect_that_nobody_has_measured_or_listed_has_no_prior(lever, words):
    with pytest.raises(ParamError, match=words):
        refuse_unmeasured([plan("plan", FASTER, lever=lever)])


def test_a_valuation_may_name_every_model_that_can_be_fitted():
    assert get_args(PurchaseModel) == get_args(Model) == tuple(KINDS)


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


@pytest.mark.parametrize(
    ("load", "name", "words"),
    [
        (load_scenario, "cdnow-quik", "no 'cdnow-quik'; did you mean 'cdnow-quick'"),
        (load_case, "cdnow-valeu", r"did you mean 'cdnow-value'\? Possible: cdnow-experience, cdnow-naive"),
    ],
)
def test_an_unknown_case_is_answered_with_the_nearest_of_its_kinds(load, name, words):
    with pytest.raises(ParamError, match=words):
        load(name)


def test_no_name_is_given_twice():
    assert not set(names("scenarios")) & set(names("valuations"))
    assert not set(names("shops")) & {*names("scenarios"), "cdnow", "cdnow-sample"}


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
        replace(QUICK, **change)
