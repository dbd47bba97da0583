"""Charts are drawn without a network, with their data as tables."""

from __future__ import annotations

import json
import re

import altair as alt
import pytest
import vl_convert
from bs4 import BeautifulSoup, Tag

from cxsim.errors import ReportError
from cxsim.reporting.business.what_if import what_if
from cxsim.reporting.drawings import VEGA_LITE, chart_label, draw, slim
from tests.grids import centre, lively


@pytest.fixture(scope="module")
def svg() -> str:
    (chart,) = what_if(lively(), centre(), "USD")
    return vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()), vl_version=VEGA_LITE)


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


_SEEN = ("fill", "stroke", "stroke-width", "opacity", "text-anchor", "font-size", "font-weight")


_PLACES = ("d", "transform", "x", "y", "x2", "y2", "width", "height")


def _parts(svg: str) -> list[Tag]:
    """Return what leaves a trace on paper, in the order in which it is drawn."""
    parts = BeautifulSoup(svg, "html.parser").find_all(["path", "line", "rect", "text"])
    return [part for part in parts if part.name == "text" or {"fill", "stroke"} & set(part.attrs)]


def _places(part: Tag) -> list[float]:
    """Return all numbers that say where it is: its own, and those of the groups around it."""
    around = [part, *part.find_parents("g")]
    return [float(number) for one in around for name in _PLACES for number in _NUMBER.findall(one.get(name, ""))]


def test_a_slim_drawing_draws_the_same_things_in_the_same_places(svg):
    before, after = _parts(svg), _parts(slim(svg))
    assert len(before) == len(after) > 40
    for fat, thin in zip(before, after, strict=True):
        assert (fat.name, fat.get_text()) == (thin.name, thin.get_text())
        looks = ({name: part[name] for name in _SEEN if part.get(name, "1") != "1"} for part in (fat, thin))
        assert next(looks) == next(looks)
        # Half of a hundredth of a pixel, and the noise of reading decimals.
        assert _places(thin) == pytest.approx(_places(fat), abs=0.005 + 1e-9)


def test_a_slim_drawing_has_less_than_two_thirds_of_the_text(svg):
    assert len(slim(svg)) < 2 / 3 * len(svg)


def test_a_drawing_slimmed_twice_is_the_same(svg):
    assert slim(slim(svg)) == slim(svg)


@pytest.mark.parametrize(
    ("fat", "thin"),
    [
        # text that looks like attributes, with the sign that ends an element
        ('<text x="1.2345"> role="a" x="1.2345" > </text>', '<text x="1.23"> role="a" x="1.2345" > </text>'),
        (
            '<path d="M-0.001,1e-7L12.999,3" transform="translate(0.5,91.42857)"/>',
            '<path d="M0,0L13,3" transform="translate(0.5,91.43)"/>',
        ),
        ('<path transform="scale(0.0012345)"/>', '<path transform="scale(0.0012345)"/>'),
        ('<g><g class="a"></g><g><g></g></g></g>', ""),
        (
            '<path class="background" aria-hidden="true" d="M0,0h9v9h-9Z" stroke="#ddd"/>',
            '<path d="M0,0h9v9h-9Z" stroke="#ddd"/>',
        ),
        ('<path class="background" aria-hidden="true" d="M0,0h9v9h-9Z" pointer-events="none"/>', ""),
        ('<path class="foreground" aria-hidden="true" d="" pointer-events="none" display="none"/>', ""),
        ('<path opacity="0.125" fill-opacity="1"/>', '<path opacity="0.125"/>'),
    ],
)
def test_what_is_seen_stays_and_what_is_not_goes(fat, thin):
    assert slim(fat) == thin


def test_one_kind_of_letters_is_said_once_and_two_kinds_where_they_stand():
    one = '<g fill="none"><text font-family="A, \'B\'">x</text><text font-family="A, \'B\'">y</text></g>'
    assert slim(one) == '<g fill="none" font-family="A, \'B\'"><text>x</text><text>y</text></g>'
    two = '<g fill="none"><text font-family="A">x</text><text font-family="B">y</text></g>'
    assert slim(two) == two


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


def test_sliders_are_listed_with_the_values_from_which_they_start():
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
