"""The checklist counts what is there and keeps its words."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.register import checklist_table
from cxsim.study.business.checklist import CHECKLIST
from cxsim.tables import empty


def _table(*states):
    rows = [
        {
            "number": n,
            "topic": "Methods",
            "item": f"Item <{n}>",
            "state": state,
            "answer": "So.",
            "where": "The decision",
        }
        for n, state in enumerate(states, start=1)
    ]
    return checklist_table(pl.DataFrame(rows, schema=empty(CHECKLIST).schema))


def test_the_title_counts_what_is_here_partly_here_and_missing():
    assert _table("yes", "partly", "no", "no").title == (
        "Of 4 items that an economic evaluation should report, one is here, one is partly here and two are missing"
    )


def test_a_state_is_a_word_in_a_frame_and_an_item_has_its_number():
    html = _table("partly").html()
    assert '<span class="cx-badge" data-word="partly">partly</span>' in html
    assert ">1. Item &lt;1&gt;<" in html


def test_another_state_is_refused():
    with pytest.raises(TableError, match=r"no state 'yess'; did you mean 'yes'\? Possible: yes, partly, no."):
        _table("yess")
