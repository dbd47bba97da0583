"""Ratios that are known, ratios of nothing, selection that shows before, and what is said of each."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from cxsim.errors import DataError
from cxsim.metrics.contracts import ASSOCIATIONS
from cxsim.metrics.drivers import associations, finding
from cxsim.metrics.person_periods import person_periods
from cxsim.metrics.regression import Fitted, design_of, fitted
from cxsim.tables import check
from tests.drivers.worlds import causeless_shop, chance_shop, orders_of, shop

# Half the width of a 95 % interval, in standard errors.
Z = 1.959964
# A rate that all customers share: only then is the ratio of chances that of rates.
ALIKE = 1e6


def standard_errors(row, truth, *, prefix=""):
    """Return how far the ratio of a row lies from the truth, in standard errors of its logarithm."""
    ratio, low, high = (
        row[name] for name in ((prefix or "ratio"), f"{prefix}_low".strip("_"), f"{prefix}_high".strip("_"))
    )
    return math.log(ratio / truth) / (math.log(high / low) / (2 * Z))


@pytest.fixture(scope="module")
def causeless():
    """A world in which experiences have no effect, of 9,000 customers; those with returns, tickets and answers."""
    return person_periods(causeless_shop())


@pytest.fixture(scope="module")
def nothing(causeless):
    return associations(causeless)


def test_where_nothing_has_an_effect_every_ratio_covers_one(nothing):
    assert set(nothing.table["exposure"]) == {
        "late_order", "incident_early", "incident_stock_out", "incident_defect", "ticket", "waiting", "unsolved",
        "return", "answer",
    }  # fmt: skip
    for row in nothing.table.iter_rows(named=True):
        assert abs(standard_errors(row, 1.0)) < 4, row["finding"]
        if row["before"] is not None:
            assert abs(standard_errors(row, 1.0, prefix="before")) < 4, row["finding"]


def test_who_orders_more_meets_more_of_everything_so_the_crude_ratio_is_far_from_one(causeless):
    # Of a ticket or a return one has to have ordered; the heavy buyers, of whom there are few, order most of all.
    crude = associations(causeless, adjust="nothing").table.filter(outcome="orders")
    for row in crude.filter(pl.col("exposure").is_in(["ticket", "return", "late_order"])).iter_rows(named=True):
        assert row["ratio"] > 2.0
        assert row["before"] > 2.0
        assert standard_errors(row, 1.0) > 4


def test_a_late_order_that_halves_the_order_rate_is_recovered():
    found = associations(person_periods(chance_shop(21, ratio=0.5))).table
    for row in found.filter(pl.col("outcome") != "next order").iter_rows(named=True):
        assert abs(standard_errors(row, 0.5)) < 4
        # 4,000 customers over a year are enough to say so.
        assert row["high"] < 0.7
        assert abs(standard_errors(row, 1.0, prefix="before")) < 4


def test_the_rate_of_a_next_order_is_recovered_by_both_models_where_customers_are_alike():
    found = associations(person_periods(chance_shop(22, ratio=0.5, shape=ALIKE))).table.filter(outcome="next order")
    assert found["model"].to_list() == ["complementary log-log, per period", "Cox, days since the last order"]
    for row in found.iter_rows(named=True):
        assert abs(standard_errors(row, 0.5)) < 4


def test_where_bad_customers_meet_it_the_ratio_before_is_far_from_one_and_the_finding_says_so():
    found = associations(
        person_periods(chance_shop(23, customers=12_000, bad=0.3, shape=ALIKE)), cross_check="none"
    ).table.filter(outcome="orders")
    (row,) = found.iter_rows(named=True)
    assert standard_errors(row, 1.0) < -4
    assert standard_errors(row, 1.0, prefix="before") < -4
    assert row["finding"].endswith(
        "Those who meet it were different before it happened, so at least part of this is selection. "
        "An association, not an effect."
    )


def test_intervals_of_the_ratio_of_rates_hold_the_truth_as_often_as_they_say():
    held = []
    for seed in range(200):
        made = person_periods(chance_shop(1000 + seed, customers=400, periods=6, ratio=0.7, shape=ALIKE))
        found = fitted(design_of(made.table, made.exposures[0], timing="before", adjust="history"), "next order")
        low, high = found.interval
        held.append(low < 0.7 < high)
    # Four standard errors of 95 % among 200: 4 * sqrt(0.95 * 0.05 / 200) = 0.062.
    assert abs(np.mean(held) - 0.95) < 0.062


def test_the_table_keeps_its_contract_and_labels_associations(nothing):
    assert check(nothing.table, ASSOCIATIONS).height == nothing.comparisons
    assert set(nothing.table["label"]) == {"association"}
    assert (nothing.customers, nothing.of_customers) == (9000, 9000)
    assert nothing.left_out["Contact"] == "there is no table of contacts."


def test_what_is_clear_is_so_among_all_comparisons_and_the_finding_says_where_not(causeless, nothing):
    for table in (nothing.table, associations(causeless, adjust="nothing").table):
        for row in table.iter_rows(named=True):
            assert row["clear"] == ("chance alone could bring this" not in row["finding"])
        # By Benjamini and Hochberg (1995), eq. 1, as it is written: the largest k with p(k) <= 0.05 k / n.
        distances = [abs(standard_errors(row, 1.0)) for row in table.iter_rows(named=True)]
        chances = [2.0 * NormalDist().cdf(-distance) for distance in distances]
        most = max((k for k, p in enumerate(sorted(chances), 1) if p <= 0.05 * k / len(chances)), default=0)
        assert table["clear"].sum() == most
        assert table.filter("clear").height == 0 or max(
            chance for chance, clear in zip(chances, table["clear"], strict=True) if clear
        ) <= 0.05 * most / len(chances)
    assert table["clear"].sum() > nothing.table["clear"].sum()


def test_the_same_shop_gives_the_same_table_whatever_the_order_of_its_rows():
    made = chance_shop(24, customers=600, periods=6)
    mixed = dataclasses.replace(made, orders=made.orders.collect().sample(fraction=1.0, shuffle=True, seed=1).lazy())
    tables = [associations(person_periods(one), cross_check="none").table for one in (made, mixed)]
    assert tables[0].equals(tables[1])


def test_only_what_chance_decided_is_called_an_effect():
    periods = person_periods(chance_shop(25, customers=1000, ratio=0.5))
    found = associations(periods, randomised=["late_order"], cross_check="none").table
    assert set(found["label"]) == {"effect"}
    assert found["finding"][0].endswith("Chance decided who met it, so this is an effect.")
    with pytest.raises(DataError, match="no exposure 'late' to have been decided by chance; possible: late_order"):
        associations(periods, randomised=["late"])


def test_the_rate_of_false_findings_is_a_share():
    periods = person_periods(chance_shop(25, customers=100, periods=4))
    with pytest.raises(DataError, match=r"rate must be between 0 and 1; found 1\."):
        associations(periods, rate=1.0)


def test_a_shop_in_which_nothing_can_be_compared_gives_an_empty_table_and_the_reasons():
    few = orders_of(*[(f"c{n}", 3 * n, 10, "late" if n == 1 else None) for n in range(40)])
    found = associations(person_periods(shop(few)))
    assert found.table.is_empty()
    assert found.left_out["Late order"] == "1 customers met it; at least 30 are needed."


def test_a_negative_amount_leaves_out_spend_alone():
    made = chance_shop(26, customers=1000, periods=6)
    orders = made.orders.with_columns(
        amount=pl.when(pl.int_range(pl.len()) == pl.len() - 1).then(-5000.0).otherwise("amount")
    )
    found = associations(person_periods(dataclasses.replace(made, orders=orders)), cross_check="none")
    assert found.table["outcome"].to_list() == ["next order", "orders"]
    assert found.left_out["Late order: spend"] == "an outcome is negative, so a ratio of outcomes means nothing."


def test_where_too_few_meet_it_later_nothing_is_said_of_before():
    made = chance_shop(27, customers=1000, periods=3)
    found = associations(person_periods(made), cross_check="none").table
    assert found["before"].to_list() == [None] * 3
    assert "before" not in found["finding"][0]


def said(now, before, *, clear="clear", days=28, outcome="orders", label="association"):
    exposure = person_periods(chance_shop(1, customers=50, periods=3)).exposures[0]
    return finding(exposure, outcome, now=now, before=before, every_days=days, clear=clear, label=label)


def fit(ratio, error):
    return Fitted(log_ratio=math.log(ratio), error=error, customers=10_000, exposed=100)


def test_a_finding_says_the_ratio_its_interval_and_the_ratio_before():
    # 0.87 * exp(-+1.96 * 0.04) = 0.804 and 0.941; 0.98 * exp(-+1.96 * 0.03) = 0.924 and 1.039.
    assert said(fit(0.87, 0.04), fit(0.98, 0.03)) == (
        "After a late order, customers order 0.87 times as often in the next four weeks (0.80 to 0.94); the same "
        "customers ordered 0.98 times as often before it (0.92 to 1.04). An association, not an effect."
    )


def test_a_finding_that_chance_could_bring_says_so():
    assert said(fit(0.95, 0.04), None, clear="unclear", days=10, outcome="spend") == (
        "After a late order, customers spend 0.95 times as much in the next ten days (0.88 to 1.03). Among so many "
        "comparisons, chance alone could bring this. An association, not an effect."
    )


def test_selection_the_other_way_round_may_hide_something():
    sentence = said(fit(0.8, 0.01), fit(1.2, 0.01), days=7, outcome="next order")
    assert sentence == (
        "After a late order, a next order comes 0.80 times as fast in the next week (0.78 to 0.82); it came 1.20 times "
        "as fast before it (1.18 to 1.22). Those who meet it were different before it happened, the other way round, "
        "so this may be too small. An association, not an effect."
    )
