"""The tornado says on which numbers gain or loss hangs, and prints the ends that they were moved to."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.tornado import tornado
from cxsim.study.business.sensitivity import TORNADO
from cxsim.tables import empty
from tests.charts.cases import STRATEGIES, tornado as cases_tornado

NBSP = "\N{NO-BREAK SPACE}"


def _figure(table, **wanted):
    return tornado(table, "USD", **wanted).to_dict()


def _rows(figure):
    return pl.DataFrame(max(figure["datasets"].values(), key=len), infer_schema_length=None)


def _finding(figure):
    return " ".join(figure["title"]["text"])


def test_the_title_counts_the_numbers_that_alone_turn_the_sign():
    assert _finding(_figure(cases_tornado())) == (
        "Gain or loss hangs on one of four numbers for Points programme, on none for the others"
    )


def test_the_one_other_strategy_is_named():
    two = cases_tornado().filter(pl.col("strategy") != "coupon")
    assert _finding(_figure(two)).endswith("for Points programme, on none for Free shipping from a threshold on")


def test_where_no_number_turns_the_sign_the_title_says_so():
    assert _finding(_figure(cases_tornado(), strategy="coupon")) == "No number alone turns the sign of Win-back coupon"
    two = cases_tornado().filter(pl.col("strategy") != "points")
    assert _finding(_figure(two)) == "No number alone turns the sign of any result"


def test_the_largest_swing_stands_first():
    rows = _rows(_figure(cases_tornado().reverse()))
    assert rows.filter(name="Points programme")["rank"].to_list() == [1, 2, 3, 4]


def test_no_more_numbers_are_drawn_than_wanted():
    rows = _rows(_figure(cases_tornado(), most=2))
    assert rows["rank"].to_list() == [1, 2] * 3


def test_the_value_at_the_lower_result_stands_to_the_left():
    rows = _rows(_figure(cases_tornado(), strategy="points"))
    # A lower chance of leaving brings more: its low end, 0.74, is at the right.
    assert rows.select("_left", "_right").row(0) == ("0.97", "0.74")


def test_ends_are_printed_in_the_unit_of_the_number():
    rows = _rows(_figure(cases_tornado(), strategy="points"))
    assert rows["low"].to_list() == ["0.74", f"55{NBSP}%", f"USD{NBSP}170", f"55{NBSP}days"]


def test_words_of_a_number_take_two_lines_at_most():
    rows = _rows(_figure(cases_tornado()))
    assert all(label.count("\n") <= 1 for label in rows["_label"])


def test_of_more_than_three_strategies_those_that_move_most_keep_their_colours():
    small = (
        cases_tornado()
        .filter(strategy="coupon")
        .with_columns(strategy=pl.lit("small"), title=pl.lit("Small one"), swing=pl.lit(1.0))
    )
    figure = _figure(pl.concat([small, cases_tornado()]))
    assert _rows(figure)["name"].unique(maintain_order=True).to_list() == list(STRATEGIES.values())
    assert "Of four strategies, the three whose result moves most" in " ".join(figure["title"]["subtitle"])
    # The one that is not drawn has the first colour.
    assert figure["spec"]["layer"][0]["encoding"]["color"]["scale"]["domain"][0] == "Small one"


def test_the_description_reads_the_largest_swings():
    assert (
        f"Points programme, base case: USD{NBSP}6,100. Members' chance of leaving against what it would be; "
        "read from a published rise in lifetime value: 27,500 at 0.74, −14,000 at 0.97"
    ) in _figure(cases_tornado())["description"]


def test_an_unknown_strategy_is_answered_with_the_nearest():
    with pytest.raises(TableError, match=r"TORNADO: no strategy 'point'; did you mean 'points'"):
        tornado(cases_tornado(), "USD", strategy="point")


def test_an_empty_table_is_refused():
    with pytest.raises(TableError, match="TORNADO: the table is empty"):
        tornado(empty(TORNADO), "USD")
