"""In a browser the page fits, its charts become live, and it prints as it should."""

from __future__ import annotations

import os

import altair as alt
import nbformat
import polars as pl
import pytest

from cxsim.reporting.business.what_if import what_if
from cxsim.reporting.render import render
from cxsim.reporting.tables import CHART, Column, TableSpec
from cxsim.reporting.theme import enable
from cxsim.wording import number, written_as
from tests.grids import centre, lively, npv_at
from tests.reporting.browser import CHROMIUM, browser

if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("CI must have Chromium: without it nobody knows that the report works offline.", pytrace=False)


pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")


START = {"x": 0.95, "y": 0.4, "margin": 0.45, "rate": 0.1, "horizon": 36, "cost": 1.0}


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 900, 1280])
def test_the_page_fits_its_charts_live_and_it_fetches_nothing(tab, made, width, tmp_path):
    tab.open(made.page, width=width)
    assert tab.evaluate("document.querySelectorAll('figure.on .cx-live svg.marks').length") == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    addresses = [event["request"]["url"] for event in tab.reported("Network.requestWillBeSent")]
    assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []
    assert len(addresses) >= 1
    assert tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    tab.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000  # an empty page of this size has 6 kB


def test_a_slider_moves_its_chart(tab, made):
    tab.open(made.page)
    line = "document.querySelector('#figure-2 .mark-line path').getAttribute('d')"
    before = tab.evaluate(line)
    tab.evaluate(
        "(function () { var slider = document.querySelector('#figure-2 input[type=range]');"
        "slider.value = 5; slider.dispatchEvent(new Event('input')); })()"
    )
    tab.wait_for(f"{line} !== {before!r}")
    assert tab.evaluate(line) != before


def _what_if_page(folder):
    (chart,) = what_if(lively(), centre(npv=npv_at(lively(), **START)), "USD")
    cell = nbformat.v4.new_code_cell("")
    cell.outputs = [nbformat.v4.new_output("display_data", data={CHART: chart.to_dict()})]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    page = folder / "page.html"
    page.write_text(render(notebook, title="What if", manifest={}, tables="t"), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def what_if_page(tmp_path_factory):
    return _what_if_page(tmp_path_factory.mktemp("what_if"))


@pytest.fixture
def german_page(tmp_path):
    theme, renderer = alt.theme.active, alt.renderers.active
    enable()
    with written_as("de"):
        yield _what_if_page(tmp_path)
    alt.theme.enable(theme)
    alt.renderers.enable(renderer)


def test_sliders_are_moved_by_keyboard_and_the_result_is_pythons(tab, what_if_page):
    tab.open(what_if_page)
    focused = "document.activeElement.getAttribute('aria-label')"
    for _ in range(12):
        tab.press("Tab")
        if tab.evaluate(focused) == "Gross margin":
            break
    assert tab.evaluate(focused) == "Gross margin"
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight"):
        tab.press(key)
    assert tab.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "47.0\N{NO-BREAK SPACE}%"
    assert tab.evaluate("document.activeElement.parentElement.innerText").split("\n") == [
        "Gross margin", "47.0\N{NO-BREAK SPACE}%"
    ]  # fmt: skip
    tab.press("Tab")
    tab.press("Tab")
    assert tab.evaluate(focused) == "Horizon"
    tab.press("Home")
    tab.press("ArrowRight")
    words = "document.querySelector('.cx-live .result_marks text').textContent"
    tab.wait_for(f"{words}.endsWith(' 2 months')")
    npv = npv_at(lively(), **START | {"margin": 0.47, "horizon": 2})
    assert tab.evaluate(words) == f"NPV USD {number(npv)} over 2 months"
    assert tab.evaluate("document.querySelector('.cx-status').textContent") == tab.evaluate(words)
    tab.press("End")
    tab.wait_for(f"{words}.endsWith(' 36 months')")
    npv = npv_at(lively(), **START | {"margin": 0.47})
    assert tab.evaluate(words) == f"NPV USD +{number(npv)} over 36 months"
    assert [
        event for event in tab.reported("Network.requestWillBeSent") if "file:" not in event["request"]["url"]
    ] == []
    assert tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []


def test_a_live_chart_and_its_sliders_write_numbers_as_the_locale_does(tab, german_page):
    tab.open(german_page)
    npv = f"{npv_at(lively(), **START):+,.0f}".replace(",", ".")
    words = "document.querySelector('.cx-live .result_marks text').textContent"
    assert tab.evaluate(words) == f"NPV {npv}\N{NO-BREAK SPACE}USD over 36 months"
    margin = "document.querySelector('.vega-bind input[aria-label=\"Gross margin\"]').getAttribute('aria-valuetext')"
    assert tab.evaluate(margin) == "45,0\N{NO-BREAK SPACE}%"
    assert "45.0" not in tab.evaluate("document.querySelector('.cx-live').innerText")


@pytest.mark.parametrize("width", [390, 1280])
def test_sliders_are_on_the_page_with_their_labels(tab, what_if_page, width, tmp_path):
    tab.open(what_if_page, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("document.querySelectorAll('.vega-bind input[aria-label]').length") == 6
    assert tab.evaluate("getComputedStyle(document.querySelector('.cx-needs')).display") == "none"
    tab.screenshot(tmp_path / "page.png")


def test_without_javascript_sliders_are_listed_with_the_values_of_the_base_case(tab, what_if_page):
    tab.open(what_if_page, scripts="off")
    shown = tab.evaluate("document.body.innerText")
    assert "The sliders of this figure need JavaScript." in shown
    assert "Gross margin 45.0\N{NO-BREAK SPACE}%" in shown
    assert "NPV USD" in tab.evaluate("document.querySelector('.cx-static svg').textContent")


def test_in_a_browser_that_cannot_unpack_the_drawings_stay(tab, what_if_page):
    hidden = tab.call("Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream")
    try:
        tab.open(what_if_page, charts="still")
    finally:
        tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=hidden["identifier"])
    assert tab.evaluate("document.querySelector('.cx-static svg').getBoundingClientRect().height") > 100
    assert tab.evaluate("getComputedStyle(document.querySelector('.cx-needs')).display") == "block"
    assert tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []


def test_the_page_is_complete_without_javascript_and_prints_on_paper(tab, made, tmp_path):
    tab.open(made.page, scripts="off")
    boxes = "Array.from(document.querySelectorAll('.cx-static svg')).map(svg => svg.getBoundingClientRect().height)"
    assert min(tab.evaluate(boxes)) > 100
    assert "Appendix: audit trail" in tab.evaluate("document.body.innerText")
    tab.open(made.page)
    tab.print_pdf(tmp_path / "report.pdf")
    text = (tmp_path / "report.pdf").read_bytes()
    assert text.startswith(b"%PDF")
    assert text.count(b"/Type /Page\n") in range(1, 4)


_NOTE = "A note that is much longer than a telephone is wide, so that it must be broken into several lines there."
_ENDS = """Array.from(document.querySelectorAll('.gt_title, .gt_subtitle, .gt_sourcenote')).map(cell => {
  const words = document.createRange(); words.selectNodeContents(cell); return words.getBoundingClientRect().right;
})"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of one table: ten columns wide, two hundred rows long, in groups of ten, with a note."""
    columns = {f"c{place}": Column(f"Column {place}", lambda _: "1,234,567") for place in range(10)}
    words = {"title": f"Title. {_NOTE}", "subtitle": _NOTE, "notes": [_NOTE]}
    rows = pl.DataFrame([[f"Group {row // 10}", f"Row {row}"] for row in range(200)], ["group", "line"], orient="row")
    table = TableSpec(id="long", group="group", line="line", columns=columns, **words).render(rows)
    cell = nbformat.v4.new_code_cell("")
    cell.outputs = [nbformat.v4.new_output("display_data", data={"text/html": table.html()})]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title\n\nText."), cell])
    out = tmp_path_factory.mktemp("paper") / "page.html"
    out.write_text(render(notebook, title="Paper", manifest={}, tables="tables"), encoding="utf-8")
    return out


@pytest.mark.parametrize("width", [390, 768])
def test_title_and_notes_of_a_table_that_is_wider_than_the_screen_are_not(tab, page, width):
    tab.open(page, width=width)
    assert tab.evaluate("document.querySelector('.cx-scroll').scrollWidth") > width
    assert max(tab.evaluate(_ENDS)) <= width


def test_on_paper_heads_come_again_and_notes_do_not(tab, page):
    tab.open(page)
    tab.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = [tab.evaluate(f"getComputedStyle(document.querySelector('{part}')).display") for part in
                 ("thead", "tfoot")]  # fmt: skip
        kept = tab.evaluate("getComputedStyle(document.querySelector('tr:has(> .gt_group_heading)')).breakAfter")
    finally:
        tab.call("Emulation.setEmulatedMedia", media="")
    assert shown == ["table-header-group", "table-row-group"]
    assert kept == "avoid"
