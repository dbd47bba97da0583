"""From one number per unit: the sums, ratios, curves and means that tests of intervals compare with."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy import stats

from cxsim.metrics.estimators import Survival, kaplan_meier
from cxsim.metrics.intervals import Estimate, RatioSums, ratio


def ratio_sums(numerators, denominators) -> RatioSums:
    x, n = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    return RatioSums(units=x.size, x=x.sum(), n=n.sum(), xx=x @ x, nn=n @ n, xn=x @ n)


def ratio_of(numerators, denominators, **options) -> Estimate:
    return ratio(ratio_sums(numerators, denominators), **options)


def survival(durations, ended) -> Survival:
    """Return the curve of waits one by one, of which some were over (`ended`) and some last seen still waiting."""
    over = np.asarray(ended, dtype=bool)
    return kaplan_meier(durations, over, ~over)


def mean(values) -> SimpleNamespace:
    """Return a mean with Student's interval at 95 %."""
    value, half = float(np.mean(values)), stats.t.ppf(0.975, len(values) - 1) * float(stats.sem(values))
    return SimpleNamespace(value=value, low=value - half, high=value + half)
