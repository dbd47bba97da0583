"""The whole way of a valuation, as a user goes it: its file in, the offline report on customers' value out."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.reporting.browser import CHROMIUM, browser
from tests.twice import charts_alive, differing, ways_out, written_twice

QUICK = Path(__file__).parents[1] / "params" / "valuations" / "cdnow-value-quick.yaml"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    valuation = folder / "valuations" / "small-value.yaml"
    valuation.parent.mkdir()
    valuation.write_text(QUICK.read_text(encoding="utf-8").replace("draws: 100", "draws: 40"), encoding="utf-8")
    return written_twice(valuation, "value.html")


@pytest.fixture(scope="module")
def page(case):
    return (case / "first" / "value.html").read_text(encoding="utf-8")


def test_the_same_valuation_gives_the_same_bytes(case):
    assert differing(case) == []


def test_nothing_in_the_page_points_to_a_network(page):
    assert ways_out(page) == []


def test_the_page_says_that_the_models_expect_too_few_orders(page):
    text = re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ")
    assert "all three models forecast 11.5 to 16.2 % fewer" in text
    assert "They do not cover model error" in text


def test_every_table_has_a_twin_beside_the_report(case, page):
    linked = set(re.findall(r'href="\./value/([a-z0-9-]+\.csv)"', page))
    assert linked == {path.name for path in (case / "first" / "value").glob("*.csv")}
    assert {"worth.csv", "models.csv", "findings.csv", "deciles.csv", "at-risk.csv", "assumptions.csv"} <= linked


@pytest.mark.skipif(CHROMIUM is None and os.environ.get("CI") != "true", reason="Chromium is not installed.")
def test_all_charts_are_alive_without_a_network(case, tmp_path):
    with browser(tmp_path) as tab:
        alive, charts, wrong = charts_alive(tab, case / "first" / "value.html")
        assert alive == charts >= 5
        assert wrong == []
