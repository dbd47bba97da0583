from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.finance.information import sample_size, smallest_difference
from cxsim.params import MICROS, Unit
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import customer_values
from cxsim.strategies.strategy import Cost
from cxsim.study.business.base_case import central_draw
from cxsim.study.business.experiments import DAYS, TEST_PLAN, follow_up, planned_tests
from cxsim.study.business.information import INFORMATION, drawn_inputs
from cxsim.study.run import run
from cxsim.tables import check, empty
from tests.simulated import assumed
from tests.study.conftest import small

NOTHING_KNOWN = empty(INFORMATION)


@pytest.fixture
def plans(case):
    return case.study.test_plan


@pytest.fixture(scope="module")
def existing():
    """The existing customers of the sample and some new ones, for two strategies of which one is for some alone."""
    plain = small(draws=4, existing_customers="all", horizon_months=18)
    points, coupon, fast = plain.strategies
    repeat = replace(points, reach=replace(points.reach, who="repeat_buyers"))
    return run(replace(plain, strategies=(repeat, coupon, fast)))


def _plans(study):
    return planned_tests(study, drawn_inputs(study), NOTHING_KNOWN)


def _costly(study, factor):
    """Return a study of faster delivery alone whose cost at the start is so large."""
    fast = study.scenario.strategies[2]
    dear = replace(fast, costs=(Cost(kind="one_off", amount=assumed(factor, Unit.MONEY)),))
    return run(replace(study.scenario, strategies=(dear,)))


def test_what_customers_bring_is_what_the_ledger_counts_for_them(busy):
    # In whole millionths, in one world: the contributions of all who were there or came, within the whole horizon, are
    # the simulator's own values, with what winning them cost taken out. Referred customers count with whoever brought
    # them there, and with nobody here, so the baseline of this scenario must have none.
    scenario, worlds = busy.scenario, busy.worlds
    ready = worlds.inputs(central_draw(busy, "bgnbd"))
    values = customer_values(worlds.population, ready, seed=scenario.seed).sum()
    # Nobody is followed for longer than the scenario lasts, so days beyond it count everything.
    seen = follow_up(busy, [10_000])
    assert np.isnan(seen.within[10_000]).all()
    arrivals = int((seen.entered > 0.0).sum())
    winning = int(ready.unit_values[0][place(CountKind.ARRIVALS)]) * arrivals
    free = replace(scenario.economics, annual_discount_rate=scenario.economics.annual_discount_rate.at(0.0))
    draws = tuple(replace(one, scenario=replace(one.scenario, economics=free)) for one in worlds.draws)
    undiscounted = replace(busy, worlds=replace(worlds, draws=draws))
    total = follow_up(undiscounted, []).present_value.sum() * MICROS
    # Sums of floats of amounts that are whole millionths.
    assert total == pytest.approx(float(values - winning), rel=1e-9)


def test_nobody_is_followed_beyond_the_end(study):
    seen = follow_up(study, DAYS)
    days = study.scenario.calendar.days
    for length, brought in seen.within.items():
        assert (np.isfinite(brought) == (seen.entered + length <= days)).all()


def test_a_strategy_for_some_is_tested_on_them_alone(existing):
    table, there = _plans(existing), existing.worlds.population.base
    available = dict(table.select("strategy", "available").iter_rows())
    assert available["points-programme"] == there.filter(pl.col("frequency") >= 1).height
    # 50 new ones a month for three months, each month with its season.
    assert available["faster-delivery"] == there.height + sum(existing.worlds.population.arrivals)


def test_the_numbers_of_a_plan_belong_to_each_other(study, plans):
    check(plans, TEST_PLAN)
    seen = follow_up(study, DAYS)
    investments = dict(study.returns.select("strategy", "investment").iter_rows())
    for row in plans.iter_rows(named=True):
        brought = seen.within[row["follow_up_days"]]
        brought = brought[np.isfinite(brought)]
        assert row["mean"] == pytest.approx(brought.mean())
        assert row["sd"] == pytest.approx(brought.std(ddof=1))
        # The share of all that they bring that would pay for the investment, of what one brings during follow-up.
        assert row["difference"] == pytest.approx(
            investments[row["strategy"]] / seen.present_value.sum() * brought.mean()
        )
        assert row["per_group"] == sample_size(row["sd"], row["difference"])


def test_the_feasible_plan_with_the_highest_net_benefit_is_chosen(study):
    # A cost so large that a rise of a multiple of what customers bring would be needed is seen at once.
    known = _costly(study, 20_000.0)
    table = _plans(known)
    feasible = table.filter(pl.col("weeks").is_not_null())
    assert feasible.height > 0
    row = table.filter("chosen").row(0, named=True)
    assert row["net_benefit"] == feasible["net_benefit"].max()
    # All of the cost falls on whoever tests, before the first customer takes part; it is paid in the middle of a month.
    assert row["cost"] == pytest.approx(20_000.0, rel=0.01)
    assert row["net_benefit"] == row["value"] - row["cost"]
    assert row["verdict"] == (
        f"Feasible: {row['per_group']:,} customers per group, with results after {row['weeks']:.0f} weeks."
    )
    # The last of those needed comes within the three months of arrivals, and is then followed.
    assert 13.0 <= row["weeks"] <= (91 + 92) / 7


def test_too_few_customers_are_shown_the_smallest_gain_that_they_could_show(study):
    known = _costly(study, 1.0)
    table = _plans(known)
    assert table["weeks"].null_count() == table.height
    # Of none that is feasible, the one that needs the fewest customers.
    row = table.filter("chosen").row(0, named=True)
    assert row["per_group"] == table["per_group"].min()
    half = row["available"] // 2
    least = smallest_difference(row["sd"], half)
    assert row["verdict"].startswith(f"Not feasible: each group needs {row['per_group']:,} customers")
    assert f"USD\N{NO-BREAK SPACE}{least:.2f} per customer" in row["verdict"]


def test_the_value_of_a_test_is_that_of_knowing_the_effects(study, case):
    known = case.study.information.with_columns(worth=pl.col("rank").cast(pl.Float64) + 7.0)
    table = planned_tests(study, drawn_inputs(study), known)
    assert table["id"].unique(maintain_order=True).to_list() == [
        f"effects of {name}" for name in study.scenario.arms[1:]
    ]
    assert table["worth"].unique().to_list() == [7.0]


def test_a_strategy_that_neither_costs_nor_brings_anything_has_no_test(study):
    fast = study.scenario.strategies[2]
    idle = replace(fast, costs=(), effects=())
    known = run(replace(study.scenario, strategies=(idle,)))
    assert _plans(known).is_empty()
