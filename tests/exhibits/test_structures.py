"""Returns under each model of leaving say which decisions depend on it."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.returns import structures_table

NBSP = "\N{NO-BREAK SPACE}"


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
