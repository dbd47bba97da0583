"""The figure of what knowing is worth names the number to test first, or says that no test would change anything."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.information import value_of_information
from tests.charts.cases import information

NBSP = "\N{NO-BREAK SPACE}"


def _figure(decision="portfolio", **wanted):
    return value_of_information(information(), "USD", decision, **wanted).to_dict()


def _rows(figure, column="place"):
    return next(pl.DataFrame(rows) for rows in figure["datasets"].values() if column in rows[0])


def _finding(figure):
    return " ".join(figure["title"]["text"])


def test_the_title_names_the_number_to_test_first_not_a_group():
    assert _finding(_figure()) == (
        "Test first: “Members' chance of leaving against what it would be without the programme”; "
        f"to know it is worth up to USD{NBSP}5,310"
    )


def test_where_nothing_is_worth_knowing_the_title_says_so():
    assert _finding(_figure("free-shipping")) == (
        "Knowing any one number better would not clearly change the decision, nor would knowing everything"
    )


def test_a_worth_within_two_errors_of_nothing_is_not_clear():
    small = information().with_columns(mc_error=pl.lit(3_000.0))
    title = value_of_information(small, "USD").to_dict()["title"]["text"]
    assert " ".join(title) == "Knowing any one number better would not clearly change the decision"


def test_numbers_come_by_rank_and_groups_after_them_by_worth():
    rows = _rows(_figure())
    assert rows["kind"].to_list() == ["number"] * 6 + ["group"] * 2
    assert rows["worth"].to_list() == [5_310.0, 1_240.0, 310.0, 60.0, 0.0, 0.0, 5_720.0, 420.0]


def test_numbers_of_the_same_words_are_alt_text_apart_by_what_they_belong_to():
    words = _rows(_figure())["description"].to_list()
    assert {"Free shipping: order rate, against before", "Coupon: order rate, against before"} <= set(words)


def test_no_more_numbers_are_drawn_than_wanted():
    figure = _figure(most=2)
    assert _rows(figure)["kind"].to_list() == ["number", "number", "group", "group"]
    assert "The first 2 of 6 numbers." in " ".join(figure["title"]["subtitle"])


def test_worth_and_error_are_rounded_like_the_worth_of_everything():
    # Two errors of 20 + 0.05 * 5,310 = 285.5.
    assert _rows(_figure())["_value"].to_list()[:3] == ["5,310 ± 570", "1,240 ± 160", "310 ± 70"]


def test_the_line_stands_at_the_worth_of_everything():
    line = _rows(_figure(), "_worth")
    assert line.row(0) == (8_420.0, f"Everything: USD{NBSP}8,420")


def test_a_strategy_by_itself_has_its_colour():
    assert _figure("points")["layer"][0]["mark"]["color"] == "#D55E00"


def test_an_unknown_decision_is_answered_with_the_nearest():
    with pytest.raises(TableError, match="INFORMATION: no decision 'point'; did you mean 'points'"):
        _figure("point")


def test_a_decision_without_the_worth_of_everything_is_refused():
    lacking = information().filter(pl.col("id") != "everything")
    with pytest.raises(TableError, match="decision 'portfolio' has 0 rows 'everything' and 8 others"):
        value_of_information(lacking, "USD")


def test_the_description_reads_the_first_numbers():
    assert f"Knowing everything: USD{NBSP}8,420. Members' chance of leaving" in _figure()["description"]
