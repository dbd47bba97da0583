"""What an answer is worth is told as the most that one should pay for it."""

from __future__ import annotations

import polars as pl

from cxsim.reporting.business.information import information_table
from cxsim.study.business.information import INFORMATION
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"
_DROPOUT = {
    "decision": "points",
    "title": "Points",
    "id": "strategies/points/effects.dropout_1.ratio",
    "description": "Members' chance of leaving. Measured elsewhere.",
    "worth": 1_234.0,
    "mc_error": 100.0,
    "share_of_everything": 0.4,
    "rank": 1,
}
_ALL = _DROPOUT | {
    "id": "everything",
    "description": "Everything",
    "worth": 3_000.0,
    "share_of_everything": None,
    "rank": 0,
}


def _table(*rows):
    return information_table(pl.DataFrame(list(rows), schema=empty(INFORMATION).schema), "USD")


def test_the_title_names_the_answer_that_is_worth_most():
    assert _table(_ALL, _DROPOUT).title.replace(NBSP, " ") == (
        "Worth knowing first, at most USD 1,230: Members' chance of leaving (Points)"
    )


def test_a_worth_within_two_errors_of_nothing_is_not_claimed():
    # 150 is 1.5 times its error of 100.
    assert _table(_DROPOUT | {"worth": 150.0}, _ALL).title.replace(NBSP, " ") == (
        "No single answer is worth paying for before deciding; even knowing everything is worth at most USD 3,000"
    )


def test_rows_stand_by_rank_with_their_error_and_share():
    html = _table(_ALL, _DROPOUT).html().replace(NBSP, " ")
    assert html.index(">3,000 ± 100<") < html.index(">1,230 ± 100<") < html.index(">40 %<")
    assert ">–<" in html


def test_an_answer_that_changes_nothing_is_not_listed_but_everything_is():
    html = _table(_ALL | {"worth": 0.0}, _DROPOUT | {"worth": 0.0}).html()
    assert html.count(">0 ± 100<") == 1
    assert "chance of leaving" not in html


def test_a_group_is_listed_but_is_no_single_answer():
    group = _DROPOUT | {"id": "effects of points", "description": "All effects", "worth": 2_000.0, "rank": 0}
    table = _table(_ALL, group, _DROPOUT)
    assert ">All effects<" in table.html()
    assert "chance of leaving" in table.title


def test_three_of_a_decision_are_shown_and_the_twin_has_all():
    rows = [_DROPOUT | {"id": f"number {rank}", "description": f"Number {rank}", "rank": rank} for rank in range(1, 9)]
    table = _table(*rows)
    assert ">Number 3<" in table.html()
    assert ">Number 4<" not in table.html()
    assert len(table.machine()["rows"]) == 8


def test_without_uncertainty_there_is_a_sentence():
    assert "nothing that would be worth knowing" in _table().text
