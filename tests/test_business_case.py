"""The whole way, as a user goes it: a scenario's file in, the offline business case out."""

from __future__ import annotations

import os
import re

import pytest

from tests.report.browser import CHROMIUM, browser
from tests.twice import charts_alive, differing, ways_out, written_twice

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


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    scenario = folder / "scenarios" / "small-case.yaml"
    scenario.parent.mkdir()
    scenario.write_text(SCENARIO, encoding="utf-8")
    return written_twice(scenario, "case.html")


@pytest.fixture(scope="module")
def page(case):
    return (case / "first" / "case.html").read_text(encoding="utf-8")


def test_the_same_scenario_gives_the_same_bytes(case):
    assert differing(case) == []


def test_nothing_in_the_page_points_to_a_network(page):
    assert ways_out(page) == []


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
        assert charts_alive(tab, case / "first" / "case.html") == (3, 3, [])
