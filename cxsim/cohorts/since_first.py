"""A shop in; what customers bring and whether they come back within so many days of their first order, out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cxsim.cohorts.cohort_value import NOTHING, Reading, mean_worth, rate
from cxsim.cohorts.groups import everyone
from cxsim.cohorts.moments import AGAIN, Moments, Steps, moments
from cxsim.cohorts.watched import MICROSECONDS_PER_DAY, Money, Watched, watched
from cxsim.errors import DataError, choices
from cxsim.measured import SINCE_FIRST
from cxsim.shop import Shop
from cxsim.tables import check, empty
from cxsim.units import MICROS


def ltv(
    shop: Shop,
    days: Sequence[int] = (30, 60, 90, 365),
    *,
    money: Money = "revenue",
    margin_share: float | None = None,
    least: int = 30,
    uncertain_days: int = 90,
) -> pl.DataFrame:
    """Return what a customer brings within so many days of the first order, the first order with it.

    Each value is over the customers who were watched so long, so that values of different days may be of different
    customers: a longer one can be below a shorter one.

    Parameters
    ----------
    shop
        With orders that name customers.
    days
        Lengths, each at least 1.
    money
        `revenue`, or `margin`: amount less cost; before refunds.
    margin_share
        Margin over amount, in (0, 1], in place of the costs.
    least
        Below so many customers, there is no value.
    uncertain_days
        Who may be an old customer, and is left out; as in `cohort_table`.

    Returns
    -------
    pl.DataFrame
        Under SINCE_FIRST of `cxsim.measured`, with the t interval over customers.

    Raises
    ------
    DataError
        For lengths or a `least` below 1; for an unknown money; when no order names a customer; when the margin is not
        known of every order.
    """
    if money not in ("revenue", "margin"):
        raise DataError(f"money: '{money}' is not known; {choices(money, ['revenue', 'margin'])}")
    seen = watched(shop, money=[money], margin_share=margin_share, uncertain_days=uncertain_days)
    return _windows(shop, seen, days, measure=money, least=least)


def repeat_rate(
    shop: Shop, days: Sequence[int] = (90, 180, 365), *, least: int = 30, uncertain_days: int = 90
) -> pl.DataFrame:
    """Return the share of customers who order again within so many days of the first order.

    Each value is over the customers who were watched so long, whenever they came.

    Parameters
    ----------
    shop
        With orders that name customers.
    days
        Lengths, each at least 1.
    least
        Below so many customers, there is no value.
    uncertain_days
        Who may be an old customer, and is left out; as in `cohort_table`.

    Returns
    -------
    pl.DataFrame
        Under SINCE_FIRST of `cxsim.measured`, with Wilson's interval.

    Raises
    ------
    DataError
        For lengths or a `least` below 1; when no order names a customer.
    """
    seen = watched(shop, uncertain_days=uncertain_days)
    return _windows(shop, seen, days, measure="repeat", least=least)


def _windows(shop: Shop, seen: Watched, days: Sequence[int], *, measure: str, least: int) -> pl.DataFrame:
    if least < 1:
        raise DataError(f"least is {least}; it must be at least 1.")
    for length in days:
        if length < 1:
            raise DataError(f"days: {length} is too short; lengths are at least 1.")
    group = everyone(shop, seen)
    customers = int(np.count_nonzero(group.cohort >= 0))
    caution = "; ".join(part for part in (*group.cautions, seen.caution) if part)
    quantity = AGAIN if measure == "repeat" else measure
    rows = []
    for length in days:
        # One step as long as the window.
        steps = Steps(length=length * MICROSECONDS_PER_DAY, ages=1)
        found = moments(seen, group.cohort, 1, steps=steps, what=(quantity,))[quantity]
        at_risk = int(found.at_risk[0, 0])
        rows.append((measure, length, customers, at_risk, *_reading(found, measure, least), caution))
    return check(pl.DataFrame(rows, schema=empty(SINCE_FIRST).schema, orient="row"), SINCE_FIRST)


def _reading(found: Moments, measure: str, least: int) -> Reading:
    if found.at_risk[0, 0] < least:
        return NOTHING
    return rate(found, 0, 0) if measure == "repeat" else mean_worth(found, 0, 0, unit=MICROS)
