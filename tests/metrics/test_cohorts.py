"""Cohorts on shops that are small enough to count by hand, and how often their intervals hold the truth."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, strategies as st

from cxsim.data.shop import Shop
from cxsim.errors import DataError
from cxsim.metrics.cohorts import COHORTS, cohort_table
from cxsim.metrics.intervals import wilson
from cxsim.tables import check
from tests.by_unit import mean


def _at(text):
    """A moment by the clock of the shop, without a zone."""
    return datetime.fromisoformat(text)


YEAR, MAY = _at("2024-01-01"), _at("2024-05-01")


def _shop(orders, *, since=YEAR, until=MAY, opening=True, **columns):
    """A shop of orders (customer, moment, amount)."""
    table = pl.DataFrame(
        {
            "order_id": [str(number) for number in range(len(orders))],
            "customer_id": [customer for customer, _, _ in orders],
            "ordered_at": [moment if isinstance(moment, datetime) else _at(moment) for _, moment, _ in orders],
            "amount": [float(amount) for _, _, amount in orders],
        },
        schema={"order_id": pl.String, "customer_id": pl.String, "ordered_at": pl.Datetime, "amount": pl.Float64},
    ).with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return Shop(name="Toy", currency="USD", since=since, until=until, opening=opening, orders=table.lazy())


# Until 1 May. a: first 10 Jan, 112 days, so ages 0, 1, 2 are over; b: first 20 Jan, 102 days, ages 0, 1, 2; c: first
# 1 Feb, 90 days to the day, ages 0, 1, 2; d: first 15 Feb, 76 days, ages 0 and 1.
ORDERS = [
    ("a", "2024-01-10 09:00", 100), ("a", "2024-01-20 09:00", 50), ("a", "2024-02-12 09:00", 30),
    ("b", "2024-01-20 12:00", 40),
    ("c", "2024-02-01 00:00", 20), ("c", "2024-03-02 00:00", 60),
    ("d", "2024-02-15 00:00", 10), ("d", "2024-02-15 00:00", 10), ("d", "2024-04-20 00:00", 70),
]  # fmt: skip


def _cells(table, measure, cohort):
    rows = table.filter(measure=measure, cohort=cohort).sort("age")
    return rows.select("customers", "at_risk", "value", "complete").rows()


@pytest.fixture
def toy():
    return _shop(ORDERS)


def test_the_table_keeps_its_contract_and_has_a_row_per_cohort_measure_and_age(toy):
    table = check(cohort_table(toy, ages=4), COHORTS)
    assert table.select("cohort", "measure", "age").rows() == [
        (cohort, measure, age)
        for cohort in ("2024-01", "2024-02")
        for measure in ("retention", "orders", "revenue", "cumulative_revenue")
        for age in range(4)
    ]


def test_retention_is_the_share_who_order_in_a_step_and_at_age_0_beside_their_first_order(toy):
    table = cohort_table(toy, ages=4, least=1)
    # January: a orders again after 10 days (age 0) and after 33 (age 1); b never.
    assert _cells(table, "retention", "2024-01") == [
        (2, 2, 0.5, True), (2, 2, 0.5, True), (2, 2, 0.0, True), (2, 0, None, False),
    ]  # fmt: skip
    # February: c orders again after exactly 30 days, at age 1; d places two orders at one moment, which is again at
    # age 0. The order of d after 65 days lies in age 2, which was not over for d at the end, and counts nowhere.
    assert _cells(table, "retention", "2024-02") == [
        (2, 2, 0.5, True), (2, 2, 0.5, True), (2, 1, 0.0, False), (2, 0, None, False),
    ]  # fmt: skip


def test_orders_and_revenue_are_means_over_the_customers_at_risk(toy):
    table = cohort_table(toy, ages=3, least=1)
    # January: a has 2 orders of 150 at age 0 and 1 of 30 at age 1; b 1 order of 40. February: c 1 of 20, d 2 of 10
    # each; c 60 at age 1.
    for cohort, revenue in {"2024-01": [95.0, 15.0, 0.0], "2024-02": [20.0, 30.0, 0.0]}.items():
        assert [value for _, _, value, _ in _cells(table, "orders", cohort)] == [1.5, 0.5, 0.0]
        assert [value for _, _, value, _ in _cells(table, "revenue", cohort)] == revenue


def test_the_intervals_are_those_of_wilson_and_of_t_over_customers(toy):
    first = cohort_table(toy, ages=3, least=1).filter(cohort="2024-01", age=0)
    share, spend = (first.filter(measure=name).select("low", "high").row(0) for name in ("retention", "revenue"))
    assert share == (wilson(1, 2).low, wilson(1, 2).high)
    # 150 and 40: mean 95, standard deviation 77.78, error 55, t with one degree of freedom 12.7062.
    assert spend == pytest.approx((95 - 12.706205 * 55, 95 + 12.706205 * 55), rel=1e-7)


@pytest.fixture
def so_far():
    """Ten customers who bring 400, 60 and 40 at ages 0, 1, 2; and twenty who came 30 days later, 900 and 100."""
    orders = [(f"j{n}", "2024-01-01", 40) for n in range(10)] + [("j0", "2024-02-05", 60), ("j1", "2024-03-05", 40)]
    orders += [(f"f{n}", "2024-01-31", 45) for n in range(20)] + [("f3", "2024-03-05", 100)]
    # 90 days after 1 January and 60 days after 31 January.
    table = cohort_table(_shop(orders, until=_at("2024-03-31")), ages=3, least=1)
    return table.filter(measure="cumulative_revenue")


def test_the_value_so_far_adds_up_means_over_those_at_risk_at_each_age(so_far):
    # 1300 / 30 = 43.3333; + 160 / 30 = 48.6667; + 40 / 10 = 52.6667. Pooled over all 30, which mixes ages: 50.
    assert so_far["value"].to_list() == pytest.approx([43.333333, 48.666667, 52.666667], abs=1e-6)
    assert so_far["at_risk"].to_list() == [30, 30, 10]


def test_the_interval_of_the_value_so_far_keeps_the_ages_of_a_customer_together(so_far):
    # The influence of each customer, written out: x(i, b) less the mean, over n(b), summed over ages at risk.
    x = {f"j{n}": [40, 0, 0] for n in range(10)} | {f"f{n}": [45, 0] for n in range(20)}
    x["j0"][1], x["j1"][2], x["f3"][1] = 60, 40, 100
    m, n = [1300 / 30, 160 / 30, 40 / 10], [30, 30, 10]
    psi = [sum((v - m[b]) / n[b] for b, v in enumerate(values)) for values in x.values()]
    half = 2.262157163 * math.sqrt(math.fsum(p * p for p in psi) * 10 / 9)  # t with 9 degrees of freedom
    value, low, high = so_far.select("value", "low", "high").row(2)
    assert (value - low, high - value) == pytest.approx((half, half), rel=1e-9)


def test_where_all_were_observed_the_interval_so_far_is_that_of_the_customers_totals(toy):
    cells, totals = cohort_table(toy, ages=3, least=1).filter(measure="cumulative_revenue"), mean([180.0, 40.0])
    cell = cells.filter(cohort="2024-01", age=2)
    assert cell.select("value", "low", "high").row(0) == pytest.approx((110.0, totals.low, totals.high), rel=1e-9)


def test_below_the_least_number_at_risk_a_cell_has_no_value_and_never_nothing(toy):
    cells, few = (cohort_table(toy, ages=4, least=least).filter(cohort="2024-02", age=2) for least in (1, 2))
    assert few["at_risk"].to_list() == [1] * 4
    assert few["value"].to_list() == [None] * 4
    # One customer at risk has a mean and no interval.
    assert cells.filter(measure="revenue").select("value", "low", "high").row(0) == (0.0, None, None)
    assert cohort_table(toy, ages=2)["value"].null_count() == 16  # two cohorts of two, where thirty are asked for


def test_a_cohort_that_can_still_be_joined_is_not_complete():
    # One customer, whose first 30 days are over on the last day of March; the month is not.
    shop = _shop([("a", "2024-03-01", 10)], until=_at("2024-03-31"))
    cell = cohort_table(shop, ages=1, least=1)
    assert cell.select("customers", "at_risk", "complete").row(0) == (1, 1, False)


def test_orders_outside_of_what_was_observed_and_guests_count_nowhere(toy):
    more = [("a", "2023-12-31 23:59", 999), ("a", "2024-05-01 00:00", 999), (None, "2024-01-05", 999)]
    table = cohort_table(_shop(ORDERS + more), ages=3, least=1)
    assert table.equals(cohort_table(toy, ages=3, least=1))


def test_cohorts_by_week_start_on_monday_and_age_by_seven_days():
    # 31 December 2024 is a Tuesday of the first week of 2025. The second order comes after 7 days exactly.
    shop = _shop([("a", "2024-12-31", 10), ("a", "2025-01-07", 5), ("b", "2025-01-06", 4)], until=_at("2025-01-20"))
    table = cohort_table(shop, every="week", ages=2, least=1).filter(measure="revenue")
    assert table.select("cohort", "age", "value").rows() == [
        ("2025-W01", 0, 10.0), ("2025-W01", 1, 5.0), ("2025-W02", 0, 4.0), ("2025-W02", 1, 0.0),
    ]  # fmt: skip


def test_the_clock_of_the_shop_decides_to_which_month_a_first_order_belongs():
    # 23:30 on the last of January by the shop is February by universal time, five hours ahead.
    for moment, cohort in {"2024-01-31 23:30": "2024-01", "2024-02-01 04:30": "2024-02"}.items():
        assert cohort_table(_shop([("a", moment, 1)]), ages=1)["cohort"][0] == cohort


def test_in_an_export_that_does_not_reach_back_the_first_cohorts_carry_a_caution():
    orders = [("a", "2024-02-01", 1), ("b", "2024-04-15", 1)]
    table = cohort_table(_shop(orders, opening=False), ages=1)
    assert dict(table.select("cohort", "caution").rows()) == {
        "2024-02": "since 2024-01-01 only: some may be earlier customers",
        "2024-04": "",
    }
    assert cohort_table(_shop(orders), ages=1)["caution"].unique().to_list() == [""]


def test_where_orders_carry_their_number_old_customers_are_known_and_left_out():
    orders = [("a", "2024-01-05", 1), ("b", "2024-01-06", 1), ("b", "2024-02-06", 1)]
    table = cohort_table(_shop(orders, opening=False, order_number=[7, 1, 2]), ages=1)
    assert table.select("customers", "caution").row(0) == (1, "")
    # Many orders without a customer make a caution.
    guests = _shop([("a", "2024-01-05", 1), (None, "2024-01-06", 1), (None, "2024-01-06", 1)])
    assert cohort_table(guests, ages=1)["caution"][0] == "67% of the orders name no customer"


def test_neither_the_order_of_the_rows_nor_cents_that_binary_numbers_lack_move_a_bit():
    orders = [
        (f"c{n % 97}", YEAR + timedelta(hours=7 * n), 0.1 + 1.37 * (n % 13) + 1e5 * (n % 89 == 0)) for n in range(400)
    ]
    table = cohort_table(_shop(orders), ages=4, least=1)
    for shuffled in (orders[::-1], orders[200:] + orders[:200], orders[1::2] + orders[::2]):
        assert cohort_table(_shop(shuffled), ages=4, least=1).equals(table)


def test_amounts_too_large_for_exact_products_of_cents_still_give_the_interval():
    # Won of billions: the products are taken in coarser quanta, hence the tolerance; the value is exact.
    orders = [(f"c{n}", "2024-01-05", 3e8 + 1e6 * n) for n in range(50)]
    cell = cohort_table(_shop(orders), ages=1).filter(measure="revenue").row(0, named=True)
    exact = mean([amount for _, _, amount in orders])
    assert cell["value"] == exact.value
    assert (cell["low"], cell["high"]) == pytest.approx((exact.low, exact.high), rel=1e-6)


moments_of_orders = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.integers(0, 30 * 24), st.integers(-500, 50_000)), min_size=1, max_size=30
)


@given(moments_of_orders)
def test_where_all_cells_are_complete_the_value_so_far_is_the_running_sum(drawn):
    orders = [(customer, YEAR + timedelta(hours=hours), cents / 100) for customer, hours, cents in drawn]
    # Observed for a year: every first order is 335 days old at least, so that six steps are over for everyone.
    table = cohort_table(_shop(orders, until=_at("2025-01-01")), ages=6, least=1)
    assert table["complete"].all()
    so_far = table.filter(measure="cumulative_revenue")["value"].to_list()
    running = table.filter(measure="revenue")["value"].cum_sum().to_list()
    assert so_far == pytest.approx(running, abs=1e-9)
    total = sum(cents for _, _, cents in drawn) / 100 / len({customer for customer, _, _ in drawn})
    assert so_far[-1] == pytest.approx(total, abs=1e-9)


def test_another_length_of_a_cohort_is_refused(toy):
    with pytest.raises(DataError, match=r"every: 'year' is not known; possible: month, week\."):
        cohort_table(toy, every="year")


@pytest.mark.parametrize(
    ("shop", "message"),
    [
        (_shop([(None, "2024-01-05", 1)]), "none of 1 orders from 2024-01-01 to before 2024-05-01 names a customer"),
        (Shop(name="Toy", currency="", since=YEAR, until=MAY, lacks={"orders.customer_id": "no mail."}), r"no mail\."),
        (Shop(name="Toy", currency="", since=YEAR, until=MAY), r"there is no table of orders\."),
    ],
)
def test_a_shop_without_orders_or_without_customers_says_why(shop, message):
    with pytest.raises(DataError, match=f"Toy: {message}"):
        cohort_table(shop)


SHOPS, CUSTOMERS = 300, 200
# All come in January. At the end of observation the last age is over for who came in its first half alone.
SINCE, HALF = datetime.fromisoformat("2023-01-01"), 15
# Orders per day are Gamma with mean 0.02, baskets Gamma with mean 25, both with a coefficient of variation of 0.5.
RATE, BASKET, SHAPE = 0.02, 25.0, 4.0


def truth(age):
    """Return the expected value: the first order, and the orders of age + 1 steps of 30 days, at 25 each."""
    return BASKET * (1.0 + RATE * 30.0 * (age + 1))


def censored_shop(rng, days):
    came = rng.uniform(0.0, 31, CUSTOMERS)
    rates, baskets = RATE * rng.gamma(SHAPE, 1 / SHAPE, CUSTOMERS), BASKET * rng.gamma(SHAPE, 1 / SHAPE, CUSTOMERS)
    later = rng.poisson(rates * (days - came))
    who = np.concatenate([np.arange(CUSTOMERS), np.repeat(np.arange(CUSTOMERS), later)])
    moments = np.concatenate([came, rng.uniform(np.repeat(came, later), days)])
    orders = pl.LazyFrame({"who": who, "after": moments, "amount": np.round(baskets[who], 2)}).select(
        "amount",
        customer_id=pl.format("c{}", "who"),
        ordered_at=pl.lit(SINCE).cast(pl.Datetime("us"))
        + pl.duration(microseconds=(pl.col("after") * 86_400e6).cast(pl.Int64)),
    )
    until = SINCE + timedelta(days=days)
    return Shop(name="S", currency="EUR", since=SINCE, until=until, opening=True, orders=orders)


@pytest.fixture(scope="module", params=[0, 3, 5, 6])
def censored(request):
    """An age, and the cells of 300 shops in which it is the last one."""
    age = request.param
    rng = np.random.Generator(np.random.PCG64(20240601))
    days = 30 * (age + 1) + HALF
    found = pl.concat(cohort_table(censored_shop(rng, days), ages=age + 1) for _ in range(SHOPS))
    return age, found.filter(measure="cumulative_revenue", age=age)


def test_the_interval_so_far_holds_the_truth_as_often_as_it_says_and_is_as_wide_as_the_shops_differ(censored):
    age, cells = censored
    held = ((cells["low"] <= truth(age)) & (cells["high"] >= truth(age))).sum() / SHOPS
    # Four standard errors of 95 % among 300.
    assert abs(held - 0.95) < 4 * math.sqrt(0.95 * 0.05 / SHOPS)
    # Censored, or it would be the t interval of a plain mean that is tried.
    assert cells["at_risk"].mean() < 0.8 * CUSTOMERS
    implied = ((cells["high"] - cells["low"]) / 2).mean() / 1.98
    # The deviation of 300 values is known to 1 / sqrt(600), so four errors are 16 %.
    assert implied == pytest.approx(cells["value"].std(), rel=0.16)


def test_the_value_so_far_is_not_biased_by_who_was_observed_for_how_long(censored):
    age, cells = censored
    values = cells["value"].to_numpy()
    assert abs(values.mean() - truth(age)) < 4 * values.std(ddof=1) / math.sqrt(SHOPS)
