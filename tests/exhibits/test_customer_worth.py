"""Tables of customers' worth round a number and its interval together and tell silence in a sentence."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_value import at_risk_table, customer_table, decile_table, worth_table

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def overdue():
    """One customer who has been silent for twice as long as is usual."""
    return pl.DataFrame(
        {
            "customer_id": ["<b>ann"],
            "orders": [7],
            "silent_days": [190],
            "usual_days": [119.6],
            "prob_alive": [0.41],
            "prob_alive_then": [0.94],
            "value": [56.1],
            "value_low": [0.0],
            "value_high": [187.2],
        }
    )


def test_a_total_and_its_interval_are_rounded_together():
    totals = pl.DataFrame(
        {
            "quantity": ["Revenue"],
            "unit": ["USD"],
            "mean": [1_234_567.0],
            "low": [998_765.0],
            "high": [1_400_001.0],
        }
    )
    html = worth_table(totals, "Worth", "They do not cover <all>.").html()
    assert "They do not cover &lt;all&gt;." in html
    assert f">1.23{NBSP}million<" in html
    assert f">1.00 to 1.40{NBSP}million<" in html


def test_a_tenth_has_its_share_of_the_whole_and_a_column_of_what_came_only_where_that_is_known():
    tenths = pl.DataFrame(
        {"decile": [1, 2], "customers": [10, 10], "expected": [75.0, 25.0], "low": [60.0, 20.0], "high": [90.0, 30.0]}
    ).with_columns(realised=pl.lit(None, pl.Float64))
    ahead = decile_table(tenths, "USD").html()
    known = decile_table(tenths.with_columns(realised=pl.Series([70.0, 40.0])), "USD").html()
    assert f">75{NBSP}%<" in ahead
    assert "Realised" not in ahead
    assert "Realised, USD" in known
    assert ">70.0<" in known


def test_a_customer_whose_next_order_is_a_century_away_is_alt_text_so():
    customers = pl.DataFrame(
        {
            "customer_id": [7],
            "prob_alive": [1.0],
            "expected_orders": [0.02],
            "orders_low": [0],
            "orders_high": [1],
            "value": [0.31],
            "value_low": [0.0],
            "value_high": [4.2],
            "prob_none": [0.0],
            "days_to_next": pl.Series([None], dtype=pl.Float64),
        }
    )
    html = customer_table(customers, "USD", 365).html()
    assert f">over{NBSP}a century<" in html
    assert ">0 to 1<" in html


def test_silence_is_alt_text_in_a_sentence(overdue):
    table = at_risk_table(overdue, "USD", 30)
    assert "silent for 190 days; nine in ten of such customers who came back did so within 120" in table.html()
    assert f"94{NBSP}% → 41{NBSP}%" in table.html()
    assert "&lt;b&gt;ann" in table.html()
    assert table.title == "30 customers have been silent for longer than nine in ten of their like"


def test_where_nobody_is_overdue_that_is_the_title(overdue):
    table = at_risk_table(overdue.clear(), "USD", 0)
    assert table.title == "No customer has been silent for longer than is usual"


def test_customers_without_their_usual_silence_are_refused(overdue):
    with pytest.raises(TableError, match="AT_RISK: no column 'usual_days'"):
        at_risk_table(overdue.drop("usual_days"), "USD", 1)
