"""Fits, backtests and values of customers: a number stands with its interval, and a model keeps its colour."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.clv_fit import tracking
from cxsim.reporting.shop.clv_validation import alive_by_model, findings_table, forecasts, verdict
from cxsim.reporting.shop.clv_value import at_risk_table, decile_table, spend_by_frequency, value_captured

END = date(1997, 4, 10)


def test_a_model_that_is_right_is_not_called_too_high_or_too_low(tracking_days, finding):
    exact = tracking_days.with_columns(expected=pl.col("observed").cast(pl.Float64))
    assert finding(tracking(exact, END)) == (
        "In the holdout period customers placed 1,000 repeat orders; the model forecast 1,000"
    )


NBSP = "\N{NO-BREAK SPACE}"


def _findings(*rows):
    return pl.DataFrame(
        rows, schema=dict.fromkeys(["about", "severity", "sentence", "advice"], pl.String), orient="row"
    )


def _colours(figure):
    scales = [layer.get("encoding", {}).get("color", {}).get("scale") for layer in figure.to_dict()["layer"]]
    return {
        name: colour for scale in scales if scale for name, colour in zip(scale["domain"], scale["range"], strict=True)
    }


@pytest.mark.parametrize("draw", [tracking, forecasts])
def test_the_end_of_the_fit_and_the_last_day_are_drawn_and_must_lie_inside_the_days(tracking_days, forecast_days, draw):
    days = tracking_days if draw is tracking else forecast_days
    drawn = {row["day"] for rows in draw(days, END).to_dict()["datasets"].values() for row in rows}
    assert {"1997-04-10T00:00:00", "1997-07-19T00:00:00"} <= drawn
    with pytest.raises(TableError, match=r"1999-01-01, must lie inside .* 1997-01-01 to 1997-07-19"):
        draw(days, date(1999, 1, 1))


def test_one_model_is_named(forecast_days, alive, finding):
    assert finding(alive_by_model(alive.filter(model="MBG/NBD"))) == (
        f"40{NBSP}% of one-time buyers are still active and 55{NBSP}% of repeat buyers are still active"
    )
    assert finding(forecasts(forecast_days.filter(model="MBG/NBD"), END)) == (
        f"MBG/NBD forecast 15{NBSP}% fewer repeat orders than the 1,000 observed; its interval excludes that total"
    )


def test_models_on_both_sides_stand_with_their_signs(forecast_days, finding):
    above = pl.when(pl.col("model") == "BG/NBD").then(1.1 / 0.9).otherwise(1.0)
    lifted = forecast_days.with_columns(
        expected=pl.when(pl.col("day") > END).then(1_000 + (pl.col("expected") - 1_000) * above).otherwise("expected")
    )
    assert f"The two models forecast from 15{NBSP}% fewer to 10{NBSP}% more" in finding(forecasts(lifted, END))


def test_a_model_keeps_its_colour_whichever_others_stand_beside_it(forecast_days, captures):
    both = _colours(forecasts(forecast_days, END))
    alone = _colours(forecasts(forecast_days.filter(model="MBG/NBD"), END))
    assert both["MBG/NBD"] == alone["MBG/NBD"]
    assert _colours(value_captured(captures))["BG/NBD"] == both["BG/NBD"]


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        (
            [("dropout", "caution", "Dropout is <not> identified.", "Use NBD."), ("tied", "note", "r and a.", "Fine.")],
            "The fits can be used with one caution",
        ),
        ([("spend", "stop", "Mean spend is infinite.", "-")], "At least one result must not be used"),
        ([("tied", "note", "r and a.", "Fine.")], "The fits can be used without cautions"),
        ([], "No issues found in the fits"),
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


def _customers(frequency, spend):
    days = dict.fromkeys(("frequency", "recency_days", "age_days"), frequency)
    columns = {"customer_id": list(range(len(frequency))), **days, "monetary_value": spend}
    return pl.DataFrame(columns, schema_overrides={"monetary_value": pl.Float64})


def test_who_is_overdue_is_counted_in_the_title(overdue):
    assert at_risk_table(overdue, "USD", 1).title.startswith("1 customer is overdue")
    assert at_risk_table(overdue.clear(), "USD", 0).title == "No customer is overdue for the next order"


def test_a_table_says_how_many_of_its_rows_expect_what_lies_outside_their_interval(overdue, tenths, as_text):
    assert "outside" not in as_text(at_risk_table(overdue, "USD", 1)) + as_text(decile_table(tenths, "USD"))
    rare = as_text(at_risk_table(pl.concat([overdue, overdue.with_columns(value_high=0.0)]), "USD", 2))
    assert "In 1 of 2 rows the expected value lies outside its interval: it is a mean" in rare
    assert "In 2 of 2 rows" in as_text(decile_table(tenths.with_columns(high=pl.col("low")), "USD"))


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
