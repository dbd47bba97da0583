"""The figures of models of leaving and of searched sizes say what they found."""

from __future__ import annotations

import json

import polars as pl
import pytest

from cxsim.reporting.business.break_even import npv_by_size
from cxsim.reporting.business.returns import npv_by_structure


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def _changed(structures, strategy):
    last = (pl.col("structure") == "paretonbd") & (pl.col("strategy") == strategy)
    return structures.with_columns(
        incremental_npv=pl.when(last).then(-pl.col("incremental_npv")).otherwise("incremental_npv")
    )


def test_the_title_says_that_gains_stay_gains(structures):
    assert _finding(npv_by_structure(structures, "USD")) == (
        "On average a gain stays a gain and a loss a loss, whichever model of leaving is used"
    )


def test_the_title_names_whose_sign_depends_on_the_model(structures):
    assert _finding(npv_by_structure(_changed(structures, "points_programme"), "USD")) == (
        "On average a gain or a loss, depending on the model of leaving: Points programme"
    )


def test_one_model_needs_no_figure(structures):
    assert npv_by_structure(structures.filter(pl.col("structure") == "bgnbd"), "USD") is None


def test_each_strategy_has_a_row_for_its_name_and_one_for_each_model(structures):
    figure = npv_by_structure(structures, "USD")
    assert figure.to_dict()["height"] == 26 * 3 * 4
    assert "Win-back coupon, Pareto/NBD: USD" in figure.to_dict()["description"]


def test_the_title_says_at_which_size_it_pays(curve, search):
    assert _finding(npv_by_size(curve, search, "USD")) == "Gold status: pays at 0.72 or less"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-1.0, -2.0, "No break-even within what was searched"),
        (2.0, 1.0, "Pays at both ends of what was searched"),
    ],
)
def test_the_title_says_so_where_there_is_no_root(curve, search, low, high, words):
    flat = search.with_columns(npv_low=low, npv_high=high, break_even=pl.lit(None, dtype=pl.Float64))
    assert _finding(npv_by_size(curve, flat, "USD")) == words


def test_the_break_even_is_marked_once(curve, search):
    drawn = json.dumps(npv_by_size(curve, search, "USD").to_dict())
    assert drawn.count("Pays at 0.72 or less") == 1
    assert "searched, not believed" not in drawn
