"""Rows of customers and periods, counted by hand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from cxsim.errors import DataError
from cxsim.metrics.person_periods import person_periods, recorded_exposures, sampled_customers
from tests.metrics.worlds import chance_shop, day, orders_of, shop

# Of the four names below, by name; computed with whole numbers in Python, apart from the package.
LOTS = [9_148_479_431_755_017_898, 17_980_321_537_565_920_929, 1_247_432_748_412_207_193, 8_548_989_853_173_987_009]


@pytest.fixture
def few():
    """Two customers over five periods of ten days; a orders in periods 0, 1, 1 and 3, b in period 2."""
    return orders_of(
        ("a", 5, 10, "late"), ("a", 12, 20, None), ("a", 18, 30, "late"), ("a", 33, 40, None), ("b", 21, 7, None)
    )


def rows_of(made, **choices):
    return person_periods(made, every_days=10, **choices).table.sort("customer", "period")


def test_customers_are_followed_from_the_period_after_their_first_order_to_the_last_complete_one(few):
    table = rows_of(shop(few, days=50))
    assert table.select("customer", "period").rows() == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 3), (1, 4)]
    # 47 days hold four periods, which begin on day 7: a's first order lies before them, its others on 12, 18 and 33.
    table = rows_of(shop(few, days=47)).filter(customer=0)
    assert table.select("period", "orders").rows() == [(1, 1), (2, 1), (3, 0)]


def test_outcomes_are_those_of_the_period_and_history_ends_where_it_begins(few):
    table = rows_of(shop(few, days=50)).filter(customer=0)
    assert table.select("period", "orders", "spend", "first_day").rows() == [
        (1, 2, 50.0, 2.0), (2, 0, 0.0, None), (3, 1, 40.0, 3.0), (4, 0, 0.0, None),
    ]  # fmt: skip
    # Day 10, 20, 30 and 40 less the last order (5, 18, 18, 33), and less the first (5).
    assert table.select("orders_so_far", "spend_so_far", "idle_days", "age_days", "recent").rows() == [
        (1, 10.0, 5.0, 5.0, 1.0), (3, 60.0, 2.0, 15.0, 2.0), (3, 60.0, 12.0, 25.0, 0.0), (4, 100.0, 7.0, 35.0, 1.0),
    ]  # fmt: skip
    # Late on day 5 and 18, periods 0 and 1: once each, and only in the period after.
    assert table["late_order"].to_list() == [1.0, 1.0, 0.0, 0.0]


def test_what_comes_later_is_what_is_met_a_period_after_the_next(few):
    late = few.with_columns(incident=pl.when(pl.col("ordered_at") == day(33)).then(pl.lit("late")))
    table = rows_of(shop(late, days=50)).filter(customer=0)
    # Met in period 3, so later than period 1; of periods 3 and 4 the time two periods on is not over.
    assert table.select("period", "late_order.later").rows() == [(1, 1.0), (2, 0.0), (3, None), (4, None)]


def test_an_order_is_late_from_the_moment_of_its_promise():
    made = orders_of(("a", 1, 10, None), ("a", 8, 10, None)).drop("incident")
    made = made.with_columns(
        promised_at=pl.col("ordered_at") + timedelta(days=4), delivered_at=pl.col("ordered_at") + timedelta(days=5)
    )
    # Promised for day 5 and 12: periods 0 and 1.
    assert rows_of(shop(made, days=40))["late_order"].to_list() == [1.0, 1.0, 0.0]


def test_waiting_is_cut_short_by_the_end_of_the_period_because_no_more_was_known_then(few):
    tickets = pl.DataFrame(
        {
            "ticket_id": ["t1", "t2"],
            "customer_id": ["a", "a"],
            "created_at": [day(6), day(28)],
            "first_response_at": [day(7.5), None],
            "resolved_at": [day(8), None],
            "solved_at_first": [False, None],
        }
    )
    table = rows_of(shop(few, days=50, tickets=tickets)).filter(customer=0)
    # One and a half days in period 0; from day 28 to the end of period 2 on day 30, two days.
    assert table["waiting"].to_list() == [1.5, 0.0, 2.0, 0.0]
    assert table["waiting.occasions"].to_list() == table["ticket"].to_list() == [1.0, 0.0, 1.0, 0.0]
    assert table["unsolved"].to_list() == [1.0, 0.0, 0.0, 0.0]
    assert table["unsolved.occasions"].to_list() == [1.0, 0.0, 0.0, 0.0]


def test_returns_surveys_contacts_and_membership_find_their_customer_and_period(few):
    returns = pl.DataFrame({"return_id": ["r"], "order_id": ["o1"], "returned_at": [day(19)], "refund": [5.0]})
    surveys = pl.DataFrame(
        {
            "survey_id": ["s1", "s2"],
            "customer_id": ["a", "a"],
            "sent_at": [day(11), day(12)],
            "instrument": ["nps", "nps"],
            "score": [9, None],
        }
    )
    contacts = pl.DataFrame({"contact_id": ["k"], "customer_id": ["a"], "sent_at": [day(25)], "programme": ["letters"]})
    members = pl.DataFrame({"customer_id": ["a"], "programme": ["club"], "joined_at": [day(15)], "left_at": [day(35)]})
    made = shop(few, days=50, returns=returns, surveys=surveys, contacts=contacts, members=members)
    table = rows_of(made).filter(customer=0)
    assert table["return"].to_list() == [0.0, 1.0, 0.0, 0.0]
    assert table["answer"].to_list() == [0.0, 1.0, 0.0, 0.0]
    assert table["answer.occasions"].to_list() == [0.0, 2.0, 0.0, 0.0]
    assert table["contact"].to_list() == [0.0, 0.0, 1.0, 0.0]
    # A member at the end of periods 1 and 2, on days 20 and 30; no more on day 40.
    assert table["member"].to_list() == [0.0, 1.0, 1.0, 0.0]
    # Joined in period 1, which is later than period -1 alone.
    assert table["member.later"].to_list() == [0.0, 0.0, None, None]


TICKET = {"ticket_id": ["t"], "customer_id": ["a"], "created_at": [day(6)], "first_response_at": [day(7)]}


@pytest.mark.parametrize(
    ("dropped", "tables", "title", "reason"),
    [
        ([], {}, "Ticket", "there is no table of tickets."),
        (
            ["incident"],
            {},
            "Late order",
            "the orders have no column 'incident'. The orders have no column 'promised_at'.",
        ),
        (
            [],
            {"tickets": pl.DataFrame(TICKET)},
            "Ticket not solved at first contact",
            "the tickets have no column 'solved_at_first'.",
        ),
        (
            ["order_id"],
            {"returns": pl.DataFrame({"return_id": ["r"], "returned_at": [day(19)]})},
            "Return",
            "the returns have no column 'customer_id', and the orders have no column 'order_id'.",
        ),
    ],
)
def test_what_cannot_be_seen_is_said(few, dropped, tables, title, reason):
    assert recorded_exposures(shop(few.drop(dropped), **tables))[1][title] == reason
    assert set(recorded_exposures(shop(few))[1]) == {
        "Ticket", "Waiting for the first answer", "Ticket not solved at first contact", "Return", "Answered survey",
        "Contact", "Membership",
    }  # fmt: skip


def test_of_many_customers_the_same_are_drawn_and_it_is_said_of_how_many():
    made = chance_shop(3, customers=2000, periods=4)
    first, again = (person_periods(made, most_customers=500) for _ in range(2))
    assert first.table.equals(again.table)
    assert first.of_customers == 2000
    # Binomial: 500 customers are expected, with a standard deviation of sqrt(2000 * 0.25 * 0.75) = 19.4.
    assert abs(first.customers - 500) < 4 * 19.4


def test_the_draw_does_not_hang_on_the_order_of_the_rows_or_the_release_of_polars():
    names = pl.DataFrame({"customer_id": ["c1", "c2", "a longer name than eight bytes", "ñandú"]})
    lots = sampled_customers(names.lazy(), most=10)
    assert lots.equals(sampled_customers(names.reverse().lazy(), most=10))
    assert lots["lot"].to_list() == LOTS
    assert lots["lot"].n_unique() == 4


def test_the_draw_takes_long_identifiers_too():
    # 50 words of eight letters: what doubles with each word would never end.
    names = pl.DataFrame({"customer_id": ["x" * 400, "x" * 399 + "y"]})
    assert sampled_customers(names.lazy(), most=10)["lot"].n_unique() == 2


@pytest.mark.parametrize(
    ("every_days", "message"),
    [
        (30, "with 1 complete period of 30 days; at least 3 are needed. Choose shorter periods."),
        (20, "with 2 complete periods of 20 days; at least 3 are needed. Choose shorter periods."),
    ],
)
def test_too_few_complete_periods_are_refused(few, every_days, message):
    with pytest.raises(DataError, match=message.replace(".", r"\.")):
        person_periods(shop(few, days=50), every_days=every_days)


def test_a_shop_without_customers_cannot_be_followed(few):
    with pytest.raises(DataError, match=r"S: the orders have no column 'customer_id'\. No customer can be followed"):
        person_periods(shop(few.drop("customer_id")))
    with pytest.raises(DataError, match="none of its orders names a customer, so no customer can be followed"):
        person_periods(shop(few.with_columns(customer_id=pl.lit(None, dtype=pl.String))))
    with pytest.raises(DataError, match="there is no table of orders"):
        person_periods(shop())
