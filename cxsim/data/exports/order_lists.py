"""Orders as an export gives them go in; what the policy keeps of them, under ORDERS, and a receipt come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from cxsim.data.contracts import ORDERS, kinds_of
from cxsim.data.exports.columns import Columns, marked_columns, read_columns
from cxsim.data.exports.files import all_of, later_copies, refuse_wide_rows
from cxsim.data.exports.formats import (
    ROW_KEY,
    Export,
    Facts,
    Format,
    Readout,
    customers,
    formats,
    located,
    receipt_of,
    row_name,
    sift,
    terms_of,
    under,
)
from cxsim.data.orders import TOTAL_AGAIN, collected, repeated
from cxsim.data.shop import Finding, Policy, Receipt, noticed
from cxsim.errors import DataError

_KINDS = kinds_of(ORDERS)
# What `columns` may name beside the columns of ORDERS.
FURTHER_COLUMNS = (
    *("ordered_at_utc", "time_of_day", "status", "subtotal", "line_amount", "line_price", "line_markdown"),
    *("email", "phone", "account", "currency", "cancelled_at", "paid_at"),
)
OF_LINES = ("line_amount", "line_price", "line_markdown")
_MONEY = ("subtotal", *OF_LINES)
_OF_LINES = ("order_id", "ordered_at", "time_of_day", "units", "product", "category", "row")
# Sums of money within an order are taken in whole ten-thousandths, so that they do not depend on their sequence.
_FINE = 10_000
_FLAGS: Mapping[str, str] = {
    "test": "test orders",
    "cancelled": "cancelled or voided orders",
    "unpaid": "unpaid orders",
}
_OUT: Mapping[str, str] = {
    **_FLAGS,
    "gift_cards": "orders of gift cards only, whose value counts on redemption",
}
_UNUSABLE = {
    "order_id": "orders without a number",
    "ordered_at": "orders without a timestamp",
    "amount": "orders without a value",
}
_NO_STATUS = "(none)"
_STATUSES_SHOWN = 10
_SEED = 1
# So many rows, and so large a share, of one customer, moment and amount are no accident.
_LEAST_ALIKE, _SHARE_ALIKE = 5, 0.02
_ALIKE = ("customer_id", "ordered_at", "amount")


def read_orders(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the orders of a file whose rows are orders or their lines, with the status of each where it says one.

    Totals of an order stand on every one of its lines or on the first alone: both are read, and each counts once.
    """
    if policy.value == "charged" and "charged" not in form.columns:
        raise DataError(f"{export.file}: {form.title} do not show the total charged; use policy value: merchandise.")
    every, read, copies = _orders_of(export, form, policy)
    without = every.filter(pl.col("order_id").is_null())
    orders, facts = _valued(
        every.drop_nulls("order_id") if form.rows == "lines" else every.filter(outside=0), form, policy, export.file
    )
    _refuse_apart(orders.filter("apart")["order_id"], export.file)
    differs = pl.col("totals") > 1
    outside = int(every["outside"].sum())
    dropped = {
        (form.rows_with.otherwise if form.rows_with else ""): outside,
        "lines without an order number": int(without["lines"].sum()) - outside if form.rows == "lines" else 0,
        "lines identical to an earlier one": copies.len(),
        "orders whose lines show different totals": int(orders.filter(differs)["lines"].sum()),
    }
    said = {**dict(facts), **form.facts}
    facts = (*read.facts, *(fact for fact in said.items() if fact[0] != "amount" or policy.value == "merchandise"))
    noted = (*read.lines, *noticed("dropped", dropped))
    receipt = receipt_of(export, form, rows=int(every["lines"].sum()) + copies.len(), lines=noted, facts=facts)
    readout = settled(_priced(orders.filter(~differs), form, policy), receipt, form, policy)
    there = located(export, form)
    kind = export.rows.collect_schema()[there["customer_id"]] if "customer_id" in there else pl.String()
    if kind.is_integer() and not there.keys() & {"email", "phone", "account"}:
        customers_as_written = pl.col("customer_id").cast(kind if kind == pl.UInt64 else pl.Int64)
        readout = replace(readout, tables={"orders": readout.tables["orders"].with_columns(customers_as_written)})
    if "order_id" in form.columns or not {*_ALIKE} <= {*every.columns}:
        return readout
    return replace(readout, findings=repeated_amounts(export, every.lazy(), there, copies))


def _orders_of(export: Export, form: Format, policy: Policy) -> tuple[pl.DataFrame, Columns, pl.Series]:
    """Return one row an order, or for rows that are of none; how the columns are read; and rows equal to others.

    The first cells most often show how all are written: then the file is gone through once.
    """
    columns, clock = form.columns, policy.clock
    if clock == "utc" and "ordered_at_utc" in located(export, form):
        columns, clock = {**columns, "ordered_at": columns["ordered_at_utc"]}, "shop"
    if form.rows_with:
        columns = {**columns, "kind": form.rows_with.column}
    # Where totals stand on the lines, equal ones are two of one kind; else they may be a double export.
    apart = form.rows == "lines" and policy.duplicates == "drop" and not _totals(form)
    keyed = export
    if apart:
        # Four bytes say that two rows may be equal; whether they are is looked at then.
        key = (pl.struct(pl.all()).hash(_SEED) & 0xFFFF_FFFF).cast(pl.UInt32)
        keyed = replace(export, rows=export.rows.with_columns(key.alias(ROW_KEY)))
        columns = {**columns, "row": ROW_KEY}
    asked, rules = replace(form, columns=columns), replace(policy, clock=clock)
    times = [name for name in columns if _KINDS.get(name) == pl.Datetime]
    numbers = [name for name in columns if _KINDS.get(name) in (pl.Float64, pl.Int64) or name in _MONEY]
    also = (*_MONEY, *FURTHER_COLUMNS, "units", "order_number", "product", "category")
    numberless = "order_id" not in form.columns and policy.duplicates == "drop"
    equal = later_copies(export) if numberless else pl.Series("place", dtype=pl.UInt32)
    if not apart:
        refuse_wide_rows(export)
    marked = marked_columns(keyed, asked, rules, times, numbers=numbers, also=also)
    if marked is not None:
        orders = all_of(export, _gathered(marked.rows, export, asked, equal))
        if not (orders["unread"].sum() or (apart and (orders["alike"] > 0).any())):
            return orders, marked, equal
    copies = later_copies(export) if apart else equal
    read = read_columns(keyed, asked, rules, times, numbers=numbers, also=also)
    rows = read.rows.with_columns(unread=pl.lit(0))
    return collected(_gathered(rows, export, asked, copies), export.file), read, copies


def _gathered(rows: pl.LazyFrame, export: Export, form: Format, copies: pl.Series) -> pl.LazyFrame:
    """Return the lines of each order together, in the order of the file; what is no order has no number."""
    absent = [name for name in ("units", *_MONEY) if name not in form.columns]
    rows = rows.with_columns(pl.col(absent).cast(pl.Float64)).with_row_index("place")
    if "order_id" not in form.columns:
        rows = rows.with_columns(order_id=pl.concat_str(pl.lit(row_name(export.file)), pl.col("place") + 1))
    if copies.len():
        rows = rows.filter(~pl.col("place").is_in(copies.implode()))
    only, outside = form.rows_with, pl.lit(value=False)
    if only and only.column in export.rows.collect_schema().names():
        values = [value.casefold() for value in only.values]
        kind = pl.col("kind").str.to_lowercase()
        outside = ~kind.is_in(values).fill_null(value=False) if values else kind.is_null()
        rows = rows.with_columns(order_id=pl.when(~outside).then("order_id"))
    rows = rows.with_columns(outside=outside.cast(pl.UInt32))
    if form.rows == "orders":
        return rows.with_columns(lines=pl.lit(1), totals=pl.lit(1), apart=pl.lit(value=False), alike=pl.lit(0))
    return _by_order(rows, form)


def _by_order(rows: pl.LazyFrame, form: Format) -> pl.LazyFrame:
    """Return one row an order from its lines: what all have in common, their sums, and whether they contradict."""
    moment, units = pl.col("ordered_at"), pl.col("units")
    total = next(iter(_totals(form)), "amount")
    # Sums are those of the lines; with the number of different amounts, they show whether each is the order's.
    firsts = [name for name in form.columns if name not in (*_OF_LINES, *OF_LINES)]
    goods = [name for name in ("product", "category") if name in form.columns]
    # Nobody shares an order; what is taken back later is no sign of two.
    several = [pl.col(f"{name} key").min() != pl.col(f"{name} key").max() for name in _who(form)]
    late = pl.col("sold_at").max() - pl.col("sold_at").min() >= pl.duration(days=1)
    return (
        _with_values(rows, form)
        .group_by("order_id")
        .agg(
            pl.col(firsts).first(ignore_nulls=True),
            moment.min(),
            pl.col(goods).max_by("size"),
            pl.col("outside", "unread", "size").sum(),
            pl.col("place").min(),
            pl.col("known").all(),
            units.sum(),
            counted=units.is_not_null().any(),
            totals=pl.col(total).drop_nulls().n_unique() if total in form.columns else pl.lit(1),
            apart=pl.any_horizontal(late, *several).fill_null(value=False),
            lines=pl.len(),
            alike=pl.len() - pl.col("row").n_unique() if "row" in form.columns else pl.lit(0),
        )
        .with_columns(
            # Of a line without a value nobody knows what its order comes to.
            summed=pl.when("known").then(coarse(pl.col("size"))),
            units=pl.when("counted").then("units"),
        )
        .sort("place")
    )


def _who(form: Format) -> list[str]:
    return [name for name in ("customer_id", "email", "account") if name in form.columns]


def _with_values(rows: pl.LazyFrame, form: Format) -> pl.LazyFrame:
    """Return lines with what each comes to, when it was sold, and whose it is as a number, which is fast to compare."""
    value = pl.col("value")
    keys = {f"{one} key": pl.when(pl.col(one).is_not_null()).then(pl.col(one).hash(_SEED)) for one in _who(form)}
    return rows.with_columns(value=fine(_line_amount(form)[0])).with_columns(
        **keys,
        sold_at=pl.when(value.fill_null(0) >= 0).then("ordered_at"),
        known=value.is_not_null(),
        size=value.fill_null(0),
    )


def _line_amount(form: Format) -> tuple[pl.Expr, str]:
    """Return what a line comes to, and the words for it."""
    line, said = pl.col("line_amount" if "line_amount" in form.columns else "amount"), ""
    if "line_price" in form.columns:
        line = pl.col("line_price") * (pl.col("units") if "units" in form.columns else 1.0)
        said = "price times quantity, " if "units" in form.columns else "price, "
    elif line.meta.output_name() not in form.columns:
        line = pl.lit(None, pl.Float64)
    if "line_markdown" in form.columns:
        return line - pl.col("line_markdown").fill_null(
            0
        ), f"{said}summed over the lines of an order, less their discounts"
    return line, f"{said}summed over the lines of an order"


def _totals(form: Format) -> list[str]:
    """Return the columns of a format that hold what an order comes to."""
    return sorted({"charged", "subtotal", *(name for _, name in terms_of(form.amount, form.columns))} & {*form.columns})


def _valued(orders: pl.DataFrame, form: Format, policy: Policy, file: str) -> tuple[pl.DataFrame, Facts]:
    """Return the orders with what they come to, where no total says it: the sum of their lines, or what all have."""
    if form.rows == "orders" or _totals(form):
        return orders, ()
    several = orders.filter(pl.col("lines") > 1)
    alike, amounts = several.filter(totals=1).height, policy.amounts
    if form.columns.keys() & {*OF_LINES} or several.is_empty() or (not amounts and 2 * alike < several.height):
        amounts = "line"
    elif not amounts and alike < several.height:
        differing = several.filter(pl.col("totals") > 1)["order_id"].sort()[0]
        raise DataError(
            f"{file}: of {several.height:,} orders on several rows, {alike:,} have the same amount on each, like "
            f"an order total, and others, such as {differing!r}, do not; choose one reading, with --policy "
            "amounts=order or amounts=line (amounts: in the policy of shop.yaml)."
        )
    if amounts == "line":
        return orders.with_columns(amount="summed", totals=pl.lit(1)), (("amount", _line_amount(form)[1]),)
    return orders, (("amount", TOTAL_AGAIN),)


def settled(orders: pl.DataFrame, receipt: Receipt, form: Format, policy: Policy) -> Readout:
    """Return the orders that the policy keeps, and what became of every row.

    `orders`: one row an order: columns of ORDERS, `lines` (how many rows of the file), and where the file has them
    `currency`, `status`, and the flags `test`, `cancelled`, `gift_cards` (of gift cards alone). `receipt`: what was
    noticed of rows that are not in `orders`, and of orders that stay. Credit notes, which are below nothing, stay.
    """
    every = _flagged(orders, form, policy, receipt.file)
    flags = {reason: flag for flag, reason in _OUT.items() if flag in every.columns}
    reasons = {reason: pl.col(flag) for reason, flag in flags.items()}
    reasons |= {reason: pl.col(name).is_null() for name, reason in _UNUSABLE.items()}
    stay = [reason for reason, flag in flags.items() if policy.treatment(flag) == "keep"]
    kept, lines = sift(every, reasons, stay, weight="lines", name="order_id")
    once = kept if form.rows == "lines" else _single(kept, receipt.file)
    held = int(once["lines"].sum())
    twice = {
        "orders that appear twice in the file": int(kept["lines"].sum()) - held,
        "further lines of an order": held - once.height,
    }
    lines = (*receipt.lines, *lines, *noticed("merged", twice))
    table, gaps = under("orders", once, once.columns)
    return Readout(
        tables={"orders": table},
        receipts=(replace(receipt, lines=lines, facts=_facts(every, once) + receipt.facts),),
        # The contract may lack what a file says only of some of its orders; a reader must know why it is not there.
        lacks=gaps | dict(form.lacks),
    )


def repeated_amounts(
    export: Export, rows: pl.LazyFrame, used: Mapping[str, str], copies: pl.Series
) -> tuple[Finding, ...]:
    """Return a finding where rows without an order number look like lines of orders that repeat the order's amount.

    `rows`: customer_id, ordered_at and amount of the rows of the file but `copies`.
    """
    header = [name for name in export.rows.collect_schema().names() if name not in used.values()]
    if not header:
        return ()
    keys = collected(rows.select(key=pl.struct(_ALIKE).hash(_SEED)), export.file)["key"]
    again = repeated(keys).unique()
    shared = keys.is_in(again.implode())
    alike = int(shared.sum())
    if alike < max(_LEAST_ALIKE, _SHARE_ALIKE * keys.len()):
        return ()
    rows = export.rows.select(header).with_row_index(ROW_KEY).filter(~pl.col(ROW_KEY).is_in(copies.implode()))
    held = collected(rows, export.file).with_columns(keys.alias(ROW_KEY)).filter(shared)
    numbers = (
        name
        for name in header
        if held[name].n_unique() == again.len() == held.select(ROW_KEY, name).n_unique() and not held[name].has_nulls()
    )
    number = next(numbers, "")
    such = f", as lines with one {number!r} do" if number else ""
    return (
        Finding(
            f"{export.file}: amount",
            "caution",
            alike / keys.len(),
            f"{export.file}: {alike:,} of {keys.len():,} rows share customer, time and amount with another and "
            f"differ in other columns{such}; each counts as an order.",
            f"If they are order lines, name the column with the order number: --order-id "
            f"{repr(number) if number else 'NAME'}, or order_id: in shop.yaml.",
        ),
    )


def plain_status(text: pl.Expr) -> pl.Expr:
    """Return a status as lists of statuses have it.

    >>> pl.select(plain_status(pl.lit(" wc-On_Hold"))).item()
    'on hold'
    """
    low = text.str.strip_chars().str.to_lowercase().str.strip_prefix("wc-")
    return low.str.replace_all(r"[-_\s\u{a0}]+", " ").fill_null(_NO_STATUS)


def _flagged(orders: pl.DataFrame, form: Format, policy: Policy, file: str) -> pl.DataFrame:
    """Return the orders with what their statuses say of them, and refuse a status of which nobody knows what it says.

    What the policy says comes first, then the format. Where neither says anything, a status means what it means in all
    formats that know it.
    """
    if "status" not in orders.columns:
        return orders
    ours = {flag: policy.statuses(flag) for flag in _FLAGS} | {"counts": policy.counts}
    meant = _common_statuses() if not form.header else {}
    for lists in (form.statuses, ours):
        plain = pl.DataFrame(
            [(word, flag) for flag, words in lists.items() for word in words],
            {"word": pl.String, "flag": pl.String},
            orient="row",
        ).select(plain_status(pl.col("word")), "flag")
        meant |= dict(plain.iter_rows())
    status = plain_status(pl.col("status"))
    judged = orders.with_columns(meaning=status.replace_strict(meant, default=None, return_dtype=pl.String))
    known = [flag for flag in _FLAGS if flag in orders.columns]
    # An order that is left out for another reason needs no status.
    open_ones = judged.filter(pl.col("meaning").is_null() & ~pl.any_horizontal(*known, pl.lit(value=False)))
    if open_ones.height:
        sums = open_ones.group_by(pl.col("status").fill_null(_NO_STATUS)).agg(pl.len(), pl.col("amount").sum())
        rows = sums.sort("len", "status", descending=[True, False]).rows()
        listed = "; ".join(
            f"'{one}': {n:,} order{'' if n == 1 else 's'} ({total:,.2f})" for one, n, total in rows[:_STATUSES_SHOWN]
        )
        more = f"; and {len(rows) - _STATUSES_SHOWN:,} more" if len(rows) > _STATUSES_SHOWN else ""
        example = f"cancelled: ['{rows[0][0]}']"
        raise DataError(
            f"{file}: it is unclear whether orders with these statuses are sales: {listed}{more}. Set it in the policy "
            "(counts, cancelled, unpaid or test): in shop.yaml, such as policy: {" + example + "}, or with "
            f"--policy cancelled='{rows[0][0]}'. If the column does not contain order statuses, rename it."
        )
    said = {flag: (pl.col("meaning") == flag).fill_null(value=False) for flag in _FLAGS}
    return judged.with_columns(
        (pl.col(flag) | said[flag] if flag in known else said[flag]).alias(flag) for flag in _FLAGS
    ).drop("meaning")


def _common_statuses() -> dict[str, str]:
    """Return the statuses that mean the same in all formats that know them."""
    found: dict[str, set[str]] = {}
    for form in formats():
        for flag, words in form.statuses.items():
            for word in words:
                found.setdefault(word, set()).add(flag)
    return {word: flags.pop() for word, flags in found.items() if len(flags) == 1}


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


def _priced(orders: pl.DataFrame, form: Format, policy: Policy) -> pl.DataFrame:
    names = [name for name in _KINDS if name in form.columns or name == "order_id"]
    terms = terms_of(form.amount, form.columns)
    money = {name: fine(pl.col(name)) for name in names if _KINDS[name] == pl.Float64}
    money |= {name: fine(pl.col(name)) for _, name in terms}
    if "markdown" in money:
        # An order without a coupon has a blank here.
        money["markdown"] = money["markdown"].fill_null(0)
    # Some systems write down what goes off as negative numbers.
    money |= {name: money[name].abs() for name in ("markdown", "refunded") if name in money}
    goods = (
        pl.sum_horizontal(*(s * money[n] for s, n in terms), ignore_nulls=False) if terms else fine(pl.col("amount"))
    )
    columns = {name: coarse(money[name]) if name in money else pl.col(name).cast(_KINDS[name]) for name in names}
    if "markdown" in money:
        columns = {"list_amount": coarse(goods + money["markdown"])} | columns
    columns |= {name: pl.col(name) for name in ("currency", "status") if name in form.columns}
    if "currency" in columns:
        columns["currency"] = pl.col("currency").str.to_uppercase()
    # Some exports say by a moment what others say by a status.
    if "cancelled_at" in form.columns:
        columns["cancelled"] = pl.col("cancelled_at").is_not_null()
    if "paid_at" in form.columns:
        columns["unpaid"] = pl.col("paid_at").is_null()
    columns["amount"] = coarse(goods if policy.value == "merchandise" else money["charged"])
    columns["customer_id"] = _whose(form)
    return orders.select("lines", **columns)


def _whose(form: Format) -> pl.Expr:
    """Return the customer of an order, by the first of the columns that names one."""
    known = [customers()] if "customer_id" in form.columns else []
    if form.columns.keys() & {"email", "phone"}:
        email, phone = (
            pl.col(name) if name in form.columns else pl.lit(None, pl.String) for name in ("email", "phone")
        )
        known.append(identity(email, phone))
    if "account" in form.columns:
        # Guests have the account 0.
        known.append(pl.when(pl.col("account") != "0").then("account " + pl.col("account")))
    return pl.coalesce(known) if known else pl.lit(None, pl.String)


def _single(orders: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return the first of the orders that stand several times."""
    if not orders["order_id"].is_duplicated().any():
        return orders
    twice = orders.group_by("order_id", maintain_order=True).agg(pl.col("ordered_at").n_unique())
    _refuse_apart(twice.filter(pl.col("ordered_at") > 1)["order_id"], file)
    return orders.unique("order_id", keep="first", maintain_order=True)


def _refuse_apart(numbers: pl.Series, file: str) -> None:
    if numbers.len():
        raise DataError(
            f"{file}: {numbers.len():,} order numbers are shared by orders with different times or customers, such "
            f"as {numbers[0]!r}; correct the mistyped date or customer, export each shop separately, or include the "
            "column that distinguishes the orders."
        )


def _facts(every: pl.DataFrame, kept: pl.DataFrame) -> Facts:
    money = "charged" if "charged" in every.columns else "amount"
    facts = {"orders": f"{every.height:,} in the file"}
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
