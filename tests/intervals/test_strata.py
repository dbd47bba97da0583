"""Answers weighed by stratum, and bounds for those who did not answer: worked numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxsim.errors import DataError
from cxsim.intervals import effective_answers, poststratified, worst_case

stratum = st.integers(5, 60).flatmap(
    lambda answers: st.tuples(st.integers(answers, 500), st.just(answers), st.integers(0, answers))
)
strata = st.lists(stratum, min_size=1, max_size=6)


def test_answers_weighed_by_stratum_are_those_worked_by_hand():
    # New customers: 36 of 60 of 600; known ones: 126 of 140 of 400. Raw 162 / 200 = 81 %.
    estimate = poststratified([600, 400], [60, 140], [36, 126])
    assert estimate.value == pytest.approx(0.6 * 0.6 + 0.4 * 0.9)
    # 0.36 * 0.24 / 60 + 0.16 * 0.09 / 140 = 0.001542857
    error = (estimate.high - estimate.low) / 2 / 1.959963984540054
    assert error == pytest.approx(0.039279, abs=5e-7)
    assert error**2 == pytest.approx(0.001542857, abs=5e-10)
    assert (estimate.low, estimate.high) == pytest.approx((0.643014, 0.796986), abs=5e-7)
    assert (estimate.units, estimate.caution) == (200, "")


def test_two_hundred_unequal_answers_are_worth_140():
    # Kish: (sum of weights)**2 over the sum of their squares, 1000**2 / (60 * 10**2 + 140 * (20 / 7)**2).
    worth = effective_answers([600, 400], [60, 140])
    assert worth == pytest.approx(140)
    assert 200 / worth == pytest.approx(1.428571, abs=5e-7)


def test_those_who_did_not_answer_could_have_said_anything():
    estimate = worst_case(162, 200, 1000)
    # All 800 silent ones failures: 162 / 1000; all successes: (162 + 800) / 1000.
    assert (estimate.low, estimate.high) == (0.162, 0.962)
    assert (estimate.value, estimate.level) == (0.81, 1)


@given(strata)
def test_the_weighed_share_lies_within_its_interval_and_that_within_the_scale(rows):
    estimate = poststratified(*zip(*rows, strict=True))
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1


@given(stratum)
def test_one_stratum_is_a_plain_share(row):
    members, answers, successes = row
    estimate = poststratified([members], [answers], [successes])
    share = successes / answers
    half = 1.959963984540054 * math.sqrt(share * (1 - share) / answers)
    assert (estimate.low, estimate.high) == pytest.approx((max(share - half, 0), min(share + half, 1)), abs=1e-12)
    assert effective_answers([members], [answers]) == pytest.approx(answers)


@given(strata)
def test_weighing_never_adds_answers(rows):
    members, answers, _ = zip(*rows, strict=True)
    assert effective_answers(members, answers) <= sum(answers) * (1 + 1e-12)


def test_a_stratum_of_few_answers_says_so():
    assert poststratified([50, 50], [40, 4], [20, 2]).caution == "4 answers in a stratum; put strata together"


def test_a_stratum_without_answers_leaves_no_value():
    estimate = poststratified([50, 50, 0], [40, 0, 0], [20, 0, 0])
    assert (estimate.value, estimate.caution) == (None, "nobody answered in 1 of 3 strata")
    assert poststratified([50], [0], [0]).caution == "nobody"
    with pytest.raises(DataError, match="nobody answered in a stratum"):
        effective_answers([50, 50], [40, 0])


def test_worst_cases_of_nobody():
    assert (worst_case(0, 0, 10).value, worst_case(0, 0, 10).low, worst_case(0, 0, 10).high) == (None, 0, 1)
    assert (worst_case(0, 0, 0).low, worst_case(0, 0, 0).caution) == (None, "nobody")


def test_impossible_numbers_are_refused():
    with pytest.raises(DataError, match="found 3, 2 and 10"):
        worst_case(3, 2, 10)
    with pytest.raises(DataError, match="found 3, 2 and 10 in stratum 2"):
        poststratified([5, 10], [5, 2], [5, 3])
    with pytest.raises(DataError, match="must be members in a stratum; found none"):
        poststratified([0], [0], [0])
