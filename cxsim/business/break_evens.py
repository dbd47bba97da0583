"""The base case in; for each number the value at which a strategy just pays, searched by bracketing, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from cxsim.business.central import Central, Centre, Numbers, Played, Variant
from cxsim.business.numbers import Z90, Z99, Number, alone, elsewhere, moved
from cxsim.business.tornado import Moved
from cxsim.business_tables import BREAK_EVENS
from cxsim.strategies import Strategy
from cxsim.tables import check, empty

# To a fiftieth of a standard deviation of what is believed, inside which the curve is straight, or so many rounds.
_NEAR = 0.02
_ROUNDS = 8
# The 1 % and 99 % quantiles lie 1.8 times as far out as the 10 % and 90 % ones, where every number has been played. One
# that goes less than a quarter of the way to zero there would have to bend sharply to cross it, and is not followed.
_FAR_ENOUGH = 0.25


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class _Search:
    """A number whose break-even is looked for: the NPV in every world at the scores that were tried."""

    strategy: Strategy
    number: Number
    tried: dict[float, Numbers]

    def mean(self, score: float) -> float:
        return float(self.tried[score].mean())

    def ends(self) -> list[float]:
        """Return the outermost scores that are worth trying: those towards which the NPV goes far enough to zero."""
        centre = self.mean(0.0)
        return [
            math.copysign(Z99, score)
            for score in (-Z90, Z90)
            if (self.mean(score) - centre) * centre < -_FAR_ENOUGH * centre**2
        ]

    def bracket(self) -> tuple[float, float] | None:
        """Return the two neighbouring scores, nearest to the middle, between which the sign changes."""
        scores = sorted(self.tried)
        pairs = [(low, high) for low, high in pairwise(scores) if (self.mean(low) > 0.0) != (self.mean(high) > 0.0)]
        return min(pairs, key=lambda pair: (abs(pair[0] + pair[1]), pair), default=None)

    def next(self) -> float | None:
        """Return the score to be tried next; None where the bracket is narrow enough or there is none."""
        ends = self.bracket()
        if ends is None or ends[1] - ends[0] <= _NEAR:
            return None
        low, high = ends
        # False position, kept off the ends, so that the bracket shrinks from both sides.
        share = self.mean(low) / (self.mean(low) - self.mean(high))
        return low + min(max(share, 0.1), 0.9) * (high - low)

    def found(self) -> float | None:
        """Return the score of the break-even, by a straight line inside the bracket."""
        ends = self.bracket()
        if ends is None:
            return None
        low, high = ends
        return low + (high - low) * self.mean(low) / (self.mean(low) - self.mean(high))


def break_evens(base: Central, every: Sequence[Moved], centre: Centre) -> pl.DataFrame:
    """Return for each uncertain number of each strategy, and each price, the value at which the strategy just pays.

    All else stands at its central value, and the luck is the same at every size, so the NPV is a smooth curve of it.
    It is followed to the 1 % and 99 % quantiles of what is believed where at the 10 % or 90 % one it has come at least
    a quarter of the way to zero.
    """
    searches = [_begun(base, one, centre) for one in every if not one.number.id.startswith("behaviour/")]
    _try(base, centre, [(search, score) for search in searches for score in search.ends()])
    for _ in range(_ROUNDS):
        wanted = [(search, score) for search in searches if (score := search.next()) is not None]
        if not wanted:
            break
        _try(base, centre, wanted)
    rows = [_row(base, search) for strategy in alone(base.scenario) for search in _ranked(searches, strategy)]
    return check(pl.DataFrame(rows, schema=empty(BREAK_EVENS).schema), BREAK_EVENS)


def _begun(base: Central, one: Moved, centre: Centre) -> _Search:
    tried = {-Z90: one.low, 0.0: base.npv(centre[one.strategy.name]), Z90: one.high}
    return _Search(strategy=one.strategy, number=one.number, tried=tried)


def _try(base: Central, centre: Centre, wanted: Sequence[tuple[_Search, float]]) -> None:
    """Try each search at a score: prices are booked again, all else is played in one go."""
    for search, score in wanted:
        if search.number.method == "booked":
            search.tried[score] = _booked(base, centre[search.strategy.name], search, score)
    played = [one for one in wanted if one[0].number.method == "played"]
    variants = [
        Variant(strategies=(moved(search.strategy, {search.number.path: search.number.at(score)}),))
        for search, score in played
    ]
    for (search, score), happened in zip(played, base.play(variants), strict=True):
        search.tried[score] = base.npv(happened)


def _booked(base: Central, played: Played, search: _Search, score: float) -> Numbers:
    value = search.number.at(score)
    if search.number.id.startswith("economics/"):
        return base.npv(played, scenario=elsewhere(base, search.number, value))
    return base.npv(played, strategies=(moved(search.strategy, {search.number.path: value}),))


def _ranked(searches: Sequence[_Search], strategy: Strategy) -> Iterator[_Search]:
    mine = [search for search in searches if search.strategy.name == strategy.name]
    return iter(sorted(mine, key=_order))


def _order(search: _Search) -> tuple[float, str]:
    found = search.found()
    return (math.inf if found is None else abs(found), search.number.id)


def _row(base: Central, search: _Search) -> dict[str, object]:
    score, number = search.found(), search.number
    nearest = min(search.tried, key=lambda tried: (abs(tried - (score or 0.0)), tried))
    return {
        "strategy": search.strategy.name,
        "title": search.strategy.title,
        **number.told(),
        "low": number.at(-Z99),
        "high": number.at(Z99),
        "break_even": None if score is None else number.at(score),
        "score": score,
        "mc_error": base.error(search.tried[nearest]),
        "tries": len(search.tried),
        "method": number.method,
        "npv": search.mean(0.0),
    }
