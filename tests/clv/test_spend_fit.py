"""Shops in which every order costs the same: spend is that price, exactly, wherever a model of spend is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cxsim.clv.customer_value import ValuationTerms, customer_values, parameter_draws
from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend, load_fit, save_fit
from cxsim.clv.forecast import predict
from cxsim.clv.posterior import posterior
from cxsim.clv.spend_fit import GammaGammaFit, OnePriceFit
from cxsim.errors import EstimationError, ParamError
from tests.clv.shops import SHOPS, simulated

PRICE = 9.9


def paying(rfm, amount):
    """Return the customers, whose repeat orders cost this on average."""
    return rfm.with_columns(monetary_value=pl.when(pl.col("frequency") > 0).then(amount))


@pytest.fixture(scope="module")
def subscribers():
    return paying(simulated(SHOPS["mbgnbd"], 300, seed=3), pl.lit(PRICE))


@pytest.fixture(scope="module")
def orders(subscribers):
    return fit(subscribers, model="mbgnbd")


@pytest.fixture(scope="module")
def price(subscribers):
    return fit_spend(subscribers)


def test_where_every_repeat_order_costs_the_same_spend_is_that_price_for_everyone(subscribers, price):
    assert isinstance(price, OnePriceFit)
    assert price.expected_spend(subscribers)["expected_spend"].unique().to_list() == [PRICE]
    assert price.estimates().rows() == [("price", PRICE, 0.0)]
    assert price.conf_int().rows() == [("price", PRICE, PRICE)]
    repeaters = subscribers.filter(pl.col("frequency") > 0).height
    assert (price.n_customers, price.n_left_out) == (repeaters, subscribers.height - repeaters)


def test_what_is_written_of_a_price_names_it_and_claims_no_likelihood_method(price):
    assert repr(price) == f"OnePriceFit(one price: price=9.9; {price.n_customers} customers)"
    assert price.facts()["Method"] == "Read off the orders"
    assert "price" in str(price.summary())


def test_a_price_is_found_behind_the_rounding_of_means(subscribers):
    # Sums of 9.9 in doubles, divided by their number, are 9.9 but for the last digits.
    counts = subscribers["frequency"].to_list()
    means = [sum([PRICE] * count) / count if count else None for count in counts]
    assert len({mean for mean in means if mean}) > 1
    found = fit_spend(subscribers.with_columns(monetary_value=pl.Series(means)))
    assert found.params.price == PRICE


def test_one_customer_who_pays_more_is_a_spread_and_gamma_gamma_is_fitted(subscribers):
    last = pl.col("customer_id") == subscribers.filter(pl.col("frequency") > 0)["customer_id"][-1]
    found = fit_spend(paying(subscribers, pl.when(last).then(PRICE + 0.5).otherwise(PRICE)))
    assert isinstance(found, GammaGammaFit)


def test_free_orders_do_not_hide_a_price_but_one_repeat_customer_does_not_make_one(subscribers):
    free = pl.col("customer_id") < 100
    found = fit_spend(paying(subscribers, pl.when(free).then(0.0).otherwise(PRICE)))
    assert found.params.price == PRICE
    assert found.n_left_out > fit_spend(subscribers).n_left_out
    few = subscribers.filter(pl.col("frequency") > 0)
    assert fit_spend(few.head(4)).params.price == PRICE
    with pytest.raises(EstimationError, match="found 3 customers with a repeat order and a positive monetary value"):
        fit_spend(few.head(3))


def test_a_price_is_written_to_a_file_and_read_back(price, tmp_path):
    save_fit(price, tmp_path / "price.json")
    assert load_fit(tmp_path / "price.json") == price


def test_a_price_is_above_nothing_and_has_no_covariance(price):
    with pytest.raises(ParamError, match="price"):
        replace(price.params, price=0.0)
    with pytest.raises(EstimationError, match="1 by 1 matrix of finite numbers"):
        replace(price, log_covariance=((-1.0,),))


def test_every_draw_of_a_price_is_the_price(subscribers, price):
    drawn = posterior(price, subscribers, draws=30)
    assert {drawn.params(number).price for number in range(30)} == {PRICE}
    assert drawn.reliable
    assert drawn.verdict == "The draws are all equal: the price is known."
    with pytest.raises(EstimationError, match=r"whose price was found, 9.9; these customers pay 5"):
        posterior(price, paying(subscribers, 5.0), draws=30)


def test_the_diagnosis_notes_the_price_and_asks_nothing_of_a_model_of_spend(subscribers, orders, price):
    of_spend = diagnose(subscribers, orders, price).table.join(
        diagnose(subscribers, orders).table, on="topic", how="anti"
    )
    assert of_spend.select("topic", "severity", "figure").rows() == [("one price", "note", PRICE)]
    assert f"Every repeat order cost 9.90 ({price.n_customers} customers)" in of_spend["sentence"][0]


def test_each_draw_brings_its_orders_times_the_price(subscribers, orders, price):
    drawn = parameter_draws(subscribers, orders, price, draws=40, seed=5)
    found = predict(subscribers, drawn.purchases, drawn.spends, days=365, seed=5).totals_by_draw
    # Thousands of amounts added up in parts of 2**-50: far below a cent.
    np.testing.assert_allclose(found["value"], PRICE * found["orders"].to_numpy(), rtol=1e-12)


def test_values_are_discounted_orders_times_price_times_margin(subscribers, orders, price):
    terms = ValuationTerms(margin=0.5, draws=40)
    values = customer_values(subscribers, orders, price, terms)
    ahead = orders.clv(subscribers, price, annual_discount_rate=0.1, horizon_days=365.0)
    np.testing.assert_allclose(values.table["value"], 0.5 * PRICE * ahead["discounted_orders"].to_numpy(), rtol=1e-12)
    assert values.outside == ()
    new = orders.clv_new(price, annual_discount_rate=0.1, horizon_days=365.0)
    assert new["expected_spend"].item() == PRICE
