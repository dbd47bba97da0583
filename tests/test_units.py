from __future__ import annotations

import pytest

from cxsim.params import BOUNDS, MICROS, MICROS_PER_CENT, SHARE_STEPS, Unit, micros, share_steps


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_says_what_it_allows(unit):
    assert BOUNDS[unit].low < BOUNDS[unit].high


def test_a_share_of_a_cent_is_a_whole_number_of_millionths():
    # What makes the ledger exact: 10**-2 * 10**-4 = 10**-6.
    assert MICROS_PER_CENT == SHARE_STEPS
    assert MICROS_PER_CENT * 100 == MICROS


@pytest.mark.parametrize(("amount", "whole"), [(0.01, 10_000), (2.5, 2_500_000), (0.0, 0), (1e9, 10**15)])
def test_money_becomes_whole_millionths(amount, whole):
    assert micros(amount) == whole


# 0.29 * 10_000 is 2899.9999999999995 as a float.
@pytest.mark.parametrize(("share", "whole"), [(0.29, 2900), (0.0, 0), (1.0, 10_000), (0.00004, 0), (0.00006, 1)])
def test_a_share_becomes_whole_hundredths_of_a_percent(share, whole):
    assert share_steps(share) == whole
