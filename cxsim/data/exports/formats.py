"""Files that say which column of an export is what go in; the format of a header, and its cells, come out.

The same language serves `shop.yaml`, for the files of one shop, and params/formats, for the exports that many have.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, cast

import polars as pl

from cxsim.data.contracts import CONTRACTS, LIVES, kinds_of
from cxsim.data.exports.cells import Decimal
from cxsim.data.orders import collected
from cxsim.data.shop import Finding, Policy, Receipt, ReceiptLine, noticed
from cxsim.errors import DataError, ParamError, choices, refuse_unknown
from cxsim.library import named, names
from cxsim.params import BY_TYPE, LIST, TEXT, read
from cxsim.tables import check

Table = Literal["orders", "tickets", "surveys", "returns", "contacts", "sessions", "members", "marketing"]
AnyTable = Literal[Table, "none"]
Instrument = Literal["nps", "csat", "csat_good", "ces", "effort"]
Flag = Literal["counts", "cancelled", "unpaid", "test"]
Facts = tuple[tuple[str, str], ...]
# The name of a column, or several, of which the first that a file has counts.
Columns = Mapping[str, Annotated[Annotated[str, TEXT] | Annotated[tuple[str, ...], LIST], BY_TYPE]]

# A column beside those of a file: the hash of its row.
ROW_KEY = "\0row"
_TERM = re.compile(r"\s*([+-]?)\s*([a-z_]+)")
_NEAREST, _SHOWN = 3, 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A file that was opened, by its name, of a shop in a time zone; nothing is guessed, a CSV is text throughout.

    `twice`: names that its header has several times; `facts`: what a receipt should say of how it was opened; of a text
    table, `source`: the file or its content, `separator`: between its cells, `before`: lines before the header.
    """

    file: str
    rows: pl.LazyFrame
    zone: str = ""
    twice: tuple[str, ...] = ()
    facts: Facts = ()
    source: Path | bytes | None = None
    separator: str = ""
    before: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Readout:
    """What one file gives: tables under their contracts and a receipt for each; what it lacks and why, as in `Shop`.

    Orders may have a column `currency` besides, which is taken out once all agree; `opening`: whether the file shows
    the first order that the shop ever had.
    """

    tables: Mapping[str, pl.LazyFrame]
    receipts: tuple[Receipt, ...]
    currency: str = ""
    lacks: Mapping[str, str] = field(default_factory=dict)
    opening: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsWith:
    """The rows that count: those with one of `values` in a column, or with anything where there are none."""

    column: str
    values: tuple[str, ...] = ()
    otherwise: str  # why the others are dropped


@dataclass(frozen=True, kw_only=True, slots=True)
class Documented:
    """The address at which an export is documented or quoted, and the date of what was read there."""

    address: str
    seen: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Which column of a file is what, and how its cells are written; what formats and tables of shop.yaml share."""

    columns: Columns = field(default_factory=dict)
    moments: str = "iso"
    decimal: Decimal = ""
    zone: str = ""
    instrument: Instrument | None = None
    rows: Literal["orders", "lines"] = "orders"
    amount: str = ""
    statuses: Mapping[Flag, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        terms_of(self.amount, self.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Format(Layout):
    """A kind of export that many people have: a file in params/formats.

    Attributes
    ----------
    name, title
        That of the file; as readers know it, such as "Shopify orders".
    table, reason
        The shop's table that it fills; "none" for one that fills none, with the reason.
    source
        Where its header is documented, and when that was so.
    header, required
        Its columns, as the source writes them; those without which it is something else.
    columns
        For each of the table's columns, and of the further ones that its reader knows, the one of the file.
    moments, decimal, zone, instrument, rows, amount, statuses
        As in `TableFile`.
    ratings
        What the ratings of a help desk stand for: instrument, and score or null where nobody answered.
    blank
        What is written where there is nothing.
    rows_with
        The rows of a survey that count.
    counted
        Facts for the receipt: how many rows have one of some values in a column.
    facts, lacks
        Facts for the receipt; what this kind of file cannot say, and why, by table or table.column.
    statuses_of
        Name of another format whose statuses hold here too.
    hook
        Name of the reader in `cxsim.data.exports.read_shop`, where this language does not suffice.
    """

    name: str
    title: str
    table: AnyTable
    reason: str = ""
    source: Documented | None = None
    header: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    ratings: Mapping[str, tuple[Instrument, int | None]] = field(default_factory=dict)
    blank: str = ""
    rows_with: RowsWith | None = None
    counted: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)
    statuses_of: str = ""
    hook: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFile(Layout):
    """Which column of a file is what; a table of shop.yaml.

    Attributes
    ----------
    table, file
        The shop's table that it fills; the name of the file, in the folder of shop.yaml.
    columns
        For each of the table's columns the one of the file, or several names of which the first that is there counts.
    separator
        What stands between the cells of a text file; "" to find out.
    decimal
        The mark before the decimals of its numbers; "" to find out.
    moments
        How its moments are written, such as `%d.%m.%Y %H:%M`; "iso" to find out, with any form that is certain.
    zone
        Time zone of the moments that are written without an offset, such as `UTC`; "" for the shop's own.
    instrument
        Of the scores in a table of surveys, where no column says it.
    rows
        Whether a row is an order or one of its lines.
    amount
        What an order comes to, as a sum of columns such as `charged - shipping - tax`, where no column says it.
    statuses
        Which statuses of an order are those of a sale (`counts`), and of one that is cancelled, unpaid or a test.
    """

    table: Table
    file: str
    columns: Columns
    separator: str = ""


def formats() -> tuple[Format, ...]:
    """Return all formats: those of the library and the project, and the tables of cxsim itself."""
    files = [named("formats", name) for name in names("formats")]
    return _formats(tuple((file, file.stat().st_mtime_ns) for file in files))


@cache
def _formats(files: tuple[tuple[Path, int], ...]) -> tuple[Format, ...]:
    """Return the formats of files, which are read again when one has changed."""
    found = {file.stem: read(file, Format) for file, _ in files}
    for name, form in found.items():
        if form.statuses_of:
            refuse_unknown(form.statuses_of, found, f"params/formats/{name}.yaml: statuses_of: no '{form.statuses_of}'")
            found[name] = replace(form, statuses=found[form.statuses_of].statuses)
    return (*found.values(), *OWN_FORMATS)


def recognised(columns: Sequence[str]) -> Format | None:
    """Return the format of a header; None if it is of none.

    A header that holds all that one format requires, and more that another requires, is of the other.
    """
    fitting = [form for form in formats() if form.required and not _lacking(form, columns)]
    return max(fitting, key=lambda form: (len(form.required), len(form.header)), default=None)


def unrecognised(columns: Sequence[str], *, of: Literal["file", "frame"] = "file") -> str:
    """Return the message for a header of no format."""
    lacking = [(_lacking(form, columns), form) for form in formats() if form.required]
    # Neighbours share most of what they need; one column in common says nothing.
    near = [(names, form) for names, form in lacking if 2 * len(names) < len(form.required)]
    near.sort(key=lambda one: (len(one[0]) / len(one[1].required), one[1].title))
    listed = "; ".join(f"{form.title} (lacks {_some(names)})" for names, form in near[:_NEAREST])
    only = f" Its header is one cell, {columns[0][:60]!r}." if len(columns) == 1 else ""
    nearest = f" Nearest: {listed}." if near else ""
    head = f"not recognised by its {len(columns)} columns ({_some(columns)}).{only}{nearest} "
    if of == "frame":
        return (
            f"{head}Name the columns of orders: columns={{'customer_id': NAME, 'ordered_at': NAME, 'amount': NAME}}; "
            "of order lines 'order_id', 'units' and 'line_price' in the place of 'amount'."
        )
    return (
        f"{head}Map its "
        "columns: for orders with --customer-id, --ordered-at, --amount (and --order-id, --quantity, --price for order "
        "lines), in metrics, start and calibrate with --column customer_id=NAME and so on; for any table in a file "
        "shop.yaml in the same folder."
    )


def _lacking(form: Format, columns: Iterable[str]) -> list[str]:
    header = {folded(name) for name in columns}
    return [name for name in form.required if folded(name) not in header]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(name.strip() for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def folded(name: str) -> str:
    """Return the name of a column without regard to case and outer blanks.

    >>> folded(" Created At ")
    'created at'
    """
    return name.strip().lstrip("\ufeff").casefold()


def names_of(form: Format, column: str) -> tuple[str, ...]:
    """Return the names under which a file may have one of our columns; none where the format has no such column."""
    names = form.columns.get(column, ())
    return (names,) if isinstance(names, str) else names


# What columns are called that say of orders whether they count, and in what money they are.
_SPEAKING = {
    "status": (
        *("status", "order status", "order_status", "orderstatus", "payment status", "payment_status"),
        *("financial status", "financial_status", "bestellstatus", "zahlungsstatus", "statut"),
    ),
    "currency": ("currency", "currency code", "currency_code", "währung", "devise", "moneda", "valuta", "waluta"),
}


def row_name(file: str) -> str:
    """Return what the name of a row begins with where a file gives its rows no numbers; the place in it follows."""
    return f"{file} row "


def status_columns(header: Sequence[str], used: Container[str]) -> dict[str, str]:
    """Return the columns of orders that nobody named, and that say by their name what an order's status or currency is.

    >>> status_columns(["Kunde", "Betrag", "Status", "Währung"], ["Kunde", "Betrag"])
    {'status': 'Status', 'currency': 'Währung'}
    """
    free = {folded(name): name for name in reversed(header) if name not in used}
    return {ours: free[name] for ours, names in _SPEAKING.items() for name in reversed(names) if name in free}


def located(export: Export, form: Format) -> dict[str, str]:
    """Return for our columns the one of the file, where it has one."""
    there = {folded(name): name for name in reversed(export.rows.collect_schema().names())}
    used = {
        ours: there[folded(name)]
        for ours in form.columns
        for name in reversed(names_of(form, ours))
        if folded(name) in there
    }
    for ours, name in used.items():
        if name.strip() in export.twice:
            raise DataError(
                f"{export.file}: two columns are called '{name.strip()}', so it is unclear which is {ours}; "
                "rename or remove one of them."
            )
    return used


def found(export: Export, form: Format) -> tuple[int, int]:
    """Return how many of a format's columns an export has, and how many there are."""
    header = {folded(name) for name in export.rows.collect_schema().names()}
    if not form.header:
        return len(located(export, form)), len(header)
    groups = {name: names for ours in form.columns for names in (names_of(form, ours),) for name in names}
    # Another name of a column stands for it, unless the format has a column of that name too.
    held = sum(
        any(folded(one) in header for one in groups.get(name, (name,)) if one == name or one not in form.header)
        for name in form.header
    )
    return held, len(form.header)


def cells(
    export: Export,
    form: Format,
    also: Iterable[str] = (),
    numbers: Container[str] = (),
    *,
    as_written: Container[str] = (),
) -> pl.LazyFrame:
    """Return the columns that a format names, and others besides, under our names; null where the file has none.

    Text is without outer blanks, and null where nothing is left, but for columns that are wanted as they are written,
    which is faster. Days and moments of other files are as they are, and so are the numbers asked for.
    """
    schema = export.rows.collect_schema()
    columns = dict.fromkeys((*form.columns, *also), pl.lit(None, pl.String))
    for ours, name in located(export, form).items():
        text = pl.col(name).cast(pl.String) if ours in as_written else text_of(name)
        typed = name == ROW_KEY or schema[name].is_temporal() or (ours in numbers and schema[name].is_numeric())
        columns[ours] = pl.col(name) if typed else pl.when(text != form.blank).then(text) if form.blank else text
    time, there = columns.pop("time_of_day", None), located(export, form)
    if {"time_of_day", "ordered_at"} <= there.keys() and schema[there["ordered_at"]] == pl.String:
        # A spreadsheet keeps a day as its midnight.
        day = columns["ordered_at"].str.replace(r"[T ]00:00:00$", "")
        # A day without a time is one; a time without a day is none.
        columns["ordered_at"] = pl.concat_str(day, pl.concat_str(pl.lit(" "), time).fill_null(""))
    return export.rows.select(**columns)


def text_of(name: str) -> pl.Expr:
    """Return a column as text without outer blanks; null where nothing is written."""
    text = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def customers() -> pl.Expr:
    """Return the customers of the column for them: e-mail addresses in small letters, others as they are written."""
    text = text_of("customer_id")
    return pl.when(text.str.contains("@", literal=True)).then(text.str.to_lowercase()).otherwise(text)


def terms_of(amount: str, columns: Columns) -> list[tuple[int, str]]:
    """Return the columns of a sum such as `charged - shipping` with their signs."""
    terms = _TERM.findall(amount)
    if _TERM.sub("", amount).strip():
        raise ParamError(f"amount: {amount!r} is not a sum of columns; write one such as charged - shipping - tax.")
    for _, name in terms:
        if name not in columns:
            raise ParamError(f"amount: no column '{name}' is named; {choices(name, list(columns))}")
    return [(-1 if sign == "-" else 1, name) for sign, name in terms]


def under(table: str, rows: pl.DataFrame, there: Container[str]) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Return rows under a contract, its optional columns where they are there and whole, and why others are not."""
    contract = CONTRACTS[table]
    whole = [name for name in contract.optional if name in there and name not in contract.nullable]
    gaps = {name: count for name in whole if (count := rows[name].null_count())}
    names = [name for name in kinds_of(contract) if name in contract.columns or (name in there and name not in gaps)]
    known = {
        f"{table}.{name}": f"the export has it for {rows.height - count:,} of {rows.height:,} {table}."
        for name, count in gaps.items()
    }
    return check(rows.select(*names, *({"currency"} & {*rows.columns})), contract).lazy(), known


def sift(
    rows: pl.DataFrame, reasons: Mapping[str, pl.Expr], kept: Container[str] = (), *, weight: str = "", name: str = ""
) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return the rows that no reason drops, and a line for each reason; those of `kept` drop nothing.

    A row is dropped for the first reason that holds, and counts as many as its column `weight` says; a reason that
    keeps its rows counts those that are still there. `name`: of the column by which an example is named.
    """
    lines: list[ReceiptLine] = []
    for reason, where in reasons.items():
        held = rows.filter(where)
        example = next(iter(held[name].drop_nulls().head(1)), "") if name else ""
        if reason in kept:
            lines += noticed("kept", {reason: held.height}, example)
        else:
            lines += noticed("dropped", {reason: int(held[weight].sum()) if weight else held.height}, example)
            rows = rows.remove(where)
    return rows, tuple(lines)


def counted(rows: pl.DataFrame, kept: Mapping[str, pl.Expr]) -> tuple[ReceiptLine, ...]:
    """Return a line for each thing that is noticed of rows that stay."""
    return noticed("kept", {reason: rows.filter(where).height for reason, where in kept.items()})


def receipt_of(
    export: Export,
    form: Format,
    *,
    rows: int,
    lines: Iterable[ReceiptLine],
    facts: Facts = (),
    table: str = "",
) -> Receipt:
    """Return the receipt of an export for the table of its format, or for another."""
    return Receipt(
        file=export.file,
        table=table or form.table,
        recognised=form.title,
        columns=found(export, form),
        rows_read=rows,
        lines=tuple(lines),
        facts=export.facts + facts,
    )


def facts_of(facts: Mapping[str, str]) -> Facts:
    """Return what a receipt should say, without what there is nothing to say of."""
    return tuple(fact for fact in facts.items() if fact[1])


def set_aside(export: Export, form: Format, _policy: Policy) -> Readout:
    """Return the receipt of a file that fills no table."""
    counts = {
        fact: pl.any_horizontal(pl.col(name).str.to_lowercase().is_in(values) for name, values in where.items()).sum()
        for fact, where in form.counted.items()
    }
    row = collected(cells(export, form).select(**counts), export.file).row(0, named=True) if counts else {}
    rows = int(collected(export.rows.select(pl.len()), export.file).item())
    facts = facts_of({fact: f"{count:,}" for fact, count in row.items()})
    receipt = receipt_of(export, form, rows=rows, lines=noticed("dropped", {form.reason: rows}), facts=facts)
    return Readout(tables={}, receipts=(receipt,))


# Read by the names of the contracts, which no file need repeat.
OWN_FORMATS = tuple(
    Format(
        name=f"cxsim-{table}",
        title=f"cxsim {table}",
        table=cast("AnyTable", table if table in CONTRACTS else "none"),
        reason="no shop can observe when customers left or who referred them",
        header=tuple(kinds_of(contract)),
        # Where orders have no numbers, each row is one.
        required=tuple(name for name in contract.columns if (table, name) != ("orders", "order_id")),
        columns={name: name for name in kinds_of(contract)},
        hook="cxsim-table",
    )
    for table, contract in {**CONTRACTS, "lives": LIVES}.items()
)
