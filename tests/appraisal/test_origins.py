"""At which days of the past forecasts are made."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from cxsim.clv.validation.compare import planned
from cxsim.errors import DataError

FIRST = date(2024, 1, 1)


def shop(days):
    return pl.DataFrame(
        {"customer_id": [1, 1], "ordered_at": [FIRST, FIRST + timedelta(days=days)], "amount": [1.0, 1.0]}
    )


def test_origins_are_half_a_horizon_apart_and_the_last_is_a_horizon_before_the_end():
    plan = planned(shop(400), origins=3)
    assert plan.horizon_days == 100
    assert [(day - FIRST).days for day in plan.days] == [200, 250, 300]
    assert plan.end(plan.days[-1]) == FIRST + timedelta(days=400)


def test_silence_that_was_watched_counts_as_time():
    plan = planned(shop(300), origins=1, observed_until=FIRST + timedelta(days=400))
    assert (plan.horizon_days, plan.days) == (100, (FIRST + timedelta(days=300),))


def test_the_observation_of_cdnow_ends_where_its_readers_say(orders):
    assert planned(orders, origins=1).days == (date(1998, 6, 30) - timedelta(days=136),)


def test_a_horizon_longer_than_the_data_is_refused_with_what_is_possible():
    with pytest.raises(DataError, match=r"orders span 400 days.*possible: horizon_days up to 133, or fewer origins"):
        planned(shop(400), origins=3, horizon_days=500)


@pytest.mark.parametrize("span", [100, 399, 400, 545])
@pytest.mark.parametrize("origins", [1, 2, 3, 6])
def test_the_longest_horizon_that_a_refusal_names_is_accepted_and_one_more_day_is_not(span, origins):
    longest = 2 * span // (origins + 3)
    assert planned(shop(span), origins=origins, horizon_days=longest).horizon_days == longest
    with pytest.raises(DataError, match=f"up to {longest}"):
        planned(shop(span), origins=origins, horizon_days=longest + 2)


def test_a_single_day_of_orders_leaves_nothing_to_look_back_on():
    with pytest.raises(DataError, match="possible: more days of orders"):
        planned(shop(0), origins=3)


@pytest.mark.parametrize("numbers", [{"origins": 0}, {"origins": 1, "horizon_days": 0}])
def test_numbers_below_one_are_refused(numbers):
    with pytest.raises(DataError, match="must be at least 1"):
        planned(shop(100), **numbers)


def test_a_table_without_days_is_refused_with_the_nearest_name():
    with pytest.raises(DataError, match="did you mean 'ordered'"):
        planned(shop(10).rename({"ordered_at": "ordered"}), origins=1)


def test_a_table_without_orders_is_refused():
    with pytest.raises(DataError, match="no orders"):
        planned(shop(10).clear(), origins=1)
