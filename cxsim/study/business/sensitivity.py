"""The base case in; tornado, break-even values, grids of two numbers, and NPV at other rates and horizons, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import polars as pl

from cxsim.finance.economics import ACCOUNTS, PROGRAMME_ACCOUNTS, Account
from cxsim.finance.statement import HIGH, LOW, MONTHS_PER_YEAR, cash_days, flows, later_weights, weights
from cxsim.params import MICROS, MICROS_PER_CENT, share_steps, with_values
from cxsim.simulation.counts import YEARS_AFTER, CountKind, ReachCountKind, place
from cxsim.simulation.world import rounded
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import Assumption, assumed_in, assumed_values, with_assumptions
from cxsim.study.business.base_case import Z90, Z99, BaseCase, Counts, Numbers, Outcome, Strategies, booked, npv_table
from cxsim.study.business.pathways import responding
from cxsim.study.result import Study
from cxsim.study.scenario import Scenario
from cxsim.study.worlds import Draw, schedule
from cxsim.tables import COUNT, INDEX, REAL, TEXT, Contract, check, empty, table_of

# A number that a grid lacks has one value, 0.
_NO_AXES: dict[str, object] = {"x": 0.0, "y": 0.0} | dict.fromkeys(
    ("x_id", "x_description", "x_unit", "y_id", "y_description", "y_unit"), ""
)
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
PARTS = ("rest", "per_margin", "programme", "settled", "settled_programme")
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
    REAL("day", *PARTS),
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
# NPV over all draws at other discount rates and horizons; points still outstanding at the end are settled. A horizon
# beyond the scenario's has what is expected of customers who are still there, by year.
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
# Years after the scenario's horizon at which the comparison ends too.
_YEARS_LONGER = (1, 2)
# Steps over the range of the first and of the second number; the grid is even, and holds the central values.
_STEPS = {"x": 4, "y": 2}
_UPTAKE = "reach.uptake"


class Variation(NamedTuple):
    """A number moved alone, for one strategy: the NPV in every world at the scores of its prior that were evaluated."""

    strategy: Strategy
    number: Assumption
    npvs: dict[float, Numbers]

    @property
    def columns(self) -> dict[str, object]:
        """What tables say of it."""
        named = {"strategy": self.strategy.name, "title": self.strategy.title}
        return self.number.columns | named | {"method": "booked" if self.number.priced else "simulated"}

    def varied(self, score: float) -> Strategies:
        """Return the strategy with the number at a score."""
        return (with_values(self.strategy, {self.number.path: self.number.at(score)}),)

    def mean(self, score: float) -> float:
        """Return the mean NPV at a score."""
        return float(self.npvs[score].mean())

    @property
    def swing(self) -> float:
        """By how much the mean NPV moves from the 10 % to the 90 % quantile."""
        return abs(float((self.npvs[Z90] - self.npvs[-Z90]).mean()))

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


def sensitivities(base: BaseCase, study: Study) -> list[Variation]:
    """Return what moving each number alone from its 10 % to its 90 % quantile does to each strategy."""
    scenario = base.scenario
    strategies = {one.name: (one, base.npv(base.outcomes[one.name])) for one in scenario.prior_strategies}
    shop = list(assumed_in("economics", scenario.economics, scenario.economics.title))
    own = [
        Variation(strategy, number, {0.0: npv})
        for strategy, npv in strategies.values()
        for number in (*assumed_in("strategies", strategy, strategy.title), *shop)
        if number.uncertain
    ]
    _evaluate(base, [(one, score) for one in own for score in (-Z90, Z90)])
    for number in _most_correlated(study):
        some = [Variation(strategy, number, {0.0: npv}) for strategy, npv in strategies.values()]
        for score in (-Z90, Z90):
            other = base.under(with_assumptions(scenario, {number.id: number.at(score)}))
            for one, outcome in zip(some, other.simulate([(one.strategy,) for one in some]), strict=True):
                one.npvs[score] = other.npv(outcome)
        own += some
    return own


def _evaluate(base: BaseCase, wanted: Sequence[tuple[Variation, float]]) -> None:
    """Find the NPV by world at some scores; prices are booked again, not simulated."""
    outcomes = iter(base.simulate([one.varied(score) for one, score in wanted if not one.number.priced]))
    for one, score in wanted:
        known, priced = base.outcomes[one.strategy.name], base
        if not one.number.priced:
            known = next(outcomes)
        elif one.number.id.startswith("economics/"):
            priced = base.under(with_assumptions(base.scenario, {one.number.id: one.number.at(score)}))
        else:
            known = known._replace(strategies=one.varied(score))
        one.npvs[score] = priced.npv(known)


def _most_correlated(study: Study) -> list[Assumption]:
    """Return the numbers of behaviour that correlate most with the NPV over the draws."""
    behaviour = study.scenario.behaviour
    numbers = [one for one in assumed_in("behaviour", behaviour, behaviour.title) if one.uncertain]
    if len(numbers) <= _BEHAVIOUR_NUMBERS:
        return numbers
    drawn = [assumed_values(draw.scenario) for draw in study.worlds.draws]
    npvs = npv_table(study).to_numpy().T

    def order(number: Assumption) -> tuple[float, str]:
        values = [one[number.id] for one in drawn]
        return -max(abs(float(np.corrcoef(values, npv)[0, 1])) for npv in npvs), number.id

    return sorted(sorted(numbers, key=order)[:_BEHAVIOUR_NUMBERS], key=numbers.index)


def _ranked(base: BaseCase, variations: Sequence[Variation], key: Callable[[Variation], float]) -> list[Variation]:
    """Return the variations strategy by strategy, each sorted by a key."""
    names = [strategy.name for strategy in base.scenario.prior_strategies]
    return sorted(variations, key=lambda one: (names.index(one.strategy.name), key(one), one.number.id))


def tornado(base: BaseCase, variations: Sequence[Variation]) -> pl.DataFrame:
    """Return the table of one-at-a-time variations, the largest swing first."""
    rows = [
        one.columns
        | {
            "at_low": one.number.at(-Z90),
            "at_high": one.number.at(Z90),
            "npv_base": one.mean(0.0),
            "npv_at_low": one.mean(-Z90),
            "npv_at_high": one.mean(Z90),
            "swing": one.swing,
            "mc_error": base.error(one.npvs[Z90] - one.npvs[-Z90]),
            "rank": 0,
        }
        for one in _ranked(base, variations, lambda one: -one.swing)
    ]
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("strategy")
    return table_of(rows, TORNADO).with_columns(rank=rank)


def break_evens(base: BaseCase, variations: Sequence[Variation]) -> pl.DataFrame:
    """Return for each uncertain number of each strategy, and each price, the value at which the strategy just pays.

    All else stands at its central value, and the random numbers are the same at every value, so the NPV is a smooth
    curve of it. It is followed to the 1 % and 99 % quantiles where at the 10 % or 90 % one it has come at least a
    quarter of the way to zero.
    """
    searched = [one for one in variations if not one.number.id.startswith("behaviour/")]
    wanted = [(one, score) for one in searched for score in one.ends()]
    for _ in range(_ROUNDS + 1):
        _evaluate(base, wanted)
        wanted = [(one, following) for one in searched if (following := one.next()) is not None]
    return table_of((_break_even(base, one) for one in _ranked(base, searched, _distance)), BREAK_EVENS)


def _distance(one: Variation) -> float:
    found = one.found()
    return math.inf if found is None else abs(found)


def _break_even(base: BaseCase, one: Variation) -> dict[str, object]:
    score, number = one.found(), one.number
    nearest = min(one.npvs, key=lambda evaluated: (abs(evaluated - (score or 0.0)), evaluated))
    return one.columns | {
        "low": number.at(-Z99),
        "high": number.at(Z99),
        "break_even": None if score is None else number.at(score),
        "score": score,
        "mc_error": base.error(one.npvs[nearest]),
        "evaluations": len(one.npvs),
        "npv": one.mean(0.0),
    }


def rates(study: Study) -> pl.DataFrame:
    """Return the NPV of each strategy over all draws at other discount rates and horizons.

    A horizon beyond that of the scenario adds what customers who are still there bring in the years between, when no
    programme runs any more. Where the scenario counts all years after its horizon, these stand as the last one.
    """
    scenario, draws = study.scenario, study.worlds.draws
    months = scenario.horizon_months
    horizons = sorted({*range(MONTHS_PER_YEAR, months, MONTHS_PER_YEAR), months, *_longer(scenario)})
    annual = sorted({*_RATES, scenario.economics.annual_discount_rate.value})
    money = flows(study.ledger, scenario.arms, draws=len(draws), months=months)
    apart = (Account.POINTS_LIABILITY, Account.RETAINED)
    kept = [number for number, account in enumerate(ACCOUNTS) if account not in apart]
    month_starts, timing = scenario.calendar.month_starts, scenario.economics.timing
    rows = []
    for arm, (name, _) in enumerate(scenario.with_prior, start=1):
        increment = money.incremental(arm)
        cash = increment[:, :, kept].sum(axis=2)
        # What a horizon that ends with a month settles: points still outstanding, and capital that is tied up.
        capital = increment[:, :, ACCOUNTS.index(Account.WORKING_CAPITAL)].cumsum(axis=1)
        owed = np.array([_owed(draw.scenario.with_prior[arm - 1][1]) for draw in draws])
        settled = -_outstanding(study.counts[arm], owed) - capital
        later = study.worlds.later_money(study.counts[arm]) - study.worlds.later_money(study.counts[0])
        for rate, horizon in product(annual, horizons):
            monthly = cash[:, :horizon].copy()
            monthly[:, -1] += settled[:, min(horizon, months) - 1]
            at = np.full(len(cash), rate)
            npv = (monthly * weights(month_starts, timing, at)[:, :horizon]).sum(axis=1)
            followed = max(horizon - months, 0) // MONTHS_PER_YEAR
            npv += (later[:, :followed] * later_weights(month_starts, at, years=followed)).sum(axis=1)
            low, high = np.quantile(npv, (LOW, HIGH))
            gains = (npv > 0.0).mean()
            rows.append((name, scenario.titles[name], rate, horizon, npv.mean(), low, high, gains))
    return table_of(rows, RATES)


def _longer(scenario: Scenario) -> list[int]:
    """Return the horizons beyond the scenario's at which customers who are still there are followed."""
    most = min(YEARS_AFTER, scenario.horizon_months)
    years = {year for year in _YEARS_LONGER if year <= most}
    if scenario.after_horizon == "included":
        years.add(most)
    return [scenario.horizon_months + MONTHS_PER_YEAR * year for year in sorted(years)]


def _owed(strategies: Strategies) -> list[int]:
    """Return what a cent of points held at the end is charged by each strategy, in millionths."""
    return [MICROS_PER_CENT - share_steps(schedule(one).breakage) for one in strategies]


def _outstanding(counts: Counts, charged: Numbers) -> Numbers:
    """Return the value of the points still outstanding at the end of each month: shape (worlds, months), positive.

    `charged`, shape (worlds, reaches), is what one cent of them is charged, in millionths. The last is what the ledger
    charges at the end. Before it, points have the value they have at the end, on average.
    """
    open_points = counts[:, :, place(CountKind.POINTS_ISSUED)].astype(np.float64)
    open_points -= counts[:, :, place(CountKind.POINTS_REDEEMED)] + counts[:, :, place(CountKind.POINTS_EXPIRED)]
    open_points = open_points.cumsum(axis=1)
    places = [place(ReachCountKind.POINTS_VALUE, reach) for reach in range(charged.shape[1])]
    owed = (counts[:, -1, places] * charged).sum(axis=1) / MICROS
    final = open_points[:, -1]
    value = np.divide(owed, final, out=np.zeros_like(final), where=final > 0.0)
    total: Numbers = open_points * value[:, None]
    return total


def grids(base: BaseCase, tornado: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return every strategy at each node of a grid of its two most influential numbers: GRID, GRID_CENTRE and HEAT."""
    cells, heat, centres = [empty(GRID)], [], []
    for strategy in base.scenario.prior_strategies:
        axes = _axes(strategy, tornado)
        described = _NO_AXES | {"strategy": strategy.name, "title": strategy.title}
        for axis, one in axes.items():
            described |= {f"{axis}_{name}": one.columns[name] for name in ("id", "description", "unit")}
        centre = {axis: rounded(one.quantity.value) for axis, one in axes.items()}
        nodes = [
            dict(zip(axes, values, strict=True))
            for values in product(*(_even(one, _STEPS[axis]) for axis, one in axes.items()))
        ]
        variants = [{axes[axis].path: value for axis, value in node.items()} for node in nodes]
        outcomes = base.simulate([(with_values(strategy, variant),) for variant in variants])
        for node, outcome in zip(nodes, outcomes, strict=True):
            heat.append(described | node | {"npv": base.npv(outcome).mean()})
            cells.append(pl.DataFrame(heat[-1] | _monthly(base, outcome)).select(*GRID.columns))
            if node == centre:
                centres.append(heat[-1] | _start(base.scenario))
    return check(pl.concat(cells), GRID), table_of(centres, GRID_CENTRE), table_of(heat, HEAT)


def _axes(strategy: Strategy, tornado: pl.DataFrame) -> dict[str, Assumption]:
    """Return the two numbers that are varied: first a response, second the uptake, where there are such numbers."""
    own = assumed_in("strategies", strategy, strategy.title)
    simulated = {one.id: one for one in own if one.uncertain and not one.priced}
    ranked = tornado.filter(strategy=strategy.name).sort("rank")["id"]
    numbers = [simulated[name] for name in ranked if name in simulated]
    effects = [number for number in numbers if number.path.startswith("effects.")]
    first = [*(number for number in effects if number.path in responding(strategy)), *effects][:1]
    rest = [number for number in numbers if number not in first]
    second = [*(number for number in rest if number.path == _UPTAKE), *rest][:1]
    return {axis: number for axis, some in (("x", first), ("y", second)) for number in some}


def _even(one: Assumption, steps: int) -> list[float]:
    """Return evenly spaced values that cover the range, the central one among them."""
    (low, high), value, unit = one.quantity.range, one.quantity.value, one.quantity.unit
    step = (high - low) / steps
    below, above = round((value - low) / step), round((high - value) / step)
    nodes = [rounded(value + at * step) for at in range(-below, above + 1)]
    return [node for node in nodes if unit.low <= node <= unit.high]


def monthly_parts(draws: Sequence[Draw], arms: Sequence[Strategies], counts: tuple[Counts, Counts]) -> Numbers:
    """Return the cash of each month in every world, as GRID takes it apart: shape (parts, worlds, months).

    `arms` are the strategies of each draw, and `counts` those without and with them.
    """
    return _apart(*_at_both_margins(draws, arms, counts))


def _at_both_margins(
    draws: Sequence[Draw], arms: Sequence[Strategies], counts: tuple[Counts, Counts]
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the increment without any margin and with nothing but margin, by account, and what a horizon settles."""
    none, all_ = (
        booked([_at_margin(draw, share) for draw in draws], [[(), some] for some in arms], counts).incremental(1)
        for share in (0.0, 1.0)
    )
    return none, all_, -_outstanding(counts[1], np.array([_owed(some) for some in arms]))


def _at_margin(draw: Draw, share: float) -> Draw:
    economics = with_values(draw.scenario.economics, {"gross_margin": share})
    return replace(draw, scenario=replace(draw.scenario, economics=economics))


def _apart(none: Numbers, all_: Numbers, settled: Numbers) -> Numbers:
    """Return the parts of GRID: a straight line in the margin, and in the factor of the programme's cost."""
    programme = none[..., [ACCOUNTS.index(account) for account in PROGRAMME_ACCOUNTS]].sum(axis=-1)
    points, capital = (none[..., ACCOUNTS.index(one)] for one in (Account.POINTS_LIABILITY, Account.WORKING_CAPITAL))
    rest, per_margin = none.sum(axis=-1) - programme - points, (all_ - none).sum(axis=-1)
    return np.stack([rest, per_margin, programme, settled, -capital.cumsum(axis=-1)])


def _monthly(base: BaseCase, outcome: Outcome) -> dict[str, object]:
    """Return the columns of GRID at one node, means over worlds."""
    scenario, draws = base.scenario, base.worlds.draws
    both = _at_both_margins(draws, [outcome.strategies] * len(draws), (outcome.baseline, outcome.treated))
    parts = _apart(*(one.mean(axis=0) for one in both))
    return {
        "month": np.arange(scenario.calendar.months, dtype=np.int32),
        "day": cash_days(scenario.calendar.month_starts, scenario.economics.timing),
        **dict(zip(PARTS, parts, strict=True)),
    }


def _start(scenario: Scenario) -> dict[str, object]:
    """Return what the sliders beside the grid start from, and how far that of the margin goes."""
    margin = scenario.economics.gross_margin.value
    return {
        "gross_margin": margin,
        "margin_low": max(0.0, math.floor(50.0 * margin) / 100.0),
        "margin_high": min(1.0, math.ceil(150.0 * margin) / 100.0),
        "annual_discount_rate": scenario.economics.annual_discount_rate.value,
        "horizon_months": scenario.horizon_months,
    }
