"""A model says what customers then really spend; a product of averages says something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from cxsim.data.shop import Shop
from cxsim.errors import DataError, EstimationError
from cxsim.study.business.naive import CLV_STEPS, predictive_clv
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers
from cxsim.study.sources import shop_tables
from cxsim.tables import check

CUSTOMERS = 3_600
CUT = datetime.fromisoformat("1999-07-01")
MARGIN, RATE = 0.4, 0.1


@pytest.fixture(scope="module")
def world():
    """Two years in which 3,600 customers come in the first, as a shop sees it."""
    scenario = replace(
        load_scenario("cdnow-quick"),
        orders="cdnow-sample",
        existing_customers="none",
        dropout="mbgnbd",
        draws=2,
        seed=5,
        new_customers=NewCustomers(per_month=300, months=12),
        horizon_months=24,
    )
    return shop_tables(scenario).shop(scenario)


@pytest.fixture(scope="module")
def early(world):
    return replace(world, until=CUT, orders=world.orders.filter(pl.col("ordered_at") < CUT))


@pytest.fixture(scope="module")
def steps(early):
    return predictive_clv(early, annual_discount_rate=RATE, margin=MARGIN)


def lines(*rows):
    schema = {"order_id": pl.String, "customer_id": pl.String, "ordered_at": pl.Datetime("us"), "amount": pl.Float64}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def value(steps, step):
    return steps.filter(step=step)["value"].item()


def test_the_model_expects_what_the_customers_then_really_spend(world, steps):
    days = (pl.col("ordered_at") - CUT).dt.total_seconds() / 86_400
    later = world.orders.filter(pl.col("ordered_at") >= CUT, pl.col("ordered_at") < CUT + timedelta(days=365))
    today = later.select((pl.col("amount") * (1.0 + RATE) ** (-days / 365.25)).sum()).collect().item()
    truth = MARGIN * today / CUSTOMERS
    model, low, high = steps.filter(step="model").select("value", "low", "high").row(0)
    # The 90 % interval holds parameters and chance: its half width is 1.645 standard errors.
    error = (high - low) / (2 * 1.645)
    z = (model - truth) / error
    assert abs(z) < 4.0, (z, model, truth)
    # The product of averages is revenue, and yet less than 0.6 of what is left after costs.
    product = value(steps, "product of averages")
    assert abs(product - truth) > 8.0 * error
    assert product / low < 0.6


def test_the_averages_are_those_of_the_orders(early, steps):
    orders = early.orders.collect()
    spans = orders.group_by("customer_id").agg(days=(pl.col("ordered_at").max() - pl.col("ordered_at").min()))
    assert spans.height == CUSTOMERS
    per_year = orders.height / CUSTOMERS / (365 / 365.25)
    years = spans["days"].dt.total_seconds().mean() / 86_400 / 365.25
    product = value(steps, "product of averages")
    assert product == pytest.approx(orders["amount"].mean() * per_year * years, rel=1e-9)
    # Loyal customers spend more, which a product of averages does not know.
    assert value(steps, "mean of products") > 2.0 * product


def test_the_steps_lead_from_one_to_the_other(steps):
    assert check(steps, CLV_STEPS)["step"].to_list() == [
        "product of averages", "mean of products", "after costs", "model",
    ]  # fmt: skip
    assert value(steps, "after costs") == value(steps, "mean of products") * MARGIN
    assert "orders a year, times" in steps["why"][0]
    assert steps["why"][2] == "Revenue times a margin of 40\N{NO-BREAK SPACE}%."


def test_customers_who_ordered_before_are_left_out(early, steps):
    # A customer with a first order of number 3 is an old one.
    old = early.orders.head(1).with_columns(customer_id=pl.lit("old"), order_number=pl.lit(3, dtype=pl.Int64))
    shop = replace(early, orders=pl.concat([early.orders, old]))
    again = predictive_clv(shop, annual_discount_rate=RATE, margin=MARGIN)
    assert value(again, "model") == value(steps, "model")


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
    with pytest.raises(DataError, match=r"Tiny: the export names nobody\. Customer value needs orders by customer\."):
        predictive_clv(shop, annual_discount_rate=RATE, margin=MARGIN)
    nameless = replace(shop, lacks={})
    with pytest.raises(
        DataError, match="no orders of customers whose first order is in the data; 0 customers are older"
    ):
        predictive_clv(nameless, annual_discount_rate=RATE, margin=MARGIN)


@pytest.mark.parametrize(
    ("margin", "error", "words"),
    [
        (0.0, DataError, "margin must be above 0"),
        (-0.1, EstimationError, "margin must be a share"),
        (1.1, EstimationError, "margin must be a share"),
    ],
)
def test_a_margin_that_leaves_nothing_or_is_no_share_is_refused(early, margin, error, words):
    with pytest.raises(error, match=words):
        predictive_clv(early, annual_discount_rate=RATE, margin=margin)
