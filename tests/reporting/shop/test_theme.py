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

from cxsim.data.shop import Policy
from cxsim.errors import TableError
from cxsim.reporting.business.what_if import what_if
from cxsim.reporting.shop import (
    clv_fit,
    clv_validation,
    clv_value,
    cohorts as heat_maps,
    dashboard as metrics,
    drivers,
    promoters,
)
from cxsim.reporting.tables import CHART, in_unit
from cxsim.reporting.theme import BASELINE, STRATEGIES, colours, distinguishable, enable, named, short, shortened
from cxsim.study.business.naive import CLV_STEPS
from cxsim.tables import empty
from cxsim.wording import written_as
from tests.grids import by_hand, centre
from tests.reporting.shop.conftest import metric

NBSP, NNBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
END = date(1997, 4, 10)
# Exact counts, and a spend with its interval in the title's axis: no interval in the subtitle.
EXACT = {"frequency_histogram"}


# Every figure of a shop: how it is drawn, and of which table.
FIGURES = {
    # Half of |600-610| + |200-190| + |120-130| + |80-70| is 20 of 1,000.
    "frequency_histogram": (clv_fit.frequency_histogram, "frequencies"),
    "tracking": (lambda days: clv_fit.tracking(days, END), "tracking_days"),
    "holdout_by_frequency": (clv_validation.holdout_by_frequency, "holdout"),
    "calibration": (clv_validation.calibration, "calibration_classes"),
    # 1,000 came after the fit; one model expected 900 (800 to 1,010), the other 850 (800 to 900).
    "forecasts": (lambda days: clv_validation.forecasts(days, END), "forecast_days"),
    "forecast_bias": (clv_validation.forecast_bias, "biases"),
    "alive_by_model": (clv_validation.alive_by_model, "alive"),
    "value_by_decile": (lambda table: clv_value.value_by_decile(table, "USD"), "tenths"),
    "value_captured": (clv_value.value_captured, "captures"),
    "spend_by_frequency": (lambda table: clv_value.spend_by_frequency(table, "USD"), "rfm"),
    # At age 1 the second cohort is not complete, so that age 0 is the last one that two complete cohorts have.
    "cohort_heatmap": (lambda table: heat_maps.cohort_heatmap(table, "retention", "USD"), "cohorts"),
    "weekly": (lambda table: metrics.weekly(table, metrics=["aov", "reopened"], currency="EUR"), "series"),
    "associations": (drivers.associations, "found"),
    # A difference of 0.1, beyond the root of 0.02^2 + 0.03^2 = 0.036.
    "dose_curve": (lambda table: drivers.dose_curve(table.filter(exposure="delivery days")), "doses"),
    "naive_against_truth": (lambda table: promoters.naive_against_truth(table, "USD"), "readings"),
    # Twenty customers at one and a half times and thirty at one and a tenth; nine and more are not an equal number.
    "ltv_by_nps": (lambda table: promoters.ltv_by_nps(table, "USD"), "worth_by_nps"),
    "selection": (promoters.selection, "panel"),
}
_CUSTOMER = {
    "customer_id": 7, "prob_alive": 1.0, "expected_orders": 0.02, "orders_low": 0, "orders_high": 1,
    "value": 0.31, "value_low": 0.0, "value_high": 4.2, "prob_none": 0.0, "days_to_next": None,
}  # fmt: skip


def _few(table):
    return pl.DataFrame([metric(title="Few", caution="too few: 4 of 10"), metric(title="None")], table.schema)


# Every table of a shop: how it is laid out, and of which rows.
TABLES = {
    # exp(ln 2 -/+ 1.6449 * 0.5 / 2) = 1.3257 and 3.0172.
    "fit": (
        lambda table: clv_fit.fit_table(table, "BG/NBD (r)"),
        pl.DataFrame({"parameter": ["r", "alpha"], "estimate": [2.0, 30.91], "std_error": [0.5, None]}),
    ),
    "engines": (
        clv_fit.engines_table,
        pl.DataFrame(
            [("BG/NBD", "r", 0.25, 0.2501, 0.0004), ("BG/NBD", "log-likelihood", -25_581.5381, -25_581.5382, 4e-9)],
            schema=list(clv_fit.ENGINES.columns),
            orient="row",
        ),
    ),
    "engine that lacks the model": (
        clv_fit.engines_table,
        pl.DataFrame([("BG/CNBD-2", "r", 0.25, None, None)], schema=empty(clv_fit.ENGINES).schema, orient="row"),
    ),
    "hygiene": (clv_fit.hygiene_table, pl.DataFrame([{"reason": "zero amount", "action": "dropped", "rows": 1_234}])),
    "value": (
        lambda table: clv_fit.value_table(table, "USD"),
        pl.DataFrame([(111, 1.0, 9.8765, 35.0, 1_234.567)], schema=list(clv_fit.VALUES.columns), orient="row"),
    ),
    "model": (clv_validation.model_table, "scores"),
    "totals": (
        lambda table: clv_value.worth_table(table, "Value", "They do not cover <all>."),
        pl.DataFrame(
            [{"quantity": "Revenue", "unit": "USD", "mean": 1_234_567.0, "low": 998_765.0, "high": 1_400_001.0}]
        ),
    ),
    "deciles": (lambda table: clv_value.decile_table(table, "USD"), "tenths"),
    "customers": (
        lambda table: clv_value.customer_table(table, "USD", 365),
        pl.DataFrame([_CUSTOMER, _CUSTOMER | {"days_to_next": 1_234.5}]),
    ),
    "at_risk": (lambda table: clv_value.at_risk_table(table, "USD", 1_030), "overdue"),
    "clv": (lambda table: clv_value.clv_table(table, "USD"), "steps"),
    "associations_table": (drivers.associations_table, "found"),
    "doses": (drivers.doses_table, "doses"),
    "naive": (lambda table: promoters.naive_table(table, "USD"), "readings"),
    "selection_table": (promoters.selection_table, "panel"),
    "dashboard": (lambda table: metrics.dashboard_table(table, "EUR"), "dashboard"),
    "not_measured": (lambda table: metrics.not_measured_table(pl.concat([table, _few(table)])), "dashboard"),
}


@pytest.fixture(scope="module")
def figures(request):
    return {name: draw(request.getfixturevalue(table)) for name, (draw, table) in FIGURES.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_its_finding_and_is_drawn_from_these_marks(figures, name, as_text, snapshot):
    assert as_text(figures[name]) == snapshot


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_so_and_its_twin_holds_all_digits(request, name, as_text, snapshot):
    lay_out, given = TABLES[name]
    rows = request.getfixturevalue(given) if isinstance(given, str) else given
    table = lay_out(rows)
    assert as_text(table) == snapshot
    assert name in {"dashboard", "not_measured"} or table.twin.equals(rows)


def test_what_was_realised_is_shown_only_where_it_is_known(tenths, as_text, snapshot):
    unknown = tenths.with_columns(realised=pl.lit(None, pl.Float64))
    assert as_text(clv_value.decile_table(unknown, "USD")) == snapshot
    assert as_text(clv_value.value_by_decile(unknown, "USD")) == snapshot


# A column that each of them needs.
NEEDED = {
    "tracking": "expected", "associations": "ratio", "dose_curve": "unit", "naive_against_truth": "truth",
    "ltv_by_nps": "mean", "selection": "ratio", "cohort_heatmap": "at_risk", "weekly": "usual_low",
    "model": "mae", "at_risk": "usual_days", "clv": "why", "doses": "unit", "naive": "truth", "dashboard": "change",
    "hygiene": "rows", "associations_table": "label", "selection_table": "ratio",
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_a_table_that_breaks_its_contract_is_refused(request, name):
    show, given = (FIGURES | TABLES)[name]
    rows = request.getfixturevalue(given) if isinstance(given, str) else given
    with pytest.raises(TableError, match=f"^[A-Z_]+: no column '{NEEDED[name]}'"):
        show(rows.drop(NEEDED[name]))


def test_each_file_begins_with_what_was_read_and_ends_with_what_was_kept(receipts, as_text, snapshot):
    # 1,012 − 1,002 − 1 − 1 = 8; what was kept all the same is not taken off.
    assert as_text(metrics.receipts_table(receipts, Policy())) == snapshot


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
        f"<chart: Modelled and observed repeat-order counts match for 98{NBSP}% of customers>"
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
        spec = clv_fit.frequency_histogram(many).to_dict()
    assert f"600{group}000" in _words(spec)
    number = {"decimal": decimal, "thousands": group, "grouping": [3], "currency": ["", ""]}
    assert spec["config"].get("locale", {"number": number}) == {"number": number}


def test_a_cell_of_cohorts_is_bare_wherever_the_currency_stands(cohorts):
    with written_as("de"):
        words = _words(heat_maps.cohort_heatmap(cohorts, "cumulative_revenue", "USD").to_dict())
    assert {"52,7", "44,0"} <= set(words)


def test_a_twin_has_the_same_numbers_in_every_locale_and_the_title_of_the_page(worth_by_nps, dashboard, finding):
    english = metrics.dashboard_table(dashboard, "USD")
    for locale in ("de", "fr", "ch"):
        with written_as(locale):
            local = metrics.dashboard_table(dashboard, "USD")
        assert local.machine()["rows"] == english.machine()["rows"]
        assert local.html() != english.html() or locale == "ch"
    with written_as("de"):
        assert clv_value.clv_table(
            pl.DataFrame([("model", 1.0, 0.9, 1.1, "")], list(CLV_STEPS.columns), orient="row"), "USD"
        ).title == ("The product of averages is 1,00 times the model's customer value")
        assert finding(promoters.ltv_by_nps(worth_by_nps, "USD")).startswith("Promoters spend 2,0 times")


def test_what_a_session_chose_with_its_figures_holds_for_its_tables():
    theme, renderer = alt.theme.active, alt.renderers.active
    report = pl.DataFrame({"reason": ["zero amount"], "action": ["dropped"], "rows": [1_234]})
    try:
        enable(locale="ch")
        assert f"1{APOSTROPHE}234" in clv_fit.hygiene_table(report).html()
    finally:
        enable()
        alt.theme.enable(theme)
        alt.renderers.enable(renderer)
    assert "1,234" in clv_fit.hygiene_table(report).html()


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("locale", "words", "price"),
    [
        ("en", r"NPV USD [+−]\d{1,3}(,\d{3})+ over ", f"USD{NBSP}1,500.25 per month"),
        ("de", rf"NPV [+−]\d{{1,3}}(\.\d{{3}})+{NBSP}USD over ", f"1.500,25{NBSP}USD per month"),
        ("fr", rf"NPV [+−]\d{{1,3}}({NNBSP}\d{{3}})+{NBSP}USD over ", f"1{NNBSP}500,25{NBSP}USD per month"),
        ("ch", rf"NPV USD [+−]\d{{1,3}}({APOSTROPHE}\d{{3}})+ over ", f"USD{NBSP}1{APOSTROPHE}500.25 per month"),
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
