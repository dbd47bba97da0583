"""Figures write numbers as the locale does: on axes, in labels and titles, and beside sliders."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
import vl_convert

from cxsim.reporting.business.information import value_of_information
from cxsim.reporting.business.returns import npv_by_strategy
from cxsim.reporting.business.what_if import what_if
from cxsim.reporting.shop.clv_fit import frequency_histogram
from cxsim.reporting.shop.cohorts import cohort_heatmap
from cxsim.reporting.theme import distinguishable, short
from cxsim.wording import written_as
from tests.charts.cases import information
from tests.grids import by_hand, centre

NBSP, NNBSP, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"


def _words(chart) -> list[str]:
    svg = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()), vl_version="6.4", allowed_base_urls=[])
    return [unescape(text) for text in re.findall(r">([^<>]+)</text>", svg)]


def _what_if():
    (chart,) = what_if(by_hand(), centre(x=2.0, gross_margin=0.5, horizon_months=2), "USD")
    return chart


@pytest.mark.usefixtures("enabled")
def test_in_english_a_specification_names_no_locale(figures):
    for name, figure in figures.items():
        assert "locale" not in figure.to_dict()["config"], name


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("locale", "group", "decimal"), [("de", ".", ","), ("fr", NNBSP, ","), ("ch", APOSTROPHE, ".")]
)
def test_a_specification_carries_the_separators(returns, locale, group, decimal):
    with written_as(locale):
        spec = npv_by_strategy(returns, "USD").to_dict()
    number = {"decimal": decimal, "thousands": group, "grouping": [3], "currency": ["", ""]}
    assert spec["config"]["locale"] == {"number": number}


# The frequencies of `conftest`, times a thousand, so that the axis has thousands.
@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("locale", "label"), [("en", "600,000"), ("de", "600.000"), ("fr", f"600{NNBSP}000"), ("ch", f"600{APOSTROPHE}000")]
)
def test_numbers_that_the_browser_writes_follow(frequencies, locale, label):
    many = frequencies.with_columns(observed=frequencies["observed"] * 1_000, expected=frequencies["expected"] * 1_000)
    with written_as(locale):
        assert label in _words(frequency_histogram(many))


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(("locale", "label"), [("en", "1.5k"), ("de", "1,5k"), ("ch", "1.5k")])
def test_short_amounts_on_an_axis_follow(returns, locale, label):
    # Ticks beyond ten thousand are in whole thousands, so the format of the axis is asked for a number between them.
    spec = npv_by_strategy(returns, "USD")
    with written_as(locale):
        drawn = spec.to_dict()
    (expression,) = set(re.findall(r"replace\(format\(datum\.value, '~s'\), 'G', 'bn'\)", json.dumps(drawn)))
    tiny = {
        "data": {"values": [{"value": 1_500}]},
        "mark": "text",
        "transform": [{"calculate": expression, "as": "alt_text"}],
        "encoding": {"text": {"field": "alt_text"}},
        "config": drawn["config"],
    }
    svg = vl_convert.vegalite_to_svg(json.dumps(tiny), vl_version="6.4", allowed_base_urls=[])
    assert f">{label}</text>" in svg


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("locale", "alt_text"),
    [
        ("en", r"NPV USD [+−]\d{1,3}(,\d{3})+: "),
        ("de", rf"NPV [+−]\d{{1,3}}(\.\d{{3}})+{NBSP}USD: "),
        ("fr", rf"NPV [+−]\d{{1,3}}({NNBSP}\d{{3}})+{NBSP}USD: "),
        ("ch", rf"NPV USD [+−]\d{{1,3}}({APOSTROPHE}\d{{3}})+: "),
    ],
)
def test_the_result_beside_sliders_follows(locale, alt_text):
    with written_as(locale):
        (words,) = [text for text in _words(_what_if()) if text.startswith("NPV ")]
    assert re.match(alt_text, words)


def test_the_result_beside_sliders_is_the_same_number_in_every_locale():
    def digits(locale):
        with written_as(locale):
            (words,) = [text for text in _words(_what_if()) if text.startswith("NPV ")]
        return re.sub(r"\D", "", words)

    assert len({digits(locale) for locale in ("en", "de", "fr", "ch")}) == 1


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("en", [f"USD{NBSP}5,700", f"USD{NBSP}11,300"]),
        ("de", [f"5.700{NBSP}USD", f"11.300{NBSP}USD"]),
        ("fr", [f"5{NNBSP}700{NBSP}USD", f"11{NNBSP}300{NBSP}USD"]),
        ("ch", [f"USD{NBSP}5{APOSTROPHE}700", f"USD{NBSP}11{APOSTROPHE}300"]),
    ],
)
def test_values_of_assumptions_follow(locale, texts):
    with written_as(locale):
        assert distinguishable([5_662.3, 11_320.9], "money", "USD") == texts


def test_short_amounts_in_cells_follow():
    with written_as("de"):
        assert [short(amount) for amount in (-3_210.0, 1_250_000.0, -0.2)] == [f"{MINUS}3,2k", "1,2M", "0"]


# 0.5 between two prices takes one decimal: a bill in dollars then has two, one in dinars three, one in yen one.
@pytest.mark.parametrize(("currency", "last"), [("USD", "13.00"), ("KWD", "13.000"), ("JPY", "13.0")])
def test_prices_have_the_decimals_of_their_currency(currency, last):
    assert distinguishable([12.5, 13.0], "money", currency)[-1] == f"{currency}{NBSP}{last}"


def test_a_cell_of_cohorts_is_bare_wherever_the_currency_stands(cohorts):
    with written_as("de"):
        words = _words(cohort_heatmap(cohorts, "cumulative_revenue", "USD"))
    assert "52,7" in words
    assert "44,0" in words


@pytest.mark.usefixtures("enabled")
def test_a_title_and_what_is_read_aloud_follow():
    with written_as("de"):
        spec = value_of_information(information(), "USD").to_dict()
    assert " ".join(spec["title"]["text"]).endswith(f"it is worth up to 5.310{NBSP}USD")
    assert f"5.310{NBSP}USD" in spec["description"]
