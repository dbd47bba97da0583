from __future__ import annotations

import dataclasses

import polars as pl


def test_a_study_says_in_one_line_what_it_found(study):
    decisions = ", ".join(f"{row['strategy']}: {row['decision']}" for row in study.returns.iter_rows(named=True))
    assert repr(study) == f"Study(cdnow-quick; 4 draws; {decisions})"


def test_in_a_notebook_it_shows_one_row_per_strategy(study):
    page = study._repr_html_()
    assert page.count("<tr>") == 1 + 3
    assert "incremental NPV, USD" in page
    assert page == study._repr_html_()


def test_titles_are_text_and_not_markup(study):
    evil = "<script>alert(1)</script>"
    scenario = dataclasses.replace(study.scenario, title=evil)
    page = dataclasses.replace(
        study, scenario=scenario, returns=study.returns.with_columns(title=pl.lit(evil))
    )._repr_html_()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 1 + 3


def test_nothing_is_shown_as_less_than_nothing(study):
    page = dataclasses.replace(study, returns=study.returns.with_columns(incremental_npv=pl.lit(-0.2)))._repr_html_()
    assert "<td>0</td>" in page
    assert "<td>-0</td>" not in page


def test_the_currency_is_the_shops(study):
    assert study.currency == "USD"


def test_strategies_are_listed_with_their_harms_in_the_order_of_the_scenario(study):
    found = study.strategies
    assert found["strategy"].to_list() == [strategy.name for strategy in study.scenario.strategies]
    assert found["harms"].str.len_chars().min() > 0
