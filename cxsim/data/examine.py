"""The orders of a shop as they were read go in; those that count, and what a reader must know of them, come out.

Whatever a fit would take for granted is looked at here: moments that cannot be right, words in the place of customers,
money taken back, and single rows on which much rests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from cxsim.data.orders import TOTAL_AGAIN, money, whole_cents
from cxsim.data.shop import Action, Finding, Policy, ReceiptLine, Severity, Shop, noticed
from cxsim.errors import DataError
from cxsim.params import CENTS
from cxsim.wording import percent

# What systems and people write where there is no customer, in small letters and without blanks and marks.
_NOBODY = frozenset(
    word
    for words in (
        "nan null none na nil nul undefined unknown missing blank empty notset notprovided notavailable",
        "guest guestcheckout guestcustomer guestuser walkin walkincustomer cashsale nocustomer noemail anonymous user",
        "unbekannt gast gastkunde anonym inconnu invité anonyme desconocido invitado anónimo anonimo sconosciuto",
        "ospite onbekend anoniem okänd gäst gjest gæst vieras gość convidado host",
    )
    for word in words.split()
)
_TESTS = r"(?i)^(?:test|tester|testing)(?:[ ._+-]?(?:user|customer|order|account|\d+))?(?:@.*)?$|[+.]test@|@test\."
_ROUNDED = r"^\d+(?:[.,]\d+)?[eE]\+?\d+$"
# Spreadsheets keep fifteen digits.
_LONG, _LONG_ROUNDED = r"^\d{16,}$", r"^\d{15}0+$"
_NO_WIDTH = r"[\u{200b}-\u{200d}\u{2060}\u{feff}]"
_WHOLE_AS_DECIMAL = r"^-?\d+\.0+$"
# Where a day is the one that programs write for none.
_SENTINELS = (
    *(date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1904, 1, 1)),
    *(date(1970, 1, 1), date(1980, 1, 1), date(2000, 1, 1), date(2038, 1, 19), date(2099, 12, 31), date(9999, 12, 31)),
)
_FAR = timedelta(days=180)
# Rows stand apart from a log where the gap to it is so many days and so many times its own largest, and they are few.
_LEAST_GAP, _TIMES_THE_GAP, _FEW = 30, 10, 0.05
_LEAST_DAYS = 10
# An order or a customer is outsized at so large a share of revenue or orders, and so many times what is usual.
_ORDER_SHARE, _TIMES_MEDIAN = 0.02, 10
_CUSTOMER_SHARE, _TIMES_NEXT = 0.03, 3
_ENOUGH = 20
# The first twelfths of a log have so many times the new customers of later ones where old ones are taken for new.
_PARTS, _TIMES_NEW, _CERTAIN = 12, 1.5, 3.0
_MUCH = 0.01
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Settled:
    """Orders that count, under ORDERS, and lines for the receipt, of each file; and what was found in all."""

    orders: tuple[pl.LazyFrame, ...]
    lines: tuple[tuple[ReceiptLine, ...], ...]
    findings: tuple[Finding, ...]


def implausible_days(days: pl.DataFrame, until: date | None, today: date) -> pl.DataFrame:
    """Return the days that cannot be right, each with the reason and how grave it is.

    `days`: day and number of orders. What lies after a declared end of observation is left out anyway.
    """
    known = days.filter(pl.col("day") <= (until or date.max)).sort("day")
    found: dict[date, tuple[str, Severity]] = {}
    ordinary = known.filter(~pl.col("day").is_in(list(_SENTINELS)))["day"]
    for day in known.filter(pl.col("day").is_in(list(_SENTINELS)))["day"]:
        if ordinary.len() and min(abs(day - one) for one in ordinary) > _FAR:
            found[day] = "a software default date", "stop"
    rest = known.filter(~pl.col("day").is_in(list(found)))
    found |= _apart(rest, declared=until is not None)
    if until is None:
        found |= {day: (f"after today, {today}", "stop") for day in rest["day"] if day > today + timedelta(days=1)}
    schema = {"day": pl.Date, "why": pl.String, "severity": pl.String}
    return pl.DataFrame([(day, *why) for day, why in found.items()], schema, orient="row").sort("day")


def _apart(days: pl.DataFrame, *, declared: bool) -> dict[date, tuple[str, Severity]]:
    """Return the first and last days that a gap separates from the log, many times as wide as any within it."""
    if days.height < _LEAST_DAYS:
        return {}
    few = max(1, int(_FEW * int(days["len"].sum())))
    before, behind = days["len"].cum_sum(), days["len"].reverse().cum_sum().reverse()
    core = days.filter((before > few) & (behind > few))["day"]
    if core.len() < _LEAST_DAYS:
        return {}
    within = int(core.diff().dt.total_days().max())  # type: ignore[arg-type]  # there are several days
    limit = max(_LEAST_GAP, _TIMES_THE_GAP * within)
    span = (core[-1] - core[0]).days
    found: dict[date, tuple[str, Severity]] = {}
    late, early = days.filter(pl.col("day") > core[-1])["day"], days.filter(pl.col("day") < core[0])["day"].reverse()
    for outer, edge in ((late, core[-1]), (early, core[0])):
        steps = [abs((day - before).days) for before, day in pairwise([edge, *outer])]
        first = next((place for place, gap in enumerate(steps) if gap >= limit), len(steps))
        for day in [] if declared and edge == core[-1] else outer[first:]:
            why = f"{steps[first]:,} days from the next order; no other gap exceeds {within:,}"
            found[day] = why, "stop" if day > core[-1] or steps[first] >= span else "caution"
    return found


def settle(files: Sequence[pl.LazyFrame], policy: Policy, place: str) -> Settled:
    """Return the orders of all files that count: nobody is a customer, and what was taken back is taken off."""
    frames = [rows.with_columns(part=pl.lit(number, pl.UInt16)) for number, rows in enumerate(files)]
    orders = pl.concat(frames, how="diagonal_relaxed")
    cents = whole_cents(pl.col("amount"))
    people = (
        orders.group_by("customer_id")
        .agg(pl.len(), cents=cents.sum(), below=(cents < 0).sum(), free=(cents == 0).sum())
        .collect(engine="streaming")
    )
    found: list[Finding] = []
    _refuse_rounded(people, place)
    named, findings = _named(people, policy)
    found += findings
    if named:
        ids = people.schema["customer_id"]
        orders = orders.with_columns(
            pl.col("customer_id").replace(pl.Series(list(named), dtype=ids), pl.Series(list(named.values()), dtype=ids))
        )
    lines: list[list[ReceiptLine]] = [[] for _ in files]
    if int(people["below"].sum()):
        orders, credited, findings = _credited(orders, policy)
        found += findings
        for number, counts in enumerate(credited):
            lines[number] += counts
    if int(people["free"].sum()):
        free = pl.col("amount") == 0
        action: Action = "dropped" if policy.zero == "drop" else "kept"
        for number, count in orders.filter(free).group_by("part").len().collect(engine="streaming").iter_rows():
            lines[number] += noticed(action, {"free orders": count})
        orders = orders.filter(~free) if policy.zero == "drop" else orders
    added = {"refunded"} & {*orders.collect_schema()}
    return Settled(
        orders=tuple(
            orders.filter(part=number).select(*dict.fromkeys([*rows.collect_schema(), *added]))
            for number, rows in enumerate(files)
        ),
        lines=tuple(map(tuple, lines)),
        findings=tuple(found),
    )


def _refuse_rounded(people: pl.DataFrame, place: str) -> None:
    if people.schema["customer_id"] != pl.String:
        return
    customer = pl.col("customer_id")
    rounded, long = people.filter(customer.str.contains(_ROUNDED)), people.filter(customer.str.contains(_LONG))
    if long.height >= _SHOWN and long["customer_id"].str.contains(_LONG_ROUNDED).all():
        rounded = pl.concat([rounded, long])
    if rounded.height:
        raise DataError(
            f"{place}: {int(rounded['len'].sum()):,} orders have a customer such as "
            f"{rounded['customer_id'].sort()[0]!r}, a number rounded by a spreadsheet, so different customers "
            "share one number; export the file again without saving it in a spreadsheet, or use another customer "
            "column, such as the e-mail address."
        )


def _named(people: pl.DataFrame, policy: Policy) -> tuple[dict[object, object], list[Finding]]:
    """Return customers that are nobody, or somebody else under another spelling, and what stands for them."""
    known = people.drop_nulls("customer_id")
    text = pl.col("customer_id").cast(pl.String)
    plain = text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    nobody = known.filter(plain.is_in(list(_NOBODY)) | ~text.str.contains(r"[\p{L}\p{N}]") | _zero_is_nobody(known))
    replaced: dict[object, object] = dict.fromkeys(nobody["customer_id"] if policy.nobody == "missing" else ())
    found = _of_nobody(nobody, people, policy)
    if known.schema["customer_id"] != pl.String:
        return replaced, found
    spelt, spellings = _respelt(known, text, len(nobody))
    replaced |= spelt
    found += spellings
    rest = known.filter(~pl.col("customer_id").is_in(list(replaced)))
    key = text.str.to_lowercase().str.strip_chars_start("0")
    alike = rest.with_columns(key=key).filter(pl.col("key").is_duplicated()).sort("key", "customer_id")
    if alike.height:
        pair = " and ".join(map(repr, alike["customer_id"].head(2)))
        said = f"{alike.height:,} customers differ from another one only in capitals or leading zeros, such as {pair}."
        advice = "They count as different customers; if they are the same, use one spelling."
        found.append(Finding("customers: alike", "caution", alike.height, said, advice))
    tests = rest.filter(text.str.contains(_TESTS)).sort("customer_id")
    if tests.height:
        share = _share(tests, people)
        said = (
            f"{_orders(int(tests['len'].sum()))} ({percent(share)} of revenue) of an apparent test customer, "
            f"{tests['customer_id'][0]!r}."
        )
        advice = "Remove them from the file if they are tests."
        found.append(Finding("orders: test", "caution", share, said, advice))
    return replaced, found


def _respelt(known: pl.DataFrame, text: pl.Expr, nobody: int) -> tuple[dict[object, object], list[Finding]]:
    """Return customers written with blanks that nobody sees or as decimals, and how they are read."""
    clean = text.str.replace_all(_NO_WIDTH, "").str.replace_all(r"\s+", " ").str.strip_chars()
    decimal = text.str.contains(_WHOLE_AS_DECIMAL)
    kinds = (
        ("blanks", "with invisible spaces", clean, ~decimal & (clean != text)),
        ("decimals", "as decimals", text.str.replace(r"\.0+$", ""), decimal),
    )
    replaced: dict[object, object] = {}
    found = []
    for name, how, read_as, concerned in kinds:
        rows = known.filter(concerned).sort("customer_id").select("customer_id", read_as=read_as)
        if rows.is_empty():
            continue
        replaced |= dict(rows.iter_rows())
        many = _many(rows.height, "customer is", "customers are")
        said = "{} written {}, such as {!r}, which is read as {!r}.".format(many, how, *rows.row(0))
        advice = "Both spellings count as one customer; if they are two, use different identifiers."
        # Where all are decimals, nothing is doubtful.
        weight: Severity = "note" if name == "decimals" and rows.height == known.height - nobody else "caution"
        found.append(Finding(f"customers: {name}", weight, rows.height, said, advice))
    return replaced, found


def _of_nobody(nobody: pl.DataFrame, people: pl.DataFrame, policy: Policy) -> list[Finding]:
    if nobody.is_empty():
        return []
    words = ", ".join(
        f"{str(one)!r} ({n:,})"
        for one, n in nobody.sort("customer_id").select("customer_id", "len").head(5).iter_rows()
    )
    share = _share(nobody, people)
    said = (
        f"{_orders(int(nobody['len'].sum()))} ({percent(share)} of revenue) with a placeholder instead of a "
        f"customer: {words}."
    )
    advice = {
        "missing": "They count as orders without a customer; if these are customers, set nobody: keep in the policy.",
        "keep": "Under the policy, each counts as a customer; set nobody: missing if they are not.",
    }
    return [Finding("customers: placeholders", "caution", share, said, advice[policy.nobody])]


def _zero_is_nobody(people: pl.DataFrame) -> pl.Expr:
    """Whether a customer is the 0 or -1 that systems write for none: where customers are not numbered from 0 on.

    Even then, a customer 0 with far more orders than any other is nobody.
    """
    text = pl.col("customer_id").cast(pl.String)
    zero = text.str.contains(r"^(?:-1|0+)(?:\.0+)?$")
    number, others = text.cast(pl.Float64, strict=False), people.filter(~zero)
    if others.is_empty():
        return pl.lit(value=False)
    count, most = others.select(numbers=number.count(), most=number.max()).row(0)
    numbered = count == others.height == most
    far = _TIMES_NEXT * int(others["len"].sort()[-1])
    return zero & (pl.lit(not numbered) | (pl.col("len") > far))


def _share(some: pl.DataFrame, people: pl.DataFrame) -> float:
    return float(some["cents"].sum()) / max(float(people["cents"].clip(lower_bound=0).sum()), 1.0)


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _orders(count: int) -> str:
    return _many(count, "order", "orders")


def _credited(
    orders: pl.LazyFrame, policy: Policy
) -> tuple[pl.LazyFrame, list[tuple[ReceiptLine, ...]], list[Finding]]:
    """Return the orders less their credit notes, lines for each file, and what could not be taken off."""
    amount, below = pl.col("amount"), pl.col("amount") < 0
    files = int(orders.select(pl.col("part").max()).collect(engine="streaming").item()) + 1
    placed = orders.with_row_index("place")
    credited = placed.filter(below).select(pl.col("customer_id").unique()).collect(engine="streaming")["customer_id"]
    held = placed.filter(pl.col("customer_id").is_in(credited.drop_nulls().implode()) | below).collect(
        engine="streaming"
    )
    notes = held.filter(below)
    reasons = {
        "drop": "credit notes",
        "net": "credit notes and negative lines, offset against purchases where possible",
    }
    lines = [noticed("dropped", {reasons[policy.credits]: notes.filter(part=file).height}) for file in range(files)]
    owed = _sum(notes.select(-amount))
    if policy.credits == "drop":
        said = f"{_many(notes.height, 'credit note is', 'credit notes are')} excluded, {owed:,.2f} in total."
        advice = "Set credits: net in the policy to offset them against purchases."
        return placed.filter(~below).drop("place"), lines, [Finding("credit notes", "caution", owed, said, advice)]
    taken, unmatched = _taken_off(held.filter(pl.col("customer_id").is_not_null()))
    used = held.with_columns(cents=whole_cents(amount)).join(taken, on="place", maintain_order="left")
    whole, partly = used.filter(pl.col("taken") == pl.col("cents")), used.filter(pl.col("taken") < pl.col("cents"))
    for file in range(files):
        lines[file] += noticed("dropped", {"orders fully reversed by a credit note": whole.filter(part=file).height})
    gone = pl.concat([whole["place"], notes["place"]])
    back = dict(partly.select("place", money(pl.col("taken"))).iter_rows())
    rest = _refunded(placed.filter(~pl.col("place").is_in(gone.implode())), back)
    took = int(taken["taken"].sum()) / CENTS
    said = (
        f"{_many(notes.height, 'credit note amounts', 'credit notes amount')} to {owed:,.2f}; {took:,.2f} was "
        f"offset against purchases of the same customers: {_orders(whole.height)} in full, {partly.height:,} in part."
    )
    found = [Finding("credit notes", "note", took, said, "Set by the policy: credits: net.")]
    return rest, lines, [*found, *_not_taken(unmatched, notes.filter(pl.col("customer_id").is_null()).select(-amount))]


def _refunded(placed: pl.LazyFrame, back: Mapping[int, float]) -> pl.LazyFrame:
    """Return orders with what was paid back of them, by place and in parts of their amounts, beside what was before."""
    columns, amount = placed.collect_schema(), pl.col("amount")
    refund = pl.col("place").replace_strict(back, default=0.0, return_dtype=pl.Float64)
    if "charged" in columns:
        refund = pl.when(refund > 0).then(money(whole_cents(refund * pl.col("charged") / amount))).otherwise(refund)
    before = pl.col("refunded").fill_null(0.0) if "refunded" in columns else pl.lit(0.0)
    return placed.with_columns(refunded=before + refund).drop("place")


def _sum(amounts: pl.DataFrame) -> float:
    return int(amounts.select(whole_cents(pl.first()).sum()).item()) / CENTS


def _not_taken(unmatched: Mapping[object, int], anonymous: pl.DataFrame) -> Iterator[Finding]:
    """Yield what credit notes could not be taken off, in cents by customer, and those of nobody."""
    if unmatched:
        rest = sum(unmatched.values()) / CENTS
        worst = max(unmatched, key=lambda one: (unmatched[one], str(one)))
        said = (
            f"{rest:,.2f} of credit notes matches no earlier purchase of the same customer in these files; the largest "
            f"part, {unmatched[worst] / CENTS:,.2f}, belongs to {worst!r}."
        )
        yield Finding("credit notes: unmatched", "caution", rest, said, "Also export the purchases they refer to.")
    if anonymous.height:
        lost = _sum(anonymous)
        notes = _many(anonymous.height, "credit note", "credit notes")
        said = f"{notes} without a customer, {lost:,.2f} in total, could not be offset."
        advice = "Revenue of orders without a customer is overstated by this amount."
        yield Finding("credit notes: without a customer", "note", lost, said, advice)


def _taken_off(held: pl.DataFrame) -> tuple[pl.DataFrame, dict[object, int]]:
    """Return how many cents credit notes take off each purchase, and how many of which customers off none.

    Each credit note, in the order of time, is taken off the last purchase of the same amount before it; if there is
    none, off the last purchases before it, one after the other.
    """
    cents = whole_cents(pl.col("amount"))
    ordered = held.with_columns(cents=cents).sort("customer_id", "ordered_at", pl.col("cents") < 0, "cents", "place")
    taken: dict[int, int] = {}
    unmatched: dict[object, int] = {}
    purchases: list[tuple[int, int]] = []
    last = None
    for customer, place, size in ordered.select("customer_id", "place", "cents").iter_rows():
        if customer != last:
            purchases, last = [], customer
        if size >= 0:
            purchases.append((place, size))
            continue
        owed = -size
        same = next((one for one in reversed(purchases) if one[1] == owed and one[0] not in taken), None)
        for spot, paid in [same] if same else reversed(purchases):
            off = min(owed, paid - taken.get(spot, 0))
            if off > 0:
                taken[spot] = taken.get(spot, 0) + off
                owed -= off
            if not owed:
                break
        if owed:
            unmatched[customer] = unmatched.get(customer, 0) + owed
    places = pl.Series("place", list(taken), dtype=ordered.schema["place"])
    return pl.DataFrame([places, pl.Series("taken", list(taken.values()), dtype=pl.Int64)]), unmatched


def examine(shop: Shop) -> tuple[Finding, ...]:
    """Return what a reader must know of the orders of a shop before believing a number of them."""
    orders = shop.table("orders")
    people = (
        orders.drop_nulls("customer_id")
        .group_by("customer_id")
        .agg(pl.len(), cents=whole_cents(pl.col("amount")).sum(), first=pl.col("ordered_at").min())
        .collect(engine="streaming")
    )
    return (
        *_nameless(orders),
        *_outsized_orders(orders),
        *_outsized_customers(people),
        *_late_start(shop, people),
        *_losses(shop),
    )


def _nameless(orders: pl.LazyFrame) -> Iterator[Finding]:
    unknown, cents = pl.col("customer_id").is_null(), whole_cents(pl.col("amount"))
    count, every, total, revenue = (
        orders.select(
            unknown.sum(),
            every=pl.len(),
            total=money(cents.filter(unknown).sum()),
            revenue=money(cents.sum()),
        )
        .collect(engine="streaming")
        .row(0)
    )
    if count:
        yield Finding(
            "customers: missing",
            "note",
            total / revenue if revenue > 0 else 0.0,
            f"{count:,} of {_orders(every)} have no customer: {total:,.2f} of {revenue:,.2f}; they are not part of "
            "any customer value.",
            "Export them with the customer, such as an e-mail address, if available.",
        )


def _outsized_orders(orders: pl.LazyFrame) -> Iterator[Finding]:
    amounts = orders.select("amount").collect(engine="streaming")["amount"]
    total, median = float(amounts.sum()), float(amounts.median() or 0.0)  # type: ignore[arg-type]
    if amounts.len() < _ENOUGH or total <= 0:
        return
    large = amounts.filter((amounts >= _ORDER_SHARE * total) & (amounts > _TIMES_MEDIAN * median))
    if not large.len():
        return
    columns = ("order_id", "customer_id", "ordered_at", "amount")
    least = float(large.min() or 0.0)  # type: ignore[arg-type]
    largest = orders.filter(pl.col("amount") >= least).select(columns).collect(engine="streaming")
    number, customer, moment, amount = largest.sort("amount", "order_id", descending=[True, False]).row(0)
    share = float(large.sum()) / total
    who = "an unknown customer" if customer is None else f"customer {customer!r}"
    yield Finding(
        "orders: outsized",
        "caution",
        share,
        f"{_orders(large.len())} {'accounts' if large.len() == 1 else 'account'} for {percent(share)} of revenue; the "
        f"largest, {number} of {who} on {moment:%Y-%m-%d}, is {amount:,.2f}; the median order is {median:,.2f}.",
        "Check for an error; if it is correct, compare results with and without it.",
    )


def _outsized_customers(people: pl.DataFrame) -> Iterator[Finding]:
    if people.height < _ENOUGH:
        return
    for measure, what in (("len", "orders"), ("cents", "revenue")):
        total = float(people[measure].sum())
        top = people.top_k(_SHOWN + 1, by=[measure, "customer_id"], reverse=[False, True])
        top = top.sort(measure, "customer_id", descending=[True, False])
        sizes = [float(size) for size in top[measure]]
        shares = [size / max(total, 1.0) for size in sizes]
        far = [
            n
            for n in range(1, _SHOWN + 1)
            if sizes[n - 1] >= _TIMES_NEXT * sizes[n] and shares[n - 1] >= _CUSTOMER_SHARE
        ]
        if far:
            names = zip(top["customer_id"], shares[: far[-1]], strict=False)
            listed = "; ".join(f"{one!r} {percent(share)}" for one, share in names)
            who = "One customer has" if far[-1] == 1 else f"{far[-1]} customers have"
            yield Finding(
                f"customers: outsized by {what}",
                "caution",
                shares[0],
                f"{who} a share of the {what} far above all others: {listed}; the next has {percent(shares[far[-1]])}.",
                "An address or number shared by several people is not a customer: remove it from its orders, or "
                "compare results with and without it.",
            )
            return


def _late_start(shop: Shop, people: pl.DataFrame) -> Iterator[Finding]:
    """Return a finding where far more customers are new at the start of the log than later, as where old ones are."""
    span = shop.until - shop.since
    if shop.opening or people.height < _ENOUGH or span < timedelta(days=_LEAST_GAP * 2):
        return
    age = (pl.col("first") - shop.since).dt.total_seconds()
    place = people.select((age / span.total_seconds() * _PARTS).floor()).to_series()
    new = [int((place == part).sum()) for part in range(_PARTS)]
    half = _PARTS // 2
    late = sum(new[half:])
    # Nobody is new in the second half of a log of chosen customers.
    if late < people.height / 10:
        return
    # Old customers come back in the first one or two parts; those of the second half of the log are new.
    widths = [width for width in (1, 2) if _excess(sum(new[:width]), width / half, late) > _CERTAIN]
    if not widths:
        return
    first, usual = sum(new[: widths[0]]), late * widths[0] / half
    yield Finding(
        "customers: earlier ones counted as new",
        "caution",
        first / max(usual, 1.0),
        f"In the first {span.days * widths[0] / _PARTS:,.0f} days of the orders {first:,} customers order for the "
        f"first time; later there are {usual:,.0f} in the same number of days. Earlier customers probably count as "
        "new, because the orders start after the opening of the shop.",
        "Export the orders from the opening; if they already start there, set opening: true in shop.yaml.",
    )


def _excess(first: int, width: float, late: int) -> float:
    """Return how many standard errors more customers are new at first than as many days of the second half have."""
    expected = width * late
    if first <= _TIMES_NEW * expected:
        return 0.0
    return (first - expected) / math.sqrt(expected + width**2 * late)


# What makes a reader doubt the rest, by a part of the reason that stands in the receipt.
_LOSSES = {
    "without a value": "Their value is missing from the file; export it with all amounts.",
    "without a timestamp": "Their timestamp is missing from the file; export it with all dates.",
    "is missing": "Rows need all of these; export the file with them.",
    "show different totals": "Export the orders again; their lines contradict each other.",
    "cannot be read, treated as missing": "Correct these cells and read the file without unreadable: missing.",
    "implausible": "Correct these timestamps and read the file without unreadable: missing.",
    "unpaid orders": "They count as sales; set unpaid: drop in the policy if they do not.",
    "identical to an earlier": "If they are separate purchases, set duplicates: keep in the policy.",
    "after the end of observation": "Their dates lie after the end of observation.",
}


def _losses(shop: Shop) -> Iterator[Finding]:
    """Return a finding for each thing in the receipts of orders that moves a number."""
    for receipt in shop.receipts:
        if receipt.table != "orders":
            continue
        for line in receipt.lines:
            advice = next((text for part, text in _LOSSES.items() if part in line.reason), "")
            if not (line.rows and advice):
                continue
            share = line.rows / max(receipt.rows_read, 1)
            gentle = ("identical to an earlier", "after the end of observation")
            little = share < _MUCH and any(one in line.reason for one in gentle)
            word = {"dropped": "excluded", "merged": "counted once", "kept": "kept"}[line.action]
            yield Finding(
                f"{receipt.file}: {line.reason}",
                "note" if little else "caution",
                share,
                f"{receipt.file}: {line.rows:,} of {receipt.rows_read:,} rows ({percent(share)}) {word}: "
                f"{line.reason}.",
                advice,
            )
        for name, fact in receipt.facts:
            if fact == TOTAL_AGAIN:
                yield Finding(
                    f"{receipt.file}: {name}",
                    "caution",
                    0.0,
                    f"{receipt.file}: the amount is treated as {fact}: all lines of an order show the same amount.",
                    "If it is the amount of each line, set amounts: line in the policy.",
                )
