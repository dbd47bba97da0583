"""All structures of leaving beside each other: the same draws three times, and errors that know it."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.params import MICROS
from cxsim.study.assumptions import assumptions, cautions
from cxsim.study.run import run
from cxsim.tables import RETURNS, check
from tests.study.conftest import small

STRUCTURES = ("bgnbd", "mbgnbd", "paretonbd")


@pytest.fixture(scope="module")
def study():
    return run(small(dropout="all"))


def by_structure(study, strategy, column="npv"):
    """Return what a strategy brings, shape (structures, draws)."""
    return study.npv.filter(strategy=strategy).sort("draw")[column].to_numpy().reshape(len(STRUCTURES), -1)


def test_there_is_one_row_for_each_structure_and_strategy_beside_the_pooled_one(study):
    strategies = list(study.scenario.arms[1:])
    assert study.returns["strategy"].to_list() == strategies
    found = study.structures
    assert found["structure"].to_list() == [name for name in STRUCTURES for _ in strategies]
    assert found["strategy"].to_list() == strategies * 3
    assert check(found.drop("structure"), RETURNS).height == 9
    assert list(study.purchases) == list(STRUCTURES)


def test_the_pooled_result_is_that_of_all_worlds(study):
    for row in study.returns.iter_rows(named=True):
        npv = by_structure(study, row["strategy"])
        assert row["draws"] == npv.size == 12
        # Sums of a dozen doubles of some thousands lose less than 1e-9.
        assert row["incremental_npv"] == pytest.approx(npv.mean(), abs=1e-9)
        assert (row["npv_low"], row["npv_high"]) == pytest.approx(tuple(np.quantile(npv, (0.05, 0.95))), abs=1e-9)
        assert row["prob_npv_positive"] == (npv > 0).mean()


def test_a_row_of_a_structure_is_that_of_its_own_worlds(study):
    for row in study.structures.iter_rows(named=True):
        npv = by_structure(study, row["strategy"])[STRUCTURES.index(row["structure"])]
        assert row["draws"] == len(npv) == 4
        assert row["incremental_npv"] == pytest.approx(npv.mean(), abs=1e-9)
        assert row["npv_mc_error"] == pytest.approx(npv.std(ddof=1) / np.sqrt(4), abs=1e-9)


def test_monte_carlo_errors_count_draws_and_not_worlds(study):
    for row in study.returns.iter_rows(named=True):
        npv = by_structure(study, row["strategy"])
        means = npv.mean(axis=0)
        assert row["npv_mc_error"] == pytest.approx(means.std(ddof=1) / np.sqrt(len(means)), abs=1e-9)
        # Laplace's rule of succession over the four draws.
        share = ((npv > 0).mean() * 4 + 1) / 6
        assert row["prob_mc_error"] == pytest.approx(np.sqrt(share * (1 - share) / 6), rel=1e-12)


def test_playing_the_same_draws_under_three_structures_does_not_make_the_error_of_one_smaller_by_a_root_of_three():
    # With structures that agree, the pooled error must be that of one of them: 2 % for the little that they differ.
    twice = run(small(dropout="bgnbd", draws=8))
    alone = twice.returns["npv_mc_error"].to_numpy()
    pooled = run(small(dropout="all", draws=8))
    each = pooled.structures.filter(structure="bgnbd")["npv_mc_error"].to_numpy()
    assert each == pytest.approx(alone, rel=1e-12)
    assert (pooled.returns["npv_mc_error"].to_numpy() > 0.7 * each).all()


def test_a_draw_has_the_same_assumptions_under_every_structure(study):
    worlds = study.worlds.draws
    assert [draw.world for draw in worlds] == list(range(12))
    assert [draw.number for draw in worlds] == [*range(4)] * 3
    assert [draw.structure for draw in worlds] == [name for name in STRUCTURES for _ in range(4)]
    for draw in worlds[4:]:
        first = worlds[draw.number]
        assert list(assumptions(draw.scenario)) == list(assumptions(first.scenario))
        assert draw.spend == first.spend


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_structure_beside_others_is_played_with_the_same_luck_as_alone(study, structure):
    alone = run(small(dropout=structure))
    first = STRUCTURES.index(structure) * 4
    part = study.ledger.filter(pl.col("draw").is_between(first, first + 3)).with_columns(pl.col("draw") - first)
    assert part.equals(alone.ledger)


def test_new_customers_come_at_the_same_moment_with_the_same_first_basket_under_every_structure(study):
    def first_orders(world):
        orders = study.tables(draw=world).orders.filter(order_number=1)
        return orders.select("customer_id", "ordered_at", "list_amount").sort("customer_id")

    expected = first_orders(0)
    assert expected.height == 150
    for world in (4, 8):
        assert first_orders(world).equals(expected)


@pytest.mark.parametrize("world", [1, 6, 11])
def test_the_tables_of_a_world_hold_the_money_of_its_own_entries_in_the_ledger(study, world):
    for arm in study.scenario.arms:
        booked = study.ledger.filter(arm=arm, account="gross sales", draw=world)["amount"].sum()
        # Amounts in whole cents, below a million: a double holds their sum to far less than a cent.
        assert study.tables(arm, draw=world).orders["list_amount"].sum() == pytest.approx(booked / MICROS, abs=1e-6)


def test_a_faster_lever_is_cautioned_under_one_structure_and_not_under_all():
    plain = small(dropout="bgnbd")
    assert "points-programme" in cautions(plain)["strategy"].to_list()
    assert cautions(dataclasses.replace(plain, dropout="all")).is_empty()
