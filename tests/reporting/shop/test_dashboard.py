"""What a shop measures: each metric with its unit, interval, change and usual range; what is not measured; receipts."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.data.shop import Policy, Receipt
from cxsim.errors import TableError
from cxsim.reporting.shop.dashboard import dashboard_table, metric_register, not_measured_table, receipts_table, weekly

_LAST = "22\N{NO-BREAK SPACE}January\N{NO-BREAK SPACE}2024"


def _panels(figure):
    return figure.to_dict()["facet"]["sort"]


def test_an_alert_of_an_earlier_period_is_marked_and_not_in_the_title(series, finding):
    earlier = series.with_columns(alert=pl.col("alert").shift(-1).over("metric"))
    figure = weekly(earlier, metrics=["reopened"], currency="EUR")
    assert finding(figure) == f"In the period from {_LAST}, none of these metrics is outside its usual range"
    (rows,) = figure.to_dict()["datasets"].values()
    assert [row["alert"] for row in rows] == [None, None, "above its usual range", None]


def test_a_last_period_without_any_value_has_none_in_its_title(series, finding):
    silent = series.with_columns(value=pl.when(pl.col("period_start") < pl.col("period_start").max()).then("value"))
    figure = weekly(silent, metrics=["reopened", "aov"], currency="EUR")
    assert finding(figure) == "None of these metrics has a value in the last period"


def test_many_alerts_are_counted(series, finding):
    wild = pl.concat(series.with_columns(metric=pl.lit(name), value=1.0, alert=pl.lit("below")) for name in "abc")
    wild = wild.unique(["metric", "period_start"], maintain_order=True)
    figure = weekly(wild, metrics=["a", "b", "c"], currency="EUR")
    assert finding(figure).endswith("three of three metrics are outside their usual range")


def test_a_title_that_says_its_unit_is_not_given_it_again(series):
    waits = series.with_columns(title=pl.lit("Hours to the first answer"), unit=pl.lit("hours"))
    assert _panels(weekly(waits, metrics=["aov"], currency="EUR")) == ["Hours to the first answer"]


def test_shares_are_drawn_in_per_cent_with_six_digits_and_nothing_is_filled_in(series):
    (rows,) = weekly(series, metrics=["aov", "reopened"], currency="EUR").to_dict()["datasets"].values()
    assert [row["value"] for row in rows] == [50.0, 51.0, None, 52.34, 10.0, 11.0, 11.9457, 15.0]


def test_a_metric_without_any_value_has_no_panel_and_alone_is_refused(series):
    assert _panels(weekly(series, metrics=["nps", "aov"], currency="EUR")) == ["Average order, EUR"]
    with pytest.raises(TableError, match="SERIES: nothing to draw; nps: no value in any period"):
        weekly(series, metrics=["nps"], currency="EUR")
    with pytest.raises(TableError, match="SERIES: no metric 'avo'; did you mean 'aov'"):
        weekly(series, metrics=["avo"], currency="EUR")


def test_without_an_alert_there_is_no_column_of_alerts_and_more_than_three_are_counted(dashboard, as_text):
    calm = dashboard_table(dashboard.with_columns(alert=pl.lit(None, dtype=pl.String)), "EUR")
    assert calm.title == "None of four metrics is outside its usual range"
    assert "| Alert |" not in as_text(calm)
    wild = dashboard.with_columns(alert=pl.lit("above"))
    assert dashboard_table(wild, "EUR").title == "Four of four metrics are outside their usual range"


def test_where_everything_or_nothing_is_measured_a_sentence_says_so(dashboard):
    measured, missing = (dashboard.filter(pl.col("value").is_not_null() == there) for there in (True, False))
    assert str(not_measured_table(measured)) == "All metrics in the catalogue are measured."
    assert str(dashboard_table(missing, "EUR")).startswith("No metric can be measured")
    one = dashboard.filter(pl.col("metric") != "cac")
    assert not_measured_table(one).title == "One of five metrics is not measured"


def test_a_metric_is_registered_with_its_formula_and_a_total_is_over_nothing(as_text, snapshot):
    shared = {"family": "Orders", "unit": "money", "window": "by order", "scale": "from 0", "interval": "delta method"}
    mean = {
        "name": "aov", "title": "AOV", "definition": "Per order.", "numerator": "revenue", "denominator": "orders",
        "direction": "higher", "pitfalls": "A <few> orders.", "variant": "With tax.",
    }  # fmt: skip
    total = {
        "name": "rev", "title": "Revenue", "definition": "All.", "numerator": "revenue", "denominator": "",
        "direction": "neither", "pitfalls": "None.", "variant": "",
    }  # fmt: skip
    metrics = pl.DataFrame([shared | mean, shared | total])
    assert as_text(metric_register(metrics)) == snapshot
    assert metric_register(metrics, fold="open").fold == "open"


def test_a_file_that_fills_two_tables_is_one_file(receipts):
    twice = (receipts[1], Receipt(file="<b>.csv", table="surveys", recognised="Tickets", columns=(4, 9), rows_read=3))
    assert receipts_table(twice, Policy()).title == "One file was read, and no row was dropped"


def test_without_files_a_sentence_says_that_the_tables_are_simulated():
    shown = str(receipts_table((), Policy()))
    assert shown.startswith("No files were read: the tables are simulated")
    assert shown.endswith(Policy().sentence())
