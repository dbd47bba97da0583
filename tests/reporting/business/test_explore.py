"""Sliders in a notebook: moved from Python as a reader moves them, and read from what they show."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import cxsim
from cxsim.wording import money
from tests.study.conftest import small


@pytest.fixture(scope="module")
def case():
    return cxsim.business_case(cxsim.run(small(draws=2)))


@pytest.fixture
def shown(case):
    return cxsim.explore(case)


def _sliders(shown):
    return {one.description: one for one in shown.children[1].children[:-2]}


def _text(shown):
    return shown.children[1].children[-1].value


def _cells(shown, row):
    return re.findall(r"<td>(.*?)</td>", next(one for one in _text(shown).split("<tr>") if row in one))[1:]


def _press(shown, name):
    next(one for one in shown.children[1].children[-2].children if one.description == name).click()


def test_at_first_it_shows_the_numbers_of_the_page(case, shown):
    row = case.study.returns.row(0, named=True)
    npv, currency = row["incremental_npv"], case.study.currency
    assert _cells(shown, "Expected NPV") == [money(npv, currency), "–"]
    assert _cells(shown, "NPV of the base case")[0] == money(case.grid_centre["npv"][0], currency)
    assert "nothing; the case recommends" in _text(shown)


def test_a_slider_changes_the_answer_at_once_and_going_back_brings_the_first_one(shown):
    before = _text(shown)
    _sliders(shown)["Gross margin"].value = 0.5
    assert _text(shown) != before
    assert "Set by hand: gross margin 50.0\N{NO-BREAK SPACE}%<" in _text(shown)
    assert "approximation" not in _text(shown)
    _press(shown, "Back to the case")
    assert _text(shown) == before


def test_what_is_simulated_stands_beside_and_is_remembered(shown):
    slider = _sliders(shown)["Gross margin"]
    slider.value = 0.5
    _press(shown, "Simulate exactly")
    at_once, exact = _cells(shown, "Expected NPV")
    assert at_once == exact
    slider.value = 0.45
    assert _cells(shown, "Expected NPV")[1] == "–"
    slider.value = 0.5
    assert _cells(shown, "Expected NPV") == [at_once, exact]


def test_what_customers_do_is_said_to_be_an_approximation_until_it_is_simulated(shown):
    first = next(iter(_sliders(shown).values()))
    first.value = first.max
    assert "approximation" in _text(shown)
    _press(shown, "Simulate exactly")
    assert "approximation" not in _text(shown)


def test_each_programme_has_its_own_sliders_which_it_keeps(case, shown):
    _sliders(shown)["Gross margin"].value = 0.5
    changed = _text(shown)
    shown.children[0].value = "win-back-coupon"
    assert "gross margin" not in _text(shown)
    assert _sliders(shown)["Gross margin"].value == case.grid_centre["gross_margin"][1]
    shown.children[0].value = "points-programme"
    assert _text(shown) == changed


@pytest.fixture(scope="module")
def delayed():
    """A German shop, and a programme that starts in its third month."""
    scenario = small(draws=2)
    coupon = scenario.strategies[1]
    later = replace(coupon, reach=replace(coupon.reach, from_month=2))
    german = replace(scenario.economics, locale="de")
    return cxsim.business_case(cxsim.run(replace(scenario, strategies=(later,), economics=german)))


def test_what_cannot_be_simulated_says_why(delayed):
    shown = cxsim.explore(delayed)
    _sliders(shown)["Horizon, months"].value = 2
    _press(shown, "Simulate exactly")
    assert "Cannot be simulated: cdnow-quick with horizon_months=2: strategies win-back-coupon start after" in _text(
        shown
    )
    assert _cells(shown, "Expected NPV") == ["0\N{NO-BREAK SPACE}USD", "–"]


def test_numbers_are_written_as_the_shops_locale_does(delayed):
    shown = cxsim.explore(delayed)
    _sliders(shown)["Gross margin"].value = 0.425
    assert "gross margin 42,5\N{NO-BREAK SPACE}%" in _text(shown)
