"""Who may be simulated, whom a condition reaches; what compiled code would misread is refused before it is read."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from cxsim.errors import SimulationError, TableError
from cxsim.simulation.counts import N_COUNT_KINDS
from cxsim.simulation.engine import customer_values
from cxsim.simulation.world import Calendar, Population, empty_base, existing_customers, reached_by
from tests.simulation.worlds import START, existing, inputs, newcomers, past_customers, play, programme

BASE = past_customers([(2, 213, 272, 22.0), (0, 0, 272, None)])
SHOP = existing(BASE, arrivals=(3,))
YEAR = Calendar(starts_on=START, months=12)


@pytest.mark.parametrize(
    ("base", "arrivals", "message"),
    [
        (empty_base(), (), "there are no customers: neither an existing base nor new ones"),
        (empty_base(), (0, 0), "there are no customers"),
        (empty_base(), (5, -1), "a cohort cannot have fewer than 0 customers; found -1"),
        (BASE, (1,) * 13, "new customers arrive for 13 months, but the horizon is 12"),
        (past_customers([(2, 10, 20, None)]), (), "1 of 1 customers have an impossible past.*needs a monetary_value"),
        (past_customers([(2, 30, 20, 9.0)]), (), "impossible past, first.*'idle_days': -10.*must be 0 or more"),
        (past_customers([(2, 10, 20, float("nan"))]), (), "impossible past"),
    ],
)
def test_a_population_that_cannot_be_is_refused(base, arrivals, message):
    with pytest.raises(SimulationError, match=message):
        Population(base=base, arrivals=arrivals, calendar=YEAR)


def test_a_base_must_keep_its_contract():
    with pytest.raises(TableError, match="CUSTOMERS: no column 'idle_days'"):
        Population(base=BASE.drop("idle_days"), arrivals=(), calendar=YEAR)


def test_only_a_base_and_only_new_customers_can_be_played():
    # Cohorts: the base, one for each month of arrivals, and one of referred customers.
    assert play(existing(BASE), []).by_arm[0].shape == (2, 12, N_COUNT_KINDS)
    assert play(newcomers(3, months=2), []).by_arm[0].shape == (3, 2, N_COUNT_KINDS)


def test_a_summary_of_orders_becomes_customers():
    rfm = pl.DataFrame(
        {"customer_id": ["a"], "frequency": [2], "recency_days": [30], "age_days": [40], "monetary_value": [9.5]}
    )
    expected = {"origin": "existing", "frequency": 2, "recency_days": 30, "age_days": 40, "idle_days": 10}
    assert existing_customers(rfm).row(0, named=True) == {**expected, "monetary_value": 9.5}


@pytest.mark.parametrize(
    ("condition", "reached"),
    [
        ("true", [True, True, True]),
        ("false", [False, False, False]),
        ("frequency >= 1 and idle_days < 60", [True, False, False]),
        ("origin = 'new'", [False, False, True]),
        # A one-time buyer has no mean order value, and is not taken to have one of 0.
        ("monetary_value < 100", [True, False, False]),
        ("monetary_value is null", [False, True, True]),
    ],
)
def test_a_condition_reaches_those_who_meet_it(condition, reached):
    assert reached_by(SHOP, [condition])[:, 0].tolist() == reached


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("tenure > 3", "who: 'tenure > 3' is no condition over customers.*possible columns: origin, frequency"),
        ("frequency >=", "who: 'frequency >=' is no condition over customers"),
        ("", "who: '' is no condition over customers"),
        ("frequency", "who: 'frequency' gives Int64, not true or false"),
    ],
)
def test_what_is_no_condition_is_refused(condition, message):
    with pytest.raises(SimulationError, match=message):
        reached_by(SHOP, [condition])


def test_columns_beyond_the_contract_are_not_conditions():
    more = existing(BASE.with_columns(loyal=pl.lit(value=True)))
    with pytest.raises(SimulationError, match=r"possible columns: origin, .*monetary_value"):
        reached_by(more, ["loyal"])


def test_no_conditions_reach_nobody():
    assert reached_by(SHOP, []).shape == (3, 0)


@pytest.mark.parametrize(
    ("field", "found", "message"),
    [
        ("reached", (np.zeros((3, 1), bool),), r"reached: the shapes are \[\(3, 1\)\].* must be \[\(3, 0\)\]"),
        ("reached", (), r"reached: the shapes are \[\]"),
        (
            "unit_values",
            (np.zeros(14, np.int64),),
            rf"unit_values: the shapes are \[\(14,\)\].* must be \[\({N_COUNT_KINDS},\)\]",
        ),
    ],
)
def test_arrays_that_do_not_fit_the_plans_are_refused(field, found, message):
    ready = inputs(SHOP, [])
    with pytest.raises(SimulationError, match=message):
        dataclasses.replace(ready, **{field: found})


def test_inputs_for_another_population_are_refused():
    ready = inputs(newcomers(3), [programme()])
    with pytest.raises(SimulationError, match=r"prob_alive has shape \(0,\); there are 2 existing customers"):
        customer_values(SHOP, ready, seed=1)


@pytest.mark.parametrize("seed", [-1, 1 << 63])
def test_a_seed_that_is_no_63_bit_number_is_refused(seed):
    with pytest.raises(SimulationError, match=f"the seed must be from 0 to 9223372036854775807; found {seed}"):
        customer_values(SHOP, inputs(SHOP, []), seed=seed)


def test_the_largest_seed_can_be_played():
    assert customer_values(SHOP, inputs(SHOP, []), seed=(1 << 63) - 1).shape == (5,)
