"""Fits, backtests and values of customers: a number stands with its interval, and a model keeps its colour."""

from __future__ import annotations

import math
from datetime import date, timedelta

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import fit_table, frequency_histogram, hygiene_table, tracking, value_table
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


NBSP = "\N{NO-BREAK SPACE}"


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
