"""What an export is recognised by, and what reading one gives."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from cxsim.data.orders import unreadable
from cxsim.errors import DataError, choices
from cxsim.wording import joined

Action = Literal["kept", "merged", "dropped"]


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
    """

    reason: str
    action: Action
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
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
    rows_read: int
    lines: tuple[ReceiptLine, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def rows_kept(self) -> int:
        """Rows that became rows of the shop's table."""
        return self.rows_read - sum(line.rows for line in self.lines if line.action != "kept")

    def __str__(self) -> str:
        """Return the receipt as lines of text."""
        if self.recognised == "nothing":
            return "\n".join(f"{self.file}: {name}: {text}" for name, text in self.facts)
        found, possible = self.columns
        became = f"{self.rows_kept:,} of {self.rows_read:,} rows became {self.table}."
        fate = became if self.table != "none" else f"its {self.rows_read:,} rows are set aside."
        head = f"{self.file}: recognised as {self.recognised} ({found} of {possible} columns); {fate}"
        noticed = [f"  {line.action} {line.rows:,}: {line.reason}" for line in self.lines if line.rows]
        return "\n".join([head, *noticed, *(f"  {name}: {text}" for name, text in self.facts)])


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
        What happens to cancelled and voided orders.
    test
        What happens to test orders, where they can be told.
    unpaid
        What happens to orders that were never paid or are not yet.
    clock
        Whose midnight ends a day: the `shop`'s, as written in its export, or `utc`.
    """

    value: Literal["merchandise", "charged"] = "merchandise"
    gift_cards: Literal["drop", "keep"] = "drop"
    cancelled: Literal["drop", "keep"] = "drop"
    test: Literal["drop", "keep"] = "drop"
    unpaid: Literal["drop", "keep"] = "keep"
    clock: Literal["shop", "utc"] = "shop"

    def sentence(self) -> str:
        """Return the policy as a footnote.

        >>> Policy(gift_cards="keep", clock="utc").sentence()[-70:]
        'refunds. Left out: cancelled and test orders. Days: by universal time.'
        """
        value = {
            "merchandise": "goods after discounts, without shipping and tax, before refunds",
            "charged": "all that was charged, with shipping and tax, before refunds",
        }[self.value]
        rules = {
            "gift cards sold": self.gift_cards,
            "cancelled": self.cancelled,
            "test": self.test,
            "unpaid": self.unpaid,
        }
        return _sentence(value, [name for name, rule in rules.items() if rule == "drop"], self.clock)


def _sentence(value: str, dropped: list[str], clock: str) -> str:
    orders = [name for name in dropped if name != "gift cards sold"]
    gone = [name for name in dropped if name == "gift cards sold"]
    if orders:
        gone.append(f"{joined(orders)} orders")
    left_out = f" Left out: {', '.join(gone)}." if gone else ""
    days = {"shop": "by the clock of the shop", "utc": "by universal time"}[clock]
    return f"Value: {value}.{left_out} Days: {days}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A file that was opened: nothing is guessed yet, every column of a CSV is text.

    Attributes
    ----------
    file
        Its name, for receipts and messages.
    rows
        Its rows, with the header as it is written.
    """

    file: str
    rows: pl.LazyFrame


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Readout:
    """What one file gives.

    Attributes
    ----------
    tables
        By name, as in `Shop`; each under its contract. One file may fill several: orders and sessions, say. Orders may
        say their `currency` besides, a column that reading takes out once all agree.
    receipts
        What became of its rows, one receipt for each table.
    currency
        Code of the currency; "" where the file does not say it.
    lacks
        What this kind of file cannot say, and why, by table or table.column; as in `Shop`.
    opening
        Whether the file shows the first order that the shop ever had.
    """

    tables: Mapping[str, pl.LazyFrame]
    receipts: tuple[Receipt, ...]
    currency: str = ""
    lacks: Mapping[str, str] = field(default_factory=dict)
    opening: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A kind of export that people have.

    Attributes
    ----------
    name
        As readers know it, such as "Shopify orders".
    columns
        Its header, as the source writes it; compared without regard to case and outer blanks.
    required
        Those of them without which it is something else; no two formats are recognised by the same header.
    read
        Reads an export of this kind under a policy. Raises DataError for what such a file cannot support.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    read: Callable[[Export, Policy], Readout]


def headed(export: Export, columns: Sequence[str], also: Mapping[str, str] | None = None) -> Export:
    """Return an export whose columns are spelt as the format spells them; others keep their names."""
    spelt = {folded(other): name for other, name in (also or {}).items()} | {folded(name): name for name in columns}
    names = export.rows.collect_schema().names()
    wanted: dict[str, str] = {}
    for name in names:
        ours = spelt.get(folded(name))
        if ours is not None and ours not in wanted.values():
            wanted[name] = ours
    # A column that already has the name of another's new one gives way.
    kept = [name for name in names if name in wanted or name not in wanted.values()]
    return Export(file=export.file, rows=export.rows.select(kept).rename(wanted))


def found(export: Export, columns: Sequence[str]) -> tuple[int, int]:
    """Return how many of a format's columns a headed export has, and how many there are."""
    names = set(export.rows.collect_schema().names())
    return sum(name in names for name in columns), len(columns)


def folded(name: str) -> str:
    """Return the name of a column without regard to case and outer blanks.

    >>> folded(" Created At ")
    'created at'
    """
    return name.strip().lstrip("\ufeff").casefold()


def names_in(header: str) -> tuple[str, ...]:
    """Return the names of a header that is written as one text, separated by bars.

    >>> names_in("Name|Paid at")
    ('Name', 'Paid at')
    """
    return tuple(header.split("|"))


# When a row of each table begins, and what may come to it later.
WHEN: Mapping[str, str] = {
    "orders": "ordered_at",
    "tickets": "created_at",
    "surveys": "sent_at",
    "returns": "returned_at",
    "contacts": "sent_at",
    "sessions": "started_at",
    "members": "joined_at",
    "marketing": "spent_at",
}
LATER: Mapping[str, tuple[str, ...]] = {
    "orders": ("shipped_at", "delivered_at"),
    "tickets": ("first_response_at", "resolved_at"),
    "members": ("left_at",),
}


def known_at(rows: pl.LazyFrame, table: str, end: datetime) -> pl.LazyFrame:
    """Return what was known before a moment: later rows are gone, and what came later has not happened."""
    columns = rows.collect_schema()
    later = {name: pl.when(pl.col(name) < end).then(name) for name in LATER.get(table, ()) if name in columns}
    if "solved_at_first" in columns:
        # Whether the first answer settled it shows when the ticket is closed; without a moment, the file's word counts.
        closed_later = (pl.col("resolved_at") >= end).fill_null(value=False)
        later["solved_at_first"] = pl.when(~closed_later).then("solved_at_first")
    return rows.filter(pl.col(WHEN[table]) < end).with_columns(**later)


_SEED = 1


def hashes(rows: pl.LazyFrame, name: str) -> pl.Series:
    """Return the hash of every row's name, sorted: eight bytes a row, in one streaming pass."""
    return rows.select(pl.col(name).hash(_SEED)).collect(engine="streaming").to_series().sort()


def named_by(name: str, keys: pl.Series) -> pl.Expr:
    """Whether a row's name has one of some hashes."""
    return pl.col(name).hash(_SEED).is_in(keys.implode())


def without_copies(rows: pl.LazyFrame, name: str, file: str) -> tuple[pl.LazyFrame, int]:
    """Return the rows without those that equal an earlier one, and how many these are."""
    keys = hashes(rows, name)
    again = keys.filter((keys == keys.shift(1)).fill_null(value=False)).unique()
    if again.is_empty():
        return rows, 0
    held = rows.filter(named_by(name, again)).collect(engine="streaming")
    once = held.unique(maintain_order=True, keep="first")
    differing = once[name].filter(once[name].is_duplicated()).unique().sort()
    if differing.len():
        raise DataError(
            f"{file}: {differing.len():,} values of {name} stand for rows that differ, such as {differing[0]!r}; each "
            "row must have its own."
        )
    return pl.concat([rows.filter(~named_by(name, again)), once.lazy()]), held.height - once.height


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rule:
    """Rows that a receipt tells of.

    Attributes
    ----------
    reason
        What is noticed, in words.
    action
        `dropped`, or `kept` all the same.
    where
        Whether a row is one of them; null is no.
    """

    reason: str
    action: Action
    where: pl.Expr


def sift(rows: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return the rows that no rule drops, and a line for each rule in turn.

    A row is dropped for the first rule that holds; a rule that keeps its rows counts those that are still there.
    """
    lines = []
    for rule in rules:
        noticed = rule.where.fill_null(value=False)
        count = rows.select(noticed.sum()).item()
        lines.append(ReceiptLine(reason=rule.reason, action=rule.action, rows=count))
        if rule.action == "dropped" and count:
            rows = rows.filter(~noticed)
    return rows, tuple(lines)


def refuse_wide_rows(rows: pl.LazyFrame, source: Path | bytes, *, separator: str, file: str) -> None:
    """Refuse a text table of which a row is wider than the header.

    Polars counts the cells of a row only where it reads all of them: whoever selects columns gets those of a shifted
    row as if nothing had happened. A row with too few cells cannot be told from one that ends with blanks.
    """
    try:
        rows.select(pl.all().count()).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        if "more fields" not in str(error):
            raise unreadable(file, error) from error
        if isinstance(source, bytes):
            place = _first_wide(io.StringIO(source.decode("utf-8-sig", errors="replace"), newline=""), separator)
        else:
            with source.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
                place = _first_wide(lines, separator)
        raise DataError(
            f"{file}: {place}, so that its columns are shifted, as by a comma without quotes; export the file again "
            "and do not save it with a spreadsheet."
        ) from error


def _first_wide(lines: Iterable[str], separator: str) -> str:
    reader = csv.reader(lines, delimiter=separator)
    names = len(next(reader, []))
    for row in reader:
        if len(row) > names:
            return f"line {reader.line_num:,} has {len(row)} cells and the header {names} names"
    return "a row has more cells than the header has names"


Every = Literal["week", "month"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of time from `start`, and before `end`; by the shop's clock.

    Attributes
    ----------
    start, end
        Its ends.
    """

    start: datetime
    end: datetime


def complete_periods(since: datetime, until: datetime, every: Every) -> tuple[Period, ...]:
    """Return the weeks (from Monday) or calendar months that were observed from end to end, by time."""
    start = _first_start(since, every)
    found = []
    while (end := _after(start, every)) <= until:
        if start >= since:
            found.append(Period(start, end))
        start = end
    return tuple(found)


def _first_start(moment: datetime, every: Every) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) if every == "week" else day.replace(day=1)


def _after(start: datetime, every: Every) -> datetime:
    if every == "week":
        return start + timedelta(days=7)
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


Instrument = Literal["nps", "csat", "csat_good", "ces", "effort"]
# Lowest and highest score of each instrument; see SURVEYS.
SCALES: dict[str, tuple[int, int]] = {
    "nps": (0, 10),
    "csat": (1, 5),
    "csat_good": (0, 1),
    "ces": (1, 7),
    "effort": (1, 5),
}
_NPS = re.compile(r"recommend|\bnps\b|nps_|_nps|net promoter|promoter score")
_CSAT = re.compile(r"\bcsat\b|csat_|_csat|satisf|^rating$|^stars$")
_EASE = re.compile(r"\bces\b|ces_|_ces|\beasy\b|\bease\b|easier")
_EFFORT = re.compile(r"effort")
# With that many answers, a scale whose upper end nobody uses is another scale; so is one that a twentieth leave.
_ENOUGH = 20
_STRAY = 0.05
_WRITE = "write the instrument in shop.yaml: nps, csat, csat_good, ces or effort"


def asks(question: str) -> bool:
    """Tell whether the name of a column, or the text of a question, says what it measures.

    >>> asks("How likely are you to recommend us to a friend?"), asks("Comment")
    (True, False)
    """
    text = question.strip().casefold()
    return any(words.search(text) for words in (_NPS, _CSAT, _EASE, _EFFORT))


def instrument_of(question: str, scores: pl.Series, file: str) -> Instrument:
    """Return the instrument by which a question was asked."""
    answered = scores.drop_nulls()
    text = question.strip().casefold()
    candidates = [name for name in _meant(text) if _fits(answered, name)]
    if len(candidates) != 1:
        raise DataError(_uncertain(question, answered, file))
    return candidates[0]


def checked_instrument(name: str, place: str) -> Instrument:
    """Return an instrument that somebody wrote down."""
    for known in ("nps", "csat", "csat_good", "ces", "effort"):
        if name == known:
            return known
    raise DataError(f"{place}: no instrument '{name}'; {choices(name, SCALES)}")


def _meant(text: str) -> tuple[Instrument, ...]:
    """Return the instruments that the words allow."""
    if _NPS.search(text):
        return ("nps",)
    if _EASE.search(text):
        # Who asks for ease on five steps may count them either way.
        return ("ces",)
    if _EFFORT.search(text):
        return ("effort",)
    if _CSAT.search(text):
        return ("csat", "csat_good")
    return ()


def _fits(answered: pl.Series, name: Instrument) -> bool:
    low, high = SCALES[name]
    inside = answered.filter(answered.is_between(low, high))
    # Words that mean NPS are certain by themselves; a few answers beside it say nothing against them.
    stray = _STRAY if answered.len() >= _ENOUGH or name != "nps" else 0.5
    if not answered.len() or answered.len() - inside.len() > stray * answered.len():
        return False
    if name == "csat_good":
        return inside.n_unique() == 2
    if name == "csat" and inside.max() == 1:
        return False
    # The upper half of a scale: 6 of 10, 4 of 5, 6 of 7. With few answers nothing can be said against it.
    upper = {"nps": 6, "csat": 4, "ces": 6, "effort": 4}[name]
    reached = inside.filter(inside >= upper).len() > 0
    # A scale of five steps is not one of seven, of which only seven or six are proof.
    return reached if name == "ces" else reached or answered.len() < _ENOUGH


def _uncertain(question: str, answered: pl.Series, file: str) -> str:
    if not answered.len():
        return f"{file}: nobody answered '{question}', so that its scale cannot be told; {_WRITE}."
    ordered = answered.sort()
    return (
        f"{file}: the scale of '{question}' is not certain from its words and its {answered.len():,} answers, which go "
        f"from {ordered[0]} to {ordered[-1]}; {_WRITE}."
    )


def within_scale(readout: Readout) -> Readout:
    """Return a readout without surveys whose score is off its scale; they are dropped and counted, not clipped."""
    if "surveys" not in readout.tables:
        return readout
    surveys = readout.tables["surveys"]
    (receipt,) = (one for one in readout.receipts if one.table == "surveys")
    for name in surveys.select(pl.col("instrument").unique().sort()).collect(engine="streaming")["instrument"]:
        checked_instrument(name, receipt.file)
    low, high = (
        pl.col("instrument").replace_strict({name: ends[end] for name, ends in SCALES.items()}, return_dtype=pl.Int64)
        for end in (0, 1)
    )
    stray = (~pl.col("score").is_between(low, high)).fill_null(value=False)
    count = int(surveys.select(stray.sum()).collect(engine="streaming").item())
    line = ReceiptLine(reason="a score outside of the scale", action="dropped", rows=count)
    noticed = replace(receipt, lines=(*receipt.lines, line))
    return replace(
        readout,
        tables={**readout.tables, "surveys": surveys.filter(~stray)},
        receipts=tuple(noticed if one is receipt else one for one in readout.receipts),
    )
