"""Sets of strategies are laid out with how sure the choice among them is."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.portfolio import portfolio_table
from cxsim.study.business.portfolio import PORTFOLIO
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_BEST = {
    "name": "a+b",
    "title": "A + B",
    "members": "a, b",
    "outlay": 30_000.0,
    "npv": 9_000.0,
    "npv_mc_error": 900.0,
    "low": -4_000.0,
    "high": 22_000.0,
    "low_80": -1_000.0,
    "high_80": 19_000.0,
    "prob_npv_positive": 0.85,
    "prob_mc_error": 0.02,
    "cvar": -5_100.0,
    "roi": 0.3,
    "payback_months": 12.0,
    "payback_months_late": None,
    "interaction": -1_500.0,
    "gap": 0.0,
    "gap_mc_error": 0.0,
    "efficient": True,
    "affordable": True,
    "chosen": True,
    "draws": 60,
    "place": None,
}
_NEXT = _BEST | {
    "name": "a",
    "title": "A",
    "members": "a",
    "interaction": 0.0,
    "gap": 1_000.0,
    "gap_mc_error": 400.0,
    "chosen": False,
    "efficient": False,
}
_NOTHING = _NEXT | {"name": "nothing", "title": "Doing nothing", "members": "", "gap": 9_000.0, "gap_mc_error": 900.0}


def _table(*rows, budget=None):
    return portfolio_table(pl.DataFrame(list(rows), schema=empty(PORTFOLIO).schema), "USD", budget)


def test_two_sets_are_alt_text_apart_from_two_errors_on():
    # 1,000 is 2.5 times 400, and 700 is 1.75 times 400.
    assert _table(_BEST, _NEXT).title == "A + B brings most, more than two simulation errors ahead of the next, A"
    near = _NEXT | {"gap": 700.0}
    assert _table(_BEST, near).title == "A + B brings most, but the draws do not tell it apart from A"
    assert ">not told apart<" in _table(_BEST, near).html()


def test_many_sets_that_are_not_alt_text_apart_are_counted():
    near = [_NEXT | {"name": name, "gap": 10.0} for name in "ab"]
    assert (
        _table(_BEST, *near, _NOTHING).title
        == "A + B brings most, but the draws do not tell it apart from 2 other sets"
    )


def test_a_set_beyond_the_budget_is_marked_and_is_not_the_next():
    dear = _NEXT | {"name": "c", "title": "C", "gap": -2_000.0, "affordable": False}
    table = _table(_BEST, dear, _NOTHING, budget=40_000.0)
    assert table.title.startswith(
        "A + B brings most within the budget, more than two simulation errors ahead of the next, Do"
    )
    assert ">over budget<" in table.html()
    assert "budget USD 40,000, as a present value" in table.html().replace(NBSP, " ")


def test_doing_nothing_can_be_the_best():
    alone = _NOTHING | {"chosen": True, "gap": 0.0, "gap_mc_error": 0.0}
    assert _table(alone).title == "Doing nothing is expected to bring most; there is no other set to compare it with"


def test_the_difference_to_the_best_stands_with_its_own_error():
    html = _table(_BEST, _NEXT).html()
    assert ">1,000 ± 400<" in html
    assert ">9,000 ± 900<" in html
    assert ">−1,500<" in html
    assert ">best; efficient<" in html


def test_only_sets_of_several_have_an_interaction():
    assert _table(_BEST, _NEXT, _NOTHING).html().count(">−1,500<") == 1


def test_a_table_without_a_choice_is_refused():
    with pytest.raises(TableError, match="PORTFOLIO: 0 of 1 sets are chosen; it must be one"):
        _table(_NEXT)
