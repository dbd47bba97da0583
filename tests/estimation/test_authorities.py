"""Numbers on CDNOW that other libraries print or assert, which need a fit or the log: spread, tracking, value.

BTYD: the walkthrough of the R package, at its own estimates. lifetimes: its tests, and its own convention of value.
"Recomputed": by Newton's method and 30-digit arithmetic. The literature counts weeks.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.likelihood import KINDS, PurchasePatterns, derivatives, purchase_likelihood
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import expected_purchases
from cxsim.clv.optimum import highest, purchase_centre, purchase_starts
from cxsim.clv.validation.holdout import tracking
from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import cumulative_repeat_orders

# Estimates as BTYD prints them, times in days. Of Pareto/NBD it prints four digits, so the maximum itself is closer to
# what it computed with.
BTYD = {
    "bgnbd": BetaGeometricParams(r=0.2425967, alpha=7 * 4.413659, a=0.7929869, b=2.426164),
    "paretonbd": ParetoNbdParams(r=0.5532770, alpha=7 * 10.5776835, s=0.6062400, beta=7 * 11.6687353),
}


@pytest.fixture(scope="module")
def counts():
    return cumulative_repeat_orders(load_cdnow(sample=True), until=date(1998, 6, 30))


@pytest.fixture(scope="module")
def rounded():
    """CDNOW as lifetimes carries it: weeks and amounts with two decimals."""
    home = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
    return pl.read_csv(home / "cdnow_customers_summary_with_transactions.csv")


@pytest.fixture(scope="module")
def tops(rounded):
    """The maxima of three models on these, with their parameters in weeks."""
    distinct = rounded.group_by("x", "t_x", "T").len().sort("x", "t_x", "T").cast(pl.Float64)
    patterns = PurchasePatterns(
        frequency=distinct["x"].to_numpy(),
        recency_days=distinct["t_x"].to_numpy(),
        age_days=distinct["T"].to_numpy(),
        weight=distinct["len"].to_numpy(),
    )
    found = {}
    for model in ("bgnbd", "mbgnbd", "paretonbd"):
        kind = KINDS[model]
        likelihood = purchase_likelihood(kind, 1, patterns)
        found[model] = highest(
            lambda here, likelihood=likelihood: derivatives(likelihood, here),
            purchase_starts(kind, 1, patterns)[:3],
            purchase_centre(kind, 1, patterns),
        )
    return found


@pytest.fixture(scope="module")
def rounded_spend(rounded):
    days = pl.col("t_x", "T").mul(7).round().cast(pl.Int64).name.map({"t_x": "recency_days", "T": "age_days"}.get)
    paid = pl.when(pl.col("zbar") > 0).then("zbar").alias("monetary_value")
    rfm = rounded.select(days, paid, customer_id="ID", frequency="x")
    return rfm, fit_spend(rfm)


@pytest.mark.parametrize(
    ("model", "estimates", "log_likelihood"),
    [
        ("bgnbd", [0.2425929, 4.4135316, 0.7928861, 2.4257534], -9582.425561),
        ("mbgnbd", [0.5248380, 6.1829920, 0.8913562, 1.6139993], -9582.132685),
        ("paretonbd", [0.5532755, 10.5776122, 0.6062136, 11.6679112], -9594.973930),
    ],
)
def test_the_maximum_on_the_table_that_lifetimes_carries_is_the_recomputed_one(tops, model, estimates, log_likelihood):
    assert_allclose(np.exp(tops[model].log_params), estimates, atol=5.01e-8)  # seven decimals
    assert_allclose(tops[model].value, log_likelihood, atol=5.01e-7)  # six decimals


def test_spend_on_the_table_that_lifetimes_carries_is_the_recomputed_one(rounded_spend):
    _, spend = rounded_spend
    found = [spend.params.p, spend.params.q, spend.params.v]
    assert_allclose(found, [6.2488025, 3.7445885, 15.4477480], atol=5.01e-8)  # seven decimals
    assert_allclose(spend.log_likelihood, -4055.923244, atol=5.01e-7)  # six decimals


@pytest.mark.parametrize(
    ("weeks", "first", "total"),
    [
        # A month of 4.345 weeks: customers 1 to 3 with freq="W", and all, as recomputed.
        (4.345, [36.278496, 4.637466, 8.344093], 71_509.90),
        # The quickstart of lifetimes takes weeks for days: 12 months of 30 weeks. It prints 140.096211 for customer 1.
        (30.0, [140.096218, 18.943465, 38.180575], 266_621.60),
    ],
)
def test_value_in_the_convention_of_lifetimes(rounded, tops, rounded_spend, weeks, first, total):
    """Orders of each of twelve months, paid at its end, at 1 % a month."""
    rfm, spend = rounded_spend
    params = KINDS["bgnbd"].from_logs(list(tops["bgnbd"].log_params), 1)
    past = (rounded[name].cast(pl.Float64).to_numpy() for name in ("x", "t_x", "T"))
    x, last, age = (column[:, None] for column in past)
    by_month_end = expected_purchases(params, x, last, age, time=weeks * np.arange(13))
    orders = np.diff(by_month_end, axis=1) @ 1.01 ** -np.arange(1.0, 13.0)
    value = orders * spend.expected_spend(rfm)["expected_spend"].to_numpy()
    # Seven digits, from estimates that were held to seven decimals.
    assert_allclose(value[:3], first, rtol=3e-7)
    assert_allclose(value.sum(), total, rtol=3e-7)
    if weeks > 4.345:
        assert_allclose(value[0], 140.096211, rtol=3e-7)


def test_the_estimates_of_bgnbd_go_together_as_recomputed(purchases):
    matrix = np.array(purchases.log_covariance)
    spread = np.sqrt(np.diag(matrix))
    # Correlations of logarithms are those of the parameters, as both come from one matrix by the delta method.
    found = (matrix / np.outer(spread, spread))[np.triu_indices(4, 1)]
    assert_allclose(found, [0.78038, -0.03766, 0.00741, -0.04079, 0.03944, 0.94046], atol=5.01e-6)  # five decimals


@pytest.mark.parametrize(
    ("model", "recomputed", "clvtools"),
    [
        ("mbgnbd", [0.083268, 0.695621, 0.154790, 0.537495], None),
        ("paretonbd", [0.047628, 0.842723, 0.187281, 6.211114], [0.0476264, 0.8427222, 0.1872594, 6.2105448]),
    ],
)
def test_standard_errors_are_those_recomputed_and_in_the_tests_of_clvtools(sample, model, recomputed, clvtools):
    week = np.array([1.0, 7.0, 1.0, 7.0 if model == "paretonbd" else 1.0])
    errors = np.array(list(fit(sample, model=model).std_errors.values())) / week
    assert_allclose(errors, recomputed, atol=5.1e-7)  # six decimals
    if clvtools:
        # At estimates that are off by 1e-4 (beta: 11.6715 instead of 11.6687).
        assert_allclose(errors, clvtools, rtol=2e-4)


def test_standard_errors_of_paretonbd_on_all_customers_are_those_recomputed(master):
    errors = np.array(list(fit(master, model="paretonbd").std_errors.values())) / [1.0, 7.0, 1.0, 7.0]
    assert_allclose(errors, [0.017373, 0.296765, 0.046341, 1.474227], atol=5.1e-7)  # six decimals


@pytest.mark.parametrize(
    ("model", "cumulative", "weekly", "tolerance"),
    [
        (
            "bgnbd",
            [1312.458, 1387.346, 1460.392, 1531.713, 1601.418, 1669.6],
            [76.86531, 74.88843, 73.04554, 71.32166, 69.70412, 68.18213],
            # Seven digits of the result and of the estimates.
            4e-7,
        ),
        (
            "paretonbd",
            [1308.856, 1385.275, 1459.923, 1532.906, 1604.32, 1674.253],
            [78.308, 76.419, 74.648, 72.983, 71.414, 69.933],
            # BTYD's estimates (0.5534, 10.5802, 0.6061, 11.6562) are off the maximum by up to 1e-3, along its ridge.
            1e-4,
        ),
    ],
)
def test_orders_expected_in_weeks_20_to_25_are_those_of_btyd(purchases, counts, model, cumulative, weekly, tolerance):
    found = tracking(counts, replace(purchases, model=model, params=BTYD[model]))["expected"].to_numpy()
    # A week ends where the next one starts: n weeks after 1 January, a day after the last day that BTYD counts.
    assert_allclose(found[7 * 20 : 7 * 26 : 7], cumulative, rtol=max(tolerance, 4e-7))
    assert_allclose(np.diff(found[7 * 19 : 7 * 26 : 7]), weekly, rtol=tolerance)


def test_orders_that_came_in_weeks_20_to_25_are_those_of_btyd(counts):
    at_week_end = counts["repeat_orders"].to_numpy()[7 * 19 - 1 : 7 * 25 : 7]
    assert at_week_end.tolist() == [1286, 1359, 1414, 1484, 1517, 1573, 1672]
    assert np.diff(at_week_end).tolist() == [73, 55, 70, 33, 56, 99]


def test_orders_expected_on_the_first_days_are_those_of_lifetimes(purchases, counts):
    found = tracking(counts, purchases)
    # 11 to 14 January 1997, two decimals; lifetimes looks at the end of a day where we look at its beginning.
    later = found.filter(pl.col("day").is_between(date(1997, 1, 12), date(1997, 1, 15)))
    assert_allclose(later["expected"], [10.67, 12.67, 14.87, 17.24], atol=5.01e-3)


def test_orders_of_the_holdout_are_under_forecast_by_as_much_as_is_known(sample, purchases):
    models = {"bgnbd": -0.1215, "mbgnbd": -0.1622, "paretonbd": -0.1150}
    for model, share in models.items():
        fitted = purchases if model == "bgnbd" else fit(sample, model=model)
        # Recomputed, two decimals of a percentage, against the 1,882 orders that came.
        assert_allclose(
            fitted.expected_purchases(sample, 273)["expected_purchases"].sum() / 1882 - 1, share, atol=5.1e-5
        )
