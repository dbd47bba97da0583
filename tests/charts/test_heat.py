"""The map of two numbers prints every result, and runs a line where gain meets loss."""

from __future__ import annotations

import polars as pl

from cxsim.reporting.business.tornado import heat_map
from tests.charts.cases import heat

NBSP = "\N{NO-BREAK SPACE}"


def _rows(heat):
    figure = heat_map(heat, "USD").to_dict()
    return pl.DataFrame(next(iter(figure["datasets"].values())), infer_schema_length=None)


def _finding(heat):
    return " ".join(heat_map(heat, "USD").to_dict()["title"]["text"])


def test_the_title_counts_the_nodes_that_pay():
    # Points: 3.1 - 11.2 i - 2.9 j with i, j from -2 to 2 is above zero at all ten nodes of i < 0, and at i = 0 for
    # j <= 1, four of five.
    assert _finding(heat()) == (
        "Free shipping from a threshold on pays at 12 of 25 pairs of values, "
        "Points programme at 14 of 25 and Win-back coupon at none of 5"
    )


def test_of_more_than_three_strategies_the_least_and_the_most_are_alt_text():
    more = heat().filter(strategy="coupon").with_columns(title=pl.lit("Coupon again"))
    assert _finding(pl.concat([heat(), more])) == (
        "Pays at none of 5 (Win-back coupon) to 14 of 25 (Points programme) pairs of values"
    )


def test_each_cell_prints_its_value_in_few_characters():
    rows = _rows(heat()).filter(name="Points programme")
    # Highest licence first: 3.1 + 22.4 - 5.8 = 19.7 thousand at the left.
    assert rows["_cell"].to_list()[:5] == ["20k", "8.5k", "−2.7k", "−14k", "−25k"]


def test_the_scale_is_centred_at_zero():
    figure = heat_map(heat(), "USD").to_dict()
    low, middle, high = figure["spec"]["layer"][0]["encoding"]["fill"]["scale"]["domain"]
    # 0.35 + 56 + 26 = 82.35 thousand, the result that is farthest from zero.
    assert (low, middle, high) == (-82_350.0, 0.0, 82_350.0)


def test_the_line_runs_between_gains_and_losses_and_nowhere_else():
    rows = _rows(heat()).filter(name="Points programme")
    right = rows.filter("_right").select("x", "y").rows()
    # At the highest licence the third cell is a loss; below it the third is a gain and the fourth a loss.
    assert right == [("0.78", f"USD{NBSP}500"), *(("0.85", f"USD{NBSP}{licence}") for licence in (350, 250, 200, 150))]
    assert rows.filter("_below").select("x", "y").rows() == [("0.85", f"USD{NBSP}500")]


def test_the_axes_are_named_in_words():
    first = _rows(heat()).filter(pl.col("_note") != "").row(0, named=True)
    assert first["_note"] == "Across: order rate, against before"
    assert first["_down"] == "Upwards: share of the orders that were above the threshold already"


def test_a_strategy_with_one_number_is_a_map_of_one_row():
    rows = _rows(heat()).filter(name="Win-back coupon")
    assert rows["y"].unique().to_list() == [""]
    assert rows["_down"][0] == "It has no second number that is uncertain"


def test_a_strategy_without_any_number_is_one_cell_that_says_so():
    none = heat().filter(strategy="coupon").head(1).with_columns(x_id=pl.lit(""), x=pl.lit(0.0))
    assert _rows(none).select("x", "y", "_note").row(0) == ("", "", "None of its own numbers is uncertain")


def test_the_description_gives_the_worst_and_the_best_node():
    described = heat_map(heat(), "USD").to_dict()["description"]
    assert f"Win-back coupon: from USD{NBSP}−15,700 at Share of the orders that use it 65{NBSP}% to" in described
