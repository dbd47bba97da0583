"""Each finding appears in a world that was made for it, says the right figure, and is silent in a healthy one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats
from scipy.special import gammaln

from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams, population_mean
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.wording import figure
from tests.clv.shops import SHOPS, SPEND, STAGES, simulated

ENDLESS = BetaGeometricParams(r=1.5, alpha=60.0, a=1e-7, b=1.0)
MILLION = 1e7


def world(params, *, customers=1500, seed=2, **options):
    return simulated(params, customers, seed=seed, **options)


def found(rfm, model, spend=None):
    """Return the findings about a fit to these customers, by topic, and the fit."""
    fitted = fit(rfm, model=model, k=STAGES.get(model))
    return {finding.topic: finding for finding in diagnose(rfm, fitted, spend).findings}, fitted


@pytest.fixture(scope="module")
def spenders():
    return world(SHOPS["mbgnbd"], seed=4, spend=SPEND)


@pytest.mark.parametrize("model", ["mbgnbd", "paretonbd", "mbgcnbd"])
def test_there_is_nothing_to_report_of_a_healthy_shop(model):
    rfm = world(SHOPS[model], customers=4000, seed=4, spend=SPEND)
    fitted = fit(rfm, model=model, k=STAGES.get(model))
    healthy = diagnose(rfm, fitted, fit_spend(rfm))
    assert healthy.findings == ()
    assert healthy.table.is_empty()
    assert repr(healthy) == "Diagnosis: no issues found."


def nbd_maximum(rfm):
    """Return the highest log-likelihood of a model in which nobody leaves: Poisson orders, Gamma distributed rates."""
    x, age = (rfm[name].cast(pl.Float64).to_numpy() for name in ("frequency", "age_days"))

    def loss(logs):
        r, alpha = np.exp(logs)
        return -(gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)).sum()

    return -optimize.minimize(loss, [0.0, 4.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-8}).fun


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd", "paretonbd"])
def test_where_nobody_leaves_dropout_is_not_identified(model):
    rfm = world(ENDLESS, seed=1)
    findings, fitted = found(rfm, model)
    dropout = findings["dropout"]
    assert dropout.severity == "stop"
    assert_allclose(dropout.figure, fitted.log_likelihood - nbd_maximum(rfm), atol=1e-5)
    less = "no lower" if dropout.figure <= 0.0 else f"only {dropout.figure:.2f} lower"
    assert f"NBD, a model without dropout, fits as well (log-likelihood {less})." in dropout.sentence
    assert f"Do not read P(alive) or {' and '.join(fitted.names[2:])};" in dropout.advice
    assert fitted.basis == "prior"
    assert "there appears to be no dropout; weak priors keep the estimates at" in findings["boundary"].sentence


@pytest.mark.parametrize("model", list(SHOPS))
def test_where_customers_leave_dropout_is_identified(model):
    findings, _ = found(world(SHOPS[model]), model)
    assert "dropout" not in findings
    assert "boundary" not in findings


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("mbgnbd", BetaGeometricParams(r=MILLION, alpha=40 * MILLION, a=0.8, b=2.5, leaves_after_first=True)),
        ("paretonbd", ParetoNbdParams(r=MILLION, alpha=40 * MILLION, s=0.8, beta=200.0)),
    ],
)
def test_where_all_order_at_one_rate_the_likelihood_has_no_maximum(model, params):
    findings, fitted = found(world(params), model)
    assert findings["boundary"].figure == len(fitted.loose) == 2
    assert fitted.loose == ("r", "alpha")
    values = f"r = {fitted.params.r:.3g}, alpha = {fitted.params.alpha:.3g}."
    assert findings["boundary"].sentence.endswith(
        f"have the same purchase rate; weak priors keep the estimates at {values}"
    )
    # What the data do tell is the rate: one order in forty days, to three standard errors of 5,000 orders.
    assert_allclose(fitted.params.alpha / fitted.params.r, 40.0, rtol=0.05)


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("mbgnbd", BetaGeometricParams(r=0.9, alpha=60.0, a=MILLION, b=3 * MILLION, leaves_after_first=True)),
        ("paretonbd", ParetoNbdParams(r=0.9, alpha=60.0, s=MILLION, beta=300 * MILLION)),
    ],
)
def test_where_all_leave_with_one_chance_its_spread_is_vague_and_tied(model, params):
    findings, fitted = found(world(params, seed=3), model)
    matrix = np.array(fitted.log_covariance)
    errors = np.sqrt(np.diag(matrix))
    third, fourth = fitted.names[2:]
    factor = np.exp(stats.norm.ppf(0.975) * errors.max())
    vague = findings[f"{fitted.title}: vague"]
    assert_allclose(vague.figure, factor, rtol=1e-3)  # 1.96 has three digits
    assert (
        f"{fitted.names[errors.argmax()]} is uncertain by a factor of {vague.figure:.3g} up or down" in vague.sentence
    )
    tied = findings[f"{fitted.title}: tied"]
    assert_allclose(tied.figure, matrix[2, 3] / errors[2] / errors[3], rtol=1e-12)
    assert f"identify {third} and {fourth} only jointly" in tied.sentence
    assert f"(correlation {figure(tied.figure, '.3f')})" in tied.sentence
    mean = (
        fitted.params.a / (fitted.params.a + fitted.params.b)
        if model == "mbgnbd"
        else fitted.params.s / fitted.params.beta
    )
    assert_allclose(mean, 0.25 if model == "mbgnbd" else 1 / 300, rtol=0.1)


def test_one_time_buyers_are_taken_for_alive_for_certain_under_bgnbd():
    rfm = world(SHOPS["mbgnbd"])
    findings, fitted = found(rfm, "bgnbd")
    once, other = rfm.filter(pl.col("frequency") == 0), fit(rfm, model="mbgnbd")
    one_time = findings["one-time buyers"]
    assert one_time.severity == "caution"
    assert one_time.figure == once.height / rfm.height
    assert fitted.prob_alive(once)["prob_alive"].to_list() == [1.0] * once.height
    gap, alive = other.log_likelihood - fitted.log_likelihood, other.prob_alive(once)["prob_alive"].mean()
    assert one_time.sentence == (
        f"{once.height} of 1,500 customers ({100 * once.height / 1500:.0f}\N{NO-BREAK SPACE}%) ordered once. BG/NBD "
        f"treats all of them as still active; MBG/NBD (log-likelihood {gap:.2f} higher) puts their mean probability of "
        f"being active at {100 * alive:.0f}\N{NO-BREAK SPACE}%."
    )


def test_regular_buyers_differ_from_chance():
    regular = BetaGeometricParams(r=1.2, alpha=20.0, a=0.8, b=2.5, k=3, leaves_after_first=True)
    rfm = world(regular, seed=3)
    findings, fitted = found(rfm, "mbgnbd")
    other = fit(rfm, model="mbgcnbd")
    assert other.params.k == 3
    assert findings["regularity"].figure == other.log_likelihood - fitted.log_likelihood
    assert (
        f"MBG/CNBD-3 raises the log-likelihood by {findings['regularity'].figure:,.1f}."
        in findings["regularity"].sentence
    )
    assert findings["regularity"].advice.startswith("Use model='mbgcnbd'")
    assert "regularity" not in found(rfm.drop("log_gaps"), "mbgnbd")[0]


def test_an_observation_shorter_than_a_gap_is_short():
    slow = BetaGeometricParams(r=0.9, alpha=1500.0, a=0.8, b=2.5, leaves_after_first=True)
    rfm = world(slow, customers=4000, seed=3)
    findings, fitted = found(rfm, "mbgnbd")
    mean, gap = rfm["age_days"].mean(), fitted.params.alpha / fitted.params.r
    assert findings["observation"].figure == pytest.approx(mean / gap, rel=1e-12)
    assert f"{mean:,.0f} days per customer on average" in findings["observation"].sentence
    assert f"orders every {gap:,.0f} days" in findings["observation"].sentence


@pytest.mark.parametrize("r", [1.5, 0.5])
def test_orders_that_fall_on_one_day_are_counted(r):
    rfm = world(ParetoNbdParams(r=r, alpha=6.0, s=0.7, beta=100.0))
    findings, fitted = found(rfm, "paretonbd")
    generator, params = np.random.default_rng(3), fitted.params
    orders = generator.poisson(generator.gamma(params.r, 1.0 / params.alpha, 400_000))
    lost = 1.0 - (orders > 0).sum() / orders.sum()
    # A share of some 150,000 orders.
    assert_allclose(findings["days"].figure, lost, atol=4.0 * np.sqrt(lost / orders.sum()))
    assert f"about {findings['days'].figure:.0%} of orders share a day with another" in findings["days"].sentence
    assert "regularity" not in findings


@pytest.mark.parametrize(("power", "words", "side"), [(1.0, "more", "above"), (-1.0, "less", "below")])
def test_spend_that_goes_with_frequency_is_found_with_its_consequence(spenders, power, words, side):
    rfm = spenders.with_columns(pl.col("monetary_value") * (1.0 + 0.2 * pl.col("frequency")) ** power)
    spend = fit_spend(rfm)
    finding = found(rfm, "mbgnbd", spend)[0]["independence"]
    repeaters = rfm.filter(pl.col("frequency") > 0)
    x, amount = repeaters["frequency"].to_numpy(), repeaters["monetary_value"].to_numpy()
    assert finding.severity == "caution"
    assert_allclose(finding.figure, np.corrcoef(x, amount)[0, 1], rtol=1e-10)
    gap = (x @ amount) / x.sum() / population_mean(spend.params) - 1.0
    assert f"spend {words} per order (correlation {figure(finding.figure, '.2f')})" in finding.sentence
    assert f"was {abs(gap):.1%} {side} what the model expects of a new customer" in finding.sentence


@pytest.mark.parametrize(("q", "severity", "what"), [(0.8, "stop", "mean"), (1.5, "caution", "spread")])
def test_spend_without_mean_or_spread_is_found(q, severity, what):
    rfm = world(SHOPS["mbgnbd"], seed=4, spend=GammaGammaParams(p=5.0, q=q, v=20.0))
    spend = fit_spend(rfm)
    finding = found(rfm, "mbgnbd", spend)[0]["spend"]
    assert finding.severity == severity
    assert finding.figure == spend.params.q
    assert (
        f"an infinite {what}: q = {spend.params.q:.3g}, and it needs q > {1 if what == 'mean' else 2}"
        in finding.sentence
    )


def test_customers_who_spend_the_same_leave_the_prior_to_hold_the_estimates():
    rfm = world(SHOPS["mbgnbd"], seed=4, spend=GammaGammaParams(p=5.0, q=MILLION, v=4 * MILLION))
    spend = fit_spend(rfm)
    finding = found(rfm, "mbgnbd", spend)[0]["spend boundary"]
    assert spend.loose == ("q", "v")
    assert finding.figure == 2
    assert "q and v diverge" in finding.sentence
    assert_allclose(population_mean(spend.params), 20.0, rtol=0.02)


def test_an_engine_that_stops_short_is_reported(spenders):
    short = replace(fit(spenders, model="mbgnbd"), engine="lifetimes", max_abs_gradient=0.25)
    findings = {finding.topic: finding for finding in diagnose(spenders, short).findings}
    assert findings["MBG/NBD: engine"].figure == 0.25
    assert findings["MBG/NBD: engine"].sentence == (
        "MBG/NBD: lifetimes stopped where the log-likelihood still rises by 0.25 per unit of a log-parameter."
    )


def test_the_gravest_finding_comes_first_in_every_look():
    rfm = world(ENDLESS, seed=1)
    sentence = diagnose(rfm, fit(rfm))
    order = {"stop": 0, "caution": 1, "note": 2}
    grades = [order[grade] for grade in sentence.table["severity"]]
    assert grades == sorted(grades)
    assert len(grades) == len(sentence.findings) > 2
    assert sentence.table.columns == ["topic", "severity", "figure", "sentence", "advice"]
    lines = repr(sentence).splitlines()
    assert lines[0] == "Diagnosis"
    assert lines[1].strip().startswith("stop  Dropout is not identified")
