"""What a reader is told before believing a result, and what not."""

from __future__ import annotations

import pytest

from cxsim.errors import ParamError
from cxsim.strategies.effects import Basket, Dropout
from cxsim.study.assumptions import assumptions, cautions, register, with_assumptions
from cxsim.study.loading import load_scenario
from cxsim.tables import ASSUMPTIONS, CAUTIONS, check
from tests.study.plans import FASTER, combination, made, plan, ratio, share

QUICK = load_scenario("cdnow-quick")


def test_every_number_of_shop_and_strategies_is_listed_once():
    identifiers = [identifier for identifier, _, _ in assumptions(QUICK)]
    assert len(set(identifiers)) == len(identifiers)
    assert identifiers[0] == "economics/cdnow/gross_margin"
    assert "strategies/points-programme/effects.dropout_1.ratio" in identifiers
    assert "strategies/win-back-coupon/reach.after_idle_days" in identifiers
    assert "strategies/faster-delivery/costs.per_order_2.amount" in identifiers


def test_values_put_in_are_known_and_all_others_stay():
    changed = with_assumptions(QUICK, {"economics/cdnow/gross_margin": 0.5})
    before = {identifier: quantity for identifier, _, quantity in assumptions(QUICK)}
    after = {identifier: quantity for identifier, _, quantity in assumptions(changed)}
    assert [name for name in before if before[name] != after[name]] == ["economics/cdnow/gross_margin"]
    assert after["economics/cdnow/gross_margin"].range == (0.5, 0.5)


def test_an_assumption_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(ParamError, match="did you mean 'economics/cdnow/gross_margin'"):
        with_assumptions(QUICK, {"economics/cdnow/gros_margin": 0.5})


def test_the_register_shows_range_evidence_and_the_source_in_words():
    table = check(register(QUICK), ASSUMPTIONS)
    assert table.height == len(list(assumptions(QUICK)))
    row = table.filter(id="strategies/points-programme/effects.dropout_1.ratio").row(0, named=True)
    assert (row["low"], row["value"], row["high"]) == (0.7, 0.85, 1.0)
    assert row["evidence"] == "published"
    assert row["source"].startswith("Gopalakrishnan, Jiang, Nevskaya and Thomadsen (2021), ")
    assert row["source"].endswith("grade B")
    assert table.filter(evidence="assumed")["source"].null_count() == table.filter(evidence="assumed").height


STAYING, LARGER = Dropout(ratio=ratio(0.9)), Basket(ratio=ratio(1.1))


def sentence(scenario):
    return check(cautions(scenario), CAUTIONS)


def test_faster_ordering_under_plain_bg_nbd_is_cautioned_with_what_other_models_say():
    found = sentence(made(dropout="bgnbd"))
    assert found["strategy"].to_list() == ["plan"]
    # The figures of the same lever in both models on CDNOW, which the simulator is held to elsewhere.
    for words in ("BG/NBD", "10 % more orders a day", "6.3 %", "4.3 %", "Pareto/NBD", "dropout: all"):
        assert words in found["caution"][0]


@pytest.mark.parametrize("effect", [STAYING, LARGER])
def test_who_orders_no_faster_is_not_cautioned(effect):
    assert sentence(made(plan("plan", effect), dropout="bgnbd")).is_empty()


@pytest.mark.parametrize(("number", "cautioned"), [(2, False), (3, False), (4, True)])
def test_more_than_three_strategies_at_once_are_cautioned(number, cautioned):
    plans = [plan(f"plan-{place}", STAYING) for place in range(number)]
    together = combination(*(one.name for one in plans))
    found = sentence(made(*plans, combinations=(together,), stacking=share(0.5), dropout="all"))
    assert found["strategy"].to_list() == (["both"] if cautioned else [])
    assert all(f"{number} strategies run together" in text for text in found["caution"])


def test_a_combination_with_one_faster_part_is_cautioned_too():
    plans = plan("fast", FASTER), plan("loyal", STAYING)
    found = sentence(made(*plans, combinations=(combination("fast", "loyal"),), stacking=share(0.5), dropout="bgnbd"))
    assert found["strategy"].to_list() == ["fast", "both"]


def test_a_searched_effect_is_said_to_be_nobodys_measurement():
    effect = Dropout(ratio=ratio(0.9, ends=(0.5, 1.0)))
    searched = plan("searched", effect, mode="break-even", searches="effects.dropout_1.ratio")
    found = sentence(made(plan("plan", STAYING), searched, dropout="all"))
    assert found["strategy"].to_list() == ["searched"]
    assert "Nobody has measured" in found["caution"][0]
