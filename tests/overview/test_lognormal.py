"""Waiting times are read with those that still wait, not without them."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.errors import DataError
from cxsim.metrics.calibration_readings import fit_lognormal

NOBODY = np.array([])


def waits(count, *, median, spread, seed):
    luck = np.random.Generator(np.random.PCG64(seed))
    return median * np.exp(spread * luck.standard_normal(count))


def test_without_anybody_waiting_it_is_mean_and_deviation_of_the_logs():
    # Logs 0, ln 2, ln 4: mean ln 2; variance 2/3 (ln 2)^2; errors s / sqrt(3) of the mean and s / sqrt(6) of s.
    found = fit_lognormal(np.array([1.0, 2.0, 4.0]), NOBODY)
    spread = np.sqrt(2.0 / 3.0) * np.log(2.0)
    assert found.median == pytest.approx(2.0, rel=1e-9)
    assert found.spread == pytest.approx(spread, rel=1e-9)
    # The curvature is a difference over 1e-4, so that six digits hold.
    assert found.log_error == pytest.approx(spread / np.sqrt(3.0), rel=1e-6)
    assert found.median_error == pytest.approx(2.0 * spread / np.sqrt(3.0), rel=1e-6)
    assert found.spread_error == pytest.approx(spread / np.sqrt(6.0), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_open_tickets_are_counted_for_what_they_have_waited(seed):
    # Each is watched for 8 hours of a median of 10: more than half are open, and the truth is still found.
    true = waits(4_000, median=10.0, spread=1.2, seed=seed)
    over, waiting = true[true < 8.0], np.full((true >= 8.0).sum(), 8.0)
    assert len(waiting) > len(over)
    found = fit_lognormal(over, waiting)
    z = ((found.median - 10.0) / found.median_error, (found.spread - 1.2) / found.spread_error)
    assert max(map(abs, z)) < 4.0, z
    # Who leaves the open ones out reads a median of less than half.
    assert np.median(over) < 5.0


def test_the_median_is_near_that_of_kaplan_and_meier_whatever_was_censored():
    true = waits(20_000, median=10.0, spread=1.0, seed=9)
    limits = waits(20_000, median=30.0, spread=1.0, seed=10)
    over, waiting = true[true <= limits], limits[true > limits]
    found = fit_lognormal(over, waiting)
    times = np.sort(np.concatenate([over, waiting]))
    ended = np.isin(times, over)
    staying = np.cumprod(1.0 - ended / (len(times) - np.arange(len(times))))
    product_limit = times[np.argmax(staying <= 0.5)]
    # Its standard error is about 1.25 times that of a mean of logs: 4 of them.
    assert product_limit == pytest.approx(found.median, abs=4 * 1.6 * found.median_error)


@pytest.mark.parametrize("over", [NOBODY, np.array([3.0]), np.array([3.0, 3.0])])
def test_too_few_times_are_refused(over):
    with pytest.raises(DataError, match=f"needs two waiting times that differ; found {len(over)}"):
        fit_lognormal(over, np.array([5.0]))
