"""Frequency, recency, age and monetary value; what customers did after a day; repeat orders along the calendar."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cxsim.data.cdnow import load_cdnow
from cxsim.data.exports.read_shop import read_transactions
from cxsim.data.rfm import GRID, cumulative_repeat_orders, history, holdout, segments, summarise
from cxsim.errors import DataError, TableError
from cxsim.tables import RFM, check

START = date(2015, 1, 1)
SUMMARY = ("frequency", "recency_days", "age_days")


def orders(rows) -> pl.DataFrame:
    """Rows of customer, day and amount as a table under TRANSACTIONS."""
    schema = {"customer_id": pl.String, "ordered_at": pl.Date, "amount": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


# lifetimes, tests/test_utils.py: orders and amounts of six customers, observed until 2015-02-07.
SIX_CUSTOMERS = orders(
    [
        ("1", date(2015, 1, 1), 1.0), ("1", date(2015, 2, 6), 2.0), ("2", date(2015, 1, 1), 2.0),
        ("3", date(2015, 1, 1), 3.0), ("3", date(2015, 1, 2), 1.0), ("3", date(2015, 1, 5), 5.0),
        ("4", date(2015, 1, 16), 6.0), ("4", date(2015, 2, 2), 3.0), ("4", date(2015, 2, 5), 3.0),
        ("5", date(2015, 1, 16), 3.0), ("5", date(2015, 1, 17), 1.0), ("5", date(2015, 1, 18), 8.0),
        ("6", date(2015, 2, 2), 5.0),
    ]
)  # fmt: skip

order_lines = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "01", "1"]),
        st.integers(0, 40).map(lambda day: START + timedelta(days=day)),
        st.integers(0, 100_000).map(lambda cents: cents / 100),
    ),
    min_size=1,
    max_size=40,
)


def test_three_customers_are_summarised_as_lifetimes_does():
    days = [(1, (2, 1)), (1, (2, 6)), (2, (1, 1)), (3, (1, 1)), (3, (1, 2)), (3, (1, 5))]
    rows = orders([(str(customer), date(2015, *day), 1.0) for customer, day in days])
    # lifetimes, test_summary_data_from_transaction_data_returns_correct_results.
    assert summarise(rows, until=date(2015, 2, 7)).select(SUMMARY).rows() == [(1, 5, 6), (0, 0, 37), (2, 4, 37)]


def test_monetary_value_is_the_mean_of_the_repeat_orders_up_to_until():
    # lifetimes gives 2, 0, 3, 3, 4.5, 0; here a customer without repeat orders has none, rather than zero.
    found = summarise(SIX_CUSTOMERS, until=date(2015, 2, 7))["monetary_value"].to_list()
    assert found == [2.0, None, 3.0, 3.0, 4.5, None]
    # lifetimes, test_calibration_and_holdout_data_with_monetary_value: 0, 0, 3, 0, 4.5; customer 6 comes later.
    found = summarise(SIX_CUSTOMERS, until=date(2015, 2, 1))
    assert found["customer_id"].to_list() == ["1", "2", "3", "4", "5"]
    assert found["monetary_value"].to_list() == [None, None, 3.0, None, 4.5]


@pytest.mark.parametrize(
    ("rows", "summary"),
    [
        # Lines of one day are one order with their sum; none of the first day is a repeat order; a free one counts.
        ([(START, 5.0), (date(2015, 1, 9), 1.1), (date(2015, 1, 9), 2.2)], (1, 8, 8, 3.3)),
        ([(START, 5.0), (START, 7.0)], (0, 0, 0, None)),
        ([(START, 5.0), (date(2015, 1, 2), 0.0)], (1, 1, 1, 0.0)),
    ],
)
def test_orders_of_one_day_are_one(rows, summary):
    found = summarise(orders([("a", *row) for row in rows]))
    assert found.select(*SUMMARY, "monetary_value").row(0) == summary


def test_a_frame_is_observed_until_its_last_order_and_transactions_until_they_say_so():
    assert summarise(SIX_CUSTOMERS)["age_days"].max() == (date(2015, 2, 6) - START).days
    found = summarise(read_transactions(SIX_CUSTOMERS, until=date(2015, 3, 1)))
    assert found["age_days"].max() == (date(2015, 3, 1) - START).days


def test_moments_and_days_give_the_same_summary():
    late = SIX_CUSTOMERS.with_columns(pl.col("ordered_at").cast(pl.Datetime("ms")) + pl.duration(hours=23, minutes=59))
    assert summarise(late).equals(summarise(SIX_CUSTOMERS))


def test_a_time_zone_keeps_the_day_of_the_shop():
    late = [datetime(2015, 1, 1, 23, 30), datetime(2015, 1, 3, 0, 30)]  # noqa: DTZ001 - the zone is given below
    rows = pl.DataFrame({"customer_id": ["a", "a"], "ordered_at": late, "amount": [1.0, 2.0]})
    zoned = rows.with_columns(pl.col("ordered_at").dt.replace_time_zone("America/New_York"))
    assert summarise(zoned).select(SUMMARY).row(0) == summarise(rows).select(SUMMARY).row(0) == (1, 2, 2)


@settings(max_examples=30)
@given(order_lines, st.randoms(use_true_random=False))
def test_a_summary_keeps_its_contract_and_its_bounds_in_any_order_of_the_rows(rows, shuffle):
    found = check(summarise(orders(rows)), RFM)
    assert (found["frequency"] <= found["recency_days"]).all()
    assert (found["recency_days"] <= found["age_days"]).all()
    assert found["monetary_value"].is_null().equals(found["frequency"] == 0, check_names=False)
    assert found["customer_id"].is_sorted()
    assert found["frequency"].sum() + found.height == len({(customer, day) for customer, day, _ in rows})
    assert summarise(orders(shuffle.sample(rows, len(rows)))).equals(found)


@settings(max_examples=30)
@given(order_lines)
def test_monetary_value_is_exact_in_cents(rows):
    by_day: dict[str, dict[date, int]] = {}
    for customer, day, amount in rows:
        spent = by_day.setdefault(customer, {})
        spent[day] = spent.get(day, 0) + round(amount * 100)
    repeats = {customer: [spent[day] for day in sorted(spent)[1:]] for customer, spent in by_day.items()}
    expected = [sum(cents) / (100 * len(cents)) if cents else None for _, cents in sorted(repeats.items())]
    assert summarise(orders(rows))["monetary_value"].to_list() == expected


def test_the_logarithms_of_the_gaps_are_summed():
    days = [date(2015, 1, 1), date(2015, 1, 2), date(2015, 1, 9), date(2015, 1, 9), date(2015, 3, 1)]
    found = summarise(orders([("a", day, 1.0) for day in days] + [("b", START, 1.0)]))["log_gaps"].to_list()
    # ln 1 + ln 7 + ln 51; half a unit of 2**-30 may be missing or added for each of the three.
    assert found == [pytest.approx(math.log(7) + math.log(51), abs=3 * 2**-31), 0.0]


@settings(max_examples=30)
@given(order_lines)
def test_the_logarithms_of_the_gaps_are_those_of_the_order_days(rows):
    by_customer: dict[str, set[date]] = {}
    for customer, day, _ in rows:
        by_customer.setdefault(customer, set()).add(day)
    found = dict(summarise(orders(rows)).select("customer_id", "log_gaps").iter_rows())
    for customer, days in by_customer.items():
        gaps = [(later - day).days for day, later in itertools.pairwise(sorted(days))]
        assert found[customer] == pytest.approx(sum(map(math.log, gaps)), abs=len(gaps) * 2**-31 + 1e-12)


@pytest.mark.parametrize("kind", [pl.Int64, pl.UInt64, pl.String, pl.Int32])
def test_customers_of_every_type_are_kept_apart_and_sorted(kind):
    numbers = [3, 100, 20, 3, 100, 3]
    rows = pl.DataFrame(
        {
            "customer_id": pl.Series(numbers).cast(kind),
            "ordered_at": [START + timedelta(days=day) for day in (9, 1, 2, 0, 0, 4)],
            "amount": [1.0] * 6,
        }
    )
    found = summarise(rows)
    assert found["customer_id"].to_list() == sorted(rows["customer_id"].unique().to_list())
    assert dict(found.select(pl.col("customer_id").cast(pl.Int64), "frequency").iter_rows()) == {3: 2, 20: 0, 100: 1}


def test_a_summary_of_shuffled_cdnow_is_the_same():
    table = load_cdnow(sample=True).table.collect()
    assert summarise(table.sample(fraction=1.0, shuffle=True, seed=7)).equals(summarise(table))


def test_a_summary_does_not_depend_on_the_number_of_threads():
    program = "from cxsim.data import load_cdnow, summarise; print(summarise(load_cdnow()).write_csv(), end='')"
    other = os.environ | {"POLARS_MAX_THREADS": "1" if pl.thread_pool_size() > 1 else "3"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=other)
    assert done.stdout == summarise(load_cdnow()).write_csv()


def test_a_summary_beyond_the_end_of_observation_is_refused():
    with pytest.raises(DataError, match=r"until 1998-07-01 is after the end of observation, 1998-06-30; give an earl"):
        summarise(load_cdnow(sample=True), until=date(1998, 7, 1))


def test_a_frame_without_a_column_is_refused():
    with pytest.raises(TableError, match=r"TRANSACTIONS: no column 'amount'; did you mean 'amounts'\?"):
        summarise(SIX_CUSTOMERS.rename({"amount": "amounts"}))


@pytest.mark.parametrize(
    "row",
    [
        (None, START, 1.0), ("a", None, 1.0), ("a", START, None), ("a", START, -1.0), ("a", START, float("nan")),
        ("a", START, float("inf")),
    ],
)  # fmt: skip
def test_a_frame_with_a_line_that_no_clean_table_has_is_refused(row):
    rows = pl.concat([SIX_CUSTOMERS, orders([row])])
    with pytest.raises(DataError, match=r"1 lines have no customer, .*; pass the orders through read_transactions"):
        summarise(rows, until=date(2015, 3, 1))


FIRST = date(2024, 1, 1)
SPLIT = date(2024, 1, 10)
LAST = date(2024, 1, 31)


def january(rows) -> pl.DataFrame:
    """Rows of customer, day of January 2024 and amount as a table under TRANSACTIONS."""
    return pl.DataFrame(
        [(customer, FIRST + timedelta(days=day - 1), amount) for customer, day, amount in rows],
        schema={"customer_id": pl.String, "ordered_at": pl.Date, "amount": pl.Float64},
        orient="row",
    )


JANUARY = january(
    [
        ("a", 1, 10.0), ("a", 10, 1.0), ("a", 11, 2.5), ("a", 11, 0.79), ("a", 31, 4.0), ("b", 2, 5.0),
        ("b", 9, 5.0), ("c", 11, 8.0), ("c", 12, 8.0),
    ]
)  # fmt: skip

january_lines = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(1, 31), st.integers(0, 9999).map(lambda cents: cents / 100)),
    min_size=1,
    max_size=40,
).filter(lambda rows: min(day for _, day, _ in rows) <= SPLIT.day)


def test_the_holdout_counts_order_days_after_the_split_of_those_who_came_before_it():
    assert holdout(JANUARY, after=SPLIT, until=date(2024, 1, 30)).row(0) == ("a", 1, 3.29)
    found = holdout(JANUARY, after=SPLIT, until=LAST)
    assert found["customer_id"].to_list() == ["a", "b"]
    assert found.row(1) == ("b", 0, 0.0)


@settings(max_examples=30)
@given(january_lines, st.randoms(use_true_random=False))
def test_calibration_and_holdout_add_up_to_the_whole_in_any_order_of_the_rows(rows, shuffle):
    table = january(rows)
    early = summarise(table, until=SPLIT)
    late = holdout(table, after=SPLIT, until=LAST)
    whole = summarise(table, until=LAST).join(early, on="customer_id", how="semi")
    assert (early["frequency"] + late["holdout_orders"]).to_list() == whole["frequency"].to_list()
    assert holdout(january(shuffle.sample(rows, len(rows))), after=SPLIT, until=LAST).equals(late)


def test_a_holdout_amount_is_the_number_nearest_to_its_cents():
    amounts = [cents / 100 for cents in range(0, 50_000, 3)]
    rows = [(f"{place:05}", day, amount) for place, amount in enumerate(amounts) for day in (1, 20)]
    assert holdout(january(rows), after=SPLIT, until=LAST)["holdout_amount"].to_list() == amounts


def test_repeat_orders_accumulate_over_every_day_of_the_calendar():
    table = cumulative_repeat_orders(JANUARY, until=date(2024, 1, 13))
    assert table["day"].to_list() == [FIRST + timedelta(days=day) for day in range(13)]
    assert table["repeat_orders"].to_list() == [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4]
    assert table["first_orders"].to_list() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


@settings(max_examples=30)
@given(january_lines)
def test_repeat_orders_never_fall_and_end_at_the_sum_of_frequencies(rows):
    table = cumulative_repeat_orders(january(rows), until=LAST)
    assert table["repeat_orders"].is_sorted()
    assert table["repeat_orders"][-1] == summarise(january(rows), until=LAST)["frequency"].sum()


NOBODY, DAY = date(2023, 12, 31), "2024-01-10"
NEGATIVE = pl.concat([JANUARY, january([("a", 5, -1.0)])])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda: summarise(JANUARY, until=NOBODY), r"no order to summarise up to 2023-12-31"),
        (lambda: summarise(JANUARY.clear()), r"no order to summarise\."),
        (lambda: summarise(JANUARY, until=DAY), r"until must be a day such as date\(1998, 6, 30\); found '2024"),
        (lambda: summarise(JANUARY, until=datetime(2024, 2, 1)), r"until must be a day .*; found datetime"),  # noqa: DTZ001
        (
            lambda: holdout(JANUARY, after=LAST, until=LAST),
            r"after must be before until; found 2024-01-31 and 2024-01-31",
        ),
        (
            lambda: holdout(JANUARY, after=DAY, until=LAST),
            r"after must be a day such as date\(1998, 6, 30\); found '2024",
        ),
        (
            lambda: holdout(read_transactions(JANUARY), after=SPLIT, until=date(2024, 2, 1)),
            r"until 2024-02-01 is after the end of observation, 2024-01-31",
        ),
        (lambda: holdout(JANUARY, after=NOBODY, until=LAST), r"no customer with an order up to 2023-12-31"),
        (lambda: cumulative_repeat_orders(JANUARY, until=NOBODY), r"no order up to 2023-12-31"),
        (lambda: cumulative_repeat_orders(NEGATIVE, until=LAST), r"1 lines have no customer"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_reason(asked, message):
    with pytest.raises(DataError, match=message):
        asked()


@given(lines=order_lines)
@settings(max_examples=25, deadline=None)
def test_the_history_is_the_summary_with_days_and_sums_of_all_orders(lines):
    found = history(orders(lines))
    assert found.select(list(RFM.columns | RFM.optional)).equals(summarise(orders(lines)))
    for who, *numbers in found.select("customer_id", "first_order", "last_order", "orders_to_date").iter_rows():
        days = {day for customer, day, _ in lines if customer == who}
        assert numbers == [min(days), max(days), len(days)]
        cents = sum(round(100 * amount) for customer, _, amount in lines if customer == who)
        assert found.filter(customer_id=who)["spend_to_date"].item() == cents / 100


def made(last, count, spend):
    """A history of which the segments look at these numbers alone."""
    days = [START + timedelta(days=day) for day in last]
    return pl.DataFrame({"last_order": days, "orders_to_date": count, "spend_to_date": spend})


def test_every_combination_of_scores_falls_into_the_segment_of_the_grid():
    # Five customers by each score, once for every combination of recency and of frequency and spend together.
    scores = [(late, often, much) for late in range(5) for often in range(5) for much in range(5)]
    found = segments(
        made(*([float(score[place]) if place == 2 else score[place] for score in scores] for place in range(3)))
    )
    assert found.to_list() == [GRID[late][(often + much) // 2] for late, often, much in scores]
    # Of a mean between two scores the lower one counts: 4 and 5, 1 and 2.
    assert found[scores.index((4, 3, 4))] == "Champions"
    assert found[scores.index((4, 0, 1))] == "New"


def test_equal_customers_are_in_one_segment_whatever_the_order_of_rows():
    # Three of five ordered once, and as much: three fifths do worse than the others, and nobody than they.
    table = made([5, 5, 5, 5, 5], [1, 1, 1, 2, 9], [10.0, 10.0, 10.0, 20.0, 90.0])
    expected = ["Hibernating"] * 3 + ["At risk", "Can't lose"]
    assert segments(table).to_list() == expected
    assert segments(table.reverse()).to_list() == expected[::-1]
    assert segments(table.head(1)).to_list() == ["Hibernating"]
