"""The curve of cumulative cash says when the money is back."""

from __future__ import annotations

import itertools

import polars as pl
import pytest

from cxsim import charts
from cxsim.errors import TableError

NBSP = "\N{NO-BREAK SPACE}"


def _finding(cash):
    return " ".join(charts.cumulative_cash(cash, "USD").to_dict()["title"]["text"])


def test_the_title_tells_the_month_of_payback_and_who_has_none(cash):
    # -20,000 + 1,540 m and -15,000 + 540 m reach zero at m = 13 and m = 28, the fourteenth and the 29th month.
    assert _finding(cash) == (
        "Payback on average: Free delivery in month 14 and Points programme in month 29; "
        "Win back coupon not within 36 months"
    )


def test_the_month_does_not_depend_on_where_counting_starts(cash):
    assert _finding(cash.with_columns(month=pl.col("month") + 1)) == _finding(cash)


def test_without_any_payback_the_title_says_so(cash):
    assert _finding(cash.with_columns(mean=pl.lit(-1.0))) == "No strategy pays back within 36 months on average"


def test_one_strategy_without_payback_is_named(cash):
    assert _finding(cash.filter(strategy="win_back_coupon")) == (
        "Win back coupon does not pay back within 36 months on average"
    )


def test_payback_counts_from_the_month_after_which_the_mean_stays_above_zero(cash):
    dip = pl.when(pl.col("month") == 30).then(-1.0).otherwise(pl.col("mean"))
    one = cash.filter(strategy="free_delivery").with_columns(mean=dip)
    assert _finding(one) == "Payback on average: Free delivery in month 32"


def test_the_description_gives_mean_and_interval_at_the_end(cash):
    described = charts.cumulative_cash(cash, "USD").to_dict()["description"]
    assert f"Free delivery USD{NBSP}33,900 (19,400 to 55,400)" in described


def test_labels_at_the_ends_of_equal_curves_do_not_overlap(cash):
    equal = cash.with_columns(pl.lit(1_000.0).alias("mean"), low=pl.lit(0.0), high=pl.lit(2_000.0))
    datasets = charts.cumulative_cash(equal, "USD").to_dict()["datasets"]
    levels = next([row["level"] for row in rows] for rows in datasets.values() if "level" in rows[0])
    assert all(above - below >= 200.0 for below, above in itertools.pairwise(levels))


def test_a_table_without_interval_is_refused(cash):
    with pytest.raises(TableError, match="CASH: no column 'low'"):
        charts.cumulative_cash(cash.drop("low"), "USD")
