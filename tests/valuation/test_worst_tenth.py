from __future__ import annotations

import numpy as np
import pytest

from cxsim.errors import ParamError
from cxsim.finance.statement import worst_tenth


def test_a_tenth_of_twenty_draws_is_two_of_them():
    assert worst_tenth(np.arange(20.0)[::-1]).mean == pytest.approx(0.5, abs=1e-15)  # (0 + 1) / 2


def test_a_draw_counts_in_part_where_a_tenth_is_no_whole_number():
    # 25 draws: two and half of a third: (-10 - 6 + 0.5 * 4) / 2.5 = -5.6
    draws = np.array([4.0, *np.full(22, 50.0), -10.0, -6.0])
    assert worst_tenth(draws).mean == pytest.approx(-5.6, abs=1e-13)


def test_the_worst_of_few_draws_is_their_lowest():
    assert worst_tenth(np.array([3.0, -1.0, 2.0])).mean == pytest.approx(-1.0, abs=1e-15)


def test_the_error_is_that_of_the_mean_of_what_lies_below_the_edge():
    # Edge 2 of 20 draws 0 to 19: parts 2 - 20 = -18, 2 - 10 = -8 and 18 times 2; mean 0.5;
    # squares 18.5^2 + 8.5^2 + 18 * 1.5^2 = 342.25 + 72.25 + 40.5 = 455; error root of 455 / 19 / 20.
    assert worst_tenth(np.arange(20.0)).mc_error == pytest.approx((455 / 19 / 20) ** 0.5, rel=1e-14)


def test_the_error_is_how_much_repeated_simulations_scatter():
    # 4,000 simulations of 500 normal draws. The scatter of a standard deviation over n repetitions is about
    # sd / root of 2 n = 1.1 %, of which four; the error itself is right to first order in 1 / 50 draws, 2 %.
    found = [worst_tenth(draws) for draws in np.random.default_rng(8).normal(size=(4_000, 500))]
    scatter = np.std([one.mean for one in found], ddof=1)
    assert np.sqrt(np.mean([one.mc_error**2 for one in found])) == pytest.approx(scatter, rel=4 * 0.011 + 0.02)


def test_the_mean_of_the_worst_tenth_of_normal_draws_is_known():
    # -phi(z) / 0.1 with z the tenth-quantile -1.28155: density 0.1754983, so -1.754983; within four errors.
    found = worst_tenth(np.random.default_rng(9).normal(size=100_000))
    assert abs(found.mean + 1.754983) < 4 * found.mc_error
    assert found.mc_error < 0.01


def test_the_same_draws_under_another_structure_are_no_new_evidence():
    draws = np.random.default_rng(2).normal(size=200)
    once, twice = worst_tenth(draws), worst_tenth(np.tile(draws, 2), structures=2)
    assert twice.mean == pytest.approx(once.mean, abs=1e-12)
    assert twice.mc_error == pytest.approx(once.mc_error, rel=1e-12)


@pytest.mark.parametrize(("count", "structures"), [(1, 1), (5, 2), (2, 2)])
def test_too_few_draws_are_refused(count, structures):
    with pytest.raises(ParamError, match=f"found {count} draws under {structures} structures"):
        worst_tenth(np.zeros(count), structures=structures)
