"""The orders of a shop go in; those that a model can be fitted to, and what became of every row, come out."""

from __future__ import annotations

import codecs
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from cxsim.data.shop import Counted, Finding, Policy, Receipt, ReceiptLine, Shop, noticed
from cxsim.errors import DataError
from cxsim.params import CENTS
from cxsim.tables import TRANSACTIONS
from cxsim.wording import in_html

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What a header in another encoding leaves behind when it is read as UTF-8.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# What a receipt says of an amount that stands on each line of its order.
TOTAL_AGAIN = "the order total, which is repeated on each line and counts once"
# Orders that are there and count in no customer's value.
UNCOUNTED = ("orders without a customer", "fully refunded orders")


class OrderTotals(NamedTuple):
    """How many customers there are, how many orders they made, and what these came to."""

    customers: int
    orders: int
    revenue: float


@dataclass(frozen=True, kw_only=True, slots=True)
class HygieneReport(Counted):
    """What became of every row that was read.

    Attributes
    ----------
    rows_read
        Rows of the source; equal to `rows_kept` plus all rows dropped or merged.
    lines
        What was noticed; a row is merged or dropped for one reason at most.
    """

    @property
    def table(self) -> pl.DataFrame:
        """The lines as a table: reason, action, rows."""
        lines = [(line.reason, line.action, line.rows) for line in self.lines]
        return pl.DataFrame(lines, {"reason": pl.String, "action": pl.String, "rows": pl.Int64}, orient="row")

    def __str__(self) -> str:
        return "\n".join([self._headline(), *(f"  {line}" for line in self.lines if line.rows)])

    def _repr_html_(self) -> str:
        with pl.Config(fmt_str_lengths=100):
            return f"<p>{in_html(self._headline())}</p>{self.table._repr_html_()}"

    def _headline(self) -> str:
        return f"{self.rows_read:,} rows read, {self.rows_kept:,} kept"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Transactions:
    """The orders of a shop whose customers are known.

    Attributes
    ----------
    table
        customer_id, ordered_at (by the shop's clock) and amount (in units of the currency, less what was paid back),
        under TRANSACTIONS; lazy, so a file may be read again whenever the table is collected.
    hygiene
        What became of every row that was read.
    until
        Last day of observation: a customer without an order up to it is known not to have ordered.
    totals
        Customers, orders and revenue.
    currency
        Code of the currency; "" where no file says it.
    policy
        How the files were read.
    findings
        What a reader must know of the orders before believing a number of them.
    """

    table: pl.LazyFrame
    hygiene: HygieneReport
    until: date
    totals: OrderTotals
    currency: str = ""
    policy: Policy = field(default_factory=Policy)
    findings: tuple[Finding, ...] = ()

    @property
    def record(self) -> dict[str, object]:
        """What says how the orders were read: the policy in words, rows, customers, orders and revenue."""
        rows = {"rows_read": self.hygiene.rows_read, "rows_kept": self.hygiene.rows_kept}
        return {"policy": self.policy.sentence(), **rows, **self.totals._asdict()}

    def __repr__(self) -> str:
        report = self.hygiene
        return f"Transactions({report.rows_kept:,} of {report.rows_read:,} rows kept, until {self.until})"

    def _repr_html_(self) -> str:
        return f"<p>{in_html(repr(self))}</p>{self.hygiene._repr_html_()}"


def transactions_of(shop: Shop, *, refunds: Literal["deducted", "kept"] = "deducted") -> Transactions:
    """Return the orders of a shop whose customers are known, less what was paid back of them, or with it.

    Of an order of which a share was paid back, with shipping and tax or without, the same share of its value is gone.
    """
    orders, amount = shop.table("orders"), pl.col("amount")
    columns = orders.collect_schema()
    no_customer, all_back = UNCOUNTED
    gone = {no_customer: pl.col("customer_id").is_null()}
    deducted = refunds == "deducted" and "refunded" in columns
    net = _after_refunds(columns) if deducted else amount
    if deducted and shop.policy.zero == "drop":
        gone[all_back] = (net == 0) & (amount > 0)
    judged = orders.with_columns(net=net, gone=first_reason(gone))
    stays = pl.col("gone").is_null()
    *lost, count, customers, revenue = (
        judged.select(
            *((pl.col("gone") == reason).sum().alias(reason) for reason in gone),
            stays.sum().alias("orders"),
            pl.col("customer_id").filter(stays).n_unique().alias("customers"),
            money(whole_cents(pl.col("net").filter(stays)).sum()).alias("revenue"),
        )
        .collect(engine="streaming")
        .row(0)
    )
    kept = judged.filter(stays).select("customer_id", "ordered_at", amount="net")
    receipts = [receipt for receipt in shop.receipts if receipt.table == "orders"]
    report = HygieneReport(
        rows_read=sum(receipt.rows_read for receipt in receipts) or count + sum(lost),
        lines=(*_together(receipts), *noticed("dropped", dict(zip(gone, lost, strict=True)))),
    )
    if not count:
        raise DataError(f"{shop.name}: no order of a known customer.\n{report}")
    return Transactions(
        table=kept.select(list(TRANSACTIONS.columns)),
        hygiene=report,
        until=(shop.until - timedelta(microseconds=1)).date(),
        totals=OrderTotals(customers, count, revenue),
        currency=shop.currency,
        policy=shop.policy,
        findings=shop.findings,
    )


def _after_refunds(columns: Container[str]) -> pl.Expr:
    """Return the value of an order less the share of it that was paid back."""
    amount, back = pl.col("amount"), pl.col("refunded").fill_null(0.0)
    charged = pl.col("charged") if "charged" in columns else amount
    share = pl.when(charged > 0).then((back / charged).clip(0, 1)).otherwise(0.0)
    return money(whole_cents(amount * (1 - share)))


def _together(receipts: Iterable[Receipt]) -> Iterable[ReceiptLine]:
    """Return the lines of several receipts, what was noticed in several files once."""
    lines: dict[tuple[str, str], ReceiptLine] = {}
    for line in (line for receipt in receipts for line in receipt.lines):
        key = line.reason, line.action
        before = lines.get(key)
        lines[key] = replace(before, rows=before.rows + line.rows) if before else line
    return lines.values()


def as_date(name: str, found: object) -> date:
    """Return `found` if it is a day of the calendar and not a moment, a text or a number."""
    if not isinstance(found, date) or isinstance(found, datetime):
        raise DataError(f"{name} must be a day such as date(1998, 6, 30); found {found!r}.")
    return found


def whole_cents(amount: pl.Expr) -> pl.Expr:
    """Return an amount as whole cents, the half cent upwards; null where it is not finite.

    >>> pl.select(whole_cents(pl.lit(19.99))).item()
    1999
    """
    return (amount * CENTS + 0.5).floor().cast(pl.Int64, strict=False)


def money(cents: pl.Expr) -> pl.Expr:
    """Return whole cents as units of the currency, the Float64 nearest to them.

    >>> pl.select(money(pl.lit(1999))).item()
    19.99
    """
    # Without the rounding, polars multiplies by the reciprocal of 100, and the last bit can differ.
    return (cents / CENTS).round(2)


def schema_of(rows: pl.LazyFrame, label: str) -> pl.Schema:
    """Return names and types of the columns of `rows`."""
    try:
        schema = rows.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise unreadable(label, error) from error
    if any(_REPLACEMENT in name for name in schema):
        raise DataError(f"{label}: the header is not UTF-8; save the file as UTF-8.")
    return schema


def unreadable(label: str, error: Exception) -> DataError:
    """Return the error for rows that polars cannot read, with its reason in one line."""
    reason = first_line(error)
    if "utf8" in reason.lower().replace("-", ""):
        return DataError(f"{label}: the file is not UTF-8 ({reason}); save it as UTF-8.")
    if '`"' in reason:
        start = reason.partition("`")[2].strip("`")
        return DataError(
            f"{label}: a quotation mark is not closed, in the cell that begins {start!r}; close or remove it, or "
            "export the file again."
        )
    return DataError(f"{label}: the rows cannot be read ({reason}).")


def collected(rows: pl.LazyFrame, file: str) -> pl.DataFrame:
    """Return the rows of a file in memory."""
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise unreadable(file, error) from error


def first_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def refuse_start(start: bytes, label: str) -> None:
    """Refuse a file that begins as no table does, before polars does, in words that say what to do."""
    if not start.strip():
        raise DataError(f"{label}: the file is empty; it must have a header line and rows.")
    if start.startswith(_UTF16):
        raise DataError(f"{label}: the file is UTF-16, not UTF-8; save it as UTF-8.")


def scanned(path: Path, separator: str, before: int = 0) -> pl.LazyFrame:
    """Return the rows of a Parquet file, or of a text file whose header stands behind some lines; nothing guessed."""
    # Resolved, because a lazy table is read later, perhaps from another working directory; `glob` is off, because a
    # bracket in a file's name is part of the name.
    place = path.resolve()
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(place, glob=False)
    return pl.scan_csv(
        place, infer_schema=False, separator=separator, skip_lines=before, glob=False, raise_if_empty=False
    )


def first_reason(reasons: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the first reason that holds for a row, as text; null where none does."""
    return pl.coalesce(pl.when(holds).then(pl.lit(reason)) for reason, holds in reasons.items())


def repeated(keys: pl.Series) -> pl.Series:
    """Return the keys that were there before, sorted."""
    ordered = keys.sort()
    return ordered.filter(ordered == ordered.shift(1))
