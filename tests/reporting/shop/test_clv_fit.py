"""Tables and figures of a fit say what its numbers mean, and how far the model is from what was observed."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import fit_table, frequency_histogram, hygiene_table, tracking, value_table

END = date(1997, 4, 10)


@pytest.fixture
def parameters():
    """A parameter with a standard error, and one that the data do not determine."""
    return pl.DataFrame({"parameter": ["r", "alpha"], "estimate": [2.0, 30.91], "std_error": [0.5, None]})


def test_the_interval_of_a_parameter_is_normal_on_the_logarithm(parameters, as_text, snapshot):
    # exp(ln 2 -/+ 1.6449 * 0.5 / 2) = 1.3257 and 3.0172.
    table = fit_table(parameters, "BG/NBD")
    assert "1.326 to 3.017" in table.html()
    assert as_text(table) == snapshot


def test_counts_of_hygiene_have_separators(as_text, snapshot):
    report = pl.DataFrame({"reason": ["zero amount"], "action": ["dropped"], "rows": [1_234]})
    assert as_text(hygiene_table(report)) == snapshot
    with pytest.raises(TableError, match="HYGIENE: column 'rows' is String"):
        hygiene_table(report.cast(pl.String))


def test_values_are_shown_to_three_digits_and_kept_in_full(as_text, snapshot):
    names = ["customer_id", "prob_alive", "expected_orders", "expected_spend", "expected_value"]
    table = value_table(pl.DataFrame([(111, 1.0, 9.8765, 35.0, 1_234.567)], schema=names, orient="row"), "USD")
    assert as_text(table) == snapshot
    assert table.twin["expected_value"].to_list() == [1_234.567]


def test_the_histogram_counts_the_customers_in_another_class(frequencies, as_text, snapshot):
    # Half of |600-610| + |200-190| + |120-130| + |80-70| is 20 of 1,000.
    assert as_text(frequency_histogram(frequencies)) == snapshot


def test_tracking_compares_the_orders_after_the_fit_alone(tracking_days, as_text, snapshot):
    figure = tracking(tracking_days, END)
    assert as_text(figure) == snapshot
    (rows, *_) = sorted(figure.to_dict()["datasets"].values(), key=len, reverse=True)
    assert {"1997-04-10T00:00:00", "1997-07-19T00:00:00"} <= {row["day"] for row in rows}


def test_a_model_that_is_right_is_not_called_too_high_or_too_low(tracking_days, finding):
    exact = tracking_days.with_columns(expected=pl.col("observed").cast(pl.Float64))
    assert finding(tracking(exact, END)) == (
        "After the fit, customers placed 1,000 repeat orders; the model expected 1,000"
    )


def test_an_end_of_the_fit_outside_the_days_is_refused(tracking_days):
    with pytest.raises(TableError, match=r"1999-01-01, must lie inside .* 1997-01-01 to 1997-07-19"):
        tracking(tracking_days, date(1999, 1, 1))
