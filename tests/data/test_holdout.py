"""What customers did after a day, and repeat orders along the calendar."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.data.orders import read_transactions
from cxsim.data.rfm import cumulative_repeat_orders, holdout, summarise
from cxsim.errors import DataError

START = date(2024, 1, 1)
SPLIT = date(2024, 1, 10)
END = date(2024, 1, 31)


def orders(rows) -> pl.DataFrame:
    """Rows of customer, day of January 2024 and amount as a table under TRANSACTIONS."""
    return pl.DataFrame(
        [(customer, START + timedelta(days=day - 1), amount) for customer, day, amount in rows],
        schema={"customer_id": pl.String, "ordered_at": pl.Date, "amount": pl.Float64},
        orient="row",
    )


JANUARY = orders(
    [
        ("a", 1, 10.0), ("a", 10, 1.0), ("a", 11, 2.5), ("a", 11, 0.79), ("a", 31, 4.0), ("b", 2, 5.0),
        ("b", 9, 5.0), ("c", 11, 8.0), ("c", 12, 8.0),
    ]
)  # fmt: skip

order_lines = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 31), st.integers(0, 9999).map(lambda cents: cents / 100)),
    min_size=1,
    max_size=40,
).filter(lambda rows: min(day for _, day, _ in rows) <= SPLIT.day)


def test_the_holdout_counts_order_days_after_the_split_up_to_the_end():
    assert holdout(JANUARY, after=SPLIT, until=date(2024, 1, 30)).row(0) == ("a", 1, 3.29)


def test_the_last_day_of_the_holdout_counts():
    assert holdout(JANUARY, after=SPLIT, until=END).row(0) == ("a", 2, 7.29)


def test_a_customer_without_later_orders_has_none_and_spent_nothing():
    assert holdout(JANUARY, after=SPLIT, until=END).row(1) == ("b", 0, 0.0)


def test_a_customer_who_came_after_the_split_is_not_held_out():
    assert holdout(JANUARY, after=SPLIT, until=END)["customer_id"].to_list() == ["a", "b"]


def test_a_customer_who_came_on_the_day_of_the_split_is_known():
    rows = pl.concat([JANUARY, orders([("d", 10, 1.0)])])
    assert holdout(rows, after=SPLIT, until=END)["customer_id"].to_list() == ["a", "b", "d"]


@given(order_lines)
def test_calibration_and_holdout_add_up_to_the_whole(rows):
    table = orders(rows)
    early = summarise(table, until=SPLIT)
    late = holdout(table, after=SPLIT, until=END)
    whole = summarise(table, until=END).join(early, on="customer_id", how="semi")
    assert (early["frequency"] + late["holdout_orders"]).to_list() == whole["frequency"].to_list()


@given(order_lines, st.randoms(use_true_random=False))
def test_the_holdout_does_not_depend_on_the_order_of_the_rows(rows, luck):
    shuffled = luck.sample(rows, len(rows))
    expected = holdout(orders(rows), after=SPLIT, until=END)
    assert holdout(orders(shuffled), after=SPLIT, until=END).equals(expected)


def test_a_holdout_amount_is_the_number_nearest_to_its_cents():
    amounts = [cents / 100 for cents in range(50_000)]
    rows = [(f"{place:05}", day, amount) for place, amount in enumerate(amounts) for day in (1, 20)]
    assert holdout(orders(rows), after=SPLIT, until=END)["holdout_amount"].to_list() == amounts


def test_repeat_orders_accumulate_over_every_day_of_the_calendar():
    table = cumulative_repeat_orders(JANUARY, until=date(2024, 1, 13))
    assert table["day"].to_list() == [START + timedelta(days=day) for day in range(13)]
    assert table["repeat_orders"].to_list() == [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4]
    assert table["first_orders"].to_list() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


@given(order_lines)
def test_repeat_orders_never_fall_and_end_at_the_sum_of_frequencies(rows):
    table = cumulative_repeat_orders(orders(rows), until=END)
    assert table["repeat_orders"].is_sorted()
    assert table["repeat_orders"][-1] == summarise(orders(rows), until=END)["frequency"].sum()


def test_a_split_that_is_not_before_the_end_is_refused():
    with pytest.raises(DataError, match=r"after must be before until; found 2024-01-31 and 2024-01-31"):
        holdout(JANUARY, after=END, until=END)


def test_a_split_that_is_no_day_is_refused():
    with pytest.raises(DataError, match=r"after must be a day such as date\(1998, 6, 30\); found '2024-01-10'"):
        holdout(JANUARY, after="2024-01-10", until=END)


def test_a_holdout_beyond_the_end_of_observation_is_refused():
    with pytest.raises(DataError, match=r"until 2024-02-01 is after the end of observation, 2024-01-31"):
        holdout(read_transactions(JANUARY), after=SPLIT, until=date(2024, 2, 1))


def test_a_holdout_of_nobody_is_refused():
    with pytest.raises(DataError, match=r"no customer with an order up to 2023-12-31"):
        holdout(JANUARY, after=date(2023, 12, 31), until=END)


def test_a_calendar_without_orders_is_refused():
    with pytest.raises(DataError, match=r"no order up to 2023-12-31"):
        cumulative_repeat_orders(JANUARY, until=date(2023, 12, 31))


def test_a_calendar_of_lines_that_no_clean_table_has_is_refused():
    with pytest.raises(DataError, match=r"1 lines have no customer"):
        cumulative_repeat_orders(pl.concat([JANUARY, orders([("a", 5, -1.0)])]), until=END)
