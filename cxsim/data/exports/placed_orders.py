"""Orders as an export gives them go in; what the policy keeps of them, under ORDERS, and a receipt come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from cxsim.data.contracts import ORDERS
from cxsim.data.exports.format import Export, Policy, Readout, Receipt, ReceiptLine
from cxsim.data.orders import amount
from cxsim.errors import DataError

# Sums of money within an order are taken in whole ten-thousandths, so that they do not depend on their sequence.
FINE = 10_000
FURTHER_LINES = "further lines of an order"
TWICE = "orders that stand twice in the file"

_FLAGS = {
    "test": "test orders",
    "cancelled": "cancelled or voided orders",
    "unpaid": "orders that are not paid",
    "gift_cards": "orders of gift cards alone, whose value is counted when they are redeemed",
}
_UNUSABLE = {
    "order_id": "orders without a number",
    "ordered_at": "orders whose moment cannot be read",
    "amount": "orders whose value is missing or cannot be read",
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Placed:
    """The orders of one file, before the policy is applied.

    Attributes
    ----------
    export
        The file.
    recognised
        Name of its format.
    columns
        How many of the format's columns it has, and how many there are.
    rows_read
        Rows of the file.
    orders
        One row an order: columns of ORDERS, `lines` (how many rows of the file), and where the file tells them
        `currency`, `status`, and the flags `test`, `cancelled`, `unpaid`, `gift_cards` (of gift cards alone).
    lines
        What was noticed of rows that are not in `orders`, and of orders that stay.
    facts, lacks, opening
        As in `Receipt` and `Readout`.
    """

    export: Export
    recognised: str
    columns: tuple[int, int]
    rows_read: int
    orders: pl.DataFrame
    lines: tuple[ReceiptLine, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    opening: bool = False


def settled(placed: Placed, policy: Policy) -> Readout:
    """Return the orders that the policy keeps, and what became of every row."""
    orders, lines = _sifted(placed.orders, policy)
    once, again = _single(orders, placed.export.file)
    merged = int(once["lines"].sum()) - once.height
    sentence, untold = _whole(once)
    receipt = Receipt(
        file=placed.export.file,
        table="orders",
        recognised=placed.recognised,
        columns=placed.columns,
        rows_read=placed.rows_read,
        lines=(
            *placed.lines,
            *lines,
            ReceiptLine(reason=TWICE, action="merged", rows=again),
            ReceiptLine(reason=FURTHER_LINES, action="merged", rows=merged),
        ),
        facts=(*_facts(placed.orders, once), *placed.facts),
    )
    # The contract may lack what a file says only of some of its orders; a reader must know why it is not there.
    lacks = untold | dict(placed.lacks)
    return Readout(
        tables={
            "orders": sentence.lazy(),
        },
        receipts=(receipt,),
        lacks=lacks,
        opening=placed.opening,
    )


def number(name: str, file: str) -> pl.Expr:
    """Return a column of text as numbers; null where there is none, or none that can be read."""
    return amount(name, pl.String(), file).alias(name)


def fine(money: pl.Expr) -> pl.Expr:
    """Return money in whole ten-thousandths."""
    return (money * FINE).round().cast(pl.Int64)


def coarse(fine_money: pl.Expr) -> pl.Expr:
    """Return whole ten-thousandths as money.

    >>> pl.select(coarse(fine(pl.lit(19.99)) * 3)).item()
    59.97
    """
    return (fine_money / FINE).round(4)


def identity(email: pl.Expr, phone: pl.Expr) -> pl.Expr:
    """Return who ordered: the e-mail address in small letters, else the digits of the telephone number, else null.

    >>> cells = pl.DataFrame({"email": [" Ana@Example.com", None, None], "phone": [None, "'+1 555-0100", "n/a"]})
    >>> cells.select(identity(pl.col("email"), pl.col("phone"))).to_series().to_list()
    ['ana@example.com', '+15550100', None]
    """
    address = email.str.strip_chars("' \t").str.to_lowercase()
    digits = phone.str.replace_all(r"[^0-9+]", "")
    return pl.coalesce(
        pl.when(address.str.contains("@", literal=True)).then(address),
        pl.when(digits.str.len_chars() >= 7).then(digits),
    )


def _sifted(orders: pl.DataFrame, policy: Policy) -> tuple[pl.DataFrame, list[ReceiptLine]]:
    """Drop what the policy drops, each order for the first reason that holds; count by rows of the file."""
    rules = [(text, pl.col(name)) for name, text in _FLAGS.items() if name in orders.columns]
    kept_all_the_same = {_FLAGS[name] for name in _FLAGS if getattr(policy, name) == "keep"}
    rules += [(text, pl.col(name).is_null()) for name, text in _UNUSABLE.items()]
    rules.append(("orders of less than nothing: credit notes", pl.col("amount") < 0))
    lines = []
    for reason, where in rules:
        holds = orders.select(where.fill_null(value=False)).to_series()
        if reason in kept_all_the_same:
            lines.append(ReceiptLine(reason=reason, action="kept", rows=int(holds.sum())))
            continue
        lines.append(ReceiptLine(reason=reason, action="dropped", rows=int(orders.filter(holds)["lines"].sum())))
        orders = orders.filter(~holds)
    return orders, lines


def _single(orders: pl.DataFrame, file: str) -> tuple[pl.DataFrame, int]:
    """Return the first of the orders that stand several times, and how many rows of the file the others had."""
    once = orders.unique("order_id", keep="first", maintain_order=True)
    if once.height == orders.height:
        return orders, 0
    twice = orders.group_by("order_id", maintain_order=True).agg(pl.col("ordered_at").n_unique())
    different = twice.filter(pl.col("ordered_at") > 1)["order_id"]
    if different.len():
        raise DataError(
            f"{file}: {different.len():,} order numbers stand for orders of different moments, such as "
            f"{different[0]!r}; export each shop for itself, or with the column that tells its orders apart."
        )
    return once, int(orders["lines"].sum()) - int(once["lines"].sum())


def _whole(orders: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Leave out the columns that must be whole and are not; say which, and why."""
    keep = [name for name in (*ORDERS.columns, *ORDERS.optional) if name in orders.columns]
    lacks = {}
    for name in keep:
        gaps = orders[name].null_count()
        if name in ORDERS.optional and name not in ORDERS.nullable and gaps:
            lacks[f"orders.{name}"] = f"the export says it for {orders.height - gaps:,} of {orders.height:,} orders."
    names = [name for name in keep if f"orders.{name}" not in lacks]
    return orders.select(*names, *({"currency"} & set(orders.columns))), lacks


def _facts(every: pl.DataFrame, kept: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    money = "charged" if "charged" in every.columns else "amount"
    facts = [("orders", f"{every.height:,}, of which {kept.height:,} count")]
    for name, title in (("status", "status"), ("currency", "currency")):
        if name in every.columns:
            sentence = every.group_by(pl.col(name).fill_null("none")).agg(
                pl.len(), worth=coarse(fine(pl.col(money)).sum())
            )
            facts.append(
                (title, "; ".join(f"{one} {n:,} ({worth:,.2f})" for one, n, worth in sentence.sort(name).rows()))
            )
    if kept.height:
        nobody = kept["customer_id"].null_count()
        first, last = kept.select(
            first=_sentence(pl.col("ordered_at").min()), last=_sentence(pl.col("ordered_at").max())
        ).row(0)
        facts += [
            ("without identity", f"{nobody:,} of {kept.height:,} orders ({nobody / kept.height:.1%})"),
            ("first and last", f"{first} to {last}"),
        ]
    return tuple(facts)


def _sentence(moment: pl.Expr) -> pl.Expr:
    return moment.dt.strftime("%Y-%m-%d %H:%M")
