"""Tornado, break-evens, grids and rates: each number against playing or booking it by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.params import Unit, quantities, with_values
from cxsim.study.assumptions import with_assumptions
from cxsim.study.business.base_case import Z90, Z99, Variant, central_of, own_numbers
from cxsim.study.business.sensitivity import break_evens, grids, moves, rates, tornado
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from tests.npv_at import npv_at
from tests.simulated import assumed
from tests.study.conftest import small

# Whole millionths are booked, and present values of 36 months added: nothing is lost before the sixth decimal.
MICRO = 1e-6


@pytest.fixture(scope="module")
def every(study, central, centre):
    return moves(central, study, centre)


@pytest.fixture(scope="module")
def swings(central, every, centre):
    return tornado(central, every, centre)


@pytest.fixture(scope="module")
def near():
    """The base case of a shop with so large a margin, and so cheap a delivery, that some strategies just pay."""
    scenario = small(draws=2, new_customers=NewCustomers(per_month=2000, months=3))
    economics = dataclasses.replace(
        scenario.economics, gross_margin=assumed(0.8, Unit.SHARE, range=(0.6, 0.9)), timing="start"
    )
    cheap = with_values(scenario.strategies[2], {"costs.one_off_1.amount": 500.0})
    return run(dataclasses.replace(scenario, economics=economics, strategies=(*scenario.strategies[:2], cheap)))


@pytest.fixture(scope="module")
def even(near):
    central = central_of(near)
    centre = central.centre()
    return break_evens(central, moves(central, near, centre), centre)


@pytest.fixture(scope="module")
def nodes(central, swings):
    return grids(central, swings)


def test_an_effect_at_its_ends_is_worth_what_playing_it_there_brings(central, swings):
    strategy = central.scenario.strategies[0]
    row = swings.filter(pl.col("id") == "strategies/points-programme/effects.dropout_1.ratio").row(0, named=True)
    # The range [0.70, 1.00] is that of 5 % and 95 %; on the log scale the 10 % quantile
    # lies 1.2816 / 1.6449 of the way.
    assert row["at_low"] == pytest.approx(0.85 * (0.70 / 0.85) ** (Z90 / 1.6448536269514722), abs=1e-9)
    (low,) = central.play([Variant(strategies=(with_values(strategy, {"effects.dropout_1.ratio": row["at_low"]}),))])
    assert row["npv_at_low"] == float(central.npv(low).mean())


def test_a_price_at_its_ends_is_booked_and_gives_what_playing_would(central, swings):
    """A cost changes nothing that customers do, so playing it again must give the same to the last digit."""
    strategy = central.scenario.strategies[0]
    name = "costs.monthly_2.amount"
    row = swings.filter(pl.col("id") == f"strategies/{strategy.name}/{name}").row(0, named=True)
    (played,) = central.play([Variant(strategies=(with_values(strategy, {name: row["at_high"]}),))])
    assert (row["method"], row["npv_at_high"]) == ("booked", float(central.npv(played).mean()))


def test_the_largest_swing_comes_first(swings):
    for name in swings["strategy"].unique():
        mine = swings.filter(pl.col("strategy") == name)
        assert mine["rank"].to_list() == list(range(1, mine.height + 1))
        assert mine["swing"].is_sorted(descending=True)


def test_every_number_with_a_spread_has_its_bar(central, swings):
    strategy = central.scenario.strategies[1]
    wanted = {one.id for one in own_numbers(strategy)} | {
        f"economics/{central.scenario.economics.name}/{path}"
        for path, one in quantities(central.scenario.economics)
        if one.range[0] < one.range[1]
    }
    assert set(swings.filter(pl.col("strategy") == strategy.name)["id"]) == wanted


def test_at_a_break_even_the_strategy_just_pays(near, even):
    central = central_of(near)
    found = even.filter(pl.col("break_even").is_not_null())
    assert found.height > 0
    for row in found.iter_rows(named=True):
        at = with_assumptions(central.scenario, {row["id"]: row["break_even"]})
        strategy = next(one for one in at.strategies if one.name == row["strategy"])
        (played,) = central.play([Variant(strategies=(strategy,))])
        worth = float(central.npv(played, scenario=at).mean())
        ends = [with_assumptions(central.scenario, {row["id"]: row[end]}) for end in ("low", "high")]
        plays = [[one for one in end.strategies if one.name == row["strategy"]] for end in ends]
        span = [
            float(central.npv(*central.play([Variant(strategies=tuple(some))]), scenario=end).mean())
            for some, end in zip(plays, ends, strict=True)
        ]
        # The bracket is a fiftieth of a standard deviation wide, of a range of 4.65: a 230th of what the whole range
        # does is the most that can be left, where the curve is smooth; it is made of single customers, so twice that.
        assert abs(worth) <= 2.0 * abs(span[1] - span[0]) / 230.0, row["id"]


def test_a_break_even_beyond_what_is_believed_is_none(even):
    assert even["score"].drop_nulls().abs().max() <= Z99
    assert even.filter(pl.col("break_even").is_null())["score"].null_count() == even["break_even"].null_count()


def test_the_grid_is_even_and_holds_the_central_values(nodes):
    for row in nodes.centre.iter_rows(named=True):
        mine = nodes.grid.filter(pl.col("strategy") == row["strategy"])
        for axis in ("x", "y"):
            values = mine[axis].unique().sort().to_numpy()
            assert row[axis] in values
            assert np.ptp(np.diff(values)) < 1e-9 if len(values) > 1 else True


def test_sliders_at_a_node_give_what_playing_gives(central, nodes):
    for row in nodes.heat.iter_rows(named=True):
        mine = nodes.grid.filter(pl.col("strategy") == row["strategy"])
        economics = central.scenario.economics
        sentence = npv_at(
            mine,
            x=row["x"],
            y=row["y"],
            margin=economics.gross_margin.value,
            rate=economics.annual_discount_rate.value,
            horizon=central.scenario.horizon_months,
            cost=1.0,
        )
        assert sentence == pytest.approx(row["npv"], abs=MICRO * 100)


@pytest.mark.parametrize(("margin", "rate"), [(0.31, 0.0), (0.55, 0.2)])
def test_sliders_of_margin_and_rate_give_what_booking_again_gives(central, centre, nodes, margin, rate):
    name = central.scenario.economics.name
    sentence = {f"economics/{name}/gross_margin": margin, f"economics/{name}/annual_discount_rate": rate}
    other = with_assumptions(central.scenario, sentence)
    for row in nodes.centre.iter_rows(named=True):
        mine = nodes.grid.filter(pl.col("strategy") == row["strategy"])
        shown = npv_at(mine, x=row["x"], y=row["y"], margin=margin, rate=rate, horizon=12, cost=1.0)
        assert shown == pytest.approx(float(central.npv(centre[row["strategy"]], scenario=other).mean()), abs=1e-4)


def test_a_shorter_horizon_settles_the_points_that_are_open_by_then(nodes):
    """Six months of cash less all points open then, at what they are worth at the end, on average: by hand."""
    mine = nodes.grid.filter(pl.col("strategy") == "points-programme")
    row = nodes.centre.filter(pl.col("strategy") == "points-programme").row(0, named=True)
    at = mine.filter((pl.col("x") == row["x"]) & (pl.col("y") == row["y"])).sort("month").head(6)
    cash = at["rest"] + row["gross_margin"] * at["per_margin"] + at["programme"]
    expected = float((cash * 1.1 ** (-at["day"] / 365.25)).sum())
    expected += float(at["settled"][5]) * 1.1 ** (-float(at["day"][5]) / 365.25)
    shown = npv_at(mine, x=row["x"], y=row["y"], margin=row["gross_margin"], rate=0.1, horizon=6, cost=1.0)
    assert float(at["settled"][5]) < 0.0
    assert shown == pytest.approx(expected, abs=MICRO)


def test_at_the_shops_own_rate_and_horizon_rates_are_the_returns(study):
    table = rates(study).filter(
        (pl.col("annual_discount_rate") == study.scenario.economics.annual_discount_rate.value)
        & (pl.col("horizon_months") == study.scenario.horizon_months)
    )
    joined = table.join(study.returns, on="strategy", suffix="_told")
    assert joined.height == study.returns.height
    assert joined["npv"].to_list() == pytest.approx(joined["incremental_npv"].to_list(), abs=MICRO)
    assert joined["prob_npv_positive"].to_list() == joined["prob_npv_positive_told"].to_list()


def test_without_discounting_a_strategy_is_worth_the_sum_of_its_cash(study):
    table = rates(study).filter((pl.col("annual_discount_rate") == 0.0) & (pl.col("horizon_months") == 12))
    ends = study.cash.filter(pl.col("month") == 11)
    assert table["npv"].to_list() == pytest.approx(ends["mean"].to_list(), abs=MICRO)


def test_numbers_of_a_shops_behaviour_are_chosen_by_what_the_draws_say(busy, busy_central, busy_centre):
    found = tornado(busy_central, moves(busy_central, busy, busy_centre), busy_centre)
    habits = found.filter(pl.col("id").str.starts_with("behaviour/"))["id"].n_unique()
    assert habits == 5


def test_a_scenario_of_one_strategy_without_spread_has_empty_axes(central):
    strategy = central.scenario.strategies[2]
    fixed = with_values(strategy, {path: one.value for path, one in quantities(strategy)})
    alone = dataclasses.replace(central, scenario=dataclasses.replace(central.scenario, strategies=(fixed,)))
    centre = alone.centre()
    nodes = grids(alone, tornado(alone, [], centre))
    assert nodes.grid.height == central.scenario.horizon_months
    assert nodes.grid["x_id"].unique().to_list() == [""]
