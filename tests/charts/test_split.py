"""The split of the spread fills its bar, and names each part below it."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.information import variance_split
from tests.charts.cases import STRATEGIES, split

NBSP = "\N{NO-BREAK SPACE}"


def _rows(split):
    figure = variance_split(split).to_dict()
    return pl.DataFrame(next(iter(figure["datasets"].values())))


def _finding(split):
    return " ".join(variance_split(split).to_dict()["title"]["text"])


def _with(part, share):
    at = (pl.col("strategy") == "coupon") & (pl.col("part") == part)
    return pl.when(at).then(share).otherwise(pl.col("share"))


def test_the_title_tells_the_largest_part_of_each_strategy():
    assert _finding(split()) == (
        "Largest source of doubt: what the strategy does and costs for Free shipping from a threshold on and "
        f"Points programme (58 to 64{NBSP}%); the shop's prices and costs for Win-back coupon (52{NBSP}%)"
    )


def test_more_than_three_strategies_of_one_part_are_counted():
    more = [split().filter(strategy="points").with_columns(title=pl.lit(f"Points {n}")) for n in range(4)]
    assert _finding(pl.concat(more)) == (
        f"Largest source of doubt: what the strategy does and costs for 4 strategies (64{NBSP}%)"
    )


def test_parts_fill_the_whole_width_one_after_the_other():
    for name in STRATEGIES.values():
        own = _rows(split()).filter(name=name)
        assert own["_start"].to_list() == [0.0, *own["_end"].to_list()[:-1]]
        assert own["_end"][-1] == 640.0


def test_parts_are_named_in_words_in_one_order():
    own = _rows(split().reverse()).filter(name="Points programme")
    assert own["part"].to_list() == [
        "What the strategy does and costs",
        "The shop's prices and costs",
        "What the fitted models leave open",
        "Which model of leaving",
        "Which customers there happen to be",
        "Only several of these together",
    ]


def test_shares_are_printed_beside_the_names():
    own = _rows(split()).filter(name="Win-back coupon")
    assert own["_percent"].to_list() == [f"{share}{NBSP}%" for share in (33, 52, 3, 0, 9, 3)]


def test_a_share_below_zero_stands_left_of_zero_and_is_explained():
    below = split().with_columns(share=_with("together", -0.04)).with_columns(share=_with("sampling", 0.16))
    own = _rows(below).filter(name="Win-back coupon")
    # The bar spans -0.04 to 1.04 in 640 pixels: zero is at 0.04 / 1.08 * 640 = 23.7.
    assert own.select("_start", "_end").row(5) == (23.7, 0.0)
    assert own["_percent"][5] == f"−4{NBSP}%"
    subtitle = " ".join(variance_split(below).to_dict()["title"]["subtitle"])
    assert "Left of zero: below zero by chance of simulation." in subtitle


def test_shares_that_do_not_add_up_are_refused():
    with pytest.raises(TableError, match=r"the shares of 'Win-back coupon' add up to 0\.9100; they must add up to 1"):
        variance_split(split().with_columns(share=_with("sampling", 0.0)))


def test_an_unknown_part_is_answered_with_the_nearest():
    wrong = split().with_columns(pl.col("part").replace("sampling", "samplings"))
    with pytest.raises(TableError, match="SPLIT: no part 'samplings'; did you mean 'sampling'"):
        variance_split(wrong)


def test_a_part_that_stands_twice_is_refused():
    twice = split().with_columns(pl.col("part").replace("sampling", "models"))
    with pytest.raises(TableError, match="SPLIT: a part of 'Free shipping from a threshold on' stands twice"):
        variance_split(twice)
