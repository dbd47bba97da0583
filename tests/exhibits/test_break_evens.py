"""Break-evens are listed with the plan, the range and how plausible they are."""

from __future__ import annotations

import polars as pl

from cxsim.reporting.business.tornado import break_evens_table
from cxsim.study.business.sensitivity import BREAK_EVENS
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_NEAR = {
    "strategy": "points",
    "title": "Points",
    "id": "strategies/points/effects.dropout_1.ratio",
    "belongs_to": "Points",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "unit": "ratio",
    "value": 0.85,
    "low": 0.64561,
    "high": 1.0681,
    "break_even": 0.90009,
    "score": 0.5,
    "mc_error": 321.4,
    "evaluations": 7,
    "method": "simulated",
    "npv": -500.0,
}
_FAR = _NEAR | {"description": "Fee", "unit": "money per order", "break_even": 3.456, "score": -2.0, "method": "booked"}
_NEVER = _NEAR | {"description": "Share", "break_even": None, "score": None}


def _table(*rows):
    return break_evens_table(pl.DataFrame(list(rows), schema=empty(BREAK_EVENS).schema), "USD")


def _html(*rows):
    return _table(*rows).html().replace(NBSP, " ")


def test_a_break_even_claims_three_digits_and_its_plausibility():
    html = _html(_NEAR)
    # A normal score of 0.5 leaves 30.85 % beyond it.
    for cell in (
        "0.85",
        "0.646 to 1.07",
        "0.9 or more",
        "within what is believed (31 % chance)",
        "321",
        "simulated again",
    ):
        assert f">{cell}<" in html
    assert ">Members&#x27; chance of leaving<" in html or ">Members' chance of leaving<" in html


def test_the_edge_of_what_is_believed_is_named():
    html = _html(_FAR)
    assert ">at the edge of what is believed (2 % chance)<" in html
    assert ">USD per order<" in html
    assert ">3.46 or more<" in html
    assert ">booked again<" in html


def test_the_side_on_which_it_pays_is_that_of_the_plan_where_the_plan_pays():
    # The break-even, 0.9, lies above the plan, 0.85, which pays.
    assert ">0.9 or less<" in _html(_NEAR | {"npv": 500.0})


def test_numbers_that_change_nothing_are_counted_in_one_row():
    html = _html(_NEAR, _NEVER, _NEVER)
    assert ">Two other numbers: nowhere within what is believed<" in html
    assert ">One number: nowhere within what is believed<" in _html(_NEVER)


def test_the_title_names_strategies_whose_sign_one_believed_number_turns():
    other = {"strategy": "coupon", "title": "Coupon"}
    assert (
        _table(_NEAR, _FAR | other).title
        == "One number alone, moved within what is believed of it, could turn the result of Points"
    )
    assert _table(_FAR, _NEVER | other).title == (
        "No single number, within what is believed of it, turns a gain into a loss or a loss into a gain"
    )


def test_the_twin_has_every_number():
    assert len(_table(_NEAR, _NEVER, _NEVER).machine()["rows"]) == 3


def test_without_a_spread_there_is_a_sentence():
    assert "none was moved" in _table().text
