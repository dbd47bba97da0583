"""Parts of a scenario that do not fit together are refused: what is wrong, what was found, what is possible."""

from __future__ import annotations

import dataclasses

import pytest

from cxsim.errors import ParamError
from cxsim.finance.economics import load_economics
from cxsim.params import Unit
from cxsim.strategies.behaviour import PLAIN
from cxsim.strategies.effects import Dropout
from cxsim.strategies.levers import refuse_unmeasured
from cxsim.strategies.mechanisms import Incidents, Recovery, Resolution, Satisfaction
from cxsim.strategies.strategy import Cost
from cxsim.study.scenario import Combination
from tests.scenario.plans import (
    FASTER,
    FEWER_RETURNS,
    FEWER_TICKETS,
    SHOP,
    TEN_OFF,
    combination,
    made,
    plan,
    ratio,
    referring,
    share,
)
from tests.simulated import assumed

DEVIATION = assumed(0.1, Unit.DEVIATIONS)
EXPERIENCED = {
    "incidents": Incidents(ratio=ratio(0.9)),
    "tickets": FEWER_TICKETS,
    "resolution": Resolution(unresolved=ratio(0.9), hours=ratio(0.9)),
    "recovery": Recovery(share=share(0.5), compensation=assumed(5.0, Unit.MONEY), repair=share(0.5), delight=DEVIATION),
    "satisfaction": Satisfaction(shift=DEVIATION),
}


@pytest.mark.parametrize("kind", EXPERIENCED)
def test_an_effect_on_what_customers_go_through_needs_a_behaviour_that_says_what_that_is(kind):
    changed = plan("plan", EXPERIENCED[kind])
    assert made(changed).behaviour is SHOP
    with pytest.raises(ParamError, match=rf"'plan' has {kind}, .*'plain' says nothing of that.*online-shop"):
        made(changed, behaviour=PLAIN)


def test_a_cost_for_each_ticket_needs_tickets():
    helped = plan("plan", FASTER, costs=(Cost(kind="per_ticket", amount=assumed(1.0, Unit.MONEY_PER_TICKET)),))
    with pytest.raises(ParamError, match=r"'plan' has the cost per_ticket, .*part experience, such as behaviour"):
        made(helped, behaviour=PLAIN)


@pytest.mark.parametrize("behaviour", [PLAIN, dataclasses.replace(SHOP, returns=None)], ids=["plain", "no returns"])
def test_an_effect_on_returns_needs_returns(behaviour):
    with pytest.raises(ParamError, match=r"'plan' changes returns; the behaviour '.*' has none.*part returns, such as"):
        made(plan("plan", FEWER_RETURNS), behaviour=behaviour)


def test_an_incident_that_the_shop_does_not_have_is_answered_with_the_nearest():
    with pytest.raises(ParamError, match=r"no incident 'defects'; did you mean 'defect'\? Possible: late, defect, "):
        made(plan("plan", Incidents(ratio=ratio(0.9), incident="defects")))


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (SHOP, "'online-shop' has tickets, but the economics 'cdnow' do not say.*support_per_ticket"),
        (
            dataclasses.replace(SHOP, experience=None, surveys=None, traits=None),
            "'online-shop' has returns, but the economics 'cdnow' do not say.*handling_per_return and resaleable",
        ),
    ],
    ids=["tickets", "returns"],
)
def test_what_happens_must_have_a_cost(behaviour, words):
    with pytest.raises(ParamError, match=words):
        made(behaviour=behaviour, economics=load_economics("cdnow"))


SEARCHED = plan(
    "searched",
    Dropout(ratio=ratio(0.9, ends=(0.5, 1.0))),
    mode="break-even",
    searches="effects.dropout_1.ratio",
)


@pytest.mark.parametrize(
    ("strategies", "changes", "words"),
    [
        (
            ["plan", "othr"],
            {},
            "combination 'both': no strategy 'othr'; did you mean 'other'. Possible: plan, other, searched",
        ),
        (["plan", "searched"], {}, "combination 'both': the effects of 'searched' are searched.*leave it out"),
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


@pytest.mark.parametrize("name", ["plan", "baseline"])
def test_a_combination_has_a_name_of_its_own(name):
    plans = plan("plan", FASTER), plan("other", FASTER)
    with pytest.raises(ParamError, match=f"different names, and none may be 'baseline'; found plan, other, {name}"):
        made(*plans, combinations=(combination("plan", "other", name=name),), stacking=share(0.5))


@pytest.mark.parametrize(
    ("name", "strategies", "words"),
    [
        ("Both", ("a", "b"), "'Both' is no name; use small letters, digits and single hyphens"),
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


@pytest.mark.parametrize(("months", "refused"), [(12, False), (48, True)])
def test_referrals_that_could_explode_are_refused(months, refused):
    friends = plan("friends", referring(1.0))  # 1 * 0.5 * (1 - 0.2) = 0.4 a year
    if not refused:
        assert made(friends, horizon_months=months).horizon_months == months
        return
    with pytest.raises(ParamError, match=r"'friends'.*brings 1\.60 new ones within 48 months.*Below 1 is possible"):
        made(friends, horizon_months=months)


def test_referrals_that_explode_only_together_are_refused_only_together():
    plans = plan("friends", referring(1.5)), plan("family", referring(1.5))
    assert len(made(*plans).arms) == 3
    with pytest.raises(ParamError, match=r"'friends' and 'family'.*brings 1\.20 new ones within 12 months"):
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


def test_an_effect_that_nobody_has_measured_is_not_believed():
    with pytest.raises(ParamError, match=r"'plan': nobody has measured .* L31 \(Brand.*write mode: break-even"):
        refuse_unmeasured([plan("plan", FASTER, lever="L31")])


def test_a_lever_that_is_not_in_the_catalogue_is_answered_with_the_nearest():
    with pytest.raises(ParamError, match="'plan': no lever 'L311'; did you mean 'L31'"):
        refuse_unmeasured([plan("plan", FASTER, lever="L311")])


def test_a_ratio_below_zero_is_refused():
    with pytest.raises(ParamError, match=r"range \[-0.5, -0.5\] is outside what the unit 'ratio' allows: 0.01 to 100"):
        ratio(-0.5)
