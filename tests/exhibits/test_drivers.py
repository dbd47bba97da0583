"""Associations and doses as tables to read: ratios with intervals, after and before; shares by class."""

from __future__ import annotations

import math
import re

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.drivers import ASSOCIATIONS, DOSES
from cxsim.reporting.shop.drivers import associations_table, doses_table
from cxsim.tables import empty

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def found():
    """One experience with two outcomes, the second without a check; a finding holds markup."""
    rows = [
        (
            "late",
            "orders",
            "Late <b>",
            "Poisson",
            0.871,
            0.802,
            0.944,
            0.98,
            0.92,
            1.04,
            1400,
            True,
            "association",
            "A & b.",
        ),
        (
            "late",
            "spend",
            "Late <b>",
            "quasi-Poisson",
            0.9,
            0.8,
            1.0,
            None,
            None,
            None,
            1400,
            False,
            "association",
            "Less.",
        ),
    ]
    return pl.DataFrame(rows, schema=empty(ASSOCIATIONS).schema, orient="row")


@pytest.fixture
def doses():
    """A class with a share, and one of too few customers without an upper end."""
    outcome = "ordered again within 90 days"
    rows = [
        ("delivery days", "days", 0.0, 2.0, 1.14, outcome, 0.4, 0.38, 0.42, 1900),
        ("delivery days", "days", 2.0, math.inf, 3.0, outcome, None, None, None, 12),
        ("returns so far", "count", 0.0, 1.0, 0.0, outcome, 0.5, 0.45, 0.55, 600),
    ]
    return pl.DataFrame(rows, schema=empty(DOSES).schema, orient="row")


def _cells(html, name):
    line = next(row for row in re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL) if f">{name}<" in row)
    return re.findall(r"<td[^>]*>(.*?)</td>", line)


def test_an_association_stands_with_its_interval_and_with_what_was_before(found):
    html = associations_table(found).html()
    assert _cells(html, "Orders") == [
        "Poisson", "0.87", "0.80 to 0.94", "0.98", "0.92 to 1.04", "1,400", "yes", "association", "A &amp; b.",
    ]  # fmt: skip
    assert "Late &lt;b&gt;" in html
    assert _cells(html, "Spend")[6] == "no"


def test_where_nothing_is_known_of_before_a_dash_stands(found):
    assert _cells(associations_table(found).html(), "Spend")[3:5] == ["–", "–"]


def test_the_title_counts_the_experiences(found):
    assert associations_table(found).title == "How one experience goes with later orders"
    two = pl.concat([found, found.with_columns(exposure=pl.lit("ticket"))])
    assert associations_table(two).title == "How two experiences go with later orders"


def test_doses_stand_with_their_class_and_too_few_customers_have_no_share(doses):
    html = doses_table(doses).html()
    assert _cells(html, f"0 to 2{NBSP}days") == [f"40.0{NBSP}%", f"38.0 to 42.0{NBSP}%", "1.1", "1,900"]
    assert _cells(html, f"2 or more{NBSP}days") == ["too few", "–", "3.0", "12"]
    assert _cells(html, "0 to 1")[0] == f"50.0{NBSP}%"
    assert "Delivery days: ordered again within 90 days" in html


def test_the_twins_keep_the_numbers_and_an_open_end_is_null(found, doses):
    assert associations_table(found).twin.equals(found)
    machine = doses_table(doses).machine()
    assert [row[machine["columns"].index("dose_high")] for row in machine["rows"]] == [2.0, None, 1.0]


def test_tables_without_their_columns_are_refused(found, doses):
    with pytest.raises(TableError, match="ASSOCIATIONS: no column 'label'"):
        associations_table(found.drop("label"))
    with pytest.raises(TableError, match="DOSES: no column 'unit'"):
        doses_table(doses.drop("unit"))
