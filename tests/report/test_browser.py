"""A browser shows the report without a network: charts live, sliders working, and a full page without JavaScript."""

from __future__ import annotations

import os

import pytest

from tests.report.browser import CHROMIUM, browser

if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("CI must have Chromium: without it nobody knows that the report works offline.", pytrace=False)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 900, 1280])
def test_the_page_fits_its_charts_live_and_it_fetches_nothing(tab, made, width, tmp_path):
    tab.open(made.files.html, width=width)
    assert tab.evaluate("document.querySelectorAll('figure.on .cx-live svg.marks').length") == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    addresses = [event["request"]["url"] for event in tab.reported("Network.requestWillBeSent")]
    assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []
    assert len(addresses) >= 1
    assert tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    tab.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000  # an empty page of this size has 6 kB


def test_a_slider_moves_its_chart(tab, made):
    tab.open(made.files.html)
    line = "document.querySelector('#figure-2 .mark-line path').getAttribute('d')"
    before = tab.evaluate(line)
    tab.evaluate(
        "(function () { var slider = document.querySelector('#figure-2 input[type=range]');"
        "slider.value = 5; slider.dispatchEvent(new Event('input')); })()"
    )
    tab.wait_for(f"{line} !== {before!r}")
    assert tab.evaluate(line) != before


def test_the_page_is_complete_without_javascript(tab, made):
    tab.open(made.files.html, scripts="off")
    boxes = "Array.from(document.querySelectorAll('.cx-static svg')).map(svg => svg.getBoundingClientRect().height)"
    assert min(tab.evaluate(boxes)) > 100
    assert "Audit trail" in tab.evaluate("document.body.innerText")


def test_the_page_prints_on_paper(tab, made, tmp_path):
    tab.open(made.files.html)
    tab.print_pdf(tmp_path / "report.pdf")
    text = (tmp_path / "report.pdf").read_bytes()
    assert text.startswith(b"%PDF")
    assert text.count(b"/Type /Page\n") in range(1, 4)
