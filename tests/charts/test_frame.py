"""Every figure tells its finding, its units and its interval, and stays small."""

from __future__ import annotations

import inspect
import json
import re

import polars as pl

from cxsim import reporting
from cxsim.reporting.theme import Figure, named


def _is_figure(name):
    return inspect.signature(getattr(reporting, name), eval_str=True).return_annotation is Figure


def _title(figure):
    title = figure.to_dict()["title"]
    return " ".join(title["text"]), " ".join(title["subtitle"])


def test_every_figure_describes_itself_to_those_who_cannot_see_it(figures):
    for figure in figures.values():
        finding, shown = _title(figure)
        assert figure.to_dict()["description"].startswith(f"{finding}. {shown}")


def test_every_figure_of_money_names_the_currency_on_its_axis(figures):
    for name in (
        "cash_fan",
        "npv_by_strategy",
        "npv_distribution",
        "spend_by_frequency",
        "value_by_decile",
    ):
        axes = re.findall(r'"title": "([^"]*)"', json.dumps(figures[name].to_dict()))
        assert any(axis.endswith(", USD") for axis in axes), name


def test_every_figure_with_chance_tells_its_interval_or_why_there_is_none(figures, value_figures, measured_figures):
    drawn = {"npv_by_strategy", "tracking", "holdout_by_frequency"}
    drawn |= {*value_figures, *measured_figures}
    for name in drawn:
        assert "interval" in _title(figures[name])[1], name


def test_every_figure_of_a_table_is_among_those_that_are_looked_at(figures):
    other = {"enable", "deciles"}
    assert {name for name in reporting.__all__ if _is_figure(name) and name not in other} <= set(figures)


def test_no_figure_carries_more_than_a_few_hundred_rows(figures):
    for name, figure in figures.items():
        rows = sum(len(rows) for rows in figure.to_dict()["datasets"].values())
        assert rows < 400, name


def test_no_number_in_a_figure_has_more_than_six_significant_digits(figures):
    for figure in figures.values():
        for rows in figure.to_dict()["datasets"].values():
            for value in (value for row in rows for value in row.values() if isinstance(value, float)):
                assert value == float(f"{value:.6g}")


def test_a_strategy_without_a_title_is_named_by_its_identifier_in_words():
    assert named(pl.DataFrame({"strategy": ["win_back"]}))["name"].to_list() == ["Win back"]


def test_a_strategy_with_a_title_is_named_by_it():
    table = pl.DataFrame({"strategy": ["win_back"], "title": ["Win-back coupon"]})
    assert named(table)["name"].to_list() == ["Win-back coupon"]
