"""Flows in; the profit and loss statement by year and over the whole horizon, with intervals, out."""

from __future__ import annotations

import numpy as np
import polars as pl

from cxsim.tables import TOTALS, WHOLE_HORIZON, check
from cxsim.valuation.flows import Flows
from cxsim.valuation.statement import HIGH, LOW, lines

MONTHS_PER_YEAR = 12


def totals(flows: Flows) -> pl.DataFrame:
    """Return the statement of every strategy by year and in total.

    An interval of a sum is not the sum of intervals, so it is taken from the sums of each draw.
    """
    months = flows.amounts.shape[2]
    rows = []
    for arm in range(1, len(flows.arms)):
        treated = dict(lines(flows.amounts[:, arm]))
        for line, baseline in lines(flows.amounts[:, 0]):
            for period, (first, last) in years(months).items():
                before, after = baseline[:, first:last].sum(axis=1), treated[line][:, first:last].sum(axis=1)
                low, high = np.quantile(after - before, (LOW, HIGH))
                rows.append(
                    {
                        "strategy": flows.arms[arm],
                        "period": period,
                        "line": line,
                        "baseline": float(before.mean()),
                        "treated": float(after.mean()),
                        "incremental": float((after - before).mean()),
                        "low": float(low),
                        "high": float(high),
                    }
                )
    return check(pl.DataFrame(rows), TOTALS)


def years(months: int) -> dict[str, tuple[int, int]]:
    """Return the periods of `totals` with their first month and the one after the last, the whole horizon at the end."""
    named = {}
    for year, first in enumerate(range(0, months, MONTHS_PER_YEAR), start=1):
        length = min(MONTHS_PER_YEAR, months - first)
        part = f" ({length} month{'' if length == 1 else 's'})"
        named[f"Year {year}{part if length < MONTHS_PER_YEAR else ''}"] = (first, first + length)
    return (named if months > MONTHS_PER_YEAR else {}) | {WHOLE_HORIZON: (0, months)}
