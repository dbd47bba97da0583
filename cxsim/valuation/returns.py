"""Flows in; NPV, ROI, payback and the decision of every strategy, each with its interval and Monte Carlo error, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.tables import RETURNS, check
from cxsim.valuation.flows import Flows
from cxsim.valuation.statement import HIGH, LOW

Draws = npt.NDArray[np.float64]
LATE = 0.9
_KINDS = {name: kinds[0] for name, kinds in RETURNS.columns.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How a shop decides: fund at or above one chance that NPV > 0, reject below another, pilot between."""

    fund: float
    reject: float

    def decision(self, prob_npv_positive: float) -> str:
        """Return fund, pilot or reject."""
        if prob_npv_positive >= self.fund:
            return "fund"
        return "reject" if prob_npv_positive < self.reject else "pilot"


def net_present_value(monthly: Draws, weights: Draws) -> Draws:
    """Return the present value of monthly amounts, per draw.

    Shape (draws,).
    """
    total: Draws = (monthly * weights).sum(axis=1)
    return total


def payback_months(monthly: Draws) -> Draws:
    """Return after how many months cumulative cash is back at zero to stay there until the horizon.

    A month counts as below zero when its end is. In the first month after the last such one, cash is taken to flow
    evenly, and the crossing is interpolated. A programme that never ends a month below zero has paid back after 0.

    Shape (draws,): infinity where cash is below zero at the end of the horizon.
    """
    # To a millionth, as in the ledger; otherwise a last digit could put an exact zero below zero.
    cumulative = monthly.cumsum(axis=1).round(6)
    below = cumulative < 0.0
    months = monthly.shape[1]
    ever = below.any(axis=1)
    final = months - 1 - np.argmax(below[:, ::-1], axis=1)
    rows = np.arange(len(monthly))
    following = np.minimum(final + 1, months - 1)
    gain = monthly[rows, following]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed = final + 1 - cumulative[rows, final] / gain
    paid = np.where(below[:, -1], np.inf, crossed)
    return np.where(ever, paid, 0.0)


def returns(
    flows: Flows,
    weights: Draws,
    rule: Rule,
    *,
    titles: Mapping[str, str],
    customers: int,
    structures: int = 1,
) -> pl.DataFrame:
    """Return what every strategy brings back, one row each.

    Outlay is the present value of markdowns, rewards, points still outstanding and programme cost. ROI is mean
    incremental NPV over mean outlay, null where nothing is spent in some draw; break_even_scale is 1 + ROI, the
    factor by which the outlay could be multiplied before the NPV is 0 (0 or less: it does not pay even for nothing).
    Monte Carlo errors are standard errors over draws; that of a ratio by the delta method, that of a median by its
    order statistics, that of a chance with one gain and one loss added, so that it is not 0 when all draws agree.
    """
    rows = [
        _row(flows.cash(arm), flows.outlay(arm), weights, rule, structures)
        | {"strategy": flows.arms[arm], "title": titles[flows.arms[arm]], "customers": customers, "draws": len(weights)}
        for arm in range(1, len(flows.arms))
    ]
    return check(pl.DataFrame(rows, schema_overrides=_KINDS).select(list(_KINDS)), RETURNS)


def read_returns(path: Path) -> pl.DataFrame:
    """Return a table of returns from its CSV."""
    return check(pl.read_csv(path, schema_overrides=_KINDS).select(list(_KINDS)), RETURNS)


def npv_by_draw(flows: Flows, weights: Draws) -> pl.DataFrame:
    """Return what every strategy brings back in each draw."""
    parts = []
    for arm in range(1, len(flows.arms)):
        months = payback_months(flows.cash(arm))
        parts.append(
            pl.DataFrame(
                {
                    "strategy": [flows.arms[arm]] * len(weights),
                    "draw": np.arange(len(weights), dtype=np.int32),
                    "npv": net_present_value(flows.cash(arm), weights),
                    "outlay": net_present_value(flows.outlay(arm), weights),
                    "payback_months": [float(month) if np.isfinite(month) else None for month in months],
                },
                schema_overrides={"payback_months": pl.Float64},
            )
        )
    return pl.concat(parts)


def _row(monthly: Draws, spent: Draws, weights: Draws, rule: Rule, structures: int) -> dict[str, object]:
    npv, outlay = net_present_value(monthly, weights), net_present_value(spent, weights)
    payback = payback_months(monthly)
    prob = float((npv > 0.0).mean())
    return {
        "decision": rule.decision(prob),
        "outlay": float(outlay.mean()),
        "incremental_npv": float(npv.mean()),
        "npv_low": float(np.quantile(npv, LOW)),
        "npv_high": float(np.quantile(npv, HIGH)),
        "npv_mc_error": _standard_error(npv, structures),
        "prob_npv_positive": prob,
        "prob_mc_error": share_error(npv > 0.0, structures),
        "prob_payback": float(np.isfinite(payback).mean()),
        "payback_months": _known(draw_at(payback, 0.5)),
        "payback_months_late": _known(draw_at(payback, LATE)),
        "payback_mc_error": _known(_median_error(payback, structures)),
        **_ratios(npv, outlay, structures),
    }


def _ratios(npv: Draws, outlay: Draws, structures: int) -> dict[str, float | None]:
    if (outlay <= 0.0).any():
        return dict.fromkeys(("roi", "roi_low", "roi_high", "roi_mc_error", "break_even_scale"))
    roi = npv.mean() / outlay.mean()
    return {
        "roi": float(roi),
        "roi_low": float(np.quantile(npv / outlay, LOW)),
        "roi_high": float(np.quantile(npv / outlay, HIGH)),
        "roi_mc_error": _standard_error(npv - roi * outlay, structures) / float(outlay.mean()),
        "break_even_scale": float(1.0 + roi),
    }


def share_error(gains: npt.NDArray[np.bool_], structures: int = 1) -> float:
    """Return the standard error of a share of draws, with one gain and one loss added."""
    # As few trials as there are draws: the same draw under another structure is no new evidence.
    trials = len(gains) // structures + 2
    share = (float(gains.mean()) * (trials - 2) + 1.0) / trials
    return float(np.sqrt(share * (1.0 - share) / trials))


def _standard_error(draws: Draws, structures: int) -> float:
    means = draws.reshape(structures, -1).mean(axis=0)
    return float(means.std(ddof=1) / np.sqrt(len(means)))


def draw_at(draws: Draws, level: float) -> float:
    """Return the smallest draw that a share of the draws does not exceed; infinity is possible."""
    return float(np.sort(draws)[max(int(np.ceil(level * len(draws))), 1) - 1])


def _median_error(draws: Draws, structures: int) -> float:
    """Return half the distance between the order statistics half a root of n below and above the median."""
    half = 0.5 / np.sqrt(len(draws) // structures)
    low, high = draw_at(draws, 0.5 - half), draw_at(draws, 0.5 + half)
    return (high - low) / 2.0 if np.isfinite(low) else np.inf


def _known(number: float) -> float | None:
    return number if np.isfinite(number) else None
