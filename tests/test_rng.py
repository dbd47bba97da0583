"""The tap of luck: the right distributions, no number twice, and the same numbers everywhere and for ever."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from cxsim import rng
from cxsim.jit import lean

NUMBERS = 200_000


def key_of(*place, purpose):
    # Compiled functions give Python its own whole numbers, and take those for signed ones.
    return np.uint64(rng.purpose_key(np.uint64(rng.customer_key(*place)), int(purpose)))


KEY = key_of(20240501, 0, 0, purpose=rng.Purpose.ORDER)

GOLDEN = {
    "key": 17223504161558990076,
    "numbers": ["0x1.3e8d08b6b4552p-2", "0x1.6042c4ff7ca1ap-1", "-0x1.92544f327ab79p-3", "0x1.96f9562512daep-4"],
}


@lean
def fill_uniform(out, key):
    for i in range(len(out)):
        out[i] = rng.uniform(key, i)


@lean
def fill_exponential(out, key):
    for i in range(len(out)):
        out[i] = rng.exponential(key, i)


@lean
def fill_normal(out, key):
    for i in range(len(out)):
        out[i] = rng.normal(key, i)


@lean
def fill_gamma(out, key, shape):
    for i in range(len(out)):
        out[i] = rng.gamma(key, i, shape)


@lean
def fill_by_customer(out, purpose):
    for i in range(len(out)):
        out[i] = rng.uniform(rng.purpose_key(rng.customer_key(7, 0, i), purpose), 0)


@lean
def fill_log(out, arguments):
    for i in range(len(out)):
        out[i] = rng.log(arguments[i])


@lean
def fill_exp(out, arguments):
    for i in range(len(out)):
        out[i] = rng.exp(arguments[i])


def filled(fill, *arguments, size=NUMBERS):
    out = np.empty(size)
    fill(out, *arguments)
    return out


def spacing_apart(ours, library):
    """Return the largest difference in units of the last place."""
    return (np.abs(ours - library) / np.spacing(np.abs(library))).max()


def test_log_is_right_to_one_unit_in_the_last_place():
    # Uniforms as they are drawn, numbers near 1 where the result is small, and everything a double can be.
    luck = np.random.Generator(np.random.Philox(1))
    near = 1.0 + luck.uniform(-0.01, 0.01, 300_000)
    wide = np.exp2(luck.uniform(-1022, 1023, 300_000))
    arguments = np.concatenate([luck.uniform(size=400_000) + 2.0**-54, near, wide])
    assert spacing_apart(filled(fill_log, arguments, size=len(arguments)), np.log(arguments)) <= 1


def test_exp_is_right_to_one_unit_in_the_last_place():
    arguments = np.random.Generator(np.random.Philox(2)).uniform(-700.0, 709.0, 1_000_000)
    assert spacing_apart(filled(fill_exp, arguments, size=len(arguments)), np.exp(arguments)) <= 1


@pytest.mark.parametrize(("argument", "expected"), [(-700.1, 0.0), (-np.inf, 0.0), (0.0, 1.0), (709.1, np.inf)])
def test_exp_at_its_ends(argument, expected):
    assert rng.exp(argument) == expected


# Kolmogorov and Smirnov's test; 1e-4 is about four standard errors.
@pytest.mark.parametrize(
    ("fill", "distribution"),
    [(fill_uniform, stats.uniform()), (fill_exponential, stats.expon()), (fill_normal, stats.norm())],
    ids=["uniform", "exponential", "normal"],
)
def test_numbers_follow_their_distribution(fill, distribution):
    assert stats.kstest(filled(fill, KEY), distribution.cdf).pvalue > 1e-4


@pytest.mark.parametrize("shape", [0.05, 0.24, 0.79, 1.0, 2.4, 6.25, 200.0])
def test_gammas_of_every_shape_follow_their_distribution(shape):
    drawn = filled(fill_gamma, KEY, shape)
    assert stats.kstest(drawn, stats.gamma(shape).cdf).pvalue > 1e-4
    assert abs(drawn.mean() - shape) < 4 * math.sqrt(shape / NUMBERS)


def test_the_tails_of_normals_and_exponentials_are_as_heavy_as_they_should_be():
    # Beyond the last layer of each ziggurat the numbers are made in another way.
    size = 2_000_000
    for fill, beyond, chance in ((fill_normal, 3.5, 2 * stats.norm.sf(3.5)), (fill_exponential, 8.0, math.exp(-8.0))):
        found = (np.abs(filled(fill, KEY, size=size)) > beyond).sum()
        assert abs(found - size * chance) < 4 * math.sqrt(size * chance)


def test_a_uniform_is_never_0_or_1():
    # The smallest and the largest that there can be.
    ends = [rng.share(np.uint64(bits)) for bits in (0, 2**64 - 1)]
    assert 0.0 < ends[0] < ends[1] < 1.0


def test_purposes_customers_and_ordinals_are_not_correlated():
    by_purpose = [filled(fill_by_customer, int(purpose), size=50_000) for purpose in rng.Purpose]
    ordinals = filled(fill_uniform, KEY, size=50_001)
    pairs = [*pairwise(by_purpose), (by_purpose[0][:-1], by_purpose[0][1:]), (ordinals[:-1], ordinals[1:])]
    # A correlation of nothing has a standard error of 1 / sqrt(50,000).
    assert max(abs(np.corrcoef(*pair)[0, 1]) for pair in pairs) < 4 / math.sqrt(50_000)


def test_neighbouring_seeds_draws_and_customers_share_no_key():
    keys = [rng.customer_key(*place) for place in np.ndindex(20, 20, 20)]
    assert len(set(map(int, keys))) == len(keys)


def test_one_gamma_says_nothing_about_the_next():
    drawn = filled(fill_gamma, KEY, 0.24, size=50_001)
    found = stats.spearmanr(drawn[:-1], drawn[1:]).statistic
    assert abs(found) < 4 / math.sqrt(50_000)


def test_no_purpose_was_renumbered():
    # A purpose's number is part of its keys: another number, another result of every study ever made.
    assert [int(purpose) for purpose in rng.Purpose] == list(range(1, 32))
    assert (rng.Purpose.ALIVE, rng.Purpose.ORDER, rng.Purpose.POINTS, rng.Purpose.SESSION) == (1, 7, 13, 31)


def test_a_key_gives_the_numbers_that_it_has_always_given():
    # Read off this code once. They are exact: a change of any bit changes every published result.
    assert int(KEY) == GOLDEN["key"]
    numbers = (rng.uniform(KEY, 0), rng.exponential(KEY, 1), rng.normal(KEY, 2), rng.gamma(KEY, 3, 0.24))
    assert [number.hex() for number in numbers] == GOLDEN["numbers"]


def test_a_stream_is_the_same_in_every_process():
    command = 'from cxsim.rng import stream; print(stream(7, 3, "fit of spend").random(4).tobytes().hex())'
    seen = set()
    for hashing in ("0", "1", "random"):
        environment = {**os.environ, "PYTHONHASHSEED": hashing}
        ran = subprocess.run(
            [sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        seen.add(ran.stdout.strip())
    assert seen == {rng.stream(7, 3, "fit of spend").random(4).tobytes().hex()}


@pytest.mark.parametrize("other", [(8, 3, "fit"), (7, 4, "fit"), (7, 3, "fits"), (73, 0, "fit")])
def test_another_seed_draw_or_name_is_another_stream(other):
    assert rng.stream(7, 3, "fit").random() != rng.stream(*other).random()
