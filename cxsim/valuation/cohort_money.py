"""A ledger in; the incremental statement over the whole horizon by cohort of customers, out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business_tables import COHORT_MONEY
from cxsim.errors import TableError, choices
from cxsim.tables import LEDGER, check
from cxsim.units import MICROS
from cxsim.valuation.booking import SHARED
from cxsim.valuation.economics import ACCOUNTS
from cxsim.valuation.statement import HIGH, LOW, lines

Numbers = npt.NDArray[np.float64]
_ARRIVALS = re.compile(r"(\d{4})-(\d{2})")
# Up to so many months of arrival stand by themselves; more are shown in threes.
_FEW = 6
_QUARTER = 3


def cohort_money(
    ledger: pl.DataFrame,
    arms: Sequence[str],
    *,
    draws: int,
    months: int,
    customers: Mapping[str, float],
    titles: Mapping[str, str],
) -> pl.DataFrame:
    """Return the statement of every strategy against the baseline, by cohort.

    Under COHORT_MONEY, by strategy, cohort and line of the ladder: undiscounted means over draws and the 90 %
    interval of the increment. Cohorts named after a month of arrival, as 1998-07, are taken together in threes, as
    `1998-07 to 1998-09`, where there are more than six.
    """
    shown = _shown(customers)
    grouped = pl.col("cohort").cast(pl.String).replace_strict(shown, return_dtype=pl.String)
    entries = _sums(ledger, arms, draws=draws, months=months, known=shown).with_columns(grouped)
    cohorts = list(dict.fromkeys(shown.values()))
    amounts = _amounts(entries, arms, cohorts, draws=draws)
    people = dict.fromkeys(cohorts, 0.0)
    for cohort, count in customers.items():
        people[shown[cohort]] += count
    parts = [
        _rows(amounts[:, 0], amounts[:, arm], people).with_columns(
            strategy=pl.lit(strategy), title=pl.lit(titles[strategy])
        )
        for arm, strategy in enumerate(arms[1:], start=1)
    ]
    return check(pl.concat(parts).select(list(COHORT_MONEY.columns)), COHORT_MONEY)


def _shown(customers: Mapping[str, float]) -> dict[str, str]:
    """Return for each cohort the one under which it is shown, shared costs last."""
    parsed = {name: _ARRIVALS.fullmatch(name) for name in customers if name != SHARED}
    arrivals = {name: 12 * int(found[1]) + int(found[2]) - 1 for name, found in parsed.items() if found}
    shown = {name: name for name in parsed}
    if len(arrivals) > _FEW:
        first = min(arrivals.values())
        for name, month in arrivals.items():
            group = [other for other, at in arrivals.items() if (at - first) // _QUARTER == (month - first) // _QUARTER]
            shown[name] = group[0] if len(group) == 1 else f"{min(group)} to {max(group)}"
    return shown | {SHARED: SHARED}


def _sums(
    ledger: pl.DataFrame, arms: Sequence[str], *, draws: int, months: int, known: Mapping[str, str]
) -> pl.DataFrame:
    """Return the ledger summed over months, in whole millionths, so that the order of entries does not matter."""
    entries = check(ledger, LEDGER)
    for name, limit in (("draw", draws), ("month", months)):
        beyond = entries[name].filter(~entries[name].is_between(0, limit - 1))
        if len(beyond):
            raise TableError(f"LEDGER: found {name} {beyond[0]}; possible: 0 to {limit - 1}.")
    summed = entries.group_by("draw", "arm", "cohort", "account").agg(pl.col("amount").sum())
    for name, possible in (("arm", list(arms)), ("cohort", list(known))):
        for found in summed[name].cast(pl.String).unique().sort():
            if found not in possible:
                raise TableError(f"LEDGER: no {name} '{found}' is known; {choices(found, possible)}")
    return summed


def _amounts(entries: pl.DataFrame, arms: Sequence[str], cohorts: Sequence[str], *, draws: int) -> Numbers:
    """Return the amounts: shape (draws, arms, cohorts, accounts)."""
    micros = np.zeros((draws, len(arms), len(cohorts), len(ACCOUNTS)), np.int64)
    index = (
        entries["draw"].to_numpy(),
        *(
            entries[column]
            .cast(pl.String)
            .replace_strict({str(name): place for place, name in enumerate(names)}, return_dtype=pl.Int64)
            .to_numpy()
            for column, names in (("arm", arms), ("cohort", cohorts), ("account", ACCOUNTS))
        ),
    )
    np.add.at(micros, index, entries["amount"].to_numpy())
    return micros / MICROS


def _rows(baseline: Numbers, treated: Numbers, people: Mapping[str, float]) -> pl.DataFrame:
    """Return one row per cohort and line; `baseline` and `treated` have the shape (draws, cohorts, accounts)."""
    before = np.stack([entry for _, entry in lines(baseline)], axis=2)
    after = np.stack([entry for _, entry in lines(treated)], axis=2)
    names = [name for name, _ in lines(baseline[:1])]
    low, high = np.quantile(after - before, (LOW, HIGH), axis=0)
    columns = {
        "baseline": before.mean(axis=0),
        "treated": after.mean(axis=0),
        "incremental": (after - before).mean(axis=0),
        "low": low,
        "high": high,
    }
    places = {
        "cohort": np.repeat(list(people), len(names)),
        "customers": np.repeat(list(people.values()), len(names)),
        "line": names * len(people),
    }
    return pl.DataFrame(places | {name: amounts.ravel() for name, amounts in columns.items()})
