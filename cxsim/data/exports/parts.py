"""What each file of a shop gave goes in; its tables, in one currency and each row once, come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS, LATER, WHEN
from cxsim.data.exports.formats import Readout
from cxsim.data.shop import Receipt, ReceiptLine, known_at
from cxsim.errors import DataError, choices

_AN_INSTANT = timedelta(microseconds=1)
# Customers write, visit and answer before a shop's tables of orders begin; what they buy shows from then on.
_FOLLOW_UP = ("orders", "tickets")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """What one file adds to one table; `currency`: its code where the file names one for all its rows, else ""."""

    table: str
    rows: pl.LazyFrame
    receipt: Receipt
    currency: str

    def having(self, rows: pl.LazyFrame, line: ReceiptLine) -> Part:
        """Return the part with other rows, and a line that says why."""
        return replace(self, rows=rows, receipt=replace(self.receipt, lines=(*self.receipt.lines, line)))

    def value(self, expression: pl.Expr) -> Any:
        """Return one number or moment of all its rows."""
        return self.rows.select(expression).collect(engine="streaming").item()


def parts_of(readouts: Sequence[Readout]) -> tuple[list[Part], list[Receipt]]:
    """Return the parts of all tables, and the receipts of files that add to none."""
    parts = [
        Part(table=receipt.table, rows=readout.tables[receipt.table], receipt=receipt, currency=readout.currency)
        for readout in readouts
        for receipt in readout.receipts
        if receipt.table in readout.tables
    ]
    return parts, [one for readout in readouts for one in readout.receipts if one.table not in readout.tables]


def of_one_currency(parts: Sequence[Part], wanted: str | None) -> tuple[list[Part], str]:
    """Return the parts with orders of one currency alone, and its code; "" where no file says it."""
    counts: Counter[str] = Counter()
    silent = []
    for part in parts:
        if part.table != "orders":
            continue
        if "currency" in part.rows.collect_schema():
            codes = part.rows.group_by("currency").len().drop_nulls().sort("currency").collect(engine="streaming")
            counts.update(dict(codes.iter_rows()))
        elif part.currency:
            counts[part.currency] += part.receipt.rows_kept
        elif part.receipt.rows_kept:
            silent.append(part.receipt.file)
    code = wanted.strip().upper() if wanted is not None else next(iter(counts), "")
    if wanted is None and len(counts) > 1:
        listed = ", ".join(f"{one} ({rows:,} orders)" for one, rows in sorted(counts.items()))
        raise DataError(
            f"orders are in several currencies: {listed}. Amounts of different currencies have no sum; name the one "
            "to keep, as `currency` or with --currency."
        )
    if wanted is None and counts and silent:
        raise DataError(
            f"{', '.join(silent)}: no currency is named, while other orders are in {code}. If these are too, say so, "
            f"as `currency` or with --currency {code}; else put them in a folder of their own."
        )
    if wanted is not None and counts and code not in counts:
        raise DataError(f"no orders are in {wanted!r}; {choices(code, sorted(counts))}")
    return [_only(part, code) if part.table == "orders" else part for part in parts], code


def _only(part: Part, code: str) -> Part:
    reason = f"orders in another currency than {code}"
    if "currency" in part.rows.collect_schema():
        other = pl.col("currency").is_not_null() & (pl.col("currency") != code)
        line = ReceiptLine(reason=reason, action="dropped", rows=int(part.value(other.sum())))
        return part.having(part.rows.filter(~other).drop("currency"), line)
    if part.currency in ("", code):
        return part
    return part.having(part.rows.clear(), ReceiptLine(reason=reason, action="dropped", rows=part.receipt.rows_kept))


def without_repeats(parts: Sequence[Part]) -> list[Part]:
    """Return the parts, each without the rows that a newer file of the same system has too.

    Of a row that stands in several files the one in the file with the newest rows is kept: it was exported last. Every
    system counts from 1, so that one number in the files of two systems stands for two things: the later system, by the
    sequence of files, has its name put before such numbers, in all the tables that come from the file.
    """
    kept = list(parts)
    taken: list[_Taken] = []
    for table in dict.fromkeys(part.table for part in parts if part.table in IDS):
        systems: dict[str, list[int]] = {}
        for place, part in enumerate(kept):
            if part.table == table:
                systems.setdefault(_system(part), []).append(place)
        for places in systems.values():
            for place, part in zip(places, _newest_first([kept[one] for one in places]), strict=True):
                kept[place] = part
        taken += _taken([[kept[place] for place in places] for places in systems.values()])
    return [_distinguishable(part, taken) for part in kept]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Taken:
    """Names in a file that another system has given to something else."""

    file: str
    column: str
    names: pl.Series
    system: str


def _system(part: Part) -> str:
    """Return which system numbered the rows: `Zendesk` for all that Zendesk exports, `shop.yaml` for what it maps."""
    words = part.receipt.recognised.split()
    return words[-1] if words[1:2] == ["by"] else words[0]


def _newest_first(parts: Sequence[Part]) -> list[Part]:
    """Take from each part the rows that a newer one has."""
    if len(parts) == 1:
        return list(parts)
    moment = {id(part): _newest(part) or datetime.min for part in parts}  # noqa: DTZ901 (shops' clocks have no zone)
    ranked = sorted(parts, key=lambda part: (moment[id(part)], part.receipt.file), reverse=True)
    name = IDS[parts[0].table]
    kept = {id(ranked[0]): ranked[0]}
    for place, part in enumerate(ranked[1:], start=1):
        both = _found_elsewhere(part, ranked[:place])[name]
        line = ReceiptLine(reason="also in a newer file", action="merged", rows=both.len())
        kept[id(part)] = (
            part.having(part.rows.filter(~pl.col(name).is_in(both.implode())), line) if both.len() else part
        )
    return [kept[id(part)] for part in parts]


def _found_elsewhere(part: Part, others: Sequence[Part]) -> pl.DataFrame:
    """Return the names of a part that others have, and whether others have them at the same moment."""
    name, when = IDS[part.table], WHEN[part.table]
    theirs = pl.concat([other.rows.select(name, when) for other in others])
    found = (
        part.rows.select(name, when)
        .join(theirs.select(name).unique(), on=name, how="semi")
        .join(theirs.unique().with_columns(same=True), on=[name, when], how="left", maintain_order="left")
    )
    return found.with_columns(pl.col("same").fill_null(value=False)).collect(engine="streaming")


def _taken(systems: Sequence[Sequence[Part]]) -> list[_Taken]:
    """Return the names that an earlier system has too."""
    taken = []
    for place, parts in enumerate(systems[1:], start=1):
        earlier = [part for system in systems[:place] for part in system]
        for part in parts:
            common = _found_elsewhere(part, earlier)
            same = int(common["same"].sum())
            if 2 * same > common.height:
                raise DataError(
                    f"{part.receipt.file}: {same:,} of its {part.table} have the number and the moment of one in "
                    f"{', '.join(other.receipt.file for other in earlier)}, of another system: the same seems to be "
                    "exported twice; keep one of the files."
                )
            if common.height:
                name = IDS[part.table]
                names = common[name].sort()
                taken.append(_Taken(file=part.receipt.file, column=name, names=names, system=_system(part)))
    return taken


def _distinguishable(part: Part, taken: Sequence[_Taken]) -> Part:
    """Put the name of the system before the numbers that another one has."""
    for one in taken:
        if one.file != part.receipt.file or one.column not in part.rows.collect_schema():
            continue
        number = pl.col(one.column)
        apart = pl.when(number.is_in(one.names.implode())).then(pl.format("{} {}", pl.lit(one.system), number))
        rows = part.rows.with_columns(apart.otherwise(number).alias(one.column))
        reason = f"its number is that of another system's too: distinguished as in '{one.system} {one.names[0]}'"
        line = ReceiptLine(reason=reason, action="kept", rows=one.names.len())
        part = part.having(rows, line) if one.column == IDS[part.table] else replace(part, rows=rows)
    return part


def observed(parts: Sequence[Part], until: datetime | None, place: str) -> tuple[list[Part], datetime, datetime]:
    """Return the parts as they were known at the end of observation, and its two ends.

    Observation begins with the day of the first order or ticket, or else of the first row of all. It ends with the
    newest order: a table that was exported later would leave days without orders; without orders it is the newest
    moment of all. The clock of the machine says nothing of its end.
    """
    starting = [part for part in parts if part.table in _FOLLOW_UP] or parts
    starts = [moment for part in starting if (moment := part.value(pl.col(WHEN[part.table]).min())) is not None]
    if not starts:
        raise DataError(f"{place}: no usable row.\n" + "\n".join(str(part.receipt) for part in parts))
    since = min(starts).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [part.value(pl.col("ordered_at").max()) for part in parts if part.table == "orders"]
    last = [moment for moment in ends if moment is not None] or [one for one in map(_newest, parts) if one is not None]
    end = max(last) + _AN_INSTANT if until is None else until
    if end <= since:
        raise DataError(f"{place}: observation would end at {end}, before the first row of {min(starts)}.")
    known = []
    for part in parts:
        gone = int(part.value((pl.col(WHEN[part.table]) >= end).sum()))
        line = ReceiptLine(reason="after the end of observation", action="dropped", rows=gone)
        known.append(part.having(known_at(part.rows, part.table, end), line))
    return known, since, end


def _newest(part: Part) -> datetime | None:
    """Return the newest moment of a part; None where it has no rows."""
    names = [WHEN[part.table], *(name for name in LATER.get(part.table, ()) if name != "delivered_at")]
    schema = part.rows.collect_schema()
    latest: datetime | None = part.value(pl.max_horizontal(pl.col(name).max() for name in names if name in schema))
    return latest


def tables_of(parts: Sequence[Part]) -> tuple[dict[str, pl.LazyFrame], dict[str, str]]:
    """Return each table of all its files together, and what it lacks because not every file says it."""
    tables: dict[str, pl.LazyFrame] = {}
    lacks: dict[str, str] = {}
    for table in dict.fromkeys(part.table for part in parts):
        frames = [part.rows for part in parts if part.table == table]
        contract = CONTRACTS[table]
        held = Counter(name for frame in frames for name in frame.collect_schema())
        whole = [name for name in contract.optional if name not in contract.nullable]
        partial = [name for name in whole if 0 < held[name] < len(frames)]
        lacks |= {f"{table}.{name}": f"not every file of {table} says it." for name in partial}
        frames = [frame.drop(partial, strict=False) for frame in frames]
        tables[table] = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")
    return tables, lacks
