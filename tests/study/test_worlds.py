from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxsim.study.assumptions import assumed_values, assumptions
from cxsim.study.worlds import Fits, draw_worlds


def drawn(study, number):
    fits = Fits(rfm=study.worlds.rfm, purchases=study.purchases, spend=study.spend)
    return draw_worlds(replace(study.scenario, draws=number), fits).draws


@pytest.fixture(scope="module")
def draws(study):
    return drawn(study, 400)


@pytest.fixture(scope="module")
def values(draws):
    """The drawn value of every assumption, by draw."""
    return [assumed_values(draw.scenario) for draw in draws]


def test_every_draw_has_values_and_parameters_of_its_own(draws, values):
    # A draw may come up again where its weight was large.
    assert len({draw.purchases for draw in draws}) > 0.8 * len(draws)
    assert len({drawn["economics/cdnow/gross_margin"] for drawn in values}) == len(draws)


def test_draws_follow_what_is_believed(values, scenario):
    for identifier, _, quantity in assumptions(scenario):
        found = np.array([drawn[identifier] for drawn in values])
        low, high = quantity.range
        if low < high:
            # Shares of 400 draws: 4 standard errors are 4 * sqrt(0.05 * 0.95 / 400) = 0.044 and 0.1 for the median.
            assert np.mean(found < low) == pytest.approx(0.05, abs=0.044)
            assert np.mean(found > high) == pytest.approx(0.05, abs=0.044)
            assert np.mean(found < quantity.value) == pytest.approx(0.5, abs=0.1)
        else:
            assert set(found) == {quantity.value}


def test_a_draw_does_not_depend_on_how_many_there_are(draws, values, study):
    few = drawn(study, 2)
    assert [assumed_values(draw.scenario) for draw in few] == values[:2]
    assert [draw.spend for draw in few] == [draw.spend for draw in draws[:2]]


def test_two_strategies_draw_their_numbers_independently(values):
    names = [f"strategies/{name}/reach.uptake" for name in ("points-programme", "win-back-coupon")]
    ones, others = ([drawn[name] for drawn in values] for name in names)
    assert abs(np.corrcoef(ones, others)[0, 1]) < 4 / np.sqrt(len(values))


def test_the_baseline_has_no_strategy_and_no_costs(draws):
    assert [len(arm) for arm in draws[0].arms] == [0, 1, 1, 1]
    _, (usual, *fixed) = draws[0].prices(draws[0].arms)
    assert not usual.any()
    assert all(costs.any() for costs in fixed)
