"""Hidden rates drawn given the past have the distributions of the models; all within four standard errors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import integrate, stats

from cxsim.errors import EstimationError
from cxsim.estimation.predictive import draw_customers, draw_new_customers
from cxsim.models import BetaGeometricParams, ParetoNbdParams, gamma_gamma, purchases
from cxsim.models.purchases import model_of

PAST = (2, 90, 272)
N = 40_000


def test_customers_are_alive_and_in_a_phase_with_the_probabilities_of_the_models(assert_agrees, model, twins):
    drawn = draw_customers(twins(N, *PAST), model, seed=1)
    phases = model_of(model).phase_probs(model, *PAST)
    for phase, expected in enumerate(phases):
        assert_agrees(drawn["phase"].eq_missing(phase).cast(pl.Float64), expected)
    assert_agrees(drawn["alive"].cast(pl.Float64), phases.sum())
    assert drawn.filter(pl.col("alive") != pl.col("phase").is_not_null()).is_empty()


def test_rates_and_chances_of_the_living_are_gamma_and_beta_distributed(models, twins):
    x, _, age = PAST
    for name in ("BG/NBD", "MBG/NBD"):
        model = models[name]
        drawn = draw_customers(twins(N, *PAST), model, seed=2).filter("alive")
        rates = stats.gamma(model.r + x, scale=1.0 / (model.alpha + age))
        chances = stats.beta(model.a, model.b + x + model.leaves_after_first)
        # Kolmogorov and Smirnov's test; 1e-4 is about four standard errors.
        assert stats.kstest(drawn["purchase_rate"], rates.cdf).pvalue > 1e-4
        assert stats.kstest(drawn["dropout_prob"], chances.cdf).pvalue > 1e-4


def test_those_who_left_at_their_last_order_have_the_rates_that_they_had_then(models, twins):
    x, last, _ = PAST
    model = models["MBG/CNBD-2"]
    drawn = draw_customers(twins(N, *PAST), model, seed=3).filter(~pl.col("alive"))
    stages = stats.gamma(model.r + 2 * x, scale=1.0 / (model.alpha + last))
    assert stats.kstest(2 * drawn["purchase_rate"], stages.cdf).pvalue > 1e-4
    assert stats.kstest(drawn["dropout_prob"], stats.beta(model.a + 1.0, model.b + x).cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("params", "past"),
    [
        (ParetoNbdParams(r=0.55, alpha=74.0, s=0.61, beta=82.0), PAST),
        (ParetoNbdParams(r=0.55, alpha=7.0, s=0.61, beta=820.0), (0, 0, 272)),
        (ParetoNbdParams(r=0.3, alpha=5.0, s=3.0, beta=2000.0), (0, 0, 272)),
        (ParetoNbdParams(r=2.0, alpha=900.0, s=0.4, beta=6.0), (9, 90, 272)),
        (ParetoNbdParams(r=2.0, alpha=50.0, s=0.4, beta=50.0), (30, 250, 272)),
    ],
    ids=["CDNOW", "mode inside", "mode at the end", "late leavers", "equal scales"],
)
def test_rates_under_pareto_nbd_have_the_means_of_the_model(assert_agrees, params, past, twins):
    """Schmittlein, Morrison & Colombo (1987): given the moment of leaving both rates are Gamma distributed."""
    x, last, age = past
    drawn = draw_customers(twins(N, *past), params, seed=4)
    living, left = drawn.filter("alive"), drawn.filter(~pl.col("alive"))
    shape, s = params.r + x, params.s

    def mean(of):
        def weight(t):
            return (params.alpha + t) ** -shape * (params.beta + t) ** -(s + 1.0)

        scale = weight(last)
        over = integrate.quad(lambda t: weight(t) / scale * of(t), last, age, limit=200)[0]
        return over / integrate.quad(lambda t: weight(t) / scale, last, age, limit=200)[0]

    assert_agrees(living["purchase_rate"], shape / (params.alpha + age))
    assert_agrees(living["dropout_rate"], s / (params.beta + age))
    assert_agrees(left["purchase_rate"], mean(lambda t: shape / (params.alpha + t)))
    assert_agrees(left["dropout_rate"], mean(lambda t: (s + 1.0) / (params.beta + t)))


def test_mean_spend_has_the_expectation_of_the_model(assert_agrees, models, spend, twins):
    drawn = draw_customers(twins(N, *PAST, 22.35), models["BG/NBD"], spend, seed=5)
    assert_agrees(drawn["mean_spend"], float(gamma_gamma.expected_spend(spend, 2, 22.35)))
    unknown = draw_customers(twins(N, *PAST), models["BG/NBD"], spend, seed=5)
    assert_agrees(unknown["mean_spend"], gamma_gamma.population_mean(spend))


def test_new_customers_are_those_right_after_their_first_order(assert_agrees, model, spend):
    drawn = draw_new_customers(N, model, spend, seed=6)
    assert_agrees(drawn["purchase_rate"], model.r / model.alpha / model.k)
    assert drawn["phase"].drop_nulls().max() == 0
    assert drawn["customer"].to_list() == list(range(N))
    if getattr(model, "leaves_after_first", False):
        assert_agrees(drawn["alive"].cast(pl.Float64), model.b / (model.a + model.b))
        assert_agrees(drawn["dropout_prob"], model.a / (model.a + model.b))
    else:
        assert drawn["alive"].all()
    assert_agrees(drawn["mean_spend"], gamma_gamma.population_mean(spend))


def test_drawn_rates_make_the_orders_that_are_expected(assert_agrees, models, twins):
    """Orders of living customers under their own rate and chance: sum over m of (1 - p)^m P(more than m orders)."""
    model, days = models["BG/NBD"], 120
    drawn = draw_customers(twins(4000, *PAST), model, seed=7)
    rate, chance = drawn["purchase_rate"].to_numpy(), drawn["dropout_prob"].to_numpy()
    # With chance p after each order of a Poisson process: (1 - exp(-p rate t)) / p.
    orders = np.where(drawn["alive"], -np.expm1(-chance * rate * days) / chance, 0.0)
    assert_agrees(orders, float(purchases.expected_purchases(model, *PAST, time=days)))


def test_luck_hangs_on_the_customer_and_the_draw_alone(model, twins):
    shop = twins(50, *PAST)
    whole, part = draw_customers(shop, model, seed=8), draw_customers(shop[10:20].reverse(), model, seed=8)
    assert_frame_equal(whole[10:20], part.reverse(), check_exact=True)
    assert (draw_customers(shop, model, seed=8, draw=1)["purchase_rate"] != whole["purchase_rate"]).all()
    few, many = draw_new_customers(5, model), draw_new_customers(50, model)
    assert_frame_equal(few, many.head(5), check_exact=True)


def test_extreme_parameters_and_pasts_give_finite_rates(twins):
    shop = pl.concat(
        [twins(50, 3, 60, 100), twins(50, 0, 0, 100), twins(50, 9, 100, 100), twins(50, 1_000_000, 900, 1000)]
    )
    shop = shop.with_columns(customer_id=pl.int_range(pl.len()))
    for small, large in ((1e-3, 1e6), (1e6, 1e-3), (1e-3, 1e-3), (1e6, 1e6)):
        tables = [
            draw_customers(shop, ParetoNbdParams(r=small, alpha=large, s=large, beta=small)),
            draw_customers(shop, ParetoNbdParams(r=small, alpha=large, s=small, beta=large)),
            draw_customers(shop, BetaGeometricParams(r=small, alpha=large, a=small, b=large, k=60)),
        ]
        for table in tables:
            rates = table.select("purchase_rate", pl.col("^dropout.*$")).to_numpy()
            assert np.isfinite(rates).all()
            assert (rates >= 0.0).all()


def test_impossible_requests_are_refused(models, twins):
    with pytest.raises(EstimationError, match="number of new customers must be whole and not negative; found -1"):
        draw_new_customers(-1, models["BG/NBD"])
    with pytest.raises(EstimationError, match="number of the draw must be whole and not negative; found -2"):
        draw_customers(twins(2, *PAST), models["BG/NBD"], draw=-2)
    with pytest.raises(EstimationError, match="the seed must be from 0 to 9223372036854775807; found -3"):
        draw_customers(twins(2, *PAST), models["BG/NBD"], seed=-3)


def test_nobody_gives_an_empty_table(models, spend, twins):
    drawn = draw_customers(twins(0, *PAST), models["Pareto/NBD"], spend)
    assert drawn.is_empty()
    assert drawn.columns == ["customer_id", "alive", "purchase_rate", "dropout_rate", "phase", "mean_spend"]
