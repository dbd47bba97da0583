"""Groups are compared at an equal past; where satisfaction does nothing the careful methods find nothing."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from cxsim.errors import DataError, EstimationError, TableError
from cxsim.metrics.selection import (
    COVARIATES,
    SELECTION,
    Windows,
    adjusted_ratio,
    e_value,
    followed_answerers,
    plain_ratio,
    ratio_to_own_past,
    selection_panel,
)
from cxsim.params import quantities, with_values
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.shop_tables import shop_tables
from cxsim.tables import check
from tests.metrics.answering import UNTIL, tables

ASKED = {"group": "group", "levels": ("member", "other"), "outcome": "spend", "covariates": ["past"]}
METHODS = ["regression", "doubly_robust"]
CAREFUL = [*METHODS, "own_past"]


def _members(seed, customers=4_000, effect=1.0, bond=1.0):
    """Members by their past, which also makes them spend: exp(past / 2), times `effect` for members."""
    generator = np.random.Generator(np.random.PCG64(seed))
    past = generator.standard_normal(customers)
    member = generator.random(customers) < 1.0 / (1.0 + np.exp(-bond * past))
    mean = 10.0 * np.exp(0.5 * past) * np.where(member, effect, 1.0)
    spend = generator.poisson(generator.gamma(2.0, 0.5, customers) * mean).astype(np.float64)
    names = pl.Series(np.where(member, "member", "other"))
    return pl.DataFrame({"customer_id": range(customers), "group": names, "spend": spend, "past": past})


@pytest.mark.parametrize("method", METHODS)
def test_a_known_ratio_is_found_under_confounding(method):
    found = [adjusted_ratio(_members(seed, effect=1.3), **ASKED, method=method).ratio for seed in range(1, 41)]
    logs = np.log([one.ratio for one in found])
    assert abs(logs.mean() - math.log(1.3)) < 4 * logs.std(ddof=1) / math.sqrt(40)
    # 40 intervals of 95 %: fewer than 34 would cover once in 300 times.
    assert sum(one.low <= 1.3 <= one.high for one in found) >= 34
    assert plain_ratio(_members(1, effect=1.3), group="group", levels=("member", "other"), outcome="spend").low > 1.3


def test_doubly_robust_is_right_where_the_outcome_is_not_what_the_model_takes_it_for():
    # Spend rises with the square of the past, which no straight line in it follows; membership is as modelled.
    logs = []
    for seed in range(1, 41):
        shop = _members(seed, customers=4_000)
        bent = shop.with_columns(spend=(10.0 + 10.0 * pl.col("past") ** 2) * (pl.col("spend") + 1.0) ** 0.0)
        logs.append(math.log(adjusted_ratio(bent, **ASKED).ratio.ratio))
    assert abs(np.mean(logs)) < 4 * np.std(logs, ddof=1) / math.sqrt(40)


def test_one_strong_covariate_of_two_values_is_standardised_by_hand():
    # Old: members 60, others 40. New: members 30, others 20. Half are old among all, so (60 + 30) / (40 + 20) = 1.5.
    rows = [("member", 60.0, 1.0)] * 30 + [("other", 40.0, 1.0)] * 10
    rows += [("member", 30.0, 0.0)] * 10 + [("other", 20.0, 0.0)] * 30
    shop = pl.DataFrame(rows, schema=["group", "spend", "past"], orient="row").with_row_index("customer_id")
    for method in METHODS:
        # Held to what iterations leave.
        assert adjusted_ratio(shop, **ASKED, method=method).ratio.ratio == pytest.approx(1.5, rel=1e-6)
    found = adjusted_ratio(shop, **ASKED)
    assert found.overlap == pytest.approx((0.25, 0.75), rel=1e-6)
    assert (found.ratio.customers, found.trimmed) == (80, 0)


def test_rows_of_one_customer_are_not_taken_for_independent():
    shop = _members(1)
    twice = pl.concat([shop, shop])
    for method in METHODS:
        once, again = (adjusted_ratio(some, **ASKED, method=method).ratio for some in (shop, twice))
        # Copies tell nothing; statsmodels corrects for the number of rows, by less than a thousandth here.
        assert again.high / again.low == pytest.approx(once.high / once.low, rel=1e-3)


def test_who_has_no_like_in_the_other_group_is_left_out_and_counted():
    found = adjusted_ratio(_members(1, bond=4.0), **ASKED)
    assert found.trimmed > 100
    assert found.ratio.customers + found.trimmed == 4_000
    assert 0.02 <= found.overlap[0] < found.overlap[1] <= 0.98


def test_a_covariate_that_says_nothing_new_changes_nothing():
    shop = _members(1).with_columns(twice=2.0 * pl.col("past"), same=pl.lit(3.0))
    for method in METHODS:
        found = adjusted_ratio(shop, **{**ASKED, "covariates": ["past", "twice", "same"]}, method=method)
        plain = adjusted_ratio(shop, **ASKED, method=method)
        assert found.ratio.ratio == pytest.approx(plain.ratio.ratio, rel=1e-9)


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
        adjusted_ratio(_members(1).with_columns(**change), **ASKED)


def test_a_missing_column_is_named():
    with pytest.raises(TableError, match="customers: no column 'past'"):
        adjusted_ratio(_members(1).drop("past"), **ASKED)


def test_groups_that_cannot_be_compared_are_refused():
    shop = _members(1)
    with pytest.raises(EstimationError, match="guest: 0 rows; possible: from 10 in each group"):
        adjusted_ratio(shop, **{**ASKED, "levels": ("guest", "other")})
    with pytest.raises(EstimationError, match="other: 'spend' is 0 in all"):
        adjusted_ratio(shop.with_columns(spend=(pl.col("group") == "member").cast(pl.Float64)), **ASKED)
    separated = shop.with_columns(past=(pl.col("group") == "member").cast(pl.Float64))
    with pytest.raises(EstimationError, match="member and other are distinguished by the covariates alone"):
        adjusted_ratio(separated, **ASKED, method="regression")
    with pytest.raises(EstimationError, match="member and other are hardly alike: 0 and 0"):
        adjusted_ratio(separated, **ASKED, method="doubly_robust")
    with pytest.raises(EstimationError, match="member: nothing in 'past', so there is no past"):
        ratio_to_own_past(
            shop.with_columns(past=0.0), group="group", levels=("member", "other"), before="past", after="spend"
        )


PANEL = ["naive", "equal_count", "before", "after", "regression", "doubly_robust", "own_past"]
END = datetime.combine(date(2024, 1, 1), time.min)
SHORT = Windows(history_days=100, answering_days=30, outcome_days=20)


@pytest.fixture(scope="module")
def worlds():
    """The panel of each world without an effect, and its seed."""
    panels = [selection_panel(*tables(seed, 60_000), until=UNTIL).with_columns(seed=seed) for seed in range(1, 21)]
    return pl.concat(panels).with_columns(log=pl.col("ratio").log())


def _mean(worlds, method):
    logs = worlds.filter(method=method)["log"].to_numpy()
    return math.exp(logs.mean()), logs.std(ddof=1) / math.sqrt(len(logs))


def test_the_panel_goes_from_the_most_naive_method_to_the_most_careful(worlds):
    panel = worlds.filter(seed=1).drop("seed", "log")
    assert check(panel, SELECTION)["method"].to_list() == PANEL
    assert set(panel["label"]) == {"association"}


def test_naive_tables_make_a_lead_of_two_and_a_third_out_of_nothing(worlds):
    # The field's figures, which tests/study/test_facts_nps holds to 0.05 over 78 weeks from each first order.
    assert _mean(worlds, "naive")[0] == pytest.approx(2.31, abs=0.05)
    assert 1.27 - 0.05 < _mean(worlds, "equal_count")[0] < 1.30 + 0.05 + 4 * 0.003


def test_promoters_had_spent_as_much_more_before_they_answered_as_they_spend_after(worlds):
    # Found 1.87 and 1.88, where nothing that an answer stands for moves an order.
    assert _mean(worlds, "before")[0] > 1.7
    assert _mean(worlds, "after")[0] > 1.7


@pytest.mark.parametrize("method", CAREFUL)
def test_the_careful_intervals_cover_one_where_satisfaction_causes_nothing(worlds, method):
    some = worlds.filter(method=method)
    covered = some.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    # Found 20, 19 and 20. Of twenty intervals that each cover with 95 %, fewer than 16 do once in 400 times.
    assert covered >= 16
    value, error = _mean(worlds, method)
    assert abs(math.log(value)) < 4 * error


def test_no_naive_interval_covers_one_there(worlds):
    some = worlds.filter(pl.col("method").is_in(["naive", "equal_count", "before", "after"]))
    assert some["low"].min() > 1.0


@pytest.mark.parametrize("method", CAREFUL)
def test_the_intervals_are_as_wide_as_the_worlds_differ(worlds, method):
    some = worlds.filter(method=method)
    implied = (some["high"] / some["low"]).log().mean() / (2 * 1.959964)
    # The deviation of twenty worlds is known to 16 %, so four errors are two thirds.
    assert implied == pytest.approx(some["log"].std(), rel=0.65)


def test_what_a_bad_order_changes_is_seen_against_the_own_past():
    # The same customers, traits and mishaps; in one shop they move orders, stay and baskets, in the other nothing.
    moved = selection_panel(*tables(1, 100_000, news=True, buying=1.2, leaving=1 / 1.2, basket=1.05), until=UNTIL)
    still = selection_panel(*tables(1, 100_000, news=True), until=UNTIL)
    for method in CAREFUL:
        with_effect, without = (
            panel.row(by_predicate=pl.col("method") == method, named=True) for panel in (moved, still)
        )
        assert with_effect["low"] > 1.0
        assert without["low"] <= 1.0 <= without["high"]
        assert with_effect["ratio"] > without["ratio"]


def _rows(kind, rows):
    names = {"orders": ["customer_id", "ordered_at", "amount"], "answers": ["customer_id", "sent_at", "score"]}[kind]
    table = pl.DataFrame(rows, schema=names, orient="row", schema_overrides={"amount": pl.Float64})
    if kind == "orders":
        return table.with_columns(order_id=pl.lit("o"))
    return table.with_columns(survey_id=pl.lit("s"), instrument=pl.lit("nps"))


def _before(days):
    return END - timedelta(days=days)


@pytest.fixture
def shop():
    """The season runs from 50 to 20 days before the end; the history from 150 days before."""
    orders = [
        ("old", _before(200), 10.0), ("old", _before(100), 20.0), ("old", _before(45), 40.0),
        ("old", _before(30), 80.0), ("old", _before(24), 160.0), ("old", _before(10), 320.0),
        ("new", _before(140), 10.0), ("new", _before(40), 10.0),
        ("late", _before(200), 10.0), ("late", _before(19), 10.0),
        (None, _before(40), 10.0),
    ]  # fmt: skip
    answers = [
        ("old", _before(100), 3), ("old", _before(45), 9), ("old", _before(30), 2),
        ("new", _before(40), 9), ("late", _before(19), 9), (None, _before(40), 9),
    ]  # fmt: skip
    return _rows("orders", orders), _rows("answers", answers)


def test_the_first_answer_of_the_season_parts_before_from_after(shop):
    found = followed_answerers(*shop, until=END, windows=SHORT)
    row = found.customers.row(0, named=True)
    assert (found.customers.height, row["customer_id"], row["group"]) == (1, "old", "promoters")
    # Before: the order of day -100, in the 100 days to day -50. After: from day -45 to -25, so not the one of day -24;
    # the order of the answer itself lies in neither.
    assert (row["spend_before"], row["spend_after"]) == (20.0, 80.0)
    # The season opened 50 days after the last order but that one, and the answer came 5 days into it.
    assert row["log_idle"] == pytest.approx(math.log(51.0))
    assert row["log_wait"] == pytest.approx(math.log(6.0))
    assert row["log_known"] == pytest.approx(math.log(156.0))
    assert row["log_earlier_answers"] == pytest.approx(math.log(2.0))
    assert set(COVARIATES) < set(row)


def test_who_is_too_new_or_answers_too_late_is_counted(shop):
    found = followed_answerers(*shop, until=END, windows=SHORT)
    assert (found.too_new, found.too_late) == (1, 1)


def test_what_happens_after_the_answer_changes_no_covariate(shop):
    orders, answers = shop
    known = followed_answerers(orders, answers, until=END, windows=SHORT).customers
    later = pl.col("ordered_at") > _before(45)
    other = orders.with_columns(amount=pl.when(later).then(7.0).otherwise("amount"))
    changed = followed_answerers(other, answers, until=END, windows=SHORT).customers
    assert changed.drop("spend_after").equals(known.drop("spend_after"))


def test_too_few_customers_leave_an_empty_panel(shop):
    assert check(selection_panel(*shop, until=END), SELECTION).is_empty()


def test_tables_and_times_that_cannot_be_used_are_refused(shop):
    orders, answers = shop
    with pytest.raises(TableError, match="SURVEYS: no column 'score'"):
        selection_panel(orders, answers.drop("score"), until=END)
    with pytest.raises(TableError, match="ORDERS: no column 'amount'"):
        selection_panel(orders.lazy().drop("amount"), answers, until=END)
    with pytest.raises(DataError, match="Windows: outcome_days is 0; possible: from 1"):
        Windows(outcome_days=0)


# From a scenario in which satisfaction causes nothing to the panel that shows it: the tables as a user gets them. It is
# params/scenarios/cdnow-naive, whose behaviour is no-effect-of-satisfaction (correlations of 0.3), with the design of
# fact F19 of the field made explicit: customers who all come within one month, observed for 78 to 83 weeks from their
# first order, by a Pareto/NBD fitted to the 39 weeks of the CDNOW sample, as Fader and Hardie did. All are asked after
# every order and all answer, because the 12 % of the 30 % that do else are too few; every assumption holds its value,
# and only the fits are drawn. Late parcels, defects and tickets stay as they are.
#
# Worlds of 60,000 customers, seeds 1 to 10, none left out; twenty give 2.284, 1.348, 1.015, 1.010 and 1.012. Fitted to
# all 78 weeks, as the scenario itself is, lifetimes differ more between customers: 2.224 and 1.318 then, and the
# careful methods leave 1.049, 1.065 and 1.019, which 17 to 19 of twenty intervals hold.
SEEDS = range(1, 11)
ALL_ANSWER = {"surveys.after_order": 1.0, "surveys.response": 1.0, "surveys.extremity": 0.0}


def _scenario(seed):
    naive = load_scenario("cdnow-naive")
    values = {name: quantity.value for name, quantity in quantities(naive.behaviour)}
    return dataclasses.replace(
        naive,
        orders="cdnow-sample",
        observed_until=date(1997, 9, 30),
        existing_customers="none",
        new_customers=NewCustomers(per_month=60_000, months=1),
        # 1 October 1997 to 30 April 1999 are 577 days, of which whoever comes last, on 31 October, has 547.
        horizon_months=19,
        behaviour=with_values(naive.behaviour, values | ALL_ANSWER),
        seed=seed,
    )


@pytest.fixture(scope="module")
def scenario_worlds():
    panels = []
    for seed in SEEDS:
        scenario = _scenario(seed)
        tables = shop_tables(scenario)
        until = tables.shop(scenario).until
        panels.append(selection_panel(tables.orders, tables.surveys, until=until).with_columns(seed=seed))
    return pl.concat(panels).with_columns(log=pl.col("ratio").log())


def test_the_naive_table_says_2_3_times_as_much_where_nothing_was_caused(scenario_worlds):
    assert _mean(scenario_worlds, "naive")[0] == pytest.approx(2.31, abs=0.1)
    assert scenario_worlds.filter(method="naive")["low"].min() > 1.0


def test_an_equal_number_of_orders_still_says_1_3_times(scenario_worlds):
    value, error = _mean(scenario_worlds, "equal_count")
    # Found 1.355 with an error of 0.006: ten worlds do not tell it from the 1.35 that is sought.
    assert 1.27 - 4 * error < value < 1.35 + 4 * error
    assert scenario_worlds.filter(method="equal_count")["low"].min() > 1.0


@pytest.mark.parametrize("method", CAREFUL)
def test_the_adjusted_intervals_hold_one(scenario_worlds, method):
    some = scenario_worlds.filter(method=method)
    covered = some.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    # Of ten intervals that each hold it with 95 %, fewer than 7 do once in a thousand times.
    assert covered >= 7
    value, error = _mean(scenario_worlds, method)
    assert abs(math.log(value)) < 4 * error
    # Of the 131 % by which the naive table is too high, less than a tenth is left.
    assert abs(value - 1.0) < 0.1 * 1.31
