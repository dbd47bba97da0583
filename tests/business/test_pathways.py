"""Where the money comes from and goes to: the parts add up, and each is what it says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.strategies.effects import Effect
from cxsim.strategies.strategy import load_strategy
from cxsim.study.business.base_case import LABELS, RESPONSES, Variant, pathways_of, responding, without
from cxsim.study.business.portfolio import pathways

CENT = 0.005


@pytest.fixture(scope="module")
def table(study, central, centre):
    return pathways(central, centre, study.returns)


@pytest.fixture(scope="module")
def busy_table(busy, busy_central, busy_centre):
    return pathways(busy_central, busy_centre, busy.returns)


@pytest.mark.parametrize("which", ["table", "busy_table"])
def test_the_parts_add_up_to_the_base_case_and_this_to_the_mean_to_the_cent(which, request):
    found = request.getfixturevalue(which)
    for name in found["strategy"].unique(maintain_order=True):
        steps = found.filter(pl.col("strategy") == name)
        amount = {kind: steps.filter(pl.col("kind") == kind)["amount"].sum() for kind in steps["kind"].unique()}
        assert amount.get("gives", 0.0) + amount.get("takes", 0.0) == pytest.approx(amount["base"], abs=CENT)
        assert amount["base"] + amount["uncertainty"] == pytest.approx(amount["mean"], abs=CENT)


def test_the_mean_is_that_of_the_returns(study, table):
    means = dict(table.filter(pl.col("kind") == "mean").select("strategy", "amount").iter_rows())
    assert means == dict(study.returns.select("strategy", "incremental_npv").iter_rows())


def test_without_any_response_orders_are_those_of_doing_nothing(busy_central):
    """Then all that is given away is given to customers who would have ordered anyway."""
    for strategy in busy_central.scenario.strategies:
        nobody = without(strategy, pathways_of([strategy]))
        if nobody.reach.uptake.value == 0.0 or any(effect.kind == "membership" for effect in strategy.effects):
            continue
        (played,) = busy_central.play([Variant(strategies=(nobody,))])
        # Columns 0 and 1: orders, and what they cost at list price.
        assert np.array_equal(played.treated[:, :, :2], played.baseline[:, :, :2]), strategy.name


def test_a_pathway_that_is_switched_off_alone_takes_its_effect_away():
    strategy = load_strategy("points-programme")
    fewer = without(strategy, {"retention"})
    ratios = [effect.ratio.value for effect in fewer.effects if effect.kind in ("dropout", "purchase_rate")]
    assert ratios == [1.0, 1.02]


def test_what_is_borrowed_can_only_come_after_what_is_gained():
    assert pathways_of([load_strategy("sitewide-sale")])["forward_buying"] == ("price",)


def test_every_kind_of_effect_says_by_which_pathways_customers_respond():
    kinds = {one.__dataclass_fields__["kind"].default for one in Effect.__args__}
    assert set(RESPONSES) == kinds
    assert {one.pathway for some in RESPONSES.values() for one in some} <= set(LABELS)


def test_rewards_are_not_a_response_and_ratios_are():
    assert "effects.dropout_1.ratio" in responding(load_strategy("points-programme"))
    assert "effects.points_3.redemption" not in responding(load_strategy("points-programme"))
