"""Orders as an export gives them go in; what the policy keeps of them, under ORDERS, and a receipt come out."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from cxsim.data.contracts import ORDERS, kinds_of
from cxsim.data.exports.formats import (
    Export,
    Facts,
    Format,
    Readout,
    customers,
    located,
    receipt_of,
    sift,
    terms_of,
    under,
)
from cxsim.data.exports.moments import timed
from cxsim.data.orders import amount, collected
from cxsim.data.shop import Policy, Receipt, noticed
from cxsim.errors import DataError

_KINDS = kinds_of(ORDERS)
# What `columns` may name beside the columns of ORDERS.
FURTHER_COLUMNS = ("ordered_at_utc", "status", "subtotal", "line_amount", "email", "phone", "account", "currency")
_NUMBERS = ("units", "order_number", "line_amount")
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
    columns, clock = form.columns, policy.clock
    if clock == "utc" and "ordered_at_utc" in located(export, form):
        columns, clock = {**columns, "ordered_at": columns["ordered_at_utc"]}, "shop"
    times = [name for name in columns if _KINDS.get(name) == pl.Datetime]
    asked = replace(form, columns=columns)
    read, facts = timed(
        export, asked, replace(policy, clock=clock), times, also=(*_NUMBERS, *FURTHER_COLUMNS, "product")
    )
    rows = collected(read.with_columns(number(name) for name in _NUMBERS), export.file)
    lines = rows.drop_nulls("order_id") if form.rows == "lines" else rows
    orders = _once(lines, form) if form.rows == "lines" else lines.with_columns(lines=1, totals=1)
    differs = pl.col("totals") > 1
    dropped = {
        "lines without an order number": rows.height - lines.height,
        "orders whose lines differ in their total": int(orders.filter(differs)["lines"].sum()),
    }
    facts += tuple(fact for fact in form.facts.items() if fact[0] != "amount" or policy.value == "merchandise")
    receipt = receipt_of(export, form, rows=rows.height, lines=noticed("dropped", dropped), facts=facts)
    return settled(_priced(orders.filter(~differs), form, policy), receipt, form, policy)


def settled(orders: pl.DataFrame, receipt: Receipt, form: Format, policy: Policy) -> Readout:
    """Return the orders that the policy keeps, and what became of every row.

    `orders`: one row an order: columns of ORDERS, `lines` (how many rows of the file), and where the file has them
    `currency`, `status`, and the flags `test`, `cancelled`, `unpaid`, `gift_cards` (of gift cards alone). `receipt`:
    what was noticed of rows that are not in `orders`, and of orders that stay.
    """
    flags = {reason: flag for flag, reason in _FLAGS.items() if flag in orders.columns}
    reasons = {reason: pl.col(flag) for reason, flag in flags.items()}
    reasons |= {reason: pl.col(name).is_null() for name, reason in _UNUSABLE.items()}
    reasons["orders of less than nothing: credit notes"] = pl.col("amount") < 0
    stay = [reason for reason, flag in flags.items() if getattr(policy, flag) == "keep"]
    kept, lines = sift(orders, reasons, stay, weight="lines")
    once = _single(kept, receipt.file)
    held = int(once["lines"].sum())
    twice = {
        "orders that stand twice in the file": int(kept["lines"].sum()) - held,
        "further lines of an order": held - once.height,
    }
    lines = (*receipt.lines, *lines, *noticed("merged", twice))
    table, gaps = under("orders", once, once.columns)
    return Readout(
        tables={"orders": table},
        receipts=(replace(receipt, lines=lines, facts=_facts(orders, once) + receipt.facts),),
        # The contract may lack what a file says only of some of its orders; a reader must know why it is not there.
        lacks=gaps | dict(form.lacks),
    )


def number(name: str) -> pl.Expr:
    """Return a column of text as numbers; null where there is none, or none that can be read."""
    return amount(name, pl.String(), "").alias(name)


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


def _once(lines: pl.DataFrame, form: Format) -> pl.DataFrame:
    """Return one row an order, with how many lines and how many different totals it has."""
    terms = [name for _, name in terms_of(form.amount, form.columns)]
    total = next(name for name in ("charged", "subtotal", "amount", *terms) if name in form.columns)
    units = pl.col("units")
    return lines.group_by("order_id", maintain_order=True).agg(
        pl.exclude("order_id", "units", "product", "line_amount").first(ignore_nulls=True),
        pl.col("product").max_by(pl.col("line_amount").fill_null(0)),
        units=pl.when(units.is_not_null().any()).then(units.sum()),
        totals=pl.col(total).drop_nulls().n_unique(),
        lines=pl.len(),
    )


def _priced(orders: pl.DataFrame, form: Format, policy: Policy) -> pl.DataFrame:
    names = [name for name in _KINDS if name in form.columns]
    terms = terms_of(form.amount, form.columns)
    in_sums = [name for name in names if _KINDS[name] == pl.Float64] + [name for _, name in terms]
    money = {name: fine(number(name)) for name in in_sums}
    if "markdown" in money:
        # An order without a coupon has a blank here.
        money["markdown"] = money["markdown"].fill_null(0)
    goods = pl.sum_horizontal(*(s * money[n] for s, n in terms), ignore_nulls=False) if terms else money["amount"]
    status = pl.col("status").str.to_lowercase().str.strip_prefix("wc-").str.replace_all("[-_]", " ")
    columns = {name: coarse(money[name]) if name in money else pl.col(name).cast(_KINDS[name]) for name in names}
    if "markdown" in money:
        columns = {"list_amount": coarse(goods + money["markdown"])} | columns
    if "currency" in form.columns:
        columns["currency"] = pl.col("currency")
    columns["amount"] = coarse(goods if policy.value == "merchandise" else money["charged"])
    columns |= {flag: status.is_in(values) for flag, values in form.statuses.items()}
    # Guests have the account 0.
    account = pl.when(pl.col("account") != "0").then("account " + pl.col("account"))
    customer = pl.coalesce(identity(pl.col("email"), pl.col("phone")), account)
    columns["customer_id"] = customers() if "customer_id" in form.columns else customer
    return orders.select("lines", status=status, **columns)


def _single(orders: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return the first of the orders that stand several times."""
    twice = orders.group_by("order_id", maintain_order=True).agg(pl.col("ordered_at").n_unique())
    different = twice.filter(pl.col("ordered_at") > 1)["order_id"]
    if different.len():
        raise DataError(
            f"{file}: {different.len():,} order numbers stand for orders of different moments, such as "
            f"{different[0]!r}; export each shop for itself, or with the column that tells its orders apart."
        )
    return orders.unique("order_id", keep="first", maintain_order=True)


def _facts(every: pl.DataFrame, kept: pl.DataFrame) -> Facts:
    money = "charged" if "charged" in every.columns else "amount"
    facts = {"orders": f"{every.height:,}, of which {kept.height:,} count"}
    for name in ("status", "currency"):
        if name in every.columns:
            sums = every.group_by(pl.col(name).fill_null("none")).agg(pl.len(), total=coarse(fine(pl.col(money)).sum()))
            facts[name] = "; ".join(f"{one} {n:,} ({total:,.2f})" for one, n, total in sums.sort(name).iter_rows())
    if kept.height:
        moment = pl.col("ordered_at")
        nobody, first, last = kept.select(
            pl.col("customer_id").null_count(), first=moment.min(), last=moment.max()
        ).row(0)
        facts["without identity"] = f"{nobody:,} of {kept.height:,} orders ({nobody / kept.height:.1%})"
        facts["first and last"] = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    return tuple(facts.items())
