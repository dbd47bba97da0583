"""Every metric against tables that were reckoned by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.metrics.estimators import payback
from cxsim.metrics.intervals import Estimate, wilson
from cxsim.metrics.views import WINDOWS
from tests.by_unit import mean, ratio_of
from tests.metrics.toys import APRIL, JANUARY, copied, measured, noon, orders, shop_of


def _lives(days: int) -> pl.DataFrame:
    """Ten customers whose days end on 10 March: four order again before it, one on the first day, one too late."""
    first = noon("2024-03-10", -days)
    rows = [(f"c{n}", first, 20.0) for n in range(10)]
    rows += [(f"c{n}", first + timedelta(days=days - 3), 10.0) for n in range(4)]
    rows.append(("c4", first + timedelta(hours=2), 5.0))
    rows.append(("c5", first + timedelta(days=days), 100.0))
    return orders(*rows, copies=1)


@pytest.mark.parametrize("days", WINDOWS)
def test_the_first_days_of_a_customer_hold_the_first_order_and_end_with_their_time(days):
    found = measured(shop_of(orders=_lives(days).with_columns(cost=0.6 * pl.col("amount"))))
    # 10 * 20 + 4 * 10 + 5 = 245, over ten; 40 % of that is left, with each cost in whole cents.
    assert found[f"ltv_{days}"]["value"] == pytest.approx(24.5)
    assert found[f"margin_{days}"]["value"] == pytest.approx(9.8)
    if days >= 90:
        # Only orders of later days are repeats.
        assert (found[f"repeat_{days}"]["value"], found[f"repeat_{days}"]["units"]) == (4 / 10, 10)
    if days == 365:
        # 10 first orders, 4 later ones, 1 the same day: 15 over ten.
        assert found["orders_per_year"]["value"] == pytest.approx(1.5)


def test_customers_whose_time_is_not_over_are_not_looked_at_yet():
    young = orders(*((f"c{n}", noon("2024-03-10"), 20.0) for n in range(10)), copies=1)
    found = measured(shop_of(orders=young))
    assert found["new_customers"]["value"] == 10.0
    assert found["repeat_90"]["value"] is None


def test_where_orders_are_numbered_old_customers_are_not_taken_for_new():
    numbered = _lives(90).with_columns(
        order_number=pl.when(pl.col("customer_id").is_in([f"c{n}~0" for n in range(5, 10)])).then(7).otherwise(1)
    )
    assert measured(shop_of(orders=numbered))["repeat_90"]["units"] == 5


def test_retention_and_churn_are_complements_over_the_same_customers():
    # The quarter from 4 October to 1 January, then the 90 days to the end of March. Twelve ordered in the first, three
    # of them in the second too; one new customer is in neither count.
    rows = [(f"c{n}", noon("2023-11-05"), 10.0) for n in range(12)]
    rows += [(f"c{n}", noon("2024-02-05"), 10.0) for n in range(3)]
    rows.append(("new", noon("2024-02-05"), 10.0))
    found = measured(shop_of(orders=orders(*rows, copies=1)))
    assert (found["retention_90"]["value"], found["churn_90"]["value"]) == (3 / 12, 9 / 12)
    assert found["retention_90"]["units"] == 12


@pytest.mark.parametrize(
    ("day", "counted"), [("2023-10-04", 1), ("2023-10-03", 0), ("2024-01-01", 1), ("2024-01-02", 0)]
)
def test_the_first_quarter_of_retention_ends_ninety_days_before_the_period_does(day, counted):
    rows = [(f"c{n}", noon("2023-11-05"), 10.0) for n in range(12)]
    found = measured(shop_of(orders=orders(*rows, ("edge", noon(day), 1.0), copies=1)))
    assert found["retention_90"]["units"] == 12 + counted


def test_retention_that_looks_back_before_the_shop_was_observed_is_not_measured():
    late = shop_of(orders=orders(("a", noon("2024-02-05"), 1.0)), since=JANUARY)
    assert measured(late)["retention_90"]["missing"] == "it needs a longer history than the shop's data cover."


def test_participation_counts_who_was_a_member_at_the_order():
    bought = orders(*((f"c{n}", noon("2024-03-10"), 1.0) for n in range(10)), copies=1)
    joined = {0: "2024-01-01", 1: "2024-03-10", 2: "2024-03-11", 3: "2024-01-01"}
    members = pl.DataFrame(
        {
            "customer_id": [f"c{n}~0" for n in joined],
            "programme": ["points"] * 4,
            "joined_at": [noon(day) for day in joined.values()],
            "left_at": [None, None, None, noon("2024-03-01")],
        }
    )
    # c0 and c1 (who joined with the order); c2 joined later, c3 had left.
    assert measured(shop_of(orders=bought, members=members))["participation"]["value"] == pytest.approx(2 / 10)


# customer, list, discount, cost, units, coupon, incident: amounts 50, 50, 30, 40, 40, 40, 90, 60 = 400.
_LINES = [
    ("a", 60.0, 10.0, 30.0, 2, "X", None),
    ("a", 50.0, 0.0, 20.0, 1, None, None),
    ("b", 30.0, 0.0, 25.0, 3, None, "late"),
    ("c", 40.0, 0.0, 20.0, 1, None, None),
    ("c", 40.0, 0.0, 20.0, 1, None, None),
    ("c", 40.0, 0.0, None, 1, None, None),
    ("d", 100.0, 10.0, 40.0, 5, "Y", None),
    ("e", 60.0, 0.0, 30.0, 1, None, None),
]


def _orders() -> pl.DataFrame:
    names = ("customer_id", "list_amount", "markdown", "cost", "units", "coupon", "incident")
    rows = [
        dict(zip(names, line, strict=True))
        | {"order_id": f"o{place}", "ordered_at": noon("2024-03-10"), "amount": line[1] - line[2]}
        for place, line in enumerate(_LINES)
    ]
    return copied(rows, "order_id", "customer_id")


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, object]]:
    return measured(shop_of(orders=_orders()))


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("orders", 32.0),  # 8 orders, four times
        ("revenue", 1600.0),  # 400, four times
        ("aov_net", 50.0),  # 400 / 8
        ("aov_gross", 52.5),  # (60 + 50 + 30 + 3 * 40 + 100 + 60) / 8 = 420 / 8
        ("discount_share", 20 / 420),
        ("coupon_share", 2 / 8),
        ("items_per_order", 15 / 8),  # 2 + 1 + 3 + 1 + 1 + 1 + 5 + 1 = 15
        ("margin_per_order", 25.0),  # (20 + 30 + 5 + 20 + 20 + 50 + 30) / 7; the cost of one is not known
        ("incident_share", 1 / 8),
    ],
)
def test_a_metric_of_orders_is_the_number_reckoned_by_hand(found, metric, value):
    assert found[metric]["value"] == pytest.approx(value, rel=1e-12)
    assert found[metric]["missing"] is None


def test_the_interval_of_order_value_is_over_customers_not_over_orders(found):
    # The worked example of the delta method has five customers; here each lives four times.
    expected = ratio_of([100, 30, 120, 90, 60] * 4, [2, 1, 3, 1, 1] * 4)
    assert (found["aov_net"]["low"], found["aov_net"]["high"]) == pytest.approx(expected[1:3], rel=1e-9)
    assert found["aov_net"]["units"] == 20


def test_the_error_of_a_total_is_the_root_of_the_sum_of_squares_over_customers(found):
    # Orders per customer 2, 1, 3, 1, 1: squares 16, four times, so 64; 32 -+ 1.959964 * 8.
    assert found["orders"]["low"] == pytest.approx(32 - 1.959964 * 8, abs=1e-5)
    assert found["orders"]["high"] == pytest.approx(32 + 1.959964 * 8, abs=1e-5)


def test_where_nothing_was_sold_before_a_total_rises_from_nothing_and_a_mean_has_no_change(found):
    assert (found["orders"]["previous"], found["orders"]["change"]) == (0.0, 32.0)
    assert found["aov_net"]["previous"] is None
    assert found["aov_net"]["change"] is None


def test_customers_of_both_months_make_the_change_surer():
    # The same 20 customers spend 2 more than the month before, each in the order of their own size.
    before = _orders().with_columns(ordered_at=pl.lit(noon("2024-02-10")), order_id=pl.col("order_id") + "-before")
    now = _orders().with_columns(amount=pl.col("amount") + 2.0)
    same = measured(shop_of(orders=pl.concat([before, now])))["aov_net"]
    others = before.with_columns(customer_id=pl.col("customer_id") + "-other")
    apart = measured(shop_of(orders=pl.concat([others, now])))["aov_net"]
    assert same["change"] == apart["change"] == pytest.approx(2.0)
    assert same["change_low"] == pytest.approx(2.0, abs=1e-6)  # each gained exactly 2, so nothing is left to chance
    assert apart["change_low"] < 0.0 < apart["change_high"]


def test_a_guest_order_counts_and_is_independent_of_every_other():
    guests = measured(shop_of(orders=_orders().with_columns(customer_id=pl.lit(None, dtype=pl.String))))["aov_net"]
    assert (guests["value"], guests["units"]) == (pytest.approx(50.0), 32)


def _sold(day: str) -> pl.DataFrame:
    rows = [
        {"order_id": f"o{n}", "customer_id": f"c{n}", "ordered_at": noon(day), "amount": 10.0 * (n + 1), "units": 2}
        for n in range(4)
    ]
    return copied(rows, "order_id", "customer_id")


def _sent_back(*orders: tuple[str, float, float]) -> pl.DataFrame:
    rows = [
        {
            "return_id": f"r{place}",
            "order_id": order,
            "returned_at": noon("2024-02-05", after),
            "refund": refund,
            "units": 1,
        }
        for place, (order, after, refund) in enumerate(orders)
    ]
    return copied(rows, "return_id", "order_id")


def test_returns_are_counted_by_order_by_value_and_by_item_once_thirty_days_are_over():
    # Orders of 10, 20, 30 and 40 on 5 February are 30 days old on 6 March. o0 comes back in two parcels, o3 in one; o1
    # comes back on day 31, too late.
    back = _sent_back(("o0", 3.0, 4.0), ("o0", 9.0, 6.0), ("o3", 29.0, 20.0), ("o1", 31.0, 20.0))
    found = measured(shop_of(orders=_sold("2024-02-05"), returns=back))
    assert found["return_rate_orders"]["value"] == pytest.approx(2 / 4)
    assert found["return_rate_value"]["value"] == pytest.approx(30 / 100)
    assert found["return_rate_items"]["value"] == pytest.approx(3 / 8)
    # Younger orders are not looked at yet.
    young = measured(shop_of(orders=_sold("2024-03-10"), returns=_sent_back(("o0", 40.0, 4.0))))
    assert young["return_rate_orders"]["value"] is None


def test_refunds_without_a_date_are_counted_by_order_and_by_value():
    sold = _sold("2024-02-05").with_columns(
        refunded=pl.when(pl.col("amount") > 30.0).then(20.0), charged=pl.col("amount") + 5.0
    )
    found = measured(shop_of(orders=sold))
    assert found["refund_rate_orders"]["value"] == pytest.approx(1 / 4)
    assert found["refund_rate_value"]["value"] == pytest.approx(20 / 120)  # 15 + 25 + 35 + 45 = 120


def test_a_month_without_orders_has_a_count_with_a_limit_and_a_revenue_without_one():
    found = measured(shop_of(orders=_orders().with_columns(ordered_at=pl.lit(noon("2024-02-10")))))
    # Garwood's upper limit of nothing: -log(0.025) = 3.6889.
    assert (found["orders"]["value"], found["orders"]["low"]) == (0.0, 0.0)
    assert found["orders"]["high"] == pytest.approx(3.6889, abs=5e-5)
    assert (found["revenue"]["value"], found["revenue"]["high"], found["revenue"]["caution"]) == (0.0, None, "no cases")


def _surveys(instrument: str, scores: Sequence[int | None], *, customers: int | None = None) -> pl.DataFrame:
    number = len(scores)
    return pl.DataFrame(
        {
            "survey_id": [f"s{n}" for n in range(number)],
            "customer_id": [f"c{n % (customers or number)}" for n in range(number)],
            "sent_at": [noon("2024-03-10")] * number,
            "instrument": [instrument] * number,
            "score": pl.Series(scores, dtype=pl.Int64),
        }
    )


def test_the_score_of_25_promoters_15_passives_and_10_detractors_is_30():
    found = measured(shop_of(surveys=_surveys("nps", [9] * 12 + [10] * 13 + [7] * 8 + [8] * 7 + [0] * 4 + [6] * 6)))
    ends = tuple(found["nps"][name] for name in ("value", "low", "high"))
    assert ends == pytest.approx((30.0, 7.2995, 49.3043), abs=5e-5)  # adjusted Wald, as published to four decimals


def test_who_answers_twice_is_one_customer():
    scores = [9] * 25 + [7] * 15 + [0] * 10
    once = measured(shop_of(surveys=_surveys("nps", scores)))["nps"]
    twice = measured(shop_of(surveys=_surveys("nps", scores + scores, customers=50)))["nps"]
    assert (twice["value"], twice["units"]) == (pytest.approx(once["value"]), 50)
    # The second answers say nothing new, so the interval is that of 50 customers: SE 11.1575 with n - 1, t(49) 2.0096.
    assert twice["high"] - twice["low"] == pytest.approx(2 * 2.00958 * 11.1575, rel=1e-4)


@pytest.mark.parametrize(
    ("instrument", "scores", "metric", "value"),
    [
        ("csat", [5, 5, 4, 4, 3, 3, 2, 1, 5, 4], "csat_mean", 3.6),
        ("csat", [5, 5, 4, 4, 3, 3, 2, 1, 5, 4], "csat_top2", 0.6),
        ("csat_good", [1, 1, 1, 0, 1, 1, 1, 0, 1, 1], "csat_good", 0.8),
        ("ces", [7, 6, 7, 5, 3, 4, 1, 2, 5, 5], "ces_ease", 4.5),
        ("ces", [7, 6, 7, 5, 3, 4, 1, 2, 5, 5], "ces_easy", 0.6),
        ("effort", [1, 1, 2, 3, 5, 1, 1, 2, 1, 1], "ces_effort", 1.8),
    ],
)
def test_a_metric_of_answers_is_the_number_reckoned_by_hand(instrument, scores, metric, value):
    assert measured(shop_of(surveys=_surveys(instrument, scores)))[metric]["value"] == pytest.approx(value)


def test_mean_and_share_of_satisfaction_have_intervals_of_their_own():
    scores = [5, 5, 4, 4, 3, 3, 2, 1, 5, 4]
    found = measured(shop_of(surveys=_surveys("csat", scores)))
    for name, by in {"csat_mean": mean(scores), "csat_top2": wilson(6, 10)}.items():
        assert (found[name]["low"], found[name]["high"]) == pytest.approx((by.low, by.high))


def test_the_response_rate_counts_surveys_of_every_kind():
    sent = pl.concat([_surveys("nps", [9, None, None] * 4), _surveys("csat", [None, 4, None] * 4)])
    assert measured(shop_of(surveys=sent))["response_rate"]["value"] == pytest.approx(8 / 24)


def test_fewer_than_ten_answers_and_answers_alone_leave_out_what_they_do_not_say():
    few = measured(shop_of(surveys=_surveys("nps", [9] * 9)))["nps"]
    assert (few["value"], few["units"], few["caution"]) == (None, 9, "too few cases: 9, 10 needed")
    shop = shop_of(surveys=_surveys("nps", [9] * 12))
    alone = measured(dataclasses.replace(shop, lacks={"surveys.sent_at": "the file holds answers alone."}))
    assert alone["response_rate"]["missing"] == "the file holds answers alone."
    assert alone["nps"]["value"] == 100.0


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


def test_open_tickets_have_waited_until_now_and_are_not_counted_as_answered_nor_as_lost():
    # Answered after 1, 2, 2, 4 and 6 hours, open since 3, 5 and 8: S = 7/8, 5/8, 15/32, so the median is 4 hours.
    # Answered alone would say 2.
    tickets = _tickets([1, 2, 2, 4, 6, None, None, None], [30, 30, 30, 30, 30, 3, 5, 8])
    found = measured(shop_of(tickets=tickets))
    assert found["first_response_median"]["value"] == pytest.approx(4.0)
    assert found["resolution_median"]["value"] == pytest.approx(4.0)
    # One more, open for 40 hours: at risk 9 at 1 h, 8 at 2 h, 5 at 4 h, 3 at 6 h: S(24) = 8/9 * 6/8 * 4/5 * 2/3... of
    # which each step is (at risk less answered) over at risk.
    older = pl.concat([tickets, _tickets([None], [40]).with_columns(ticket_id=pl.col("ticket_id") + "-old")])
    expected = 1 - (8 / 9) * (6 / 8) * (4 / 5) * (2 / 3)
    assert measured(shop_of(tickets=older))["answered_24h"]["value"] == pytest.approx(expected)


def test_an_answer_after_the_end_of_observation_is_not_known_yet():
    tickets = _tickets([1] * 12, [30] * 12)
    early = shop_of(tickets=tickets.with_columns(first_response_at=pl.lit(APRIL + timedelta(days=1))))
    assert measured(early)["answered_24h"]["value"] == pytest.approx(0.0)


def test_settled_and_reopened_tickets_and_compensation_are_per_ticket():
    # Opened on 10 March; of five, two are settled at once within a week, one is not known because it is still open.
    settled = [True, True, False, False, None]
    tickets = _tickets(
        [1.0] * 5,
        [520.0] * 5,
        solved_at_first=settled,
        reopens=[0, 2, 1, 0, 0],
        compensation=[0.0, 10.0, 0.0, 2.5, 0.0],
    )
    found = measured(shop_of(tickets=tickets))
    shown = [found[name]["value"] for name in ("first_contact", "reopened", "compensation_per_ticket")]
    assert shown == pytest.approx([2 / 5, 2 / 5, 12.5 / 5])


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


def _marketing(amount: float) -> pl.DataFrame:
    return pl.DataFrame({"spent_at": [noon("2024-03-01"), noon("2024-03-20")], "amount": [amount / 2] * 2})


def test_the_cost_of_a_new_customer_is_spend_over_first_orders():
    bought = orders(*((f"c{n}", noon("2024-03-10"), 50.0) for n in range(30)), copies=1)
    found = measured(shop_of(orders=bought, marketing=_marketing(900.0)))
    assert found["cac"]["value"] == pytest.approx(30.0)
    # Garwood's limits of a count of 30: 20.2409 and 42.8269.
    assert (found["cac"]["low"], found["cac"]["high"]) == pytest.approx((900 / 42.8269, 900 / 20.2409), rel=1e-4)
    assert found["mer"]["value"] == pytest.approx(1500 / 900)
    free = measured(shop_of(orders=bought, marketing=_marketing(0.0)))["cac"]
    assert (free["value"], free["caution"]) == (None, "no spend, or no new customers")


MONTH = 365.25 / 12


def _estimate(value: float, either_way: float = 0.0) -> Estimate:
    return Estimate(value, value - either_way, value + either_way, 100, "given")


@pytest.mark.parametrize(
    ("cost", "margins", "days"),
    [
        # 30 is reached 2.40 / 3.00 of the way from 60 to 90.
        (30.0, {30: 24.0, 60: 27.6, 90: 30.6}, 84),
        # Before the first thirty days there is nothing.
        (12.0, {30: 24.0}, 15),
    ],
)
def test_payback_lies_on_the_straight_line_between_two_ages(cost, margins, days):
    found = payback(_estimate(cost), {age: _estimate(margin) for age, margin in margins.items()})
    assert found.value == pytest.approx(days / MONTH)


def test_what_is_not_paid_back_within_a_year_says_so():
    found = payback(_estimate(100.0), dict.fromkeys(WINDOWS, _estimate(20.0)))
    assert (found.value, found.caution) == (None, "not paid back within a year")


def test_the_interval_of_payback_pairs_cheap_customers_with_high_margins():
    found = payback(_estimate(30.0, 6.0), {30: _estimate(24.0, 3.0), 60: _estimate(48.0, 3.0)})
    # 24 of 27 in the first 30 days; 36 lies 15 / 24 of the way from 21 to 45.
    assert (found.low, found.high) == pytest.approx((30 * 24 / 27 / MONTH, (30 + 30 * 15 / 24) / MONTH))
