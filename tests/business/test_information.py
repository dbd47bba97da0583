from __future__ import annotations

import dataclasses
import math

import numpy as np
import polars as pl
import pytest

from cxsim.errors import ParamError
from cxsim.params import Z95, Unit
from cxsim.study.business.contracts import INFORMATION
from cxsim.study.business.information import information
from cxsim.study.business.priors import prior_draws, score
from cxsim.study.run import run
from cxsim.tables import check
from tests.simulated import assumed
from tests.study.conftest import small
from tests.study.everything import combined


@pytest.fixture(scope="module")
def known(study):
    return information(study)


@pytest.fixture(scope="module")
def two_models():
    """Two strategies and both together, under all models of leaving."""
    plain = combined(small(draws=12, dropout="all"), "points-programme", "faster-delivery")
    return run(dataclasses.replace(plain, stacking=assumed(0.6, Unit.SHARE, range=(0.25, 0.95))))


def _of(table, decision, name):
    return table.filter((pl.col("decision") == decision) & (pl.col("id") == name)).row(0, named=True)


# A share of 0.4, believed between 0.25 and 0.55: on the logit scale, log(p / (1 - p)) = -0.405, -1.099 and 0.201.
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
def test_what_was_drawn_is_sentence_as_a_standard_normal_score(value, expected):
    share = assumed(0.4, Unit.SHARE, range=(0.25, 0.55))
    assert math.isclose(score(share, value), expected, abs_tol=1e-5)


def test_a_score_is_the_reverse_of_the_quantile():
    ratio = assumed(1.1, Unit.RATIO, range=(1.0, 1.3))
    for z in (-2.0, -0.5, 0.0, 1.0, 3.0):
        # Exact but for the last digits of logarithms.
        assert math.isclose(score(ratio, ratio.quantile(z)), z, abs_tol=1e-9)


def test_a_side_to_which_nothing_is_spread_has_no_score():
    money = assumed(5.0, Unit.MONEY, range=(5.0, 9.0))
    assert score(money, 4.9) == 0.0


def test_every_draw_is_sentence_in_independent_numbers_without_parameters_that_nobody_believes(study):
    found = prior_draws(study)
    names = [one.id for one in found.unknowns]
    spread = study.assumptions.filter(pl.col("low") < pl.col("high"))["id"].to_list()
    assert [name for name in names if not name.startswith("models/")] == spread
    # Seven parameters: r, alpha, a, b of orders and leaving, p, q, v of spend; in 8 draws at most 7 directions.
    models = found.drawn[:, found.places(["models"])]
    assert models.shape == (8, 7)
    np.testing.assert_allclose(models.T @ models / 8, np.eye(7), atol=1e-6)


def test_the_npvs_are_those_of_the_study(study):
    found = prior_draws(study)
    for place, arm in enumerate(found.arms):
        assert found.npvs[0, :, place].tolist() == study.npv.filter(pl.col("strategy") == arm)["npv"].to_list()


def test_a_strategy_does_not_depend_on_what_another_one_costs(known):
    mine = known.filter(pl.col("decision") == "win-back-coupon")["id"].to_list()
    assert not [name for name in mine if "points-programme" in name or "faster-delivery" in name]
    assert "effects of win-back-coupon" in mine
    assert "effects of points-programme" in known.filter(pl.col("decision") == "portfolio")["id"].to_list()


def test_together_depend_on_both_and_on_how_they_stack(two_models):
    found = information(two_models, ["all-together"])
    names = found.filter(pl.col("decision") == "all-together")["id"].to_list()
    assert "scenarios/cdnow-quick/stacking" in names
    assert {"effects of points-programme", "effects of faster-delivery", "structure"} <= set(names)
    assert not [name for name in names if "win-back-coupon" in name]
    assert found["decision"].unique(maintain_order=True).to_list() == ["portfolio", "all-together"]


def test_the_numbers_are_ranked_from_the_first_to_find_out(known):
    check(known, INFORMATION)
    for _, one in known.group_by("decision", maintain_order=True):
        single = one.filter(pl.col("rank") > 0)
        assert single["rank"].to_list() == list(range(1, single.height + 1))
        assert single["worth"].is_sorted(descending=True)
        assert one["id"][0] == "everything"
        assert one["rank"][0] == 0


def test_everything_is_worth_what_the_draws_say(study, known):
    # For each strategy alone: the mean of what it brings where it brings something, less its mean where above 0.
    for name in study.scenario.arms[1:]:
        npv = study.npv.filter(pl.col("strategy") == name)["npv"].to_numpy()
        worth = np.maximum(npv, 0.0).mean() - max(npv.mean(), 0.0)
        # Exact but for the order of the sum.
        assert math.isclose(_of(known, name, "everything")["worth"], worth, rel_tol=1e-9, abs_tol=1e-9)


def test_a_strategy_that_loses_in_every_draw_leaves_nothing_worth_knowing(known):
    # In this small shop the set-up cost is lost whatever customers do.
    mine = known.filter(pl.col("decision") == "points-programme")
    assert mine["worth"].to_list() == [0.0] * mine.height
    assert mine["share_of_everything"].null_count() == mine.height


def test_what_decides_alone_is_worth_everything_and_the_rest_nothing():
    # A shop in which only one number has a spread, the cost per order of a strategy without effect that otherwise just
    # pays: all that is worth knowing is that number.
    plain = small(draws=60, new_customers=dataclasses.replace(small().new_customers, per_month=400))
    fast = next(one for one in plain.strategies if one.name == "faster-delivery")
    (dear, order) = fast.costs
    fast = dataclasses.replace(
        fast,
        costs=(
            dataclasses.replace(dear, amount=dear.amount.at(0.0)),
            dataclasses.replace(order, amount=assumed(0.12, Unit.MONEY_PER_ORDER, range=(0.02, 0.7))),
        ),
    )
    found = information(run(dataclasses.replace(plain, strategies=(fast,))))
    whole = _of(found, "faster-delivery", "everything")
    cost = _of(found, "faster-delivery", "strategies/faster-delivery/costs.per_order_2.amount")
    assert whole["worth"] > 2.0 * whole["mc_error"]
    assert cost["rank"] <= 2
    assert cost["worth"] > 2.0 * cost["mc_error"]
    group = _of(found, "faster-delivery", "costs of faster-delivery")
    assert abs(group["worth"] - cost["worth"]) < 4.0 * group["mc_error"]


def test_which_model_of_leaving_holds_is_asked_where_there_are_several(two_models, known):
    assert _of(information(two_models), "portfolio", "structure")["worth"] >= 0.0
    assert "structure" not in known["id"].to_list()


def test_an_unknown_arm_is_refused(study):
    with pytest.raises(
        ParamError, match="no strategy or combination 'points-program'; did you mean 'points-programme'"
    ):
        information(study, ["points-program"])


def test_the_same_study_gives_the_same_table(study, known):
    assert information(study).equals(known)
