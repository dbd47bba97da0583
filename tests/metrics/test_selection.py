"""Groups are compared at an equal past; where satisfaction does nothing the careful methods find nothing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from cxsim.errors import EstimationError, TableError
from cxsim.metrics.selection import (
    COVARIATES,
    SELECTION,
    adjusted_ratio,
    e_value,
    followed_answerers,
    plain_ratio,
    selection_panel,
)
from cxsim.params import quantities, with_values
from cxsim.simulation.engine import events
from cxsim.simulation.state import KINDS
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.sources import shop_tables
from cxsim.tables import check
from tests.simulation.shops import experience, incident, scale, shop as shop_of, surveys, traits
from tests.simulation.worlds import PARETO, START, inputs, newcomers

ASKED = {"outcome": "spend", "covariates": ["past"]}
METHODS = ["regression", "doubly_robust"]
CAREFUL = [*METHODS, "own_past"]


def _answerers(seed, customers=4_000, effect=1.0, bond=1.0):
    """Promoters by their past, which also makes them spend: exp(past / 2), times `effect` for promoters."""
    generator = np.random.Generator(np.random.PCG64(seed))
    past = generator.standard_normal(customers)
    promoter = generator.random(customers) < 1.0 / (1.0 + np.exp(-bond * past))
    mean = 10.0 * np.exp(0.5 * past) * np.where(promoter, effect, 1.0)
    spend = generator.poisson(generator.gamma(2.0, 0.5, customers) * mean).astype(np.float64)
    names = pl.Series(np.where(promoter, "promoters", "detractors"))
    return pl.DataFrame({"customer_id": range(customers), "group": names, "spend": spend, "past": past})


@pytest.mark.parametrize("method", METHODS)
def test_a_known_ratio_is_found_under_confounding(method):
    found = [adjusted_ratio(_answerers(seed, effect=1.3), method, **ASKED) for seed in range(1, 41)]
    logs = np.log([one.ratio for one in found])
    assert abs(logs.mean() - math.log(1.3)) < 4 * logs.std(ddof=1) / math.sqrt(40)
    # 40 intervals of 95 %: fewer than 34 would cover once in 300 times.
    assert sum(one.low <= 1.3 <= one.high for one in found) >= 34
    assert plain_ratio(_answerers(1, effect=1.3), "spend").low > 1.3


def test_doubly_robust_is_right_where_the_outcome_is_not_what_the_model_takes_it_for():
    # Spend rises with the square of the past, which no straight line in it follows; membership is as modelled.
    logs = []
    for seed in range(1, 41):
        shop = _answerers(seed, customers=4_000)
        bent = shop.with_columns(spend=(10.0 + 10.0 * pl.col("past") ** 2) * (pl.col("spend") + 1.0) ** 0.0)
        logs.append(math.log(adjusted_ratio(bent, **ASKED).ratio))
    assert abs(np.mean(logs)) < 4 * np.std(logs, ddof=1) / math.sqrt(40)


def test_one_strong_covariate_of_two_values_is_standardised_by_hand():
    # Old: promoters 60, others 40. New: 30, 20. Half are old among all, so (60 + 30) / (40 + 20) = 1.5.
    rows = [("promoters", 60.0, 1.0)] * 30 + [("detractors", 40.0, 1.0)] * 10
    rows += [("promoters", 30.0, 0.0)] * 10 + [("detractors", 20.0, 0.0)] * 30
    shop = pl.DataFrame(rows, schema=["group", "spend", "past"], orient="row").with_row_index("customer_id")
    for method in METHODS:
        # Held to what iterations leave.
        assert adjusted_ratio(shop, method, **ASKED).ratio == pytest.approx(1.5, rel=1e-6)
    found = adjusted_ratio(shop, **ASKED)
    assert found.overlap == pytest.approx((0.25, 0.75), rel=1e-6)
    assert (found.customers, found.trimmed) == (80, 0)


def test_who_has_no_like_in_the_other_group_is_left_out_and_counted():
    found = adjusted_ratio(_answerers(1, bond=4.0), **ASKED)
    assert found.trimmed > 100
    assert found.customers + found.trimmed == 4_000
    assert 0.02 <= found.overlap[0] < found.overlap[1] <= 0.98


def test_a_covariate_that_says_nothing_new_changes_nothing():
    shop = _answerers(1).with_columns(twice=2.0 * pl.col("past"), same=pl.lit(3.0))
    for method in METHODS:
        found = adjusted_ratio(shop, method, outcome="spend", covariates=["past", "twice", "same"])
        assert found.ratio == pytest.approx(adjusted_ratio(shop, method, **ASKED).ratio, rel=1e-9)


def test_the_own_past_cancels_what_people_are_like_all_along():
    # Hidden weight: promoters 3, others 1, before and after; promoters also gain a tenth.
    rows = [("promoters", 30.0 + d, 33.0 + d * 1.1) for d in range(10)] + [
        ("detractors", 10.0 + d, 10.0 + d) for d in range(10)
    ]
    shop = pl.DataFrame(rows, schema=["group", "before", "after"], orient="row").with_row_index("customer_id")
    found = plain_ratio(shop, "after", past="before")
    # (379.5 / 345) / (145 / 145); nobody departs from that, so the interval has no width.
    assert (found.ratio, found.low, found.high) == pytest.approx((1.1, 1.1, 1.1))


def test_the_interval_of_a_plain_ratio_by_hand():
    # Means 3 and 1, deviations of 2, 4 five times each: variance 10/9; of 0, 2: the same. Log error: the root of
    # (10/9 / 9 + 10/9 / 1) / 10 = 0.351364; times 1.959964 = 0.688661.
    rows = [("promoters", 2.0), ("promoters", 4.0), ("detractors", 0.0), ("detractors", 2.0)] * 5
    shop = pl.DataFrame(rows, schema=["group", "spend"], orient="row").with_row_index("customer_id")
    found = plain_ratio(shop, "spend")
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
        adjusted_ratio(_answerers(1).with_columns(**change), **ASKED)


def test_groups_that_cannot_be_compared_are_refused():
    shop = _answerers(1)
    promoter = (pl.col("group") == "promoters").cast(pl.Float64)
    with pytest.raises(EstimationError, match="promoters: 0 rows; possible: from 10 in each group"):
        adjusted_ratio(shop.filter(promoter == 0.0), **ASKED)
    with pytest.raises(EstimationError, match="detractors: 'spend' is 0 in all"):
        adjusted_ratio(shop.with_columns(spend=promoter), **ASKED)
    separated = shop.with_columns(past=promoter)
    with pytest.raises(EstimationError, match="promoters and detractors are fully separated by the covariates"):
        adjusted_ratio(separated, "regression", **ASKED)
    with pytest.raises(EstimationError, match="promoters and detractors hardly overlap: 0 and 0"):
        adjusted_ratio(separated, "doubly_robust", **ASKED)
    with pytest.raises(EstimationError, match="promoters: nothing in 'past', so there is no earlier spend"):
        plain_ratio(shop.with_columns(past=0.0), "spend", past="past")


PANEL = ["naive", "equal_count", "before", "after", "regression", "doubly_robust", "own_past"]
END = datetime.combine(date(2024, 1, 1), time.min)


MONTHS = 20
# All customers come within the first month, so 31 days, a year and two seasons of 91 days hold everybody.
OPENING = datetime.combine(START, time.min)
UNTIL = OPENING + timedelta(days=31 + 365 + 2 * 91)
ANSWER = scale(8.0, 1.3, 1.4)
# One order in four is remembered as two deviations worse, and the last order is all that is remembered.
NEWS = incident("broken", 0.25, -2.0, 0.0)


def tables(seed, customers, *, latent=0.3, news=False, buying=1.0, leaving=1.0, basket=1.0):
    """Return the orders and the answers until UNTIL; all are asked and answer, as in tests/study/test_facts_nps."""
    asking = dataclasses.replace(surveys(after_order=1.0, after_ticket=0.0, response=1.0, extremity=0.0), nps=ANSWER)
    going = experience(
        *((NEWS,) if news else ()),
        contact=0.0,
        memory=1.0 if news else 0.3,
        buying=buying,
        leaving=leaving,
        basket=basket,
    )
    behaviour = shop_of(traits=traits(latent, latent, latent), experience=going, surveys=asking)
    population = newcomers(customers, months=MONTHS)
    log = events(population, inputs(population, [], latents=PARETO, behaviour=behaviour), seed=seed)
    when = (pl.lit(OPENING) + pl.duration(seconds="second")).cast(pl.Datetime("us"))
    named = {"customer_id": pl.col("customer").cast(pl.String)}
    orders = log.filter(pl.col("kind") == KINDS.index("ORDER")).select(
        **named, order_id=pl.lit(""), ordered_at=when, amount=pl.col("a") / 100
    )
    answers = log.filter(pl.col("kind") == KINDS.index("SURVEY")).select(
        **named, survey_id=pl.lit(""), sent_at=when, instrument=pl.lit("nps"), score="b"
    )
    return orders.filter(pl.col("ordered_at") < UNTIL), answers.filter(pl.col("sent_at") < UNTIL)


# From a scenario in which satisfaction causes nothing to the panel that shows it: the tables as a user gets them. It is
# params/scenarios/cdnow-naive, whose behaviour is no-effect-of-satisfaction (correlations of 0.3), with the design of
# fact F19 of the field made explicit: customers who all come within one month, observed for 78 to 83 weeks from their
# first order, by a Pareto/NBD fitted to the 39 weeks of the CDNOW sample, as Fader and Hardie did. All are asked after
# every order and all answer, because the 12 % of the 30 % that do else are too few; every assumption holds its value,
# and only the fits are drawn. Late parcels, defects and tickets stay as they are.
#
# Twenty worlds of 60,000 customers, none left out, give 2.284, 1.348, 1.015, 1.010 and 1.012. Fitted to all 78 weeks,
# as the scenario itself is, lifetimes differ more between customers: 2.224 and 1.318 then, and the careful methods
# leave 1.049, 1.065 and 1.019, which 17 to 19 of twenty intervals hold.
ALL_ANSWER = {"surveys.after_order": 1.0, "surveys.response": 1.0, "surveys.extremity": 0.0}


def _of_scenario(seed):
    naive = load_scenario("cdnow-naive")
    values = {name: quantity.value for name, quantity in quantities(naive.behaviour)}
    scenario = dataclasses.replace(
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
    found = shop_tables(scenario)
    return selection_panel(found.orders, found.surveys, until=found.shop(scenario).until)


def _of_engine(seed):
    return selection_panel(*tables(seed, 60_000), until=UNTIL)


class Worlds(NamedTuple):
    """Panels of worlds without an effect; what must hold of them, as many as they are."""

    make: Callable[[int], pl.DataFrame]
    seeds: range
    near: float  # the naive ratio to 2.31
    equal_count: Callable[[float], tuple[float, float]]  # the ends of its ratio, by its error
    least: int  # intervals of each careful method that hold 1
    spread: float  # of the width of intervals, against the deviation over the worlds


# Of twenty intervals that each cover with 95 %, fewer than 16 do once in 400 times; of ten, fewer than 7 once in 1,000.
# The deviation of twenty worlds is known to 16 %, that of ten to 24 %: four errors are 0.65 and 0.94.
ENGINE = Worlds(_of_engine, range(1, 21), 0.05, lambda _: (1.27 - 0.05, 1.30 + 0.05 + 4 * 0.003), 16, 0.65)
# Ten worlds of the scenario do not distinguish 1.355, which was found with an error of 0.006, from the 1.35 sought.
SCENARIO = Worlds(_of_scenario, range(1, 11), 0.1, lambda error: (1.27 - 4 * error, 1.35 + 4 * error), 7, 0.94)


@pytest.fixture(scope="module", params=[ENGINE, SCENARIO], ids=["engine", "scenario"])
def limits(request):
    return request.param


@pytest.fixture(scope="module")
def worlds(limits):
    panels = pl.concat(limits.make(seed).with_columns(seed=seed) for seed in limits.seeds)
    return panels.with_columns(log=pl.col("ratio").log())


def _mean(worlds, method):
    logs = worlds.filter(method=method)["log"].to_numpy()
    return math.exp(logs.mean()), logs.std(ddof=1) / math.sqrt(len(logs))


def test_the_panel_goes_from_the_most_naive_method_to_the_most_careful(worlds):
    panel = worlds.filter(seed=1).drop("seed", "log")
    assert check(panel, SELECTION)["method"].to_list() == PANEL
    assert set(panel["label"]) == {"association"}


def test_naive_tables_make_a_lead_of_two_and_a_third_out_of_nothing(worlds, limits):
    # The field's figures, which tests/study/test_naive holds to 0.05 over 78 weeks from each first order.
    assert _mean(worlds, "naive")[0] == pytest.approx(2.31, abs=limits.near)
    value, error = _mean(worlds, "equal_count")
    low, high = limits.equal_count(error)
    assert low < value < high


def test_promoters_had_spent_as_much_more_before_they_answered_as_they_spend_after(worlds):
    # Found 1.87 and 1.88 by the engine, where nothing that an answer stands for moves an order.
    assert _mean(worlds, "before")[0] > 1.7
    assert _mean(worlds, "after")[0] > 1.7


@pytest.mark.parametrize("method", CAREFUL)
def test_the_careful_intervals_cover_one_where_satisfaction_causes_nothing(worlds, limits, method):
    some = worlds.filter(method=method)
    covered = some.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    assert covered >= limits.least
    value, error = _mean(worlds, method)
    assert abs(math.log(value)) < 4 * error
    # Of the 131 % by which the naive table is too high, less than a tenth is left.
    assert abs(value - 1.0) < 0.1 * 1.31


def test_no_naive_interval_covers_one_there(worlds):
    some = worlds.filter(pl.col("method").is_in(["naive", "equal_count", "before", "after"]))
    assert some["low"].min() > 1.0


@pytest.mark.parametrize("method", CAREFUL)
def test_the_intervals_are_as_wide_as_the_worlds_differ(worlds, limits, method):
    some = worlds.filter(method=method)
    implied = (some["high"] / some["low"]).log().mean() / (2 * 1.959964)
    assert implied == pytest.approx(some["log"].std(), rel=limits.spread)


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
    """The season runs from 182 to 91 days before the end; the history from 547 days before."""
    orders = [
        ("old", _before(600), 10.0), ("old", _before(400), 20.0), ("old", _before(170), 40.0),
        ("old", _before(100), 80.0), ("old", _before(78), 160.0), ("old", _before(10), 320.0),
        ("new", _before(500), 10.0), ("new", _before(150), 10.0),
        ("late", _before(600), 10.0), ("late", _before(90), 10.0), (None, _before(150), 10.0),
    ]  # fmt: skip
    answers = [
        ("old", _before(400), 3), ("old", _before(170), 9), ("old", _before(100), 2),
        ("new", _before(150), 9), ("late", _before(90), 9), (None, _before(150), 9),
    ]  # fmt: skip
    return _rows("orders", orders), _rows("answers", answers)


def test_the_first_answer_of_the_season_parts_before_from_after(shop):
    found = followed_answerers(*shop, until=END)
    row = found.customers.row(0, named=True)
    assert (found.customers.height, row["customer_id"], row["group"]) == (1, "old", "promoters")
    assert (found.too_new, found.too_late) == (1, 1)
    # Before: the order of day -400, in the year to day -182. After: from day -170 to -79, so not the one of day -78;
    # the order of the answer itself lies in neither.
    assert (row["spend_before"], row["spend_after"]) == (20.0, 80.0)
    # The season opened 218 days after the last order but that one, and the answer came 12 days into it.
    assert row["log_idle"] == pytest.approx(math.log(219.0))
    assert row["log_wait"] == pytest.approx(math.log(13.0))
    assert row["log_known"] == pytest.approx(math.log(431.0))
    assert row["log_earlier_answers"] == pytest.approx(math.log(2.0))
    assert set(COVARIATES) < set(row)


def test_what_happens_after_the_answer_changes_no_covariate(shop):
    orders, answers = shop
    other = orders.with_columns(amount=pl.when(pl.col("ordered_at") > _before(170)).then(7.0).otherwise("amount"))
    known, changed = (followed_answerers(some, answers, until=END).customers for some in (orders, other))
    assert changed.drop("spend_after").equals(known.drop("spend_after"))


def test_too_few_customers_leave_an_empty_panel(shop):
    assert check(selection_panel(*shop, until=END), SELECTION).is_empty()


def test_tables_that_cannot_be_used_are_refused(shop):
    orders, answers = shop
    with pytest.raises(TableError, match="SURVEYS: no column 'score'"):
        selection_panel(orders, answers.drop("score"), until=END)
    with pytest.raises(TableError, match="ORDERS: no column 'amount'"):
        selection_panel(orders.lazy().drop("amount"), answers, until=END)
