"""The compiled likelihoods of the Beta-geometric models and of Gamma-Gamma against formulas and differences."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy.special import gammaln, polygamma, psi

from cxsim.clv.models.bgnbd import BetaGeometricParams, likelihood_derivatives, likelihood_sum
from cxsim.clv.models.gamma_gamma import (
    likelihood_derivatives as gamma_gamma_likelihood_derivatives,
    likelihood_sum as gamma_gamma_likelihood_sum,
)
from cxsim.clv.models.pareto_integrals import (
    likelihood_derivatives as pareto_integrals_likelihood_derivatives,
    likelihood_sum as pareto_integrals_likelihood_sum,
)
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import Outlook, log_likelihood
from cxsim.clv.models.special import digamma, digamma_rise, lgamma_rise, trigamma, trigamma_rise, unit_rule
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise

FREQUENCY = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 7.0, 7.0, 40.0])
LAST = np.array([0.0, 0.0, 12.0, 200.0, 63.0, 300.0, 30.0, 350.0])
AGE = np.array([30.0, 400.0, 365.0, 200.0, 365.0, 310.0, 365.0, 365.0])
WEIGHT = np.array([50.0, 70.0, 9.0, 1.0, 4.0, 2.0, 1.0, 1.0])
PLACES = [(0.24, 30.9, 0.79, 2.43), (3.0, 4.0, 0.05, 0.4), (0.01, 900.0, 20.0, 300.0)]
# Cubes of the step against rounding over it: central differences of numbers of about 1e3 are right to 1e-7 of those.
STEP = 1e-4


def beta_geometric_surface(k, first):
    past = (FREQUENCY, LAST, AGE, WEIGHT)

    def sums(here):
        out = np.empty(15)
        likelihood_derivatives(here, *past, k, first, out)
        return out

    return sums, lambda here: likelihood_sum(here, *past, k, first)


def gamma_gamma_surface():
    past = (np.array([1.0, 1.0, 3.0, 12.0]), np.array([5.0, 80.0, 33.3, 41.0]), np.array([9.0, 2.0, 3.0, 1.0]))

    def sums(here):
        out = np.empty(10)
        gamma_gamma_likelihood_derivatives(here, *past, out)
        return out

    return sums, lambda here: gamma_gamma_likelihood_sum(here, *past)


CASES = [(beta_geometric_surface(k, first), place) for k in (1, 2, 5) for first in (0, 1) for place in PLACES]
CASES += [(gamma_gamma_surface(), place) for place in [(6.25, 3.74, 15.44), (0.3, 0.8, 400.0), (80.0, 60.0, 50.0)]]


@pytest.mark.parametrize(("functions", "place"), CASES)
def test_gradient_and_hessian_are_those_of_differences(functions, place):
    sums, value = functions
    here, size = np.log(place), len(place)
    found = sums(here)
    assert_allclose(found[0], value(here), rtol=1e-13)
    moves = STEP * np.eye(size)
    gradient = [(value(here + move) - value(here - move)) / (2 * STEP) for move in moves]
    hessian = np.array([(sums(here + move) - sums(here - move))[1 : 1 + size] / (2 * STEP) for move in moves])
    scale = np.abs(found).max()
    assert_allclose(found[1 : 1 + size], gradient, atol=1e-7 * scale)
    assert_allclose(found[1 + size :], hessian[np.triu_indices(size)], atol=1e-7 * scale)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_the_likelihood_is_the_sum_over_customers(k, first, place):
    r, alpha, a, b = place
    params = BetaGeometricParams(r=r, alpha=alpha, a=a, b=b, k=k, leaves_after_first=first)
    each = log_likelihood(params, FREQUENCY, LAST, AGE)
    _, value = beta_geometric_surface(k, int(first))
    # Two ways of adding up logarithms of Gamma functions, each right to some 1e-14 of the largest.
    assert_allclose(value(np.log(place)), WEIGHT @ each, rtol=1e-11)


def test_the_likelihood_of_spend_is_the_sum_over_customers():
    p, q, v = 6.25, 3.74, 15.44
    x, m = np.array([1.0, 1.0, 3.0, 12.0]), np.array([5.0, 80.0, 33.3, 41.0])
    # Of a customer's total, given the rate, a Gamma density of shape p x; rates are Gamma(q, v). Note 025, (1a).
    each = (
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v) + p * x * np.log(x) + (p * x - 1) * np.log(m)
    )
    each -= (p * x + q) * np.log(x * m + v)
    _, value = gamma_gamma_surface()
    assert_allclose(value(np.log([p, q, v])), np.array([9.0, 2.0, 3.0, 1.0]) @ each, rtol=1e-12)


UPPER = np.triu_indices(4)

# Maxima of CDNOW's likelihood in weeks, and the covariances there: Newton's method with automatic derivatives.
SAMPLE = [0.5532770468531542, 10.577683463302117, 0.6062399891279875, 11.668735288860791]
SAMPLE_COVARIANCE = [
    [0.0022684193330734593, 0.03298316483370289, -0.003153747496487714, -0.14068608568952673],
    [0.03298316483370288, 0.7101812690019348, -0.026926082207164997, -1.205963082200504],
    [-0.0031537474964877816, -0.02692608220716559, 0.03507430117808901, 1.1301561080058828],
    [-0.1406860856895284, -1.2059630822005194, 1.130156108005879, 38.57793203532893],
]
MASTER = [0.5974199663446731, 11.585657781602865, 0.5221856107890501, 8.827759150371628]
MASTER_COVARIANCE = [
    [0.00030180866246807316, 0.00427657874619637, -0.00030413632230016983, -0.0132774927168904],
    [0.004276578746196382, 0.08806928356023358, -0.0027493590782548616, -0.11922557817753467],
    [-0.00030413632230016826, -0.0027493590782547797, 0.0021475006330494463, 0.06590223511698158],
    [-0.01327749271689033, -0.11922557817753196, 0.06590223511698146, 2.173343963264451],
]


def _sums(params, x, last, age, weight):
    out = np.empty(15)
    pareto_integrals_likelihood_derivatives(np.log(params), x, last, age, weight, out)
    return out


def _patterns(*, sample):
    rfm = summarise(load_cdnow(sample=sample), until=date(1997, 9, 30))
    distinct = rfm.group_by("frequency", "recency_days", "age_days").len().sort("frequency", "recency_days", "age_days")
    x, last, age, weight = distinct.select(pl.all().cast(pl.Float64)).to_numpy().T.copy()
    return x, last / 7, age / 7, weight


def _random_pasts(seed, n, low, high, most):
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(np.log(low), np.log(high), (4, n)))
    age = np.exp(rng.uniform(np.log(0.1), np.log(3000.0), n))
    x = np.where(rng.random(n) < 0.3, 0.0, np.floor(np.exp(rng.uniform(0.0, np.log(most), n))))
    last = np.where(x > 0, age * rng.random(n) ** rng.choice([0.1, 1.0, 5.0], n), 0.0)
    return params, x, last, age


def _by_finer_quadrature(params, x, last, age):
    """Return the log-likelihoods and P(alive), with 50 panels of 40 nodes in log(1 + u / c)."""
    r, alpha, s, beta = params
    start_a, start_b = alpha + last, beta + last
    # Beyond these ends lie exp(-45) of the integral.
    with np.errstate(over="ignore"):
        end = np.minimum(age - last, start_b * np.expm1(45.0 / s))
        end = np.minimum(end, start_a * np.expm1(45.0 / np.maximum(r + x - 1.0, 1e-9)))
    near = np.minimum(start_a, start_b)
    length, total = np.log1p(end / near) / 50, 0.0
    for node, weight in zip(*np.polynomial.legendre.leggauss(40), strict=True):
        for panel in range(50):
            y = length * (panel + 0.5 * (1.0 + node))
            u = near * np.expm1(y)
            total += 0.5 * weight * np.exp(y - (s + 1.0) * np.log1p(u / start_b) - (r + x) * np.log1p(u / start_a))
    idle = age - last
    scale = np.log(s / start_b) + s * np.log1p(idle / start_b) + (r + x) * np.log1p(idle / start_a)
    odds = scale + np.log(near * length * total)
    rise = np.array([lgamma_rise(*pair) for pair in zip(r, x, strict=True)]) - x * np.log(alpha)
    likelihood = rise - (r + x) * np.log1p(age / alpha) - s * np.log1p(age / beta) + np.logaddexp(0.0, odds)
    return likelihood, 1.0 / (1.0 + np.exp(np.minimum(odds, 700.0)))


@pytest.mark.parametrize(("low", "high", "most"), [(0.05, 50.0, 300.0), (1e-4, 1e6, 1e6)])
def test_likelihoods_agree_with_finer_quadrature_on_a_wide_grid(low, high, most):
    params, x, last, age = _random_pasts(3, 300, low, high, most)
    likelihood, alive = _by_finer_quadrature(params, x, last, age)
    each = [ParetoNbdParams(r=r, alpha=alpha, s=s, beta=beta) for r, alpha, s, beta in params.T]
    found = [log_likelihood(p, *past).item() for p, *past in zip(each, x, last, age, strict=True)]
    assert_allclose(found, likelihood, rtol=1e-12, atol=1e-12)
    found = [Outlook(p, *past).prob_alive().item() for p, *past in zip(each, x, last, age, strict=True)]
    # A million orders are powers of a million, which cost six digits of a probability.
    assert_allclose(found, alive, rtol=1e-8 if most > 1e3 else 1e-12, atol=1e-290)


def test_the_surface_is_the_sum_of_the_likelihoods():
    _, x, last, age = _random_pasts(4, 200, 1.0, 2.0, 100.0)
    weight = np.arange(1.0, 201.0)
    likelihood = log_likelihood(ParetoNbdParams(r=0.55, alpha=10.56, s=0.61, beta=11.64), x, last, age)
    expected = (weight * likelihood).sum()
    logs = np.log([0.55, 10.56, 0.61, 11.64])
    assert_allclose(pareto_integrals_likelihood_sum(logs, x, last, age, weight), expected, rtol=1e-13)
    assert_allclose(_sums(np.exp(logs), x, last, age, weight)[0], expected, rtol=1e-13)


@pytest.mark.parametrize(
    "params",
    [
        SAMPLE,
        [0.55, 10.0, 1.0, 10.0],  # equal scales, and s = 1
        [1e-4, 1e-3, 2e-4, 1e-4],
        [1e6, 1e6, 1e6, 1e6],
        [0.5, 1e6, 20.0, 1e-2],
        [30.0, 1e-2, 0.1, 1e6],
    ],
)
def test_gradient_and_hessian_agree_with_central_differences(params):
    rng = np.random.default_rng(5)
    x = np.repeat([0.0, 1.0, 2.0, 7.0, 40.0], 8)
    age = np.round(rng.uniform(1.0, 90.0, x.size), 2)
    last = np.where(x > 0, age * rng.choice([0.01, 0.5, 0.97, 1.0], x.size), 0.0)
    weight = rng.integers(1, 9, x.size).astype(float)
    step = 1e-4
    ahead, behind = (
        np.array([_sums(params * np.exp(sign * row), x, last, age, weight) for row in step * np.eye(4)])
        for sign in (1.0, -1.0)
    )
    found, slopes = _sums(params, x, last, age, weight), (ahead - behind) / (2.0 * step)
    # A central difference errs by step^2 / 6 of the third derivative, and by the last digits of the sum over the step.
    noise = 1e-15 * abs(found[0]) / step
    assert_allclose(found[1:5], slopes[:, 0], rtol=1e-7, atol=1e-6 + 10.0 * noise)
    assert_allclose(found[5:], slopes[:, 1:5][UPPER], rtol=1e-7, atol=2e-6 + noise)


@pytest.mark.parametrize(
    ("sample", "params", "covariance", "log_likelihood_"),
    [(True, SAMPLE, SAMPLE_COVARIANCE, -9594.976178939545), (False, MASTER, MASTER_COVARIANCE, -95415.11861746988)],
)
def test_cdnows_known_maxima_are_maxima_with_the_known_covariances(sample, params, covariance, log_likelihood_):
    found = _sums(np.array(params), *_patterns(sample=sample))
    assert_allclose(found[0], log_likelihood_, rtol=1e-13)
    # The parameters are held to sixteen digits, and the gradient sums thousands of terms of order 1.
    assert np.abs(found[1:5]).max() < 1e-8
    hessian = np.zeros((4, 4))
    hessian[UPPER] = found[5:]
    log_covariance = np.linalg.inv(-(hessian + np.triu(hessian, 1).T))
    assert_allclose(log_covariance * np.outer(params, params), covariance, rtol=1e-9)


def test_a_customer_who_has_just_ordered_is_alive_and_weighs_finitely():
    params, x, age = ParetoNbdParams(r=0.5, alpha=3.0, s=1.0, beta=3.0), [0, 1, 1_000_000], [0.0, 5.0, 1e5]
    assert Outlook(params, x, age, age).prob_alive().tolist() == [1.0, 1.0, 1.0]
    assert np.isfinite(log_likelihood(params, x, age, age)).all()
    assert log_likelihood(params, 0, 0, 0) == 0.0
    x, age = np.array(x, dtype=float), np.array(age)
    assert np.isfinite(_sums([0.5, 3.0, 1.0, 3.0], x, age, age, np.ones(3))).all()


def test_a_million_orders_and_the_ends_of_the_parameters_give_finite_derivatives():
    params, x, last, age = _random_pasts(6, 3000, 1e-4, 1e6, 1e6)
    for row in range(x.size):
        past = (x[row : row + 1], last[row : row + 1], age[row : row + 1], np.ones(1))
        assert np.isfinite(_sums(params[:, row], *past)).all(), (params[:, row], past)


SIZES = np.concatenate([np.geomspace(1e-6, 1e12, 400), np.linspace(0.5, 13.0, 200)])


def test_digamma_and_trigamma_agree_with_scipy_from_a_millionth_to_a_million_millions():
    found = np.array([digamma(x) for x in SIZES])
    assert np.all(np.abs(found - psi(SIZES)) < 1e-14 * np.maximum(1.0, np.abs(found)))
    assert_allclose([trigamma(x) for x in SIZES], polygamma(1, SIZES), rtol=1e-14)


def test_rises_agree_with_correctly_rounded_sums_where_differences_would_not():
    for x in np.geomspace(1e-6, 1e12, 60):
        for n in (1, 2, 7, 40, 300):
            steps = [x + i for i in range(n)]
            # Each logarithm is right to its last bit, and no more is known of their sum than of the greatest.
            spread = n * max(1.0, abs(math.log(x)), abs(math.log(x + n)))
            assert abs(lgamma_rise(x, n) - math.fsum(map(math.log, steps))) < 1e-14 * spread
            assert_allclose(digamma_rise(x, n), math.fsum(1.0 / step for step in steps), rtol=1e-14)
            assert_allclose(trigamma_rise(x, n), -math.fsum(1.0 / step**2 for step in steps), rtol=1e-14)


def test_nothing_rises_over_no_distance():
    for x in (1e-3, 5.0, 1e9):
        assert lgamma_rise(x, 0.0) == digamma_rise(x, 0.0) == trigamma_rise(x, 0.0) == 0.0


def test_gauss_and_legendres_rule_is_exact_up_to_its_degree():
    for size in (1, 2, 5, 32, 64):
        nodes, weights = unit_rule(size)
        for degree in {0, 1, size, 2 * size - 1}:
            assert_allclose((weights * nodes**degree).sum(), 1.0 / (degree + 1.0), rtol=2e-15)


def test_the_order_of_the_pasts_does_not_matter_but_for_the_last_digits():
    _, x, last, age = _random_pasts(7, 500, 1.0, 2.0, 50.0)
    orders = (np.lexsort((age, last, x)), np.arange(x.size), np.argsort(age))
    sums = [_sums(np.array(SAMPLE), x[order], last[order], age[order], np.ones(x.size)) for order in orders]
    assert_allclose(sums[1], sums[0], rtol=1e-11)
    assert_allclose(sums[2], sums[0], rtol=1e-11)
