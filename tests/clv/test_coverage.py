"""The parameters that customers were simulated from lie in 90 % intervals in nine cases of ten, for every model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cxsim.clv.fit import fit, fit_spend
from tests.clv.shops import SHOPS, SPEND, simulated

WORLDS = 200
CUSTOMERS = 800


def scores(fitted, truth):
    """Return how many standard errors each estimate is off, on the logarithm."""
    errors = np.sqrt(np.diag(np.array(fitted.log_covariance)))
    gaps = [math.log(getattr(fitted.params, name)) - math.log(getattr(truth, name)) for name in fitted.names]
    return np.array(gaps) / errors


def covered(found):
    """Return the share of 90 % intervals that hold the truth."""
    return float((np.abs(found) <= 1.6448536269514722).mean())


@pytest.mark.parametrize("model", SHOPS)
def test_ninety_per_cent_intervals_hold_the_truth_in_nine_cases_of_ten(model):
    truth = SHOPS[model]
    found = []
    for world in range(WORLDS):
        rfm = simulated(truth, CUSTOMERS, seed=world)
        fitted = fit(rfm, model=model, k=truth.k if truth.k > 1 else None)
        assert fitted.basis == "likelihood"
        found.append(scores(fitted, truth))
    # 800 intervals, four and four from one world: the standard error is between 1 and 2 points.
    assert 0.86 <= covered(np.array(found)) <= 0.94, f"{covered(np.array(found)):.3f}"
    # Recovery: over all worlds together, no parameter is off by as much as half of one world's standard error. The
    # orders that are lost to days with another move alpha by a third of it.
    assert (np.abs(np.mean(found, axis=0)) < 0.5).all(), np.mean(found, axis=0)


def test_ninety_per_cent_intervals_of_spend_hold_the_truth_in_nine_cases_of_ten():
    found = []
    for world in range(WORLDS):
        rfm = simulated(SHOPS["bgnbd"], CUSTOMERS, seed=world, spend=SPEND)
        found.append(scores(fit_spend(rfm), SPEND))
    assert 0.86 <= covered(np.array(found)) <= 0.94, f"{covered(np.array(found)):.3f}"
    assert (np.abs(np.mean(found, axis=0)) < 0.5).all(), np.mean(found, axis=0)
