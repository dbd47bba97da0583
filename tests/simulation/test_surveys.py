"""What customers say: only those who answer are heard, and who is moved answers more often."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cxsim.params import Unit
from cxsim.simulation.engine import events
from cxsim.simulation.state import ORDER, SURVEY, TICKET
from cxsim.strategies.behaviour import Surveys
from tests.simulated import assumed
from tests.simulation.regulars import regulars
from tests.simulation.shops import LATE, experience, scale, shop, surveys
from tests.simulation.worlds import LOYAL, inputs, share

NPS, CSAT, CES = 0, 1, 2
CROWD = regulars(20_000, months=2)


def journal(asking, **going):
    behaviour = shop(experience=experience(LATE, **going), surveys=asking)
    return events(CROWD, inputs(CROWD, [], latents=LOYAL, behaviour=behaviour), seed=6)


def asked_of(log, instrument):
    return log.filter((pl.col("kind") == SURVEY) & (pl.col("a") == instrument))


def test_the_odds_of_an_answer_rise_with_how_far_satisfaction_is_from_the_middle():
    response, extremity = 0.3, 0.8
    log = journal(surveys(after_order=1.0, response=response, extremity=extremity))
    asked = asked_of(log, NPS)
    felt, answered = asked["d"].to_numpy() / 1000.0, (asked["b"] >= 0).to_numpy()
    odds = response / (1.0 - response) * np.exp(extremity * np.abs(felt))
    chance = odds / (1.0 + odds)
    for low, high in ((0.0, 0.2), (0.2, 1.0), (1.0, 5.0)):
        among = (np.abs(felt) >= low) & (np.abs(felt) < high)
        error = np.sqrt((chance * (1 - chance))[among].sum())
        assert abs(answered[among].sum() - chance[among].sum()) < 4 * error
        assert among.sum() > 1_000


def test_customers_are_asked_after_the_share_of_orders_and_of_tickets_that_was_said():
    log = journal(surveys(after_order=0.4, after_ticket=0.7))
    for kind, instruments, chance in ((ORDER, [NPS], 0.4), (TICKET, [CSAT, CES], 0.7)):
        cases = log.filter(pl.col("kind") == kind).height
        for instrument in instruments:
            asked = asked_of(log, instrument).height
            assert abs(asked - chance * cases) < 4 * np.sqrt(chance * (1 - chance) * cases)


def test_a_score_without_noise_is_the_nearest_whole_number_within_the_ends():
    asking = Surveys(
        after_order=share(1.0),
        after_ticket=share(1.0),
        response=share(0.5),
        extremity=assumed(0.0, Unit.EXPONENT),
        nps=scale(7.5, 2.0, 0.0),
        csat=scale(4.0, 1.0, 0.0),
        ces=scale(5.0, 1.0, 0.0),
    )
    log = journal(asking)
    for instrument, centre, slope, ends in (
        (NPS, 7.5, 2.0, (0, 10)),
        (CSAT, 4.0, 1.0, (1, 5)),
        (CES, 5.0, 1.0, (1, 7)),
    ):
        heard = asked_of(log, instrument).filter(pl.col("b") >= 0)
        said = centre + slope * heard["d"].to_numpy() / 1000.0
        expected = np.clip(np.floor(said + 0.5), *ends)
        # Satisfaction is noted in thousandths, so next to a half either number can be right.
        sure = np.abs(said + 0.5 - np.round(said + 0.5)) > 0.002 * slope
        np.testing.assert_array_equal(heard["b"].to_numpy()[sure], expected[sure])
        assert heard["b"].min() >= ends[0]
        assert heard["b"].max() == ends[1]


@pytest.mark.parametrize("response", [0.0, 1.0])
def test_nobody_or_everybody_answers(response):
    asked = asked_of(journal(surveys(response=response)), NPS)
    assert set((asked["b"] >= 0).to_list()) == {response == 1.0}


def test_being_asked_moves_nothing():
    behaviour = shop(experience=experience(LATE, buying=1.3, leaving=0.8))
    silent = events(CROWD, inputs(CROWD, [], latents=LOYAL, behaviour=behaviour), seed=6)
    asked = journal(surveys(after_order=1.0), buying=1.3, leaving=0.8)
    assert asked.filter(pl.col("kind") != SURVEY).equals(silent)


def test_satisfaction_is_that_of_customers_as_they_are_when_the_shop_changes_nothing():
    # It is counted from the shop's usual level: neither late parcels nor unsolved tickets lower its mean over time.
    log = journal(surveys(after_order=1.0), negativity=2.0, memory=0.5)
    last = asked_of(log, NPS).group_by("customer").agg(felt=pl.col("d").last())["felt"].to_numpy() / 1000.0
    assert abs(last.mean()) < 4 * last.std() / np.sqrt(len(last))
