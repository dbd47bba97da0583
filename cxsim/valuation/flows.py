"""A ledger in; monthly flows of every strategy against the baseline, per draw, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.ledger import OUTLAY
from cxsim.tables import LEDGER, check
from cxsim.units import DAYS_PER_YEAR, MICROS
from cxsim.valuation.economics import ACCOUNTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Flows:
    """Money per draw, arm, month and account, in units of the currency.

    Attributes
    ----------
    arms
        Names of the arms; the first is the baseline.
    amounts
        Shape (draws, arms, months, accounts), accounts in the order of `Account`.
    """

    arms: tuple[str, ...]
    amounts: npt.NDArray[np.float64]

    def incremental(self, arm: int) -> npt.NDArray[np.float64]:
        """Return the arm less the baseline: shape (draws, months, accounts)."""
        difference: npt.NDArray[np.float64] = self.amounts[:, arm] - self.amounts[:, 0]
        return difference

    def cash(self, arm: int) -> npt.NDArray[np.float64]:
        """Return the incremental cash of an arm: shape (draws, months)."""
        total: npt.NDArray[np.float64] = self.incremental(arm).sum(axis=2)
        return total

    def outlay(self, arm: int) -> npt.NDArray[np.float64]:
        """Return what an arm spends beyond the baseline, as positive amounts: shape (draws, months)."""
        spent = [ACCOUNTS.index(account) for account in OUTLAY]
        total: npt.NDArray[np.float64] = -self.incremental(arm)[:, :, spent].sum(axis=2)
        return total


def flows(ledger: pl.DataFrame, arms: tuple[str, ...], *, draws: int, months: int) -> Flows:
    """Return the monthly flows of a ledger, summed over cohorts.

    Sums are made in whole millionths and only then converted, so they do not depend on the order of the entries.
    """
    summed = (
        check(ledger, LEDGER)
        .group_by("draw", "arm", "month", "account")
        .agg(pl.col("amount").sum())
        .with_columns(pl.col("arm", "account").cast(pl.String))
    )
    place = {name: number for number, name in enumerate(arms)}
    accounts = {str(account): number for number, account in enumerate(ACCOUNTS)}
    amounts = np.zeros((draws, len(arms), months, len(ACCOUNTS)))
    index = (
        summed["draw"].to_numpy(),
        summed["arm"].replace_strict(place, return_dtype=pl.Int64).to_numpy(),
        summed["month"].to_numpy(),
        summed["account"].replace_strict(accounts, return_dtype=pl.Int64).to_numpy(),
    )
    amounts[index] = summed["amount"].to_numpy() / MICROS
    return Flows(arms=arms, amounts=amounts)


def weights(
    month_starts: npt.NDArray[np.int64],
    timing: Literal["start", "mid", "end"],
    annual_discount_rates: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the present value of one unit of money in each month: shape (draws, months).

    (1 + d) ** (-t / 365.25) with t in days: one convention, the effective annual rate.
    """
    days = cash_days(month_starts, timing)
    discounted: npt.NDArray[np.float64] = (1.0 + annual_discount_rates[:, None]) ** (-days[None, :] / DAYS_PER_YEAR)
    return discounted


def cash_days(month_starts: npt.NDArray[np.int64], timing: Literal["start", "mid", "end"]) -> npt.NDArray[np.float64]:
    """Return on which day, from today, the cash of each month flows: shape (months,)."""
    share = {"start": 0.0, "mid": 0.5, "end": 1.0}[timing]
    days: npt.NDArray[np.float64] = month_starts[:-1] + share * np.diff(month_starts)
    return days
