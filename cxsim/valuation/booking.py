"""Counts of one draw in, ledger entries out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.tables import LEDGER, check
from cxsim.valuation.economics import ACCOUNTS

SHARED = "shared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """Names of the ledger's dimensions.

    Attributes
    ----------
    arms
        Names of the arms; the first is the baseline.
    cohorts
        Names of the cohorts; costs of a programme that belong to none are booked to the cohort `shared`.
    """

    arms: tuple[str, ...]
    cohorts: tuple[str, ...]


def book(
    books: Books,
    draw: int,
    counts: Sequence[npt.NDArray[np.int64]],
    *,
    tariffs: Sequence[npt.NDArray[np.int64]],
    fixed: Sequence[npt.NDArray[np.int64]],
) -> pl.DataFrame:
    """Return the ledger of one draw."""
    arms, cohorts, accounts = _names(books.arms), _names((*books.cohorts, SHARED)), _names(ACCOUNTS)
    parts = []
    for arm, (count, worth, costs) in enumerate(zip(counts, tariffs, fixed, strict=True)):
        amounts = _amounts(count, worth, costs)
        cohort, month, account = np.nonzero(amounts)
        parts.append(
            pl.DataFrame(
                {
                    "draw": np.full(len(cohort), draw, np.int32),
                    "arm": arms.gather(np.full(len(cohort), arm)),
                    "cohort": cohorts.gather(cohort),
                    "month": month.astype(np.int32),
                    "account": accounts.gather(account),
                    "amount": amounts[cohort, month, account],
                }
            )
        )
    return check(pl.concat(parts), LEDGER)


def _amounts(
    count: npt.NDArray[np.int64], worth: npt.NDArray[np.int64], costs: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the amounts per cohort (the last one shared), month and account."""
    cohorts, months, tallies = count.shape
    amounts = np.zeros((cohorts + 1, months, len(ACCOUNTS)), np.int64)
    amounts[:-1] = (count.reshape(-1, tallies) @ worth.T).reshape(cohorts, months, len(ACCOUNTS))
    amounts[-1] = costs.T
    return amounts


def _names(names: Sequence[str]) -> pl.Series:
    texts = [str(name) for name in names]
    return pl.Series(texts, dtype=pl.Enum(texts))
