"""What a customer is worth by a product of averages and by a model, as it is read."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_value import clv_table

STEPS = pl.DataFrame(
    [
        ("product of averages", 6.8, None, None, "Three averages multiplied."),
        ("mean of products", 16.62, None, None, "Customer by customer."),
        ("after costs", 6.648, None, None, "A margin is left."),
        ("model", 13.6, 12.5, 14.75, "What is <b>expected</b>."),
    ],
    schema={"step": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "why": pl.String},
    orient="row",
)


def test_the_title_says_how_far_the_formula_is_from_the_model():
    assert (
        clv_table(STEPS, "USD").title == "The product of averages says 0.50 times what the model expects of a customer"
    )


def test_each_step_is_named_and_only_the_model_has_an_interval():
    markup = clv_table(STEPS, "USD").html()
    assert "Average of each customer&#x27;s product" in markup or "Average of each customer's product" in markup
    assert markup.count("12.5 to 14.8") == 1
    assert clv_table(STEPS, "USD").twin.equals(STEPS)


def test_text_of_the_table_stays_text():
    assert "<b>" not in clv_table(STEPS, "USD").html()


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(TableError, match="CLV_STEPS: no column 'why'"):
        clv_table(STEPS.drop("why"), "USD")
