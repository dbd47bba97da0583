"""The returns of all strategies stand side by side."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.business.returns import returns_table

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
