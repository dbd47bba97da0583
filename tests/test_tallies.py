"""The places of the tallies: none is used twice, and none is left out."""

from __future__ import annotations

import pytest

from cxsim.simulation.counts import ReachTally, Tally, place, width


@pytest.mark.parametrize("reaches", [0, 1, 3])
def test_every_place_of_an_arm_belongs_to_one_tally(reaches):
    places = [place(tally) for tally in Tally]
    places += [place(tally, reach) for reach in range(reaches) for tally in ReachTally]
    assert sorted(places) == list(range(width(reaches)))
