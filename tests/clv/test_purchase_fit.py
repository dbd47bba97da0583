"""What a fit answers, for every model: its formulas customer by customer, and simulation straight from definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.fit import fit
from cxsim.clv.inputs import arrays, purchase_patterns
from cxsim.clv.likelihood import KINDS
from cxsim.clv.models import bgnbd, pareto_nbd
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import population_mean
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import Outlook
from cxsim.clv.optimum import maximise, purchase_problem
from tests.clv.shops import STAGES, ahead

MODELS = ["bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"]
RATE = 0.1
DAILY = math.log1p(RATE) / 365.25


@pytest.fixture(scope="module")
def by_model(sample):
    return {model: fit(sample, model=model, k=STAGES.get(model)) for model in MODELS}


@pytest.fixture(scope="module")
def shuffled(sample):
    return sample.sample(fraction=1.0, shuffle=True, seed=3)


@pytest.fixture(scope="module")
def past(shuffled):
    return tuple(shuffled[name].to_numpy().astype(float) for name in ("frequency", "recency_days", "age_days"))


def by_phase(params, past, what):
    """Return the mean of what comes over the phases that customers may be in, one customer at a time."""
    model = ahead(pareto_nbd if isinstance(params, ParetoNbdParams) else bgnbd)
    now = model.phase_probs(params, *past)
    assert now.shape == (past[0].size, params.k)
    return sum(now[:, j] * what(model)[:, j] for j in range(params.k))


@pytest.mark.parametrize("model", MODELS)
def test_each_customer_is_answered_by_the_formulas_of_the_model_whatever_the_order_of_rows(
    by_model, shuffled, past, model
):
    fitted, params = by_model[model], by_model[model].params
    x, _, age = past
    expected = {
        "alive": by_phase(params, past, lambda m: m.survival_ahead(params, x, age, time=0.0)),
        "alive later": by_phase(params, past, lambda m: m.survival_ahead(params, x, age, time=90.0)),
        "orders": by_phase(params, past, lambda m: m.orders_ahead(params, x, age, time=273.0)),
    }
    found = {
        "alive": fitted.prob_alive(shuffled),
        "alive later": fitted.prob_alive(shuffled, 90),
        "orders": fitted.expected_purchases(shuffled, 273),
    }
    for name, table in found.items():
        assert table["customer_id"].equals(shuffled["customer_id"])
        # The same formulas, at distinct pasts and at all of them; sums of k terms.
        assert_allclose(table.to_series(1), expected[name], rtol=1e-13, err_msg=name)
    new = fitted.expected_purchases_new([0, 30, 365])
    assert_allclose(new["expected_purchases"], Outlook(params).expected_purchases([0.0, 30.0, 365.0]), rtol=1e-15)


@pytest.mark.parametrize("model", MODELS)
def test_value_is_discounted_orders_of_the_formulas_times_expected_spend(by_model, spend, shuffled, past, model):
    fitted, params = by_model[model], by_model[model].params
    shuffled, past = shuffled[::10], tuple(numbers[::10] for numbers in past)
    x, _, age = past
    for horizon in (365.0, math.inf):
        found = fitted.clv(shuffled, spend, annual_discount_rate=RATE, horizon_days=horizon, margin=0.4)
        orders = by_phase(
            params,
            past,
            lambda m, horizon=horizon: m.discounted_orders_ahead(params, x, age, rate=DAILY, horizon=horizon),
        )
        assert_allclose(found["discounted_orders"], orders, rtol=1e-13)
        each = spend.expected_spend(shuffled)["expected_spend"]
        assert_allclose(found["contribution"], 0.4 * orders * each.to_numpy(), rtol=1e-13)
        assert_allclose(found["revenue"], orders * each.to_numpy(), rtol=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_the_distribution_of_orders_sums_to_one_and_has_the_expected_mean(by_model, sample, model):
    fitted, some = by_model[model], sample.filter(pl.col("customer_id") % 101 == 0)
    found = fitted.purchase_distribution(some, days=180, from_days=60, most=400)
    by_customer = found.group_by("customer_id", maintain_order=True).agg(
        total=pl.col("probability").sum(), mean=(pl.col("probability") * pl.col("orders")).sum()
    )
    assert by_customer["customer_id"].equals(some["customer_id"])
    # 401 chances, each to 1e-12 or so.
    assert_allclose(by_customer["total"], 1.0, rtol=1e-10)
    assert found["probability"].min() >= 0.0
    later, sooner = (fitted.expected_purchases(some, days)["expected_purchases"] for days in (180, 60))
    # A difference of two expectations that are known to 1e-11 and up to ten times as large.
    assert_allclose(by_customer["mean"], later - sooner, rtol=1e-8)
    new = fitted.purchase_distribution(days=180, from_days=60, most=400)
    mean = (new["probability"] * new["orders"]).sum()
    assert_allclose(mean, np.diff(fitted.expected_purchases_new([60, 180])["expected_purchases"])[0], rtol=1e-8)


def test_the_last_row_holds_the_chance_of_so_many_orders_or_more(by_model, sample):
    few, many = (by_model["mbgcnbd"].purchase_distribution(sample[:5], days=365, most=most) for most in (2, 300))
    exact = many.filter(pl.col("orders") < 2)["probability"]
    assert_allclose(few.filter(pl.col("orders") < 2)["probability"], exact, rtol=1e-13)
    tail = (
        many.filter(pl.col("orders") >= 2).group_by("customer_id", maintain_order=True).agg(pl.col("probability").sum())
    )
    assert_allclose(few.filter(pl.col("orders") == 2)["probability"], tail["probability"], atol=1e-12)


def test_orders_of_a_new_customer_in_the_second_39_weeks_are_as_simulated(purchases):
    weekly = BetaGeometricParams(r=0.243, alpha=7 * 4.414, a=0.793, b=2.426)
    found = replace(purchases, params=weekly).purchase_distribution(days=7 * 78, from_days=7 * 39, most=4)
    # Two million customers, simulated once: 0.7544, 0.1216, 0.0249 of none, one and three orders, each +-0.0004.
    chances = found["probability"].gather([0, 1, 3])
    assert_allclose(chances, [0.7544, 0.1216, 0.0249], atol=4e-4)


@pytest.mark.parametrize("model", MODELS)
def test_the_next_order_comes_when_it_does_in_a_simulation(by_model, model):
    fitted, customers = by_model[model], 40_000
    past = {"frequency": [4], "recency_days": [150], "age_days": [200], "monetary_value": [9.0]}
    one = pl.DataFrame({"customer_id": ["ann"], **past})
    found = fitted.days_to_next_purchase(one, (0.1, 0.5, 0.9)).row(0, named=True)
    wait = simulated_wait(fitted.params, 4, 150, 200, customers)
    comes = np.isfinite(wait)
    none = found["prob_none"]
    assert abs(1.0 - comes.mean() - none) < 4.0 * math.sqrt(none * (1.0 - none) / customers)
    for level in (0.1, 0.5, 0.9):
        within = (wait[comes] <= found[f"days_p{100 * level:g}"]).mean()
        assert abs(within - level) < 4.0 * math.sqrt(level * (1.0 - level) / comes.sum())


def simulated_wait(params, orders, last, age, customers):
    """Return days until the next order of customers with this past; infinite where none comes.

    Everyone is simulated on from the last order, and those of whom the next order was not seen by then are kept.
    """
    generator, tried = np.random.default_rng(11), 20 * customers
    # Of stages, of which each gap has k.
    rate = generator.gamma(params.r + params.k * orders, size=tried) / (params.alpha + last)
    gap = generator.gamma(params.k, size=tried) / rate
    if isinstance(params, ParetoNbdParams):
        leaving = generator.gamma(params.s, size=tried) / (params.beta + last)
        stays = generator.exponential(size=tried) / leaving > gap
    else:
        stayed = orders - 1 + params.leaves_after_first
        stays = generator.random(tried) > generator.beta(params.a, params.b + stayed, size=tried)
    wait = np.where(stays, gap - (age - last), np.inf)
    assert (wait > 0.0).sum() >= customers
    return wait[wait > 0.0][:customers]


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd", "bgcnbd", "mbgcnbd"])
def test_who_is_alive_orders_again_where_leaving_follows_orders(by_model, sample, model):
    none = by_model[model].days_to_next_purchase(sample)["prob_none"]
    assert_allclose(none, 1.0 - by_model[model].prob_alive(sample)["prob_alive"], atol=1e-12)


def test_who_is_alive_may_leave_before_the_next_order_where_leaving_is_on_the_calendar(by_model, sample):
    none = by_model["paretonbd"].days_to_next_purchase(sample)["prob_none"]
    assert (none > 1.0 - by_model["paretonbd"].prob_alive(sample)["prob_alive"]).all()


def in_weeks(params):
    if isinstance(params, ParetoNbdParams):
        return replace(params, alpha=params.alpha / 7, beta=params.beta / 7)
    return replace(params, alpha=params.alpha / 7)


@pytest.mark.parametrize("horizon", [30.0, 365.25, 3652.5, math.inf])
@pytest.mark.parametrize("model", MODELS)
def test_discounted_orders_are_the_same_in_days_and_in_weeks(by_model, past, model, horizon):
    params, (x, last, age) = by_model[model].params, (numbers[::10] for numbers in past)
    days = Outlook(params, x, last, age).discounted_purchases(rate=DAILY, horizon=horizon)
    weeks = Outlook(in_weeks(params), x, last / 7, age / 7).discounted_purchases(rate=7 * DAILY, horizon=horizon / 7)
    assert_allclose(weeks, days, rtol=1e-9)
    new = [
        Outlook(params).discounted_purchases(rate=DAILY, horizon=horizon),
        Outlook(in_weeks(params)).discounted_purchases(rate=7 * DAILY, horizon=horizon / 7),
    ]
    assert new[1] == pytest.approx(new[0], rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_a_fit_in_weeks_gives_the_same_value(by_model, spend, sample, model):
    kind, k, days = KINDS[model], by_model[model].params.k, purchase_patterns(sample)
    weekly = days.with_columns(pl.col("recency_days", "age_days") / 7)
    problem = purchase_problem(kind, k, weekly)
    optimum = np.exp(maximise(problem.log_likelihood, problem.starts, problem.centre).log_params)
    # Ten digits of the estimates are kept in a fit.
    found = in_weeks(by_model[model].params)
    assert_allclose([getattr(found, name) for name in kind.names], optimum, 1e-9)
    *past, weight = arrays(weekly)
    weeks = Outlook(kind.params(optimum, k), *past).discounted_purchases(rate=7 * DAILY)
    each = population_mean(spend.params)
    customers = days.select(pl.all().exclude("weight").cast(pl.Int64), monetary_value=pl.lit(None, pl.Float64))
    in_days = by_model[model].clv(
        customers.with_row_index("customer_id").cast({"customer_id": pl.Int64}), spend, annual_discount_rate=RATE
    )
    # The tenth digit of the estimates enters the value of customers who have long left, some cents, with high powers.
    assert_allclose(each * weeks, in_days["revenue"], rtol=1e-9, atol=1e-9)
    assert_allclose(weight @ (each * weeks), weight @ in_days["revenue"].to_numpy(), rtol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_value_of_an_ever_longer_horizon_comes_to_value_for_ever(by_model, spend, sample, model):
    some, fitted = sample[::50], by_model[model]
    for_ever = fitted.clv(some, spend, annual_discount_rate=RATE)["revenue"]
    gaps = []
    for years in (10, 50, 100, 400):
        found = fitted.clv(some, spend, annual_discount_rate=RATE, horizon_days=365.25 * years)["revenue"]
        assert (found <= for_ever * (1.0 + 1e-9)).all()
        gaps.append(float((1.0 - found / for_ever).max()))
    assert gaps == sorted(gaps, reverse=True)
    # Streams of orders never grow, so what comes after n years is at most 1.1 ** -n of them; 1.1 ** -400 is 3e-17.
    assert all(gap <= 1.1**-years + 1e-9 for gap, years in zip(gaps, (10, 50, 100, 400), strict=True))


@pytest.mark.parametrize("model", MODELS)
def test_a_new_customer_brings_the_first_order_and_the_discounted_later_ones_less_the_cost(by_model, spend, model):
    params = by_model[model].params
    for horizon in (365.0, math.inf):
        found = by_model[model].clv_new(
            spend, annual_discount_rate=RATE, horizon_days=horizon, margin=0.3, acquisition_cost=4.0
        )
        later = Outlook(params).discounted_purchases(rate=DAILY, horizon=horizon)
        mean = population_mean(spend.params)
        expected = [1.0, later, mean, (1 + later) * mean, 0.3 * (1 + later) * mean, 4.0]
        assert_allclose(found.row(0), [*expected, 0.3 * (1 + later) * mean - 4.0], rtol=1e-14)
