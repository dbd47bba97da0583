from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose
from scipy.stats import norm

from cxsim.errors import EstimationError
from cxsim.finance.information import evpi, evppi_of_case, known, surface


def evppi(npvs, inputs, *, seed=0):
    return known(surface(npvs[:, 1:] - npvs[:, :1], inputs), range(inputs.shape[1]), seed=seed)


def _luck(seed):
    return np.random.Generator(np.random.PCG64(seed))


def _worth_of_a_normal(mean, sd):
    # E[max(0, X)] - max(0, E[X]) of a normal X: sd phi(mean / sd) - |mean| Phi(-|mean| / sd).
    return sd * norm.pdf(mean / sd) - abs(mean) * norm.cdf(-abs(mean) / sd)


def test_knowing_everything_is_worth_the_mean_of_what_the_usual_choice_misses():
    # Doing nothing brings 0; the programme 30, -10, -20, 8, on average 2, so it would be chosen. Without it in the two
    # bad draws one would have 10 and 20 more: (0 + 10 + 20 + 0) / 4 = 7.5. Their standard deviation is that of 0, 10,
    # 20, 0: deviations -7.5, 2.5, 12.5, -7.5, squares 275, over 3 is 91.667; its root 9.574 over the root of 4: 4.787.
    found = evpi(np.array([[0.0, 30.0], [0.0, -10.0], [0.0, -20.0], [0.0, 8.0]]))
    assert found.worth == 7.5
    assert_allclose(found.mc_error, 4.787, atol=0.0005)


def test_the_same_draws_under_two_structures_are_not_twice_as_much_evidence():
    npvs = np.array([[0.0, 30.0], [0.0, -10.0], [0.0, -20.0], [0.0, 8.0]])
    once, twice = evpi(npvs), evpi(np.vstack([npvs, npvs]), worlds_per_draw=2)
    assert (twice.worth, twice.mc_error) == (once.worth, once.mc_error)


@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(2, 4)), elements=st.floats(-1e6, 1e6)))
def test_knowing_everything_is_never_worth_less_than_nothing(npvs):
    assert evpi(npvs).worth >= 0.0


# 2,000 draws; 4 standard errors, as everywhere where the seed is fixed. The worth of x alone is that of a normal with
# the same mean and the standard deviation of what x does, whatever the other numbers do.
@pytest.mark.parametrize(("mean", "slope"), [(0.5, 1.0), (-0.5, 1.0), (1.0, 1.0), (0.3, 0.5)])
def test_the_worth_of_one_number_is_that_of_its_closed_form(mean, slope):
    luck = _luck(3)
    x, other = luck.standard_normal((2_000, 2)).T
    found = evppi(np.column_stack([np.zeros(2_000), mean + slope * x + 1.5 * other]), x[:, None])
    assert abs(found.worth - _worth_of_a_normal(mean, slope)) < 4.0 * found.mc_error
    # The error is of use: it is a fraction of what the number is worth.
    assert 0.0 < found.mc_error < 0.5 * _worth_of_a_normal(mean, slope)


def test_the_worth_of_two_numbers_is_that_of_their_closed_form():
    luck = _luck(4)
    inputs = luck.standard_normal((2_000, 2))
    npv = 0.4 + inputs @ [1.0, 0.5] + luck.standard_normal(2_000)
    found = evppi(np.column_stack([np.zeros(2_000), npv]), inputs)
    assert abs(found.worth - _worth_of_a_normal(0.4, np.sqrt(1.25))) < 4.0 * found.mc_error


def test_two_numbers_that_depend_on_each_other_may_be_asked_about_together():
    # The sum of two normals with variance 1 and correlation 0.8 has variance 2 + 1.6.
    luck = _luck(5)
    one, own = luck.standard_normal((2, 2_000))
    inputs = np.column_stack([one, 0.8 * one + 0.6 * own])
    npv = 0.5 + inputs.sum(axis=1) + luck.standard_normal(2_000)
    found = evppi(np.column_stack([np.zeros(2_000), npv]), inputs)
    assert abs(found.worth - _worth_of_a_normal(0.5, np.sqrt(3.6))) < 4.0 * found.mc_error


def test_a_number_that_does_nothing_is_worth_nothing_within_its_error():
    # 300 seeds of 200 draws at the worst place, where funding and not funding are equally good. Found: in 96 % of them
    # the worth is 0 exactly, since the variance of both its line and its bends falls to nothing; on average it is 0.3 %
    # of what knowing everything is worth (0.4); it is more than 2 errors above 0 in 1 % and more than 3 in none.
    worths, errors = np.empty(300), np.empty(300)
    for seed in range(300):
        luck = _luck(1_000 + seed)
        npv = luck.standard_normal(200)
        found = evppi(np.column_stack([np.zeros(200), npv]), luck.standard_normal((200, 1)), seed=seed)
        worths[seed], errors[seed] = found.worth, found.mc_error
    assert (worths > 2.0 * errors).mean() < 0.05
    assert (worths > 4.0 * errors).sum() == 0
    assert (worths == 0.0).mean() > 0.9
    assert worths.mean() < 0.01 * _worth_of_a_normal(0.0, 1.0)
    # Nothing is never said without an error.
    assert errors.min() > 0.0


def test_twenty_numbers_that_do_nothing_are_worth_nothing_beside_one_that_does():
    luck = _luck(8)
    inputs = luck.standard_normal((200, 21))
    whole = surface((0.3 + inputs[:, 0] + 0.2 * luck.standard_normal(200))[:, None], inputs)
    idle = [known(whole, [place]) for place in range(1, 21)]
    assert all(one.worth <= 2.0 * one.mc_error for one in idle)
    assert max(one.worth for one in idle) < 0.02 * known(whole, [0]).worth


def test_one_fit_of_all_numbers_tells_a_small_one_better_than_a_fit_of_its_own():
    # What the large number does is noise for the fit of the small one alone.
    luck = _luck(9)
    inputs = luck.standard_normal((200, 2))
    npvs = np.column_stack([np.zeros(200), 0.1 + inputs @ [3.0, 0.4] + 0.3 * luck.standard_normal(200)])
    together, own = known(surface(npvs[:, 1:], inputs), [1]), evppi(npvs, inputs[:, [1]])
    # The mean is uncertain by 3 / sqrt(200) = 0.21 in both, so only part of the error goes.
    assert together.mc_error < own.mc_error
    assert abs(together.worth - _worth_of_a_normal(0.1, 0.4)) < 4.0 * together.mc_error


def test_a_decision_that_is_best_in_every_draw_leaves_nothing_to_know():
    luck = _luck(10)
    x = luck.standard_normal((100, 1))
    found = evppi(np.column_stack([np.zeros(100), 50.0 + x[:, 0]]), x)
    assert (found.worth, found.mc_error) == (0.0, 0.0)


def test_a_number_without_spread_is_worth_nothing():
    luck = _luck(11)
    npvs = np.column_stack([np.zeros(50), luck.standard_normal(50)])
    assert evppi(npvs, np.full((50, 1), 3.0)).worth == 0.0


def test_the_same_seed_gives_the_same_error_and_another_one_the_same_worth():
    luck = _luck(12)
    x = luck.standard_normal((200, 1))
    npvs = np.column_stack([np.zeros(200), 0.2 + x[:, 0] + luck.standard_normal(200)])
    one, again, other = evppi(npvs, x, seed=1), evppi(npvs, x, seed=1), evppi(npvs, x, seed=2)
    assert one == again
    assert other.worth == one.worth
    assert other.mc_error != one.mc_error
    # 256 draws of the error tell it to about 1 / sqrt(512) = 4.4 %; 4 of these to either side, of both.
    assert_allclose(other.mc_error, one.mc_error, rtol=4.0 * 0.044 * np.sqrt(2.0))


def test_scaling_the_money_scales_worth_and_error():
    luck = _luck(13)
    x = luck.standard_normal((200, 1))
    npvs = np.column_stack([np.zeros(200), 0.2 + x[:, 0] + luck.standard_normal(200)])
    small, large = evppi(npvs, x), evppi(1e6 * npvs, x)
    # The same steps of the same sums, but for last digits.
    assert_allclose([large.worth, large.mc_error], [1e6 * small.worth, 1e6 * small.mc_error], rtol=1e-6)


def test_knowing_which_case_holds_is_worth_the_choice_that_it_allows():
    # Case one: the programme brings 10 on average, case two -4. Not knowing, it is chosen, for 3; knowing, it is
    # chosen in case one alone, for 10 / 2 = 5: worth 2.
    npvs = np.array([[[0.0, 8.0], [0.0, 12.0]], [[0.0, -3.0], [0.0, -5.0]]])
    found = evppi_of_case(npvs)
    assert found.worth == 2.0
    assert found.mc_error > 0.0


@pytest.mark.parametrize(
    ("npvs", "inputs", "message"),
    [
        (np.zeros((9, 1)), np.zeros((9, 1)), r"two draws and two decisions or more.*found the shape \(9, 1\)"),
        (np.zeros((1, 2)), np.zeros((1, 1)), r"two draws and two decisions or more.*found the shape \(1, 2\)"),
        (np.zeros((9, 2)), np.zeros((8, 1)), r"a row for each draw; found the shapes \(9, 1\) and \(8, 1\)"),
        (np.full((9, 2), np.nan), np.zeros((9, 1)), "must be finite numbers"),
    ],
)
def test_tables_that_do_not_fit_are_refused(npvs, inputs, message):
    with pytest.raises(EstimationError, match=message):
        evppi(npvs, inputs)


def test_a_surface_needs_two_draws():
    with pytest.raises(EstimationError, match="a surface needs 2 draws or more; found 1"):
        surface(np.zeros((1, 1)), np.zeros((1, 1)))


def test_relevance_must_be_said_of_every_output_and_input():
    with pytest.raises(
        EstimationError, match=r"each of 1 outputs which of 2 inputs can matter; found the shape \(2, 2\)"
    ):
        surface(np.zeros((9, 1)), np.zeros((9, 2)), np.ones((2, 2), np.bool_))


def test_what_cannot_matter_explains_nothing():
    luck = _luck(14)
    inputs = luck.standard_normal((100, 2))
    output = inputs.sum(axis=1, keepdims=True)
    whole = surface(output, inputs, np.array([[True, False]]))
    assert known(whole, [1]).worth == 0.0
    assert known(whole, [0]).worth > 0.2
