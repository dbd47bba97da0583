"""The whole way of a valuation, as a user goes it: its file in, the offline report on customers' value out."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

import pytest

from cxsim.cli import main
from tests.report.browser import CHROMIUM, browser

QUICK = Path(__file__).parents[1] / "params" / "valuations" / "cdnow-value-quick.yaml"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    valuation = folder / "valuations" / "small-value.yaml"
    valuation.parent.mkdir()
    valuation.write_text(QUICK.read_text(encoding="utf-8").replace("draws: 100", "draws: 40"), encoding="utf-8")
    for turn in ("first", "second"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["cxsim", "report", str(valuation), "--out", str(folder / turn / "value.html")])
            with pytest.raises(SystemExit) as stop:
                main()
            assert stop.value.code == 0
    return folder


@pytest.fixture(scope="module")
def page(case):
    return (case / "first" / "value.html").read_text(encoding="utf-8")


def test_the_same_valuation_gives_the_same_bytes(case):
    first = {path.relative_to(case / "first"): path for path in (case / "first").rglob("*") if path.is_file()}
    second = {path.relative_to(case / "second"): path for path in (case / "second").rglob("*") if path.is_file()}
    assert first.keys() == second.keys()
    assert [name for name in first if first[name].read_bytes() != second[name].read_bytes()] == []


def test_nothing_in_the_page_points_to_a_network(page):
    assert re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page) == []
    assert "default-src 'none'" in html.unescape(page[:2000])


def test_the_page_says_that_the_models_expect_too_few_orders(page):
    text = re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ")
    assert "all three models expected 11.5 to 16.2 % fewer" in text
    assert "They do not cover that the model may be wrong" in text


def test_every_table_has_a_twin_beside_the_report(case, page):
    linked = set(re.findall(r'href="\./value/([a-z0-9-]+\.csv)"', page))
    assert linked == {path.name for path in (case / "first" / "value").glob("*.csv")}
    assert {"worth.csv", "models.csv", "findings.csv", "deciles.csv", "at-risk.csv", "assumptions.csv"} <= linked


@pytest.mark.skipif(CHROMIUM is None and os.environ.get("CI") != "true", reason="Chromium is not installed.")
def test_all_charts_are_alive_without_a_network(case, tmp_path):
    with browser(tmp_path) as tab:
        tab.open(case / "first" / "value.html", width=1280)
        alive = tab.evaluate("document.querySelectorAll('figure.on .cx-live svg.marks').length")
        assert alive == tab.evaluate("document.querySelectorAll('figure').length") >= 5
        addresses = [event["request"]["url"] for event in tab.reported("Network.requestWillBeSent")]
        assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []
        assert tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
