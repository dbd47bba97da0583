"""A shop as its tables show it: what it has, over which time it was observed, and what it lacks and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from cxsim.data.exports.format import Policy, Receipt
from cxsim.errors import DataError

TABLES = ("orders", "tickets", "surveys", "returns", "contacts", "sessions", "members", "marketing")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Shop:
    """The tables of a shop, lazy, each under its contract of `cxsim.data.contracts` or absent.

    Attributes
    ----------
    name
        Name for readers.
    currency
        Code of the currency; "" where no table says it.
    since, until
        The time that was observed: from `since`, and before `until`; by the shop's clock. `until` is never the clock
        of the machine.
    opening
        Whether `since` is the opening of the shop. If not, whoever orders first after it may be an old customer.
    orders, tickets, surveys, returns, contacts, sessions, members, marketing
        Under ORDERS, TICKETS, SURVEYS, SENT_BACK, CONTACTS, SESSIONS, MEMBERS and MARKETING.
    policy
        What counts as an order, as its value and as its day.
    receipts
        What became of the rows of each file.
    lacks
        Why something is missing, by table or by table.column, such as {"orders.customer_id": "the export says ..."}.
    """

    name: str
    currency: str
    since: datetime
    until: datetime
    opening: bool = False
    orders: pl.LazyFrame | None = None
    tickets: pl.LazyFrame | None = None
    surveys: pl.LazyFrame | None = None
    returns: pl.LazyFrame | None = None
    contacts: pl.LazyFrame | None = None
    sessions: pl.LazyFrame | None = None
    members: pl.LazyFrame | None = None
    marketing: pl.LazyFrame | None = None
    policy: Policy = field(default_factory=Policy)
    receipts: tuple[Receipt, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        has = ", ".join(name for name in TABLES if getattr(self, name) is not None)
        return f"Shop({self.name}: {has}; {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d})"

    def table(self, name: str) -> pl.LazyFrame:
        """Return one of the tables.

        Raises
        ------
        DataError
            When the shop has no such table; the message says why.
        """
        reason = self.missing(name)
        if reason is not None:
            raise DataError(f"{self.name}: {reason}")
        found: pl.LazyFrame = getattr(self, name)
        return found

    def missing(self, need: str) -> str | None:
        """Return why a table, or a column written `table.column`, is not there; None if it is."""
        name, _, column = need.partition(".")
        if need in self.lacks:
            return self.lacks[need]
        if getattr(self, name) is None:
            return self.lacks.get(name, f"there is no table of {name}.")
        if column and column not in getattr(self, name).collect_schema():
            return f"the {name} have no column '{column}'."
        return None
