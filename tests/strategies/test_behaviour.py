"""What a shop's behaviour refuses to be: chances over 1, seasons that stop the shop, parts without what they need."""

from __future__ import annotations

import dataclasses
import re

import pytest

from cxsim.errors import ParamError
from cxsim.params import Unit
from cxsim.strategies.behaviour import MAX_INCIDENTS, PLAIN, Sessions
from tests.simulated import assumed
from tests.simulation.mechanisms import made
from tests.simulation.shops import (
    FULL,
    LATE,
    PEAKED,
    correlation,
    experience,
    incident,
    scale,
    season,
    shop,
    surveys,
    traits,
)

SHARE = assumed(0.5, Unit.SHARE)
LOST = incident("late", 0.6, -1.0, 0.1), incident("lost", 0.5, -1.0, 0.1)
SEVEN = [incident(name, 0.01, 0.0, 0.0) for name in "abcdefg"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: incident("Late!", 0.1, -1.0, 0.1), "incident: 'Late!' is no name; use small letters and underscores"),
        (lambda: incident("late", SHARE, SHARE, SHARE), "incident 'late'.shock: wrong unit 'share'; it must be"),
        (lambda: experience(*LOST), "at the far ends of their ranges the chances add up to 1.1; at most one incident"),
        (lambda: experience(LATE, LATE), "must have different names; found late, late."),
        (lambda: experience(*SEVEN), f"at most {MAX_INCIDENTS} are possible; found 7."),
        (lambda: dataclasses.replace(experience(), incidents=[LATE]), "incidents must be a tuple; found list."),
        (lambda: traits(0.8, 0.5, 0.4), "traits: the squares of the correlations add up to 1.05 at the far ends of"),
        (lambda: correlation(1.5), "is outside what the unit 'correlation' allows: -1 to 1"),
        (lambda: shop(surveys=surveys()), "surveys are about satisfaction, which needs the part 'experience'"),
        (lambda: shop(traits=traits()), "traits are about satisfaction, which needs the part 'experience'"),
        (lambda: season(pattern=(1.0,) * 11), "season.pattern must be 12 numbers, January first; found 11."),
        (lambda: season(pattern=(2.0,) * 12), "season.pattern must have a mean of 1; found 2.0000. Divide every level"),
        (lambda: season(pattern=(float("nan"),) * 12), "season.pattern must be 12 numbers"),
        (lambda: season(amplitude=7.0), "season: with an amplitude of 7 the lowest month falls to -0.05; it must stay"),
        (lambda: scale(5.0, 1.0, -0.1), "scale.noise must be at least 0; found -0.1."),
        (lambda: made(Sessions, conversion=0.0), "sessions.conversion must be at least 0.001; found 0."),
        (lambda: surveys(extremity=SHARE), "surveys.extremity: wrong unit 'share'; it must be 'exponent'"),
    ],
)
def test_a_behaviour_that_cannot_be_is_refused_with_what_is_possible(make, message):
    with pytest.raises(ParamError, match=re.escape(message)):
        make()


def test_a_shop_knows_the_names_of_its_incidents():
    assert FULL.incidents == ("late", "defect", "early")
    assert PLAIN.incidents == ()


def test_levels_of_a_season_have_a_mean_of_exactly_one():
    # Written with two decimals, a mean may be off by half a percent.
    rounded = tuple(level + 0.004 for level in PEAKED)
    assert sum(season(pattern=rounded).levels()) / 12 == pytest.approx(1.0, abs=1e-12)
    assert season(amplitude=1.0).levels()[11] == pytest.approx(1.35, abs=1e-12)
    assert season(amplitude=2.0).levels()[11] == pytest.approx(1.7, abs=1e-12)
