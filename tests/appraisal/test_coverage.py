"""How often intervals and chances held out."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cxsim.clv.validation.scoring import randomised_pit, share_inside, tenths


def test_an_interval_holds_its_ends():
    low, high, came = np.array([1.0, 1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0, 2.0]), np.array([0.0, 1.0, 2.0, 3.0])
    assert share_inside(low, high, came) == 0.5


def test_the_place_of_a_count_is_spread_over_its_own_chance():
    # A count of 1 with chances 0.5, 0.3 for 0 and 1 lies between 0.5 and 0.8.
    assert_allclose(randomised_pit(np.full(3, 0.5), np.full(3, 0.3), np.array([0.0, 0.5, 1.0])), [0.5, 0.65, 0.8])


def test_places_in_the_true_distribution_are_uniform():
    generator = np.random.default_rng(1)
    chances = np.array([0.6, 0.3, 0.1])
    came = generator.choice(3, size=20_000, p=chances)
    below = np.concatenate([[0.0], np.cumsum(chances)[:-1]])
    found = tenths(randomised_pit(below[came], chances[came], generator.random(came.size)))
    # Each tenth is a binomial share; 4 standard errors.
    assert_allclose(found, 0.1, atol=4 * np.sqrt(0.1 * 0.9 / came.size))


def test_the_upper_end_of_the_scale_belongs_to_the_last_tenth():
    assert tenths(np.array([0.0, 0.05, 0.95, 1.0])).tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]
