"""A study in; what sets of strategies bring when they run together, and the best set within the budget, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import polars as pl

from cxsim.finance.returns import (
    LATE,
    finite,
    net_present_value,
    payback_months,
    quantile_draw,
    share_error,
    standard_error,
    worst_tenth,
)
from cxsim.simulation.engine import Executor
from cxsim.study.business.base_case import Numbers, booked
from cxsim.study.result import Study
from cxsim.study.worlds import Arms, counts_by_arm
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, table_of

Members = tuple[str, ...]

# One row per set of strategies that was simulated together; `nothing` is the empty set. investment: mean present value.
# interaction: NPV less the sum of the parts' NPVs in the same draws. gap: NPV of the best set less this one's, in the
# same draws, with its error. efficient: no other set has both a higher NPV and a higher cvar. chosen: the best within
# the budget. members are in the order of the scenario; place: of a strategy alone, its place there, from 0 on.
PORTFOLIO = Contract(
    "PORTFOLIO",
    TEXT("name", "title", "members"),
    REAL(
        "investment",
        "npv",
        "npv_mc_error",
        "low",
        "high",
        "low_80",
        "high_80",
        "prob_npv_positive",
        "prob_mc_error",
        "cvar",
        "roi",
        "payback_months",
        "payback_months_late",
        "interaction",
        "gap",
        "gap_mc_error",
    ),
    FLAG("efficient", "affordable", "chosen"),
    COUNT("draws", "place"),
    nullable=("roi", "payback_months", "payback_months_late", "place"),
)
NOTHING = "nothing"
# Of so many strategies every set is simulated; of more, the best set grows by one strategy at a time.
EVERY_SET = 4
# Worlds times arms that are simulated at most, while there are more than the fewest draws.
_MOST_ARMS, _FEWEST_DRAWS = 240, 24
# A set whose members, each alone, spend more than this many times the budget is not simulated: running together they
# would have to save each other a fifth of what they spend to be affordable.
_REACH = 1.25
_LEVELS = {"low": 0.05, "low_80": 0.10, "high_80": 0.90, "high": 0.95}


@dataclass(frozen=True, slots=True, eq=False)
class _Set:
    """A set of strategies: what it brings and spends in each draw, means over models of leaving."""

    members: Members
    npv: Numbers
    investment: Numbers
    payback: Numbers

    @property
    def mean(self) -> float:
        return float(self.npv.mean())

    @property
    def cvar(self) -> float:
        return worst_tenth(self.npv)[0]

    @property
    def order(self) -> tuple[float, Members]:
        """What brings more is larger; of equals, one of them always is."""
        return self.mean, self.members


def portfolio(study: Study, *, executor: Executor | None = None) -> pl.DataFrame:
    """Return what sets of strategies bring when they run together, beside doing nothing."""
    names = [strategy.name for strategy in study.scenario.prior_strategies]
    together = names if study.scenario.stacking is not None else []
    draws = _draws(study, together)
    none = np.zeros(draws)
    sets = [_Set((), none, none, none), *(_single(study, name, draws) for name in names)]
    if len(together) > 1:
        sets += _larger(study, sets[1:], draws, executor)
    return table_of(_rows(study, sets), PORTFOLIO)


def _draws(study: Study, names: Sequence[str]) -> int:
    """Return how many draws are used: all of them, or as many as keep the time within bounds."""
    scenario, count = study.scenario, len(names)
    sets = len(_within_reach(study, _every_set(names))) if count <= EVERY_SET else count * (count - 1) // 2
    most = _MOST_ARMS // ((sets + 1) * len(scenario.structures)) if sets else scenario.draws
    return min(scenario.draws, max(most, _FEWEST_DRAWS))


def _every_set(names: Sequence[str]) -> list[Members]:
    """Return all sets of two and more."""
    return [some for size in range(2, len(names) + 1) for some in combinations(names, size)]


def _within_reach(study: Study, sets: Sequence[Members]) -> list[Members]:
    """Return the sets that the budget may pay for, going by what their members spend alone."""
    budget, investments = study.scenario.budget, dict(study.returns.select("strategy", "investment").iter_rows())
    most = np.inf if budget is None else _REACH * budget.value
    return [members for members in sets if sum(investments[name] for name in members) <= most]


def _single(study: Study, name: str, draws: int) -> _Set:
    """Return a strategy by itself, as the study has simulated it."""
    rows = study.npv.filter(strategy=name).sort("draw").fill_null(np.inf)
    npv, investment, months = (
        rows[column].to_numpy().reshape(-1, study.scenario.draws)[:, :draws]
        for column in ("npv", "investment", "payback_months")
    )
    return _Set((name,), npv.mean(axis=0), investment.mean(axis=0), months.ravel())


def _larger(study: Study, singles: Sequence[_Set], draws: int, executor: Executor | None) -> Iterator[_Set]:
    """Yield sets of two and more: all of them, or else those on the way of the best one."""
    names = [one.members[0] for one in singles]
    if len(names) <= EVERY_SET:
        yield from _simulated(study, _every_set(names), draws, executor)
        return
    best = max(singles, key=lambda one: one.order)
    while len(best.members) < len(names):
        larger = {tuple(one for one in names if one in {*best.members, more}) for more in names} - {best.members}
        found = _simulated(study, sorted(larger), draws, executor)
        yield from found
        better = max(found, key=lambda one: one.order, default=best)
        if better.mean <= best.mean:
            return
        best = better


def _simulated(study: Study, sets: Sequence[Members], draws: int, executor: Executor | None) -> list[_Set]:
    """Return what sets of strategies bring that the budget may pay for, in the first draws of the study."""
    sets = _within_reach(study, sets)
    if not sets:
        return []
    worlds = replace(study.worlds, draws=tuple(draw for draw in study.worlds.draws if draw.number < draws))
    arms: list[Arms] = [
        [(), *(tuple(one for one in draw.scenario.strategies if one.name in members) for members in sets)]
        for draw in worlds.draws
    ]
    counts = counts_by_arm(worlds.simulate(arms, executor=executor))
    monthly, present = booked(worlds.draws, arms, counts), worlds.present_values()
    found = []
    for arm, members in enumerate(sets, start=1):
        npv, investment = (
            net_present_value(money(arm), present).reshape(-1, draws).mean(axis=0)
            for money in (monthly.cash, monthly.investment)
        )
        found.append(_Set(members, npv, investment, payback_months(monthly.cash(arm))))
    return found


def _rows(study: Study, sets: Sequence[_Set]) -> Iterator[dict[str, object]]:
    names, titles = [one.name for one in study.scenario.prior_strategies], study.scenario.titles
    alone = {one.members[0]: one.mean for one in sets if len(one.members) == 1}
    budget = study.scenario.budget
    most = np.inf if budget is None else budget.value
    affordable = [one for one in sets if one.investment.mean() <= most]
    best = max(affordable, key=lambda one: (one.mean, -len(one.members), one.members))
    for one in sorted(sets, key=lambda one: (-one.mean, len(one.members), one.members)):
        investment, gap, gains = float(one.investment.mean()), best.npv - one.npv, one.npv > 0.0
        yield {
            "name": "+".join(one.members) or NOTHING,
            "title": " + ".join(titles[name] for name in one.members) or "Doing nothing",
            "members": ", ".join(one.members),
            "investment": investment,
            "npv": one.mean,
            "npv_mc_error": standard_error(one.npv),
            **{name: np.quantile(one.npv, level) for name, level in _LEVELS.items()},
            "prob_npv_positive": gains.mean(),
            "prob_mc_error": share_error(gains),
            "cvar": one.cvar,
            "roi": one.mean / investment if investment > 0.0 else None,
            "payback_months": finite(quantile_draw(one.payback, 0.5)) if one.members else None,
            "payback_months_late": finite(quantile_draw(one.payback, LATE)) if one.members else None,
            "interaction": one.mean - sum(alone[name] for name in one.members),
            "gap": gap.mean(),
            "gap_mc_error": standard_error(gap),
            "efficient": not any(_dominates(other, one) for other in sets),
            "affordable": one in affordable,
            "chosen": one is best,
            "draws": len(one.npv),
            "place": names.index(one.members[0]) if len(one.members) == 1 else None,
        }


def _dominates(other: _Set, one: _Set) -> bool:
    """Return whether a set has no lower mean and no lower cvar, and not both the same."""
    same = other.mean == one.mean and other.cvar == one.cvar
    return not same and other.mean >= one.mean and other.cvar >= one.cvar
