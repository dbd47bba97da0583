"""An export and its format in; its columns, each read as a whole under our names, and what could not be read, out.

A moment becomes a Datetime without a zone, by the clock of the policy. Nothing that is written is passed over: a cell
that cannot be read stops the file, unless the policy says that such cells are missing, and then they are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import polars as pl

from cxsim.data.contracts import WHEN
from cxsim.data.exports.cells import (
    AMOUNT_FORMS,
    LARGEST_AMOUNT,
    MOMENT_FORMS,
    Amounts,
    Decimal,
    Moments,
    Seen,
    ahead,
    amounts_of,
    declared,
    moments_of,
    offset_of,
)
from cxsim.data.exports.formats import ROW_KEY, Export, Facts, Format, cells, facts_of, located
from cxsim.data.orders import collected
from cxsim.data.shop import Policy, ReceiptLine, noticed
from cxsim.errors import DataError

# How the cells of a column are written shows most often in the first ones; then all of them are held against it.
_FIRST = 1_000
# So many cells of columns on which no value of a customer rests may be unreadable.
_STRAY = 0.01
_SHOWN = 3
_MARKS = {".": "point", ",": "comma", "": "point"}
_NO_TEXT = pl.DataFrame({"text": []}, schema={"text": pl.String})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns:
    """The columns of an export, lazy; facts of how they are written; and the cells that are taken for missing."""

    rows: pl.LazyFrame
    facts: Facts
    lines: tuple[ReceiptLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Asked:
    """Columns of text and how they are to be read: `clocks` as moments and `sums` as numbers; all by our names."""

    export: Export
    form: Format
    policy: Policy
    raw: pl.LazyFrame
    times: Sequence[str]
    numbers: Sequence[str]
    clocks: list[str]
    sums: list[str]
    zones: tuple[str, str]
    place: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """How the columns are written; no entry where that is not known."""

    moments: Moments | None
    amounts: Mapping[str, Amounts]

    def read(self, asked: _Asked) -> dict[str, pl.Expr]:
        """Return what reads each column of text, as far as it is known, and each column of numbers."""
        schema = asked.raw.collect_schema()
        clocks = {name: self.moments.read(pl.col(name)) for name in asked.clocks} if self.moments else {}
        sums = {name: amount.read(pl.col(name)) for name, amount in self.amounts.items()}
        numbers = [name for name in asked.numbers if name not in asked.sums]
        return clocks | sums | {name: _number(name, schema[name], asked.place[name]) for name in numbers}


def read_columns(
    export: Export,
    form: Format,
    policy: Policy,
    times: Sequence[str] = (),
    *,
    numbers: Sequence[str] = (),
    also: Iterable[str] = (),
    rows: pl.LazyFrame | None = None,
) -> Columns:
    """Return the cells of an export, or other rows, with some of them read as moments and some as numbers."""
    asked = _asked(export, form, policy, times, numbers, also, rows)
    first = collected(asked.raw.select(*asked.clocks, *asked.sums).head(_FIRST), export.file)
    found = _found(asked, first, "first", asked.form.decimal)
    lost = _lost(asked, found.read(asked), asked.raw)
    # All cells decide where the first ones do not; and where they have offsets, of which a reader should know all.
    doubtful = [name for name in asked.sums if lost.get(name, 1)]
    if found.moments is None or found.moments.offsets or asked.zones[1] or any(lost[name] for name in asked.clocks):
        doubtful += asked.clocks
    if doubtful:
        every = collected(asked.raw.select(doubtful), export.file)
        certain = {one.decimal for name, one in found.amounts.items() if name not in doubtful and one.certain}
        decimal = asked.form.decimal or (certain.pop() if len(certain) == 1 else "")
        again = _found(asked, every, "all", decimal)
        moments = again.moments if {*asked.clocks} & {*doubtful} else found.moments
        found = _Found(moments=moments, amounts={**found.amounts, **again.amounts})
        read = found.read(asked)
        lost |= _lost(asked, {name: read[name] for name in doubtful}, every.lazy())
    _refuse_unread(asked, found.read(asked), lost)
    return _columns(asked, found, lost)


def marked_columns(
    export: Export, form: Format, policy: Policy, times: Sequence[str], *, numbers: Sequence[str], also: Iterable[str]
) -> Columns | None:
    """Return the columns as their first cells are written, unverified: `unread` counts what else stands in a row.

    None where the first cells do not show it. For files so large that each time they are gone through counts.
    """
    raw = cells(export, form, (*times, *numbers, *also), numbers, as_written=(*times, *numbers))
    asked = _asked(export, form, policy, times, numbers, also, raw)
    found = _found(
        asked, collected(raw.select(*asked.clocks, *asked.sums).head(_FIRST), export.file), "first", asked.form.decimal
    )
    read = found.read(asked)
    if found.moments is None or found.moments.offsets or asked.zones[1] or {*asked.sums} - found.amounts.keys():
        return None
    unread = pl.sum_horizontal(
        (pl.col(name).is_not_null() & cell.is_null()).cast(pl.UInt8) for name, cell in read.items()
    )
    # With the reading of cells in one step, so that each is read once.
    return _columns(asked, found, {}, unread=unread)


def _asked(
    export: Export,
    form: Format,
    policy: Policy,
    times: Sequence[str],
    numbers: Sequence[str],
    also: Iterable[str],
    rows: pl.LazyFrame | None,
) -> _Asked:
    moments = policy.moments if form.moments == "iso" else form.moments
    form = replace(form, moments=moments, decimal=form.decimal or policy.decimal)
    raw = cells(export, form, (*times, *numbers, *also), numbers) if rows is None else rows
    schema, there = raw.collect_schema(), located(export, form)
    return _Asked(
        export=export,
        form=form,
        policy=policy,
        raw=raw,
        times=times,
        numbers=numbers,
        clocks=[name for name in times if schema[name] == pl.String],
        sums=[name for name in numbers if schema[name] == pl.String],
        zones=_zones(export, form, policy),
        place={name: f"{export.file}: '{there.get(name, name)}'" for name in (*times, *numbers)},
    )


def _found(asked: _Asked, cells: pl.DataFrame, seen: Seen, decimal: Decimal) -> _Found:
    """Return how columns are written, by the cells that are seen; the day stands at one place in all of a file."""
    clocks = [name for name in asked.clocks if name in cells.columns]
    text = pl.concat([cells.select(text=name).drop_nulls() for name in clocks] or [_NO_TEXT])["text"]
    unreadable, file = asked.policy.unreadable, asked.export.file
    if asked.form.moments == "iso":
        moments = moments_of(text, file, seen, unreadable)
    else:
        offsets = text.to_frame().select(offset_of(pl.col("text"))).to_series().drop_nulls().unique().sort()
        moments = declared(asked.form.moments, tuple(offsets))
    amounts = {
        name: amounts_of(cells[name], asked.place[name], seen, decimal=decimal, unreadable=unreadable)
        for name in asked.sums
        if name in cells.columns
    }
    return _Found(moments=moments, amounts={name: one for name, one in amounts.items() if one is not None})


def _lost(asked: _Asked, read: Mapping[str, pl.Expr], rows: pl.LazyFrame) -> dict[str, int]:
    """Count the cells of each column that hold something and cannot be read."""
    if not read:
        return {}
    counts = {name: (pl.col(name).is_not_null() & cell.is_null()).sum() for name, cell in read.items()}
    return collected(rows.select(**counts), asked.export.file).row(0, named=True)


def _columns(asked: _Asked, found: _Found, lost: Mapping[str, int], *, unread: pl.Expr | None = None) -> Columns:
    """Return the columns as they are read, with moments by the clock that is wanted; and one more of what is unread."""
    read, clock = found.read(asked), found.moments or Moments(forms=())
    moved = {name: _moved(asked, name, read.get(name), clock) for name in asked.times}
    there = located(asked.export, asked.form)
    missing = {
        f"cells of '{there.get(name, name)}' that cannot be read, treated as missing": n for name, n in lost.items()
    }
    return Columns(
        rows=asked.raw.with_columns(**read | moved, **({} if unread is None else {"unread": unread})),
        facts=_facts(clock, found.amounts.values(), asked.zones[1]),
        lines=noticed("kept", {reason: count for reason, count in missing.items() if count}),
    )


def _number(name: str, kind: pl.DataType, place: str) -> pl.Expr:
    if not kind.is_numeric() and kind != pl.Null:
        raise DataError(f"{place} is {kind}; it must be numbers or text.")
    number = pl.col(name).cast(pl.Float64)
    return pl.when(number.abs() <= LARGEST_AMOUNT).then(number)


def _refuse_unread(asked: _Asked, read: Mapping[str, pl.Expr], lost: Mapping[str, int]) -> None:
    """Refuse columns of which too many cells cannot be read, with the first of them, unless these count as missing."""
    if asked.policy.unreadable == "missing" or not any(lost.values()):
        return
    rows = int(asked.raw.select(pl.len()).collect(engine="streaming").item())
    for name, count in lost.items():
        moment = name in asked.clocks
        needed = name == WHEN.get(asked.form.table) or not moment
        if not count or (not needed and count <= _STRAY * rows):
            continue
        cell = pl.col(name)
        unread = cell.is_not_null() & read[name].is_null()
        bad = asked.raw.select(cell).with_row_index(ROW_KEY, 1).filter(unread)
        shown = "; ".join(f"row {row:,}: {found!r}" for row, found in bad.head(_SHOWN).collect().iter_rows())
        more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
        what, possible = ("a timestamp", MOMENT_FORMS) if moment else ("an amount", AMOUNT_FORMS)
        said = f"; they are read as {asked.form.moments}" if moment and asked.form.moments != "iso" else ""
        how = " or give their format, with moments: in shop.yaml or --policy moments=;" if moment else ""
        raise DataError(
            f"{asked.place[name]}: {count:,} of {rows:,} cells cannot be read as {what}: {shown}{more} (rows below the "
            f"header){said}. Possible: {possible}. Correct them in the file;{how} or treat such cells as missing, "
            "with --unreadable missing (unreadable: missing in the policy)."
        )


def _zones(export: Export, form: Format, policy: Policy) -> tuple[str, str]:
    """Return the zone of moments without an offset, and the one in which moments are wanted; "" where none is said."""
    for zone in (form.zone, export.zone):
        try:
            ZoneInfo(zone or "UTC")
        except (OSError, ValueError, KeyError) as cause:
            raise DataError(f"{export.file}: no time zone '{zone}'; write one such as Europe/Berlin or UTC.") from cause
    return form.zone or export.zone, "UTC" if policy.clock == "utc" else export.zone


def _moved(asked: _Asked, name: str, wall: pl.Expr | None, clock: Moments) -> pl.Expr:
    """Return a column of moments by the clock that is wanted; `wall`: by the clock that is written, if it is text."""
    (source, target), raw, place = asked.zones, asked.raw, asked.place[name]
    kind = raw.collect_schema()[name]
    if wall is None:
        known = getattr(kind, "time_zone", None) is not None
        bare = kind == pl.Datetime and not known
        wall = _typed(name, kind, target, place)
    else:
        offset = offset_of(pl.col(name))
        known, bare = False, False
        if clock.offsets:
            counts = raw.select(offset.count(), bare=pl.col(name).count() - offset.count()).collect(engine="streaming")
            known, bare = counts.row(0)[0] > 0, counts.row(0)[1] > 0
        elif target and not source:
            bare = bool(raw.select(pl.col(name).count()).collect(engine="streaming").item())
        if known and target:
            wall = _in_zone(wall - ahead(pl.col(name)), "UTC", target)
    # A platform's format says so itself; of a table of one's own it is asked.
    if asked.form.zone and not (known or target or asked.form.header):
        raise DataError(f"{place} is in time zone {asked.form.zone}; give the zone of the shop too.")
    if bare and target and (known or not source):
        raise DataError(
            f"{place}: some cells have no UTC offset. clock: utc needs the time zone of these timestamps, as `zone` "
            "in shop.yaml; otherwise use clock: shop."
        )
    return wall if known else _in_zone(wall, source, target)


def _typed(name: str, kind: pl.DataType, target: str, place: str) -> pl.Expr:
    if kind not in (pl.Date, pl.Datetime):
        raise DataError(f"{place} is {kind}; it must be text, a date or a datetime.")
    zone = getattr(kind, "time_zone", None)
    column = pl.col(name).cast(pl.Datetime("us", zone))
    return (column.dt.convert_time_zone(target) if zone and target else column).dt.replace_time_zone(None)


def _in_zone(wall: pl.Expr, source: str, target: str) -> pl.Expr:
    if not (source and target) or source == target:
        return wall
    # An hour that happens twice when clocks are put back is taken for its first: the file does not say which.
    there = wall.dt.replace_time_zone(source, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone(target).dt.replace_time_zone(None)


def _facts(clock: Moments, amounts: Iterable[Amounts], target: str) -> Facts:
    clocks = {"": "the time is kept as written", "UTC": "converted to UTC"}
    kept = clocks.get(target, f"converted to {target} time")
    offsets = ", ".join(clock.offsets)
    strange = [one for one in amounts if not one.plain]
    marks = sorted(
        {f"decimal {_MARKS[one.decimal]}" for one in strange} | {mark for one in strange for mark in one.marks}
    )
    return facts_of(
        {
            "moments": ", ".join(clock.forms),
            "offsets": offsets and f"{offsets}; {kept}",
            "amounts": ", ".join(marks),
        }
    )
