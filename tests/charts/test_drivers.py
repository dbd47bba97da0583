"""The forest says what goes with later orders and what did so before; the curve shares by dose."""

from __future__ import annotations

import math

import polars as pl
import pytest

from cxsim.errors import TableError
from cxsim.metrics.drivers import ASSOCIATIONS, DOSES
from cxsim.reporting.shop.drivers import associations, dose_curve
from cxsim.tables import empty


def row(name, outcome, ratio, before, *, clear=True, model="Poisson"):
    """Return a row whose intervals are as wide as two standard errors, of 0.03, of the logarithm on each side."""
    ends = [ratio * math.exp(-1.96 * 0.03), ratio * math.exp(1.96 * 0.03)]
    past = [None] * 3 if before is None else [before, before * 0.9, before * 1.1]
    return (name, outcome, name.capitalize(), model, ratio, *ends, *past, 400, clear, "association", f"{name} finding.")


def table_of(*rows):
    return pl.DataFrame(list(rows), schema=empty(ASSOCIATIONS).schema, orient="row")


@pytest.fixture
def found():
    """A late order that harms, a contact that went along before it came, and a ticket of nothing."""
    return table_of(
        row("late order", "orders", 0.8, 1.0),
        row("late order", "spend", 0.8, 1.0),
        row("late order", "orders", 0.5, None, model="Cox"),
        row("contact", "orders", 1.5, 1.5),
        row("ticket", "orders", 1.01, None, clear=False),
    )


@pytest.fixture
def doses():
    """Three classes of deliveries, one of them too small for a share."""
    shared = {"exposure": "delivery days", "unit": "days", "outcome": "ordered again within 90 days"}
    rows = [
        (0.0, 2.0, 1.1, 0.4, 0.38, 0.42, 900),
        (2.0, 5.0, 3.2, None, None, None, 12),
        (5.0, math.inf, 7.0, 0.3, 0.27, 0.33, 500),
    ]
    names = ["dose_low", "dose_high", "dose", "value", "low", "high", "customers"]
    made = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        **{name: pl.lit(text) for name, text in shared.items()}
    )
    return made.select(list(DOSES.columns))


def _finding(figure):
    return " ".join(figure.to_dict()["title"]["text"])


def _rows(figure):
    (rows,) = figure.to_dict()["datasets"].values()
    return rows


def test_the_title_names_what_goes_with_later_orders_and_counts_what_did_so_before(found):
    assert _finding(associations(found)) == (
        "Late order and Contact go with what customers order later, one of them already before it happened"
    )


def test_the_title_says_where_all_did_so_before(found):
    assert _finding(associations(found.filter(exposure="contact"))) == (
        "Contact goes with what customers order later, but did so before it happened"
    )


def test_a_far_ratio_that_is_not_clear_among_all_comparisons_is_no_finding():
    table = table_of(row("late order", "orders", math.exp(2.2 * 0.03), None, clear=False))
    assert _finding(associations(table)) == "No experience clearly goes with what customers order later"


def test_many_findings_are_counted():
    table = table_of(*[row(f"thing {n}", "orders", 0.5, None) for n in range(4)])
    assert _finding(associations(table)) == "Four of four experiences go with what customers order later"


def test_each_experience_has_a_point_after_and_a_hollow_one_before_and_a_cross_check_none(found):
    rows = [row for row in _rows(associations(found)) if row["panel"] == "How often they order"]
    assert [(row["title"], row["kind"], row["ratio"]) for row in rows] == [
        ("Late order", "After it happened", 0.8),
        ("Contact", "After it happened", 1.5),
        ("Ticket", "After it happened", 1.01),
        ("Late order", "Before it happened", 1.0),
        ("Contact", "Before it happened", 1.5),
    ]


def test_ratios_stand_on_a_scale_of_equal_ratios_around_one(found):
    figure = associations(found).to_dict()
    point = figure["spec"]["layer"][2]["encoding"]["x"]
    assert point["scale"]["type"] == "log"
    assert 1 in point["axis"]["values"]
    assert figure["facet"]["row"]["sort"] == ["How often they order", "What they spend"]
    assert figure["description"].endswith("late order finding. late order finding. contact finding. ticket finding.")


@pytest.mark.parametrize("ratio", [0.06, 0.97, 15.0])
def test_the_axis_has_few_ticks_and_one_among_them_at_any_span(ratio):
    figure = associations(table_of(row("late order", "orders", ratio, None))).to_dict()
    ticks = figure["spec"]["layer"][2]["encoding"]["x"]["axis"]["values"]
    assert 1 in ticks
    assert 3 <= len(ticks) <= 9


def test_a_curve_shows_the_classes_that_have_a_share(doses):
    figure = dose_curve(doses)
    assert [(row["label"], row["value"]) for row in _rows(figure)] == [("0 to 2", 0.4), ("5 or more", 0.3)]
    # A difference of 0.1, beyond the root of 0.02^2 + 0.03^2 = 0.036.
    assert _finding(figure) == (
        "Delivery days: 40\N{NO-BREAK SPACE}% ordered again within 90 days at 0 to 2 days, "
        "30\N{NO-BREAK SPACE}% at 5 or more days"
    )


def test_a_small_difference_between_the_ends_is_no_clear_one(doses):
    close = doses.with_columns(value=pl.when(pl.col("value") == 0.3).then(0.39).otherwise("value"))
    assert _finding(dose_curve(close)).endswith("39\N{NO-BREAK SPACE}% at 5 or more days: no clear difference")


def test_one_class_alone_is_alt_text_without_a_comparison(doses):
    assert _finding(dose_curve(doses.head(1))) == "40\N{NO-BREAK SPACE}% ordered again within 90 days"


def test_what_cannot_be_drawn_is_refused(found, doses):
    with pytest.raises(TableError, match="ASSOCIATIONS: no column 'ratio'"):
        associations(found.drop("ratio"))
    with pytest.raises(TableError, match="ASSOCIATIONS: there is no row, so there is nothing to draw"):
        associations(found.clear())
    with pytest.raises(TableError, match="DOSES: no class has a value, so there is nothing to draw"):
        dose_curve(doses.filter(pl.col("value").is_null()))
    several = pl.concat([doses, doses.with_columns(exposure=pl.lit("days to shipping"))])
    with pytest.raises(TableError, match="one curve is of one exposure; found delivery days and days to shipping"):
        dose_curve(several)
