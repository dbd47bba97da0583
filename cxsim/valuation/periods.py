"""Flows in; the incremental statement by month, quarter, year and in total, discounted and summed up, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business_tables import GRAINS, PERIODS
from cxsim.errors import ParamError
from cxsim.tables import WHOLE_HORIZON, check
from cxsim.valuation.economics import ACCOUNTS
from cxsim.valuation.flows import Flows
from cxsim.valuation.statement import HIGH, LOW, lines

Numbers = npt.NDArray[np.float64]
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
