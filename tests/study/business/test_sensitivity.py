"""Tornado, break-evens, grids and rates: each number against simulating or booking it by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.finance.statement import flows
from cxsim.params import Unit, quantities, with_values
from cxsim.study.assumptions import with_assumptions
from cxsim.study.business.base_case import Z90, Z99, base_case, booked
from cxsim.study.business.sensitivity import break_evens, grids, rates, sensitivities, tornado
from cxsim.study.run import run
from cxsim.study.scenario import NewCustomers
from tests.grids import npv_at
from tests.simulated import assumed
from tests.study.conftest import small

# Whole millionths are booked, and present values of 36 months added: nothing is lost before the sixth decimal.
MICRO = 1e-6


@pytest.fixture
def swings(case):
    return case.tornado


@pytest.fixture(scope="module")
def near():
    """The base case of a shop with so large a margin, and so cheap a delivery, that some strategies just pay."""
    scenario = small(draws=2, new_customers=NewCustomers(per_month=2000, months=3))
    economics = replace(scenario.economics, gross_margin=assumed(0.8, Unit.SHARE, range=(0.6, 0.9)), timing="start")
    cheap = with_values(scenario.strategies[2], {"costs.one_off_1.amount": 500.0})
    return run(replace(scenario, economics=economics, strategies=(*scenario.strategies[:2], cheap)))


@pytest.fixture(scope="module")
def near_base(near):
    return base_case(near)


@pytest.fixture(scope="module")
def even(near, near_base):
    return break_evens(near_base, sensitivities(near_base, near))


def test_an_effect_at_its_ends_has_the_npv_of_simulating_it_there(central, swings):
    strategy = central.scenario.strategies[0]
    row = swings.filter(id="strategies/points-programme/effects.dropout_1.ratio").row(0, named=True)
    # The range [0.70, 1.00] is that of 5 % and 95 %; on the log scale the 10 % quantile
    # lies 1.2816 / 1.6449 of the way.
    assert row["at_low"] == pytest.approx(0.85 * (0.70 / 0.85) ** (Z90 / 1.6448536269514722), abs=1e-9)
    (low,) = central.simulate([(with_values(strategy, {"effects.dropout_1.ratio": row["at_low"]}),)])
    assert row["npv_at_low"] == float(central.npv(low).mean())


def test_a_price_at_its_ends_is_booked_and_gives_what_simulating_would(central, swings):
    """A cost changes nothing that customers do, so simulating it again must give the same to the last digit."""
    strategy = central.scenario.strategies[0]
    name = "costs.monthly_2.amount"
    row = swings.filter(id=f"strategies/{strategy.name}/{name}").row(0, named=True)
    (outcome,) = central.simulate([(with_values(strategy, {name: row["at_high"]}),)])
    assert (row["method"], row["npv_at_high"]) == ("booked", float(central.npv(outcome).mean()))


def test_the_largest_swing_comes_first(swings):
    for name in swings["strategy"].unique():
        mine = swings.filter(strategy=name)
        assert mine["rank"].to_list() == list(range(1, mine.height + 1))
        assert mine["swing"].is_sorted(descending=True)


def test_at_a_break_even_the_strategy_just_pays(near_base, even):
    found = even.filter(pl.col("break_even").is_not_null())
    assert found.height > 0
    for row in found.iter_rows(named=True):
        at = with_assumptions(near_base.scenario, {row["id"]: row["break_even"]})
        strategy = next(one for one in at.strategies if one.name == row["strategy"])
        (outcome,) = near_base.simulate([(strategy,)])
        npv = float(near_base.under(at).npv(outcome).mean())
        span = []
        for end in (row["low"], row["high"]):
            moved = near_base.under(with_assumptions(near_base.scenario, {row["id"]: end}))
            some = tuple(one for one in moved.scenario.strategies if one.name == row["strategy"])
            span.append(float(moved.npv(*near_base.simulate([some])).mean()))
        # The bracket is a fiftieth of a standard deviation wide, of a range of 4.65: a 230th of what the whole range
        # does is the most that can be left, where the curve is smooth; it is made of single customers, so twice that.
        assert abs(npv) <= 2.0 * abs(span[1] - span[0]) / 230.0, row["id"]


def test_a_break_even_beyond_the_prior_is_none(even):
    assert even["score"].drop_nulls().abs().max() <= Z99
    assert even.filter(pl.col("break_even").is_null())["score"].null_count() == even["break_even"].null_count()


def test_the_grid_is_even_and_holds_the_central_values(case):
    for row in case.grid_centre.iter_rows(named=True):
        mine = case.grid.filter(strategy=row["strategy"])
        for axis in ("x", "y"):
            values = mine[axis].unique().sort().to_numpy()
            assert row[axis] in values
            assert np.ptp(np.diff(values)) < 1e-9 if len(values) > 1 else True


def test_sliders_at_a_node_give_what_simulating_gives(central, case):
    for row in case.heat.iter_rows(named=True):
        mine = case.grid.filter(strategy=row["strategy"])
        margin, rate = (
            getattr(central.scenario.economics, name).value for name in ("gross_margin", "annual_discount_rate")
        )
        shown = npv_at(mine, x=row["x"], y=row["y"], margin=margin, rate=rate, horizon=12, cost=1.0)
        assert shown == pytest.approx(row["npv"], abs=MICRO * 100)


@pytest.mark.parametrize(("margin", "rate"), [(0.31, 0.0), (0.55, 0.2)])
def test_sliders_of_margin_and_rate_give_what_booking_again_gives(central, case, margin, rate):
    name = central.scenario.economics.name
    shown = {f"economics/{name}/gross_margin": margin, f"economics/{name}/annual_discount_rate": rate}
    other = with_assumptions(central.scenario, shown)
    for row in case.grid_centre.iter_rows(named=True):
        mine = case.grid.filter(strategy=row["strategy"])
        shown = npv_at(mine, x=row["x"], y=row["y"], margin=margin, rate=rate, horizon=12, cost=1.0)
        assert shown == pytest.approx(
            float(central.under(other).npv(central.outcomes[row["strategy"]]).mean()), abs=1e-4
        )


def test_a_shorter_horizon_settles_the_points_that_are_open_by_then(case):
    """Six months of cash less all points open then, at their value at the end, on average: by hand."""
    mine = case.grid.filter(strategy="points-programme")
    row = case.grid_centre.filter(strategy="points-programme").row(0, named=True)
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
    joined = table.join(study.returns, on="strategy", suffix="_known")
    assert joined.height == study.returns.height
    assert joined["npv"].to_list() == pytest.approx(joined["incremental_npv"].to_list(), abs=MICRO)
    assert joined["prob_npv_positive"].to_list() == joined["prob_npv_positive_known"].to_list()


def test_without_discounting_a_strategy_has_the_npv_of_the_sum_of_its_cash(study):
    table = rates(study).filter((pl.col("annual_discount_rate") == 0.0) & (pl.col("horizon_months") == 12))
    ends = study.cash.filter(month=11)
    assert table["npv"].to_list() == pytest.approx(ends["mean"].to_list(), abs=MICRO)


def test_numbers_of_a_shops_behaviour_are_chosen_by_their_correlation_over_the_draws(busy_case):
    behaviour = busy_case.tornado.filter(pl.col("id").str.starts_with("behaviour/"))
    assert behaviour["id"].n_unique() == 5


def test_a_scenario_of_one_strategy_without_spread_has_empty_axes(study):
    strategy = study.scenario.strategies[2]
    fixed = with_values(strategy, {path: one.value for path, one in quantities(strategy)})
    alone = base_case(replace(study, scenario=replace(study.scenario, strategies=(fixed,))))
    grid, _, _ = grids(alone, tornado(alone, []))
    assert grid.height == study.scenario.horizon_months
    assert grid["x_id"].unique().to_list() == [""]


def test_counts_booked_again_give_the_ledger_to_the_last_digit(busy):
    """Every draw of every arm, with all kinds of costs: booking from counts and booking the ledger are one thing."""
    scenario, draws = busy.scenario, busy.worlds.draws
    again = booked(draws, [draw.arms for draw in draws], busy.counts)
    ledger = flows(busy.ledger, scenario.arms, draws=len(draws), months=scenario.horizon_months)
    assert np.array_equal(again.amounts, ledger.amounts)


def test_a_variant_without_any_change_has_the_npv_of_the_strategy_however_many_are_simulated_at_once(central):
    """26 variants are cut into two parts, and the last one must meet the same random numbers as the first."""
    strategy = central.scenario.strategies[0]
    known = central.npv(central.outcomes[strategy.name])
    assert all(np.array_equal(central.npv(one), known) for one in central.simulate([(strategy,)] * 26))


def test_other_economics_are_booked_without_simulating_again(central):
    strategy = central.scenario.strategies[2]
    half = replace(central.scenario.economics, gross_margin=central.scenario.economics.gross_margin.at(0.2))
    poorer = replace(central.scenario, economics=half)
    sales = central.flows(central.outcomes[strategy.name]).incremental(1)[:, :, 0]
    # Half the margin costs a fifth of the list price more, and nothing else changes: account 0 is gross sales.
    lost = 0.2 * (sales * central.worlds.present_values()).sum(axis=1)
    expected = central.npv(central.outcomes[strategy.name]) - lost
    assert central.under(poorer).npv(central.outcomes[strategy.name]) == pytest.approx(expected, abs=1e-6)


def test_the_error_is_that_of_sampling_and_not_the_difference_between_models(central):
    """Models that differ by 1,000 and have no spread have no error."""
    worlds = replace(central.worlds, scenario=replace(central.scenario, dropout="all"))
    pair = replace(central, worlds=worlds)
    assert pair.error(np.array([0.0, 0.0, 1000.0, 1000.0, 500.0, 500.0])) == 0.0
    # Three models with two worlds each: variances 2, 2 and 8, their mean 4, over six worlds: sqrt(4 / 6).
    assert pair.error(np.array([0.0, 2.0, 10.0, 12.0, 0.0, 4.0])) == pytest.approx((4.0 / 6.0) ** 0.5)
