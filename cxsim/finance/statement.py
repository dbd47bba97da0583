"""A ledger in; monthly flows and the statement against the baseline, by month, period and cohort, out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.economics import ACCOUNTS, INVESTMENT_ACCOUNTS, LADDER, SHARED, Timing
from cxsim.params import DAYS_PER_YEAR, MICROS
from cxsim.simulation.counts import YEARS_AFTER
from cxsim.tables import (
    CASH,
    DAY,
    INDEX,
    LEDGER,
    REAL,
    STATEMENT,
    TEXT,
    TOTALS,
    WHOLE_HORIZON,
    Contract,
    check,
    ordered,
)

Numbers = npt.NDArray[np.float64]
# As in `cxsim.tables`: money in units of the currency, `low` and `high` the 5 % and 95 % quantiles over draws.

# The statement by month, quarter, year and in total. discounted: mean present value of the increment; cumulative and
# cumulative_discounted: sums of the increment since the start, within a strategy, grain and line. day: of a month, on
# which day from the start its cash flows; null in other grains.
PERIODS = Contract(
    "PERIODS",
    TEXT("strategy", "grain"),
    INDEX("period"),
    TEXT("label"),
    DAY("starts_on"),
    TEXT("line"),
    REAL(
        "baseline", "treated", "incremental", "low", "high", "discounted", "cumulative", "cumulative_discounted", "day"
    ),
    TEXT("title"),
    nullable=("day",),
)
# One row per strategy, cohort of customers and line of the ladder, over the whole horizon; customers in the baseline.
COHORT_MONEY = Contract(
    "COHORT_MONEY",
    TEXT("strategy", "cohort"),
    REAL("customers"),
    TEXT("line"),
    REAL("baseline", "treated", "incremental", "low", "high"),
    TEXT("title"),
)
# Cumulative incremental cash, not discounted: quantiles over draws at the end of each month.
FAN = Contract(
    "FAN",
    TEXT("strategy", "title"),
    INDEX("month"),
    DAY("ends_on"),
    REAL("mean", "q05", "q10", "q25", "q50", "q75", "q90", "q95"),
)
# The central 90 % of the draws.
LOW, HIGH = 0.05, 0.95
# The lines of a statement: each account, then the subtotal below it.
LINES = tuple(str(line) for subtotal, accounts in LADDER for line in (*accounts, subtotal))
_LADDER = pl.DataFrame({"line": LINES})
_LEVELS = {"q05": 0.05, "q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q90": 0.90, "q95": 0.95}
MONTHS_PER_YEAR = 12
_MONTHS_PER_QUARTER = 3
# Up to so many months of arrival stand by themselves; more are shown by quarters from the first on.
_FEW_COHORTS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Flows:
    """Money per draw, arm, month and account, in units of the currency; the first arm is the baseline."""

    arms: tuple[str, ...]
    # Shape (draws, arms, months, accounts), accounts in the order of `Account`.
    amounts: Numbers

    @property
    def strategies(self) -> list[tuple[int, str]]:
        """Places and names of the arms beside the baseline."""
        return list(enumerate(self.arms))[1:]

    def incremental(self, arm: int) -> Numbers:
        """Return the arm less the baseline: shape (draws, months, accounts)."""
        difference: Numbers = self.amounts[:, arm] - self.amounts[:, 0]
        return difference

    def cash(self, arm: int) -> Numbers:
        """Return the incremental cash of an arm: shape (draws, months)."""
        total: Numbers = self.incremental(arm).sum(axis=2)
        return total

    def investment(self, arm: int) -> Numbers:
        """Return what an arm spends beyond the baseline, as positive amounts: shape (draws, months)."""
        spent = [ACCOUNTS.index(account) for account in INVESTMENT_ACCOUNTS]
        total: Numbers = -self.incremental(arm)[:, :, spent].sum(axis=2)
        return total


def flows(ledger: pl.DataFrame, arms: tuple[str, ...], *, draws: int, months: int) -> Flows:
    """Return the monthly flows of a ledger, summed over cohorts."""
    return Flows(arms=arms, amounts=_amounts(check(ledger, LEDGER), "month", (draws, months), arms))


def weights(
    month_starts: npt.NDArray[np.int64],
    timing: Timing,
    annual_discount_rates: Numbers,
) -> Numbers:
    """Return the present value of one unit of money in each month: shape (draws, months).

    (1 + d) ** (-t / 365.25) with t in days: one convention, the effective annual rate.
    """
    days = cash_days(month_starts, timing)
    discounted: Numbers = (1.0 + annual_discount_rates[:, None]) ** (-days[None, :] / DAYS_PER_YEAR)
    return discounted


def later_weights(
    month_starts: npt.NDArray[np.int64], annual_discount_rates: Numbers, *, years: int = YEARS_AFTER
) -> Numbers:
    """Return the present value of one unit of money in each year after the horizon, which flows in its middle.

    Shape (draws, years).
    """
    elapsed = month_starts[-1] / DAYS_PER_YEAR + np.arange(years) + 0.5
    discounted: Numbers = (1.0 + annual_discount_rates[:, None]) ** -elapsed[None, :]
    return discounted


def cash_days(month_starts: npt.NDArray[np.int64], timing: Timing) -> Numbers:
    """Return on which day, from today, the cash of each month flows: shape (months,)."""
    share = {"start": 0.0, "mid": 0.5, "end": 1.0}[timing]
    days: Numbers = month_starts[:-1] + share * np.diff(month_starts)
    return days


def statement(flows: Flows, starts_on: Sequence[date]) -> pl.DataFrame:
    """Return the statement of every strategy against the baseline, by month."""
    months = pl.DataFrame({"month": _numbered(starts_on), "starts_on": starts_on}).join(_LADDER, how="cross")
    parts = [
        _filled(months, _compared(baseline, treated), strategy=strategy)
        for strategy, baseline, treated in _arms(flows.arms, flows.amounts)
    ]
    return ordered(pl.concat(parts), STATEMENT)


def totals(flows: Flows) -> pl.DataFrame:
    """Return the statement of every strategy by year and in total.

    An interval of a sum is not the sum of intervals, so it is taken from the sums of each draw.
    """
    spans = years(flows.amounts.shape[2])
    rows = _LADDER.join(pl.DataFrame({"period": [*spans]}), how="cross")
    parts = [
        _filled(rows, _compared(*(_sums(one, spans.values()) for one in lines), axis=2), strategy=strategy)
        for strategy, *lines in _arms(flows.arms, flows.amounts)
    ]
    return ordered(pl.concat(parts), TOTALS)


def _sums(lines: Numbers, spans: Iterable[tuple[int, int]]) -> Numbers:
    """Return sums over spans of months: shape (lines, spans, draws)."""
    by_line = lines.transpose(2, 0, 1).copy()
    return np.stack([by_line[:, :, first:last].sum(axis=2) for first, last in spans], axis=1)


def years(months: int) -> dict[str, tuple[int, int]]:
    """Return the periods of `totals` with their first month and the one after the last; the whole horizon is last."""
    named = _spans(months, MONTHS_PER_YEAR, "Year") if months > MONTHS_PER_YEAR else {}
    return named | {WHOLE_HORIZON: (0, months)}


def cash(flows: Flows, ends_on: Sequence[date]) -> pl.DataFrame:
    """Return the cumulative incremental cash of every strategy by month, undiscounted."""
    return ordered(_cumulative_cash(flows, ends_on, {"low": LOW, "high": HIGH}), CASH)


def fan(flows: Flows, ends_on: Sequence[date], titles: Mapping[str, str]) -> pl.DataFrame:
    """Return quantiles over draws of the cumulative incremental cash of every strategy, undiscounted.

    A quantile of one month and that of the next need not be the same draw.
    """
    title = pl.col("strategy").replace_strict(titles, return_dtype=pl.String)
    return ordered(_cumulative_cash(flows, ends_on, _LEVELS).with_columns(title=title), FAN)


def _cumulative_cash(flows: Flows, ends_on: Sequence[date], levels: Mapping[str, float]) -> pl.DataFrame:
    months, parts = pl.DataFrame({"month": _numbered(ends_on), "ends_on": ends_on}), []
    for arm, strategy in flows.strategies:
        cumulative = flows.cash(arm).cumsum(axis=1)
        quantiles = {name: np.quantile(cumulative, level, axis=0) for name, level in levels.items()}
        parts.append(_filled(months, {"mean": cumulative.mean(axis=0)} | quantiles, strategy=strategy))
    return pl.concat(parts)


def periods(
    flows: Flows, weights: Numbers, starts_on: Sequence[date], *, days: Numbers, titles: Mapping[str, str]
) -> pl.DataFrame:
    """Return the statement of every strategy by month, quarter, year and over the whole horizon."""
    months = len(starts_on)
    spans_of = {
        "month": {f"{day.year}-{day.month:02d}": (month, month + 1) for month, day in enumerate(starts_on)},
        "quarter": _spans(months, _MONTHS_PER_QUARTER, "Quarter"),
        "year": _spans(months, MONTHS_PER_YEAR, "Year"),
        "total": {WHOLE_HORIZON: (0, months)},
    }
    parts = []
    for strategy, baseline, treated in _arms(flows.arms, flows.amounts):
        for grain, spans in spans_of.items():
            firsts = [first for first, _ in spans.values()]
            rows = pl.DataFrame(
                {
                    "period": _numbered(spans),
                    "label": [*spans],
                    "starts_on": [starts_on[first] for first in firsts],
                    "day": pl.Series([days[first] if grain == "month" else None for first in firsts], dtype=pl.Float64),
                }
            )
            found = _cumulated(baseline, treated, weights, firsts)
            names = {"strategy": strategy, "title": titles[strategy], "grain": grain}
            parts.append(_filled(rows.join(_LADDER, how="cross"), found, **names))
    return ordered(pl.concat(parts), PERIODS)


def _cumulated(baseline: Numbers, treated: Numbers, weights: Numbers, firsts: Sequence[int]) -> dict[str, Numbers]:
    """Return lines by period, with present values and sums since the start; `firsts` are first months of periods."""
    found = _compared(*(np.add.reduceat(amounts, firsts, axis=1) for amounts in (baseline, treated)))
    discounted = np.add.reduceat((treated - baseline) * weights[:, :, None], firsts, axis=1).mean(axis=0)
    sums = {"cumulative": found["incremental"].cumsum(axis=0), "cumulative_discounted": discounted.cumsum(axis=0)}
    return found | {"discounted": discounted} | sums


def _spans(months: int, length: int, word: str) -> dict[str, tuple[int, int]]:
    """Return periods of so many months by name, each with its first month and the one after the last."""
    spans = {}
    for number, first in enumerate(range(0, months, length), start=1):
        last = min(first + length, months)
        part = "" if last - first == length else f" ({last - first} month{'' if last - first == 1 else 's'})"
        spans[f"{word} {number}{part}"] = (first, last)
    return spans


def cohort_money(
    ledger: pl.DataFrame,
    arms: Sequence[str],
    *,
    draws: int,
    customers: Mapping[str, float],
    titles: Mapping[str, str],
) -> pl.DataFrame:
    """Return the statement of every strategy against the baseline, by cohort, over the whole horizon.

    Undiscounted means over draws and the 90 % interval of the increment. Cohorts named after a month of arrival, as
    1998-07, are taken together in threes, as `1998-07 to 1998-09`, where there are more than six.
    """
    shown = _shown(customers)
    people = dict.fromkeys(shown.values(), 0.0)
    for cohort, count in customers.items():
        people[shown[cohort]] += count
    places = {name: list(people).index(group) for name, group in shown.items()}
    placed = pl.col("cohort").cast(pl.String).replace_strict(places, return_dtype=pl.Int64)
    amounts = _amounts(check(ledger, LEDGER).with_columns(placed), "cohort", (draws, len(people)), arms)
    cohorts = pl.DataFrame({"cohort": [*people], "customers": [*people.values()]}).join(_LADDER, how="cross")
    parts = [
        _filled(cohorts, _compared(baseline, treated), strategy=strategy, title=titles[strategy])
        for strategy, baseline, treated in _arms(arms, amounts)
    ]
    return ordered(pl.concat(parts), COHORT_MONEY)


def _shown(customers: Mapping[str, float]) -> dict[str, str]:
    """Return for each cohort the one under which it is shown, shared costs last."""
    parsed = {name: re.fullmatch(r"(\d{4})-(\d{2})", name) for name in customers if name != SHARED}
    arrivals = {name: MONTHS_PER_YEAR * int(found[1]) + int(found[2]) for name, found in parsed.items() if found}
    shown = {name: name for name in parsed}
    if len(arrivals) > _FEW_COHORTS:
        first = min(arrivals.values())
        quarters = {name: (month - first) // _MONTHS_PER_QUARTER for name, month in arrivals.items()}
        for name, quarter in quarters.items():
            group = [other for other, of in quarters.items() if of == quarter]
            shown[name] = group[0] if len(group) == 1 else f"{min(group)} to {max(group)}"
    return shown | {SHARED: SHARED}


def _amounts(ledger: pl.DataFrame, dimension: str, sizes: tuple[int, int], arms: Sequence[str]) -> Numbers:
    """Return a ledger as an array: shape (draws, arms, months or cohorts, accounts).

    Sums are made in whole millionths and only then converted, so they do not depend on the order of the entries.
    """
    summed = ledger.group_by("draw", "arm", dimension, "account").agg(pl.col("amount").sum())
    arm, account = (
        summed[column]
        .cast(pl.String)
        .replace_strict({str(name): place for place, name in enumerate(names)}, return_dtype=pl.Int64)
        .to_numpy()
        for column, names in (("arm", arms), ("account", ACCOUNTS))
    )
    draws, size = sizes
    amounts = np.zeros((draws, len(arms), size, len(ACCOUNTS)))
    amounts[summed["draw"].to_numpy(), arm, summed[dimension].to_numpy(), account] = (
        summed["amount"].to_numpy() / MICROS
    )
    return amounts


def _lines(amounts: Numbers) -> Numbers:
    """Return the lines of the statement from accounts of shape (draws, periods, accounts): (draws, periods, lines)."""
    total, lines = np.zeros(amounts.shape[:2]), []
    for _, accounts in LADDER:
        for account in accounts:
            lines.append(amounts[:, :, ACCOUNTS.index(account)])
            total = total + lines[-1]
        lines.append(total)
    return np.stack(lines, axis=2)


def _compared(before: Numbers, after: Numbers, *, axis: int = 0) -> dict[str, Numbers]:
    """Return means over the draws, which stand in `axis`, and the interval of the increment."""
    increment = after - before
    low, high = np.quantile(increment, (LOW, HIGH), axis=axis)
    means = {"baseline": before, "treated": after, "incremental": increment}
    return {name: amounts.mean(axis=axis) for name, amounts in means.items()} | {"low": low, "high": high}


def _arms(arms: Sequence[str], amounts: Numbers) -> Iterator[tuple[str, Numbers, Numbers]]:
    """Yield each strategy with the lines of the baseline and its own."""
    baseline, *treated = (_lines(arm) for arm in amounts.swapaxes(0, 1))
    for strategy, lines in zip(arms[1:], treated, strict=True):
        yield strategy, baseline, lines


def _numbered(places: Collection[object]) -> pl.Series:
    return pl.Series(range(len(places)), dtype=pl.Int32)


def _filled(rows: pl.DataFrame, columns: Mapping[str, Numbers], **names: str) -> pl.DataFrame:
    """Return rows with what was found for each of them, and names that hold for all."""
    found = [pl.Series(name, values.ravel()) for name, values in columns.items()]
    return rows.with_columns(*found, **{name: pl.lit(text) for name, text in names.items()})
