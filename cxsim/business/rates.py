"""A study in; what its strategies are worth at other discount rates and over shorter horizons, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business.booked import booked
from cxsim.business_tables import RATES
from cxsim.ledger import Account
from cxsim.study import Study
from cxsim.study.draws import arms_of
from cxsim.tables import check, empty
from cxsim.tallies import ReachTally, Tally, place
from cxsim.units import MICROS, MICROS_PER_CENT
from cxsim.valuation import ACCOUNTS, HIGH, LOW, weights

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
    open_points = counts[:, :, place(Tally.POINTS_ISSUED)].astype(np.float64)
    open_points -= counts[:, :, place(Tally.POINTS_REDEEMED)] + counts[:, :, place(Tally.POINTS_EXPIRED)]
    open_points = open_points.cumsum(axis=1)
    owed = sum((counts[:, -1, place(ReachTally.POINTS_VALUE, reach)] for reach in range(reaches)), np.int64(0))
    final = open_points[:, -1]
    worth = np.divide(owed * MICROS_PER_CENT / MICROS, final, out=np.zeros_like(final), where=final > 0.0)
    total: Numbers = open_points * worth[:, None]
    return total


def settling(study: Study, arm: int) -> Settling:
    """Return an arm's money less the baseline's, with what is settled at the end of any horizon."""
    replay = study.replay
    played = [arms_of(draw.scenario) for draw in replay.draws]
    counts = (replay.counts[0], replay.counts[arm])
    difference = booked(replay.draws, [[arms[0], arms[arm]] for arms in played], counts).incremental(1)
    capital = difference[:, :, ACCOUNTS.index(Account.WORKING_CAPITAL)].cumsum(axis=1)
    points = outstanding(replay.counts[arm], len(played[0][arm]))
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
