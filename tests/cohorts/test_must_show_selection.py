"""From a scenario in which satisfaction causes nothing to the panel that shows it: the tables as a user gets them.

The scenario is params/scenarios/cdnow-naive, whose behaviour is no-effect-of-satisfaction (correlations of 0.3), with
the design of fact F19 of the field made explicit: customers who all come within one month, watched for 78 to 83 weeks
from their first order, by a Pareto/NBD fitted to the 39 weeks of the CDNOW sample, as Fader and Hardie did. All are
asked after every order and all answer, because the 12 % of the 30 % that do else are too few; every assumption holds
its value, and only the fits are drawn. Late parcels, defects and tickets stay as they are.

Worlds of 60,000 customers, seeds 1 to 10, none left out; twenty give 2.284, 1.348, 1.015, 1.010 and 1.012. Fitted to
all 78 weeks, as the scenario itself is, lifetimes differ more between customers: 2.224 and 1.318 then, and the careful
methods leave 1.049, 1.065 and 1.019, which 17 to 19 of twenty intervals hold.
"""

from __future__ import annotations

import dataclasses
import math
from datetime import date

import polars as pl
import pytest

from cxsim.metrics.promoters import selection_panel
from cxsim.params import quantities, with_values
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.shop_tables import shop_tables

SEEDS = range(1, 11)
ALL_ANSWER = {"surveys.after_order": 1.0, "surveys.response": 1.0, "surveys.extremity": 0.0}
CAREFUL = ["regression", "doubly_robust", "own_past"]


def _scenario(seed):
    naive = load_scenario("cdnow-naive")
    values = {name: quantity.value for name, quantity in quantities(naive.behaviour)}
    return dataclasses.replace(
        naive,
        orders="cdnow-sample",
        observed_until=date(1997, 9, 30),
        existing_customers="none",
        new_customers=NewCustomers(per_month=60_000, months=1),
        # 1 October 1997 to 30 April 1999 are 577 days, of which whoever comes last, on 31 October, has 547.
        horizon_months=19,
        behaviour=with_values(naive.behaviour, values | ALL_ANSWER),
        seed=seed,
    )


@pytest.fixture(scope="module")
def worlds():
    panels = []
    for seed in SEEDS:
        scenario = _scenario(seed)
        tables = shop_tables(scenario)
        until = tables.shop(scenario).until
        panels.append(selection_panel(tables.orders, tables.surveys, until=until).with_columns(seed=seed))
    return pl.concat(panels).with_columns(log=pl.col("ratio").log())


def _mean(worlds, method):
    logs = worlds.filter(method=method)["log"].to_numpy()
    return math.exp(logs.mean()), logs.std(ddof=1) / math.sqrt(len(logs))


def test_the_world_is_one_in_which_satisfaction_moves_nothing_and_goes_along_with_everything():
    held = dict(quantities(_scenario(1).behaviour))
    for name in ("purchase_rate", "dropout", "basket"):
        assert held[f"experience.{name}_per_deviation"].value == 1.0
    for name in ("purchase_rate", "staying", "spend"):
        assert held[f"traits.{name}"].value == 0.3


def test_the_naive_table_says_2_3_times_as_much_where_nothing_was_caused(worlds):
    assert _mean(worlds, "naive")[0] == pytest.approx(2.31, abs=0.1)
    assert worlds.filter(method="naive")["low"].min() > 1.0


def test_an_equal_number_of_orders_still_says_1_3_times(worlds):
    value, error = _mean(worlds, "equal_count")
    # Found 1.355 with an error of 0.006: ten worlds do not tell it from the 1.35 that is sought.
    assert 1.27 - 4 * error < value < 1.35 + 4 * error
    assert worlds.filter(method="equal_count")["low"].min() > 1.0


@pytest.mark.parametrize("method", CAREFUL)
def test_the_adjusted_intervals_hold_one(worlds, method):
    some = worlds.filter(method=method)
    covered = some.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    # Of ten intervals that each hold it with 95 %, fewer than 7 do once in a thousand times.
    assert covered >= 7
    value, error = _mean(worlds, method)
    assert abs(math.log(value)) < 4 * error
    # Of the 131 % by which the naive table is too high, less than a tenth is left.
    assert abs(value - 1.0) < 0.1 * 1.31
