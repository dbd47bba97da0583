"""A shop's tables with and without a programme in; what members seem to gain beside what they do, out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from cxsim.cohorts.reading import Reading, difference, mean, paid, rate, total
from cxsim.study.shop_tables import ShopTables
from cxsim.units import DAYS_PER_MONTH

# A mean of fewer customers is not worth looking at.
_FEWEST = 10
# Customers of before the start have no day of arrival.
_BEFORE = datetime(1, 1, 1)  # noqa: DTZ001 - the shop's own time has no zone


Found = tuple[Reading, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """The same world with a programme and without it, and who joined.

    Each comparison returns its reading and the truth: what the same members spend beyond what they spend without the
    programme. None where either side has fewer than ten customers.

    Attributes
    ----------
    treated, baseline
        Tables with the programme and without it.
    joined
        Members of any programme of the arm, with customer_id and joined_at, the first where several; by customer.
    """

    treated: ShopTables
    baseline: ShopTables
    joined: pl.DataFrame

    @classmethod
    def of(cls, treated: ShopTables, baseline: ShopTables) -> Membership:
        """Return the membership of two tables of one world."""
        joined = treated.members.group_by("customer_id").agg(pl.col("joined_at").min()).sort("customer_id")
        return cls(treated=treated, baseline=baseline, joined=joined)

    def against_others(self) -> Found | None:
        """Return by how much more members spend after joining than those who never join, per customer.

        The others are followed over the same calendar days: the mean, over the days on which members joined, of what
        those who were customers by then spent from the next day on.
        """
        # Of the share g of members who joined on a day when n others were customers, each of these counts g / n. An
        # order counts for all days of joining from the day on which the customer came to the one before the order.
        others = self.treated.lives.join(self.joined, on="customer_id", how="anti").select(
            "customer_id", came=pl.col("arrived_at").fill_null(_BEFORE).dt.truncate("1d")
        )
        if min(others.height, self.joined.height) < _FEWEST:
            return None
        weights = _weights(self.joined, others)
        numbered = others.sort("customer_id").with_row_index("number")
        bought = self.treated.orders.join(numbered, on="customer_id", maintain_order="left")
        came, ordered = (_until(bought[column].dt.truncate("1d"), weights) for column in ("came", "ordered_at"))
        counted = (bought["amount"] * (ordered - came)).to_numpy()
        parts = np.bincount(bought["number"].to_numpy(), counted, minlength=others.height).astype(np.float64)
        return difference(mean(self._since_joining(self.joined)), total(parts)), self._gain(self.joined)

    def redeemers(self) -> Found | None:
        """Return by how much more members who used a reward spend after joining than the other members, each."""
        used = self.treated.orders.filter(pl.col("reward") > 0.0).select("customer_id").unique()
        redeemers = self.joined.join(used, on="customer_id", how="semi")
        rest = self.joined.join(used, on="customer_id", how="anti")
        if min(redeemers.height, rest.height) < _FEWEST:
            return None
        return difference(*(mean(self._since_joining(some)) for some in (redeemers, rest))), self._gain(redeemers)

    def before_and_after(self, start: datetime, end: datetime) -> Found | None:
        """Return by how much more members spend a month after joining than before.

        Each member is looked at for as long after joining as before it: back to the start or to their arrival, but not
        beyond the end. Members with less than a month on each side take no part.
        """
        came = pl.col("arrived_at").fill_null(start)
        span = pl.min_horizontal(pl.col("joined_at") - came, end - pl.col("joined_at"))
        lives = self.treated.lives.select("customer_id", "arrived_at")
        known = self.joined.join(lives, on="customer_id", how="left").with_columns(span=span)
        known = known.filter(pl.col("span") >= timedelta(days=DAYS_PER_MONTH)).sort("customer_id")
        if known.height < _FEWEST:
            return None
        months = known["span"].dt.total_seconds() / (timedelta(days=DAYS_PER_MONTH).total_seconds())
        since = pl.col("ordered_at") - pl.col("joined_at")
        after = (since > timedelta()) & (since <= pl.col("span"))
        before = (since < timedelta()) & (since >= -pl.col("span"))
        late, early = (_spent(self.treated, known, when) for when in (after, before))
        gain = late - _spent(self.baseline, known, after)
        return rate(late - early, months), _sum(gain) / _sum(months)

    def _since_joining(self, some: pl.DataFrame) -> pl.Series:
        return _spent(self.treated, some, _SINCE)

    def _gain(self, some: pl.DataFrame) -> float:
        return _sum(self._since_joining(some) - _spent(self.baseline, some, _SINCE)) / some.height


# The order at which somebody joins is not one after it.
_SINCE = pl.col("ordered_at") > pl.col("joined_at")


def _spent(tables: ShopTables, some: pl.DataFrame, when: pl.Expr) -> pl.Series:
    """Return what each of some members spends on the orders of a condition, by customer; 0 where there is none."""
    orders = tables.orders.join(some, on="customer_id").filter(when)
    spent = orders.group_by("customer_id").agg(paid())
    return some.select("customer_id").join(spent, on="customer_id", how="left").sort("customer_id")["paid"].fill_null(0)


def _sum(amounts: pl.Series) -> float:
    return float(amounts.to_numpy().sum())


def _weights(joined: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return, per day of joining, the sum to that day of the share of members over the number of others by then."""
    days = joined.group_by(day=pl.col("joined_at").dt.truncate("1d")).agg(members=pl.len()).sort("day")
    present = days.with_columns(others=others["came"].sort().search_sorted(days["day"], side="right"))
    share = pl.col("members") / pl.col("members").sum() / pl.col("others")
    return present.filter(pl.col("others") > 0).select("day", until=share.cum_sum())


def _until(days: pl.Series, weights: pl.DataFrame) -> pl.Series:
    """Return the sum of the weights of all days before each of some days."""
    sums = pl.concat([pl.Series("until", [0.0]), weights["until"]])
    return sums.gather(weights["day"].search_sorted(days, side="left"))
