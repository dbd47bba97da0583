"""Groups are compared at an equal past, by two methods, and what cannot be compared is refused."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from cxsim.errors import EstimationError, TableError
from cxsim.metrics.groups import plain_ratio, ratio_to_own_past
from cxsim.metrics.promoters import adjusted_ratio, e_value

ASKED = {"group": "group", "levels": ("member", "other"), "outcome": "spend", "covariates": ["past"]}
METHODS = ["regression", "doubly_robust"]


def _shop(seed, customers=4_000, effect=1.0, bond=1.0):
    """Members by their past, which also makes them spend: exp(past / 2), times `effect` for members."""
    luck = np.random.Generator(np.random.PCG64(seed))
    past = luck.standard_normal(customers)
    member = luck.random(customers) < 1.0 / (1.0 + np.exp(-bond * past))
    mean = 10.0 * np.exp(0.5 * past) * np.where(member, effect, 1.0)
    spend = luck.poisson(luck.gamma(2.0, 0.5, customers) * mean).astype(np.float64)
    names = pl.Series(np.where(member, "member", "other"))
    return pl.DataFrame({"customer_id": range(customers), "group": names, "spend": spend, "past": past})


@pytest.mark.parametrize("method", METHODS)
def test_a_known_ratio_is_found_under_confounding(method):
    found = [adjusted_ratio(_shop(seed, effect=1.3), **ASKED, method=method) for seed in range(1, 41)]
    logs = np.log([one.ratio for one in found])
    assert abs(logs.mean() - math.log(1.3)) < 4 * logs.std(ddof=1) / math.sqrt(40)
    # 40 intervals of 95 %: fewer than 34 would cover once in 300 times.
    assert sum(one.low <= 1.3 <= one.high for one in found) >= 34
    assert plain_ratio(_shop(1, effect=1.3), group="group", levels=("member", "other"), outcome="spend").low > 1.3


def test_doubly_robust_is_right_where_the_outcome_is_not_what_the_model_takes_it_for():
    # Spend rises with the square of the past, which no straight line in it follows; membership is as modelled.
    logs = []
    for seed in range(1, 41):
        shop = _shop(seed, customers=4_000)
        bent = shop.with_columns(spend=(10.0 + 10.0 * pl.col("past") ** 2) * (pl.col("spend") + 1.0) ** 0.0)
        logs.append(math.log(adjusted_ratio(bent, **ASKED).ratio))
    assert abs(np.mean(logs)) < 4 * np.std(logs, ddof=1) / math.sqrt(40)


def test_one_strong_covariate_of_two_values_is_standardised_by_hand():
    # Old: members 60, others 40. New: members 30, others 20. Half are old among all, so (60 + 30) / (40 + 20) = 1.5.
    rows = [("member", 60.0, 1.0)] * 30 + [("other", 40.0, 1.0)] * 10
    rows += [("member", 30.0, 0.0)] * 10 + [("other", 20.0, 0.0)] * 30
    shop = pl.DataFrame(rows, schema=["group", "spend", "past"], orient="row").with_row_index("customer_id")
    for method in METHODS:
        # Held to what iterations leave.
        assert adjusted_ratio(shop, **ASKED, method=method).ratio == pytest.approx(1.5, rel=1e-6)
    found = adjusted_ratio(shop, **ASKED)
    assert found.overlap == pytest.approx((0.25, 0.75), rel=1e-6)
    assert (found.customers, found.trimmed) == (80, 0)


def test_rows_of_one_customer_are_not_taken_for_independent():
    shop = _shop(1)
    twice = pl.concat([shop, shop])
    for method in METHODS:
        once, again = (adjusted_ratio(some, **ASKED, method=method) for some in (shop, twice))
        # Copies tell nothing; statsmodels corrects for the number of rows, by less than a thousandth here.
        assert again.high / again.low == pytest.approx(once.high / once.low, rel=1e-3)


def test_only_chance_makes_an_effect_of_an_association():
    assert adjusted_ratio(_shop(1), **ASKED).label == "association"
    assert adjusted_ratio(_shop(1, bond=0.0), **ASKED, assignment="random").label == "effect"


def test_who_has_no_like_in_the_other_group_is_left_out_and_counted():
    found = adjusted_ratio(_shop(1, bond=4.0), **ASKED)
    assert found.trimmed > 100
    assert found.customers + found.trimmed == 4_000
    assert 0.02 <= found.overlap[0] < found.overlap[1] <= 0.98


def test_a_covariate_that_says_nothing_new_changes_nothing():
    shop = _shop(1).with_columns(twice=2.0 * pl.col("past"), same=pl.lit(3.0))
    for method in METHODS:
        found = adjusted_ratio(shop, **{**ASKED, "covariates": ["past", "twice", "same"]}, method=method)
        assert found.ratio == pytest.approx(adjusted_ratio(shop, **ASKED, method=method).ratio, rel=1e-9)


def test_the_own_past_cancels_what_people_are_like_all_along():
    # Hidden weight: members 3, others 1, before and after; members also gain a tenth.
    rows = [("member", 30.0 + d, 33.0 + d * 1.1) for d in range(10)] + [
        ("other", 10.0 + d, 10.0 + d) for d in range(10)
    ]
    shop = pl.DataFrame(rows, schema=["group", "before", "after"], orient="row").with_row_index("customer_id")
    found = ratio_to_own_past(shop, group="group", levels=("member", "other"), before="before", after="after")
    # (379.5 / 345) / (145 / 145); nobody departs from that, so the interval has no width.
    assert (found.ratio, found.low, found.high) == pytest.approx((1.1, 1.1, 1.1))


def test_the_interval_of_a_plain_ratio_by_hand():
    # Means 3 and 1, deviations of 2, 4 five times each: variance 10/9; of 0, 2: the same. Log error: the root of
    # (10/9 / 9 + 10/9 / 1) / 10 = 0.351364; times 1.959964 = 0.688661.
    rows = [("member", 2.0), ("member", 4.0), ("other", 0.0), ("other", 2.0)] * 5
    shop = pl.DataFrame(rows, schema=["group", "spend"], orient="row").with_row_index("customer_id")
    found = plain_ratio(shop, group="group", levels=("member", "other"), outcome="spend")
    assert math.log(found.high / 3.0) == pytest.approx(0.688661, abs=5e-6)
    assert math.log(found.low / 3.0) == pytest.approx(-0.688661, abs=5e-6)


def test_an_unseen_trait_must_be_stronger_the_larger_the_ratio():
    # 2 + sqrt(2); a half is turned over.
    assert e_value(2.0) == pytest.approx(2.0 + math.sqrt(2.0))
    assert e_value(0.5) == e_value(2.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"past": None}, "customers: 'past' is missing or infinite in 4000 rows; possible: numbers only"),
        ({"spend": pl.lit(-1.0)}, "'spend' is below 0 in 4000 rows; possible: from 0"),
    ],
)
def test_numbers_that_cannot_be_compared_are_refused(change, message):
    with pytest.raises(TableError, match=message):
        adjusted_ratio(_shop(1).with_columns(**change), **ASKED)


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="customers: no column 'past'"):
        adjusted_ratio(_shop(1).drop("past"), **ASKED)


def test_groups_that_cannot_be_compared_are_refused():
    shop = _shop(1)
    with pytest.raises(EstimationError, match="guest: 0 rows; possible: from 10 in each group"):
        adjusted_ratio(shop, **{**ASKED, "levels": ("guest", "other")})
    with pytest.raises(EstimationError, match="other: 'spend' is 0 in all"):
        adjusted_ratio(shop.with_columns(spend=(pl.col("group") == "member").cast(pl.Float64)), **ASKED)
    sentence = shop.with_columns(past=(pl.col("group") == "member").cast(pl.Float64))
    with pytest.raises(EstimationError, match="member and other are told apart by the covariates alone"):
        adjusted_ratio(sentence, **ASKED, method="regression")
    with pytest.raises(EstimationError, match="member and other are hardly alike: 0 and 0"):
        adjusted_ratio(sentence, **ASKED, method="doubly_robust")
    with pytest.raises(EstimationError, match="member: nothing in 'past', so there is no past"):
        ratio_to_own_past(
            shop.with_columns(past=0.0), group="group", levels=("member", "other"), before="past", after="spend"
        )
