"""Points: earned whole, redeemed at a share, lapsed after their days, owed in full."""

from __future__ import annotations

import numpy as np
import pytest

from cxsim.simulation.counts import CountKind, ReachCountKind, place
from tests.simulated import orders
from tests.simulation.worlds import CDNOW, LOYAL, inputs, newcomers, play, points, programme, total

SHOPPERS = newcomers(500, months=12)
POINTS_VALUE = place(ReachCountKind.POINTS_VALUE)


def test_a_reward_larger_than_the_order_is_not_given():
    # Orders cost about 10.00: rewards of 11.00 wait for ever, rewards of 9.00 do not.
    arms = [[programme(points(threshold=12.0, reward=reward))] for reward in (11.0, 9.0)]
    counts = play(SHOPPERS, *arms, latents=LOYAL)
    assert total(counts, 0, place(CountKind.REWARD)) == 0
    assert total(counts, 1, place(CountKind.REWARD)) > 0


def test_a_full_card_is_redeemed_on_the_share_of_orders_with_one():
    # Every order of about 10 fills a card of 2 points, so every order but the first could redeem one.
    counts = play(SHOPPERS, [programme(points(threshold=2.0, reward=1.0, redemption=0.7))], latents=LOYAL)
    chances = total(counts, 0, place(CountKind.ORDERS)) - SHOPPERS.size
    used = total(counts, 0, place(CountKind.REWARD)) / 100
    assert abs(used - 0.7 * chances) < 4 * np.sqrt(0.7 * 0.3 * chances)


def test_points_are_whole_and_none_is_lost_to_binary_fractions():
    # 29 points for one unit of money: 0.29 points a cent times 100 cents is a hair below 29 in doubles.
    population = newcomers(2_000)
    giving = [programme(points(earn=29.0, threshold=1000.0, redemption=0.0))]
    cents = orders(population, inputs(population, giving), seed=5)["amount"].to_numpy() * 100
    expected = (29 * np.rint(cents).astype(np.int64) // 100).sum()
    assert total(play(population, giving, seed=5), 0, place(CountKind.POINTS_ISSUED)) == expected


@pytest.mark.parametrize(
    ("expiry_days", "fate"), [(0.0, CountKind.POINTS_EXPIRED), (36_525.0, CountKind.POINTS_OUTSTANDING)]
)
def test_points_lapse_after_their_days_and_not_before(expiry_days, fate):
    giving = [programme(points(expiry_days=expiry_days, redemption=0.0))]
    counts = play(newcomers(2_000), giving)
    assert total(counts, 0, place(fate)) == total(counts, 0, place(CountKind.POINTS_ISSUED)) > 0


def test_points_lapse_in_the_month_in_which_their_days_are_over():
    # Nobody orders twice, so points of July's orders lapse 100 days later: between 9 October and 8 November.
    once = CDNOW._replace(alpha=1e12)
    counts = play(newcomers(2_000, months=12), [programme(points(expiry_days=100.0))], latents=once)
    lapsed = counts.by_arm[0][1, :, place(CountKind.POINTS_EXPIRED)]
    assert np.flatnonzero(lapsed).tolist() == [3, 4]
    assert lapsed.sum() == total(counts, 0, place(CountKind.POINTS_ISSUED))


def test_a_customers_points_still_held_are_owed_in_full_and_rounded_up():
    # One order of about 10.00 gives 10 points; 10 of 300 points for a reward of 5.00 are 16.67 cents, so 17 are owed.
    once = LOYAL._replace(alpha=1e18, p=1e14, q=1e14)
    counts = play(newcomers(100, months=1), [programme(points(earn=1.001, threshold=300.0, reward=5.0))], latents=once)
    assert total(counts, 0, place(CountKind.POINTS_OUTSTANDING)) == 100 * 10
    assert total(counts, 0, POINTS_VALUE) == 100 * 17
