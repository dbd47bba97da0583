"""Net present values: their size, their spread, and each model of leaving by itself."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.returns import (
    npv_by_strategy,
    npv_by_structure,
    npv_distribution,
    returns_table,
    structures_table,
)

NBSP = "\N{NO-BREAK SPACE}"


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return [cell.replace(NBSP, " ") for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]


def test_each_strategy_has_a_column_and_each_figure_a_row(returns):
    html = returns_table(returns, "USD").html()
    assert _row(html, "Net present value, USD") == ["41,200 ± 1,210", "6,100 ± 880", "−9,500 ± 190"]
    assert _row(html, f"Net present value, 90{NBSP}% interval") == [
        "8,100 to 92,400",
        "−21,400 to 35,300",
        "−15,000 to −3,000",
    ]


def test_chances_and_returns_carry_their_simulation_error(returns):
    html = returns_table(returns, "USD").html()
    assert _row(html, "Chance of a gain") == ["97 % ± 1", "62 % ± 3", "less than 0.5 % ± 0.0"]
    assert _row(html, "Return on outlay") == ["34 % ± 1", "10 % ± 1", "−51 % ± 1"]
    assert _row(html, "Payback in half of the draws, months") == ["14 ± 0.4", "28 ± 1", "–"]


def test_the_title_names_the_best_return(returns):
    best = returns_table(returns, "USD").title.replace(NBSP, " ")
    assert best == "Free delivery returns most on its outlay: 34 % on average"


def test_the_title_says_so_when_nothing_pays(returns):
    losses = returns.with_columns(roi=pl.col("roi") - 1.0)
    found = returns_table(losses, "USD").title
    assert found == "On average no strategy earns back its outlay; Free delivery comes nearest"


def test_a_figure_that_does_not_exist_is_a_dash(returns):
    html = returns_table(returns, "USD").html()
    assert _row(html, "Payback in nine draws of ten, months") == ["31", "–", "–"]
    assert _row(html, "Breaks even at, of the planned outlay") == ["134 %", "110 %", "49 %"]


def test_a_return_on_no_outlay_is_a_dash(returns):
    none = returns.with_columns(roi=None, roi_low=None, roi_high=None).cast(
        dict.fromkeys(["roi", "roi_low", "roi_high"], float)
    )
    html = returns_table(none, "USD").html()
    assert _row(html, "Return on outlay") == ["–"] * 3
    assert _row(html, f"Return on outlay, 90{NBSP}% interval") == ["–"] * 3


def test_a_table_without_outlay_is_refused(returns):
    with pytest.raises(TableError, match="RETURNS: no column 'outlay'"):
        returns_table(returns.drop("outlay"), "USD")


@pytest.fixture
def structures(returns) -> pl.DataFrame:
    """Three models; under the last one everything is worth 1,000 less."""
    parts = [
        returns.with_columns(structure=pl.lit(name), incremental_npv=pl.col("incremental_npv") - less)
        for name, less in (("bgnbd", 0.0), ("mbgnbd", 500.0), ("paretonbd", 1_000.0))
    ]
    return pl.concat(parts)


def test_the_title_says_that_no_decision_depends_on_the_model(structures):
    assert structures_table(structures, "USD").title == "No decision depends on the model of leaving"


def test_the_title_names_the_decisions_that_depend_on_it(structures):
    last = pl.col("structure") == "paretonbd"
    one = structures.with_columns(
        decision=pl.when(last & (pl.col("strategy") == "free_delivery")).then(pl.lit("pilot")).otherwise("decision")
    )
    table = structures_table(one, "USD")
    assert table.title == "The decision on Free delivery depends on the model of leaving"
    assert table.html().count("depends on the model<") == 1
    both = structures.with_columns(decision=pl.when(last).then(pl.lit("pilot")).otherwise("decision"))
    assert structures_table(both, "USD").title == (
        "The decisions on Free delivery and Win-back coupon depend on the model of leaving"
    )


def test_many_open_decisions_are_counted(structures):
    many = pl.concat(
        structures.with_columns(strategy=pl.format("{}-{}", "strategy", pl.lit(n)), decision=decision)
        for n in range(2)
        for decision in [pl.when(pl.col("structure") == "bgnbd").then(pl.lit("fund")).otherwise(pl.lit("reject"))]
    )
    assert structures_table(many, "USD").title == "Six of six decisions depend on the model of leaving"


def test_each_model_has_a_row_with_its_interval_and_the_spread_stands_below(structures):
    html = structures_table(structures, "USD").html().replace(NBSP, " ")
    for name in ("BG/NBD", "MBG/NBD", "Pareto/NBD"):
        assert html.count(f">{name}</th>") == 3
    assert "8,100 to 92,400" in html
    assert html.count(">1,000</td>") == 3
    assert "leave as time passes" in html
    assert "Points &lt;b&gt;&amp; more&lt;/b&gt;" in html


def test_the_twin_has_one_row_for_each_strategy_and_model(structures):
    twin = structures_table(structures, "USD").machine()
    assert "structure" in twin["columns"]
    assert len(twin["rows"]) == 9


def test_one_model_is_alt_text_in_a_sentence(structures):
    alt_text = structures_table(structures.filter(pl.col("structure") == "bgnbd"), "USD")
    assert alt_text.text.startswith("Only one model of leaving was used here, BG/NBD. ")
    assert "dropout: all" in alt_text.text


def test_returns_without_the_name_of_a_model_are_refused(returns):
    with pytest.raises(TableError, match="STRUCTURES: no column 'structure'"):
        structures_table(returns, "USD")


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def test_the_title_sorts_strategies_by_where_their_interval_lies(drawn_returns):
    assert _finding(npv_by_strategy(drawn_returns, "USD")) == (
        "A gain: Free delivery above USD 40. Could go either way: Points programme. A loss: Win-back coupon"
    )


def test_many_strategies_are_counted_instead_of_named(drawn_returns):
    many = pl.concat([drawn_returns.with_columns(title=pl.format("{} {}", "title", pl.lit(n))) for n in range(2)])
    assert _finding(npv_by_strategy(many, "USD")) == (
        "A gain: 2 of 6 strategies. Could go either way: 2 of 6 strategies. A loss: 2 of 6 strategies"
    )


def test_a_value_stands_beside_its_interval(drawn_returns):
    described = npv_by_strategy(drawn_returns, "USD").to_dict()["description"]
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


def _changed(drawn_structures, strategy):
    last = (pl.col("structure") == "paretonbd") & (pl.col("strategy") == strategy)
    return drawn_structures.with_columns(
        incremental_npv=pl.when(last).then(-pl.col("incremental_npv")).otherwise("incremental_npv")
    )


def test_the_title_says_that_gains_stay_gains(drawn_structures):
    assert _finding(npv_by_structure(drawn_structures, "USD")) == (
        "On average a gain stays a gain and a loss a loss, whichever model of leaving is used"
    )


def test_the_title_names_whose_sign_depends_on_the_model(drawn_structures):
    assert _finding(npv_by_structure(_changed(drawn_structures, "points_programme"), "USD")) == (
        "On average a gain or a loss, depending on the model of leaving: Points programme"
    )


def test_one_model_needs_no_figure(drawn_structures):
    assert npv_by_structure(drawn_structures.filter(pl.col("structure") == "bgnbd"), "USD") is None


def test_each_strategy_has_a_row_for_its_name_and_one_for_each_model(drawn_structures):
    figure = npv_by_structure(drawn_structures, "USD")
    assert figure.to_dict()["height"] == 26 * 3 * 4
    assert "Win-back coupon, Pareto/NBD: USD" in figure.to_dict()["description"]
