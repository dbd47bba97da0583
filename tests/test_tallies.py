"""The places of the tallies: none is used twice, and none is left out."""

from __future__ import annotations

import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place, width


@pytest.mark.parametrize("reaches", [0, 1, 3])
def test_every_place_of_an_arm_belongs_to_one_tally(reaches):
    places = [place(count_kind) for count_kind in CountKind]
    places += [place(count_kind, reach) for reach in range(reaches) for count_kind in ReachCountKind]
    assert sorted(places) == list(range(width(reaches)))
