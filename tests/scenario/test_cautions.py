"""What a reader is told before believing a result, and what not."""

from __future__ import annotations

import pytest

from cxsim.strategies.effects import Basket, Dropout
from cxsim.study.assumptions import cautions
from cxsim.tables import CAUTIONS, check
from tests.scenario.plans import FASTER, combination, made, plan, ratio, share

STAYING, LARGER = Dropout(ratio=ratio(0.9)), Basket(ratio=ratio(1.1))


def sentence(scenario):
    return check(cautions(scenario), CAUTIONS)


def test_faster_ordering_under_plain_bg_nbd_is_cautioned_with_what_other_models_say():
    found = sentence(made(dropout="bgnbd"))
    assert found["strategy"].to_list() == ["plan"]
    # The figures of the same lever in both models on CDNOW, which the simulator is held to elsewhere.
    for words in ("BG/NBD", "10 % more orders a day", "6.3 %", "4.3 %", "Pareto/NBD", "dropout: all"):
        assert words in found["caution"][0]


def test_every_model_in_which_customers_leave_after_an_order_is_cautioned_under_its_own_name():
    assert "in MBG/NBD, the only model of leaving used here" in sentence(made(dropout="mbgnbd"))["caution"].item()


@pytest.mark.parametrize("dropout", ["all", "paretonbd"])
def test_where_other_models_are_played_nothing_is_cautioned(dropout):
    assert sentence(made(dropout=dropout)).is_empty()


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
