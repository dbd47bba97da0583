from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.params import Z95, Unit, quantities, with_values
from cxsim.study.business.base_case import base_case
from cxsim.study.business.information import (
    INFORMATION,
    SPLIT,
    drawn_inputs,
    information,
    sampling_variance,
    split,
    standard_score,
)
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from cxsim.tables import check
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.everything import combined

PARTS = ["models", "effects", "economics", "structure", "sampling", "together"]


@pytest.fixture
def known(case):
    return case.study.information


@pytest.fixture(scope="module")
def two_models():
    """Two strategies and both together, under all models of leaving."""
    plain = combined(small(draws=12, dropout="all"), "points-programme", "faster-delivery")
    return run(replace(plain, stacking=assumed(0.6, Unit.SHARE, range=(0.25, 0.95))))


def _of(table, decision, name):
    return table.filter((pl.col("decision") == decision) & (pl.col("id") == name)).row(0, named=True)


# A share of 0.4, with a prior between 0.25 and 0.55: on the logit scale, log(p / (1 - p)) = -0.405, -1.099 and 0.201.
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.4, 0.0),
        (0.25, -Z95),
        (0.55, Z95),
        (0.5, Z95 * 0.405465 / 0.606136),  # logit 0 is 0.405465 above the middle, of 0.606136 to the end
        (1.0, 4.0),  # at the edge of the unit
        (0.0, -4.0),
    ],
)
def test_what_was_drawn_is_described_by_a_standard_normal_score(value, expected):
    share = assumed(0.4, Unit.SHARE, range=(0.25, 0.55))
    assert math.isclose(standard_score(share, value), expected, abs_tol=1e-5)


def test_a_score_is_the_reverse_of_the_quantile():
    ratio = assumed(1.1, Unit.RATIO, range=(1.0, 1.3))
    for z in (-2.0, -0.5, 0.0, 1.0, 3.0):
        # Exact but for the last digits of logarithms.
        assert math.isclose(standard_score(ratio, ratio.quantile(z)), z, abs_tol=1e-9)


def test_a_side_to_which_nothing_is_spread_has_no_score():
    money = assumed(5.0, Unit.MONEY, range=(5.0, 9.0))
    assert standard_score(money, 4.9) == 0.0


def test_every_draw_is_described_by_independent_numbers(study, drawn):
    names = [one.id for one in drawn.inputs]
    spread = study.assumptions.filter(pl.col("low") < pl.col("high"))["id"].to_list()
    assert [name for name in names if not name.startswith("models/")] == spread
    # Seven parameters: r, alpha, a, b of orders and leaving, p, q, v of spend; in 8 draws at most 7 directions.
    models = drawn.scores[:, [one.kind == "models" for one in drawn.inputs]]
    assert models.shape == (8, 7)
    np.testing.assert_allclose(models.T @ models / 8, np.eye(7), atol=1e-6)


def test_a_strategy_does_not_depend_on_what_another_one_costs(known):
    mine = known.filter(decision="win-back-coupon")["id"].to_list()
    assert not [name for name in mine if "points-programme" in name or "faster-delivery" in name]
    assert "effects of win-back-coupon" in mine
    assert "effects of points-programme" in known.filter(decision="portfolio")["id"].to_list()


def test_together_depend_on_both_and_on_how_they_stack(two_models):
    found = information(two_models, drawn_inputs(two_models))
    names = found.filter(decision="all-together")["id"].to_list()
    assert "scenarios/cdnow-quick/stacking" in names
    assert {"effects of points-programme", "effects of faster-delivery", "structure"} <= set(names)
    assert not [name for name in names if "win-back-coupon" in name]
    assert found["decision"].unique(maintain_order=True).to_list() == ["portfolio", *two_models.scenario.arms[1:]]
    assert _of(found, "portfolio", "structure")["worth"] >= 0.0


def test_the_numbers_are_ranked_from_the_first_to_find_out(known):
    check(known, INFORMATION)
    for _, one in known.group_by("decision", maintain_order=True):
        single = one.filter(pl.col("rank") > 0)
        assert single["rank"].to_list() == list(range(1, single.height + 1))
        assert single["worth"].is_sorted(descending=True)
        assert one["id"][0] == "everything"
        assert one["rank"][0] == 0


def test_the_value_of_everything_is_that_of_the_draws(study, known):
    # For each strategy alone: the mean of what it brings where it brings something, less its mean where above 0.
    for name in study.scenario.arms[1:]:
        npv = study.npv.filter(strategy=name)["npv"].to_numpy()
        worth = np.maximum(npv, 0.0).mean() - max(npv.mean(), 0.0)
        # Exact but for the order of the sum.
        assert math.isclose(_of(known, name, "everything")["worth"], worth, rel_tol=1e-9, abs_tol=1e-9)


def test_a_strategy_that_loses_in_every_draw_leaves_no_value_of_information(known):
    # In this small shop the set-up cost is lost whatever customers do.
    mine = known.filter(decision="points-programme")
    assert mine["worth"].to_list() == [0.0] * mine.height
    assert mine["share_of_everything"].null_count() == mine.height


def test_what_decides_alone_has_all_of_the_value():
    # A shop in which only one number has a spread, the cost per order of a strategy without effect that otherwise just
    # pays: all of the value of information is in that number.
    plain = small(draws=60, new_customers=replace(small().new_customers, per_month=400))
    fast = next(one for one in plain.strategies if one.name == "faster-delivery")
    (dear, order) = fast.costs
    fast = replace(
        fast,
        costs=(
            replace(dear, amount=dear.amount.at(0.0)),
            replace(order, amount=assumed(0.12, Unit.MONEY_PER_ORDER, range=(0.02, 0.7))),
        ),
    )
    alone = run(replace(plain, strategies=(fast,)))
    found = information(alone, drawn_inputs(alone))
    whole = _of(found, "faster-delivery", "everything")
    cost = _of(found, "faster-delivery", "strategies/faster-delivery/costs.per_order_2.amount")
    assert whole["worth"] > 2.0 * whole["mc_error"]
    assert cost["rank"] <= 2
    assert cost["worth"] > 2.0 * cost["mc_error"]
    group = _of(found, "faster-delivery", "costs of faster-delivery")
    assert abs(group["worth"] - cost["worth"]) < 4.0 * group["mc_error"]


def _part(table, strategy, part):
    return table.filter((pl.col("strategy") == strategy) & (pl.col("part") == part)).row(0, named=True)


def _settled(scenario):
    """Return the scenario with every number of economics and strategies known."""
    strategies = tuple(with_values(one, {path: q.value for path, q in quantities(one)}) for one in scenario.strategies)
    economics = with_values(scenario.economics, {path: q.value for path, q in quantities(scenario.economics)})
    return replace(scenario, strategies=strategies, economics=economics)


def test_the_shares_of_each_strategy_add_up_to_one(study, case):
    check(case.split, SPLIT)
    assert case.split["strategy"].unique(maintain_order=True).to_list() == list(study.scenario.arms[1:])
    for _, one in case.split.group_by("strategy", maintain_order=True):
        assert one["part"].to_list() == PARTS
        # Sums of six floats.
        assert abs(one["share"].sum() - 1.0) < 1e-12


def test_the_deviation_of_a_part_is_what_its_variance_alone_leaves(study, case):
    for name in study.scenario.arms[1:]:
        variance = study.npv.filter(strategy=name)["npv"].var()
        for part in PARTS:
            row = _part(case.split, name, part)
            # Both are cut to nine digits, half of the last of which may be 5e-9 of the number.
            assert row["sd"] ** 2 == pytest.approx(max(row["share"], 0.0) * variance, rel=2e-8)


def test_where_every_number_is_known_neither_effects_nor_economics_have_a_share():
    known = run(_settled(small(draws=40, new_customers=NewCustomers(per_month=300, months=3))))
    found = split(known, drawn_inputs(known))
    for row in found.filter(pl.col("part").is_in(["effects", "economics"])).iter_rows(named=True):
        assert (row["share"], row["mc_error"]) == (0.0, 0.0)
    # What is left is sampling and the fitted models; with 900 customers, sampling is most. Its error is that of the
    # variance simulated again; the variance over 40 draws has one of its own, sqrt(2 / 39) = 23 % for normal sums.
    for row in found.filter(part="sampling").iter_rows(named=True):
        assert abs(row["share"] - 1.0) < 4.0 * np.hypot(row["mc_error"], 0.23)
        assert row["share"] > 0.5


def test_sampling_variance_is_that_between_worlds_that_differ_in_nothing_else():
    # 200 worlds with the same numbers and other random numbers, simulated one by one. Their variance has an error of
    # sqrt(2 / 199) = 10 % for normal sums; gains of customers have long tails, so it is computed from fourth moments.
    # Discounting is by the mean month there and exact in the worlds: within a year, at 10 %, less than 1 %.
    study = run(_settled(small(draws=2, new_customers=NewCustomers(per_month=250, months=3))))
    study = replace(study, scenario=replace(study.scenario, draws=200))
    central = base_case(study)
    draws = [replace(central.worlds.draws[0], number=n, world=n) for n in range(200)]
    still = replace(central, worlds=replace(central.worlds, draws=tuple(draws)))
    study = replace(study, worlds=replace(study.worlds, draws=tuple(draws)))
    variances, errors = sampling_variance(study)
    outcomes = still.simulate([together for _, together in study.scenario.with_prior])
    for place, (name, outcome) in enumerate(zip(study.scenario.arms[1:], outcomes, strict=True)):
        npv = still.npv(outcome)
        spread = np.square(npv - npv.mean())
        error = np.hypot(spread.std() / np.sqrt(200), errors[place])
        assert abs(variances[place] - npv.var(ddof=1)) < 4.0 * error
        # 0.16 of the variance for two strategies; 0.93 for the coupon, whose few users have the longest tails.
        assert error < {"win-back-coupon": 1.0}.get(name, 0.25) * npv.var(ddof=1)


def test_models_of_leaving_that_disagree_have_a_share_of_the_variance(two_models):
    found = split(two_models, drawn_inputs(two_models))
    for strategy in found["strategy"].unique(maintain_order=True):
        row = _part(found, strategy, "structure")
        assert row["mc_error"] > 0.0
        # What draws add to the means is taken off, so it can be a little below 0, by its error.
        assert row["share"] > -4.0 * row["mc_error"]
