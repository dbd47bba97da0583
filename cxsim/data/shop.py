"""What a shop's files showed: its tables, over which time it was observed, what became of every row, what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, cast, get_args, get_type_hints

import polars as pl

from cxsim.data.contracts import CONTRACTS, LATER, WHEN
from cxsim.display import facts_html
from cxsim.errors import DataError, choices
from cxsim.params import BY_TYPE, LIST, TEXT
from cxsim.wording import joined

Action = Literal["kept", "merged", "dropped"]
Treatment = Literal["drop", "keep"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLine:
    """One thing that was noticed in a file.

    Attributes
    ----------
    reason
        What was noticed, in words.
    action
        What happened to these rows: `kept` all the same, `merged` into another row, or `dropped`.
    rows
        How many rows.
    example
        One of them, by its number or its words; "" where there is nothing to show.
    """

    reason: str
    action: Action
    rows: int
    example: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.rows:,}: {self.reason}" + (f", such as {self.example}" if self.example else "")


def noticed(action: Action, rows: Mapping[str, int], example: str = "") -> tuple[ReceiptLine, ...]:
    """Return lines of one action, from the number of rows by reason."""
    return tuple(
        ReceiptLine(reason=reason, action=action, rows=count, example=example) for reason, count in rows.items()
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How many rows were read, and what was noticed in them."""

    rows_read: int
    lines: tuple[ReceiptLine, ...] = ()

    @property
    def rows_kept(self) -> int:
        """Rows that became rows of a table."""
        return self.rows_read - sum(line.rows for line in self.lines if line.action != "kept")


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt(Counted):
    """What became of the rows of one file.

    Attributes
    ----------
    file
        Name of the file, without its folder.
    table
        Which of the shop's tables it fills: orders, tickets, surveys, returns, contacts, sessions, members, marketing;
        "none" for a file that fills none.
    recognised
        What it was recognised as, such as "Shopify orders"; "nothing" for a file that is not read, whose one fact says
        why.
    columns
        How many of that format's columns were found, and how many it has.
    rows_read
        Rows of the file.
    lines
        What was noticed; a row is merged or dropped for one reason at most.
    facts
        Further facts as pairs of name and text, such as ("currency", "USD").
    """

    file: str
    table: str
    recognised: str
    columns: tuple[int, int]
    facts: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the receipt as lines of text."""
        if self.recognised == "nothing":
            return "\n".join(f"{self.file}: {name}: {text}" for name, text in self.facts)
        found, possible = self.columns
        became = f"{self.rows_kept:,} of {self.rows_read:,} rows became {self.table}."
        fate = became if self.table != "none" else f"its {self.rows_read:,} rows are not used."
        head = f"{self.file}: recognised as {self.recognised} ({found} of {possible} columns); {fate}"
        lines = [f"  {line}" for line in self.lines if line.rows]
        return "\n".join([head, *lines, *(f"  {name}: {text}" for name, text in self.facts)])


# Words for a treatment, or statuses of orders as an export writes them.
Words = Annotated[Annotated[str, TEXT] | Annotated[tuple[str, ...], LIST], BY_TYPE]


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How a shop's exports are read.

    Attributes
    ----------
    value
        What an order's `amount` is: `merchandise`, goods after discounts without shipping and tax; or `charged`, all
        that the customer was asked to pay.
    gift_cards
        `drop` sets orders of gift cards alone aside and takes gift cards out of other orders, because what they buy is
        counted when they are redeemed; `keep` counts the sale too.
    cancelled
        What happens to cancelled and voided orders: `drop` or `keep`; or a list of statuses that mean it, whose orders
        are dropped.
    test
        What happens to test orders, where the export shows them; in the same way.
    unpaid
        What happens to orders that were never paid or are not yet: `keep` or `drop`; or a list of statuses that mean
        it, whose orders are kept.
    counts
        Statuses that mean a sale, beside those that are known.
    zero
        What happens to orders that cost nothing: free samples, or a shop's way to cancel.
    duplicates
        What happens to rows equal to an earlier one in every column of the file, where no number tells them apart: a
        double export, or two equal purchases.
    amounts
        Whether an amount that stands on the lines of an order is that of the `order` or of the `line`; "" to find out.
    credits
        `net` takes credit notes and negative lines off the purchases of the same customer: first off the last one of
        the same amount, then off the last ones; `drop` leaves them out.
    nobody
        Whether words such as `guest` or `nan` in the place of a customer mean that none is known (`missing`), or are
        customers (`keep`).
    unreadable
        Whether a cell that cannot be read stops the file (`refuse`) or counts as empty (`missing`). So does a moment
        that cannot be right.
    currency
        Code of the currency whose orders are kept, where there are several; "" where there is one.
    decimal
        The mark before the decimals of amounts, where the files do not show it: a point or a comma; "" to find out.
    moments
        How moments are written, where the files do not show it, such as `%d/%m/%Y %H:%M`; "iso" to find out.
    clock
        Whose midnight ends a day: the `shop`'s, as written in its export, or `utc`.
    """

    value: Literal["merchandise", "charged"] = "merchandise"
    gift_cards: Treatment = "drop"
    cancelled: Words = "drop"
    test: Words = "drop"
    unpaid: Words = "keep"
    counts: tuple[str, ...] = ()
    zero: Treatment = "drop"
    duplicates: Treatment = "drop"
    amounts: Literal["", "order", "line"] = ""
    credits: Literal["net", "drop"] = "net"
    nobody: Literal["missing", "keep"] = "missing"
    unreadable: Literal["refuse", "missing"] = "refuse"
    currency: str = ""
    decimal: Literal["", ".", ","] = ""
    moments: str = "iso"
    clock: Literal["shop", "utc"] = "shop"

    def __post_init__(self) -> None:
        known = get_type_hints(Policy)
        for one in fields(self):
            found = getattr(self, one.name)
            possible = get_args(Treatment) if one.name in _BY_STATUS else get_args(known[one.name])
            if isinstance(found, str) and possible and found not in possible:
                more = ", or a list of statuses" if one.name in _BY_STATUS else ""
                raise DataError(f"policy {one.name}: {found!r} is not possible; possible: {', '.join(possible)}{more}.")

    def treatment(self, flag: str) -> Treatment:
        """Return what happens to orders that are cancelled, test or unpaid, or to gift cards."""
        found = getattr(self, flag)
        usual: Mapping[str, Treatment] = {"unpaid": "keep"}
        return cast("Treatment", found) if isinstance(found, str) else usual.get(flag, "drop")

    def statuses(self, flag: str) -> tuple[str, ...]:
        """Return the statuses that mean so, beside those that are known."""
        found = getattr(self, flag)
        return () if isinstance(found, str) else found

    def sentence(self) -> str:
        """Return the policy as a footnote.

        >>> Policy(gift_cards="keep", clock="utc").sentence().partition(" Excluded: ")[2]
        'cancelled, test and free orders. Days: UTC.'
        """
        value = {
            "merchandise": "goods after discounts, without shipping and tax, before refunds",
            "charged": "total charged, with shipping and tax, before refunds",
        }[self.value]
        orders = [name for name in ("cancelled", "test", "unpaid") if self.treatment(name) == "drop"]
        orders += ["free"] if self.zero == "drop" else []
        gone = ["gift cards sold"] if self.gift_cards == "drop" else []
        gone += [f"{joined(orders)} orders"] if orders else []
        gone += ["credit notes"] if self.credits == "drop" else []
        left_out = f" Excluded: {', '.join(gone)}." if gone else ""
        days = {"shop": "the shop's time zone", "utc": "UTC"}[self.clock]
        further = (
            " Duplicate rows are kept." if self.duplicates == "keep" else "",
            " Placeholders count as customers." if self.nobody == "keep" else "",
            " Unreadable cells are treated as empty." if self.unreadable == "missing" else "",
        )
        return f"Value: {value}.{left_out} Days: {days}.{''.join(further)}"


_BY_STATUS = ("cancelled", "test", "unpaid")


def policy_changes(texts: Iterable[str]) -> dict[str, object]:
    """Return what texts such as `unreadable=missing` or `cancelled=Avbruten,Storniert` change of a policy.

    >>> policy_changes(["zero=keep", "cancelled=Avbruten, Storniert"])
    {'zero': 'keep', 'cancelled': ('Avbruten', 'Storniert')}
    """
    known = [one.name for one in fields(Policy)]
    found: dict[str, object] = {}
    for text in texts:
        key, sign, value = (part.strip() for part in text.partition("="))
        if key not in known:
            raise DataError(f"policy: no '{key}'; {choices(key, known)}")
        if not (sign and value):
            raise DataError(f"policy: {text!r} must be KEY=VALUE, such as unreadable=missing.")
        words = key == "counts" or (key in _BY_STATUS and value not in get_args(Treatment))
        found[key] = tuple(word.strip() for word in value.split(",")) if words else value
    return found


Severity = Literal["stop", "caution", "note"]


class Finding(NamedTuple):
    """One thing that the data say, or cannot say.

    Attributes
    ----------
    topic
        What it is about, as "dropout"; unique within an examination.
    severity
        `stop`: do not use what hangs on it; `caution`: use it and say this beside it; `note`: good to know.
    figure
        The number that the sentence rests on.
    sentence
        What was found, with the figure.
    advice
        What to do about it.
    """

    topic: str
    severity: Severity
    figure: float
    sentence: str
    advice: str


FINDINGS = {"topic": pl.String, "severity": pl.String, "figure": pl.Float64, "sentence": pl.String, "advice": pl.String}


def findings_table(findings: Iterable[Finding]) -> pl.DataFrame:
    """Return findings as a table, the gravest first: topic, severity, figure, sentence, advice."""
    return pl.DataFrame(sorted(findings, key=gravity), schema=FINDINGS, orient="row")


def gravity(finding: Finding) -> int:
    """Return where a finding stands among others: the gravest first."""
    return get_args(Severity).index(finding.severity)


TABLES = tuple(CONTRACTS)
_Rows = pl.LazyFrame | None


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
    findings
        What a reader must know of its orders before believing a number of them.
    """

    name: str
    currency: str
    since: datetime
    until: datetime
    opening: bool = False
    orders: _Rows = None
    tickets: _Rows = None
    surveys: _Rows = None
    returns: _Rows = None
    contacts: _Rows = None
    sessions: _Rows = None
    members: _Rows = None
    marketing: _Rows = None
    policy: Policy = field(default_factory=Policy)
    receipts: tuple[Receipt, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        has = ", ".join(name for name in TABLES if getattr(self, name) is not None)
        return f"Shop({self.name}: {has}; {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d})"

    def _repr_html_(self) -> str:
        has = ", ".join(name for name in TABLES if getattr(self, name) is not None)
        days = f"{self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"
        facts = {"tables": has, "observed": days, "currency": self.currency, "findings": len(self.findings)}
        rows = ((one.file, one.recognised, one.table, f"{one.rows_read:,}") for one in self.receipts)
        heads = ("file", "recognised as", "table", "rows read") if self.receipts else ()
        return facts_html(self.name, facts, heads, rows)

    def table(self, name: str) -> pl.LazyFrame:
        """Return one of the tables, or raise a DataError that says why the shop has none of that name."""
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


def known_at(rows: pl.LazyFrame, table: str, end: datetime) -> pl.LazyFrame:
    """Return what was known before a moment: later rows are gone, and what came later has not happened."""
    columns = rows.collect_schema()
    later = {name: pl.when(pl.col(name) < end).then(name) for name in LATER.get(table, ()) if name in columns}
    if "solved_at_first" in columns:
        # Whether the first answer settled it shows when the ticket is closed; without a moment, the file's word counts.
        closed_later = (pl.col("resolved_at") >= end).fill_null(value=False)
        later["solved_at_first"] = pl.when(~closed_later).then("solved_at_first")
    return rows.filter(pl.col(WHEN[table]) < end).with_columns(**later)


Every = Literal["week", "month"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of time from `start`, and before `end`; by the shop's clock."""

    start: datetime
    end: datetime


def complete_periods(since: datetime, until: datetime, every: Every) -> tuple[Period, ...]:
    """Return the weeks (from Monday) or calendar months that were observed from end to end, by time."""
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    start = day - timedelta(days=day.weekday()) if every == "week" else day.replace(day=1)
    step = "1w" if every == "week" else "1mo"
    starts = pl.datetime_range(start, max(start, until), step, eager=True)
    return tuple(Period(begin, end) for begin, end in pairwise(starts) if begin >= since)
