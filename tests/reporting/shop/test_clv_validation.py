"""The figures of a backtest tell what was found, with its interval, and keep a model's colour."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_validation import alive_by_model, calibration, forecast_bias, forecasts
from cxsim.reporting.shop.clv_value import value_captured

NBSP = "\N{NO-BREAK SPACE}"
END = date(1997, 4, 10)


def _colours(figure):
    scales = [layer.get("encoding", {}).get("color", {}).get("scale") for layer in figure.to_dict()["layer"]]
    return {
        name: colour for scale in scales if scale for name, colour in zip(scale["domain"], scale["range"], strict=True)
    }


def test_the_forecasts_are_counted_from_what_was_observed_at_the_end_of_the_fit(forecast_days, as_text, snapshot):
    # 1,000 came after the fit; one model expected 900 (800 to 1,010), the other 850 (800 to 900).
    figure = forecasts(forecast_days, END)
    assert as_text(figure) == snapshot
    drawn = {row["day"] for rows in figure.to_dict()["datasets"].values() for row in rows}
    assert {f"{day.isoformat()}T00:00:00" for day in (END, forecast_days["day"].max())} <= drawn


def test_one_model_is_named(forecast_days, finding):
    assert finding(forecasts(forecast_days.filter(model="MBG/NBD"), END)) == (
        f"MBG/NBD expected 15{NBSP}% fewer repeat orders after the fit than the 1,000 that came; "
        "its interval does not hold them"
    )


def test_models_on_both_sides_stand_with_their_signs(forecast_days, finding):
    above = pl.when(pl.col("model") == "BG/NBD").then(1.1 / 0.9).otherwise(1.0)
    lifted = forecast_days.with_columns(
        expected=pl.when(pl.col("day") > END).then(1_000 + (pl.col("expected") - 1_000) * above).otherwise("expected")
    )
    assert f"The 2 models expected from 15{NBSP}% fewer to 10{NBSP}% more" in finding(forecasts(lifted, END))


def test_forecasts_that_end_with_the_fit_are_refused(forecast_days):
    with pytest.raises(TableError, match="must lie inside the days of the table; found 1997-01-01 to"):
        forecasts(forecast_days, END + timedelta(days=1_000))


def test_calibration_says_how_often_each_model_is_inside_and_who_misses_the_one_time_buyers(
    calibration_classes, as_text, snapshot
):
    assert as_text(calibration(calibration_classes)) == snapshot


def test_the_least_bias_is_in_the_title_and_a_rule_of_thumb_has_no_line(biases, as_text, snapshot):
    assert as_text(forecast_bias(biases)) == snapshot


def test_a_disagreement_on_who_is_alive_is_in_the_title_by_group(alive, finding, as_text, snapshot):
    assert as_text(alive_by_model(alive)) == snapshot
    assert finding(alive_by_model(alive.filter(model="MBG/NBD"))) == (
        f"40{NBSP}% of one-time buyers are still customers and 55{NBSP}% of repeat buyers are still customers"
    )


def test_a_model_keeps_its_colour_whichever_others_stand_beside_it(forecast_days, captures):
    both = _colours(forecasts(forecast_days, END))
    alone = _colours(forecasts(forecast_days.filter(model="MBG/NBD"), END))
    assert both["MBG/NBD"] == alone["MBG/NBD"]
    assert _colours(value_captured(captures))["BG/NBD"] == both["BG/NBD"]
