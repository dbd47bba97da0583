"""Fair parts of a whole: they add up, and no order of the players matters more than another."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxsim.finance.uncertainty import feasible_sets, shapley

PLAYERS = ("a", "b", "c", "d")
FREE: dict[str, tuple[str, ...]] = dict.fromkeys(PLAYERS, ())
BOUND = {"a": (), "b": ("a",), "c": ("a",), "d": ()}


def worths_of(after, numbers):
    return {held: np.array(number) for held, number in zip(feasible_sets(after), numbers, strict=False)}


def by_hand(worths, after):
    """Go through every order of the players one by one."""
    parts, orders = dict.fromkeys(after, 0.0), 0
    for order in permutations(after):
        if all(order.index(one) > order.index(earlier) for one in after for earlier in after[one]):
            orders += 1
            for place, player in enumerate(order):
                parts[player] += float(worths[frozenset(order[: place + 1])] - worths[frozenset(order[:place])])
    return {player: part / orders for player, part in parts.items()}


def test_the_glove_game():
    """One left glove and two right ones, a pair is worth 1: the left one gets 2/3, each right one 1/6."""
    after = {"left": (), "right": (), "other": ()}
    worths = {held: np.array(float("left" in held and len(held) > 1)) for held in feasible_sets(after)}
    parts = shapley(worths, after)
    assert [float(parts[one]) for one in after] == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-15)


@pytest.mark.parametrize("after", [FREE, BOUND])
@given(numbers=st.lists(st.floats(-1e6, 1e6), min_size=16, max_size=16))
def test_parts_add_up_and_are_means_over_all_orders(after, numbers):
    worths = worths_of(after, numbers)
    parts = shapley(worths, after)
    whole = float(worths[frozenset(after)] - worths[frozenset()])
    # Sums of at most 16 numbers up to a million: a few roundings of 1e-10 each.
    assert float(sum(parts.values())) == pytest.approx(whole, abs=1e-8)
    assert {player: float(part) for player, part in parts.items()} == pytest.approx(by_hand(worths, after), abs=1e-8)


def test_who_adds_nothing_gets_nothing():
    worths = {held: np.array(10.0 * ("a" in held)) for held in feasible_sets({"a": (), "b": ()})}
    assert {player: float(part) for player, part in shapley(worths, {"a": (), "b": ()}).items()} == {
        "a": 10.0,
        "b": 0.0,
    }


def test_sets_hold_whom_their_members_must_come_after():
    assert [sorted(one) for one in feasible_sets(BOUND)] == [
        [], ["a"], ["d"], ["a", "b"], ["a", "c"], ["a", "d"], ["a", "b", "c"], ["a", "b", "d"], ["a", "c", "d"],
        ["a", "b", "c", "d"],
    ]  # fmt: skip
