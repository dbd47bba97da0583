from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cxsim.finance.information import explained, surface


def _luck(seed):
    return np.random.Generator(np.random.PCG64(seed))


def test_shares_are_those_of_a_model_of_which_they_are_known():
    # Variances: 4 of the line, 1 of the bend (x**2 - 1 has 2, times 1/2), 1 of the product, 1 of noise: 7 in all.
    luck = _luck(1)
    a, b, c = luck.standard_normal((3, 1_000))
    output = 2.0 * a + np.sqrt(0.5) * (np.square(b) - 1.0) + a * c + luck.standard_normal(1_000)
    whole = surface(output[:, None], np.column_stack([a, b, c]))
    for places, share in (([0], 4 / 7), ([1], 1 / 7), ([2], 0.0), ([0, 2], 5 / 7), ([0, 1, 2], 6 / 7)):
        found = explained(whole, places)
        assert abs(found.share - share) < 4.0 * found.mc_error
        assert found.mc_error < 0.05


def test_shares_of_numbers_apart_add_up_where_they_do_not_work_together():
    luck = _luck(2)
    inputs = luck.standard_normal((300, 3))
    whole = surface((inputs @ [1.0, 2.0, 0.5] + luck.standard_normal(300))[:, None], inputs)
    apart = sum(explained(whole, [place]).share for place in range(3))
    # What the fit sees of products is within the error of the whole.
    together = explained(whole, [0, 1, 2])
    assert abs(apart - together.share) < 4.0 * together.mc_error


def test_a_number_that_does_nothing_explains_nothing_within_its_error():
    # 100 seeds, 20 numbers that do nothing among 200 draws: each share beside its error.
    misses = []
    for seed in range(20):
        luck = _luck(100 + seed)
        inputs = luck.standard_normal((200, 6))
        whole = surface((inputs[:, 0] + luck.standard_normal(200))[:, None], inputs)
        misses += [explained(whole, [place], seed=seed) for place in range(1, 6)]
    assert np.mean([abs(one.share) > 2.0 * one.mc_error for one in misses]) < 0.1
    assert np.mean([one.share for one in misses]) < 0.01


def test_a_constant_output_has_no_shares():
    # The mean of fifty times 0.1 is not 0.1 to the last digit.
    inputs = _luck(3).standard_normal((50, 2))
    found = explained(surface(np.full((50, 1), 0.1), inputs), [0, 1])
    assert (found.share, found.mc_error) == (0.0, 0.0)


def test_a_curve_is_followed_between_its_knots():
    # One and a half waves over the range of a normal, with a tenth of its height as noise: the explained share is known
    # to be 1 - 0.01 / (var + 0.01); a straight line would explain less than half of it.
    luck = _luck(4)
    x = luck.standard_normal(500)
    wave = np.sin(2.0 * x)
    found = explained(surface((wave + 0.1 * luck.standard_normal(500))[:, None], x[:, None]), [0])
    assert_allclose(found.share, 1.0 - 0.01 / (wave.var() + 0.01), atol=4.0 * found.mc_error)
    assert found.share > 0.9
