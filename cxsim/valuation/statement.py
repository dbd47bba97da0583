"""Flows in; the incremental profit and loss statement by month, and cumulative cash, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.ledger import LADDER
from cxsim.tables import CASH, STATEMENT, check
from cxsim.valuation.economics import ACCOUNTS
from cxsim.valuation.flows import Flows

# The central 90 % of the draws.
LOW, HIGH = 0.05, 0.95


def statement(flows: Flows, starts_on: Sequence[date]) -> pl.DataFrame:
    """Return the statement of every strategy against the baseline."""
    parts = [_statement_of(flows, arm, starts_on) for arm in range(1, len(flows.arms))]
    return check(pl.concat(parts), STATEMENT)


def cash(flows: Flows, ends_on: Sequence[date]) -> pl.DataFrame:
    """Return the cumulative incremental cash of every strategy by month, undiscounted."""
    parts = []
    for arm in range(1, len(flows.arms)):
        cumulative = flows.cash(arm).cumsum(axis=1)
        parts.append(
            pl.DataFrame(
                {
                    "strategy": [flows.arms[arm]] * len(ends_on),
                    "month": np.arange(len(ends_on), dtype=np.int32),
                    "ends_on": list(ends_on),
                    "mean": cumulative.mean(axis=0),
                    "low": np.quantile(cumulative, LOW, axis=0),
                    "high": np.quantile(cumulative, HIGH, axis=0),
                }
            )
        )
    return check(pl.concat(parts), CASH)


def _statement_of(flows: Flows, arm: int, starts_on: Sequence[date]) -> pl.DataFrame:
    baseline = dict(lines(flows.amounts[:, 0]))
    treated = dict(lines(flows.amounts[:, arm]))
    rows = []
    for line, untreated in baseline.items():
        increment = treated[line] - untreated
        rows.append(
            pl.DataFrame(
                {
                    "strategy": [flows.arms[arm]] * len(starts_on),
                    "month": np.arange(len(starts_on), dtype=np.int32),
                    "starts_on": list(starts_on),
                    "line": [line] * len(starts_on),
                    "baseline": untreated.mean(axis=0),
                    "treated": treated[line].mean(axis=0),
                    "incremental": increment.mean(axis=0),
                    "low": np.quantile(increment, LOW, axis=0),
                    "high": np.quantile(increment, HIGH, axis=0),
                }
            )
        )
    place = pl.int_range(pl.len()) // len(starts_on)
    return pl.concat(rows).with_columns(place=place).sort("month", "place").drop("place")


def lines(amounts: npt.NDArray[np.float64]) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Yield each line of the ladder with its amounts, shape (draws, months): accounts, then the subtotal below them."""
    total = np.zeros(amounts.shape[:2])
    for subtotal, accounts in LADDER:
        for account in accounts:
            entry = amounts[:, :, ACCOUNTS.index(account)]
            total = total + entry
            yield str(account), entry
        yield subtotal, total
