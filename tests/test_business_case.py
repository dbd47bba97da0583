"""The whole way, as a user goes it: a scenario's file in, the offline business case out."""

from __future__ import annotations

import html
import os
import re

import pytest

from cxsim.cli import main
from tests.report.browser import CHROMIUM, browser

SCENARIO = """
title: A small case
description: The sample, few draws.
orders: cdnow-sample
observed_until: 1998-06-30
economics: cdnow
strategies: [points-programme, win-back-coupon, faster-delivery]
new_customers: {per_month: 50, months: 2}
horizon_months: 14
draws: 6
seed: 7
"""


def _report(scenario, out, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cxsim", "report", str(scenario), "--out", str(out)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    scenario = folder / "scenarios" / "small-case.yaml"
    scenario.parent.mkdir()
    scenario.write_text(SCENARIO, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        _report(scenario, folder / "first" / "case.html", patch)
        _report(scenario, folder / "second" / "case.html", patch)
    return folder


@pytest.fixture(scope="module")
def page(case):
    return (case / "first" / "case.html").read_text(encoding="utf-8")


def test_the_same_scenario_gives_the_same_bytes(case):
    first = {path.relative_to(case / "first"): path for path in (case / "first").rglob("*") if path.is_file()}
    second = {path.relative_to(case / "second"): path for path in (case / "second").rglob("*") if path.is_file()}
    assert first.keys() == second.keys()
    assert [name for name in first if first[name].read_bytes() != second[name].read_bytes()] == []


def test_nothing_in_the_page_points_to_a_network(page):
    assert re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page) == []
    assert "default-src 'none'" in html.unescape(page[:2000])


def test_the_first_section_decides_for_every_strategy(page):
    cards = re.findall(r'<article class="cx-decision".*?</article>', page, flags=re.DOTALL)
    texts = [re.sub(r"<[^>]+>", " ", card).replace("\N{NO-BREAK SPACE}", " ") for card in cards]
    assert [title for title in ("Points programme", "Win-back coupon", "Faster delivery") if title in "".join(texts)]
    assert len(texts) == 3
    for text in texts:
        assert "90 % interval" in text
        assert "of draws" in text
        assert "within the horizon" in text or "month" in text


def test_every_table_has_a_twin_beside_the_report(case, page):
    linked = set(re.findall(r'href="\./case/([a-z0-9-]+\.csv)"', page))
    assert linked == {path.name for path in (case / "first" / "case").glob("*.csv")}
    assert {"returns.csv", "statement.csv", "statement-by-month.csv", "strategies.csv", "assumptions.csv"} | {
        "sources.csv"
    } <= linked


def test_the_audit_trail_names_scenario_data_and_result(page):
    for label in ("Scenario sha256", "Customers sha256", "Ledger sha256", "Seed", "Versions", "Commit"):
        assert label in page


if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("CI must have Chromium: without it nobody knows that the report works offline.", pytrace=False)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")
def test_all_charts_of_the_business_case_are_alive_without_a_network(case, tmp_path):
    with browser(tmp_path) as tab:
        tab.open(case / "first" / "case.html", width=1280)
        alive = tab.evaluate("document.querySelectorAll('figure.on .cx-live svg.marks').length")
        assert alive == tab.evaluate("document.querySelectorAll('figure').length") == 3
        addresses = [event["request"]["url"] for event in tab.reported("Network.requestWillBeSent")]
        assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []
        assert tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
