"""A study in; how much of the variance of each strategy's NPV is the work of which ignorance, out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business.ignorance import Kind, ignorance
from cxsim.business.luck import luck
from cxsim.business_tables import SPLIT
from cxsim.study import Study
from cxsim.tables import check, empty
from cxsim.uncertainty import Share, explained, steady, surface

Numbers = npt.NDArray[np.float64]
# The parts that are regressed on what was drawn.
_REGRESSED: Mapping[str, tuple[Kind, ...]] = {
    "models": ("models",),
    "effects": ("responses", "costs", "behaviour", "stacking"),
    "economics": ("economics",),
}
_BOOTSTRAPS = 256


def split(study: Study) -> pl.DataFrame:
    """Return how much of the variance of each strategy's NPV is the work of which ignorance.

    The variance is that over all worlds, the models of leaving counting evenly: the mean variance within them, and
    that of their means less what the draws add to it. Fitted models, effects and economics are shares explained by
    one regression of the mean over models of leaving; luck is played again; `together` is the rest: what only shows
    in combination, and what the regression did not see. Its error takes those of the others for independent.
    """
    known = ignorance(study)
    fitted = surface(known.npvs.mean(axis=0), known.drawn, known.relevant)
    lucks = luck(study)
    rows: list[dict[str, object]] = []
    for arm, name in enumerate(known.arms):
        worlds = known.npvs[:, :, arm]
        total = _total(worlds)
        within = float(worlds.mean(axis=0).var(ddof=1))
        parts = {
            part: _of_total(explained(fitted, known.places(kinds), output=arm, seed=study.scenario.seed), within, total)
            for part, kinds in _REGRESSED.items()
        }
        parts["structure"] = _structure(worlds, study.scenario.seed)
        parts["luck"] = _of_total(_relative(lucks.variances[arm], lucks.mc_errors[arm]), 1.0, total)
        rows += _rows(name, study.scenario.titles[name], parts, total)
    return check(pl.DataFrame(rows, schema=empty(SPLIT).schema), SPLIT)


def _rows(name: str, title: str, parts: Mapping[str, Share], total: float) -> list[dict[str, object]]:
    told = {part: Share(share=steady(one.share), mc_error=steady(one.mc_error)) for part, one in parts.items()}
    rest = Share(
        share=1.0 - math.fsum(one.share for one in told.values()),
        mc_error=math.sqrt(math.fsum(one.mc_error**2 for one in told.values())),
    )
    return [
        {
            "strategy": name,
            "title": title,
            "part": part,
            "share": one.share,
            "mc_error": one.mc_error,
            "sd": steady(math.sqrt(max(one.share, 0.0) * total)),
        }
        for part, one in (*told.items(), ("together", rest))
    ]


def _relative(variance: float, error: float) -> Share:
    return Share(share=float(variance), mc_error=float(error))


def _of_total(share: Share, of: float, total: float) -> Share:
    """Return a share of a part of the variance as a share of all of it; nothing varies where that is 0."""
    scale = of / total if total > 0.0 else 0.0
    return Share(share=share.share * scale, mc_error=share.mc_error * scale)


def _total(worlds: Numbers) -> float:
    """Return the variance over all worlds of a table (structures, draws)."""
    even = np.full((1, worlds.shape[1]), 1.0 / worlds.shape[1])
    within, between = _variances(worlds, even)
    return float(within[0] + between[0])


def _structure(worlds: Numbers, seed: int) -> Share:
    """Return the share of the variance of the structures' means, with its error over draws."""
    structures, draws = worlds.shape
    if structures == 1:
        return Share(share=0.0, mc_error=0.0)
    luck = np.random.Generator(np.random.PCG64(seed)).standard_exponential((_BOOTSTRAPS, draws))
    weights = np.vstack([np.full((1, draws), 1.0 / draws), luck / luck.sum(axis=1, keepdims=True)])
    within, between = _variances(worlds, weights)
    total = within + between
    shares = np.divide(between, total, out=np.zeros_like(total), where=total > 0.0)
    return Share(share=float(shares[0]), mc_error=float(shares[1:].std(ddof=1)))


def _variances(worlds: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean variance within the structures, and the variance of their means without what draws add to it."""
    draws = worlds.shape[1]
    means = weights @ worlds.T
    within = (weights @ np.square(worlds).T - np.square(means)).mean(axis=1) * draws / (draws - 1)
    apart = worlds - worlds.mean(axis=0)
    moved = weights @ apart.T
    noise = (weights @ np.square(apart).T - np.square(moved)).mean(axis=1) / (draws - 1)
    return within, np.square(moved).mean(axis=1) - noise
