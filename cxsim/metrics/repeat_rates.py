"""Orders of a time in; what different tools call the repeat rate of that time, side by side, out."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from cxsim.errors import DataError
from cxsim.intervals import Estimate, answered_within, survival, wilson
from cxsim.measured import DEFINITIONS
from cxsim.shop import Period, Shop
from cxsim.tables import check

_DAYS = 60
_TOLD = {
    "in_window": ("Two orders in the period, of those with one", "Customers with two orders or more in the period"),
    "ever": (
        "More than one order ever, of those with one in the period",
        "Customers with orders before or after it too",
    ),
    "returning": (
        "Returning, of returning and first-time",
        "Customers with an order in the period that is not their first",
    ),
    "all_time": ("More than one order ever, of all", "Customers with two orders or more"),
    "mature_60": (
        f"Again within {_DAYS} days, of those old enough",
        f"New customers with an order within {_DAYS} days",
    ),
    "survival_60": (
        f"Again within {_DAYS} days, of all who came",
        "The same, young customers for as long as they are known",
    ),
}


def repeat_rates(shop: Shop, period: Period) -> pl.DataFrame:
    """Return six numbers that are all called repeat rate, of the same customers in the same period.

    They differ in whom they count and in how long customers had to come back. The last two look at customers whose
    first order lies in the period; the last one counts those who are not yet 60 days old for as long as they have been
    watched (Kaplan-Meier), and so uses all of them without a bias.

    Parameters
    ----------
    shop
        Its orders.
    period
        Any stretch of time; observation ends with `shop.until`.

    Returns
    -------
    polars.DataFrame
        Under DEFINITIONS: one row per definition, with counts where they are counts.

    Raises
    ------
    DataError
        When orders have no customers.
    """
    reason = shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason}")
    people = _people(shop, period)
    counts = {
        "in_window": (people.filter(pl.col("inside") >= 2).height, people.filter(pl.col("inside") >= 1).height),
        "ever": (
            people.filter((pl.col("inside") >= 1) & (pl.col("orders") > 1)).height,
            people.filter(pl.col("inside") >= 1).height,
        ),
        "returning": _returning(people, period),
        "all_time": (people.filter(pl.col("orders") > 1).height, people.height),
    }
    new = people.filter(pl.col("first_at").is_between(period.start, period.end, closed="left"))
    old = new.filter(pl.col("age") >= _DAYS)
    counts["mature_60"] = (old.filter(pl.col("gap") <= _DAYS).height, old.height)
    rows = [_row(name, wilson(*count), count) for name, count in counts.items()]
    rows.append(_row("survival_60", _by_survival(new), (None, new.height)))
    schema = {name: kinds[0] for name, kinds in DEFINITIONS.columns.items()}
    return check(pl.DataFrame(rows, schema=schema, orient="row"), DEFINITIONS)


def _people(shop: Shop, period: Period) -> pl.DataFrame:
    """Return one row per customer: orders, those inside, first, days to the second and days since the first."""
    day, at = pl.col("day"), pl.col("ordered_at")
    inside = at.is_between(period.start, period.end, closed="left")
    last_day = (shop.until - timedelta(microseconds=1)).date()
    orders = shop.table("orders").drop_nulls("customer_id").select("customer_id", "ordered_at", day=at.dt.date())
    # One order on a day, or three: the customer came once.
    visits = orders.group_by("customer_id", "day").agg(inside=inside.any(), first_at=at.min())
    later = day.filter(day > day.min()).min()
    return (
        visits.group_by("customer_id")
        .agg(
            orders=pl.len(),
            inside=pl.col("inside").sum(),
            first_at=pl.col("first_at").min(),
            gap=(later - day.min()).dt.total_days(),
            age=(pl.lit(last_day) - day.min()).dt.total_days(),
        )
        .sort("customer_id")
        .collect(engine="streaming")
    )


def _returning(people: pl.DataFrame, period: Period) -> tuple[int, int]:
    """Return those with a later order inside, and them with the first-time ones; a customer can be both."""
    first_time = people.filter(pl.col("first_at").is_between(period.start, period.end, closed="left"))
    again = first_time.filter(pl.col("inside") >= 2).height
    old = people.filter((pl.col("first_at") < period.start) & (pl.col("inside") >= 1)).height
    return again + old, again + old + first_time.height


def _by_survival(new: pl.DataFrame) -> Estimate:
    ended = new["gap"].is_not_null()
    waited = new.select(pl.coalesce("gap", "age"))["gap"]
    if new.is_empty():
        return wilson(0, 0)
    return answered_within(survival(waited.to_numpy().astype(np.float64), ended.to_numpy()), float(_DAYS))


def _row(name: str, found: Estimate, count: tuple[int | None, int]) -> tuple[object, ...]:
    title, counted = _TOLD[name]
    return (name, title, counted, found.value, found.low, found.high, *count)
