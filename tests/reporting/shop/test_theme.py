"""Figures say their finding, units and interval, stay small, are drawn everywhere, and write numbers by locale."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from html import unescape

import altair as alt
import nbformat
import polars as pl
import pytest
import vl_convert

from cxsim.reporting.business.what_if import what_if
from cxsim.reporting.shop.clv_fit import frequency_histogram, hygiene_table, tracking
from cxsim.reporting.shop.clv_validation import (
    alive_by_model,
    calibration,
    forecast_bias,
    forecasts,
    holdout_by_frequency,
)
from cxsim.reporting.shop.clv_value import clv_table, spend_by_frequency, value_by_decile, value_captured
from cxsim.reporting.shop.cohorts import cohort_heatmap
from cxsim.reporting.shop.dashboard import dashboard_table, weekly
from cxsim.reporting.shop.drivers import associations, dose_curve
from cxsim.reporting.shop.promoters import ltv_by_nps, naive_against_truth, selection
from cxsim.reporting.tables import CHART, in_unit
from cxsim.reporting.theme import BASELINE, STRATEGIES, colours, distinguishable, enable, named, short, shortened
from cxsim.study.predictive_clv import CLV_STEPS
from cxsim.wording import written_as
from tests.grids import by_hand, centre

NBSP, NNBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
END = date(1997, 4, 10)
# Exact counts, and a spend with its interval in the title's axis: no interval in the subtitle.
EXACT = {"frequency_histogram"}


@pytest.fixture(scope="module")
def figures(request):
    """Every figure of a shop."""
    table = request.getfixturevalue
    return {
        "frequency_histogram": frequency_histogram(table("frequencies")),
        "tracking": tracking(table("tracking_days"), END),
        "holdout_by_frequency": holdout_by_frequency(table("holdout")),
        "calibration": calibration(table("calibration_classes")),
        "forecasts": forecasts(table("forecast_days"), END),
        "forecast_bias": forecast_bias(table("biases")),
        "alive_by_model": alive_by_model(table("alive")),
        "value_by_decile": value_by_decile(table("tenths"), "USD"),
        "value_captured": value_captured(table("captures")),
        "spend_by_frequency": spend_by_frequency(table("rfm"), "USD"),
        "cohort_heatmap": cohort_heatmap(table("cohorts"), "retention", "USD"),
        "weekly": weekly(table("series"), metrics=["aov", "reopened"], currency="USD"),
        "associations": associations(table("found")),
        "dose_curve": dose_curve(table("doses").filter(exposure="delivery days")),
        "naive_against_truth": naive_against_truth(table("readings"), "USD"),
        "ltv_by_nps": ltv_by_nps(table("worth_by_nps"), "USD"),
        "selection": selection(table("panel")),
    }


@pytest.fixture(scope="module")
def specs(figures):
    """Their specifications as a notebook stores them, under the theme and the renderer of cxsim."""
    theme, renderer = alt.theme.active, alt.renderers.active
    enable()
    stored = {name: figure._repr_mimebundle_()[0] for name, figure in figures.items()}
    alt.theme.enable(theme)
    alt.renderers.enable(renderer)
    return stored


def _words(spec) -> list[str]:
    svg = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version="6.4", allowed_base_urls=[])
    return [unescape(text) for text in re.findall(r">([^<>]+)</text>", svg)]


def test_importing_the_figures_changes_no_setting_of_altair():
    program = (
        "import altair as alt; before = alt.theme.active, alt.renderers.active; import cxsim.reporting; "
        "raise SystemExit(before != (alt.theme.active, alt.renderers.active))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_figure_is_stored_as_one_specification_without_an_address_and_one_line_of_text(specs):
    for name, stored in specs.items():
        assert set(stored) == {CHART, "text/plain"}, name
        assert "http" not in json.dumps(stored), name
        assert "locale" not in stored[CHART]["config"], name
    assert specs["frequency_histogram"]["text/plain"] == (
        f"<chart: Model and observation agree on how often 98{NBSP}% of customers come back>"
    )
    cell = nbformat.v4.new_code_cell(
        outputs=[nbformat.v4.new_output("display_data", data=stored) for stored in specs.values()]
    )
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


# 6.4 draws the report; 5.8 is the oldest at hand, nearest to the 5.6 with which JupyterLab 4 draws a notebook.
@pytest.mark.parametrize("version", ["5.8", "6.4"])
def test_every_figure_is_drawn_by_the_report_and_by_jupyterlab(specs, version):
    for name, stored in specs.items():
        drawn = vl_convert.vegalite_to_svg(json.dumps(stored[CHART]), vl_version=version)
        assert drawn.count("<path") > 5, name
        assert "NaN" not in drawn, name
        assert "undefined" not in drawn, name


def test_every_figure_describes_itself_and_its_interval_to_those_who_cannot_see_it(specs):
    for name, stored in specs.items():
        title = stored[CHART]["title"]
        finding, shown = " ".join(title["text"]), " ".join(title["subtitle"])
        assert stored[CHART]["description"].startswith(f"{finding}. {shown}"), name
        assert name in EXACT or "interval" in shown, name


def test_every_figure_of_money_names_the_currency_on_its_axis(specs):
    for name in ("spend_by_frequency", "value_by_decile", "ltv_by_nps"):
        axes = re.findall(r'"title": "([^"]*)"', json.dumps(specs[name]))
        assert any(axis.endswith(", USD") for axis in axes), name


def test_a_figure_has_a_few_hundred_rows_and_six_significant_digits_at_most(specs):
    for name, stored in specs.items():
        rows = [row for rows in stored[CHART]["datasets"].values() for row in rows]
        assert len(rows) < 400, name
        numbers = [value for row in rows for value in row.values() if isinstance(value, float)]
        assert numbers == [float(f"{value:.6g}") for value in numbers], name


# The frequencies of `conftest`, times a thousand, so that the axis has thousands.
@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("locale", "group", "decimal"), [("en", ",", "."), ("de", ".", ","), ("fr", NNBSP, ","), ("ch", APOSTROPHE, ".")]
)
def test_numbers_that_the_browser_writes_follow_the_locale(frequencies, locale, group, decimal):
    many = frequencies.with_columns(observed=frequencies["observed"] * 1_000, expected=frequencies["expected"] * 1_000)
    with written_as(locale):
        spec = frequency_histogram(many).to_dict()
    assert f"600{group}000" in _words(spec)
    number = {"decimal": decimal, "thousands": group, "grouping": [3], "currency": ["", ""]}
    assert spec["config"].get("locale", {"number": number}) == {"number": number}


def test_a_cell_of_cohorts_is_bare_wherever_the_currency_stands(cohorts):
    with written_as("de"):
        words = _words(cohort_heatmap(cohorts, "cumulative_revenue", "USD").to_dict())
    assert {"52,7", "44,0"} <= set(words)


def test_a_twin_has_the_same_numbers_in_every_locale_and_the_title_of_the_page(worth_by_nps, dashboard, finding):
    english = dashboard_table(dashboard, "USD")
    for locale in ("de", "fr", "ch"):
        with written_as(locale):
            local = dashboard_table(dashboard, "USD")
        assert local.machine()["rows"] == english.machine()["rows"]
        assert local.html() != english.html() or locale == "ch"
    with written_as("de"):
        assert clv_table(
            pl.DataFrame([("model", 1.0, 0.9, 1.1, "")], list(CLV_STEPS.columns), orient="row"), "USD"
        ).title == ("The product of averages says 1,00 times what the model expects of a customer")
        assert finding(ltv_by_nps(worth_by_nps, "USD")).startswith("Promoters spend 2,0 times")


def test_what_a_session_chose_with_its_figures_holds_for_its_tables():
    theme, renderer = alt.theme.active, alt.renderers.active
    report = pl.DataFrame({"reason": ["zero amount"], "action": ["dropped"], "rows": [1_234]})
    try:
        enable(locale="ch")
        assert f"1{APOSTROPHE}234" in hygiene_table(report).html()
    finally:
        enable()
        alt.theme.enable(theme)
        alt.renderers.enable(renderer)
    assert "1,234" in hygiene_table(report).html()


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("locale", "words", "price"),
    [
        ("en", r"NPV USD [+−]\d{1,3}(,\d{3})+: ", f"USD{NBSP}1,500.25 per month"),
        ("de", rf"NPV [+−]\d{{1,3}}(\.\d{{3}})+{NBSP}USD: ", f"1.500,25{NBSP}USD per month"),
        ("fr", rf"NPV [+−]\d{{1,3}}({NNBSP}\d{{3}})+{NBSP}USD: ", f"1{NNBSP}500,25{NBSP}USD per month"),
        ("ch", rf"NPV USD [+−]\d{{1,3}}({APOSTROPHE}\d{{3}})+: ", f"USD{NBSP}1{APOSTROPHE}500.25 per month"),
    ],
)
def test_a_price_and_the_result_beside_sliders_follow_the_locale(locale, words, price):
    (english,) = what_if(by_hand(), centre(x=2.0, gross_margin=0.5, horizon_months=2), "USD")
    with written_as(locale):
        assert in_unit(1_500.25, "money per month", "USD") == price
        (figure,) = what_if(by_hand(), centre(x=2.0, gross_margin=0.5, horizon_months=2), "USD")
        (text,) = [text for text in _words(figure.to_dict()) if text.startswith("NPV ")]
    assert re.match(words, text)
    (same,) = [text for text in _words(english.to_dict()) if text.startswith("NPV ")]
    assert re.sub(r"\D", "", text) == re.sub(r"\D", "", same)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0.0, "0"),
        (-0.4, "0"),
        (87.3, "87"),
        (999.4, "999"),
        (999.6, "1k"),
        (-3_210.0, "−3.2k"),
        (9_960.0, "10k"),
        (12_340.0, "12k"),
        (-999_600.0, "−1M"),
        (2_500_000_000.0, "2.5bn"),
    ],
)
def test_an_amount_is_printed_in_few_characters(amount, written):
    assert short(amount) == written


@pytest.mark.parametrize(
    ("values", "unit", "written"),
    [
        ([0.97, 1.27], "ratio", ["0.97", "1.27"]),
        # 0.002 apart: four units of the last digit are four decimals, of which the last is nothing for both.
        ([1.001, 1.003], "ratio", ["1.001", "1.003"]),
        ([0.25, 0.58], "share", [f"25{NBSP}%", f"58{NBSP}%"]),
        ([0.02, 0.05], "share per year", [f"2{NBSP}% a year", f"5{NBSP}% a year"]),
        ([55.0, 150.0], "days", [f"55{NBSP}days", f"150{NBSP}days"]),
        ([1.95, 3.15], "money per order", [f"USD{NBSP}1.95", f"USD{NBSP}3.15"]),
        ([2.0, 2.5], "money", [f"USD{NBSP}2.00", f"USD{NBSP}2.50"]),
        ([480.0, 1_330.0], "money", [f"USD{NBSP}480", f"USD{NBSP}1,330"]),
        ([-1.2, -0.4], "elasticity", ["−1.2", "−0.4"]),
        ([3.0, 3.0], "hours", [f"3{NBSP}hours", f"3{NBSP}hours"]),
        ([0.0], "ratio", ["0"]),
    ],
)
def test_values_of_one_assumption_can_be_told_apart_in_their_unit(values, unit, written):
    assert distinguishable(values, unit, "USD") == written


# 0.5 between two prices takes one decimal: a bill in dollars then has two, one in dinars three, one in yen one.
@pytest.mark.parametrize(("currency", "last"), [("USD", "13.00"), ("KWD", "13.000"), ("JPY", "13.0")])
def test_prices_have_the_decimals_of_their_currency(currency, last):
    assert distinguishable([12.5, 13.0], "money", currency)[-1] == f"{currency}{NBSP}{last}"


def test_amounts_follow_the_locale():
    with written_as("de"):
        assert [short(amount) for amount in (-3_210.0, 1_250_000.0, -0.2)] == [f"{MINUS}3,2k", "1,2M", "0"]
        assert distinguishable([5_662.3, 11_320.9], "money", "USD") == [f"5.700{NBSP}USD", f"11.300{NBSP}USD"]


@pytest.mark.parametrize(
    ("characters", "written"),
    [
        (80, "Share of the orders that use it, including others: all of them"),
        (55, "Share of the orders that use it, including others"),
        (40, "Share of the orders that use it"),
        (24, "Share of the orders…"),
    ],
)
def test_a_long_description_ends_with_a_whole_clause_or_else_between_words(characters, written):
    text = "Share of the orders that use it, including others: all of them."
    assert shortened(text, characters) == written


def test_a_strategy_has_the_colour_of_its_place_and_none_is_as_grey_as_doing_nothing():
    scale = colours([str(place) for place in range(len(STRATEGIES) + 1)]).to_dict()
    assert scale["range"] == [*STRATEGIES, STRATEGIES[0]]
    assert BASELINE not in STRATEGIES


def test_a_strategy_is_named_by_its_title_or_else_by_its_identifier_in_words():
    assert named(pl.DataFrame({"strategy": ["win_back"]}))["name"].to_list() == ["Win back"]
    titled = pl.DataFrame({"strategy": ["win_back"], "title": ["Win-back coupon"]})
    assert named(titled)["name"].to_list() == ["Win-back coupon"]
