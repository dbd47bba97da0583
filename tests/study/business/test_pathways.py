"""Where the money comes from and goes to: the parts add up, and each is what it says."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st

from cxsim.strategies.effects import Effect
from cxsim.strategies.strategy import load_strategy
from cxsim.study.business.base_case import base_case
from cxsim.study.business.pathways import LABELS, RESPONSES, feasible_sets, pathways_of, responding, shapley, without
from cxsim.tables import WHOLE_HORIZON

CENT = 0.005


PLAYERS = ("a", "b", "c", "d")
FREE: dict[str, tuple[str, ...]] = dict.fromkeys(PLAYERS, ())
BOUND = {"a": (), "b": ("a",), "c": ("a",), "d": ()}


@pytest.mark.parametrize("which", ["case", "busy_case"])
def test_the_parts_add_up_to_the_base_case_and_this_to_the_mean_to_the_cent(which, request):
    found = request.getfixturevalue(which).pathways
    for name in found["strategy"].unique(maintain_order=True):
        steps = found.filter(strategy=name)
        amount = {kind: steps.filter(kind=kind)["amount"].sum() for kind in steps["kind"].unique()}
        assert amount.get("gives", 0.0) + amount.get("takes", 0.0) == pytest.approx(amount["base"], abs=CENT)
        assert amount["base"] + amount["uncertainty"] == pytest.approx(amount["mean"], abs=CENT)


@pytest.mark.parametrize("which", ["case", "busy_case"])
def test_the_case_on_one_page_adds_up_to_the_returns_to_the_cent(which, request):
    """Sources to benefits, accounts to investment, their difference to NPV, and years to the whole horizon."""
    case = request.getfixturevalue(which)
    for returns in case.study.returns.iter_rows(named=True):
        own = case.summary.filter(strategy=returns["strategy"])
        for period in own["period"].unique():
            sums = dict(own.filter(period=period).group_by("section").agg(pl.col("amount").sum()).iter_rows())
            assert sums["benefits"] == pytest.approx(sums["benefits total"], abs=CENT)
            assert sums.get("investment", 0.0) == pytest.approx(sums["investment total"], abs=CENT)
            assert sums["benefits total"] - sums["investment total"] == pytest.approx(sums["npv"], abs=CENT)
        whole = dict(own.filter(period=WHOLE_HORIZON).select("section", "amount").iter_rows())
        assert whole["npv"] == pytest.approx(returns["incremental_npv"], abs=CENT)
        assert whole["investment total"] == pytest.approx(returns["investment"], abs=CENT)


def test_the_mean_is_that_of_the_returns(study, case):
    table = case.pathways
    means = dict(table.filter(kind="mean").select("strategy", "amount").iter_rows())
    assert means == dict(study.returns.select("strategy", "incremental_npv").iter_rows())


def test_without_any_response_orders_are_those_of_doing_nothing(busy):
    """Then all that is given away is given to customers who would have ordered anyway."""
    central = base_case(busy)
    for strategy in central.scenario.strategies:
        nobody = without(strategy, pathways_of([strategy]))
        if nobody.reach.uptake.value == 0.0 or any(effect.kind == "membership" for effect in strategy.effects):
            continue
        (outcome,) = central.simulate([(nobody,)])
        # Columns 0 and 1: orders, and what they cost at list price.
        assert np.array_equal(outcome.treated[:, :, :2], outcome.baseline[:, :, :2]), strategy.name


def test_a_pathway_that_is_switched_off_alone_takes_its_effect_away():
    strategy = load_strategy("points-programme")
    fewer = without(strategy, {"retention"})
    ratios = [effect.ratio.value for effect in fewer.effects if effect.kind in ("dropout", "purchase_rate")]
    assert ratios == [1.0, 1.02]


def test_what_is_borrowed_can_only_come_after_what_is_gained():
    assert pathways_of([load_strategy("sitewide-sale")])["forward_buying"] == ("price",)


def test_every_kind_of_effect_has_its_pathways_of_response():
    kinds = {one.__dataclass_fields__["kind"].default for one in Effect.__args__}
    assert set(RESPONSES) == kinds
    assert {pathway for some in RESPONSES.values() for pathway in some} <= set(LABELS)


def test_rewards_are_not_a_response_and_ratios_are():
    assert "effects.dropout_1.ratio" in responding(load_strategy("points-programme"))
    assert "effects.points_3.redemption" not in responding(load_strategy("points-programme"))


def values_of(after, numbers):
    return {held: np.array(number) for held, number in zip(feasible_sets(after), numbers, strict=False)}


def by_hand(values, after):
    """Go through every order of the players one by one."""
    parts, orders = dict.fromkeys(after, 0.0), 0
    for order in permutations(after):
        if all(order.index(one) > order.index(earlier) for one in after for earlier in after[one]):
            orders += 1
            for place, player in enumerate(order):
                parts[player] += float(values[frozenset(order[: place + 1])] - values[frozenset(order[:place])])
    return {player: part / orders for player, part in parts.items()}


def test_the_glove_game():
    """One left glove and two right ones, a pair has the value 1: the left one gets 2/3, each right one 1/6."""
    after = {"left": (), "right": (), "other": ()}
    values = {held: np.array(float("left" in held and len(held) > 1)) for held in feasible_sets(after)}
    parts = shapley(values, after)
    assert [float(parts[one]) for one in after] == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-15)


@pytest.mark.parametrize("after", [FREE, BOUND])
@given(numbers=st.lists(st.floats(-1e6, 1e6), min_size=16, max_size=16))
def test_parts_add_up_and_are_means_over_all_orders(after, numbers):
    values = values_of(after, numbers)
    parts = shapley(values, after)
    whole = float(values[frozenset(after)] - values[frozenset()])
    # Sums of at most 16 numbers up to a million: a few roundings of 1e-10 each.
    assert float(sum(parts.values())) == pytest.approx(whole, abs=1e-8)
    assert {player: float(part) for player, part in parts.items()} == pytest.approx(by_hand(values, after), abs=1e-8)


def test_sets_hold_whom_their_members_must_come_after():
    assert [sorted(one) for one in feasible_sets(BOUND)] == [
        [], ["a"], ["d"], ["a", "b"], ["a", "c"], ["a", "d"], ["a", "b", "c"], ["a", "b", "d"], ["a", "c", "d"],
        ["a", "b", "c", "d"],
    ]  # fmt: skip
