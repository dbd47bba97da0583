"""Which of two models is nearer the truth, and how sure that is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cxsim.clv.validation.contestants import Verdict, against_best, akaike_weights, verdict


def test_the_verdict_is_the_mean_difference_over_its_standard_error():
    found = verdict(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 4.0]))
    assert found == Verdict(z=0.0, prob_better=0.5)
    # Differences 0.1, 0.2, 0.6: mean 0.3, sd sqrt(0.07).
    found = verdict(np.array([0.1, 0.2, 0.6]), np.zeros(3))
    assert found.z == pytest.approx(0.9 / math.sqrt(0.07 * 3), abs=1e-12)


def test_a_parameter_more_takes_one_off_the_difference():
    found = verdict(np.array([0.1, 0.2, 0.6]), np.zeros(3), more_params=1.0)
    assert found.z == pytest.approx((0.9 - 1.0) / math.sqrt(0.07 * 3), abs=1e-12)


def test_models_that_say_the_same_to_the_last_digits_cannot_be_sentence_apart():
    same = np.linspace(-3.0, -1.0, 50)
    assert verdict(same, same * (1 + 1e-13), more_params=1.0) == Verdict(z=0.0, prob_better=0.5)


def test_what_all_customers_say_alike_is_certain():
    assert verdict(np.full(5, -1.0), np.full(5, -2.0)) == Verdict(z=math.inf, prob_better=1.0)
    assert verdict(np.full(5, -2.0), np.full(5, -1.0)) == Verdict(z=-math.inf, prob_better=0.0)


def test_one_model_is_better_by_as_much_as_the_other_is_worse():
    generator = np.random.default_rng(2)
    first, second = generator.normal(size=(2, 100))
    one, other = verdict(first, second), verdict(second, first)
    assert_allclose([one.z, one.prob_better], [-other.z, 1.0 - other.prob_better], atol=1e-12)


def test_the_best_is_held_against_the_second_and_all_others_against_the_best():
    generator = np.random.default_rng(4)
    base = generator.normal(size=200)
    models = [base - 0.5 + generator.normal(size=200), base, base - 0.1 + generator.normal(size=200)]
    found = against_best(models)
    assert found == [verdict(models[0], models[1]), verdict(models[1], models[2]), verdict(models[2], models[1])]


def test_a_single_model_has_nothing_to_be_held_against():
    assert against_best([np.zeros(5)]) == [None]


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
