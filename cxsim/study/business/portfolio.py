"""A study in; what sets of strategies bring when they run together, and the best set within the budget, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
    worst_tenth,
)
from cxsim.simulation.engine import Executor
from cxsim.study.business.base_case import Numbers, booked
from cxsim.study.result import Study
from cxsim.study.worlds import Arms, counts_by_arm
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, table_of

Members = tuple[str, ...]

# One row per set of strategies that was simulated together; `nothing` is the empty set. investment: mean present value.
# A set's mean is the sum of its parts' means over all draws of the study, and by how much the set differs from that sum
# in the draws in which it was simulated, as many as `draws` says; its intervals, chances and worst tenth are those of
# these draws, moved to that mean. interaction: by how much the set differs from the sum of its parts. gap: NPV of the
# best set less this one's, with its error. efficient: no other set has both a higher NPV and a higher cvar. chosen: the
# best within the budget. members are in the order of the scenario; place: of a strategy alone, its place there, from 0.
PORTFOLIO = Contract(
    "PORTFOLIO",
    TEXT("name", "title", "members"),
    REAL(
        "investment",
        "npv",
        "npv_mc_error",
        "low",
        "high",
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
_LEVELS = {"low": 0.05, "high": 0.95}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StrategySet:
    """A set of strategies, with what it brings in the draws in which it was simulated.

    Shapes are (models of leaving, draws); the parts of a set have all draws of the study, a set perhaps the first ones.
    """

    members: Members
    npv: Numbers
    investment: Numbers
    payback: Numbers
    # Sums over the members, each simulated by itself.
    parts_npv: Numbers
    parts_investment: Numbers

    @property
    def interaction(self) -> Numbers:
        """By how much the set differs from the sum of its parts."""
        return self.npv - self.parts_npv[:, : self.npv.shape[1]]

    @property
    def mean(self) -> float:
        """The expected NPV: what the parts bring in all draws, and what the set adds to that in its own."""
        return float(self.parts_npv.mean() + self.interaction.mean())

    @property
    def spend(self) -> float:
        """The expected investment, found in the same way."""
        extra = self.investment - self.parts_investment[:, : self.investment.shape[1]]
        return float(self.parts_investment.mean() + extra.mean())

    @property
    def around(self) -> Numbers:
        """The draws, moved to the expected NPV."""
        moved: Numbers = (self.npv + (self.mean - self.npv.mean())).ravel()
        return moved

    @property
    def order(self) -> tuple[float, Members]:
        """What brings more is larger; of equals, one of them always is."""
        return self.mean, self.members


def portfolio(study: Study, *, executor: Executor | None = None) -> pl.DataFrame:
    """Return what sets of strategies bring when they run together, beside doing nothing."""
    names = [strategy.name for strategy in study.scenario.prior_strategies]
    together = names if study.scenario.stacking is not None else []
    draws = _draws(study, together)
    sets = [_nothing(study), *(_single(study, name) for name in names)]
    if len(together) > 1:
        sets += _larger(study, sets[1:], draws, executor)
    titles = {name: study.scenario.titles[name] for name in names}
    return compared_sets(sets, titles, most=study.scenario.most)


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
    investments = dict(study.returns.select("strategy", "investment").iter_rows())
    most = _REACH * study.scenario.most
    return [members for members in sets if sum(investments[name] for name in members) <= most]


def _nothing(study: Study) -> StrategySet:
    none = np.zeros((len(study.scenario.structures), study.scenario.draws))
    return StrategySet(members=(), npv=none, investment=none, payback=none, parts_npv=none, parts_investment=none)


def _single(study: Study, name: str) -> StrategySet:
    """Return a strategy by itself, as the study has simulated it."""
    rows = study.npv.filter(strategy=name).sort("draw").fill_null(np.inf)
    npv, investment, months = (
        rows[column].to_numpy().reshape(-1, study.scenario.draws) for column in ("npv", "investment", "payback_months")
    )
    return StrategySet(
        members=(name,), npv=npv, investment=investment, payback=months, parts_npv=npv, parts_investment=investment
    )


def _larger(
    study: Study, singles: Sequence[StrategySet], draws: int, executor: Executor | None
) -> Iterator[StrategySet]:
    """Yield sets of two and more: all of them, or else those on the way of the best one."""
    names = [one.members[0] for one in singles]
    if len(names) <= EVERY_SET:
        yield from _simulated(study, _every_set(names), singles, draws, executor)
        return
    best = max(singles, key=lambda one: one.order)
    while len(best.members) < len(names):
        larger = {tuple(one for one in names if one in {*best.members, more}) for more in names} - {best.members}
        found = _simulated(study, sorted(larger), singles, draws, executor)
        yield from found
        better = max(found, key=lambda one: one.order, default=best)
        if better.mean <= best.mean:
            return
        best = better


def _simulated(
    study: Study,
    sets: Sequence[Members],
    singles: Sequence[StrategySet],
    draws: int,
    executor: Executor | None,
) -> list[StrategySet]:
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
            net_present_value(money(arm), present).reshape(-1, draws) for money in (monthly.cash, monthly.investment)
        )
        parts = [one for one in singles if one.members[0] in members]
        found.append(
            StrategySet(
                members=members,
                npv=npv,
                investment=investment,
                payback=payback_months(monthly.cash(arm)).reshape(-1, draws),
                parts_npv=sum((one.npv for one in parts), np.zeros_like(parts[0].npv)),
                parts_investment=sum((one.investment for one in parts), np.zeros_like(parts[0].npv)),
            )
        )
    return found


def compared_sets(sets: Sequence[StrategySet], titles: Mapping[str, str], *, most: float = math.inf) -> pl.DataFrame:
    """Return sets of strategies from the best to the worst, with the best of those that cost `most` or less."""
    names = [*titles]
    alone = {one.members[0]: one.mean for one in sets if len(one.members) == 1}
    affordable = [one for one in sets if one.spend <= most]
    best = max(affordable, key=lambda one: (one.mean, -len(one.members), one.members))
    worst = {one.members: worst_tenth(one.around, structures=len(one.npv))[0] for one in sets}
    rows = []
    for one in sorted(sets, key=lambda one: (-one.mean, len(one.members), one.members)):
        around, structures = one.around, len(one.npv)
        levels = zip(_LEVELS, np.quantile(around, [*_LEVELS.values()]), strict=True)
        rows.append(
            {
                "name": "+".join(one.members) or NOTHING,
                "title": " + ".join(titles[name] for name in one.members) or "No programme",
                "members": ", ".join(one.members),
                "investment": one.spend,
                "npv": one.mean,
                "npv_mc_error": _error(one.interaction, one.parts_npv),
                **dict(levels),
                "prob_npv_positive": (around > 0.0).mean(),
                "prob_mc_error": share_error(around > 0.0, structures),
                "cvar": worst[one.members],
                "roi": one.mean / one.spend if (one.investment > 0.0).all() else None,
                "payback_months": finite(quantile_draw(one.payback.ravel(), 0.5)) if one.members else None,
                "payback_months_late": finite(quantile_draw(one.payback.ravel(), LATE)) if one.members else None,
                "interaction": one.mean - sum(alone[name] for name in one.members),
                "gap": best.mean - one.mean,
                "gap_mc_error": _gap_error(best, one),
                "efficient": not any(_dominates(other, one, worst) for other in sets),
                "affordable": one in affordable,
                "chosen": one is best,
                "draws": one.npv.size,
                "place": names.index(one.members[0]) if len(one.members) == 1 else None,
            }
        )
    return table_of(rows, PORTFOLIO)


def _gap_error(best: StrategySet, one: StrategySet) -> float:
    """Return the error of the difference of two expected NPVs, in the draws that both were simulated in."""
    shared = min(best.npv.shape[1], one.npv.shape[1])
    return _error(best.interaction[:, :shared] - one.interaction[:, :shared], best.parts_npv - one.parts_npv)


def _error(interaction: Numbers, parts: Numbers) -> float:
    """Return the standard error of mean(interaction) + mean(parts), the first over some of the draws of the second.

    Var = Var(interaction) / some + (Var(parts) + 2 Cov(interaction, parts)) / all; the same draw under another model
    of leaving is no new evidence.
    """
    own, whole = interaction.mean(axis=0), parts.mean(axis=0)
    some, every = len(own), len(whole)
    covariance = float(np.cov(own, whole[:some])[0, 1])
    variance = own.var(ddof=1) / some + (whole.var(ddof=1) + 2.0 * covariance) / every
    return math.sqrt(max(float(variance), 0.0))


def _dominates(other: StrategySet, one: StrategySet, worst: Mapping[Members, float]) -> bool:
    """Return whether a set has no lower mean and no lower cvar, and not both the same."""
    means, tails = (other.mean, one.mean), (worst[other.members], worst[one.members])
    return means[0] >= means[1] and tails[0] >= tails[1] and (means[0], tails[0]) != (means[1], tails[1])
