"""The base case: base values, the same random numbers, booked as the ledger books it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cxsim.finance.statement import flows
from cxsim.study.business.base_case import booked


def test_counts_booked_again_give_the_ledger_to_the_last_digit(busy):
    """Every draw of every arm, with all kinds of costs: booking from counts and booking the ledger are one thing."""
    scenario, draws = busy.scenario, busy.worlds.draws
    again = booked(draws, [draw.arms for draw in draws], busy.counts)
    ledger = flows(busy.ledger, scenario.arms, draws=len(draws), months=scenario.horizon_months)
    assert np.array_equal(again.amounts, ledger.amounts)


def test_a_variant_without_any_change_has_the_npv_of_the_strategy(central):
    strategy = central.scenario.strategies[0]
    (again,) = central.simulate([(strategy,)])
    assert np.array_equal(central.npv(again), central.npv(central.outcomes[strategy.name]))


def test_the_number_of_arms_simulated_at_once_changes_nothing(central):
    """26 variants are cut into two parts, and the last one must meet the same random numbers as the first."""
    strategy = central.scenario.strategies[0]
    outcomes = central.simulate([(strategy,)] * 26)
    assert all(np.array_equal(central.npv(one), central.npv(outcomes[0])) for one in outcomes)


def test_other_economics_are_booked_without_simulating_again(central):
    strategy = central.scenario.strategies[2]
    half = dataclasses.replace(central.scenario.economics, gross_margin=central.scenario.economics.gross_margin.at(0.2))
    poorer = dataclasses.replace(central.scenario, economics=half)
    sales = central.flows(central.outcomes[strategy.name]).incremental(1)[:, :, 0]
    # Half the margin costs a fifth of the list price more, and nothing else changes: account 0 is gross sales.
    lost = 0.2 * (sales * central.present_values()).sum(axis=1)
    expected = central.npv(central.outcomes[strategy.name]) - lost
    assert central.npv(central.outcomes[strategy.name], scenario=poorer) == pytest.approx(expected, abs=1e-6)


def test_the_error_is_that_of_sampling_and_not_the_difference_between_models(central):
    """Models that differ by 1,000 and have no spread have no error."""
    worlds = dataclasses.replace(central.worlds, scenario=dataclasses.replace(central.scenario, dropout="all"))
    pair = dataclasses.replace(central, worlds=worlds)
    assert pair.error(np.array([0.0, 0.0, 1000.0, 1000.0, 500.0, 500.0])) == 0.0
    # Three models with two worlds each: variances 2, 2 and 8, their mean 4, over six worlds: sqrt(4 / 6).
    assert pair.error(np.array([0.0, 2.0, 10.0, 12.0, 0.0, 4.0])) == pytest.approx((4.0 / 6.0) ** 0.5)
