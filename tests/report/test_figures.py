"""Charts are drawn without a network, the same each time, with their data as text."""

from __future__ import annotations

import altair as alt
import pytest

from cxsim.errors import ReportError
from cxsim.reporting.drawings import VEGA_LITE, chart_label, draw

BARS = {
    "title": "Costs",
    "mark": "bar",
    "data": {"values": [{"month": 1, "cash": 1234.5}, {"month": 2, "cash": None}]},
    "encoding": {"x": {"field": "month"}, "y": {"field": "cash", "title": "Cash, EUR"}},
}


def test_charts_are_drawn_by_the_version_that_altair_writes_for():
    assert alt.SCHEMA_VERSION.startswith(f"v{VEGA_LITE}.")


def test_a_chart_drawn_twice_is_the_same_text():
    assert draw(BARS, "figure-1") == draw(BARS, "figure-1")


def test_the_inner_ids_of_a_drawing_belong_to_its_figure():
    svg = draw({**BARS, "mark": {"type": "bar", "clip": True}}, "figure-9").svg
    assert 'id="figure-9-clip' in svg
    assert "url(#figure-9-clip" in svg


def test_sliders_are_alt_text_with_the_values_from_which_they_start():
    bind = {"input": "range", "min": -1, "max": 1, "name": "Margin "}
    params = [{"name": "margin", "value": -0.125, "bind": bind}, {"name": "plain", "value": 2.5, "bind": bind}]
    writing = {"scale": 100, "decimals": 1, "unit": "%"}
    alt_text = draw({**BARS, "params": params, "usermeta": {"sliders": {"margin": writing}}}, "f").sliders
    assert alt_text == ("Margin \N{MINUS SIGN}12.5\N{NO-BREAK SPACE}%", "Margin 2.5")
    assert draw(BARS, "f").sliders == ()


def test_words_beside_a_chart_write_numbers_as_its_axes_do():
    bind = {"input": "range", "min": -1, "max": 1, "name": "Margin "}
    params = [{"name": "margin", "value": -0.125, "bind": bind}, {"name": "plain", "value": 2.5, "bind": bind}]
    number = {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", ""]}
    german = {"config": {"locale": {"number": number}}, "params": params}
    writing = {"scale": 100, "decimals": 1, "unit": "%"}
    figure = draw({**BARS, **german, "usermeta": {"sliders": {"margin": writing}}}, "f")
    assert figure.sliders == ("Margin \N{MINUS SIGN}12,5\N{NO-BREAK SPACE}%", "Margin 2,5")
    assert figure.tables[0].rows == (("1", "1.234,5"), ("2", ""))


def test_the_data_of_a_small_chart_is_a_table_under_its_titles():
    (table,) = draw(BARS, "f").tables
    assert (table.columns, table.rows) == (("month", "Cash, EUR"), (("1", "1,234.5"), ("2", "")))


def test_the_data_of_a_large_chart_is_left_to_its_twin():
    rows = [{"month": month, "cash": month} for month in range(61)]
    assert draw({**BARS, "data": {"values": rows}}, "f").tables == ()


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ({"description": "D", "title": "T"}, "D"),
        ({"title": {"text": ["A", "B"]}}, "A B"),
        ({"hconcat": [{}, {"layer": [{"title": "inner"}]}]}, "inner"),
        ({}, "Chart"),
    ],
)
def test_a_chart_is_called_by_its_description_or_the_first_title_inside(spec, label):
    assert chart_label(spec) == label


def test_a_chart_that_loads_its_data_is_refused():
    with pytest.raises(ReportError, match=r"'Costs' loads 'https://example.org/a.json'"):
        draw({**BARS, "data": {"url": "https://example.org/a.json"}}, "f")


def test_a_chart_that_links_elsewhere_is_refused():
    with pytest.raises(ReportError, match="links to another page"):
        draw({**BARS, "encoding": {**BARS["encoding"], "href": {"value": "https://example.org"}}}, "f")


def test_a_chart_that_cannot_be_drawn_is_named():
    with pytest.raises(ReportError, match="chart 'Costs' cannot be drawn"):
        draw({"title": "Costs", "mark": "pancake", "data": {"values": []}}, "f")
