"""The base case is told with the error of luck and its distance from the mean over draws."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.decision import base_case_sentence
from cxsim.study.business.base_case import BASE_CASE
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_POINTS = {"strategy": "points", "title": "Points <i>", "npv": 5_000.0, "mc_error": 100.0, "mean": 6_120.0, "worlds": 6}


def _prose(*rows):
    return base_case_sentence(pl.DataFrame(list(rows), schema=empty(BASE_CASE).schema), "USD")


def test_the_distance_is_alt_text_with_its_side():
    text = _prose(_POINTS).text.replace(NBSP, " ")
    # 6,120 - 5,000 = 1,120, more than twice 100.
    assert "Points <i>: USD 5,000 ± 100 in the base case, USD 6,120 on average over all draws, USD 1,120 more." in text
    assert "in six worlds" in text
    assert "USD 1,120 less." in _prose(_POINTS | {"npv": 6_120.0, "mean": 5_000.0}).text.replace(NBSP, " ")


def test_a_distance_within_two_errors_may_be_luck():
    # 1,120 is less than twice 600.
    assert "a difference that luck alone may explain." in _prose(_POINTS | {"mc_error": 600.0}).text


def test_a_title_stays_text():
    assert "Points &lt;i&gt;" in _prose(_POINTS).markup


def test_no_strategy_is_refused():
    with pytest.raises(TableError, match="BASE_CASE: no strategy; a base case needs at least one row"):
        _prose()
