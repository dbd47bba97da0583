"""The waterfall leads from extra sales to extra cash."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim import charts
from cxsim.errors import TableError

NBSP = "\N{NO-BREAK SPACE}"


def _steps(statement):
    datasets = charts.waterfall(statement, "points_programme", "USD").to_dict()["datasets"]
    return next(pl.DataFrame(rows) for rows in datasets.values() if "account" in rows[0])


def test_the_title_names_both_ends(statement):
    # 36 months of 5,000 sales and of 750 cash.
    title = charts.waterfall(statement, "points_programme", "USD").to_dict()["title"]["text"]
    assert " ".join(title) == (
        f"Points programme: extra sales of USD{NBSP}180,000 become extra cash of USD{NBSP}27,000"
    )


def test_each_bar_starts_where_the_one_above_ends(statement):
    steps = _steps(statement)
    assert steps["start"].to_list()[:-1] == [0.0, *steps["end"].to_list()[:-2]]


def test_the_last_bar_is_the_cash_contribution_of_the_statement(statement):
    cash = statement.filter(strategy="points_programme", line="cash contribution")["incremental"].sum()
    assert _steps(statement)["amount"][-1] == cash


def test_accounts_that_do_not_change_are_left_out(statement):
    assert not {"Support", "Acquisition"} & set(_steps(statement)["account"])


def test_an_unknown_strategy_is_answered_with_the_nearest(statement):
    with pytest.raises(TableError, match=r"no strategy 'points'; .*points_programme"):
        charts.waterfall(statement, "points", "USD")
