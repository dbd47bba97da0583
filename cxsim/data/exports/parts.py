"""What each file of a shop gave goes in; its tables, in one currency and each row once, come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS, LATER, WHEN
from cxsim.data.examine import implausible_days, settle
from cxsim.data.exports.formats import Readout, row_name
from cxsim.data.orders import collected
from cxsim.data.shop import Action, Finding, Policy, Receipt, known_at, noticed
from cxsim.errors import DataError, choices

_OLDEST = datetime.min  # noqa: DTZ901 (shops' clocks have no zone)
_AN_INSTANT = timedelta(microseconds=1)
# Customers write, visit and answer before a shop's tables of orders begin; what they buy shows from then on.
_SHOWN = 3
_FOLLOW_UP = ("orders", "tickets")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """What one file adds to one table; orders may have a column `currency` besides."""

    table: str
    rows: pl.LazyFrame
    receipt: Receipt

    def having(self, rows: pl.LazyFrame, action: Action, reason: str, count: int) -> Part:
        """Return the part with other rows, and a line that says why and how many."""
        lines = self.receipt.lines + noticed(action, {reason: count})
        return replace(self, rows=rows, receipt=replace(self.receipt, lines=lines))

    def value(self, expression: pl.Expr) -> Any:
        """Return one number or moment of all its rows."""
        return self.rows.select(expression).collect(engine="streaming").item()


def parts_of(readouts: Sequence[Readout]) -> tuple[list[Part], list[Receipt]]:
    """Return the parts of all tables, and the receipts of files that add to none."""
    parts, idle = [], []
    for readout in readouts:
        for receipt in readout.receipts:
            rows = readout.tables.get(receipt.table)
            if rows is None:
                idle.append(receipt)
                continue
            if receipt.table == "orders" and readout.currency:
                rows = rows.with_columns(currency=pl.lit(readout.currency))
            parts.append(Part(table=receipt.table, rows=rows, receipt=receipt))
    return parts, idle


def of_one_currency(parts: Sequence[Part], wanted: str | None) -> tuple[list[Part], str]:
    """Return the parts with orders of one currency alone, and its code; "" where no file says it."""
    counts: Counter[str] = Counter()
    silent = []
    for part in parts:
        if "currency" in part.rows.collect_schema():
            codes = part.rows.group_by("currency").len().drop_nulls().sort("currency").collect(engine="streaming")
            counts.update(dict(codes.iter_rows()))
        elif part.table == "orders" and part.receipt.rows_kept:
            silent.append(part.receipt.file)
    code = next(iter(counts), "") if wanted is None else wanted.strip().upper()
    if wanted is not None and counts and code not in counts:
        raise DataError(f"no orders are in {wanted!r}; {choices(code, sorted(counts))}")
    if wanted is None and len(counts) > 1:
        listed = ", ".join(f"{one} ({rows:,} orders)" for one, rows in sorted(counts.items()))
        raise DataError(
            f"orders are in several currencies: {listed}. Amounts in different currencies cannot be added; name the "
            "one to keep, with --policy currency=EUR or currency: in the policy (metrics also knows --currency)."
        )
    if wanted is None and counts and silent:
        raise DataError(
            f"{', '.join(silent)}: no currency is given, while other orders are in {code}. If these are too, set "
            f"--policy currency={code} or currency: in the policy; otherwise put them in a separate folder."
        )
    return [_only(part, code) for part in parts], code


def _only(part: Part, code: str) -> Part:
    if "currency" not in part.rows.collect_schema():
        return part
    other = (pl.col("currency") != code).fill_null(value=False)
    rows = part.rows.filter(~other).drop("currency")
    return part.having(rows, "dropped", f"orders in another currency than {code}", int(part.value(other.sum())))


def without_repeats(parts: Sequence[Part], policy: Policy) -> list[Part]:
    """Return the parts, each without the rows that a newer file of the same system has too.

    Of a row that stands in several files the one in the file with the newest rows is kept: it was exported last. Every
    system counts from 1, so that one number in the files of two systems stands for two things: the later system, by the
    sequence of files, has its name put before such numbers, in all the tables that come from the file. Where files give
    orders no numbers, rows of two files that agree in all else are one order, as the policy has duplicates.
    """
    kept = list(parts)
    taken: list[tuple[Part, pl.Series]] = []
    for table in dict.fromkeys(part.table for part in parts if part.table in IDS):
        several = [part for part in parts if part.table == table]
        systems = list(dict.fromkeys(map(_system, several)))
        if len(several) > 1:
            several.sort(key=lambda part: (_newest(part) or _OLDEST, part.receipt.file), reverse=True)
        done: list[Part] = []
        for part in sorted(several, key=lambda part: systems.index(_system(part))):
            own = [one for one in done if _system(one) == _system(part)]
            rest = _without(part, own, policy) if own else part
            if len(own) < len(done):
                taken += _taken(rest, [one for one in done if one not in own])
            done.append(rest)
            kept[parts.index(part)] = rest
    return [_distinguishable(part, taken) for part in kept]


def _system(part: Part) -> str:
    """Return which system numbered the rows: `Zendesk` for all that Zendesk exports, `shop.yaml` for what it maps."""
    words = part.receipt.recognised.split()
    return words[-1] if words[1:2] == ["by"] else words[0]


def _without(part: Part, newer: Sequence[Part], policy: Policy) -> Part:
    """Take from a part the rows that newer ones have."""
    name = IDS[part.table]
    if part.table == "orders" and policy.duplicates == "drop":
        theirs = pl.concat(map(_numberless, newer)).drop(name).unique()
        on = theirs.collect_schema().names()
        equal = _numberless(part).join(theirs, on=on, how="semi", nulls_equal=True).select(name)
        gone = collected(equal, part.receipt.file)[name]
        rows = part.rows.filter(~pl.col(name).is_in(gone.implode()))
        part = (
            part.having(rows, "merged", "identical to an earlier row of another file", gone.len())
            if gone.len()
            else part
        )
    both = _found_elsewhere(part, newer)[name]
    rows = part.rows.filter(~pl.col(name).is_in(both.implode()))
    return part.having(rows, "merged", "also in a newer file", both.len()) if both.len() else part


def _numberless(part: Part) -> pl.LazyFrame:
    """Return the orders to which a file gives no number, and what tells them apart, customers as text."""
    unnamed = pl.col("order_id").str.starts_with(row_name(part.receipt.file))
    return part.rows.filter(unnamed).select("order_id", pl.col("customer_id").cast(pl.String), "ordered_at", "amount")


def _found_elsewhere(part: Part, others: Sequence[Part]) -> pl.DataFrame:
    """Return the names of a part that others have, and whether others have them at the same moment."""
    name, when = IDS[part.table], WHEN[part.table]
    theirs = pl.concat([other.rows.select(name, when) for other in others])
    found = part.rows.select(name, when).join(theirs.unique(name), on=name, how="semi")
    same = theirs.unique().with_columns(same=True)
    return found.join(same, on=[name, when], how="left", maintain_order="left").collect(engine="streaming")


def _taken(part: Part, earlier: Sequence[Part]) -> list[tuple[Part, pl.Series]]:
    """Return the names of a part that an earlier system has given to something else."""
    common = _found_elsewhere(part, earlier)
    if common.is_empty():
        return []
    same = int(common["same"].sum())
    if 2 * same > common.height:
        raise DataError(
            f"{part.receipt.file}: {same:,} of its {part.table} have the same number and time as one in "
            f"{', '.join(other.receipt.file for other in earlier)}, from another system: the same data seem to be "
            "exported twice; keep one of the files."
        )
    return [(part, common[IDS[part.table]].sort())]


def _distinguishable(part: Part, taken: Sequence[tuple[Part, pl.Series]]) -> Part:
    """Put the name of the system before the numbers that another one has."""
    for one, names in taken:
        name, system = IDS[one.table], _system(one)
        if one.receipt.file != part.receipt.file or name not in part.rows.collect_schema():
            continue
        number = pl.col(name)
        apart = pl.when(number.is_in(names.implode())).then(pl.concat_str(pl.lit(f"{system} "), number))
        rows = part.rows.with_columns(apart.otherwise(number).alias(name))
        reason = f"number also used by another system: distinguished as in '{system} {names[0]}'"
        part = part.having(rows, "kept", reason, names.len()) if name == IDS[part.table] else replace(part, rows=rows)
    return part


def without_implausible(
    parts: Sequence[Part], until: datetime | None, policy: Policy
) -> tuple[list[Part], list[Finding]]:
    """Return the parts without orders whose moments cannot be right, which stop the reading unless they are missing."""
    places = [place for place, part in enumerate(parts) if part.table == "orders"]
    if not places:
        return list(parts), []
    day = pl.col("ordered_at").dt.date().alias("day")
    days = pl.concat([parts[place].rows.group_by(day).len() for place in places])
    last = None if until is None else (until - _AN_INSTANT).date()
    judged = implausible_days(
        days.group_by("day").agg(pl.col("len").sum()).drop_nulls().collect(engine="streaming"),
        last,
        date.today(),  # noqa: DTZ011 (of the machine, and only to refuse: no result depends on it)
    )
    stop, found, kept = judged.filter(severity="stop")["day"], [], list(parts)
    for place in places if judged.height else ():
        part = parts[place]
        rows = collected(part.rows.filter(day.is_in(judged["day"].implode())), part.receipt.file)
        if rows.is_empty():
            continue
        listed = _listed(rows.sort("ordered_at", "order_id").with_columns(day), judged)
        if stop.len() and policy.unreadable == "refuse":
            raise DataError(
                f"{part.receipt.file}: implausible timestamps: {listed}. Correct them in the file; or set the last "
                "day of observation, with --until or until=, after which orders are excluded; or treat "
                "such timestamps as missing, with --unreadable missing (unreadable: missing in the policy)."
            )
        gone = rows.filter(day.is_in(stop.implode())).height
        reason = "implausible timestamps, treated as missing"
        kept[place] = part.having(part.rows.filter(~day.is_in(stop.implode())), "dropped", reason, gone)
        if gone < rows.height:
            sentence = f"{part.receipt.file}: {listed}."
            advice = "Check whether the date is mistyped; if it is correct, no action is needed."
            found.append(Finding("orders: far from the others", "caution", rows.height - gone, sentence, advice))
    return kept, found


def _listed(rows: pl.DataFrame, judged: pl.DataFrame) -> str:
    """Return the first of some orders in words, each with what is wrong about its day."""
    why = rows.join(judged, on="day", maintain_order="left")
    columns = ("order_id", "customer_id", "ordered_at", "amount", "why")
    listed = "; ".join(
        f"order {number} of customer {customer}: {moment:%Y-%m-%d}, {amount:,.2f} ({reason})"
        for number, customer, moment, amount, reason in why.select(columns).head(_SHOWN).iter_rows()
    )
    return listed + (f" and {rows.height - _SHOWN:,} more" if rows.height > _SHOWN else "")


def observation(parts: Sequence[Part], until: datetime | None, place: str) -> tuple[datetime, datetime]:
    """Return the two ends of observation.

    It begins with the day of the first order or ticket, or else of the first row of all. It ends with the newest order:
    a table that was exported later would leave days without orders; without orders it is the newest moment of all. The
    clock of the machine says nothing of its end.
    """
    starting = [part for part in parts if part.table in _FOLLOW_UP] or parts
    starts = [moment for part in starting if (moment := part.value(pl.col(WHEN[part.table]).min()))]
    if not starts:
        raise DataError(f"{place}: no usable row.\n" + "\n".join(str(part.receipt) for part in parts))
    since = datetime.combine(min(starts), time())
    orders = [part for part in parts if part.table == "orders"]
    ends = [moment for part in orders if (moment := part.value(pl.col("ordered_at").max()))]
    end = until or max(ends or filter(None, map(_newest, parts))) + _AN_INSTANT
    if end <= since:
        raise DataError(f"{place}: observation would end at {end}, before the first row of {min(starts)}.")
    return since, end


def known_until(parts: Sequence[Part], end: datetime) -> list[Part]:
    """Return the parts as they were known at the end of observation."""
    known = []
    for part in parts:
        gone = int(part.value((pl.col(WHEN[part.table]) >= end).sum()))
        rows = known_at(part.rows, part.table, end)
        known.append(part.having(rows, "dropped", "after the end of observation", gone))
    return known


def settled(parts: Sequence[Part], policy: Policy, place: str) -> tuple[list[Part], list[Finding]]:
    """Return the parts with the orders that count, and what a reader must know of the others."""
    places = [place for place, part in enumerate(parts) if part.table == "orders"]
    if not places:
        return list(parts), []
    done = settle([parts[one].rows for one in places], policy, place)
    kept = list(parts)
    for one, rows, lines in zip(places, done.orders, done.lines, strict=True):
        part = parts[one]
        kept[one] = replace(part, rows=rows, receipt=replace(part.receipt, lines=part.receipt.lines + lines))
    return kept, list(done.findings)


def _newest(part: Part) -> datetime | None:
    """Return the newest moment of a part; None where it has no rows."""
    names = [WHEN[part.table], *LATER.get(part.table, ())]
    there = [name for name in names if name in part.rows.collect_schema() and name != "delivered_at"]
    latest: datetime | None = part.value(pl.max_horizontal(pl.col(there).max()))
    return latest


def tables_of(parts: Sequence[Part]) -> tuple[dict[str, pl.LazyFrame], dict[str, str]]:
    """Return each table of all its files together, and what it lacks because not every file says it."""
    tables: dict[str, pl.LazyFrame] = {}
    lacks: dict[str, str] = {}
    for table in dict.fromkeys(part.table for part in parts):
        frames = [part.rows for part in parts if part.table == table]
        named = [set(frame.collect_schema()) for frame in frames]
        whole = CONTRACTS[table].optional.keys() - CONTRACTS[table].nullable
        partial = sorted(whole & set.union(*named) - named[0].intersection(*named))
        lacks |= {f"{table}.{name}": f"not every file of {table} contains it." for name in partial}
        tables[table] = pl.concat([frame.drop(partial, strict=False) for frame in frames], how="diagonal_relaxed")
    return tables, lacks
