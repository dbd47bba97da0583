"""The base case in; each strategy's NPV taken apart by pathway, so that the parts add up to it, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business.central import Central, Centre, Numbers, Played, Variant
from cxsim.business.responses import LABELS, Pathway, pathways_of, without
from cxsim.business_tables import PATHWAYS
from cxsim.strategies import Strategy
from cxsim.tables import check, empty
from cxsim.tallies import N_TALLIES, ReachTally, Tally, place, width
from cxsim.uncertainty.shapley import feasible_sets, shapley
from cxsim.units import MICROS

# Of more pathways, the number of sets to be played would explode.
MOST = 6
_GIVEN = (Tally.MARKDOWN, Tally.REWARD, Tally.COMPENSATION)
_SENT_BACK = (Tally.RETURNS, Tally.REFUNDED, Tally.SENT_BACK)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class _Worth:
    """What a set of pathways brings, present values by world, apart by what they are made of."""

    trade: Numbers
    given: Numbers
    sent_back: Numbers
    fees: Numbers
    programme: Numbers


def pathways(base: Central, centre: Centre, returns: pl.DataFrame) -> pl.DataFrame:
    """Return where each strategy's NPV comes from and goes to.

    Every set of pathways is played with the same luck; a pathway's part is what it adds on average over all orders in
    which the pathways can be switched on (Shapley). What the strategy gives away when nobody responds goes to customers
    who would have ordered anyway.
    """
    means = dict(returns.select("strategy", "incremental_npv").iter_rows())
    rows = []
    for name, strategies in base.scenario.believed:
        after = _after(strategies)
        sets = feasible_sets(after)
        variants = [Variant(strategies=tuple(without(one, set(after) - held) for one in strategies)) for held in sets]
        # The last set holds every pathway, and was played already.
        played = [*base.play(variants[:-1]), centre[name]]
        worths = dict(zip(sets, (_worth(base, one) for one in played), strict=True))
        steps = [*_steps(worths, after), *_ends(base.npv(centre[name]), means[name])]
        told = {"strategy": name, "title": base.scenario.titles[name]}
        for number, (pathway, label, kind, amount) in enumerate(steps, start=1):
            by_world = None if isinstance(amount, float) else amount
            found = {
                "amount": amount if by_world is None else float(by_world.mean()),
                "mc_error": 0.0 if by_world is None else base.error(by_world),
            }
            rows.append(told | {"step": number, "pathway": pathway, "label": label, "kind": kind} | found)
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
) -> Iterator[tuple[str, str, str, Numbers]]:
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


def _ends(npv: Numbers, mean: float) -> Iterator[tuple[str, str, str, Numbers | float]]:
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
    treated = _by_tally(played.treated, tariffs[1], present)
    untreated = _by_tally(played.baseline, tariffs[0], present)
    treated[:, :N_TALLIES] -= untreated
    given = [place(tally) for tally in _GIVEN]
    given += [place(ReachTally.POINTS_VALUE, reach) for reach in range(reaches)]
    back, fees = [place(tally) for tally in _SENT_BACK], [place(Tally.FEES)]
    # Whom the programme attracts costs what winning a customer costs; that is trade, not a cost of the programme.
    attracted = [place(ReachTally.ATTRACTED, reach) for reach in range(reaches)]
    programme = [tally for tally in range(N_TALLIES, width(reaches)) if tally not in {*given, *attracted}]
    rest = [tally for tally in range(width(reaches)) if tally not in {*given, *back, *fees, *programme}]
    costs = (fixed[1].sum(axis=0)[None, :] * present).sum(axis=1)
    return _Worth(
        trade=treated[:, rest].sum(axis=1),
        given=treated[:, given].sum(axis=1),
        sent_back=treated[:, back].sum(axis=1),
        fees=treated[:, fees].sum(axis=1),
        programme=treated[:, programme].sum(axis=1) + costs,
    )


def _by_tally(counts: npt.NDArray[np.int64], tariff: npt.NDArray[np.int64], present: Numbers) -> Numbers:
    """Return what each tally is worth in today's money in each world: shape (worlds, tallies)."""
    discounted: Numbers = (counts * present[:, :, None]).sum(axis=1) * tariff.sum(axis=0)
    return discounted
