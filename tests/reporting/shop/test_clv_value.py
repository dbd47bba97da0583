"""What customers are worth: a number and its interval are rounded together, and silence is a sentence."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_value import (
    at_risk_table,
    clv_table,
    customer_table,
    decile_table,
    spend_by_frequency,
    value_by_decile,
    value_captured,
    worth_table,
)

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def overdue():
    """One customer who has been silent for longer than is usual."""
    row = {
        "customer_id": "<b>ann", "orders": 7, "silent_days": 190, "usual_days": 119.6,
        "prob_alive": 0.41, "prob_alive_then": 0.94, "value": 56.1, "value_low": 0.0, "value_high": 187.2,
    }  # fmt: skip
    return pl.DataFrame([row])


@pytest.fixture
def steps():
    """From a product of averages to a model; a reason holds markup."""
    return pl.DataFrame(
        [
            ("product of averages", 6.8, None, None, "Three averages multiplied."),
            ("mean of products", 16.62, None, None, "Customer by customer."),
            ("after costs", 6.648, None, None, "A margin is left."),
            ("model", 13.6, 12.5, 14.75, "What is <b>expected</b>."),
        ],
        schema={"step": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "why": pl.String},
        orient="row",
    )


def _customers(frequency, spend):
    days = dict.fromkeys(("frequency", "recency_days", "age_days"), frequency)
    columns = {"customer_id": list(range(len(frequency))), **days, "monetary_value": spend}
    return pl.DataFrame(columns, schema_overrides={"monetary_value": pl.Float64})


def test_a_total_and_its_interval_are_rounded_together(as_text, snapshot):
    row = {"quantity": "Revenue", "unit": "USD", "mean": 1_234_567.0, "low": 998_765.0, "high": 1_400_001.0}
    assert as_text(worth_table(pl.DataFrame([row]), "Worth", "They do not cover <all>.")) == snapshot


@pytest.mark.parametrize("known", [True, False])
def test_a_tenth_has_its_share_of_the_whole_and_what_came_only_where_that_is_known(tenths, known, as_text, snapshot):
    table = tenths if known else tenths.with_columns(realised=pl.lit(None, pl.Float64))
    assert as_text(decile_table(table, "USD")) == snapshot
    assert as_text(value_by_decile(table, "USD")) == snapshot


def test_a_next_order_in_a_century_is_shown_as_such(as_text, snapshot):
    row = {
        "customer_id": 7, "prob_alive": 1.0, "expected_orders": 0.02, "orders_low": 0, "orders_high": 1,
        "value": 0.31, "value_low": 0.0, "value_high": 4.2, "prob_none": 0.0, "days_to_next": None,
    }  # fmt: skip
    customers = pl.DataFrame([row, row | {"days_to_next": 1_234.5}])
    assert as_text(customer_table(customers, "USD", 365)) == snapshot


def test_silence_is_a_sentence(overdue, as_text, snapshot):
    assert as_text(at_risk_table(overdue, "USD", 1_030)) == snapshot
    assert at_risk_table(overdue, "USD", 1).title.startswith("1 customer has been silent")
    assert at_risk_table(overdue.clear(), "USD", 0).title == "No customer has been silent for longer than is usual"
    with pytest.raises(TableError, match="AT_RISK: no column 'usual_days'"):
        at_risk_table(overdue.drop("usual_days"), "USD", 1)


def test_each_step_is_named_and_only_the_model_has_an_interval(steps, as_text, snapshot):
    assert as_text(clv_table(steps, "USD")) == snapshot
    with pytest.raises(TableError, match="CLV_STEPS: no column 'why'"):
        clv_table(steps.drop("why"), "USD")


def test_the_capture_of_the_first_fifth_is_in_the_title(captures, as_text, snapshot):
    assert as_text(value_captured(captures)) == snapshot


def test_frequent_customers_share_a_class(rfm, as_text, snapshot):
    assert as_text(spend_by_frequency(rfm, "USD")) == snapshot


def test_a_perfect_correlation_has_its_sign(finding):
    figure = spend_by_frequency(_customers([1, 2, 3, 4], [40.0, 30.0, 20.0, 10.0]), "USD")
    assert finding(figure).endswith("strongly related (correlation −1.00)")


def test_customers_who_never_came_back_take_no_part(finding):
    others = _customers([0, 1, 2, 3], [None, 30.0, 31.0, 29.0])
    alone = others.filter(pl.col("frequency") > 0)
    assert finding(spend_by_frequency(others, "USD")) == finding(spend_by_frequency(alone, "USD"))


def test_too_few_customers_for_a_correlation_are_refused():
    with pytest.raises(TableError, match="found 2 customers"):
        spend_by_frequency(_customers([1, 2], [10.0, 20.0]), "USD")
