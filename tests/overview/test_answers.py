"""A scale is found again from answers on it, however many of them lie at its end."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.errors import EstimationError
from cxsim.metrics.calibration_readings import Answering, fit_scale, response_at_mean

EVERYBODY = Answering(odds=1e9, extremity=0.0)


def patterns(satisfied, centre, per_deviation, noise, *, luck, ends=(0, 10)):
    """Return two answers of each customer, all of whom were asked twice."""
    said = centre + per_deviation * satisfied[:, None] + noise * luck.standard_normal((len(satisfied), 2))
    scores = np.clip(np.floor(said + 0.5), *ends).astype(int)
    table = pl.DataFrame({"asked": 2, "answered": 2, "first": scores[:, 0], "second": scores[:, 1]})
    keys = table.columns
    return table.group_by(keys).agg(customers=pl.len().cast(pl.Int64)).sort(keys)


@pytest.mark.parametrize("centre", [8.0, 9.8])
def test_the_scale_is_found_again_though_most_answer_with_the_highest_score(centre):
    luck = np.random.Generator(np.random.PCG64(4))
    found = fit_scale(
        patterns(luck.standard_normal(3_000), centre, 1.3, 1.4, luck=luck), (0, 10), EVERYBODY, satisfaction_share=None
    )
    z = (
        (found.centre - centre) / found.centre_error,
        (found.per_deviation - 1.3) / found.per_deviation_error,
        (found.noise - 1.4) / found.noise_error,
    )
    assert max(map(abs, z)) < 4.0, z
    assert found.spread == pytest.approx(np.hypot(found.per_deviation, found.noise), rel=1e-12)


def test_those_who_are_asked_may_be_less_satisfied_than_all():
    luck = np.random.Generator(np.random.PCG64(5))
    sentence = patterns(luck.standard_normal(4_000) - 0.5, 8.0, 1.3, 1.4, luck=luck)
    found = fit_scale(sentence, (0, 10), Answering(odds=1e9, extremity=0.0, shift=-0.5), satisfaction_share=None)
    assert abs(found.centre - 8.0) < 4.0 * found.centre_error
    # Taken for all customers, they would answer 0.65 less.
    plain = fit_scale(sentence, (0, 10), EVERYBODY, satisfaction_share=None)
    assert plain.centre == pytest.approx(8.0 - 0.5 * 1.3, abs=4.0 * plain.centre_error)


def test_a_share_that_is_given_is_kept():
    luck = np.random.Generator(np.random.PCG64(6))
    sentence = patterns(luck.standard_normal(500), 8.0, 1.3, 1.4, luck=luck)
    found = fit_scale(sentence, (0, 10), EVERYBODY, satisfaction_share=0.25)
    assert found.per_deviation**2 / found.spread**2 == pytest.approx(0.25)
    assert (found.per_deviation_error, found.noise_error) == (None, None)


def test_answers_that_are_all_the_same_say_no_scale():
    sentence = pl.DataFrame({"asked": [2], "answered": [2], "first": [10], "second": [10], "customers": [50]})
    with pytest.raises(EstimationError, match="the answers do not say it"):
        fit_scale(sentence, (0, 10), EVERYBODY, satisfaction_share=0.5)


@pytest.mark.parametrize("share", [0.01, 0.12, 0.5, 0.95])
def test_without_extremity_all_answer_as_often_as_at_mean_satisfaction(share):
    assert response_at_mean(share, 0.0) == pytest.approx(share, rel=1e-9)


def test_where_extremes_answer_more_often_the_mean_answers_less_often():
    # By simulation: at an extremity of 0.6 and odds of 0.25 (a share of 0.2) at the mean.
    luck = np.random.Generator(np.random.PCG64(7))
    odds = 0.25 * np.exp(0.6 * np.abs(luck.standard_normal(2_000_000)))
    share = (odds / (1.0 + odds)).mean()
    assert share > 0.27
    # The mean of two million chances, of deviation 0.07, is known to 5e-5; its slope is about 1.
    assert response_at_mean(share, 0.6) == pytest.approx(0.2, abs=2e-4)
