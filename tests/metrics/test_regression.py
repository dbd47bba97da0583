"""Coefficients against closed forms and against statsmodels; errors over customers."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from cxsim.errors import EstimationError
from cxsim.metrics.person_periods import person_periods
from cxsim.metrics.regression import Design, FittedRatio, design_of, fitted_ratio
from tests.metrics.worlds import chance_shop

# The solver stops where no prediction moves by more than 1e-9.
SOLVED = 1e-8


def two_groups(outcomes, met, customer, *, outcome="orders"):
    """Return the model of a constant and one exposure of 0 or 1."""
    pattern = np.asarray(met, dtype=np.int64)
    numbered = np.asarray(customer, dtype=np.int64)
    return Design(
        matrix=np.array([[1.0, 0.0], [1.0, 1.0]]),
        pattern=pattern,
        customer=numbered,
        outcomes={outcome: np.asarray(outcomes, dtype=np.float64)},
        customers=int(numbered.max()) + 1,
        exposed=int(np.unique(numbered[pattern == 1]).size),
    )


def test_the_poisson_ratio_of_two_groups_is_the_ratio_of_their_means():
    # Means 6 / 4 = 1.5 without, 3 / 4 = 0.75 with: a ratio of a half. One row a customer, so the variance of its
    # logarithm is sum e^2 / (sum y)^2 in each group: e = 0.5, -0.5, 1.5, -1.5 gives 5 / 36, and e = 0.25, 0.25, 0.25,
    # -0.75 gives 0.75 / 9; their sum 2 / 9 times G / (G - 1) * (N - 1) / (N - k) = 8 / 7 * 7 / 6 = 4 / 3.
    found = fitted_ratio(two_groups([2, 1, 3, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1], range(8)), "orders")
    assert_allclose(found.ratio, 0.5, rtol=SOLVED)
    assert_allclose(found.error, math.sqrt(2 / 9 * 4 / 3), rtol=SOLVED)
    assert (found.customers, found.exposed) == (8, 4)


def test_the_ratio_of_rates_of_two_groups_is_that_of_their_logarithms_of_nobody_ordering():
    # Three of four order without, one of four with: log(3/4) / log(1/4) = 0.2075.
    met, customer = [0, 0, 0, 0, 1, 1, 1, 1], range(8)
    found = fitted_ratio(two_groups([1, 1, 1, 0, 1, 0, 0, 0], met, customer, outcome="next order"), "next order")
    assert_allclose(found.ratio, math.log(3 / 4) / math.log(1 / 4), rtol=SOLVED)


def test_the_interval_is_of_student_and_the_p_value_of_the_normal():
    found = FittedRatio(log_ratio=math.log(2.0), error=0.2, customers=11, exposed=5)
    # t of 10 degrees of freedom: 2.228139; normal: P(|Z| > 3.4657) = 0.000529.
    assert_allclose(np.log(found.interval), [math.log(2.0) - 0.4456278, math.log(2.0) + 0.4456278], atol=1e-6)
    assert found.p_value == pytest.approx(0.000529, abs=1e-6)


def test_rows_that_repeat_add_no_knowledge_while_a_naive_error_believes_they_do():
    outcomes, met = [2, 1, 3, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1]
    once = fitted_ratio(two_groups(outcomes, met, range(8)), "orders")
    four = fitted_ratio(two_groups(outcomes * 4, met * 4, list(range(8)) * 4), "orders")
    naive = fitted_ratio(two_groups(outcomes * 4, met * 4, range(32)), "orders")
    # (N - 1) / (N - k) is 7 / 6 once and 31 / 30 four times.
    assert_allclose(four.error / once.error, math.sqrt(31 / 30 / (7 / 6)), rtol=SOLVED)
    assert four.error > 1.9 * naive.error


@pytest.fixture(scope="module")
def periods():
    return person_periods(chance_shop(5, customers=500, periods=8))


@pytest.mark.parametrize("timing", ["before", "later"])
@pytest.mark.parametrize("outcome", ["orders", "spend"])
def test_statsmodels_finds_the_same_coefficient_and_error_row_by_row(periods, outcome, timing):
    design = design_of(periods.table, periods.exposures[0], timing=timing)
    model = sm.GLM(design.outcomes[outcome], design.matrix[design.pattern], family=sm.families.Poisson())
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": design.customer}, tol=1e-12)
    ours = fitted_ratio(design, outcome)
    # Both solve to about 1e-10 of a coefficient.
    assert_allclose([ours.log_ratio, ours.error], [theirs.params[-1], theirs.bse[-1]], rtol=1e-6, atol=1e-8)


def test_statsmodels_finds_the_same_ratio_of_rates(periods):
    design = design_of(periods.table, periods.exposures[0], timing="before")
    family = sm.families.Binomial(link=sm.families.links.CLogLog())
    matrix = design.matrix[design.pattern]
    model = sm.GLM(design.outcomes["next order"], matrix, family=family)
    theirs = model.fit(tol=1e-12)
    ours = fitted_ratio(design, "next order")
    assert_allclose(ours.log_ratio, theirs.params[-1], rtol=1e-6, atol=1e-8)
    # Its own clustered covariance takes the observed information; the sandwich of its pieces with the expected one.
    bread = np.linalg.inv(model.hessian(theirs.params, observed=False))
    scores = model.score_obs(theirs.params)
    over = np.column_stack([np.bincount(design.customer, weights=column) for column in scores.T])
    groups, (rows, columns) = design.customers, matrix.shape
    factor = groups / (groups - 1) * (rows - 1) / (rows - columns)
    assert_allclose(ours.error, math.sqrt(factor * (bread @ over.T @ over @ bread)[-1, -1]), rtol=1e-6)


def test_history_is_rounded_so_that_rows_are_counted_together(periods):
    design = design_of(periods.table, periods.exposures[0], timing="before")
    assert design.matrix.shape[0] < design.pattern.size / 2
    assert design.outcomes["orders"].sum() == periods.table["orders"].sum()


def test_an_outcome_that_one_group_never_has_gives_no_ratio():
    with pytest.raises(EstimationError, match="no finite estimate: the control variables alone determine the outcome"):
        fitted_ratio(two_groups([1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], range(6)), "orders")


def test_a_negative_outcome_is_refused():
    with pytest.raises(EstimationError, match="an outcome is negative, so a ratio of outcomes has no meaning"):
        fitted_ratio(two_groups([1, -1], [0, 1], range(2)), "orders")


MET = pl.col("late_order")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            pl.when(pl.col("customer") < 20).then(MET).otherwise(0.0),
            r"1?\d customers with exposure; at least 30 are needed",
        ),
        (pl.lit(1.0).alias("late_order"), "0 customers without exposure; at least 30 are needed"),
        (
            pl.when(MET == 0.0).then("orders").otherwise(0),
            "with exposure, 0 periods have an order; at least 10 are needed",
        ),
        (pl.when(MET == 0.0).then("orders").otherwise(1), "with exposure, 0 periods have no order; at least 10"),
        # What the past determines cannot be distinguished from it.
        ((pl.col("recent") == 1.0).cast(pl.Float64).alias("late_order"), "it is collinear with the control variables"),
    ],
)
def test_too_few_are_not_compared_and_nothing_without_what_is_compared(periods, changed, message):
    with pytest.raises(EstimationError, match=message):
        design_of(periods.table.with_columns(changed), periods.exposures[0], timing="before")
