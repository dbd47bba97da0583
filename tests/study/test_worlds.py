from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxsim.study.assumptions import assumptions
from cxsim.study.worlds import Fits, draw_worlds


def drawn(study, number):
    fits = Fits(rfm=study.worlds.rfm, purchases=study.purchases, spend=study.spend)
    return draw_worlds(replace(study.scenario, draws=number), fits).draws


@pytest.fixture(scope="module")
def draws(study):
    return drawn(study, 400)


def _values(draw):
    return {identifier: quantity.value for identifier, _, quantity in assumptions(draw.scenario)}


def test_every_draw_has_values_and_parameters_of_its_own(draws):
    # A draw may come up again where its weight was large.
    assert len({draw.purchases for draw in draws}) > 0.8 * len(draws)
    assert len({_values(draw)["economics/cdnow/gross_margin"] for draw in draws}) == len(draws)


def test_draws_follow_what_is_believed(draws, scenario):
    for identifier, _, quantity in assumptions(scenario):
        values = np.array([_values(draw)[identifier] for draw in draws])
        low, high = quantity.range
        if low < high:
            # Shares of 400 draws: 4 standard errors are 4 * sqrt(0.05 * 0.95 / 400) = 0.044 and 0.1 for the median.
            assert np.mean(values < low) == pytest.approx(0.05, abs=0.044)
            assert np.mean(values > high) == pytest.approx(0.05, abs=0.044)
            assert np.mean(values < quantity.value) == pytest.approx(0.5, abs=0.1)
        else:
            assert set(values) == {quantity.value}


def test_a_draw_does_not_depend_on_how_many_there_are(draws, study):
    few = drawn(study, 2)
    assert [_values(draw) for draw in few] == [_values(draw) for draw in draws[:2]]
    assert [draw.spend for draw in few] == [draw.spend for draw in draws[:2]]


def test_two_strategies_draw_their_numbers_independently(draws):
    ones = [_values(draw)["strategies/points-programme/reach.uptake"] for draw in draws]
    others = [_values(draw)["strategies/win-back-coupon/reach.uptake"] for draw in draws]
    assert abs(np.corrcoef(ones, others)[0, 1]) < 4 / np.sqrt(len(draws))


def test_the_baseline_has_no_strategy_and_no_costs(draws):
    assert [len(arm) for arm in draws[0].arms] == [0, 1, 1, 1]
    _, (usual, *fixed) = draws[0].prices(draws[0].arms)
    assert not usual.any()
    assert all(costs.any() for costs in fixed)
