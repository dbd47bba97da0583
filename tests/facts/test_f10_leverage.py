"""F10: "5 % more retention, 25 to 95 % more profit" needs loyal customers and costs that profit is levered on.

Reichheld and Sasser (1990), Zero Defections, Harvard Business Review 68(5), is where the saying comes from; Sharp calls
it a thought experiment. The arithmetic of it: customers stay from year to year with a chance r, money is worth 10 % a
year, and five points are added to r.
"""

from __future__ import annotations

import pytest

DISCOUNT, POINTS = 0.10, 0.05


def later(retention):
    """Value of all years after the first, for one unit of money a year."""
    return retention / (1 + DISCOUNT - retention)


def whole(retention):
    """Value with the first year."""
    return 1 + later(retention)


def rise(value, retention, more=POINTS):
    return value(retention + more) / value(retention) - 1


def levered_rise(retention):
    """Rise of the value less a cost of acquisition of half of it."""
    cost = whole(retention) / 2
    return rise(lambda r: whole(r) - cost, retention)


# From where half of the customers stay: below, five points are a large part of a retention that is worth little.
TENTHS = [number / 10 for number in range(5, 10)]
HUNDREDTHS = [number / 100 for number in range(50, 96)]
# Retention; percent more of later value, of the whole, and of the whole less acquisition.
TABLE = [(0.5, 20, 9, 18), (0.7, 22, 14, 29), (0.8, 28, 20, 40), (0.9, 41, 33, 67)]


@pytest.mark.parametrize(("retention", "of_later", "of_whole", "levered"), TABLE)
def test_f10_the_table_of_the_notes_comes_out_to_the_percent(retention, of_later, of_whole, levered):
    found = (rise(later, retention), rise(whole, retention), levered_rise(retention))
    # To the whole percent that the notes print; 27.5 % is on the edge between two of them.
    assert [100 * share for share in found] == pytest.approx([of_later, of_whole, levered], abs=0.5 + 1e-9)


def test_f10_five_percent_of_a_retention_of_a_half_are_four_percent_of_value():
    assert round(100 * rise(whole, 0.5, more=0.5 * 0.05)) == 4


def test_f10_without_leverage_a_quarter_more_needs_four_in_five_who_stay():
    assert [retention for retention in TENTHS if rise(later, retention) >= 0.25] == [0.8, 0.9]
    assert [retention for retention in TENTHS if rise(whole, retention) >= 0.25] == [0.9]


def test_f10_ninety_five_percent_more_is_out_of_reach_without_leverage_and_needs_nearly_everyone_to_stay_with_it():
    # Retention of 95 % and five points more is nobody who ever leaves: 1 / 0.95 * 0.15 / 0.10.
    assert max(rise(later, retention) for retention in HUNDREDTHS) == pytest.approx(0.579, abs=0.0005)
    assert [retention for retention in HUNDREDTHS if levered_rise(retention) >= 0.95] == [0.95]


def test_f10_leverage_doubles_the_rise_and_does_not_make_it():
    # With acquisition at half of the value a quarter more is reached from 65 %, so leverage alone is not enough.
    assert min(retention for retention in HUNDREDTHS if levered_rise(retention) >= 0.25 - 1e-12) == 0.65
    assert all(levered_rise(retention) == pytest.approx(2 * rise(whole, retention)) for retention in HUNDREDTHS)
