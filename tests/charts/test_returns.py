"""The figures of net present value say what is a gain, and how likely one is."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.reporting.business.returns import npv_by_strategy, npv_distribution

NBSP = "\N{NO-BREAK SPACE}"


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def test_the_title_sorts_strategies_by_where_their_interval_lies(returns):
    assert _finding(npv_by_strategy(returns, "USD")) == (
        "A gain: Free delivery above USD 40. Could go either way: Points programme. A loss: Win-back coupon"
    )


def test_many_strategies_are_counted_instead_of_named(returns):
    many = pl.concat([returns.with_columns(title=pl.format("{} {}", "title", pl.lit(n))) for n in range(2)])
    assert _finding(npv_by_strategy(many, "USD")) == (
        "A gain: 2 of 6 strategies. Could go either way: 2 of 6 strategies. A loss: 2 of 6 strategies"
    )


def test_a_value_stands_beside_its_interval(returns):
    described = npv_by_strategy(returns, "USD").to_dict()["description"]
    assert f"Win-back coupon: USD{NBSP}−9,500 (−15,000 to −3,000)" in described


def test_the_title_of_the_spread_gives_the_share_of_draws_above_zero():
    draws = pl.DataFrame({"strategy": ["a"] * 4 + ["b"] * 4, "npv": [-1.0, 1.0, 2.0, 3.0, -1.0, -2.0, -3.0, -4.0]})
    assert _finding(npv_distribution(draws, "USD")) == (f"Chance of a gain: A 75{NBSP}% and B less than 0.5{NBSP}%")


def test_no_bar_of_the_spread_crosses_zero(npv):
    for rows in npv_distribution(npv, "USD").to_dict()["datasets"].values():
        assert all(row["start"] >= 0.0 or row["end"] <= 0.0 for row in rows)


def test_the_bars_of_each_strategy_hold_all_its_draws(npv):
    (rows,) = npv_distribution(npv, "USD").to_dict()["datasets"].values()
    shares = pl.DataFrame(rows).group_by("name").agg(pl.col("share").sum())["share"]
    # Shares are held to six significant digits and there are fewer than fifty bars.
    assert shares.to_list() == pytest.approx([1.0] * 3, abs=5e-5)


def test_draws_without_any_spread_are_drawn_as_one_bar():
    (rows,) = (
        npv_distribution(pl.DataFrame({"strategy": ["a"] * 3, "npv": [5.0] * 3}), "USD").to_dict()["datasets"].values()
    )
    assert [row["share"] for row in rows] == [1.0]
