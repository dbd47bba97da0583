"""How often to write: fact F21 of the field."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.strategies.mechanisms import Contacts
from tests.simulation.mechanisms import made
from tests.simulation.worlds import MODELS, newcomers, play, programme, total

CADENCES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
MARGIN, COST_CENTS = 0.4, 2.0


@pytest.mark.parametrize("model", MODELS)
def test_profit_is_an_inverted_u_in_the_number_of_letters_a_month_f21(model):
    # Zhang, Kumar & Cosguner (2017): both too few and too many letters lose against the best number.
    letters = [made(Contacts, per_month=often, response=0.08, fatigue=0.006, unsubscribe=0.002) for often in CADENCES]
    counts = play(newcomers(20_000, months=12), *([programme(one)] for one in letters), latents=MODELS[model])
    profits = [
        MARGIN * total(counts, arm, place(CountKind.LIST))
        - COST_CENTS * often * total(counts, arm, place(ReachCountKind.MEMBER_MONTHS))
        for arm, often in enumerate(CADENCES)
    ]
    best = int(np.argmax(profits))
    assert 0 < best < len(CADENCES) - 1
    assert (np.diff(profits[: best + 1]) > 0).all(), "rising up to the best"
    assert (np.diff(profits[best:]) < 0).all(), "falling after it"
    assert profits[-1] < profits[0], "the most letters are worse than none"
