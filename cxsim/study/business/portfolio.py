"""The base case in; each strategy's NPV taken apart by pathway, so that the parts add up to it, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.returns import LATE, draw_at, net_present_value, payback_months, share_error
from cxsim.finance.statement import worst_tenth
from cxsim.finance.uncertainty import feasible_sets, shapley
from cxsim.params import MICROS
from cxsim.simulation.counts import N_COUNT_KINDS, CountKind, ReachCountKind, place, width
from cxsim.simulation.engine import Executor
from cxsim.strategies.strategy import Strategy
from cxsim.study.business.base_case import (
    LABELS,
    Central,
    Centre,
    Numbers as CentralNumbers,
    Pathway,
    Played,
    Variant,
    booked,
    pathways_of,
    without,
)
from cxsim.study.business.contracts import PATHWAYS, PORTFOLIO
from cxsim.study.result import Study
from cxsim.study.scenario import Scenario
from cxsim.study.worlds import Draw
from cxsim.tables import check, empty

# Of more pathways, the number of sets to be played would explode.
MOST = 6
_GIVEN = (CountKind.MARKDOWN, CountKind.REWARD, CountKind.COMPENSATION)
_SENT_BACK = (CountKind.RETURNS, CountKind.REFUNDED, CountKind.SENT_BACK)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class _Worth:
    """What a set of pathways brings, present values by world, apart by what they are made of."""

    trade: CentralNumbers
    given: CentralNumbers
    sent_back: CentralNumbers
    fees: CentralNumbers
    programme: CentralNumbers


def pathways(base: Central, centre: Centre, returns: pl.DataFrame) -> pl.DataFrame:
    """Return where each strategy's NPV comes from and goes to.

    Every set of pathways is played with the same luck; a pathway's part is what it adds on average over all orders in
    which the pathways can be switched on (Shapley). What the strategy gives away when nobody responds goes to customers
    who would have ordered anyway.
    """
    means = dict(returns.select("strategy", "incremental_npv").iter_rows())
    rows = []
    for name, strategies in base.scenario.with_prior:
        after = _after(strategies)
        sets = feasible_sets(after)
        variants = [Variant(strategies=tuple(without(one, set(after) - held) for one in strategies)) for held in sets]
        # The last set holds every pathway, and was played already.
        played = [*base.play(variants[:-1]), centre[name]]
        worths = dict(zip(sets, (_worth(base, one) for one in played), strict=True))
        steps = [*_steps(worths, after), *_ends(base.npv(centre[name]), means[name])]
        sentence = {"strategy": name, "title": base.scenario.titles[name]}
        for number, (pathway, label, kind, amount) in enumerate(steps, start=1):
            by_world = None if isinstance(amount, float) else amount
            found = {
                "amount": amount if by_world is None else float(by_world.mean()),
                "mc_error": 0.0 if by_world is None else base.error(by_world),
            }
            rows.append(sentence | {"step": number, "pathway": pathway, "label": label, "kind": kind} | found)
    return check(pl.DataFrame(rows, schema=empty(PATHWAYS).schema), PATHWAYS)


def _after(strategies: Sequence[Strategy]) -> dict[Pathway, tuple[Pathway, ...]]:
    """Return the pathways and their order; where there are too many to play every set, each comes after the last."""
    found = pathways_of(strategies)
    if len(found) <= MOST:
        return found
    names = list(found)
    return {name: tuple(names[:place]) for place, name in enumerate(names)}


def _steps(
    worths: Mapping[frozenset[str], _Worth], after: Mapping[Pathway, Sequence[Pathway]]
) -> Iterator[tuple[str, str, str, CentralNumbers]]:
    """Yield pathway, label, kind and amounts of each part of the base case."""
    nobody, everybody = worths[frozenset()], worths[frozenset(after)]
    trade = shapley({held: worth.trade for held, worth in worths.items()}, after)
    back = shapley({held: worth.sent_back for held, worth in worths.items()}, after)
    if "returns" in trade:
        trade["returns"] = trade["returns"] + back.pop("returns")
    parts = [(pathway, LABELS[pathway], amount) for pathway, amount in trade.items()]
    others = sum(back.values(), np.zeros_like(everybody.fees))
    parts += [
        ("fees", "Membership fees", everybody.fees),
        ("subsidy", "Given to those who would have ordered anyway", nobody.given + nobody.trade + nobody.sent_back),
        ("rewards", "Given with the extra orders", everybody.given - nobody.given),
        ("extra_returns", "Extra orders sent back", others),
        ("programme", "Cost of the programme", everybody.programme),
    ]
    for pathway, label, amount in parts:
        if np.any(amount != 0.0):
            yield pathway, label, "gives" if amount.mean() >= 0.0 else "takes", amount


def _ends(npv: CentralNumbers, mean: float) -> Iterator[tuple[str, str, str, CentralNumbers | float]]:
    base = float(npv.mean())
    yield "base", "Base case", "base", npv
    yield "uncertainty", "From the base case to the mean of all draws", "uncertainty", mean - base
    yield "mean", "Net present value", "mean", mean


def _worth(base: Central, played: Played) -> _Worth:
    """Return the present values of a variant less the baseline, by what is counted."""
    present = base.present() / MICROS
    arms = [(), played.variant.strategies]
    tariffs, fixed = base.draws[0].tariffs(arms), base.draws[0].fixed(arms)
    reaches = len(played.variant.strategies)
    treated = _by_count_kind(played.treated, tariffs[1], present)
    untreated = _by_count_kind(played.baseline, tariffs[0], present)
    treated[:, :N_COUNT_KINDS] -= untreated
    given = [place(count_kind) for count_kind in _GIVEN]
    given += [place(ReachCountKind.POINTS_VALUE, reach) for reach in range(reaches)]
    back, fees = [place(count_kind) for count_kind in _SENT_BACK], [place(CountKind.FEES)]
    # Whom the programme attracts costs what winning a customer costs; that is trade, not a cost of the programme.
    attracted = [place(ReachCountKind.ATTRACTED, reach) for reach in range(reaches)]
    programme = [
        count_kind for count_kind in range(N_COUNT_KINDS, width(reaches)) if count_kind not in {*given, *attracted}
    ]
    rest = [count_kind for count_kind in range(width(reaches)) if count_kind not in {*given, *back, *fees, *programme}]
    costs = (fixed[1].sum(axis=0)[None, :] * present).sum(axis=1)
    return _Worth(
        trade=treated[:, rest].sum(axis=1),
        given=treated[:, given].sum(axis=1),
        sent_back=treated[:, back].sum(axis=1),
        fees=treated[:, fees].sum(axis=1),
        programme=treated[:, programme].sum(axis=1) + costs,
    )


def _by_count_kind(
    counts: npt.NDArray[np.int64], tariff: npt.NDArray[np.int64], present: CentralNumbers
) -> CentralNumbers:
    """Return what each tally is worth in today's money in each world: shape (worlds, tallies)."""
    discounted: CentralNumbers = (counts * present[:, :, None]).sum(axis=1) * tariff.sum(axis=0)
    return discounted


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
    first = tuple(draw for draw in study.worlds.draws if draw.number < draws)
    worlds = dataclasses.replace(study.worlds, draws=first)
    arms = [[(), *(_members(draw, members) for members in sets)] for draw in first]
    played = worlds.simulate(arms, executor=executor)
    counts = [np.stack([world.by_arm[arm].sum(axis=0) for world in played]) for arm in range(len(sets) + 1)]
    monthly, present = booked(first, arms, counts), worlds.present_values()
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
