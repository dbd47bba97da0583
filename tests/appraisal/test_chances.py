"""The chances that a model gave to what came."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.fit import fit
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import purchase_probability
from cxsim.clv.terms import trial_of
from cxsim.clv.values import chances_of

MODELS = [
    BetaGeometricParams(r=0.24, alpha=30.9, a=0.79, b=2.43),
    BetaGeometricParams(r=0.52, alpha=43.3, a=0.89, b=1.61, leaves_after_first=True),
    ParetoNbdParams(r=0.55, alpha=74.0, s=0.61, beta=81.7),
    BetaGeometricParams(r=0.5, alpha=60.0, a=0.8, b=2.0, k=2, leaves_after_first=True),
]


@pytest.mark.parametrize("params", MODELS)
def test_they_are_those_of_each_customer_by_themselves(params, small):
    came = pl.DataFrame(
        {"customer_id": ["d", "c", "b", "a"], "holdout_orders": [0, 2, 1, 4], "holdout_amount": [0.0, 2.0, 1.0, 4.0]}
    )
    trial = trial_of(small, came, days=60)
    at, below = chances_of(params, trial)
    past = [trial.rfm[name].cast(pl.Float64).to_numpy()[:, None] for name in ("frequency", "recency_days", "age_days")]
    table = purchase_probability(params, *past, end=60.0, counts=np.arange(5.0)[None, :])
    orders = trial.orders.astype(int)
    # The same formula, once for all pairs of frequency and age, and once customer by customer.
    assert_allclose(at, table[range(4), orders], rtol=1e-9)
    assert_allclose(below, [row[:count].sum() for row, count in zip(table, orders, strict=True)], atol=1e-12)


def test_a_count_beyond_all_that_can_be_computed_has_a_chance_above_nought(small):
    came = pl.DataFrame(
        {"customer_id": ["a", "b", "c", "d"], "holdout_orders": [0, 3000, 0, 0], "holdout_amount": [0.0, 1.0, 0.0, 0.0]}
    )
    at, below = chances_of(MODELS[0], trial_of(small, came, days=1))
    assert np.isfinite(np.log(at)).all()
    assert below[1] == pytest.approx(1.0, abs=1e-9)


def test_the_log_score_of_bg_nbd_on_the_cdnow_sample_is_that_of_its_whole_distributions(sample, trial):
    fitted = fit(sample)
    most = int(trial.orders.max()) + 1
    rows = fitted.purchase_distribution(trial.rfm, days=trial.days, most=most)["probability"].to_numpy()
    table = rows.reshape(-1, most + 1)
    at, _ = chances_of(fitted.params, trial)
    assert_allclose(at, table[np.arange(len(at)), trial.orders.astype(int)], rtol=1e-9)
