"""The base case in; for each number the value at which a strategy just pays, searched by bracketing, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import PROGRAMME_ACCOUNTS, Account
from cxsim.finance.statement import HIGH, LOW, cash_days, weights
from cxsim.params import BOUNDS, MICROS, MICROS_PER_CENT
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.world import rounded
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import assumptions, with_assumptions
from cxsim.study.business.base_case import (
    Z90,
    Z99,
    Central,
    Centre,
    Number,
    Numbers as CentralNumbers,
    Played,
    Variant,
    alone,
    booked,
    elsewhere,
    habits,
    moved,
    own_numbers,
    prices,
    responding,
)
from cxsim.study.business.contracts import BREAK_EVENS, GRID, GRID_CENTRE, HEAT, RATES, TORNADO
from cxsim.study.result import Study
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
    low: CentralNumbers
    high: CentralNumbers

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
    for index, (strategy, number) in enumerate(wanted):
        yield Moved(strategy=strategy, number=number, low=played[2 * index], high=played[2 * index + 1])


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
    drawn = [{name: one.value for name, _, one in assumptions(draw.scenario)} for draw in study.worlds.draws]
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
        **one.number.sentence(),
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
    tried: dict[float, CentralNumbers]

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
    rows = [
        _break_evens_row(base, search) for strategy in alone(base.scenario) for search in _ranked(searches, strategy)
    ]
    return check(pl.DataFrame(rows, schema=empty(BREAK_EVENS).schema), BREAK_EVENS)


def _begun(base: Central, one: Moved, centre: Centre) -> _Search:
    tried = {-Z90: one.low, 0.0: base.npv(centre[one.strategy.name]), Z90: one.high}
    return _Search(strategy=one.strategy, number=one.number, tried=tried)


def _try(base: Central, centre: Centre, wanted: Sequence[tuple[_Search, float]]) -> None:
    """Try each search at a score: prices are booked again, all else is played in one go."""
    for search, score in wanted:
        if search.number.method == "booked":
            search.tried[score] = _break_evens_booked(base, centre[search.strategy.name], search, score)
    played = [one for one in wanted if one[0].number.method == "played"]
    variants = [
        Variant(strategies=(moved(search.strategy, {search.number.path: search.number.at(score)}),))
        for search, score in played
    ]
    for (search, score), happened in zip(played, base.play(variants), strict=True):
        search.tried[score] = base.npv(happened)


def _break_evens_booked(base: Central, played: Played, search: _Search, score: float) -> CentralNumbers:
    value = search.number.at(score)
    if search.number.id.startswith("economics/"):
        return base.npv(played, scenario=elsewhere(base, search.number, value))
    return base.npv(played, strategies=(moved(search.strategy, {search.number.path: value}),))


def _ranked(searches: Sequence[_Search], strategy: Strategy) -> Iterator[_Search]:
    mine = [search for search in searches if search.strategy.name == strategy.name]
    return iter(sorted(mine, key=_break_evens_order))


def _break_evens_order(search: _Search) -> tuple[float, str]:
    found = search.found()
    return (math.inf if found is None else abs(found), search.number.id)


def _break_evens_row(base: Central, search: _Search) -> dict[str, object]:
    score, number = search.found(), search.number
    nearest = min(search.tried, key=lambda tried: (abs(tried - (score or 0.0)), tried))
    return {
        "strategy": search.strategy.name,
        "title": search.strategy.title,
        **number.sentence(),
        "low": number.at(-Z99),
        "high": number.at(Z99),
        "break_even": None if score is None else number.at(score),
        "score": score,
        "mc_error": base.error(search.tried[nearest]),
        "tries": len(search.tried),
        "method": number.method,
        "npv": search.mean(0.0),
    }


Numbers = npt.NDArray[np.float64]
# Rates around which finance directors think, effective per year; the shop's own stands among them.
_RATES = (0.0, 0.05, 0.10, 0.15, 0.20)
_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Settling:
    """Money of one arm, with what must be settled where the horizon ends.

    Attributes
    ----------
    cash
        What flows in each month, without what is settled at the end: shape (worlds, months).
    settled
        What a horizon that ends with this month settles: points still outstanding, negative, and capital that is tied
        up, positive: the same shape.
    """

    cash: Numbers
    settled: Numbers

    def until(self, months: int) -> Numbers:
        """Return the cash of a horizon of so many months: shape (worlds, months)."""
        flows = self.cash[:, :months].copy()
        flows[:, -1] += self.settled[:, months - 1]
        return flows


def outstanding(counts: npt.NDArray[np.int64], reaches: int) -> Numbers:
    """Return what the points still outstanding at the end of each month are worth, in money.

    Shape (worlds, months): positive; the last is what the ledger charges at the end. Before it, points are worth what
    they are worth at the end, on average.
    """
    open_points = counts[:, :, place(CountKind.POINTS_ISSUED)].astype(np.float64)
    open_points -= counts[:, :, place(CountKind.POINTS_REDEEMED)] + counts[:, :, place(CountKind.POINTS_EXPIRED)]
    open_points = open_points.cumsum(axis=1)
    owed = sum((counts[:, -1, place(ReachCountKind.POINTS_VALUE, reach)] for reach in range(reaches)), np.int64(0))
    final = open_points[:, -1]
    worth = np.divide(owed * MICROS_PER_CENT / MICROS, final, out=np.zeros_like(final), where=final > 0.0)
    total: Numbers = open_points * worth[:, None]
    return total


def settling(study: Study, arm: int) -> Settling:
    """Return an arm's money less the baseline's, with what is settled at the end of any horizon."""
    draws = study.worlds.draws
    played = [draw.arms for draw in draws]
    counts = (study.counts[0], study.counts[arm])
    difference = booked(draws, [[arms[0], arms[arm]] for arms in played], counts).incremental(1)
    capital = difference[:, :, ACCOUNTS.index(Account.WORKING_CAPITAL)].cumsum(axis=1)
    points = outstanding(study.counts[arm], len(played[0][arm]))
    kept = [number for number, account in enumerate(ACCOUNTS) if account != Account.POINTS_LIABILITY]
    return Settling(cash=difference[:, :, kept].sum(axis=2), settled=-points - capital)


def rates(study: Study) -> pl.DataFrame:
    """Return what each strategy is worth over all draws at other discount rates and over shorter horizons."""
    rows = list(_rows(study))
    return check(pl.DataFrame(rows, schema=empty(RATES).schema), RATES)


def _rows(study: Study) -> Iterator[dict[str, object]]:
    scenario = study.scenario
    months = scenario.horizon_months
    horizons = sorted({*range(_MONTHS_PER_YEAR, months, _MONTHS_PER_YEAR), months})
    wanted = sorted({*_RATES, scenario.economics.annual_discount_rate.value})
    for arm, name in enumerate(scenario.arms[1:], start=1):
        money = settling(study, arm)
        for rate in wanted:
            present = weights(scenario.calendar.month_starts, scenario.economics.timing, np.full(len(money.cash), rate))
            for horizon in horizons:
                npv = (money.until(horizon) * present[:, :horizon]).sum(axis=1)
                low, high = np.quantile(npv, (LOW, HIGH))
                yield {
                    "strategy": name,
                    "title": scenario.titles[name],
                    "annual_discount_rate": rate,
                    "horizon_months": horizon,
                    "npv": float(npv.mean()),
                    "low": float(low),
                    "high": float(high),
                    "prob_npv_positive": float((npv > 0.0).mean()),
                }


# Steps over what is believed of the first and of the second number; the grid is even, and holds the central values.
_STEPS = (4, 2)
_UPTAKE = "reach.uptake"
_NUMERIC = ("rest", "per_margin", "programme", "settled", "settled_programme")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Grids:
    """What sliders and heat maps are made of.

    Attributes
    ----------
    grid, centre, heat
        Under GRID, GRID_CENTRE and HEAT.
    """

    grid: pl.DataFrame
    centre: pl.DataFrame
    heat: pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axes:
    """The two numbers of a strategy that are varied; a missing one has one value, 0."""

    strategy: Strategy
    x: Number | None
    y: Number | None

    def nodes(self) -> list[tuple[float, float]]:
        across, along = _STEPS
        return list(product(_even(self.x, across), _even(self.y, along)))

    def at(self, node: tuple[float, float]) -> Variant:
        values = {number.path: value for number, value in zip((self.x, self.y), node, strict=True) if number}
        return Variant(strategies=(moved(self.strategy, values),))

    def sentence(self) -> dict[str, object]:
        sentence: dict[str, object] = {"strategy": self.strategy.name, "title": self.strategy.title}
        for axis, number in (("x", self.x), ("y", self.y)):
            sentence[f"{axis}_id"] = number.id if number else ""
            sentence[f"{axis}_description"] = number.quantity.description if number else ""
            sentence[f"{axis}_unit"] = str(number.quantity.unit) if number else ""
        return sentence


def grids(base: Central, sensitivities: pl.DataFrame) -> Grids:
    """Return every strategy at each node of a grid of its two most influential numbers."""
    axes = [_axes(strategy, sensitivities) for strategy in alone(base.scenario)]
    wanted = [(one, node) for one in axes for node in one.nodes()]
    played = base.play([one.at(node) for one, node in wanted])
    cells, heat = [], []
    for (one, node), happened in zip(wanted, played, strict=True):
        cells.append(_cells(base, one, node, _parts(base, happened)))
        heat.append({**one.sentence(), "x": node[0], "y": node[1], "npv": float(base.npv(happened).mean())})
    return Grids(
        grid=check(pl.concat([empty(GRID), *cells]), GRID),
        centre=check(pl.DataFrame([*_centres(base, axes, heat)], schema=empty(GRID_CENTRE).schema), GRID_CENTRE),
        heat=check(pl.DataFrame(heat, schema=empty(HEAT).schema), HEAT),
    )


def _axes(strategy: Strategy, sensitivities: pl.DataFrame) -> _Axes:
    ranked = sensitivities.filter(pl.col("strategy") == strategy.name).sort("rank")["id"].to_list()
    played = {number.id: number for number in own_numbers(strategy) if number.method == "played"}
    order = [played[name] for name in ranked if name in played]
    effects = [number for number in order if number.path.startswith("effects.")]
    responses = [number for number in effects if number.path in responding(strategy)]
    x = next(iter([*responses, *effects]), None)
    rest = [number for number in order if number is not x]
    y = next((number for number in rest if number.path == _UPTAKE), rest[0] if rest else None)
    return _Axes(strategy=strategy, x=x, y=y)


def _even(number: Number | None, steps: int) -> list[float]:
    """Return evenly spaced values that cover what is believed, the central one among them."""
    if number is None:
        return [0.0]
    (low, high), value, bounds = number.quantity.range, number.quantity.value, BOUNDS[number.quantity.unit]
    step = (high - low) / steps
    below, above = round((value - low) / step), round((high - value) / step)
    nodes = [rounded(value + place * step) for place in range(-below, above + 1)]
    return [node for node in nodes if bounds.low <= node <= bounds.high]


def _parts(base: Central, played: Played) -> dict[str, CentralNumbers]:
    """Return the cash of each month, mean over worlds, as GRID takes it apart: a straight line in the margin."""
    margin = f"economics/{base.scenario.economics.name}/gross_margin"
    at = [with_assumptions(base.scenario, {margin: share}) for share in (0.0, 1.0)]
    none, all_ = (base.flows(played, scenario).incremental(1).mean(axis=0) for scenario in at)
    accounts = {account: place for place, account in enumerate(ACCOUNTS)}
    programme = none[:, [accounts[account] for account in PROGRAMME_ACCOUNTS]].sum(axis=1)
    rest = none.sum(axis=1) - programme - none[:, accounts[Account.POINTS_LIABILITY]]
    reaches = len(played.variant.strategies)
    return {
        "rest": rest,
        "per_margin": (all_ - none).sum(axis=1),
        "programme": programme,
        "settled": -outstanding(played.treated, reaches).mean(axis=0),
        "settled_programme": -none[:, accounts[Account.WORKING_CAPITAL]].cumsum(),
    }


def _cells(base: Central, axes: _Axes, node: tuple[float, float], parts: Mapping[str, CentralNumbers]) -> pl.DataFrame:
    calendar = base.scenario.calendar
    days = cash_days(calendar.month_starts, base.scenario.economics.timing)
    sentence = {**axes.sentence(), "x": node[0], "y": node[1]}
    return pl.DataFrame(
        {
            **{name: [value] * calendar.months for name, value in sentence.items()},
            "month": np.arange(calendar.months, dtype=np.int32),
            "day": days,
            **{name: parts[name] for name in _NUMERIC},
        }
    ).select(empty(GRID).columns)


def _centres(base: Central, axes: Sequence[_Axes], heat: Sequence[Mapping[str, object]]) -> Iterator[dict[str, object]]:
    economics = base.scenario.economics
    for one in axes:
        x, y = (0.0 if number is None else number.quantity.value for number in (one.x, one.y))
        here = (one.strategy.name, rounded(x), rounded(y))
        npv = next(row["npv"] for row in heat if (row["strategy"], row["x"], row["y"]) == here)
        yield {
            "strategy": one.strategy.name,
            "x": here[1],
            "y": here[2],
            "gross_margin": economics.gross_margin.value,
            "margin_low": max(0.0, math.floor(50.0 * economics.gross_margin.value) / 100.0),
            "margin_high": min(1.0, math.ceil(150.0 * economics.gross_margin.value) / 100.0),
            "annual_discount_rate": economics.annual_discount_rate.value,
            "horizon_months": base.scenario.horizon_months,
            "npv": npv,
        }
