"""A model says what customers then really spend; a product of averages says something else."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError
from cxsim.study.loading import load_scenario
from cxsim.study.predictive_clv import CLV_STEPS, predictive_clv
from cxsim.study.scenario import NewCustomers
from cxsim.study.shop_tables import shop_tables
from cxsim.tables import check

CUT = datetime.fromisoformat("1999-07-01")
MARGIN, RATE = 0.4, 0.1


@pytest.fixture(scope="module")
def world():
    """Two years in which 6,000 customers come in the first, as a shop sees it."""
    scenario = dataclasses.replace(
        load_scenario("cdnow-quick"),
        orders="cdnow-sample",
        existing_customers="none",
        dropout="mbgnbd",
        draws=2,
        seed=5,
        new_customers=NewCustomers(per_month=500, months=12),
        horizon_months=24,
    )
    return shop_tables(scenario).shop(scenario)


@pytest.fixture(scope="module")
def early(world):
    return dataclasses.replace(world, until=CUT, orders=world.orders.filter(pl.col("ordered_at") < CUT))


@pytest.fixture(scope="module")
def found(early):
    return predictive_clv(early, annual_discount_rate=RATE, margin=MARGIN)


def test_the_model_says_what_the_customers_then_really_spend(world, found):
    days = (pl.col("ordered_at") - CUT).dt.total_seconds() / 86_400
    later = world.orders.filter(pl.col("ordered_at") >= CUT, pl.col("ordered_at") < CUT + timedelta(days=365))
    today = later.select((pl.col("amount") * (1.0 + RATE) ** (-days / 365.25)).sum()).collect().item()
    truth = MARGIN * today / found.customers
    # The 90 % interval holds parameters and luck: its half width is 1.645 standard errors.
    error = (found.high - found.low) / (2 * 1.645)
    z = (found.model - truth) / error
    assert abs(z) < 4.0, (z, found.model, truth)
    # The product of averages is revenue, and yet less than half of what is left after costs.
    assert abs(found.product - truth) > 8.0 * error
    assert found.ratio == found.product / found.model
    low, high = found.ratio_interval
    assert low < found.ratio < high < 0.6


def lines(*rows):
    schema = {"order_id": pl.String, "customer_id": pl.String, "ordered_at": pl.Datetime("us"), "amount": pl.Float64}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def test_the_averages_are_those_of_the_orders(early, found):
    orders = early.orders.collect()
    years = 365 / 365.25
    spans = orders.group_by("customer_id").agg(days=(pl.col("ordered_at").max() - pl.col("ordered_at").min()))
    assert found.customers == orders["customer_id"].n_unique() == 6_000
    assert found.purchase_value == pytest.approx(orders["amount"].mean(), rel=1e-9)
    assert found.purchases_per_year == pytest.approx(orders.height / 6_000 / years, rel=1e-12)
    mean_days = spans["days"].dt.total_seconds().mean() / 86_400
    assert found.lifespan_years == pytest.approx(mean_days / 365.25, rel=1e-9)
    assert found.product == found.purchase_value * found.purchases_per_year * found.lifespan_years


def test_a_product_of_averages_is_less_than_the_mean_of_products_where_loyal_customers_spend_more(found):
    assert found.mean_of_products > 2.0 * found.product


def test_the_steps_lead_from_one_to_the_other(found):
    steps = check(found.steps, CLV_STEPS)
    assert steps["step"].to_list() == ["product of averages", "mean of products", "after costs", "model"]
    expected = [found.product, found.mean_of_products, found.mean_of_products * MARGIN, found.model]
    assert steps["value"].to_list() == expected
    assert steps.select("low", "high").row(3) == (found.low, found.high)
    assert "orders a year, times" in steps["why"][0]
    assert steps["why"][2] == "A margin of 40 % is left; revenue is not value.".replace("40 %", "40\N{NO-BREAK SPACE}%")


def test_customers_who_ordered_before_are_left_out_and_counted(early, found):
    # A customer with a first order of number 3 is an old one.
    old = early.orders.head(1).with_columns(customer_id=pl.lit("old"), order_number=pl.lit(3, dtype=pl.Int64))
    shop = dataclasses.replace(early, orders=pl.concat([early.orders, old]))
    again = predictive_clv(shop, annual_discount_rate=RATE, margin=MARGIN)
    assert (again.unseen, found.unseen) == (1, 0)
    assert again.model == found.model


def test_a_shop_without_customers_is_refused():
    since = datetime.fromisoformat("2024-01-01")
    shop = Shop(
        name="Tiny",
        currency="EUR",
        since=since,
        until=since + timedelta(days=90),
        orders=lines(("o1", None, since, 10.0)),
        lacks={"orders.customer_id": "the export names nobody."},
    )
    with pytest.raises(
        DataError, match=r"Tiny: the export names nobody\. A customer's worth needs orders by customer\."
    ):
        predictive_clv(shop, annual_discount_rate=RATE, margin=MARGIN)
    nameless = dataclasses.replace(shop, lacks={})
    with pytest.raises(DataError, match="no order of a customer whose first order was seen; 0 customers are older"):
        predictive_clv(nameless, annual_discount_rate=RATE, margin=MARGIN)


def test_a_margin_of_nothing_is_refused(early):
    with pytest.raises(DataError, match="margin must be above 0"):
        predictive_clv(early, annual_discount_rate=RATE, margin=0.0)


@pytest.mark.parametrize("margin", [-0.1, 1.1])
def test_a_margin_that_is_no_share_is_refused(early, margin):
    with pytest.raises(EstimationError, match="margin must be a share"):
        predictive_clv(early, annual_discount_rate=RATE, margin=margin)
