from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.params import quantities, with_values
from cxsim.study.business.base_case import central_of
from cxsim.study.business.contracts import SPLIT
from cxsim.study.business.information import split
from cxsim.study.business.priors import luck
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from cxsim.tables import check
from tests.study.conftest import small

PARTS = ["models", "effects", "economics", "structure", "luck", "together"]


@pytest.fixture(scope="module")
def shared(study):
    return split(study)


def _of(table, strategy, part):
    return table.filter((pl.col("strategy") == strategy) & (pl.col("part") == part)).row(0, named=True)


def _settled(scenario):
    """Return the scenario with every number of economics and strategies known."""
    strategies = tuple(with_values(one, {path: q.value for path, q in quantities(one)}) for one in scenario.strategies)
    economics = with_values(scenario.economics, {path: q.value for path, q in quantities(scenario.economics)})
    return dataclasses.replace(scenario, strategies=strategies, economics=economics)


def test_the_shares_of_each_strategy_add_up_to_one(study, shared):
    check(shared, SPLIT)
    assert shared["strategy"].unique(maintain_order=True).to_list() == list(study.scenario.arms[1:])
    for _, one in shared.group_by("strategy", maintain_order=True):
        assert one["part"].to_list() == PARTS
        # Sums of six floats.
        assert abs(one["share"].sum() - 1.0) < 1e-12


def test_the_deviation_of_a_part_is_what_its_variance_alone_leaves(study, shared):
    for name in study.scenario.arms[1:]:
        variance = study.npv.filter(pl.col("strategy") == name)["npv"].var()
        for part in PARTS:
            row = _of(shared, name, part)
            # Both are cut to nine digits, half of the last of which may be 5e-9 of the number.
            assert row["sd"] ** 2 == pytest.approx(max(row["share"], 0.0) * variance, rel=2e-8)


def test_one_model_of_leaving_leaves_no_question_of_structure(study, shared):
    row = _of(shared, study.scenario.arms[1], "structure")
    assert (row["share"], row["mc_error"]) == (0.0, 0.0)


def test_where_every_number_is_known_neither_effects_nor_economics_have_a_share():
    found = split(run(_settled(small(draws=40, new_customers=NewCustomers(per_month=300, months=3)))))
    for row in found.filter(pl.col("part").is_in(["effects", "economics"])).iter_rows(named=True):
        assert (row["share"], row["mc_error"]) == (0.0, 0.0)
    # What is left is luck and the fitted models; with 900 customers, luck is most of it. Its error is that of the
    # variance played again; the variance over 40 draws has one of its own, sqrt(2 / 39) = 23 % for normal sums.
    for row in found.filter(pl.col("part") == "luck").iter_rows(named=True):
        assert abs(row["share"] - 1.0) < 4.0 * np.hypot(row["mc_error"], 0.23)
        assert row["share"] > 0.5


def test_luck_is_the_variance_between_worlds_that_differ_in_nothing_else():
    # 200 worlds with the same numbers and other luck, played one by one. Their variance has an error of
    # sqrt(2 / 199) = 10 % for normal sums; gains of customers have long tails, so it is computed from fourth moments.
    # Discounting is by the mean month in `luck` and exact in the worlds: within a year, at 10 %, less than 1 %.
    study = run(_settled(small(draws=200, new_customers=NewCustomers(per_month=500, months=3))))
    base = central_of(study)
    draws = [dataclasses.replace(base.draws[0], number=n, world=n) for n in range(200)]
    still = dataclasses.replace(base, worlds=dataclasses.replace(base.worlds, draws=tuple(draws)))
    found = luck(dataclasses.replace(study, worlds=dataclasses.replace(study.worlds, draws=tuple(draws))))
    for place, name in enumerate(found.arms):
        npv = still.npv(still.centre()[name])
        spread = np.square(npv - npv.mean())
        error = np.hypot(spread.std() / np.sqrt(200), found.mc_errors[place])
        assert abs(found.variances[place] - npv.var(ddof=1)) < 4.0 * error
        # 0.16 of the variance for two strategies; 0.93 for the coupon, whose few users have the longest tails.
        assert error < {"win-back-coupon": 1.0}.get(name, 0.25) * npv.var(ddof=1)


def test_models_of_leaving_that_disagree_have_a_share_of_the_variance():
    found = split(run(small(draws=12, dropout="all")))
    for strategy in found["strategy"].unique(maintain_order=True):
        row = _of(found, strategy, "structure")
        assert row["mc_error"] > 0.0
        # What draws add to the means is taken off, so it can be a little below 0, by its error.
        assert row["share"] > -4.0 * row["mc_error"]


def test_the_same_study_is_split_the_same_way(study, shared):
    assert split(study).equals(shared)


def test_two_draws_are_split_too():
    found = split(run(small(draws=2)))
    assert np.isfinite(found.select("share", "mc_error", "sd").to_numpy()).all()
