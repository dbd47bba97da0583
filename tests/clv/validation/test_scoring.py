"""How far a forecast was off, whether it ranks customers, which model is nearer the truth, and the words for it."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.validation.findings import Candidate, advice, bias_sentence, choice, fit_sentence, forecast_sentence
from cxsim.clv.validation.forecasts import Forecast, Holdout
from cxsim.clv.validation.scoring import (
    Verdict,
    against_best,
    akaike_weights,
    by_frequency,
    captured,
    normalised_gini,
    scores_of,
    verdict,
)
from cxsim.params import Z95

EXPECTED = np.array([1.0, 2.0, 3.0, 2.0])
OBSERVED = np.array([0.0, 4.0, 3.0, 3.0])


def row(expected=EXPECTED, observed=OBSERVED, log_probs=(-0.1,) * 4):
    """Return the scores of a forecast of four customers, of whom everyone has an interval from 1 to 3."""
    forecast = Forecast(
        name="bgnbd",
        title="BG/NBD",
        orders=expected,
        spend=expected,
        log_probs=np.array(log_probs),
        intervals={80: (np.ones(4), np.full(4, 3.0))},
        total_intervals={80: (10.0, 12.0), 90: (5.0, 12.0)},
    )
    holdout = Holdout(rfm=pl.DataFrame(), orders=observed, amount=observed, days=1.0, forecasts=(forecast,))
    return scores_of(holdout).row(0, named=True)


def test_scores_are_those_worked_out_by_hand():
    found = row()
    assert found["orders_bias"] == pytest.approx(8 / 10 - 1, abs=1e-15)
    assert (found["orders_bias_low"], found["orders_bias_high"]) == pytest.approx((-0.5, 0.2), abs=1e-15)
    assert found["mae"] == (1 + 2 + 0 + 1) / 4
    assert found["rmse"] == pytest.approx(math.sqrt((1 + 4 + 0 + 1) / 4), abs=1e-15)
    # Deviations -1, 0, 1, 0 and -2.5, 1.5, 0.5, 0.5.
    assert found["correlation"] == pytest.approx(3.0 / math.sqrt(2.0 * 9.0), abs=1e-15)
    # The ends of an interval belong to it.
    assert (found["coverage_80"], found["total_coverage_80"]) == (0.5, 1.0)


def test_what_has_no_meaning_is_null_and_what_was_held_impossible_is_infinite():
    assert row(observed=np.zeros(4))["orders_bias"] is None
    # A number that is the same for everyone correlates with nothing.
    assert row(np.ones(4), OBSERVED)["correlation"] is row(EXPECTED, np.ones(4))["correlation"] is None
    assert row(log_probs=(-0.1, -0.1, -0.1, -math.inf))["log_score"] == math.inf


REALISED = np.array([10.0, 0.0, 30.0, 0.0, 60.0])


def test_the_gini_is_that_worked_out_by_hand():
    # Order 30, 60, 10, 0, 0: shares 0.3, 0.9, 1, 1, 1; twice the area less one is 2 * 0.74 - 1. The best order, 60, 30,
    # 10, 0, 0, has shares 0.6, 0.9, 1, 1, 1 and 2 * 0.8 - 1.
    assert normalised_gini(np.array([3.0, 2.0, 5.0, 1.0, 4.0]), REALISED) == pytest.approx(0.48 / 0.6, abs=1e-12)


def test_the_most_perverse_order_of_two_kinds_has_a_gini_of_minus_one_and_where_all_are_the_same_there_is_none():
    assert normalised_gini(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == -1.0
    assert normalised_gini(np.arange(5.0), np.zeros(5)) is normalised_gini(np.arange(5.0), np.full(5, 7.0)) is None


def test_the_top_fifth_captures_what_its_customer_realised_and_equals_share_what_they_did():
    assert captured(np.array([3.0, 2.0, 5.0, 1.0, 4.0]), REALISED, 0.2) == pytest.approx(0.3, abs=1e-15)
    # The two at the top hold 90 of 100 together; half of them hold 45.
    assert captured(np.array([0.0, 0.0, 1.0, 0.0, 1.0]), REALISED, 0.2) == pytest.approx(0.45, abs=1e-15)
    assert captured(np.arange(5.0), np.zeros(5), 0.1) is None


def outcomes(frequency, orders, customers=None):
    return pl.DataFrame(
        {
            "customer_id": list(range(len(frequency))) if customers is None else customers,
            "frequency": frequency,
            "orders": [float(count) for count in orders],
            "nbd": [0.5] * len(frequency),
        }
    )


def test_means_and_intervals_are_those_worked_out_by_hand():
    row = by_frequency(outcomes([1, 1, 1, 1], [0, 1, 2, 5]), {"nbd": "NBD"}).row(0, named=True)
    half = Z95 * math.sqrt((4 + 1 + 0 + 9) / 3 / 4)
    assert (row["model"], row["frequency"], row["customers"], row["expected"]) == ("NBD", "1", 4, 0.5)
    assert_allclose([row["observed"], row["low"], row["high"]], [2.0, 2.0 - half, 2.0 + half])


def test_seven_repeat_orders_and_more_are_one_class():
    assert by_frequency(outcomes([7, 8, 30], [1, 2, 3]), {"nbd": "NBD"})["frequency"].to_list() == ["7+"]


def test_a_class_in_which_no_order_came_may_yet_have_a_mean_above_zero():
    row = by_frequency(outcomes([0] * 10, [0] * 10), {"nbd": "NBD"}).row(0, named=True)
    # With this mean, Poisson orders of ten customers are all missing in 5 % of cases.
    assert (row["observed"], row["low"]) == (0.0, 0.0)
    assert math.exp(-10 * row["high"]) == pytest.approx(0.05, abs=1e-12)


def test_a_class_of_one_customer_has_no_interval():
    row = by_frequency(outcomes([3, 3], [2, 4], customers=["a", "a"]), {"nbd": "NBD"}).row(0, named=True)
    assert (row["customers"], row["observed"], row["low"], row["high"]) == (2, 3.0, None, None)


def test_counting_everything_twice_of_the_same_customers_narrows_no_interval():
    once = outcomes([1, 1, 1, 1], [0, 1, 2, 5])
    twice = by_frequency(pl.concat([once, once]), {"nbd": "NBD"})
    assert_allclose(twice.select("low", "high").row(0), by_frequency(once, {"nbd": "NBD"}).select("low", "high").row(0))


TITLES = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "paretonbd": "Pareto/NBD"}


def candidates(fit, forecast=()):
    return [Candidate(name, TITLES[name], chance, dict(forecast).get(name, 0.5)) for name, chance in fit.items()]


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_of_models_that_cannot_be_distinguished_one_that_can_lose_one_time_buyers_is_used():
    found = candidates({"bgnbd": 0.55, "mbgnbd": 0.45, "paretonbd": 0.02})
    assert choice(found).name == "mbgnbd"
    assert fit_sentence(found, 2357) == (
        "The data of 2,357 customers do not separate BG/NBD from MBG/NBD (P = 0.55 that BG/NBD is better); they reject "
        "Pareto/NBD (P = 0.02)."
    )
    assert advice(found, 1411) == "Use MBG/NBD; BG/NBD treats all 1,411 one-time buyers as alive."


def test_a_model_that_customers_speak_for_is_used_with_a_word_on_one_time_buyers():
    found = candidates({"bgnbd": 0.999, "mbgnbd": 0.001, "paretonbd": 0.0})
    assert (
        fit_sentence(found, 50_000)
        == "The data of 50,000 customers favour BG/NBD over MBG/NBD and Pareto/NBD (P > 0.99)."
    )
    assert advice(found, 30_000) == (
        "Use BG/NBD for forecasts and MBG/NBD for P(alive), because BG/NBD treats all 30,000 one-time buyers as alive."
    )


def test_what_was_forecast_counts_before_what_was_fitted():
    fit = {"bgnbd": 0.3, "mbgnbd": 0.99, "paretonbd": 0.01}
    assert choice(candidates(fit, {"bgnbd": 0.01, "mbgnbd": 0.01, "paretonbd": 0.99})).name == "paretonbd"


def test_bg_nbd_alone_is_not_to_be_asked_who_is_alive():
    alone = [Candidate("bgnbd", "BG/NBD")]
    assert advice(alone, 9).startswith("Use BG/NBD for forecasts, but not for P(alive)")
    assert fit_sentence(alone, 40) == "Only BG/NBD was fitted, to 40 customers."
    assert forecast_sentence(alone) == ""


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ((-0.115, -0.162), "11.5 to 16.2 % fewer"),
        ((0.02, -0.05), "5.0 % fewer to 2.0 % more"),
        ((0.02, 0.05), "2.0 to 5.0 % more"),
        ((-0.05, -0.05), "both models forecast 5.0 % fewer"),
    ],
)
def test_the_bias_of_all_models_is_written_in_per_cent(gaps, words):
    names = [f"model {number}" for number in range(len(gaps))]
    table = pl.DataFrame({"model": names, "orders_bias": gaps, "observed_orders": [1882.0] * len(gaps)})
    table = table.with_columns(
        orders_bias_low=pl.col("orders_bias") - 0.1, orders_bias_high=pl.col("orders_bias") + 0.1
    )
    assert words in plain(bias_sentence(table, when="in the 273 days after"))


def test_the_verdict_is_the_mean_difference_over_its_standard_error():
    found = verdict(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 4.0]))
    assert found == Verdict(z=0.0, prob_better=0.5)
    # Differences 0.1, 0.2, 0.6: mean 0.3, sd sqrt(0.07).
    found = verdict(np.array([0.1, 0.2, 0.6]), np.zeros(3))
    assert found.z == pytest.approx(0.9 / math.sqrt(0.07 * 3), abs=1e-12)
    found = verdict(np.array([0.1, 0.2, 0.6]), np.zeros(3), more_params=1.0)
    assert found.z == pytest.approx((0.9 - 1.0) / math.sqrt(0.07 * 3), abs=1e-12)


def test_what_all_customers_say_the_same_is_certain_and_the_same_to_the_last_digits_is_nothing():
    same = np.linspace(-3.0, -1.0, 50)
    assert verdict(same, same * (1 + 1e-13), more_params=1.0) == Verdict(z=0.0, prob_better=0.5)
    assert verdict(np.full(5, -1.0), np.full(5, -2.0)) == Verdict(z=math.inf, prob_better=1.0)
    assert verdict(np.full(5, -2.0), np.full(5, -1.0)) == Verdict(z=-math.inf, prob_better=0.0)


def test_the_best_is_held_against_the_second_and_all_others_against_the_best():
    generator = np.random.default_rng(4)
    base = generator.normal(size=200)
    models = [base - 0.5 + generator.normal(size=200), base, base - 0.1 + generator.normal(size=200)]
    found = against_best(models, [0.0] * 3)
    assert found == [verdict(models[0], models[1]), verdict(models[1], models[2]), verdict(models[2], models[1])]
    assert against_best([np.zeros(5)], [0.0]) == [None]


def test_akaike_weights_sum_to_one_however_far_models_lie_apart():
    assert akaike_weights([0.0, 1e6]) == [1.0, 0.0]
    assert sum(akaike_weights([3.0, 1.0, 2.0])) == pytest.approx(1.0, abs=1e-15)


def test_the_verdict_of_a_fair_contest_is_uniform_over_its_repetitions():
    generator = np.random.default_rng(5)
    chances = np.array(
        [verdict(generator.normal(size=100), generator.normal(size=100)).prob_better for _ in range(2000)]
    )
    # A share of 2000 cases; 4 standard errors, and some for Student's tails with 100 customers.
    assert abs((chances < 0.1).mean() - 0.1) < 4 * math.sqrt(0.09 / 2000) + 0.004
