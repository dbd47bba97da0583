"""The tracking figure compares what came after the fit with what was expected then."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import tracking

NBSP = "\N{NO-BREAK SPACE}"
END = date(1997, 4, 10)


def _finding(days, end=END):
    return " ".join(tracking(days, end).to_dict()["title"]["text"])


def test_the_title_compares_the_orders_after_the_fit_alone(tracking_days):
    assert _finding(tracking_days) == (
        f"After the fit, customers placed 1,000 repeat orders; the model expected 900 (10{NBSP}% too few)"
    )


def test_a_model_that_is_right_is_not_called_too_high_or_too_low(tracking_days):
    exact = tracking_days.with_columns(expected=pl.col("observed").cast(pl.Float64))
    assert _finding(exact) == "After the fit, customers placed 1,000 repeat orders; the model expected 1,000"


def test_the_day_before_the_test_and_the_last_day_are_always_drawn(tracking_days):
    (rows, *_) = sorted(tracking(tracking_days, END).to_dict()["datasets"].values(), key=len, reverse=True)
    assert {"1997-04-10T00:00:00", "1997-07-19T00:00:00"} <= {row["day"] for row in rows}


def test_an_end_of_the_fit_outside_the_days_is_refused(tracking_days):
    with pytest.raises(TableError, match=r"1999-01-01, must lie inside .* 1997-01-01 to 1997-07-19"):
        tracking(tracking_days, date(1999, 1, 1))
