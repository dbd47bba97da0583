"""The same customers have the same future whoever stands beside them and however the work is cut."""

from __future__ import annotations

import math

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cxsim.clv.forecast import Work, admitted_question, forecast_all, predict
from cxsim.clv.forecast_kernel import thetas
from cxsim.clv.models.gamma_gamma import GammaGammaParams


@pytest.fixture
def shop(world, models):
    rfm, _, _ = world(models["MBG/NBD"], 1500, age=500, ahead=1, seed=21)
    return rfm.with_columns(pl.format("C{}", "customer_id").alias("customer_id"))


def asked(rfm, model, spend, **options):
    return predict(rfm, [model] * 40, [spend] * 40, days=200, annual_discount_rate=0.1, **options)


def test_the_order_of_the_rows_changes_no_bit(model, spend, shop):
    mixed = shop.sample(fraction=1.0, shuffle=True, seed=1)
    here, there = asked(shop, model, spend), asked(mixed, model, spend)
    assert_frame_equal(here.totals_by_draw, there.totals_by_draw, check_exact=True)
    assert_frame_equal(here.totals, there.totals, check_exact=True)
    joined = shop.select("customer_id").join(there.customers, on="customer_id", maintain_order="left")
    assert_frame_equal(here.customers, joined, check_exact=True)


def test_other_customers_move_nobody(model, spend, shop):
    few = shop.filter(pl.col("frequency") > 1)
    alone = asked(few, model, spend).customers
    among = few.select("customer_id").join(asked(shop, model, spend).customers, on="customer_id", maintain_order="left")
    assert_frame_equal(alone, among, check_exact=True)


@pytest.mark.parametrize(("block_size", "threads"), [(1, 2), (7, 1), (1000, 3), (4096, 2)])
def test_neither_blocks_nor_threads_change_a_bit(models, spend, shop, block_size, threads):
    records, family = thetas([models["Pareto/NBD"]] * 40, [spend] * 40)
    question = admitted_question(days=200, annual_discount_rate=0.1, margin=0.3, level=0.9, draws=40, seed=3)
    work = Work(thetas=records, family=family, question=question, groups=1)
    customers = shop.head(300).with_columns(group=pl.lit(0, pl.Int64))
    expected, expected_counts = forecast_all(customers, work, threads=1)
    found, counts = forecast_all(customers, work, block_size=block_size, threads=threads)
    assert counts.tobytes() == expected_counts.tobytes()
    assert {name: column.tobytes() for name, column in found.items()} == {
        name: column.tobytes() for name, column in expected.items()
    }


def test_another_seed_is_other_luck_and_the_same_seed_the_same(models, spend, shop):
    here, again, other = (asked(shop, models["BG/NBD"], spend, seed=seed) for seed in (1, 1, 2))
    assert_frame_equal(here.customers, again.customers, check_exact=True)
    assert (here.totals_by_draw["orders"] != other.totals_by_draw["orders"]).any()


def test_looking_further_ahead_takes_no_order_away(model, twins):
    shop = twins(100, 2, 213, 272)
    near, far = (predict(shop, [model] * 40, days=days, by="customer_id").totals_by_draw for days in (90, 400))
    assert (near["orders"] <= far["orders"]).all()
    assert near["orders"].sum() < far["orders"].sum()


def test_a_discount_changes_what_orders_are_worth_and_no_order(model, spend, twins):
    shop = twins(100, 2, 213, 272, 30.0)
    now, later = (
        predict(shop, [model] * 40, [spend] * 40, days=400, annual_discount_rate=rate).customers for rate in (0.0, 0.2)
    )
    assert now["orders_mean"].to_list() == later["orders_mean"].to_list()
    assert (later["value_mean"] <= now["value_mean"]).all()
    assert (later["value_mean"] >= now["value_mean"] * 1.2 ** -(400 / 365.25)).all()


def test_groups_add_up_to_the_totals_and_stand_in_order(models, spend, shop):
    grouped = asked(shop, models["BG/NBD"], spend, by="frequency")
    whole = asked(shop, models["BG/NBD"], spend)
    added = grouped.totals_by_draw.group_by("draw").agg(pl.col("orders", "buyers", "value").sum()).sort("draw")
    assert_frame_equal(added, whole.totals_by_draw, rel_tol=1e-13)
    assert grouped.totals["frequency"].is_sorted()
    assert grouped.totals["quantity"].head(3).to_list() == ["orders", "buyers", "value"]
    assert_frame_equal(grouped.customers, whole.customers, check_exact=True)


def test_totals_are_the_sums_of_the_customers(models, spend, shop):
    found = asked(shop, models["BG/NBD"], spend)
    of_customers = [found.customers[name].sum() for name in ("orders_mean", "prob_order", "value_mean")]
    # Value to 2**-50 of the unit of money, per customer and draw.
    assert found.totals["mean"].to_list() == pytest.approx(of_customers, rel=1e-12)


@pytest.mark.parametrize("amount", [1e-6, 1e9])
def test_value_is_added_up_whatever_the_size_of_the_amounts(models, twins, amount):
    money = GammaGammaParams(p=6.25, q=3.74, v=amount / 2)
    found = predict(twins(200, 9, 200, 217, amount), [models["BG/NBD"]] * 40, [money] * 40, days=100)
    # A value of 1e-6 is held to 2**-50, a part in 1e9 of it.
    added = math.fsum(found.customers["value_mean"])
    assert found.totals.filter(quantity="value")["mean"].item() == pytest.approx(added, rel=1e-8)
