"""The whole way, as a user goes it: a scenario's file in, the offline business case out."""

from __future__ import annotations

import os
import re

import pytest
from bs4 import BeautifulSoup

from tests.reporting.browser import CHROMIUM, browser
from tests.twice import charts_alive, differing, ways_out, written_twice

NBSP = "\N{NO-BREAK SPACE}"
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
    assert len(texts) == 4
    assert "Best set" in texts[-1]
    for text in texts[:3]:
        for sentence in (
            "Investment",
            "Benefits",
            "Expected NPV",
            "90 % interval",
            "Chance of a positive NPV",
            "Return on investment",
            "Median payback",
            "Model check",
        ):
            assert sentence in text


def test_every_table_has_a_twin_beside_the_report(case, page):
    linked = set(re.findall(r'href="\./case/([a-z0-9-]+\.csv)"', page))
    assert linked == {path.name for path in (case / "first" / "case").glob("*.csv")}
    wanted = "returns decision portfolio statement periods break-evens rates information test-plan register checklist"
    assert {f"{name}.csv" for name in (*wanted.split(), "strategies", "sources", "kpis", "liabilities")} <= linked


def test_the_whole_lies_beside_the_report_for_machines_spreadsheets_and_people(case, page):
    beside = {path.name for path in (case / "first" / "case").iterdir()}
    assert {"tables.json", "workbook.xlsx", "report.md", "manifest.json"} <= beside
    assert all(f'href="./case/{name}"' in page for name in ("tables.json", "workbook.xlsx", "report.md"))


def test_the_report_is_one_file_of_less_than_a_megabyte_and_a_half(page):
    assert len(page.encode()) < 1_500_000


def test_the_audit_trail_names_scenario_data_and_result(page):
    for label in ("Scenario sha256", "Customers sha256", "Ledger sha256", "Seed", "Versions", "Commit"):
        assert label in page


if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("CI must have Chromium: without it nobody knows that the report works offline.", pytrace=False)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")
def test_all_charts_of_the_business_case_are_alive_without_a_network(case, tmp_path):
    with browser(tmp_path) as tab:
        assert charts_alive(tab, case / "first" / "case.html") == (12, 12, [])


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed.")
def test_what_is_not_folded_prints_on_eight_pages(case, tmp_path):
    with browser(tmp_path / "profile") as tab:
        tab.open(case / "first" / "case.html")
        tab.print_pdf(tmp_path / "case.pdf")
    pages = re.findall(rb"/Type\s*/Page\b", (tmp_path / "case.pdf").read_bytes())
    assert 1 <= len(pages) <= 8


def _words(parts):
    return sum(len(part.get_text(" ").split()) for part in parts)


def test_the_body_has_at_most_five_thousand_words_and_the_appendix_six_thousand(page):
    soup = BeautifulSoup(page, "html.parser")
    for hidden in soup.select("script, style, svg, details.cx-data, head, nav"):
        hidden.decompose()
    appendix = [part.extract() for part in soup.select("details.cx-appendix")]
    # The audit trail is the last of them.
    assert len(appendix) == 4
    assert 1_000 <= _words([soup]) <= 5_000
    assert 1_000 <= _words(appendix) <= 6_000


# Names of measures: levels of intervals and of a tail.
_LEVELS = re.compile(r"(?:50, 80 and )?\b(?:80|90) % (?:interval|range)|worst 10 %")
_HEADLINE = {
    *(
        "horizon",
        "discount_rate",
        "revenue",
        "current_customers",
        "new_customers",
        "orders_per_year",
        "draws",
        "investment",
        "benefits",
        "npv",
    ),
    *("npv_error", "npv_interval", "prob_npv_positive", "roi", "after_horizon"),
    *("benefits_per_investment", "cvar"),
}


def _values(soup):
    """Return by quantity, strategy and estimator how its value is written, wherever a number says what it is."""
    found = {}
    for number in soup.select("span[data-quantity], tspan[data-quantity]"):
        key = tuple(number[f"data-{part}"] for part in ("quantity", "strategy", "estimator"))
        found.setdefault(key, set()).add(number.get_text())
    return found


def test_every_headline_quantity_has_one_value_on_the_whole_page(page):
    found = _values(BeautifulSoup(page, "html.parser"))
    assert {quantity for quantity, _, _ in found} >= _HEADLINE
    assert {key: texts for key, texts in found.items() if key[0] in _HEADLINE and len(texts) > 1} == {}
    # Each strategy has its own, by the mean of the draws and by the base case.
    for strategy in ("points-programme", "win-back-coupon", "faster-delivery"):
        estimators = {estimator for quantity, of, estimator in found if (quantity, of) == ("npv", strategy)}
        assert estimators >= {"mean-of-draws", "base-case"}


def test_every_number_of_the_body_says_what_it_measures(page):
    soup = BeautifulSoup(page, "html.parser")
    for hidden in soup.select("script, style, details.cx-data, details.cx-appendix, head, nav"):
        hidden.decompose()
    numbers = [
        text for text in soup.find_all(string=True) if re.search(r"\d", _LEVELS.sub("", text.replace(NBSP, " ")))
    ]
    assert len(numbers) > 100
    assert [text for text in numbers if text.find_parent(attrs={"data-quantity": True}) is None] == []
