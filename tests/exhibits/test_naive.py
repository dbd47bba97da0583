"""Naive readings stand beside the truth, each in its own unit."""

from __future__ import annotations

import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.promoters import naive_table

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def readings():
    """Money, a ratio and a score; a title and a finding hold markup."""
    return pl.DataFrame(
        {
            "method": ["members", "promoters", "nps"],
            "title": ["Members <b>", "Promoters", "Score"],
            "reading": [10.327, 1.958, -27.04],
            "low": [3.771, 1.743, -28.8],
            "high": [16.883, 2.174, -25.1],
            "truth": [2.4498, 1.0, -28.1],
            "unit": ["money", "ratio", "score"],
            "finding": ["More & <more>.", "Twice.", "Fewer."],
        }
    )


def _row(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return re.findall(r"<td[^>]*>(.*?)</td>", line)


def test_small_truths_beside_large_readings_keep_their_digits(readings):
    html = naive_table(readings, "USD").html()
    assert _row(html, "Members &lt;b&gt;") == [
        "10.3", "3.8 to 16.9", "2.45", "USD per customer", "More &amp; &lt;more&gt;.",
    ]  # fmt: skip


def test_ratios_have_two_decimals_and_scores_one(readings):
    html = naive_table(readings, "USD").html()
    assert _row(html, "Promoters")[:4] == ["1.96", "1.74 to 2.17", "1.00", "times"]
    assert _row(html, "Score")[:4] == ["−27.0", "−28.8 to −25.1", "−28.1", "points, −100 to 100"]


def test_the_title_counts_the_readings_that_miss_the_truth(readings):
    assert naive_table(readings, "USD").title == "Two of three naive readings miss the truth"
    held = readings.filter(method="nps")
    assert naive_table(held, "USD").title == "Every naive reading holds the truth inside its interval"


def test_the_twin_keeps_the_numbers(readings):
    assert naive_table(readings, "USD").twin.equals(readings)


def test_a_table_without_the_truth_is_refused(readings):
    with pytest.raises(TableError, match="NAIVE: no column 'truth'"):
        naive_table(readings.drop("truth"), "USD")
