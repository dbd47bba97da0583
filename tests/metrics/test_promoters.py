"""Spend by score, on customers few enough to add up by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.promoters import (
    LTV_BY_NPS,
    can_compare,
    ltv_by_nps,
    net_promoter_score,
    overall_ratio,
    ratio_at_equal_count,
    spend_of_answerers,
)
from cxsim.tables import check

DAY = datetime.combine(date(2024, 1, 1), time.min)


def _orders(rows):
    named = {"customer_id": pl.String, "amount": pl.Float64}
    table = pl.DataFrame(rows, schema=named, orient="row")
    return table.with_columns(order_id=pl.lit("o"), ordered_at=pl.lit(DAY))


def _answers(rows):
    table = pl.DataFrame(rows, schema={"customer_id": pl.String, "day": pl.Int64, "score": pl.Int64}, orient="row")
    when = pl.Series([DAY + timedelta(days=day) for day in table["day"]], dtype=pl.Datetime("us"))
    return table.drop("day").with_columns(survey_id=pl.lit("s"), instrument=pl.lit("nps"), sent_at=when)


@pytest.fixture
def shop():
    """Ten promoters of two orders and 30 each, ten detractors of one order and 10, and of two and 20; and a guest."""
    orders, answers = [(None, 99.0)], [(None, 0, 10)]
    for n in range(10):
        orders += [(f"p{n}", 10.0 + n), (f"p{n}", 20.0 - n), (f"d{n}", 10.0), (f"e{n}", 5.0), (f"e{n}", 15.0)]
        # The last answer counts, whatever the order of the rows.
        answers += [(f"p{n}", 2, 9), (f"p{n}", 1, 0), (f"d{n}", 1, 6), (f"e{n}", 1, 0)]
    return _orders(orders), _answers(answers)


def test_the_last_answer_makes_the_group_and_guests_take_no_part(shop):
    customers = spend_of_answerers(*shop)
    assert customers.group_by("group").len().sort("group").rows() == [("detractors", 20), ("promoters", 10)]
    assert customers["spend"].sum() == 10 * 30.0 + 10 * 10.0 + 10 * 20.0


def test_promoters_are_compared_overall_and_at_an_equal_number_of_orders(shop):
    customers = spend_of_answerers(*shop)
    # 30 over the mean of 10 and 20; at two orders 30 over 20, and nobody to compare with at one.
    assert (overall_ratio(customers).value, ratio_at_equal_count(customers).value) == pytest.approx((2.0, 1.5))
    assert can_compare(customers)
    assert not can_compare(customers.filter(pl.col("group") == "promoters"))


def test_the_table_has_a_row_for_all_and_one_for_each_number_of_orders(shop):
    table = check(ltv_by_nps(*shop), LTV_BY_NPS)
    assert table.select("orders", "group", "customers", "mean").rows() == [
        ("all", "promoters", 10, 30.0), ("all", "detractors", 20, 15.0), ("1", "detractors", 10, 10.0),
        ("2", "promoters", 10, 30.0), ("2", "detractors", 10, 20.0),
    ]  # fmt: skip


def test_the_score_is_promoters_less_detractors_among_answers():
    # 9 and 10, against 6 and 0, and one 8: nothing; without the zero (2 - 1) / 4.
    answers = _answers([("a", 0, 9), ("b", 0, 10), ("c", 0, 6), ("d", 0, 0), ("e", 0, 8), ("f", 0, None)])
    assert net_promoter_score(answers).value == 0.0
    assert net_promoter_score(answers.filter(pl.col("customer_id") != "d")).value == 25.0


def test_a_table_without_scores_is_refused(shop):
    with pytest.raises(TableError, match="SURVEYS: no column 'score'"):
        ltv_by_nps(shop[0], shop[1].drop("score"))
