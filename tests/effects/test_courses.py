"""Courses: steps that keep the whole amount of an effect, and courses that cannot be."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxsim.errors import ParamError
from cxsim.params import Unit
from cxsim.strategies.effects import ALWAYS, MAX_STEPS, Course, decay_steps, steps_of
from tests.simulated import assumed


def course(**parts):
    return Course(**{f"{name}_days": assumed(float(value), Unit.DAYS) for name, value in parts.items()})


def area(steps, until=1e5):
    ends = np.minimum(steps[0], until)
    return float(np.diff(ends, prepend=0.0) @ np.array(steps[1]))


lengths = st.floats(1.0, 2_000.0)


@given(lengths)
def test_a_fading_effect_has_the_area_of_its_half_life(half_life):
    steps = course(half_life=half_life).steps()
    assert area(steps) == pytest.approx(half_life / math.log(2.0), rel=1e-12)


@given(lengths, lengths)
def test_a_climb_counts_half_and_a_delay_nothing(delay, ramp):
    until = 10_000.0
    steps = course(delay=delay, ramp=ramp).steps()
    assert area(steps, until) == pytest.approx(until - delay - ramp / 2.0, rel=1e-12)


@given(lengths, lengths, lengths)
def test_a_delayed_climb_that_fades_has_the_area_of_its_parts(delay, ramp, half_life):
    steps = course(delay=delay, ramp=ramp, half_life=half_life).steps()
    assert area(steps) == pytest.approx(ramp / 2.0 + half_life / math.log(2.0), rel=1e-9)


@given(lengths, lengths)
def test_what_lasts_so_many_days_is_over_then(half_life, lasting):
    ends, strengths = course(half_life=half_life, lasts=lasting).steps()
    after = [strength for end, strength in zip(ends, strengths, strict=True) if end > lasting]
    assert set(after) == {0.0}
    assert max(strengths) <= 1.0


# A part may be left out by a length of 0; shorter than a minute is no part.
parts = st.just(0.0) | st.floats(1e-3, 500.0)


@given(parts, parts, lengths, st.floats(501.0, 5_000.0))
def test_steps_follow_each_other_and_are_not_too_many(delay, ramp, half_life, lasting):
    ends, strengths = course(delay=delay, ramp=ramp, half_life=half_life, lasts=lasting).steps()
    assert len(ends) == len(strengths) <= MAX_STEPS
    assert ends[-1] == math.inf
    assert all(before < after for before, after in pairwise(ends))
    assert all(0.0 <= strength <= 1.0 for strength in strengths)


@given(parts, parts, lengths | st.none(), st.floats(501.0, 5_000.0))
def test_an_end_in_the_middle_of_a_step_leaves_what_the_course_had_done_by_then(delay, ramp, half_life, lasting):
    fading = {} if half_life is None else {"half_life": half_life}
    climbed = min(max(lasting - delay, 0.0), ramp)
    whole = lasting - delay - ramp
    if half_life is not None:
        whole = half_life / math.log(2.0) * (1.0 - 2.0 ** (-max(whole, 0.0) / half_life))
    expected = (climbed**2 / (2.0 * ramp) if ramp else 0.0) + max(whole, 0.0)
    found = area(course(delay=delay, ramp=ramp, lasts=lasting, **fading).steps())
    # Of a fading that goes on for more than eight half-lives, what comes later is counted in its last step.
    late = half_life is not None and lasting - delay - ramp > 8.0 * half_life
    assert found == pytest.approx(expected, rel=2.0**-8 if late else 1e-9)


def test_parts_of_no_length_take_no_step():
    assert course(delay=0, ramp=0).steps() == steps_of(None) == ALWAYS


def test_a_decay_only_falls():
    _, strengths = decay_steps(30.0)
    assert list(strengths) == sorted(strengths, reverse=True)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {},
            "course: there is nothing in it; write one of delay_days, ramp_days, half_life_days, lasts_days, or leave",
        ),
        ({"half_life": 0}, r"course\.half_life_days must be above 0; an effect that is gone at once is none"),
        (
            {"delay": 90, "lasts": 60},
            r"it may begin only after 90 days \(delay_days\) and be over after 60 \(lasts_days\): nothing is left",
        ),
        ({"delay": 60, "lasts": 60}, "nothing is left; lasts_days is counted from the beginning"),
    ],
)
def test_a_course_that_cannot_be_is_refused(parts, message):
    with pytest.raises(ParamError, match=message):
        course(**parts)


def test_a_course_whose_ranges_could_cross_is_refused():
    with pytest.raises(ParamError, match=r"begin only after 80 days.*over after 70"):
        Course(
            delay_days=assumed(50.0, Unit.DAYS, range=(30.0, 80.0)),
            lasts_days=assumed(90.0, Unit.DAYS, range=(70.0, 120.0)),
        )


def test_a_course_in_another_unit_is_refused():
    with pytest.raises(ParamError, match=r"course\.ramp_days: wrong unit 'share'; it must be 'days'"):
        Course(ramp_days=assumed(0.5, Unit.SHARE))
