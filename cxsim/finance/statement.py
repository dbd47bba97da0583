"""Flows in; the incremental profit and loss statement by month, and cumulative cash, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import ParamError, TableError, choices
from cxsim.finance.contracts import COHORT_MONEY, GRAINS, PERIODS
from cxsim.finance.economics import ACCOUNTS, SHARED
from cxsim.finance.ledger import LADDER, OUTLAY
from cxsim.params import DAYS_PER_YEAR, MICROS
from cxsim.tables import CASH, LEDGER, STATEMENT, TOTALS, WHOLE_HORIZON, check


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


# Months in each grain; the total has all of them.
_LENGTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}


def periods(
    flows: Flows, weights: Numbers, starts_on: Sequence[date], *, days: Numbers, titles: Mapping[str, str]
) -> pl.DataFrame:
    """Return the statement of every strategy by month, quarter, year and over the whole horizon."""
    draws, _, months, _ = flows.amounts.shape
    if weights.shape != (draws, months) or len(starts_on) != months or days.shape != (months,):
        raise ParamError(
            f"periods: found flows of {draws} draws and {months} months, weights of shape {weights.shape}, "
            f"{len(starts_on)} first days and days of shape {days.shape}; all must have the same draws and months."
        )
    baseline = _stacked(flows.amounts[:, 0])
    lengths = _LENGTHS | {"total": months}
    parts = []
    for arm, strategy in enumerate(flows.arms[1:], start=1):
        treated = _stacked(flows.amounts[:, arm])
        parts += [
            _of_grain(baseline, treated, weights, lengths[grain]).with_columns(
                pl.lit(strategy).alias("strategy"),
                pl.lit(titles[strategy]).alias("title"),
                pl.lit(grain).alias("grain"),
                *_calendar(grain, starts_on),
                _day(grain, days),
            )
            for grain in GRAINS
        ]
    return check(pl.concat(parts).select(list(PERIODS.columns)), PERIODS)


def _stacked(amounts: Numbers) -> Numbers:
    """Return all lines of the ladder: shape (draws, months, lines)."""
    return np.stack([entry for _, entry in lines(amounts)], axis=2)


def _of_grain(baseline: Numbers, treated: Numbers, weights: Numbers, length: int) -> pl.DataFrame:
    """Return one row per period of so many months and line."""
    firsts = np.arange(0, baseline.shape[1], length)
    before, after = (np.add.reduceat(amounts, firsts, axis=1) for amounts in (baseline, treated))
    worth = np.add.reduceat((treated - baseline) * weights[:, :, None], firsts, axis=1).mean(axis=0)
    increment = (after - before).mean(axis=0)
    low, high = np.quantile(after - before, (LOW, HIGH), axis=0)
    names = [name for name, _ in lines(np.zeros((1, 1, len(ACCOUNTS))))]
    columns = {
        "baseline": before.mean(axis=0),
        "treated": after.mean(axis=0),
        "incremental": increment,
        "low": low,
        "high": high,
        "discounted": worth,
        "cumulative": increment.cumsum(axis=0),
        "cumulative_discounted": worth.cumsum(axis=0),
    }
    places = {"period": np.repeat(np.arange(len(firsts), dtype=np.int32), len(names)), "line": names * len(firsts)}
    return pl.DataFrame(places | {name: amounts.ravel() for name, amounts in columns.items()})


def _calendar(grain: str, starts_on: Sequence[date]) -> tuple[pl.Expr, pl.Expr]:
    """Return the label and the first day of each period, from its number."""
    months = len(starts_on)
    length = _LENGTHS.get(grain, months)
    days = dict(enumerate(starts_on[::length]))
    labels = {number: _label(grain, day, number, min(length, months - number * length)) for number, day in days.items()}
    period = pl.col("period")
    return (
        period.replace_strict(labels, return_dtype=pl.String).alias("label"),
        period.replace_strict(days, return_dtype=pl.Date).alias("starts_on"),
    )


def _day(grain: str, days: Numbers) -> pl.Expr:
    known = dict(enumerate(days.tolist())) if grain == "month" else {}
    return pl.col("period").replace_strict(known, default=None, return_dtype=pl.Float64).alias("day")


def _label(grain: str, day: date, number: int, length: int) -> str:
    if grain == "month":
        return f"{day.year}-{day.month:02d}"
    if grain not in _LENGTHS:
        return WHOLE_HORIZON
    part = f" ({length} month{'' if length == 1 else 's'})"
    return f"{grain.capitalize()} {number + 1}{part if length < _LENGTHS[grain] else ''}"


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
    """Return the periods of `totals` with their first month and the one after the last; the whole horizon is last."""
    named = {}
    for year, first in enumerate(range(0, months, MONTHS_PER_YEAR), start=1):
        length = min(MONTHS_PER_YEAR, months - first)
        part = f" ({length} month{'' if length == 1 else 's'})"
        named[f"Year {year}{part if length < MONTHS_PER_YEAR else ''}"] = (first, first + length)
    return (named if months > MONTHS_PER_YEAR else {}) | {WHOLE_HORIZON: (0, months)}


_TENTH = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class WorstTenth:
    """The conditional value at risk, CVaR, of some draws at 10 %.

    Attributes
    ----------
    mean
        Mean of the worst tenth of the draws.
    mc_error
        Its standard error, from the limited number of draws.
    """

    mean: float
    mc_error: float


def worst_tenth(draws: npt.NDArray[np.float64], *, structures: int = 1) -> WorstTenth:
    """Return the mean of the worst tenth of the draws.

    With q the tenth-quantile, the mean of the worst tenth is the mean over draws of q - max(q - x, 0) / 0.1
    (Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk"). Its error is that of this mean: at the
    quantile its slope in q is zero, so that not knowing q adds nothing to first order.
    """
    if len(draws) % structures or len(draws) // structures < 2:
        raise ParamError(
            f"worst_tenth: found {len(draws)} draws under {structures} structures; each needs as many, at least 2."
        )
    edge = np.sort(draws)[len(draws) // 10]
    parts = edge - np.maximum(edge - draws, 0.0) / _TENTH
    # The same draw under another structure is no new evidence.
    means = parts.reshape(structures, -1).mean(axis=0)
    return WorstTenth(mean=float(parts.mean()), mc_error=float(means.std(ddof=1) / np.sqrt(len(means))))
