"""EVPPI by regression beside brute force: thousands of outer draws, thousands of inner draws for each."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.finance.information import known, surface

OUTER, INNER = 3_000, 2_000
GROUPS = [(0,), (1,), (2,), (3,), (0, 1), (2, 3), (0, 1, 2)]


def evppi(npvs, inputs, *, seed=0):
    return known(surface(npvs[:, 1:] - npvs[:, :1], inputs), range(inputs.shape[1]), seed=seed)


def _npvs(inputs):
    """Three decisions: nothing, one that grows exponentially with an interaction, one that saturates and is bent."""
    a, b, c, d = np.moveaxis(inputs, -1, 0)
    one = 3.0 * np.exp(0.4 * a) - 3.1 + 1.5 * b + 1.2 * a * b + 0.8 * c
    two = 2.0 * np.tanh(2.0 * c) + 0.5 * np.square(d) - 0.6 + 0.6 * b
    return np.stack([np.zeros_like(one), one, two], axis=-1)


def _nested(places, seed):
    """Return E[max E[NPV | inputs]] - max E[NPV], and its standard error over outer draws."""
    luck = np.random.Generator(np.random.PCG64(seed))
    means = np.empty((OUTER, 3))
    for row, known_values in enumerate(luck.standard_normal((OUTER, len(places)))):
        inputs = luck.standard_normal((INNER, 4))
        inputs[:, places] = known_values
        means[row] = _npvs(inputs).mean(axis=0)
    regret = means.max(axis=1) - means[:, means.mean(axis=0).argmax()]
    return regret.mean(), regret.std(ddof=1) / np.sqrt(OUTER)


@pytest.fixture(scope="module")
def brute_force():
    return {places: _nested(list(places), 7) for places in GROUPS}


# Both sides have an error, so it is the root of the sum of both squares that counts, four times: about 0.1 of worths of
# 0.2 to 1.2. The inner means' own error, at most 5 / sqrt(2,000) = 0.11, lifts the brute force by less than 0.01, since
# it counts only where two decisions are within it of each other.
@pytest.mark.parametrize("places", GROUPS)
@pytest.mark.parametrize("draws", [200, 2_000])
def test_regression_finds_what_nested_simulation_finds(brute_force, places, draws):
    inputs = np.random.Generator(np.random.PCG64(100)).standard_normal((draws, 4))
    npvs = _npvs(inputs)
    worth, error = brute_force[places]
    own = evppi(npvs, inputs[:, list(places)])
    among_all = known(surface(npvs[:, 1:], inputs), places)
    for found in (own, among_all):
        assert abs(found.worth - worth) < 4.0 * np.hypot(found.mc_error, error)
        assert found.mc_error < {200: 0.15, 2_000: 0.06}[draws]


def test_errors_of_the_regression_are_as_large_as_its_misses(brute_force):
    # 40 sets of 200 draws, all groups: the misses in units of their errors. Were they standard normal, their root mean
    # square would be 1, and known to 1 / sqrt(2 x 40) = 11 %, since groups of one set go together; 0.56 to 1.44 is 4 of
    # these to either side. Found: 1.11, and -0.41 on average.
    misses = []
    for seed in range(40):
        inputs = np.random.Generator(np.random.PCG64(500 + seed)).standard_normal((200, 4))
        whole = surface(_npvs(inputs)[:, 1:], inputs)
        for places in GROUPS:
            found, (worth, error) = known(whole, places), brute_force[places]
            misses.append((found.worth - worth) / np.hypot(found.mc_error, error))
    assert 0.56 < np.sqrt(np.square(misses).mean()) < 1.44
    # And they are not all to one side: a shrunken fit errs low by less than its error.
    assert abs(np.mean(misses)) < 1.0
