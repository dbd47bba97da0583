"""How far a forecast was off, in one number each, reckoned by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cxsim.clv.validation.scoring import (
    correlation,
    log_score,
    mean_absolute_error,
    root_mean_squared_error,
    total_bias,
)

EXPECTED = np.array([1.0, 2.0, 3.0, 2.0])
OBSERVED = np.array([0.0, 4.0, 3.0, 3.0])


def test_the_bias_of_the_total_is_its_excess_over_what_came():
    assert total_bias(EXPECTED, OBSERVED) == pytest.approx(8 / 10 - 1, abs=1e-15)


def test_where_nothing_came_the_total_has_no_bias():
    assert total_bias(EXPECTED, np.zeros(4)) is None


def test_the_mean_absolute_error_is_that_reckoned_by_hand():
    assert mean_absolute_error(EXPECTED, OBSERVED) == (1 + 2 + 0 + 1) / 4


def test_the_root_mean_squared_error_is_that_reckoned_by_hand():
    assert root_mean_squared_error(EXPECTED, OBSERVED) == pytest.approx(math.sqrt((1 + 4 + 0 + 1) / 4), abs=1e-15)


def test_the_correlation_is_that_reckoned_by_hand():
    # Deviations -1, 0, 1, 0 and -2.5, 1.5, 0.5, 0.5.
    assert correlation(EXPECTED, OBSERVED) == pytest.approx(3.0 / math.sqrt(2.0 * 9.0), abs=1e-15)


@pytest.mark.parametrize(("expected", "observed"), [(np.ones(4), OBSERVED), (EXPECTED, np.ones(4))])
def test_a_number_that_is_the_same_for_everyone_correlates_with_nothing(expected, observed):
    assert correlation(expected, observed) is None


def test_the_log_score_of_what_was_held_impossible_is_infinite():
    assert log_score(np.array([-0.1, -math.inf])) == math.inf
