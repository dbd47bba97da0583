"""Net present values: their size, their spread, and each dropout model by itself."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.returns import npv_by_structure, npv_distribution, structures_table

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def structures(returns) -> pl.DataFrame:
    """Three models; under the last one everything is worth 1,000 less."""
    parts = [
        returns.with_columns(structure=pl.lit(name), incremental_npv=pl.col("incremental_npv") - less)
        for name, less in (("bgnbd", 0.0), ("mbgnbd", 500.0), ("paretonbd", 1_000.0))
    ]
    return pl.concat(parts)


def test_the_title_says_that_no_decision_depends_on_the_model(structures):
    assert structures_table(structures, "USD").title == "No decision depends on the dropout model"


def test_the_title_names_the_decisions_that_depend_on_it(structures):
    last = pl.col("structure") == "paretonbd"
    one = structures.with_columns(
        decision=pl.when(last & (pl.col("strategy") == "free_delivery")).then(pl.lit("pilot")).otherwise("decision")
    )
    table = structures_table(one, "USD")
    assert table.title == "The decision on Free delivery depends on the dropout model"
    both = structures.with_columns(decision=pl.when(last).then(pl.lit("pilot")).otherwise("decision"))
    assert structures_table(both, "USD").title == (
        "The decisions on Free delivery and Win-back coupon depend on the dropout model"
    )


def test_many_open_decisions_are_counted(structures):
    many = pl.concat(
        structures.with_columns(strategy=pl.format("{}-{}", "strategy", pl.lit(n)), decision=decision)
        for n in range(2)
        for decision in [pl.when(pl.col("structure") == "bgnbd").then(pl.lit("fund")).otherwise(pl.lit("reject"))]
    )
    assert structures_table(many, "USD").title == "Six of six decisions depend on the dropout model"


def test_each_model_has_a_row_with_its_error_and_its_interval(structures, as_text, snapshot):
    table = structures_table(structures, "USD")
    html = table.html().replace(NBSP, " ")
    assert html.count(">Pareto/NBD</th>") == 3
    # 8,111 to 92,412, each in three digits.
    assert html.count(">8,110 to 92,400<") == 3
    assert len(table.machine()["rows"]) == 9
    assert as_text(table) == snapshot


def test_one_model_is_a_sentence(structures):
    alt_text = structures_table(structures.filter(pl.col("structure") == "bgnbd"), "USD")
    assert alt_text.text.startswith("Only one dropout model was used here, BG/NBD. ")
    assert "dropout: all" in alt_text.text


def test_returns_without_the_name_of_a_model_are_refused(returns):
    with pytest.raises(TableError, match="STRUCTURES: no column 'structure'"):
        structures_table(returns, "USD")


def test_the_title_of_the_spread_gives_the_share_of_draws_above_zero(finding):
    draws = pl.DataFrame({"strategy": ["a"] * 4 + ["b"] * 4, "npv": [-1.0, 1.0, 2.0, 3.0, -1.0, -2.0, -3.0, -4.0]})
    assert finding(npv_distribution(draws, "USD")) == (
        f"Chance of a positive NPV: A 75{NBSP}% and B less than 0.5{NBSP}%"
    )


def test_no_bar_of_the_spread_crosses_zero_and_all_draws_are_in_bars(npv):
    (rows,) = npv_distribution(npv, "USD").to_dict()["datasets"].values()
    assert all(row["start"] >= 0.0 or row["end"] <= 0.0 for row in rows)
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


def test_the_title_says_that_gains_stay_gains(drawn_structures, finding):
    assert finding(npv_by_structure(drawn_structures, "USD")) == (
        "The sign of the expected NPV is clear and the same under every dropout model"
    )


def test_the_title_names_whose_sign_depends_on_the_model(drawn_structures, finding):
    assert finding(npv_by_structure(_changed(drawn_structures, "points_programme"), "USD")) == (
        "The sign of the expected NPV depends on the dropout model for Points programme"
    )


@pytest.mark.parametrize(
    ("models", "state"),
    [
        (["bgnbd", "mbgnbd", "paretonbd"], "is not clear under any dropout model"),
        (["bgnbd"], "is clear only under some dropout models"),
    ],
)
def test_the_title_names_whose_sign_is_within_simulation_error(drawn_structures, finding, models, state):
    vague = pl.col("structure").is_in(models) & (pl.col("strategy") == "points_programme")
    error = pl.when(vague).then(pl.col("incremental_npv").abs()).otherwise("npv_mc_error")
    title = finding(npv_by_structure(drawn_structures.with_columns(npv_mc_error=error), "USD"))
    assert title == f"The sign of the expected NPV {state} for Points programme"


def test_one_model_needs_no_figure(drawn_structures):
    alone = npv_by_structure(drawn_structures.filter(pl.col("structure") == "bgnbd"), "USD")
    assert alone.text == "One dropout model is used here, so there is no comparison of models."


def test_each_strategy_has_a_row_for_its_name_and_one_for_each_model(drawn_structures):
    figure = npv_by_structure(drawn_structures, "USD")
    assert figure.to_dict()["height"] == 26 * 3 * 4
    assert "Win-back coupon, Pareto/NBD: USD" in figure.to_dict()["description"]
