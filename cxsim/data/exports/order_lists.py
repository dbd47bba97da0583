"""Orders as an export gives them go in; what the policy keeps of them, under ORDERS, and a receipt come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.data.contracts import ORDERS
from cxsim.data.exports.formats import (
    Export,
    Format,
    Readout,
    cells,
    collected,
    customer_of,
    located,
    receipt_of,
    sift,
    terms_of,
)
from cxsim.data.exports.moments import moments
from cxsim.data.orders import amount
from cxsim.data.shop import Action, Policy, ReceiptLine, noticed
from cxsim.errors import DataError

# What `columns` may name beside the columns of ORDERS.
FURTHER_COLUMNS = (
    "ordered_at_utc",
    "status",
    "subtotal",
    "line_amount",
    "email",
    "phone",
    "account",
    "currency",
)
# Sums of money within an order are taken in whole ten-thousandths, so that they do not depend on their sequence.
_FINE = 10_000
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


def read_orders(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the orders of a file whose rows say the status of each.

    Totals of an order stand on every one of its lines or on the first alone: both are read, and each counts once.
    """
    if policy.value == "charged" and "charged" not in form.columns:
        raise DataError(f"{export.file}: {form.title} do not say what was charged; use policy value: merchandise.")
    rows = collected(cells(export, form), export.file)
    lines = rows.filter(pl.col("order_id").is_not_null()) if form.rows == "lines" else rows
    orders, torn = _once(lines, form) if form.rows == "lines" else (_counted(lines, form), 0)
    there = located(export, form)
    universal = policy.clock == "utc" and "ordered_at_utc" in there
    if universal:
        orders = orders.with_columns(ordered_at="ordered_at_utc")
    times = [name for name in _named(form) if _kind(name) == pl.Datetime]
    when = moments(orders.lazy(), times, file=export.file, clock="shop" if universal else policy.clock, shown=there)
    facts = {name: text for name, text in form.facts.items() if name != "amount" or policy.value == "merchandise"}
    dropped = {
        "lines without an order number": rows.height - lines.height,
        "orders whose lines differ in their total": torn,
    }
    placed = Placed(
        export=export,
        form=form,
        rows_read=rows.height,
        orders=_priced(orders.with_columns(**when.columns), form, policy, export.file),
        lines=noticed("dropped", dropped),
        facts=(*when.facts, *facts.items()),
    )
    return settled(placed, policy)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Placed:
    """The orders of one file, before the policy is applied.

    `orders`: one row an order: columns of ORDERS, `lines` (how many rows of the file), and where the file has them
    `currency`, `status`, and the flags `test`, `cancelled`, `unpaid`, `gift_cards` (of gift cards alone). `lines`:
    what was noticed of rows that are not in `orders`, and of orders that stay.
    """

    export: Export
    form: Format
    rows_read: int
    orders: pl.DataFrame
    lines: tuple[ReceiptLine, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    opening: bool = False


def settled(placed: Placed, policy: Policy) -> Readout:
    """Return the orders that the policy keeps, and what became of every row."""
    file = placed.export.file
    rules: list[tuple[str, Action, pl.Expr]] = [
        (reason, "kept" if getattr(policy, flag) == "keep" else "dropped", pl.col(flag))
        for flag, reason in _FLAGS.items()
        if flag in placed.orders.columns
    ]
    rules += [(reason, "dropped", pl.col(name).is_null()) for name, reason in _UNUSABLE.items()]
    rules.append(("orders of less than nothing: credit notes", "dropped", pl.col("amount") < 0))
    orders, lines = sift(placed.orders, rules, weight="lines")
    once = _single(orders, file)
    again = int(orders["lines"].sum()) - int(once["lines"].sum())
    merged = int(once["lines"].sum()) - once.height
    twice = {"orders that stand twice in the file": again, "further lines of an order": merged}
    receipt = receipt_of(
        placed.export,
        placed.form,
        rows=placed.rows_read,
        lines=(*placed.lines, *lines, *noticed("merged", twice)),
        facts=(*_facts(placed.orders, once), *placed.facts),
    )
    table, gaps = _whole(once)
    # The contract may lack what a file says only of some of its orders; a reader must know why it is not there.
    lacks = gaps | dict(placed.form.lacks)
    return Readout(tables={"orders": table.lazy()}, receipts=(receipt,), lacks=lacks, opening=placed.opening)


def number(name: str, file: str) -> pl.Expr:
    """Return a column of text as numbers; null where there is none, or none that can be read."""
    return amount(name, pl.String(), file).alias(name)


def fine(money: pl.Expr) -> pl.Expr:
    """Return money in whole ten-thousandths."""
    return (money * _FINE).round().cast(pl.Int64)


def coarse(fine_money: pl.Expr) -> pl.Expr:
    """Return whole ten-thousandths as money.

    >>> pl.select(coarse(fine(pl.lit(19.99)) * 3)).item()
    59.97
    """
    return (fine_money / _FINE).round(4)


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


def _named(form: Format) -> list[str]:
    return [name for name in (*ORDERS.columns, *ORDERS.optional) if name in form.columns]


def _kind(name: str) -> object:
    return {**ORDERS.columns, **ORDERS.optional}[name][0]


def _once(lines: pl.DataFrame, form: Format) -> tuple[pl.DataFrame, int]:
    """Return one row an order, and how many lines belong to orders that have several totals."""
    of_lines = {"units", "product", "line_amount"}
    line_amount = number("line_amount", form.title) if "line_amount" in form.columns else pl.lit(None, pl.Float64)
    quantity = number("units", form.title) if "units" in form.columns else pl.lit(None, pl.Float64)
    terms = [name for _, name in terms_of(form.amount, form.columns)]
    total = next(name for name in ("charged", "subtotal", "amount", *terms) if name in form.columns)
    product = [pl.col("product").max_by(pl.col("_amount").fill_null(0))] if "product" in form.columns else []
    grouped = (
        lines.with_columns(_amount=line_amount, _quantity=quantity)
        .group_by("order_id", maintain_order=True)
        .agg(
            *(pl.col(n).first(ignore_nulls=True) for n in form.columns if n != "order_id" and n not in of_lines),
            *product,
            units=pl.when(pl.col("_quantity").is_not_null().any()).then(pl.col("_quantity").sum().cast(pl.Int64)),
            totals=pl.col(total).drop_nulls().n_unique(),
            lines=pl.len(),
        )
    )
    several = pl.col("totals") > 1
    return grouped.filter(~several), int(grouped.filter(several)["lines"].sum())


def _counted(orders: pl.DataFrame, form: Format) -> pl.DataFrame:
    units = [number("units", form.title).cast(pl.Int64)] if "units" in form.columns else []
    return orders.with_columns(*units, lines=pl.lit(1, pl.Int64))


def _priced(orders: pl.DataFrame, form: Format, policy: Policy, file: str) -> pl.DataFrame:
    names = _named(form)
    terms = terms_of(form.amount, form.columns)
    in_sums = {*(name for name in names if _kind(name) == pl.Float64), *(name for _, name in terms)}
    money = {name: fine(number(name, file)) for name in in_sums}
    if "markdown" in money:
        # An order without a coupon has a blank here.
        money["markdown"] = money["markdown"].fill_null(0)
    goods = _sum(money, terms) if terms else money["amount"]
    status = pl.col("status").str.to_lowercase().str.strip_prefix("wc-").str.replace_all("[-_]", " ")
    columns: dict[str, pl.Expr] = {name: coarse(money[name]) if name in money else pl.col(name) for name in names}
    if "order_number" in names:
        columns["order_number"] = number("order_number", file).cast(pl.Int64)
    if "markdown" in money and "list_amount" not in names:
        columns["list_amount"] = coarse(goods + money["markdown"])
    columns |= {
        "amount": coarse(goods if policy.value == "merchandise" else money["charged"]),
        "customer_id": _customer(form),
        "status": status,
    }
    columns |= {flag: status.is_in(values) for flag, values in form.statuses.items()}
    if "currency" in form.columns:
        columns["currency"] = pl.col("currency")
    return orders.select("lines", **columns)


def _sum(money: Mapping[str, pl.Expr], terms: list[tuple[int, str]]) -> pl.Expr:
    (sign, first), *others = terms
    total = sign * money[first]
    for sign, name in others:
        total = total + sign * money[name]
    return total


def _customer(form: Format) -> pl.Expr:
    if "customer_id" in form.columns:
        return customer_of("customer_id")
    nobody = pl.lit(None, pl.String)
    email, phone, account = (pl.col(n) if n in form.columns else nobody for n in ("email", "phone", "account"))
    # Guests have the account 0.
    return pl.coalesce(identity(email, phone), pl.when(~account.is_in(["0", ""])).then("account " + account))


def _single(orders: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return the first of the orders that stand several times."""
    once = orders.unique("order_id", keep="first", maintain_order=True)
    if once.height == orders.height:
        return orders
    twice = orders.group_by("order_id", maintain_order=True).agg(pl.col("ordered_at").n_unique())
    different = twice.filter(pl.col("ordered_at") > 1)["order_id"]
    if different.len():
        raise DataError(
            f"{file}: {different.len():,} order numbers stand for orders of different moments, such as "
            f"{different[0]!r}; export each shop for itself, or with the column that tells its orders apart."
        )
    return once


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
    for name in ("status", "currency"):
        if name in every.columns:
            sums = every.group_by(pl.col(name).fill_null("none")).agg(pl.len(), total=coarse(fine(pl.col(money)).sum()))
            listed = (f"{one} {n:,} ({total:,.2f})" for one, n, total in sums.sort(name).rows())
            facts.append((name, "; ".join(listed)))
    if kept.height:
        nobody = kept["customer_id"].null_count()
        moment = pl.col("ordered_at")
        first, last = kept.select(
            first=moment.min().dt.strftime("%Y-%m-%d %H:%M"), last=moment.max().dt.strftime("%Y-%m-%d %H:%M")
        ).row(0)
        facts += [
            ("without identity", f"{nobody:,} of {kept.height:,} orders ({nobody / kept.height:.1%})"),
            ("first and last", f"{first} to {last}"),
        ]
    return tuple(facts)
