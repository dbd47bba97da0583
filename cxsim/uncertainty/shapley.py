"""What each set of players brings in; each player's fair part, which together are the whole, out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Set = frozenset[str]


def feasible_sets(after: Mapping[str, Collection[str]]) -> list[Set]:
    """Return all sets that hold with each player those that it must come after, the smallest first."""
    sets = {frozenset[str]()}
    waiting = [frozenset[str]()]
    while waiting:
        held = waiting.pop()
        for player in _next(held, after):
            larger = held | {player}
            if larger not in sets:
                sets.add(larger)
                waiting.append(larger)
    return sorted(sets, key=lambda one: (len(one), sorted(one)))


def shapley(worths: Mapping[Set, Numbers], after: Mapping[str, Collection[str]]) -> dict[str, Numbers]:
    """Return each player's part: the mean of what it adds over all orders in which the players can come.

    Shapley (1953); where some must come after others, only the orders that respect it count, each as much as the
    other (Faigle & Kern 1992).
    """
    everybody = frozenset(after)

    @cache
    def orders_from(held: Set) -> int:
        """Count the orders in which the others can still come."""
        return 1 if held == everybody else sum(orders_from(held | {player}) for player in _next(held, after))

    @cache
    def orders_to(held: Set) -> int:
        """Count the orders in which these can have come."""
        if not held:
            return 1
        last = [player for player in held if player in _next(held - {player}, after)]
        return sum(orders_to(held - {player}) for player in last if (held - {player}) in worths)

    total = orders_from(frozenset())
    parts: dict[str, Numbers] = {}
    for player in after:
        part = np.zeros_like(worths[everybody], dtype=np.float64)
        for held in worths:
            if player not in held and player in _next(held, after):
                larger = held | {player}
                share = orders_to(held) * orders_from(larger) / total
                part = part + share * (worths[larger] - worths[held])
        parts[player] = part
    return parts


def _next(held: Set, after: Mapping[str, Collection[str]]) -> Sequence[str]:
    return [
        player
        for player, earlier in after.items()
        if player not in held and all(one in held for one in earlier if one in after)
    ]
