"""The figures of customer value tell what was found, with its interval, and keep a model's colour."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_validation import alive_by_model, calibration, forecast_bias, forecasts
from cxsim.reporting.shop.clv_value import value_by_decile, value_captured

NBSP = "\N{NO-BREAK SPACE}"
END = date(1997, 4, 10)


def _title(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def _colours(figure):
    found = {}
    for layer in figure.to_dict()["layer"]:
        scale = layer.get("encoding", {}).get("color", {}).get("scale")
        if scale:
            found |= dict(zip(scale["domain"], scale["range"], strict=True))
    return found


def test_the_forecasts_are_counted_from_what_was_observed_at_the_end_of_the_fit(forecast_days):
    # 1,000 came after the fit; one model expected 900 (800 to 1,010), the other 850 (800 to 900).
    assert _title(forecasts(forecast_days, END)) == (
        f"All 2 models expected 10 to 15{NBSP}% fewer repeat orders after the fit than the 1,000 that came; "
        "the interval of BG/NBD holds them"
    )


def test_one_model_is_named(forecast_days):
    alone = forecast_days.filter(pl.col("model") == "MBG/NBD")
    assert _title(forecasts(alone, END)) == (
        f"MBG/NBD expected 15{NBSP}% fewer repeat orders after the fit than the 1,000 that came; "
        "its interval does not hold them"
    )


def test_models_on_both_sides_are_alt_text_with_their_signs(forecast_days):
    above = pl.when(pl.col("model") == "BG/NBD").then(1.1 / 0.9).otherwise(1.0)
    lifted = forecast_days.with_columns(
        expected=pl.when(pl.col("day") > END).then(1_000 + (pl.col("expected") - 1_000) * above).otherwise("expected")
    )
    assert f"The 2 models expected from 15{NBSP}% fewer to 10{NBSP}% more" in _title(forecasts(lifted, END))


def test_the_days_of_the_end_of_the_fit_and_the_last_one_are_drawn(forecast_days):
    days = {row["day"] for rows in forecasts(forecast_days, END).to_dict()["datasets"].values() for row in rows}
    last = forecast_days["day"].max()
    assert {f"{END.isoformat()}T00:00:00", f"{last.isoformat()}T00:00:00"} <= days


def test_forecasts_that_end_with_the_fit_are_refused(forecast_days):
    with pytest.raises(TableError, match="must lie inside the days of the table; found 1997-01-01 to"):
        forecasts(forecast_days, END + timedelta(days=1_000))


def test_calibration_says_how_often_each_model_is_inside_and_who_misses_the_one_time_buyers(calibration_classes):
    assert _title(calibration(calibration_classes)) == (
        "Inside the interval of what happened: BG/NBD in 2 of 2 classes and MBG/NBD in 1. "
        f"Of one-time buyers MBG/NBD expected 25{NBSP}% too few"
    )


def test_the_share_of_the_first_tenth_is_alt_text_and_held_against_what_came(tenths):
    assert _title(value_by_decile(tenths, "USD")) == (
        f"The tenth expected to bring most, 75{NBSP}% of all value, brought 60{NBSP}%; "
        "1 of 2 tenths lie inside their interval"
    )


def test_where_nothing_is_known_yet_no_points_are_drawn(tenths):
    ahead = value_by_decile(tenths.with_columns(realised=pl.lit(None, pl.Float64)), "USD")
    assert _title(ahead) == f"The most valuable tenth of the customers is expected to bring 75{NBSP}% of all value"
    assert len(ahead.to_dict()["layer"]) == 2


def test_the_capture_of_the_first_fifth_is_alt_text(captures):
    assert _title(value_captured(captures)) == (f"The fifth that BG/NBD put first brought 60{NBSP}% of the later value")


def test_the_least_bias_is_alt_text_and_a_rule_of_thumb_has_no_line(biases):
    figure = forecast_bias(biases)
    assert _title(figure) == f"MBG/NBD misses the orders that came by least: −12{NBSP}%"
    assert f"Own rate goes on +56{NBSP}%." in figure.to_dict()["description"]


def test_a_disagreement_on_who_is_alive_is_alt_text_by_group(alive):
    assert _title(alive_by_model(alive)) == (
        f"Depending on the model, 40{NBSP}% to more than 99.5{NBSP}% of one-time buyers and "
        f"55{NBSP}% to 60{NBSP}% of repeat buyers are still customers"
    )


def test_a_model_keeps_its_colour_whichever_others_stand_beside_it(forecast_days, captures):
    both = _colours(forecasts(forecast_days, END))
    alone = _colours(forecasts(forecast_days.filter(pl.col("model") == "MBG/NBD"), END))
    assert both["MBG/NBD"] == alone["MBG/NBD"]
    assert _colours(value_captured(captures))["BG/NBD"] == both["BG/NBD"]
