"""The figures of a backtest tell what was found, with its interval, and keep a model's colour."""

from __future__ import annotations

import math
from datetime import date, timedelta

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_validation import (
    alive_by_model,
    calibration,
    findings_table,
    forecast_bias,
    forecasts,
    holdout_by_frequency,
    model_table,
    verdict,
)
from cxsim.reporting.shop.clv_value import value_captured

NBSP = "\N{NO-BREAK SPACE}"
END = date(1997, 4, 10)


@pytest.fixture
def scores():
    """A model with a likelihood, and a rule of thumb without, which held something impossible that came."""
    return pl.DataFrame(
        {
            "model": ["MBG/NBD", "Own <rate>"],
            "log_likelihood": [-14_363.2, None],
            "aic_gap": [0.0, None],
            "weight": [0.57, None],
            "orders_bias": [-0.162, 0.557],
            "mae": [0.765, 1.024],
            "rmse": [1.607, 2.212],
            "log_score": [0.982, math.inf],
            "coverage_80": [0.9245, 0.814],
            "coverage_95": [0.975, 0.875],
            "gini": [0.637, 0.671],
            "top_decile_capture": [None, None],
        },
        schema_overrides={"top_decile_capture": pl.Float64},
    )


def _findings(*rows):
    return pl.DataFrame(
        rows, schema=dict.fromkeys(["about", "severity", "sentence", "advice"], pl.String), orient="row"
    )


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


def test_the_holdout_counts_the_classes_whose_interval_holds_the_model(holdout, finding, as_text, snapshot):
    figure = holdout_by_frequency(holdout)
    assert finding(figure).endswith("in 2 of 3 classes of customers")
    assert as_text(figure) == snapshot


def test_a_rule_of_thumb_has_a_dash_where_it_has_no_likelihood_and_a_column_of_nothing_is_left_out(
    scores, as_text, snapshot
):
    assert as_text(model_table(scores)) == snapshot
    with pytest.raises(TableError, match="SCORES: no column 'mae'"):
        model_table(scores.drop("mae"))


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        (
            [("dropout", "caution", "Dropout is <not> identified.", "Use NBD."), ("tied", "note", "r and a.", "Fine.")],
            "The fits can be used; one thing must be said beside them",
        ),
        ([("spend", "stop", "Mean spend is infinite.", "-")], "Something found forbids the use of what hangs on it"),
        ([("tied", "note", "r and a.", "Fine.")], "Nothing found forbids the use of these fits"),
        ([], "The examination of the fits found nothing"),
    ],
)
def test_the_gravest_finding_is_in_the_title(rows, title, as_text, snapshot):
    table = findings_table(_findings(*rows))
    assert table.title == title
    assert as_text(table) == snapshot


def test_a_verdict_is_a_paragraph_and_a_list_in_which_nothing_is_markup():
    said = verdict("Use <MBG>.", ["It missed 12 % & more."])
    assert "<p>Use &lt;MBG&gt;.</p><ul><li>It missed 12 % &amp; more.</li></ul>" in said.markup
    assert repr(said) == "Use <MBG>.\nIt missed 12 % & more."
