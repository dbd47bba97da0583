"""The figure of metrics over time marks what lies outside its usual range, each metric on a scale of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.dashboard import SERIES
from cxsim.reporting.shop.dashboard import weekly
from cxsim.tables import empty

_LAST = "22\N{NO-BREAK SPACE}January\N{NO-BREAK SPACE}2024"
_FIRST = datetime.fromisoformat("2024-01-01")


def _rows(metric, title, unit, values):
    return [
        {
            "metric": metric,
            "title": title,
            "unit": unit,
            "period_start": _FIRST + timedelta(days=7 * week),
            "period_end": _FIRST + timedelta(days=7 * week + 7),
            "value": value,
            "low": None if value is None else 0.9 * value,
            "high": None if value is None else 1.1 * value,
            "usual_low": 0.8 * values[0] if values[0] else None,
            "usual_high": 1.2 * values[0] if values[0] else None,
            "alert": "above" if value and values[0] and value > 1.2 * values[0] else None,
        }
        for week, value in enumerate(values)
    ]


@pytest.fixture
def series():
    """A share that leaves its range in the last of four weeks, money that does not, and a score nobody gave."""
    rows = [
        *_rows("reopened", "Tickets opened again", "share", [0.10, 0.11, 0.1194567, 0.15]),
        *_rows("aov", "Average order", "money", [50.0, 51.0, None, 52.34]),
        *_rows("nps", "Net Promoter Score", "score", [None, None, None, None]),
    ]
    return pl.DataFrame(rows, schema=empty(SERIES).schema)


def _alt_text(figure):
    title = figure.to_dict()["title"]
    return " ".join(title["text"]), " ".join(title["subtitle"])


def _data(figure):
    (rows,) = figure.to_dict()["datasets"].values()
    return rows


def test_the_title_names_the_metric_that_lies_outside_its_usual_range_in_the_last_period(series):
    figure = weekly(series, metrics=["aov", "reopened"], currency="EUR")
    assert _alt_text(figure)[0] == (f"In the period from {_LAST}, Tickets opened again lies outside its usual range")


def test_an_alert_of_an_earlier_period_is_marked_and_not_in_the_title(series):
    earlier = series.with_columns(alert=pl.col("alert").shift(-1).over("metric"))
    figure = weekly(earlier, metrics=["reopened"], currency="EUR")
    assert _alt_text(figure)[0] == f"In the period from {_LAST}, none of these metrics lies outside its usual range"
    assert [row["alert"] for row in _data(figure)] == [None, None, "above its usual range", None]


def test_a_last_period_without_any_value_is_said_to_have_none(series):
    silent = series.with_columns(value=pl.when(pl.col("period_start") < pl.col("period_start").max()).then("value"))
    figure = weekly(silent, metrics=["reopened", "aov"], currency="EUR")
    assert _alt_text(figure)[0] == "In the last period, none of these metrics has a value"


def test_many_alerts_are_counted(series):
    wild = pl.concat(series.with_columns(metric=pl.lit(name), value=1.0, alert=pl.lit("below")) for name in "abc")
    wild = wild.unique(["metric", "period_start"], maintain_order=True)
    figure = weekly(wild, metrics=["a", "b", "c"], currency="EUR")
    assert _alt_text(figure)[0].endswith("three of three metrics lie outside their usual range")


def test_panels_come_in_the_order_asked_for_and_name_their_units(series):
    figure = weekly(series, metrics=["aov", "reopened"], currency="EUR").to_dict()
    assert figure["facet"]["sort"] == ["Average order, EUR", "Tickets opened again, %"]
    assert figure["resolve"] == {"scale": {"y": "independent"}}


def test_a_title_that_says_its_unit_is_not_given_it_again(series):
    waits = series.with_columns(title=pl.lit("Hours to the first answer"), unit=pl.lit("hours"))
    figure = weekly(waits, metrics=["aov"], currency="EUR").to_dict()
    assert figure["facet"]["sort"] == ["Hours to the first answer"]


def test_shares_are_drawn_in_per_cent_with_six_digits_and_nothing_is_filled_in(series):
    rows = _data(weekly(series, metrics=["aov", "reopened"], currency="EUR"))
    assert [row["value"] for row in rows] == [50.0, 51.0, None, 52.34, 10.0, 11.0, 11.9457, 15.0]


def test_the_last_values_are_read_aloud(series):
    figure = weekly(series, metrics=["aov", "reopened"], currency="EUR").to_dict()
    assert figure["description"].endswith(
        "Average order: EUR\N{NO-BREAK SPACE}52.3; Tickets opened again: 15.0\N{NO-BREAK SPACE}%."
    )
    assert "interval" in _alt_text(weekly(series, metrics=["aov"], currency="EUR"))[1]


def test_a_metric_without_any_value_has_no_panel_and_alone_is_refused(series):
    figure = weekly(series, metrics=["nps", "aov"], currency="EUR").to_dict()
    assert figure["facet"]["sort"] == ["Average order, EUR"]
    with pytest.raises(TableError, match="SERIES: nothing to draw; nps: no value in any period"):
        weekly(series, metrics=["nps"], currency="EUR")


def test_an_unknown_metric_is_answered_with_the_nearest(series):
    with pytest.raises(TableError, match="SERIES: no metric 'avo'; did you mean 'aov'"):
        weekly(series, metrics=["avo"], currency="EUR")


def test_a_table_without_a_usual_range_is_refused(series):
    with pytest.raises(TableError, match="SERIES: no column 'usual_low'"):
        weekly(series.drop("usual_low"), metrics=["aov"], currency="EUR")
