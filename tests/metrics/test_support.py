"""The metrics of support and of visits against tables that were reckoned by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from tests.metrics.toys import APRIL, copied, measured, noon, orders, shop_of

_AS_OF = datetime.fromisoformat("2024-04-01T00:00")


def _tickets(hours: list[float | None], ages: list[float], **more: list[object]) -> pl.DataFrame:
    """Return tickets that are so many hours old at the end of observation, answered after so many hours or not yet."""
    rows = []
    for place, (waited, age) in enumerate(zip(hours, ages, strict=True)):
        created = _AS_OF - timedelta(hours=age)
        answered = None if waited is None else created + timedelta(hours=waited)
        row = {
            "ticket_id": f"t{place}",
            "customer_id": f"c{place}",
            "created_at": created,
            "first_response_at": answered,
            "resolved_at": answered,
        }
        rows.append(row | {name: values[place] for name, values in more.items()})
    table = copied(rows, "ticket_id", "customer_id")
    return table.with_columns(pl.col("created_at", "first_response_at", "resolved_at").cast(pl.Datetime("us")))


def test_open_tickets_have_waited_until_now():
    # Answered after 1, 2, 2, 4 and 6 hours, open since 3, 5 and 8: S = 7/8, 5/8, 15/32, so the median is 4 hours.
    # Answered alone would say 2.
    tickets = _tickets([1, 2, 2, 4, 6, None, None, None], [30, 30, 30, 30, 30, 3, 5, 8])
    found = measured(shop_of(tickets=tickets))
    assert found["first_response_median"]["value"] == pytest.approx(4.0)
    assert found["resolution_median"]["value"] == pytest.approx(4.0)


def test_tickets_that_wait_are_not_counted_as_answered_nor_as_lost():
    # S(24) = 15/32 * 1/2 = 15/64: 49/64 have an answer within a day; of answered ones all have.
    tickets = _tickets([1, 2, 2, 4, 6, None, None, None], [30, 30, 30, 30, 30, 3, 5, 8])
    tickets = pl.concat([tickets, _tickets([None], [40]).with_columns(ticket_id=pl.col("ticket_id") + "-old")])
    # One more, open for 40 hours: at risk 9 at 1 h, 8 at 2 h, 5 at 4 h, 3 at 6 h: S(24) = 8/9 * 6/8 * 4/5 * 2/3... of
    # which each step is (at risk less answered) over at risk.
    expected = 1 - (8 / 9) * (6 / 8) * (4 / 5) * (2 / 3)
    assert measured(shop_of(tickets=tickets))["answered_24h"]["value"] == pytest.approx(expected)


def test_an_answer_after_the_end_of_observation_is_not_known_yet():
    tickets = _tickets([1] * 12, [30] * 12)
    early = shop_of(tickets=tickets.with_columns(first_response_at=pl.lit(APRIL + timedelta(days=1))))
    assert measured(early)["answered_24h"]["value"] == pytest.approx(0.0)


def test_the_first_answer_is_given_a_week_to_settle_a_ticket():
    # Opened on 10 March; of five, two are settled at once, one is not known because it is still open.
    tickets = _tickets([1.0] * 5, [520.0] * 5, solved_at_first=[True, True, False, False, None])
    assert measured(shop_of(tickets=tickets))["first_contact"]["value"] == pytest.approx(2 / 5)


def test_tickets_opened_again_and_compensation_are_per_ticket():
    tickets = _tickets([1.0] * 4, [520.0] * 4, reopens=[0, 2, 1, 0], compensation=[0.0, 10.0, 0.0, 2.5])
    found = measured(shop_of(tickets=tickets))
    assert found["reopened"]["value"] == pytest.approx(2 / 4)
    assert found["compensation_per_ticket"]["value"] == pytest.approx(12.5 / 4)


def test_tickets_per_order_count_orders_without_a_ticket():
    bought = orders(*((f"c{n}", noon("2024-03-10"), 1.0) for n in range(10)))
    found = measured(shop_of(orders=bought, tickets=_tickets([1.0] * 3, [520.0] * 3)))
    assert found["tickets_per_order"]["value"] == pytest.approx(3 / 10)
    assert found["tickets_per_order"]["units"] == 40  # those who wrote had ordered too
    assert found["tickets"]["value"] == 12.0


def test_an_order_within_thirty_days_of_a_ticket_follows_it():
    # Tickets of 20 February are 30 days old on 21 March.
    asked = noon("2024-02-20")
    tickets = _tickets([1.0] * 5, [0.0] * 5).with_columns(
        created_at=pl.lit(asked), first_response_at=pl.lit(asked), resolved_at=pl.lit(asked)
    )
    bought = orders(
        ("c0", asked + timedelta(days=30), 1.0),
        ("c0", asked + timedelta(days=2), 1.0),  # twice, and yet one ticket was followed
        ("c1", asked + timedelta(days=30, seconds=1), 1.0),
        ("c2", asked, 1.0),  # not after it
        ("c3", asked - timedelta(days=1), 1.0),
    )
    found = measured(shop_of(orders=bought, tickets=tickets))["post_support_conversion"]
    assert (found["value"], found["units"]) == (pytest.approx(1 / 5), 20)


def _sessions() -> pl.DataFrame:
    # Visitors v0: three visits, two orders; v1: one visit, one order; v2, v3: one visit each, none.
    visits = [("v0", "o0"), ("v0", None), ("v0", "o1"), ("v1", "o2"), ("v2", None), ("v3", None)]
    rows = [
        {
            "session_id": f"s{n}",
            "visitor_id": visitor,
            "customer_id": None,
            "started_at": noon("2024-03-10"),
            "order_id": order,
        }
        for n, (visitor, order) in enumerate(visits)
    ]
    return copied(rows, "session_id", "visitor_id", "order_id").with_columns(pl.col("customer_id").cast(pl.String))


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("conversion_sessions", 3 / 6),
        ("conversion_visitors", 2 / 4),  # v0 counts once
        ("revenue_per_session", 60 / 6),  # orders of 10, 20 and 30
        ("revenue_per_visitor", 60 / 4),
    ],
)
def test_a_metric_of_visits_says_its_denominator(metric, value):
    bought = orders(("a", noon("2024-03-10"), 10.0), ("b", noon("2024-03-10"), 20.0), ("c", noon("2024-03-10"), 30.0))
    found = measured(shop_of(orders=bought, sessions=_sessions()))
    assert found[metric]["value"] == pytest.approx(value)
    assert found[metric]["units"] == 16
