"""The base case in; tornado, break-even values, grids of two numbers, and NPV at other rates and horizons, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import polars as pl

from cxsim.finance.economics import ACCOUNTS
from cxsim.finance.ledger import PROGRAMME_ACCOUNTS, Account
from cxsim.finance.statement import HIGH, LOW, MONTHS_PER_YEAR, cash_days, flows, weights
from cxsim.params import BOUNDS, MICROS, MICROS_PER_CENT, with_values
from cxsim.simulation.counts import CountKind, ReachCountKind, place
from cxsim.simulation.world import rounded
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import assumptions, with_assumptions
from cxsim.study.business.base_case import (
    Z90,
    Z99,
    BaseCase,
    Counts,
    Numbers,
    Outcome,
    UncertainNumber,
    strategies_with_prior,
    uncertain_numbers,
)
from cxsim.study.business.pathways import responding
from cxsim.study.result import Study
from cxsim.tables import COUNT, INDEX, REAL, TEXT, Contract, check, empty, table_of

# The two numbers of a grid; a missing one has one value, 0.
Axes = tuple[UncertainNumber | None, UncertainNumber | None]

# One assumption moved from its 10 % to its 90 % quantile, all others at their central value. npv_base: with this one
# at its central value too. method: `simulated` again, or `booked` again where it is a price and changes no behaviour.
TORNADO = Contract(
    "TORNADO",
    TEXT("strategy", "title", "id", "belongs_to", "description", "unit"),
    REAL("value", "at_low", "at_high", "npv_base", "npv_at_low", "npv_at_high", "swing", "mc_error"),
    TEXT("method"),
    COUNT("rank"),
)
# The value of one assumption at which the base case's NPV is zero; null where it is zero nowhere between low and high,
# the ends of what was searched (the 1 % and 99 % quantiles of its prior). score: how far the break-even is from
# the central value, in standard deviations of its prior; evaluations: at how
# many values the NPV was found for it.
# NPV of the base case, at the value.
BREAK_EVENS = Contract(
    "BREAK_EVENS",
    TEXT("strategy", "title", "id", "belongs_to", "description", "unit"),
    REAL("value", "low", "high", "break_even", "score", "mc_error"),
    COUNT("evaluations"),
    TEXT("method"),
    REAL("npv"),
    nullable=("break_even", "score"),
)
# What a strategy's base case brings at each node of a grid of two of its own numbers, month by month, taken apart so
# that it can be booked again with another margin, discount rate, horizon and cost: cash of a month is
# rest + gross_margin * per_margin + cost_factor * programme; a horizon that ends with this month settles `settled` as
# well (points still outstanding, negative, and working capital, which is multiplied by cost_factor like programme:
# settled_programme). day: when the month's cash flows, in days from the start. x_id or y_id is empty where the strategy
# has no such number, and x or y is then 0.
GRID = Contract(
    "GRID",
    TEXT("strategy", "title", "x_id", "x_description", "x_unit", "y_id", "y_description", "y_unit"),
    REAL("x", "y"),
    INDEX("month"),
    REAL("day", "rest", "per_margin", "programme", "settled", "settled_programme"),
)
# What the sliders start from and how far they go, and the heat map's place.
GRID_CENTRE = Contract(
    "GRID_CENTRE",
    TEXT("strategy"),
    REAL("x", "y", "gross_margin", "margin_low", "margin_high", "annual_discount_rate"),
    COUNT("horizon_months"),
    REAL("npv"),
)
# NPV at each node of the same grid, everything else at its central value.
HEAT = Contract(
    "HEAT",
    TEXT("strategy", "title", "x_id", "x_description", "x_unit", "y_id", "y_description", "y_unit"),
    REAL("x", "y", "npv"),
)
# NPV over all draws at other discount rates and shorter horizons; points still outstanding at the end are settled.
RATES = Contract(
    "RATES",
    TEXT("strategy", "title"),
    REAL("annual_discount_rate"),
    COUNT("horizon_months"),
    REAL("npv", "low", "high", "prob_npv_positive"),
)
# Of the numbers of a shop's behaviour there are dozens, and each must be simulated with every strategy; so many are,
# those that correlate most with the NPV over the draws.
_BEHAVIOUR_NUMBERS = 5
# A break-even is found to a fiftieth of a standard deviation of the prior, inside which the curve is straight, or in so
# many rounds.
_NEAR = 0.02
_ROUNDS = 8
# The 1 % and 99 % quantiles lie 1.8 times as far out as the 10 % and 90 % ones, where every number has been evaluated.
# One that goes less than a quarter of the way to zero there would have to bend sharply to cross it: not followed.
_FAR_ENOUGH = 0.25
# Rates around which finance directors think, effective per year; the shop's own stands among them.
_RATES = (0.0, 0.05, 0.10, 0.15, 0.20)
# Steps over the range of the first and of the second number; the grid is even, and holds the central values.
_STEPS = (4, 2)
_UPTAKE = "reach.uptake"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Sensitivity:
    """One-at-a-time variation of a number, for one strategy: NPV by world at its 10 % and at its 90 % quantile."""

    strategy: Strategy
    number: UncertainNumber
    low: Numbers
    high: Numbers

    @property
    def swing(self) -> float:
        """By how much the mean NPV moves from one end to the other."""
        return abs(float((self.high - self.low).mean()))


def sensitivities(base: BaseCase, study: Study) -> list[Sensitivity]:
    """Return what moving each number alone from its 10 % to its 90 % quantile does to each strategy."""
    scenario = base.scenario
    strategies = strategies_with_prior(scenario)
    pairs = [
        (strategy, number)
        for strategy in strategies
        for number in (*uncertain_numbers("strategies", strategy), *uncertain_numbers("economics", scenario.economics))
    ]
    ends = [_npvs_at(base, [(*pair, score) for pair in pairs]) for score in (-Z90, Z90)]
    for number in _most_correlated(study, uncertain_numbers("behaviour", scenario.behaviour)):
        pairs += [(strategy, number) for strategy in strategies]
        for npvs, score in zip(ends, (-Z90, Z90), strict=True):
            varied = with_assumptions(scenario, {number.id: number.at(score)})
            outcomes = base.simulate([(strategy,) for strategy in strategies], varied)
            npvs += [base.npv(outcome) for outcome in outcomes]
    return [
        Sensitivity(strategy=strategy, number=number, low=low, high=high)
        for (strategy, number), low, high in zip(pairs, *ends, strict=True)
    ]


def _npvs_at(base: BaseCase, wanted: Sequence[tuple[Strategy, UncertainNumber, float]]) -> list[Numbers]:
    """Return the NPV by world of strategies with one number at a score; prices are booked again, not simulated."""
    variants = [
        (with_values(strategy, {number.path: number.at(score)}),)
        for strategy, number, score in wanted
        if number.method == "simulated"
    ]
    outcomes = iter(base.simulate(variants))
    npvs = []
    for strategy, number, score in wanted:
        if number.method == "simulated":
            npvs.append(base.npv(next(outcomes)))
        elif number.id.startswith("economics/"):
            priced = with_assumptions(base.scenario, {number.id: number.at(score)})
            npvs.append(base.npv(base.outcomes[strategy.name], scenario=priced))
        else:
            varied = (with_values(strategy, {number.path: number.at(score)}),)
            npvs.append(base.npv(base.outcomes[strategy.name], strategies=varied))
    return npvs


def _most_correlated(study: Study, numbers: Sequence[UncertainNumber]) -> list[UncertainNumber]:
    if len(numbers) <= _BEHAVIOUR_NUMBERS:
        return list(numbers)
    drawn = [{name: one.value for name, _, one in assumptions(draw.scenario)} for draw in study.worlds.draws]
    npvs = study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw").drop("draw").to_numpy()
    correlations = []
    for number in numbers:
        values = np.array([draw[number.id] for draw in drawn])
        correlations.append(max(abs(float(np.corrcoef(values, npv)[0, 1])) for npv in npvs.T))
    ranked = sorted(range(len(numbers)), key=lambda at: (-correlations[at], numbers[at].id))
    return [numbers[at] for at in sorted(ranked[:_BEHAVIOUR_NUMBERS])]


def tornado(base: BaseCase, sensitivities: Sequence[Sensitivity]) -> pl.DataFrame:
    """Return the table of one-at-a-time variations, the largest swing first."""
    rows = []
    for strategy in strategies_with_prior(base.scenario):
        mine = (one for one in sensitivities if one.strategy.name == strategy.name)
        npv = float(base.npv(base.outcomes[strategy.name]).mean())
        rows += [
            {
                "strategy": strategy.name,
                "title": strategy.title,
                **one.number.description(),
                "at_low": one.number.at(-Z90),
                "at_high": one.number.at(Z90),
                "npv_base": npv,
                "npv_at_low": float(one.low.mean()),
                "npv_at_high": float(one.high.mean()),
                "swing": one.swing,
                "mc_error": base.error(one.high - one.low),
                "method": one.number.method,
                "rank": rank,
            }
            for rank, one in enumerate(sorted(mine, key=lambda one: (-one.swing, one.number.id)), start=1)
        ]
    return table_of(rows, TORNADO)


def break_evens(base: BaseCase, sensitivities: Sequence[Sensitivity]) -> pl.DataFrame:
    """Return for each uncertain number of each strategy, and each price, the value at which the strategy just pays.

    All else stands at its central value, and the random numbers are the same at every value, so the NPV is a smooth
    curve of it. It is followed to the 1 % and 99 % quantiles where at the 10 % or 90 % one it has come at least a
    quarter of the way to zero.
    """
    searches = [
        _Search(
            strategy=one.strategy,
            number=one.number,
            npvs={-Z90: one.low, 0.0: base.npv(base.outcomes[one.strategy.name]), Z90: one.high},
        )
        for one in sensitivities
        if not one.number.id.startswith("behaviour/")
    ]
    wanted: list[tuple[_Search, float]] = [(search, score) for search in searches for score in search.ends()]
    for _ in range(_ROUNDS + 1):
        npvs = _npvs_at(base, [(search.strategy, search.number, score) for search, score in wanted])
        for (search, score), npv in zip(wanted, npvs, strict=True):
            search.npvs[score] = npv
        wanted = [(search, following) for search in searches if (following := search.next()) is not None]
    ranked = sorted(searches, key=_Search.order)
    rows = [
        search.row(base)
        for strategy in strategies_with_prior(base.scenario)
        for search in ranked
        if search.strategy.name == strategy.name
    ]
    return table_of(rows, BREAK_EVENS)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class _Search:
    """A number whose break-even is searched: the NPV in every world at the scores that were evaluated."""

    strategy: Strategy
    number: UncertainNumber
    npvs: dict[float, Numbers]

    def mean(self, score: float) -> float:
        return float(self.npvs[score].mean())

    def ends(self) -> list[float]:
        """Return the outermost scores towards which the NPV goes far enough to zero."""
        centre = self.mean(0.0)
        return [
            math.copysign(Z99, score)
            for score in (-Z90, Z90)
            if (self.mean(score) - centre) * centre < -_FAR_ENOUGH * centre**2
        ]

    def bracket(self) -> tuple[float, float] | None:
        """Return the two neighbouring scores, nearest to the middle, between which the sign changes."""
        pairs = [
            (low, high)
            for low, high in pairwise(sorted(self.npvs))
            if (self.mean(low) > 0.0) != (self.mean(high) > 0.0)
        ]
        return min(pairs, key=lambda pair: (abs(pair[0] + pair[1]), pair), default=None)

    def next(self) -> float | None:
        """Return the score to be evaluated next; None where the bracket is narrow enough or there is none."""
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

    def order(self) -> tuple[float, str]:
        found = self.found()
        return (math.inf if found is None else abs(found), self.number.id)

    def row(self, base: BaseCase) -> dict[str, object]:
        score, number = self.found(), self.number
        nearest = min(self.npvs, key=lambda evaluated: (abs(evaluated - (score or 0.0)), evaluated))
        return {
            "strategy": self.strategy.name,
            "title": self.strategy.title,
            **number.description(),
            "low": number.at(-Z99),
            "high": number.at(Z99),
            "break_even": None if score is None else number.at(score),
            "score": score,
            "mc_error": base.error(self.npvs[nearest]),
            "evaluations": len(self.npvs),
            "method": number.method,
            "npv": self.mean(0.0),
        }


def rates(study: Study) -> pl.DataFrame:
    """Return the NPV of each strategy over all draws at other discount rates and over shorter horizons."""
    scenario = study.scenario
    months = scenario.horizon_months
    horizons = sorted({*range(MONTHS_PER_YEAR, months, MONTHS_PER_YEAR), months})
    annual = sorted({*_RATES, scenario.economics.annual_discount_rate.value})
    money = flows(study.ledger, scenario.arms, draws=len(study.worlds.draws), months=months)
    kept = [number for number, account in enumerate(ACCOUNTS) if account != Account.POINTS_LIABILITY]
    rows = []
    for arm, (name, together) in enumerate(scenario.with_prior, start=1):
        increment = money.incremental(arm)
        cash = increment[:, :, kept].sum(axis=2)
        # What a horizon that ends with a month settles: points still outstanding, and capital that is tied up.
        capital = increment[:, :, ACCOUNTS.index(Account.WORKING_CAPITAL)].cumsum(axis=1)
        settled = -_outstanding(study.counts[arm], len(together)) - capital
        for rate, horizon in product(annual, horizons):
            monthly = cash[:, :horizon].copy()
            monthly[:, -1] += settled[:, horizon - 1]
            present = weights(scenario.calendar.month_starts, scenario.economics.timing, np.full(len(cash), rate))
            npv = (monthly * present[:, :horizon]).sum(axis=1)
            rows.append(
                {
                    "strategy": name,
                    "title": scenario.titles[name],
                    "annual_discount_rate": rate,
                    "horizon_months": horizon,
                    "npv": float(npv.mean()),
                    "low": float(np.quantile(npv, LOW)),
                    "high": float(np.quantile(npv, HIGH)),
                    "prob_npv_positive": float((npv > 0.0).mean()),
                }
            )
    return table_of(rows, RATES)


def _outstanding(counts: Counts, reaches: int) -> Numbers:
    """Return the value of the points still outstanding at the end of each month: shape (worlds, months), positive.

    The last is what the ledger charges at the end. Before it, points have the value they have at the end, on average.
    """
    open_points = counts[:, :, place(CountKind.POINTS_ISSUED)].astype(np.float64)
    open_points -= counts[:, :, place(CountKind.POINTS_REDEEMED)] + counts[:, :, place(CountKind.POINTS_EXPIRED)]
    open_points = open_points.cumsum(axis=1)
    owed = sum((counts[:, -1, place(ReachCountKind.POINTS_VALUE, reach)] for reach in range(reaches)), np.int64(0))
    final = open_points[:, -1]
    value = np.divide(owed * MICROS_PER_CENT / MICROS, final, out=np.zeros_like(final), where=final > 0.0)
    total: Numbers = open_points * value[:, None]
    return total


def grids(base: BaseCase, tornado: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return every strategy at each node of a grid of its two most influential numbers: GRID, GRID_CENTRE and HEAT."""
    cells, heat, centres = [empty(GRID)], [], []
    for strategy in strategies_with_prior(base.scenario):
        numbers = _axes(strategy, tornado)
        nodes = list(product(*(_even(number, steps) for number, steps in zip(numbers, _STEPS, strict=True))))
        variants = [
            (with_values(strategy, {one.path: value for one, value in zip(numbers, node, strict=True) if one}),)
            for node in nodes
        ]
        outcomes = base.simulate(variants)
        npvs = {node: float(base.npv(outcome).mean()) for node, outcome in zip(nodes, outcomes, strict=True)}
        described = _described(strategy, numbers)
        for (x, y), outcome in zip(nodes, outcomes, strict=True):
            columns = {**described, "x": x, "y": y}
            heat.append({**columns, "npv": npvs[x, y]})
            months = pl.DataFrame(_monthly(base, outcome))
            cells.append(months.with_columns(pl.lit(value).alias(name) for name, value in columns.items()))
        centres.append(_centre(base, strategy, numbers, npvs))
    grid = pl.concat([cell.select(list(GRID.columns)) for cell in cells])
    return check(grid, GRID), table_of(centres, GRID_CENTRE), table_of(heat, HEAT)


def _axes(strategy: Strategy, tornado: pl.DataFrame) -> Axes:
    """Return the two numbers that are varied: first a response, second the uptake, where there are such numbers."""
    simulated = {one.id: one for one in uncertain_numbers("strategies", strategy) if one.method == "simulated"}
    ranked = tornado.filter(pl.col("strategy") == strategy.name).sort("rank")["id"].to_list()
    numbers = [simulated[name] for name in ranked if name in simulated]
    effects = [number for number in numbers if number.path.startswith("effects.")]
    responses = [number for number in effects if number.path in responding(strategy)]
    x = next(iter([*responses, *effects]), None)
    rest = [number for number in numbers if number is not x]
    return x, next((number for number in rest if number.path == _UPTAKE), rest[0] if rest else None)


def _described(strategy: Strategy, numbers: Axes) -> dict[str, object]:
    columns: dict[str, object] = {"strategy": strategy.name, "title": strategy.title}
    for axis, number in zip("xy", numbers, strict=True):
        columns[f"{axis}_id"] = number.id if number else ""
        columns[f"{axis}_description"] = number.quantity.description if number else ""
        columns[f"{axis}_unit"] = str(number.quantity.unit) if number else ""
    return columns


def _even(number: UncertainNumber | None, steps: int) -> list[float]:
    """Return evenly spaced values that cover the range, the central one among them."""
    if number is None:
        return [0.0]
    (low, high), value, bounds = number.quantity.range, number.quantity.value, BOUNDS[number.quantity.unit]
    step = (high - low) / steps
    below, above = round((value - low) / step), round((high - value) / step)
    nodes = [rounded(value + at * step) for at in range(-below, above + 1)]
    return [node for node in nodes if bounds.low <= node <= bounds.high]


def _monthly(base: BaseCase, outcome: Outcome) -> dict[str, Numbers]:
    """Return the cash of each month, mean over worlds, as GRID takes it apart: a straight line in the margin."""
    scenario = base.scenario
    margin = f"economics/{scenario.economics.name}/gross_margin"
    priced = [with_assumptions(scenario, {margin: share}) for share in (0.0, 1.0)]
    none, all_ = (base.flows(outcome, one).incremental(1).mean(axis=0) for one in priced)
    accounts = {account: column for column, account in enumerate(ACCOUNTS)}
    programme = none[:, [accounts[account] for account in PROGRAMME_ACCOUNTS]].sum(axis=1)
    return {
        "month": np.arange(scenario.calendar.months, dtype=np.int32),
        "day": cash_days(scenario.calendar.month_starts, scenario.economics.timing),
        "rest": none.sum(axis=1) - programme - none[:, accounts[Account.POINTS_LIABILITY]],
        "per_margin": (all_ - none).sum(axis=1),
        "programme": programme,
        "settled": -_outstanding(outcome.treated, len(outcome.strategies)).mean(axis=0),
        "settled_programme": -none[:, accounts[Account.WORKING_CAPITAL]].cumsum(),
    }


def _centre(
    base: BaseCase, strategy: Strategy, numbers: Axes, npvs: Mapping[tuple[float, ...], float]
) -> dict[str, object]:
    economics = base.scenario.economics
    x, y = (0.0 if number is None else rounded(number.quantity.value) for number in numbers)
    return {
        "strategy": strategy.name,
        "x": x,
        "y": y,
        "gross_margin": economics.gross_margin.value,
        "margin_low": max(0.0, math.floor(50.0 * economics.gross_margin.value) / 100.0),
        "margin_high": min(1.0, math.ceil(150.0 * economics.gross_margin.value) / 100.0),
        "annual_discount_rate": economics.annual_discount_rate.value,
        "horizon_months": base.scenario.horizon_months,
        "npv": npvs[x, y],
    }
