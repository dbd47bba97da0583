"""One line over all cohorts: weighted, and over those alone that were watched completely."""

from __future__ import annotations

import polars as pl
import pytest

from cxsim.cohorts import weighted_total
from cxsim.errors import TableError
from cxsim.intervals import mean
from cxsim.measured import COHORTS
from cxsim.tables import empty


def _table(rows, measure="retention"):
    cells = [
        {"cohort": name, "measure": measure, "age": 1, "customers": customers, "at_risk": customers, "caution": ""}
        | rest
        for name, customers, rest in rows
    ]
    return pl.DataFrame(cells, schema=empty(COHORTS).schema)


@pytest.fixture
def months():
    """Ten of January of whom two return, a hundred of February of whom nobody does; March is not over."""
    return _table(
        [
            ("2024-01", 10, {"value": 0.2, "complete": True}),
            ("2024-02", 100, {"value": 0.0, "complete": True}),
            ("2024-03", 50, {"value": 0.1, "complete": False}),
        ]
    )


def test_the_total_is_weighted_and_over_complete_cohorts_alone(months):
    total = weighted_total(months).row(0, named=True)
    assert (total["cohort"], total["customers"], total["at_risk"], total["complete"]) == ("all", 160, 110, False)
    assert total["value"] == 2 / 110
    assert (total["low"], total["high"]) == pytest.approx((0.005000, 0.063880), abs=5e-7)


def test_the_three_wrong_ways_give_other_numbers(months):
    value = weighted_total(months)["value"][0]
    mature = months.filter("complete")
    simple = mature["value"].mean()  # a cohort of ten weighs as much as one of a hundred
    without_zeros = mature.filter(pl.col("value") > 0)["value"].mean()
    with_immature = (months["value"] * months["customers"]).sum() / months["customers"].sum()
    assert (simple, without_zeros, with_immature) == pytest.approx((0.10, 0.20, 0.04375))
    assert value == pytest.approx(0.01818, abs=5e-6)


def test_the_interval_of_a_mean_adds_independent_cohorts():
    one, other = [10.0, 20.0, 60.0], [0.0, 30.0]
    rows = [
        (name, len(worth), {"value": found.value, "low": found.low, "high": found.high, "complete": True})
        for name, worth in (("a", one), ("b", other))
        for found in [mean(worth)]
    ]
    total = weighted_total(_table(rows, "revenue")).row(0, named=True)
    # 120 / 5 = 24. Variances of the means: 700 / 3 and 450 / 2; (3/5)^2 233.3333 + (2/5)^2 225 = 84 + 36 = 120. The
    # t quantile with (3 - 1) + (2 - 1) = 3 degrees of freedom is 3.182446.
    assert total["value"] == pytest.approx(24.0)
    half = 3.182446 * 120**0.5
    assert (total["low"], total["high"]) == pytest.approx((24 - half, 24 + half), rel=1e-6)


def test_a_cohort_without_interval_leaves_the_total_without_one():
    rows = [
        ("a", 1, {"value": 5.0, "complete": True}),
        ("b", 3, {"value": 1.0, "low": 0.0, "high": 2.0, "complete": True}),
    ]
    assert weighted_total(_table(rows, "revenue")).select("value", "low", "high").row(0) == (2.0, None, None)


@pytest.mark.parametrize("measure", ["retention", "revenue"])
def test_without_a_complete_cohort_there_is_no_total(months, measure):
    young = months.with_columns(complete=pl.lit(value=False), measure=pl.lit(measure))
    assert weighted_total(young).select("at_risk", "value", "low").row(0) == (0, None, None)


def test_cautions_of_the_cohorts_that_count_are_kept(months):
    doubted = months.with_columns(caution=pl.Series(["old ones", "", "not this"]))
    assert weighted_total(doubted)["caution"][0] == "old ones"


def test_a_table_that_breaks_its_contract_is_refused(months):
    with pytest.raises(TableError, match="COHORTS: no column 'at_risk'"):
        weighted_total(months.drop("at_risk"))
