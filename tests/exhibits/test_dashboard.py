"""The dashboard shows each metric with its unit, its interval and its change, and lists what is not measured."""

from __future__ import annotations

import re
from datetime import datetime

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.dashboard import DASHBOARD
from cxsim.reporting.shop.dashboard import dashboard_table, not_measured_table
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"


def metric(**known):
    """One metric in the week of 4 March 2024, with what is `known` of it and nothing else."""
    row = dict.fromkeys(DASHBOARD.columns) | {
        "metric": "m",
        "title": "M",
        "family": "Orders",
        "unit": "share",
        "direction": "neither",
        "period_start": datetime.fromisoformat("2024-03-04"),
        "period_end": datetime.fromisoformat("2024-03-11"),
        "method": "Wilson",
        "caution": "",
    }
    return row | known


@pytest.fixture
def dashboard():
    """Six metrics in all units that matter; one alert, one caution with markup, two that are not measured."""
    rows = [
        metric(
            metric="aov", title="Average order <b>", unit="money", direction="higher",
            value=52.345, low=49.9, high=54.72, previous=50.0, change=2.345, change_low=0.51, change_high=4.18,
            units=410,
        ),
        metric(
            metric="nps", title="Net Promoter Score", family="Satisfaction", unit="score", direction="higher",
            value=-12.34, low=-30.0, high=5.0, previous=1.0, change=-13.34, change_low=-25.0, change_high=-1.7,
            caution="fewer than 30 answers <i>", alert="below",
        ),
        metric(
            metric="csat", title="Satisfied", family="Satisfaction", direction="higher",
            value=0.8121, low=0.7005, high=0.9, previous=0.8, change=0.0121, change_low=-0.1, change_high=0.125,
            caution="fewer than 30 answers <i>",
        ),
        metric(
            metric="first_response", title="First answer", family="Support", unit="hours", direction="lower",
            value=4.0, low=1.0, previous=2.04, change=1.96,
        ),
        metric(metric="cvr", title="Conversion", family="Visits & more", missing="there is no table of <sessions>."),
        metric(metric="cac", title="Cost", family="Winning customers", unit="money", missing="there is no marketing."),
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=empty(DASHBOARD).schema)


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return [re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]


def test_money_is_shown_with_its_currency_and_three_digits_and_a_change_with_its_sign(dashboard):
    assert _row(dashboard_table(dashboard, "EUR").html(), "Average order &lt;b&gt;") == [
        f"EUR{NBSP}52.3", "49.9 to 54.7", f"EUR{NBSP}50.0", f"EUR{NBSP}+2.35", "+0.51 to +4.18",
        "higher, clearly (better)", "",
    ]  # fmt: skip


def test_a_share_changes_by_percentage_points_and_an_interval_that_holds_zero_is_no_clear_change(dashboard):
    assert _row(dashboard_table(dashboard, "EUR").html(), "Satisfied") == [
        f"81.2{NBSP}%", f"70.0 to 90.0{NBSP}%", f"80.0{NBSP}%", f"+1.2{NBSP}pp", f"−10.0 to +12.5{NBSP}pp",
        f"no{NBSP}clear{NBSP}change", "",
    ]  # fmt: skip


def test_a_score_below_its_usual_range_is_marked_and_judged_by_what_is_better(dashboard):
    assert _row(dashboard_table(dashboard, "EUR").html(), "Net Promoter Score") == [
        "−12.3", "−30.0 to 5.0", "1.0", "−13.3", "−25.0 to −1.7", "lower, clearly (worse)", "▼ below",
    ]  # fmt: skip


def test_an_end_out_of_reach_and_a_change_without_interval_are_said_as_such(dashboard):
    assert _row(dashboard_table(dashboard, "EUR").html(), "First answer") == [
        f"4.0{NBSP}h", f"1.0{NBSP}h or more", f"2.0{NBSP}h", f"+2.0{NBSP}h", "–", "–", "",
    ]  # fmt: skip


def test_metrics_stand_under_their_families_in_the_order_of_the_table(dashboard):
    html = dashboard_table(dashboard, "EUR").html()
    heads = re.findall(r"gt_group_heading[^>]*>(.*?)</th>", html)
    assert heads == ["Orders", "Satisfaction", "Support"]


def test_the_title_names_what_lies_outside_its_usual_range(dashboard):
    assert dashboard_table(dashboard, "EUR").title == (
        "One of four metrics lies outside its usual range: Net Promoter Score"
    )
    calm = dashboard.with_columns(alert=pl.lit(None, dtype=pl.String))
    assert dashboard_table(calm, "EUR").title == "None of four metrics lies outside its usual range"
    wild = dashboard.with_columns(alert=pl.lit("above"))
    assert dashboard_table(wild, "EUR").title == "Four of four metrics lie outside their usual range"


def test_the_column_of_alerts_is_there_only_where_there_is_one(dashboard):
    calm = dashboard.with_columns(alert=pl.lit(None, dtype=pl.String))
    assert "Alert<" in dashboard_table(dashboard, "EUR").html().replace("</", "<")
    assert "Alert<" not in dashboard_table(calm, "EUR").html().replace("</", "<")


def test_the_period_ends_with_its_last_day(dashboard):
    assert "2024-03-04 to 2024-03-10, beside the period before" in dashboard_table(dashboard, "EUR").html()


def test_a_caution_is_said_once_for_all_metrics_that_it_is_about(dashboard):
    html = dashboard_table(dashboard, "EUR").html()
    assert html.count("Net Promoter Score; Satisfied: fewer than 30 answers &lt;i&gt;") == 1


def test_what_is_not_measured_is_listed_with_its_reason_in_a_folded_table(dashboard):
    table = not_measured_table(dashboard)
    assert (table.title, table.fold) == ("Two of six metrics are not measured", "folded")
    assert _row(table.html(), "Conversion") == ["there is no table of &lt;sessions&gt;."]
    assert "Visits &amp; more" in table.html()
    assert "Conversion" not in dashboard_table(dashboard, "EUR").html()
    one = dashboard.filter(pl.col("metric") != "cac")
    assert not_measured_table(one).title == "One of five metrics is not measured"


def test_a_metric_of_too_few_is_listed_with_that_reason_and_one_without_any_reason_too(dashboard):
    few = pl.DataFrame([metric(title="Few", caution="too few to say: 4 of 10"), metric(title="None")], dashboard.schema)
    html = not_measured_table(few).html()
    assert _row(html, "Few") == ["too few to say: 4 of 10"]
    assert _row(html, "None") == ["nothing to measure"]
    assert "Few" not in str(dashboard_table(pl.concat([dashboard, few]), "EUR").html())


def test_where_everything_or_nothing_is_measured_a_sentence_says_so(dashboard):
    measured, missing = (dashboard.filter(pl.col("value").is_not_null() == there) for there in (True, False))
    assert str(not_measured_table(measured)) == "Every metric of the catalogue is measured."
    assert str(dashboard_table(missing, "EUR")).startswith("Nothing is measured here")


def test_the_twin_keeps_the_numbers_of_what_is_measured(dashboard):
    assert dashboard_table(dashboard, "EUR").twin.equals(dashboard.head(4))


def test_a_table_without_a_change_is_refused(dashboard):
    for lay_out in (lambda table: dashboard_table(table, "EUR"), not_measured_table):
        with pytest.raises(TableError, match="DASHBOARD: no column 'change'"):
            lay_out(dashboard.drop("change"))
