"""What goes with later orders: ratios with intervals, after and before; shares by dose."""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.reporting.shop.drivers import associations, associations_table, dose_curve, doses_table
from tests.reporting.shop.conftest import associated, association

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def delivery(doses):
    return doses.filter(exposure="delivery days")


def test_each_experience_has_a_point_after_and_a_hollow_one_before_and_a_cross_check_none(found, as_text, snapshot):
    assert as_text(associations(found)) == snapshot


def test_the_title_says_where_all_did_so_before(found, finding):
    assert finding(associations(found.filter(exposure="contact"))) == (
        "Contact goes with what customers order later, but did so before it happened"
    )


def test_a_far_ratio_that_is_not_clear_among_all_comparisons_is_no_finding(finding):
    table = associated(association("late order", "orders", math.exp(2.2 * 0.03), None, clear=False))
    assert finding(associations(table)) == "No experience clearly goes with what customers order later"


def test_many_findings_are_counted(finding):
    table = associated(*[association(f"thing {n}", "orders", 0.5, None) for n in range(4)])
    assert finding(associations(table)) == "Four of four experiences go with what customers order later"


@pytest.mark.parametrize("ratio", [0.06, 0.97, 15.0])
def test_the_axis_has_few_ticks_and_one_among_them_at_any_span(ratio):
    figure = associations(associated(association("late order", "orders", ratio, None))).to_dict()
    ticks = figure["spec"]["layer"][2]["encoding"]["x"]["axis"]["values"]
    assert 1 in ticks
    assert 3 <= len(ticks) <= 9


def test_a_curve_shows_the_classes_that_have_a_share(delivery, finding, as_text, snapshot):
    # A difference of 0.1, beyond the root of 0.02^2 + 0.03^2 = 0.036.
    assert as_text(dose_curve(delivery)) == snapshot
    close = delivery.with_columns(value=pl.when(pl.col("value") == 0.3).then(0.39).otherwise("value"))
    assert finding(dose_curve(close)).endswith(f"39{NBSP}% at 5 or more days: no clear difference")
    assert finding(dose_curve(delivery.head(1))) == f"40{NBSP}% ordered again within 90 days"


def test_an_association_stands_with_its_interval_and_with_what_was_before(found, as_text, snapshot):
    table = associations_table(found)
    assert as_text(table) == snapshot
    assert table.twin.equals(found)
    assert associations_table(found.head(1)).title == "How one experience goes with later orders"


def test_doses_stand_with_their_class_and_too_few_customers_have_no_share(doses, as_text, snapshot):
    table = doses_table(doses)
    assert as_text(table) == snapshot
    machine = table.machine()
    assert [row[machine["columns"].index("dose_high")] for row in machine["rows"]] == [2.0, 5.0, None, 1.0]


def test_what_cannot_be_shown_is_refused(found, doses, delivery):
    with pytest.raises(TableError, match="ASSOCIATIONS: no column 'ratio'"):
        associations(found.drop("ratio"))
    with pytest.raises(TableError, match="ASSOCIATIONS: there is no row, so there is nothing to draw"):
        associations(found.clear())
    with pytest.raises(TableError, match="DOSES: no class has a value, so there is nothing to draw"):
        dose_curve(delivery.filter(pl.col("value").is_null()))
    with pytest.raises(TableError, match="one curve is of one exposure; found delivery days and returns so far"):
        dose_curve(doses)
    with pytest.raises(TableError, match="ASSOCIATIONS: no column 'label'"):
        associations_table(found.drop("label"))
    with pytest.raises(TableError, match="DOSES: no column 'unit'"):
        doses_table(doses.drop("unit"))
