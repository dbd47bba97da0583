"""A study in; every set of its strategies played together, the best within the budget and the efficient ones, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business.booked import booked
from cxsim.business_tables import PORTFOLIO
from cxsim.scenario import Scenario
from cxsim.simulation import Executor
from cxsim.strategies import Strategy
from cxsim.study import Study
from cxsim.study.draws import Draw, with_room
from cxsim.study.playing import play_arms
from cxsim.study.summing import present_values
from cxsim.tables import check, empty
from cxsim.valuation import LATE, draw_at, net_present_value, payback_months, share_error, worst_tenth

Numbers = npt.NDArray[np.float64]
Members = tuple[str, ...]
NOTHING = "nothing"
# Of so many strategies every set is played; of more, the best set grows by one strategy at a time.
EVERY_SET = 4
# Worlds times arms that are played at most, while there are more than the fewest draws.
_MOST_PLAYED, _FEWEST_DRAWS = 240, 24
# A set whose members, each alone, spend more than this many times the budget is not played: running together they would
# have to save each other a fifth of what they spend to be affordable.
_REACH = 1.25
_LEVELS = (0.05, 0.10, 0.90, 0.95)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class _Held:
    """A set of strategies: what it brings and spends in each draw, means over models of leaving."""

    members: Members
    npv: Numbers
    outlay: Numbers
    payback: Numbers

    @property
    def mean(self) -> float:
        return float(self.npv.mean())


def portfolio(study: Study, *, executor: Executor | None = None) -> pl.DataFrame:
    """Return what sets of strategies bring when they run together, beside doing nothing."""
    names = [strategy.name for strategy in study.scenario.strategies if strategy.mode == "prior"]
    together = names if study.scenario.stacking is not None else []
    worlds = _worlds(study, together)
    held = [_nothing(worlds), *_alone(study, names, worlds)]
    if len(together) > 1:
        held += _grown(study, held[1:], worlds, executor=executor)
    return check(pl.DataFrame(list(_rows(study, held)), schema=empty(PORTFOLIO).schema), PORTFOLIO)


def _worlds(study: Study, names: Sequence[str]) -> int:
    """Return how many draws are used: all of them, or as many as keep the time within bounds."""
    scenario, count = study.scenario, len(names)
    sets = len(_within_reach(study, _every_set(names))) if count <= EVERY_SET else count * (count - 1) // 2
    most = _MOST_PLAYED // ((sets + 1) * len(scenario.structures)) if sets else scenario.draws
    return min(scenario.draws, max(most, _FEWEST_DRAWS))


def _every_set(names: Sequence[str]) -> list[Members]:
    """Return all sets of two and more."""
    return [some for size in range(2, len(names) + 1) for some in combinations(names, size)]


def _within_reach(study: Study, sets: Sequence[Members]) -> list[Members]:
    """Return the sets that the budget may pay for, going by what their members spend alone."""
    if study.scenario.budget is None:
        return list(sets)
    outlays = dict(study.returns.select("strategy", "outlay").iter_rows())
    most = _REACH * study.scenario.budget.value
    return [members for members in sets if sum(outlays[name] for name in members) <= most]


def _nothing(draws: int) -> _Held:
    none = np.zeros(draws)
    return _Held(members=(), npv=none, outlay=none, payback=none)


def _alone(study: Study, names: Sequence[str], draws: int) -> Iterator[_Held]:
    """Yield each strategy by itself, as the study has played it."""
    for name in names:
        rows = study.npv.filter(pl.col("strategy") == name).sort("draw")
        columns = [rows[column].to_numpy() for column in ("npv", "outlay")]
        npv, outlay = (_over_models(column, study.scenario, draws) for column in columns)
        months = rows["payback_months"].fill_null(np.inf).to_numpy().reshape(-1, study.scenario.draws)[:, :draws]
        yield _Held(members=(name,), npv=npv, outlay=outlay, payback=months.ravel())


def _over_models(column: Numbers, scenario: Scenario, draws: int) -> Numbers:
    means: Numbers = column.reshape(-1, scenario.draws)[:, :draws].mean(axis=0)
    return means


def _grown(study: Study, singles: Sequence[_Held], draws: int, *, executor: Executor | None) -> Iterator[_Held]:
    """Yield sets of two and more: all of them, or else those on the way of the best one."""
    names = [one.members[0] for one in singles]
    if len(names) <= EVERY_SET:
        yield from _played(study, _within_reach(study, _every_set(names)), draws, executor=executor)
        return
    best = max(singles, key=lambda one: (one.mean, one.members))
    while len(best.members) < len(names):
        larger = [tuple(one for one in names if one in {*best.members, more}) for more in names]
        sets = _within_reach(study, sorted({some for some in larger if len(some) > len(best.members)}))
        if not sets:
            return
        found = list(_played(study, sets, draws, executor=executor))
        yield from found
        better = max(found, key=lambda one: (one.mean, one.members))
        if better.mean <= best.mean:
            return
        best = better


def _played(study: Study, sets: Sequence[Members], draws: int, *, executor: Executor | None) -> Iterator[_Held]:
    """Yield what sets of strategies bring in the first draws of the study."""
    if not sets:
        return
    worlds = [draw for draw in study.replay.draws if draw.number < draws]
    arms = [[(), *(_members(draw, members) for members in sets)] for draw in worlds]
    people = with_room(study.replay.population, worlds, arms)
    played = play_arms(study.scenario, worlds, people, arms=arms, executor=executor)
    counts = [np.stack([world.by_arm[arm].sum(axis=0) for world in played]) for arm in range(len(sets) + 1)]
    monthly, present = booked(worlds, arms, counts), present_values(study.scenario, worlds)
    for arm, members in enumerate(sets, start=1):
        cash, spent = monthly.cash(arm), monthly.outlay(arm)
        yield _Held(
            members=members,
            npv=net_present_value(cash, present).reshape(-1, draws).mean(axis=0),
            outlay=net_present_value(spent, present).reshape(-1, draws).mean(axis=0),
            payback=payback_months(cash),
        )


def _members(draw: Draw, members: Members) -> tuple[Strategy, ...]:
    """Return some strategies of a draw, at their drawn values."""
    return tuple(strategy for strategy in draw.scenario.strategies if strategy.name in members)


def _rows(study: Study, held: Sequence[_Held]) -> Iterator[dict[str, object]]:
    alone = {one.members[0]: one for one in held if len(one.members) == 1}
    places: dict[Members, int] = {(name,): place for place, name in enumerate(alone)}
    budget = study.scenario.budget
    most = np.inf if budget is None else budget.value
    affordable = [one for one in held if one.outlay.mean() <= most]
    best = max(affordable, key=lambda one: (one.mean, -len(one.members), one.members))
    for one in sorted(held, key=lambda one: (-one.mean, len(one.members), one.members)):
        low, low_80, high_80, high = np.quantile(one.npv, _LEVELS)
        outlay, gap = float(one.outlay.mean()), best.npv - one.npv
        yield {
            "name": "+".join(one.members) or NOTHING,
            "title": _title(study, one.members),
            "members": ", ".join(one.members),
            "outlay": outlay,
            "npv": one.mean,
            "npv_mc_error": _error(one.npv),
            "low": float(low),
            "high": float(high),
            "low_80": float(low_80),
            "high_80": float(high_80),
            "prob_npv_positive": float((one.npv > 0.0).mean()),
            "prob_mc_error": share_error(one.npv > 0.0),
            "cvar": worst_tenth(one.npv).mean,
            "roi": one.mean / outlay if outlay > 0.0 else None,
            **_paybacks(one),
            "interaction": one.mean - sum(alone[name].mean for name in one.members),
            "gap": float(gap.mean()),
            "gap_mc_error": _error(gap),
            "efficient": not any(_beats(other, one) for other in held),
            "affordable": one in affordable,
            "chosen": one is best,
            "draws": len(one.npv),
            "place": places.get(one.members),
        }


def _title(study: Study, members: Members) -> str:
    titles: Mapping[str, str] = study.scenario.titles
    return " + ".join(titles[name] for name in members) or "Doing nothing"


def _paybacks(one: _Held) -> dict[str, float | None]:
    levels = {"payback_months": 0.5, "payback_months_late": LATE}
    found = {name: draw_at(one.payback, level) for name, level in levels.items()}
    return {name: float(month) if one.members and np.isfinite(month) else None for name, month in found.items()}


def _beats(other: _Held, one: _Held) -> bool:
    pair, mine = (other.mean, worst_tenth(other.npv).mean), (one.mean, worst_tenth(one.npv).mean)
    return pair != mine and pair[0] >= mine[0] and pair[1] >= mine[1]


def _error(draws: Numbers) -> float:
    return float(draws.std(ddof=1) / np.sqrt(len(draws)))
