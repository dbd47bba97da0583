"""The base case in; what each uncertain number does to each strategy's NPV when it alone is moved, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cxsim.business.central import Central, Centre, Numbers, Variant
from cxsim.business.numbers import Z90, Number, alone, elsewhere, habits, moved, own_numbers, prices
from cxsim.business_tables import TORNADO
from cxsim.scenario import assumptions
from cxsim.strategies import Strategy
from cxsim.study import Study
from cxsim.tables import check, empty

# Of the numbers of a shop's behaviour there are dozens, and each must be played with every strategy; so many are, those
# that go most closely with the NPV over the draws.
HABITS = 5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Moved:
    """One number moved to both ends, for one strategy.

    Attributes
    ----------
    strategy
        The strategy.
    number
        What was moved.
    low, high
        NPV in every world with the number at its 10 % and at its 90 % quantile.
    """

    strategy: Strategy
    number: Number
    low: Numbers
    high: Numbers

    @property
    def swing(self) -> float:
        """By how much the mean NPV moves from one end to the other."""
        return abs(float((self.high - self.low).mean()))


def moves(base: Central, study: Study, centre: Centre) -> list[Moved]:
    """Return what moving each number alone from its 10 % to its 90 % quantile does to each strategy."""
    strategies = list(alone(base.scenario))
    return [*_own(base, strategies), *_booked(base, strategies, centre), *_behaved(base, study, strategies)]


def tornado(base: Central, every: Sequence[Moved], centre: Centre) -> pl.DataFrame:
    """Return the table of what moving each number does."""
    rows = []
    for strategy in alone(base.scenario):
        ranked = sorted((one for one in every if one.strategy.name == strategy.name), key=_order)
        worth = float(base.npv(centre[strategy.name]).mean())
        rows += [_row(base, one, worth, rank) for rank, one in enumerate(ranked, start=1)]
    return check(pl.DataFrame(rows, schema=empty(TORNADO).schema), TORNADO)


def _order(one: Moved) -> tuple[float, str]:
    return -one.swing, one.number.id


def _own(base: Central, strategies: Sequence[Strategy]) -> Iterator[Moved]:
    """Yield the numbers of the strategies that change what customers do."""
    wanted = [
        (strategy, number) for strategy in strategies for number in own_numbers(strategy) if number.method == "played"
    ]
    ends = [
        Variant(strategies=(moved(strategy, {number.path: number.at(score)}),))
        for strategy, number in wanted
        for score in (-Z90, Z90)
    ]
    played = [base.npv(one) for one in base.play(ends)]
    for place, (strategy, number) in enumerate(wanted):
        yield Moved(strategy=strategy, number=number, low=played[2 * place], high=played[2 * place + 1])


def _booked(base: Central, strategies: Sequence[Strategy], centre: Centre) -> Iterator[Moved]:
    """Yield the prices: of the strategies, and of the shop."""
    for strategy in strategies:
        played = centre[strategy.name]
        for number in own_numbers(strategy):
            if number.method == "booked":
                low, high = (
                    base.npv(played, strategies=(moved(strategy, {number.path: number.at(score)}),))
                    for score in (-Z90, Z90)
                )
                yield Moved(strategy=strategy, number=number, low=low, high=high)
        for number in prices(base.scenario):
            low, high = (base.npv(played, scenario=elsewhere(base, number, number.at(score))) for score in (-Z90, Z90))
            yield Moved(strategy=strategy, number=number, low=low, high=high)


def _behaved(base: Central, study: Study, strategies: Sequence[Strategy]) -> Iterator[Moved]:
    """Yield the numbers of the shop's behaviour that go most closely with what the strategies bring."""
    plain = [Variant(strategies=(strategy,)) for strategy in strategies]
    for number in _closest(study, habits(base.scenario)):
        ends = []
        for score in (-Z90, Z90):
            scenario = elsewhere(base, number, number.at(score))
            ends.append([base.npv(one) for one in base.play(plain, scenario)])
        for strategy, low, high in zip(strategies, *ends, strict=True):
            yield Moved(strategy=strategy, number=number, low=low, high=high)


def _closest(study: Study, numbers: Sequence[Number]) -> list[Number]:
    if len(numbers) <= HABITS:
        return list(numbers)
    drawn = [{name: one.value for name, _, one in assumptions(draw.scenario)} for draw in study.replay.draws]
    worth = study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw").drop("draw").to_numpy()
    closeness = []
    for number in numbers:
        values = np.array([draw[number.id] for draw in drawn])
        closeness.append(max(abs(float(np.corrcoef(values, arm)[0, 1])) for arm in worth.T))
    ranked = sorted(range(len(numbers)), key=lambda place: (-closeness[place], numbers[place].id))
    return [numbers[place] for place in sorted(ranked[:HABITS])]


def _row(base: Central, one: Moved, worth: float, rank: int) -> dict[str, object]:
    return {
        "strategy": one.strategy.name,
        "title": one.strategy.title,
        **one.number.told(),
        "at_low": one.number.at(-Z90),
        "at_high": one.number.at(Z90),
        "npv_base": worth,
        "npv_at_low": float(one.low.mean()),
        "npv_at_high": float(one.high.mean()),
        "swing": one.swing,
        "mc_error": base.error(one.high - one.low),
        "method": one.number.method,
        "rank": rank,
    }
