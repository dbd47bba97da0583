"""A file under one of cxsim's own contracts goes in, CSV or Parquet of any size; its table, still lazy, comes out.

The header alone says which table it is. Text is read strictly; whatever cannot be read is dropped and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from cxsim.data.contracts import CONTACTS, LIVES, MARKETING, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.data.exports.format import (
    LATER,
    WHEN,
    Export,
    Format,
    Policy,
    Readout,
    Receipt,
    ReceiptLine,
    found,
    hashes,
    headed,
    known_at,
    named_by,
    within_scale,
    without_copies,
)
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.orders import amount, unreadable
from cxsim.errors import DataError, choices
from cxsim.tables import Contract

CONTRACTS: Mapping[str, Contract] = {
    "orders": ORDERS,
    "tickets": TICKETS,
    "surveys": SURVEYS,
    "returns": SENT_BACK,
    "contacts": CONTACTS,
    "sessions": SESSIONS,
    "members": MEMBERS,
    "marketing": MARKETING,
}
# What names a row; members and spending have no such column.
IDS: Mapping[str, str] = {
    "orders": "order_id",
    "tickets": "ticket_id",
    "surveys": "survey_id",
    "returns": "return_id",
    "contacts": "contact_id",
    "sessions": "session_id",
}
_NOT_BELOW_NOTHING: Mapping[str, str] = {"orders": "amount", "returns": "refund"}
_YES = ("true", "yes", "1")
_NO = ("false", "no", "0")
_NO_CHARGE = "policy value: charged needs a column 'charged', which these orders do not have; use value: merchandise."


def _read(table: str, export: Export, policy: Policy) -> Readout:
    contract = CONTRACTS[table]
    every = (*contract.columns, *contract.optional)
    named = headed(export, every)
    raw = named.rows.select(*_typed(named, contract, policy), *_written(table)).with_columns(
        _valued(table, named, policy)
    )
    rules = _rules(table, contract)
    sentence = [name for name in contract.optional if name in raw.collect_schema() and name not in contract.nullable]
    try:
        counts = raw.select(
            *_fates(rules),
            pl.len().alias("rows"),
            *(pl.col(name).null_count().alias(f"gaps {name}") for name in sentence),
        ).collect(engine="streaming")
        dropped = {reason: int(counts[reason][0]) for reason in rules}
        clean = raw.filter(~pl.any_horizontal(*rules.values())) if any(dropped.values()) else raw
        once, copies = without_copies(clean, IDS[table], export.file) if table in IDS else (clean, 0)
    except pl.exceptions.PolarsError as error:
        raise unreadable(export.file, error) from error
    gaps = {name: int(counts[f"gaps {name}"][0]) for name in sentence}
    lacks = {f"{table}.{name}": f"{export.file} misses {n:,} of its values." for name, n in gaps.items() if n}
    receipt = Receipt(
        file=export.file,
        table=table,
        recognised=f"cxsim {table}",
        columns=found(named, every),
        rows_read=int(counts["rows"][0]),
        lines=(
            *(ReceiptLine(reason=reason, action="dropped", rows=rows) for reason, rows in dropped.items()),
            ReceiptLine(reason="equal to an earlier row", action="merged", rows=copies),
        ),
    )
    kept = once.drop([*(name for name, n in gaps.items() if n), *(["written"] if table == "surveys" else [])])
    return within_scale(Readout(tables={table: kept}, receipts=(receipt,), lacks=lacks))


def _typed(named: Export, contract: Contract, policy: Policy) -> list[pl.Expr]:
    """Return the contract's columns under their types; null where something cannot be read."""
    schema = named.rows.collect_schema()
    kinds = {name: kinds[0] for name, kinds in {**contract.columns, **contract.optional}.items() if name in schema}
    times = [name for name, kind in kinds.items() if kind == pl.Datetime]
    when = moments(named.rows, times, file=named.file, clock=policy.clock).columns
    # In a CSV file all is text, with the blanks that people leave; other files are taken as they are.
    loose = all(kind == pl.String for kind in schema.values())
    return [
        (when[name] if name in when else _cell(name, kind, schema[name], loose=loose, file=named.file)).alias(name)
        for name, kind in kinds.items()
    ]


def _cell(name: str, kind: object, found_kind: pl.DataType, *, loose: bool, file: str) -> pl.Expr:
    column = text_of(name) if loose else pl.col(name)
    if kind == pl.String:
        return column if loose or found_kind == pl.String else column.cast(pl.String)
    if kind == pl.Boolean:
        if found_kind == pl.Boolean:
            return column
        low = column.cast(pl.String).str.to_lowercase()
        return pl.when(low.is_in(_YES)).then(True).when(low.is_in(_NO)).then(False)  # noqa: FBT003 (what it means)
    if kind == pl.Int64:
        if found_kind == pl.Int64:
            return column
        number = column.cast(pl.Float64, strict=False)
        return pl.when(number.floor() == number).then(number).cast(pl.Int64, strict=False)
    return column if found_kind == pl.Float64 else amount(name, found_kind, file)


def _written(table: str) -> list[pl.Expr]:
    """Return whether there is an answer, which may be none that can be read."""
    text = pl.col("score").cast(pl.String).str.strip_chars()
    return [((text != "").fill_null(value=False)).alias("written")] if table == "surveys" else []


def _valued(table: str, named: Export, policy: Policy) -> list[pl.Expr]:
    if table != "orders" or policy.value == "merchandise":
        return []
    if "charged" not in named.rows.collect_schema():
        raise DataError(f"{named.file}: {_NO_CHARGE}")
    return [pl.col("charged").alias("amount")]


def _rules(table: str, contract: Contract) -> dict[str, pl.Expr]:
    """Return by reason what makes a row unusable."""
    rules = {
        f"{name} is missing or cannot be read": pl.col(name).is_null()
        for name in contract.columns
        if name not in contract.nullable
    }
    if table in _NOT_BELOW_NOTHING:
        name = _NOT_BELOW_NOTHING[table]
        rules[f"{name} is below nothing"] = (pl.col(name) < 0).fill_null(value=False)
    if table == "surveys":
        rules["an answer that is no whole number"] = pl.col("written") & pl.col("score").is_null()
    return rules


def _fates(rules: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """Count each row for the first rule that holds."""
    counted = []
    before: pl.Expr = pl.lit(value=False)
    for reason, holds in rules.items():
        counted.append((holds & ~before).sum().alias(reason))
        before = before | holds
    return counted


def _set_aside(export: Export, _policy: Policy) -> Readout:
    named = headed(export, tuple(LIVES.columns))
    rows = int(named.rows.select(pl.len()).collect(engine="streaming").item())
    reason = "when customers left, and who brought them, is what no shop can see"
    receipt = Receipt(
        file=export.file,
        table="none",
        recognised="cxsim lives",
        columns=found(named, tuple(LIVES.columns)),
        rows_read=rows,
        lines=(ReceiptLine(reason=reason, action="dropped", rows=rows),),
    )
    return Readout(tables={}, receipts=(receipt,))


def _format(table: str, contract: Contract, read: Callable[[Export, Policy], Readout]) -> Format:
    return Format(
        name=f"cxsim {table}",
        columns=(*contract.columns, *contract.optional),
        required=tuple(contract.columns),
        read=read,
    )


OWN_TABLES = (
    *(_format(table, contract, partial(_read, table)) for table, contract in CONTRACTS.items()),
    _format("lives", LIVES, _set_aside),
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """What one file adds to one table.

    Attributes
    ----------
    table
        Its name.
    rows
        The rows.
    receipt
        What became of the file's rows.
    currency
        Code of the currency, where the file names one for all its rows; else "".
    """

    table: str
    rows: pl.LazyFrame
    receipt: Receipt
    currency: str

    def without(self, rows: pl.LazyFrame, line: ReceiptLine) -> Part:
        """Return the part with fewer rows, and a line that says why."""
        return replace(self, rows=rows, receipt=replace(self.receipt, lines=(*self.receipt.lines, line)))


def parts_of(readouts: Sequence[Readout]) -> tuple[list[Part], list[Receipt]]:
    """Return the parts of all tables, and the receipts of files that add to none."""
    parts = [
        Part(table=receipt.table, rows=readout.tables[receipt.table], receipt=receipt, currency=readout.currency)
        for readout in readouts
        for receipt in readout.receipts
        if receipt.table in readout.tables
    ]
    idle = [receipt for readout in readouts for receipt in readout.receipts if receipt.table not in readout.tables]
    return parts, idle


def of_one_currency(parts: Sequence[Part], wanted: str | None) -> tuple[list[Part], str]:
    """Return the parts with orders of one currency alone, and its code; "" where no file says it."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(_currencies(part))
    code = wanted.strip().upper() if wanted is not None else next(iter(counts), "")
    listed = ", ".join(f"{one} ({rows:,} orders)" for one, rows in sorted(counts.items()))
    if wanted is None and len(counts) > 1:
        raise DataError(
            f"orders are in several currencies: {listed}. Amounts of different currencies have no sum; name the one "
            "to keep, as `currency` or with --currency."
        )
    silent = [part.receipt.file for part in parts if _names_none(part)]
    if wanted is None and counts and silent:
        raise DataError(
            f"{', '.join(silent)}: no currency is named, while other orders are in {code}. If these are too, say so, "
            f"as `currency` or with --currency {code}; else put them in a folder of their own."
        )
    if wanted is not None and counts and code not in counts:
        raise DataError(f"no orders are in {wanted!r}; {choices(code, sorted(counts))}")
    return [_only(part, code) for part in parts], code


def tables_of(parts: Sequence[Part]) -> tuple[dict[str, pl.LazyFrame], dict[str, str]]:
    """Return each table of all its files together, and what it lacks because not every file says it."""
    tables: dict[str, pl.LazyFrame] = {}
    lacks: dict[str, str] = {}
    for table in dict.fromkeys(part.table for part in parts):
        frames = [part.rows for part in parts if part.table == table]
        contract = CONTRACTS[table]
        whole = [name for name in contract.optional if name not in contract.nullable]
        schemas = [frame.collect_schema() for frame in frames]
        partial = [name for name in whole if 0 < sum(name in schema for schema in schemas) < len(schemas)]
        lacks |= {f"{table}.{name}": f"not every file of {table} says it." for name in partial}
        frames = [frame.drop(partial, strict=False) for frame in frames]
        tables[table] = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")
    return tables, lacks


def _names_none(part: Part) -> bool:
    """Return whether a file has orders and says nothing of their currency."""
    unsaid = not part.currency and "currency" not in part.rows.collect_schema()
    return part.table == "orders" and unsaid and part.receipt.rows_kept > 0


def _currencies(part: Part) -> dict[str, int]:
    if part.table != "orders":
        return {}
    if "currency" not in part.rows.collect_schema():
        return {part.currency: part.receipt.rows_kept} if part.currency else {}
    codes = part.rows.group_by("currency").len().drop_nulls().sort("currency").collect(engine="streaming")
    return dict(codes.iter_rows())


def _only(part: Part, code: str) -> Part:
    if part.table != "orders":
        return part
    if "currency" not in part.rows.collect_schema():
        if not part.currency or part.currency == code:
            return part
        line = ReceiptLine(reason=_other(code), action="dropped", rows=part.receipt.rows_kept)
        return part.without(part.rows.clear(), line)
    other = pl.col("currency").is_not_null() & (pl.col("currency") != code)
    gone = int(part.rows.select(other.sum()).collect(engine="streaming").item())
    line = ReceiptLine(reason=_other(code), action="dropped", rows=gone)
    return part.without(part.rows.filter(~other).drop("currency"), line)


def _other(code: str) -> str:
    return f"orders in another currency than {code}"


def newest(part: Part) -> datetime | None:
    """Return the newest moment of a part; None where it has no rows."""
    names = [WHEN[part.table], *(name for name in LATER.get(part.table, ()) if name != "delivered_at")]
    schema = part.rows.collect_schema()
    found = part.rows.select(pl.max_horizontal(pl.col(name).max() for name in names if name in schema))
    latest: datetime | None = found.collect(engine="streaming").item()
    return latest


def last_of(part: Part) -> datetime | None:
    """Return the newest moment at which a row of a part began; None where it has no rows."""
    last: datetime | None = part.rows.select(pl.col(WHEN[part.table]).max()).collect(engine="streaming").item()
    return last


def oldest(part: Part) -> datetime | None:
    """Return the oldest moment at which a row of a part began; None where it has no rows."""
    first: datetime | None = part.rows.select(pl.col(WHEN[part.table]).min()).collect(engine="streaming").item()
    return first


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Taken:
    """Names in a file that another system has given to something else."""

    file: str
    column: str
    names: pl.Series
    system: str


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
            if len(places) > 1:
                for place, part in zip(places, _newest_first([kept[one] for one in places]), strict=True):
                    kept[place] = part
        if len(systems) > 1:
            taken += _taken([[kept[place] for place in places] for places in systems.values()])
    return [_distinguishable(part, taken) for part in kept]


def _system(part: Part) -> str:
    """Return which system numbered the rows: `Zendesk` for all that Zendesk exports, `shop.yaml` for what it maps."""
    words = part.receipt.recognised.split()
    return words[-1] if words[1:2] == ["by"] else words[0]


def _newest_first(parts: Sequence[Part]) -> list[Part]:
    """Take from each part the rows that a newer one has."""
    moment = {id(part): newest(part) or datetime.min for part in parts}  # noqa: DTZ901 (shops' clocks have no zone)
    ranked = sorted(parts, key=lambda part: (moment[id(part)], part.receipt.file), reverse=True)
    seen = pl.Series(dtype=pl.UInt64)
    kept: dict[int, Part] = {}
    for part in ranked:
        name = IDS[part.table]
        keys = hashes(part.rows, name)
        again = keys.filter(keys.is_in(seen.implode())).unique()
        kept[id(part)] = _less(part, ranked[: len(kept)], again) if again.len() else part
        seen = pl.concat([seen, keys]).unique()
    return [kept[id(part)] for part in parts]


def _less(part: Part, newer: Sequence[Part], keys: pl.Series) -> Part:
    """Take the rows from a part whose names newer ones have; by the names, because hashes can meet by chance."""
    name = IDS[part.table]
    both = _found_elsewhere(part, newer, keys)[name]
    line = ReceiptLine(reason="also in a newer file", action="merged", rows=both.len())
    return part.without(part.rows.filter(~pl.col(name).is_in(both.implode())), line)


def _found_elsewhere(part: Part, others: Sequence[Part], keys: pl.Series) -> pl.DataFrame:
    """Return the names of a part that others have, with its moments and whether others have them at the same one."""
    name, when = IDS[part.table], WHEN[part.table]
    theirs = pl.concat([other.rows.filter(named_by(name, keys)).select(name, when) for other in others])
    mine = part.rows.filter(named_by(name, keys)).select(name, when)
    found = mine.join(theirs.select(name).unique(), on=name, how="semi").join(
        theirs.unique().with_columns(same=True), on=[name, when], how="left", maintain_order="left"
    )
    return found.with_columns(pl.col("same").fill_null(value=False)).collect(engine="streaming")


def _taken(systems: Sequence[Sequence[Part]]) -> list[_Taken]:
    """Return the names that an earlier system has too."""
    found = []
    earlier: list[Part] = []
    seen = pl.Series(dtype=pl.UInt64)
    for alike in systems:
        new = [hashes(part.rows, IDS[part.table]) for part in alike]
        for part, keys in zip(alike, new, strict=True):
            again = keys.filter(keys.is_in(seen.implode())).unique()
            common = _found_elsewhere(part, earlier, again) if again.len() else pl.DataFrame()
            if common.height:
                _refuse_the_same(part, earlier, common)
                name = IDS[part.table]
                found.append(
                    _Taken(file=part.receipt.file, column=name, names=common[name].sort(), system=_system(part))
                )
        seen = pl.concat([seen, *new]).unique()
        earlier += alike
    return found


def _refuse_the_same(part: Part, earlier: Sequence[Part], common: pl.DataFrame) -> None:
    same = int(common["same"].sum())
    if 2 * same > common.height:
        files = ", ".join(other.receipt.file for other in earlier)
        raise DataError(
            f"{part.receipt.file}: {same:,} of its {part.table} have the number and the moment of one in {files}, of "
            "another system: the same seems to be exported twice; keep one of the files."
        )


def _distinguishable(part: Part, taken: Sequence[_Taken]) -> Part:
    """Put the name of the system before the numbers that another one has."""
    for one in taken:
        if one.file != part.receipt.file or one.column not in part.rows.collect_schema():
            continue
        number = pl.col(one.column)
        apart = pl.when(number.is_in(one.names.implode())).then(pl.format("{} {}", pl.lit(one.system), number))
        part = replace(part, rows=part.rows.with_columns(apart.otherwise(number).alias(one.column)))
        if one.column == IDS[part.table]:
            reason = f"its number is that of another system's too: told apart as in '{one.system} {one.names[0]}'"
            line = ReceiptLine(reason=reason, action="kept", rows=one.names.len())
            part = replace(part, receipt=replace(part.receipt, lines=(*part.receipt.lines, line)))
    return part


_AN_INSTANT = timedelta(microseconds=1)
# Customers write, visit and answer before a shop's tables of orders begin; what they buy shows when it was watched.
_FOLLOW_UP = ("orders", "tickets")


def observed(parts: Sequence[Part], until: datetime | None, place: str) -> tuple[list[Part], datetime, datetime]:
    """Return the parts as they were known at the end of observation, and its two ends.

    Observation begins with the day of the first order or ticket, or else of the first row of all. The clock of the
    machine says nothing of its end.
    """
    starting = [part for part in parts if part.table in _FOLLOW_UP] or parts
    starts = [moment for moment in map(oldest, starting) if moment is not None]
    if not starts:
        raise DataError(f"{place}: no usable row.\n" + "\n".join(str(part.receipt) for part in parts))
    since = min(starts).replace(hour=0, minute=0, second=0, microsecond=0)
    end = _last_moment(parts) + _AN_INSTANT if until is None else until
    if end <= since:
        raise DataError(f"{place}: observation would end at {end}, before the first row of {min(starts)}.")
    return [_known(part, end) for part in parts], since, end


def _last_moment(parts: Sequence[Part]) -> datetime:
    """Return when the newest order was placed: a table that was exported later would leave days without orders.

    Without orders the newest moment of all, of which there is one.
    """
    ordered = [moment for part in parts if part.table == "orders" and (moment := last_of(part)) is not None]
    return max(ordered) if ordered else max(moment for moment in map(newest, parts) if moment is not None)


def _known(part: Part, end: datetime) -> Part:
    """Take later rows from a part; of the others, what came later has not happened."""
    gone = int(part.rows.select((pl.col(WHEN[part.table]) >= end).sum()).collect(engine="streaming").item())
    line = ReceiptLine(reason="after the end of observation", action="dropped", rows=gone)
    return part.without(known_at(part.rows, part.table, end), line)
