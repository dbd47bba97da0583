"""Amounts in few characters, and values of assumptions in their unit."""

from __future__ import annotations

import pytest

from cxsim.reporting.theme import distinguishable, in_brief, short

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0.0, "0"),
        (-0.4, "0"),
        (87.3, "87"),
        (999.4, "999"),
        (999.6, "1k"),
        (-3_210.0, "−3.2k"),
        (9_960.0, "10k"),
        (12_340.0, "12k"),
        (-999_600.0, "−1M"),
        (2_500_000_000.0, "2.5bn"),
    ],
)
def test_an_amount_is_printed_in_few_characters(amount, written):
    assert short(amount) == written


@pytest.mark.parametrize(
    ("values", "unit", "written"),
    [
        ([0.97, 1.27], "ratio", ["0.97", "1.27"]),
        # 0.002 apart: four units of the last digit are four decimals, of which the last is nothing for both.
        ([1.001, 1.003], "ratio", ["1.001", "1.003"]),
        ([0.25, 0.58], "share", [f"25{NBSP}%", f"58{NBSP}%"]),
        ([0.02, 0.05], "share per year", [f"2{NBSP}% a year", f"5{NBSP}% a year"]),
        ([55.0, 150.0], "days", [f"55{NBSP}days", f"150{NBSP}days"]),
        ([1.95, 3.15], "money per order", [f"USD{NBSP}1.95", f"USD{NBSP}3.15"]),
        ([2.0, 2.5], "money", [f"USD{NBSP}2.00", f"USD{NBSP}2.50"]),
        ([480.0, 1_330.0], "money", [f"USD{NBSP}480", f"USD{NBSP}1,330"]),
        ([-1.2, -0.4], "elasticity", ["−1.2", "−0.4"]),
        ([3.0, 3.0], "hours", [f"3{NBSP}hours", f"3{NBSP}hours"]),
        ([0.0], "ratio", ["0"]),
    ],
)
def test_values_of_one_assumption_are_alt_text_apart_in_their_unit(values, unit, written):
    assert distinguishable(values, unit, "USD") == written


def test_a_description_that_fits_is_kept_whole():
    assert in_brief("Order rate, against before.", 40) == "Order rate, against before"


def test_a_long_description_ends_with_a_whole_clause():
    text = "Share of the orders that use it, including those that would have come: all of them"
    assert in_brief(text, 70) == "Share of the orders that use it, including those that would have come"
    assert in_brief(text, 50) == "Share of the orders that use it"


def test_a_clause_that_is_too_long_by_itself_is_cut_between_words():
    assert in_brief("Share of customers whom the programme reaches", 24) == "Share of customers whom…"
