"""What a strategy would bring with other numbers, worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.business.what_if import npv_at
from cxsim.errors import ParamError, TableError
from tests.grids import by_hand, lively

START = {"x": 2.0, "y": 0.4, "margin": 0.5, "rate": 0.1, "horizon": 2, "cost": 1.0}


def test_at_a_node_it_is_that_nodes_cash_discounted():
    # Month 1: 300 + 0.5 * 900 - 1000 = -250. Month 2: 0.5 * 3300 - 110 + (-22 + 11) = 1529, and 1529 / 1.1 = 1390.
    assert npv_at(by_hand(), **START) == pytest.approx(1140.0, abs=1e-9)


def test_a_shorter_horizon_drops_later_months_and_settles_at_its_own_end():
    # -250 - 40, on the first day.
    assert npv_at(by_hand(), **START | {"horizon": 1}) == pytest.approx(-290.0, abs=1e-9)


def test_the_cost_factor_multiplies_the_programme_and_what_is_settled_of_it():
    # 300 + 450 - 2000 = -1250; 1650 - 220 - 22 + 22 = 1430, and 1430 / 1.1 = 1300.
    assert npv_at(by_hand(), **START | {"cost": 2.0}) == pytest.approx(50.0, abs=1e-9)


def test_without_a_discount_rate_cash_is_added_up():
    assert npv_at(by_hand(), **START | {"rate": 0.0}) == pytest.approx(-250.0 + 1529.0, abs=1e-9)


def test_another_margin_changes_what_depends_on_it_alone():
    # 300 + 0.2 * 900 - 1000 = -520; 0.2 * 3300 - 110 - 11 = 539, and 539 / 1.1 = 490.
    assert npv_at(by_hand(), **START | {"margin": 0.2}) == pytest.approx(-30.0, abs=1e-9)


def test_between_nodes_it_is_linear_in_each_number():
    # Only month 1 differs between nodes: 0, 100, 0 + 0.5 * 500 = 250, 300 + 0.5 * 900 = 750.
    # A quarter of the way in x and half of the way in y: 0.75 * (0 + 100) / 2 + 0.25 * (250 + 750) / 2 = 162.5.
    assert npv_at(by_hand(), **START | {"x": 1.25, "y": 0.3}) == pytest.approx(162.5 - 1000.0 + 1390.0, abs=1e-9)


def test_the_order_of_the_rows_does_not_matter():
    shuffled = by_hand().sample(fraction=1.0, shuffle=True, seed=3)
    assert npv_at(shuffled, **START) == npv_at(by_hand(), **START)


def test_a_value_outside_the_grid_is_refused():
    with pytest.raises(ParamError, match=r"y is 0.5, outside the grid; possible: 0.2 to 0.4."):
        npv_at(by_hand(), **START | {"y": 0.5})


@pytest.mark.parametrize("horizon", [0, 3])
def test_a_horizon_beyond_the_grid_is_refused(horizon):
    with pytest.raises(ParamError, match=rf"horizon {horizon} is beyond the grid; possible: 1 to 2 months."):
        npv_at(by_hand(), **START | {"horizon": horizon})


def test_the_grid_of_two_strategies_is_refused():
    both = pl.concat([by_hand(), by_hand().with_columns(strategy=pl.lit("other"))])
    with pytest.raises(TableError, match="found 2 strategies; it must hold one"):
        npv_at(both, **START)


def test_a_table_under_another_contract_is_refused():
    with pytest.raises(TableError, match="GRID: no column 'day'"):
        npv_at(lively().drop("day"), **START)
