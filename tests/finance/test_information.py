"""Value of information, explained variance and sample sizes, beside closed forms, brute force and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower

from cxsim.finance.information import (
    ALPHA,
    POWER,
    evpi,
    evppi,
    evppi_of_structure,
    explained,
    sample_size,
    smallest_difference,
    surface,
)

OUTER, INNER = 1_500, 2_000
GROUPS = [(0,), (1,), (2,), (3,), (0, 1), (2, 3), (0, 1, 2)]
sds = st.floats(0.01, 1e4)
differences = st.floats(0.001, 1e3)


def _generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def _evppi(npvs, inputs, *, seed=0):
    """Return the value of all of some inputs for the choice among columns of NPVs, the first being doing nothing."""
    return evppi(surface(npvs[:, 1:] - npvs[:, :1], inputs), range(inputs.shape[1]), seed=seed)


def _value_for_a_normal(mean, sd):
    # E[max(0, X)] - max(0, E[X]) of a normal X: sd phi(mean / sd) - |mean| Phi(-|mean| / sd).
    return sd * norm.pdf(mean / sd) - abs(mean) * norm.cdf(-abs(mean) / sd)


FOUR = np.array([[0.0, 30.0], [0.0, -10.0], [0.0, -20.0], [0.0, 8.0]])


def test_the_value_of_perfect_information_is_the_mean_regret_of_the_usual_choice():
    # Doing nothing brings 0; the programme 30, -10, -20, 8, on average 2, so it would be chosen. Without it in the two
    # bad draws one would have 10 and 20 more: (0 + 10 + 20 + 0) / 4 = 7.5. Their standard deviation is that of 0, 10,
    # 20, 0: deviations -7.5, 2.5, 12.5, -7.5, squares 275, over 3 is 91.667; its root 9.574 over the root of 4: 4.787.
    found = evpi(FOUR)
    assert found.value == 7.5
    assert_allclose(found.mc_error, 4.787, atol=0.0005)


def test_the_same_draws_under_two_structures_are_not_twice_as_much_evidence():
    assert evpi(np.vstack([FOUR, FOUR]), worlds_per_draw=2) == evpi(FOUR)


@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(2, 4)), elements=st.floats(-1e6, 1e6)))
def test_perfect_information_never_has_a_negative_value(npvs):
    assert evpi(npvs).value >= 0.0


# 2,000 draws; 4 standard errors, as everywhere where the seed is fixed. The value of x alone is that of a normal with
# the same mean and the standard deviation of what x does, whatever the other numbers do.
@pytest.mark.parametrize(("mean", "slope"), [(0.5, 1.0), (-0.5, 1.0), (1.0, 1.0), (0.3, 0.5)])
def test_the_value_of_one_number_is_that_of_its_closed_form(mean, slope):
    generator = _generator(3)
    x, other = generator.standard_normal((2_000, 2)).T
    found = _evppi(np.column_stack([np.zeros(2_000), mean + slope * x + 1.5 * other]), x[:, None])
    assert abs(found.value - _value_for_a_normal(mean, slope)) < 4.0 * found.mc_error
    # The error is of use: it is a fraction of the value of the number.
    assert 0.0 < found.mc_error < 0.5 * _value_for_a_normal(mean, slope)


def test_the_value_of_two_numbers_is_that_of_their_closed_form():
    generator = _generator(4)
    inputs = generator.standard_normal((2_000, 2))
    npv = 0.4 + inputs @ [1.0, 0.5] + generator.standard_normal(2_000)
    found = _evppi(np.column_stack([np.zeros(2_000), npv]), inputs)
    assert abs(found.value - _value_for_a_normal(0.4, np.sqrt(1.25))) < 4.0 * found.mc_error


def test_two_numbers_that_depend_on_each_other_may_be_asked_about_together():
    # The sum of two normals with variance 1 and correlation 0.8 has variance 2 + 1.6.
    generator = _generator(5)
    one, own = generator.standard_normal((2, 2_000))
    inputs = np.column_stack([one, 0.8 * one + 0.6 * own])
    npv = 0.5 + inputs.sum(axis=1) + generator.standard_normal(2_000)
    found = _evppi(np.column_stack([np.zeros(2_000), npv]), inputs)
    assert abs(found.value - _value_for_a_normal(0.5, np.sqrt(3.6))) < 4.0 * found.mc_error


def test_a_number_that_does_nothing_has_no_value_within_its_error():
    # 300 seeds of 200 draws at the worst place, where funding and not funding are equally good. Found: in 96 % of them
    # the value is 0 exactly, since the variance of both its line and its bends falls to nothing; on average it is 0.3 %
    # of that of perfect information (0.4); it is more than 2 errors above 0 in 1 % and more than 3 in none.
    values, errors = np.empty(300), np.empty(300)
    for seed in range(300):
        generator = _generator(1_000 + seed)
        npv = generator.standard_normal(200)
        found = _evppi(np.column_stack([np.zeros(200), npv]), generator.standard_normal((200, 1)), seed=seed)
        values[seed], errors[seed] = found.value, found.mc_error
    assert (values > 2.0 * errors).mean() < 0.05
    assert (values > 4.0 * errors).sum() == 0
    assert (values == 0.0).mean() > 0.9
    assert values.mean() < 0.01 * _value_for_a_normal(0.0, 1.0)
    # Nothing is never said without an error.
    assert errors.min() > 0.0


def test_twenty_numbers_that_do_nothing_have_no_value_beside_one_that_does():
    generator = _generator(8)
    inputs = generator.standard_normal((200, 21))
    whole = surface((0.3 + inputs[:, 0] + 0.2 * generator.standard_normal(200))[:, None], inputs)
    idle = [evppi(whole, [place]) for place in range(1, 21)]
    assert all(one.value <= 2.0 * one.mc_error for one in idle)
    assert max(one.value for one in idle) < 0.02 * evppi(whole, [0]).value


def test_the_value_of_knowing_the_structure_is_the_choice_that_it_allows():
    # Case one: the programme brings 10 on average, case two -4. Not knowing, it is chosen, for 3; knowing, it is
    # chosen in case one alone, for 10 / 2 = 5: value 2.
    npvs = np.array([[[0.0, 8.0], [0.0, 12.0]], [[0.0, -3.0], [0.0, -5.0]]])
    found = evppi_of_structure(npvs)
    assert found.value == 2.0
    assert found.mc_error > 0.0


def test_what_cannot_matter_explains_nothing():
    generator = _generator(14)
    inputs = generator.standard_normal((100, 2))
    output = inputs.sum(axis=1, keepdims=True)
    whole = surface(output, inputs, np.array([[True, False]]))
    assert evppi(whole, [1]).value == 0.0
    assert evppi(whole, [0]).value > 0.2


def test_shares_are_those_of_a_model_of_which_they_are_known():
    # Variances: 4 of the line, 1 of the bend (x**2 - 1 has 2, times 1/2), 1 of the product, 1 of noise: 7 in all.
    generator = _generator(1)
    a, b, c = generator.standard_normal((3, 1_000))
    output = 2.0 * a + np.sqrt(0.5) * (np.square(b) - 1.0) + a * c + generator.standard_normal(1_000)
    whole = surface(output[:, None], np.column_stack([a, b, c]))
    for places, share in (([0], 4 / 7), ([1], 1 / 7), ([2], 0.0), ([0, 2], 5 / 7), ([0, 1, 2], 6 / 7)):
        found = explained(whole, places)
        assert abs(found.value - share) < 4.0 * found.mc_error
        assert found.mc_error < 0.05


def test_a_number_that_does_nothing_explains_nothing_within_its_error():
    # 100 seeds, 20 numbers that do nothing among 200 draws: each share beside its error.
    misses = []
    for seed in range(20):
        generator = _generator(100 + seed)
        inputs = generator.standard_normal((200, 6))
        whole = surface((inputs[:, 0] + generator.standard_normal(200))[:, None], inputs)
        misses += [explained(whole, [place], seed=seed) for place in range(1, 6)]
    assert np.mean([abs(one.value) > 2.0 * one.mc_error for one in misses]) < 0.1
    assert np.mean([one.value for one in misses]) < 0.01


def test_a_constant_output_has_no_shares():
    # The mean of fifty times 0.1 is not 0.1 to the last digit.
    inputs = _generator(3).standard_normal((50, 2))
    found = explained(surface(np.full((50, 1), 0.1), inputs), [0, 1])
    assert (found.value, found.mc_error) == (0.0, 0.0)


def test_a_curve_is_followed_between_its_knots():
    # One and a half waves over the range of a normal, with a tenth of its height as noise: the explained share is known
    # to be 1 - 0.01 / (var + 0.01); a straight line would explain less than half of it.
    generator = _generator(4)
    x = generator.standard_normal(500)
    wave = np.sin(2.0 * x)
    found = explained(surface((wave + 0.1 * generator.standard_normal(500))[:, None], x[:, None]), [0])
    assert_allclose(found.value, 1.0 - 0.01 / (wave.var() + 0.01), atol=4.0 * found.mc_error)
    assert found.value > 0.9


def _npvs(inputs):
    """Three decisions: nothing, one that grows exponentially with an interaction, one that saturates and is bent."""
    a, b, c, d = np.moveaxis(inputs, -1, 0)
    one = 3.0 * np.exp(0.4 * a) - 3.1 + 1.5 * b + 1.2 * a * b + 0.8 * c
    two = 2.0 * np.tanh(2.0 * c) + 0.5 * np.square(d) - 0.6 + 0.6 * b
    return np.stack([np.zeros_like(one), one, two], axis=-1)


def _nested(places, seed):
    """Return E[max E[NPV | inputs]] - max E[NPV], and its standard error over outer draws."""
    generator = np.random.Generator(np.random.PCG64(seed))
    means = np.empty((OUTER, 3))
    for row, known_values in enumerate(generator.standard_normal((OUTER, len(places)))):
        inputs = generator.standard_normal((INNER, 4))
        inputs[:, places] = known_values
        means[row] = _npvs(inputs).mean(axis=0)
    regret = means.max(axis=1) - means[:, means.mean(axis=0).argmax()]
    return regret.mean(), regret.std(ddof=1) / np.sqrt(OUTER)


@pytest.fixture(scope="module")
def brute_force():
    return {places: _nested(list(places), 7) for places in GROUPS}


@pytest.fixture(scope="module", params=[200, 2_000])
def sample(request):
    """Inputs and NPVs of so many draws, with the surface over all inputs."""
    inputs = np.random.Generator(np.random.PCG64(100)).standard_normal((request.param, 4))
    npvs = _npvs(inputs)
    return inputs, npvs, surface(npvs[:, 1:], inputs)


# Both sides have an error, so it is the root of the sum of both squares that counts, four times: about 0.1 of values of
# 0.2 to 1.2. The inner means' own error, at most 5 / sqrt(2,000) = 0.11, lifts the brute force by less than 0.01, since
# it counts only where two decisions are within it of each other.
@pytest.mark.parametrize("places", GROUPS)
def test_regression_finds_what_nested_simulation_finds(brute_force, places, sample):
    inputs, npvs, among_all = sample
    value, error = brute_force[places]
    for found in (_evppi(npvs, inputs[:, list(places)]), evppi(among_all, places)):
        assert abs(found.value - value) < 4.0 * np.hypot(found.mc_error, error)
        assert found.mc_error < {200: 0.15, 2_000: 0.06}[len(inputs)]


def test_errors_of_the_regression_are_as_large_as_its_misses(brute_force):
    # 40 sets of 200 draws, all groups: the misses in units of their errors. Were they standard normal, their root mean
    # square would be 1, and known to 1 / sqrt(2 x 40) = 11 %, since groups of one set go together; 0.56 to 1.44 is 4 of
    # these to either side. Found: 1.11, and -0.41 on average.
    misses = []
    for seed in range(40):
        inputs = np.random.Generator(np.random.PCG64(500 + seed)).standard_normal((200, 4))
        whole = surface(_npvs(inputs)[:, 1:], inputs)
        for places in GROUPS:
            found, (value, error) = evppi(whole, places), brute_force[places]
            misses.append((found.value - value) / np.hypot(found.mc_error, error))
    assert 0.56 < np.sqrt(np.square(misses).mean()) < 1.44
    # And they are not all to one side: a shrunken fit errs low by less than its error.
    assert abs(np.mean(misses)) < 1.0


# (z(0.975) + z(0.8)) x 2.54 x sqrt(2 / n) with 1.95996 + 0.84162 = 2.80158: shares of the mean that a year's margin of
# customers of the CDNOW kind, whose coefficient of variation is 2.54, can show. To three digits, as they are stated.
@pytest.mark.parametrize(("each", "share"), [(1_000, 0.318), (5_000, 0.142), (10_000, 0.101), (50_000, 0.0450)])
def test_the_smallest_gain_that_a_test_shows_is_known_for_such_a_shop(each, share):
    assert_allclose(smallest_difference(2.54, each), share, rtol=5e-3)


# 2 x (2.80158 x 2.54 / 0.05)**2 = 40,510.4 and 2 x (2.80158 x 2.54 / 0.02)**2 = 253,190.
@pytest.mark.parametrize(("share", "each"), [(0.05, 40_511), (0.02, 253_190)])
def test_small_gains_need_tens_of_thousands_of_customers(share, each):
    assert sample_size(2.54, share) == each


@given(sds, differences)
def test_with_so_many_customers_statsmodels_finds_the_power_that_was_asked_for(sd, difference):
    needed = sample_size(sd, difference)

    def power(per_group):
        return NormalIndPower().power(difference / sd, per_group, ALPHA)

    assert power(needed) >= POWER - 1e-9
    if needed > 2:
        # statsmodels counts the chance of a difference on the wrong side too: that of a normal below -1.96 - 2.80.
        assert power(needed - 1) <= POWER + 1e-6


@given(sds, differences)
def test_the_smallest_difference_of_the_groups_needed_is_the_one_asked_for(sd, difference):
    needed = sample_size(sd, difference)
    # Rounding up adds customers, so that a little less can be detected, never more.
    assert smallest_difference(sd, needed) <= difference * (1.0 + 1e-9)
    assert needed <= 2 or smallest_difference(sd, needed - 1) >= difference * (1 - 1e-9)


def test_customers_without_any_spread_need_two_each_and_the_sign_of_the_difference_does_not_matter():
    assert sample_size(0.0, 1.0) == 2
    assert sample_size(2.0, -0.5) == sample_size(2.0, 0.5)
