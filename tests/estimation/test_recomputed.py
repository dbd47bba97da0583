"""Every fit to CDNOW against maxima that were recomputed independently, and against those that lifetimes finds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.fit import fit, fit_spend
from cxsim.errors import EstimationError

RECOMPUTED = json.loads((Path(__file__).parent / "recomputed_fits.json").read_text(encoding="utf-8"))
MODELS = ("bgnbd", "mbgnbd", "paretonbd")
# Ten digits of the estimates and eight of the covariance are kept; both were recomputed to more.
ESTIMATES, COVARIANCE = 1e-9, 1e-7
# Sums of up to 23,570 terms of about 10: known to 1e-9, given to nine decimals.
LIKELIHOOD = 2e-8
# Printed in the libraries' own tests and manuals, with the decimals that they print; weeks.
PRINTED = {
    "bgnbd: Fader, Hardie & Lee 2005": ("bgnbd", [0.243, 4.414, 0.793, 2.426], 5.01e-4),
    "bgnbd: CLVTools": ("bgnbd", [0.2425945, 4.4136019, 0.7929199, 2.4258881], 2e-5),
    "mbgnbd: BTYDplus, asserted by lifetimes": ("mbgnbd", [0.525, 6.183, 0.891, 1.614], 5.01e-4),
    "paretonbd: Fader, Hardie & Lee 2005": ("paretonbd", [0.553, 10.578, 0.606, 11.669], 5.01e-4),
    "paretonbd: CLVTools": ("paretonbd", [0.55315, 10.57633, 0.60625, 11.67150], 3e-3),
}


def weeks(fitted):
    """Return what a time in weeks divides each parameter by."""
    return np.array([7.0 if name in {"alpha", "beta"} else 1.0 for name in fitted.names])


def values(fitted):
    return np.array([getattr(fitted.params, name) for name in fitted.names])


@pytest.fixture(scope="module")
def customers(sample, master):
    return {"sample": sample, "master": master}


@pytest.fixture(scope="module")
def fits(customers):
    return {(data, model): fit(rfm, model=model) for data, rfm in customers.items() for model in MODELS}


@pytest.mark.parametrize("data", ["sample", "master"])
@pytest.mark.parametrize("model", MODELS)
def test_the_maximum_is_the_recomputed_one(customers, fits, data, model):
    found, exact = fits[data, model], RECOMPUTED[f"cdnow_{data}/{model}"]
    assert_allclose(values(found) / weeks(found), [exact["params"][name] for name in found.names], rtol=ESTIMATES)
    weekly = found.log_likelihood + customers[data]["frequency"].sum() * math.log(7)
    assert_allclose(weekly, exact["loglik"], atol=LIKELIHOOD)
    assert_allclose(found.covariance / np.outer(weeks(found), weeks(found)), exact["cov"], rtol=COVARIANCE)
    assert found.n_customers == exact["n"]
    # Rounding of a sum of some ten thousand terms, no slope.
    assert found.max_abs_gradient < 1e-8
    assert found.basis == "likelihood"


@pytest.mark.parametrize("data", ["sample", "master"])
def test_the_maximum_of_gamma_gamma_is_the_recomputed_one(customers, data):
    found, exact = fit_spend(customers[data]), RECOMPUTED[f"cdnow_{data}/gammagamma"]
    assert_allclose(values(found), [exact["params"][name] for name in found.names], rtol=ESTIMATES)
    assert_allclose(found.log_likelihood, exact["loglik"], atol=LIKELIHOOD)
    assert_allclose(found.covariance, exact["cov"], rtol=COVARIANCE)
    assert found.n_customers == exact["n"]


@pytest.mark.parametrize("source", PRINTED)
def test_the_estimates_are_those_in_print(fits, source):
    model, printed, half_a_unit = PRINTED[source]
    found = fits["sample", model]
    assert_allclose(values(found) / weeks(found), printed, atol=half_a_unit)


@pytest.mark.parametrize("data", ["sample", "master"])
@pytest.mark.parametrize("model", MODELS)
def test_lifetimes_finds_no_higher_place(customers, fits, data, model):
    theirs = fit(customers[data], model=model, engine="lifetimes")
    ours = fits[data, model]
    assert theirs.engine == "lifetimes"
    # Both report our log-likelihood, at their own places: ours is at least as high, to the rounding of the sum.
    assert theirs.log_likelihood <= ours.log_likelihood + 1e-9
    # The same optimum to a millionth; lifetimes' Pareto/NBD starts at random and stops where its simplex is small.
    assert ours.log_likelihood - theirs.log_likelihood < (1e-4 if model == "paretonbd" else 1e-6)


def test_lifetimes_finds_no_higher_place_for_spend(sample, spend):
    theirs = fit_spend(sample, engine="lifetimes")
    assert -1e-9 <= spend.log_likelihood - theirs.log_likelihood < 1e-6


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd"])
def test_one_stage_of_the_regular_models_is_the_plain_model_exactly(sample, fits, model):
    regular = fit(sample, model=model.replace("nbd", "cnbd"), k=1)
    plain = fits["sample", model]
    assert regular.params == plain.params
    assert regular.log_covariance == plain.log_covariance
    assert regular.log_likelihood == plain.log_likelihood
    for answer in ("prob_alive", "days_to_next_purchase"):
        assert getattr(regular, answer)(sample).equals(getattr(plain, answer)(sample))
    assert regular.expected_purchases(sample, 273).equals(plain.expected_purchases(sample, 273))


def test_what_lifetimes_does_not_have_is_refused(sample):
    with pytest.raises(EstimationError, match="BG/CNBD-k: lifetimes does not have it; use engine 'native'"):
        fit(sample, model="bgcnbd", engine="lifetimes")
    with pytest.raises(EstimationError, match="no engine 'lifetime'; did you mean 'lifetimes'"):
        fit(sample, engine="lifetime")


@pytest.mark.parametrize(("model", "k"), [("bgnbd", 2), ("bgcnbd", 0), ("bgcnbd", 61), ("mbgcnbd", 2.5)])
def test_a_number_of_stages_that_a_model_does_not_have_is_refused(sample, model, k):
    with pytest.raises(EstimationError, match=r"k is .*; it must be"):
        fit(sample, model=model, k=k)
