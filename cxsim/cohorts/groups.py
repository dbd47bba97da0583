"""Customers in; which cohort each belongs to, and the names of the cohorts, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cxsim.cohorts.watched import IntArray, Watched, as_day
from cxsim.shop import Every, Shop, complete_periods

ALL = "all"
_TRUNCATED = {"month": "1mo", "week": "1w"}
# ISO 8601: the week belongs to the year of its Thursday.
_LABELS = {"month": "%Y-%m", "week": "%G-W%V"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Groups:
    """Cohorts of customers.

    Attributes
    ----------
    names
        Of the cohorts, in the order in which they are shown.
    cohort
        Of each customer, the number of the cohort; -1 for those who are left out.
    closed
        Of each cohort, whether nobody can join it after the end of observation.
    cautions
        Of each cohort, what to know of it; empty where there is nothing.
    """

    names: Sequence[str]
    cohort: IntArray
    closed: Sequence[bool]
    cautions: Sequence[str]


def by_period(shop: Shop, seen: Watched, every: Every) -> Groups:
    """Return the cohorts by the month or the week of the first order; empty ones are not among them.

    Customers who are known to be old ones are left out; those who may be are not, and their cohorts say so.
    """
    new, starts = seen.customers["new"], seen.customers["first"].dt.truncate(_TRUNCATED[every])
    found = starts.filter(new != "no").unique().sort()
    cohort = np.searchsorted(found.to_numpy(), starts.to_numpy())
    uncertain = set(starts.filter(new == "uncertain").unique().to_list())
    # A first period of which only a part was seen is over all the same.
    over = {period.start for period in complete_periods(min(found, default=shop.since), shop.until, every)}
    doubt = f"since {as_day(shop.since)} alone: some may be customers of before"
    return Groups(
        names=found.dt.strftime(_LABELS[every]).to_list(),
        cohort=np.where((new != "no").to_numpy(), cohort, -1),
        closed=[start in over for start in found],
        cautions=[doubt if start in uncertain else "" for start in found],
    )


def by_value(shop: Shop, seen: Watched, values: pl.Series, *, first: int) -> Groups:
    """Return the cohorts by a property of the first order; whoever may be an old customer is left out."""
    new = seen.customers["new"]
    counted = values.filter(new == "yes").drop_nulls().value_counts(name="customers")
    ranked = counted.sort(["customers", values.name], descending=[True, False])[values.name].to_list()
    shown, pooled = ranked[:first], len(ranked) > first
    names = list(shown) + ([_free("other", shown)] if pooled else []) + [_free("none", shown)]
    place = pl.Series(values).replace_strict(
        {value: number for number, value in enumerate(shown)}, default=len(shown), return_dtype=pl.Int64
    )
    place = pl.select(pl.when(values.is_null()).then(len(names) - 1).otherwise(place)).to_series()
    cohort = np.where((new == "yes").to_numpy(), place.to_numpy(), -1)
    if not (cohort == len(names) - 1).any():
        names.pop()
    caution = _left_out(shop, new.filter(new == "uncertain").len())
    return Groups(names=names, cohort=cohort, closed=[True] * len(names), cautions=[caution] * len(names))


def everyone(shop: Shop, seen: Watched) -> Groups:
    """Return one cohort of all customers; whoever may be an old customer is left out."""
    new = seen.customers["new"]
    return Groups(
        names=[ALL],
        cohort=np.where((new == "yes").to_numpy(), 0, -1),
        closed=[True],
        cautions=[_left_out(shop, new.filter(new == "uncertain").len())],
    )


def _left_out(shop: Shop, customers: int) -> str:
    if customers == 0:
        return ""
    return f"without {customers:,} who are seen since {as_day(shop.since)} alone and may be customers of before"


def _free(name: str, taken: Sequence[str]) -> str:
    """Return the name of a pool that no value has."""
    return name if name not in taken else _free(f"all {name}", taken)
