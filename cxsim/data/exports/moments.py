"""Columns of moments as text go in; the same rows with the moments read, and how they were written, come out.

Whether the day or the month stands first is read from the whole file, never from a cell, and refused where nothing
shows it. What cannot be read becomes null, and whoever reads the file counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import polars as pl

from cxsim.data.exports.formats import Export, Facts, Format, cells, facts_of, located, text_of
from cxsim.data.shop import Policy
from cxsim.errors import DataError

# An offset is one only behind a time: 01-03-2024 ends like one.
_BEHIND_A_TIME = r":\d{2}(?:\.\d{1,9})?(?: ?[APap][Mm])?"
_OFFSET = r"(?:Z|UTC|GMT(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2})"
# The shapes of days, four digits as Y, one or two as 9, and a name as a; then those of times, behind a blank.
_DAYS = {
    "Y-9-9": "%Y-%m-%d",
    "Y/9/9": "%Y/%m/%d",
    "YY": "%Y%m%d",
    "a 9, Y": "%b %d, %Y",
    "9 a Y": "%d %b %Y",
    "9-a-Y": "%d-%b-%Y",
    "a, 9 a Y": "%a, %d %b %Y",
}
_EITHER_ORDER = ("9/9/Y", "9.9.Y", "9-9-Y")
_TIMES = {"": "", " 9:9": " %H:%M", " 9:9:9": " %H:%M:%S%.f", " 9:9 M": " %I:%M %p", " 9:9:9 M": " %I:%M:%S %p"}
_PARTS = r"^(?<day>.*?)(?<time> 9:9(?::9)?(?: M)?)?$"
_WRITE_FORM = "write how its moments are written in shop.yaml, such as moments: '%d.%m.%Y %H:%M'"
_FIRST = 1_000


def timed(
    export: Export,
    form: Format,
    policy: Policy,
    times: Sequence[str],
    *,
    also: Iterable[str] = (),
    rows: pl.LazyFrame | None = None,
) -> tuple[pl.LazyFrame, Facts]:
    """Return the cells of an export, or other rows, with some of them read as moments, and facts of these.

    They are by the shop's clock or in universal time: a Datetime without a zone, null where there is none or where it
    cannot be read.
    """
    read = cells(export, form, (*times, *also)) if rows is None else rows
    file, schema, there = export.file, read.collect_schema(), located(export, form)
    source, target = _zones(export, form, policy)
    texts = [name for name in times if schema[name] == pl.String]
    written = read.select(texts).unpivot().select("variable", text=text_of("value")).drop_nulls()
    shapes = _shapes(written)
    used: dict[str, None] = {}
    columns = {}
    for name in times:
        place, own = f"{file}: '{there.get(name, name)}'", shapes.filter(variable=name)
        known = own["offset"].count() > 0 or getattr(schema[name], "time_zone", None) is not None
        if form.zone and not (known or target):
            raise DataError(f"{place} is written in {form.zone}; write the zone of the shop too.")
        if target and (known or not source):
            _refuse_bare(own, schema[name], place)
        if name in texts:
            forms = _forms(written, own, form.moments, file)
            _refuse_unread(written.filter(variable=name), _read(pl.col("text"), forms), place)
            used |= dict.fromkeys(forms)
            wall = _read(text_of(name), forms)
            if known and target:
                wall = _in_zone(wall - _ahead(text_of(name)), "UTC", target)
        else:
            wall = _typed(name, schema[name], target, place)
        columns[name] = wall if known else _in_zone(wall, source, target)
    offsets = ", ".join(shapes["offset"].drop_nulls().unique().sort())
    clocks = {"": "the time is kept as written", "UTC": "converted to universal time"}
    kept = clocks.get(target, f"converted to the time of {target}")
    facts = facts_of({"moments": ", ".join(used), "offsets": offsets and f"{offsets}; {kept}"})
    return read.with_columns(**columns), facts


def _zones(export: Export, form: Format, policy: Policy) -> tuple[str, str]:
    """Return the zone of moments without an offset, and the one in which moments are wanted; "" where none is said."""
    for zone in (form.zone, export.zone):
        try:
            ZoneInfo(zone or "UTC")
        except (OSError, ValueError, KeyError) as cause:
            raise DataError(f"{export.file}: no time zone '{zone}'; write one such as Europe/Berlin or UTC.") from cause
    return form.zone or export.zone, "UTC" if policy.clock == "utc" else export.zone


def _shapes(cells: pl.LazyFrame) -> pl.DataFrame:
    """Return for each column the offsets, days and times that its cells are written with, and how many cells are so."""
    text = pl.col("text")
    bare = _local(text).str.replace(r"\.\d{1,9}$", "").str.replace(r" ?[APap][Mm]$", " #")
    digits = bare.str.replace_all(r"\d{4}", "Y").str.replace_all(r"\d{1,2}", "9")
    shape = digits.str.replace_all(r"[A-XZa-z]+", "a").str.replace("#", "M", literal=True)
    found = cells.select("variable", _offset(text).alias("offset"), shape.str.extract_groups(_PARTS).alias("shape"))
    return found.group_by(pl.all()).len().collect(engine="streaming").unnest("shape").sort(pl.all())


def _offset(text: pl.Expr) -> pl.Expr:
    return text.str.extract(f"{_BEHIND_A_TIME} ?({_OFFSET})$")


def _local(text: pl.Expr) -> pl.Expr:
    """Return a moment as text without its offset, its parts separated as the forms have them."""
    bare = text.str.replace(f"({_BEHIND_A_TIME}) ?{_OFFSET}$", "${1}")
    spaced = bare.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "${1} ").str.replace(r", (\d{1,2}:)", " ${1}")
    return spaced.str.replace(r"(\d) ?([APap][Mm])$", "${1} ${2}")


def _refuse_bare(shapes: pl.DataFrame, kind: pl.DataType, place: str) -> None:
    """Refuse moments of which nothing says how far they are from universal time."""
    bare = shapes.filter(pl.col("offset").is_null())["len"].sum()
    if bare or (kind == pl.Datetime and getattr(kind, "time_zone", None) is None):
        cells = f"{bare:,} cells" if bare else "all cells"
        raise DataError(
            f"{place}: {cells} are written without an offset from universal time. clock: utc needs the zone in which "
            "its moments are written, as `zone` in shop.yaml; else read the shop with clock: shop."
        )


def _forms(cells: pl.LazyFrame, shapes: pl.DataFrame, form: str, file: str) -> list[str]:
    """Return the forms in which a column is written."""
    if form != "iso":
        return [form]
    forms: dict[str, None] = {}
    for day, time in shapes.select("day", pl.col("time").fill_null("")).iter_rows():
        known = _ordered(cells, day, file) if day in _EITHER_ORDER else _DAYS.get(day)
        if known is not None:
            forms[known + _TIMES[time]] = None
    return list(forms)


def _ordered(cells: pl.LazyFrame, day: str, file: str) -> str:
    """Return the order of day and month that the whole file shows."""
    mark = day[1]
    parts = cells.select(pl.col("text").str.extract_groups(rf"^(\d{{1,2}})\{mark}(\d{{1,2}})\{mark}\d{{4}}"))
    numbers = parts.unnest("text").drop_nulls().select((pl.all().cast(pl.Int64) > 12).sum(), both=pl.len())
    first, second, both = numbers.collect(engine="streaming").row(0)
    if bool(first) == bool(second):
        raise DataError(
            f"{file}: moments like {day.replace('9', '01').replace('Y', '2024')}: the first number is above 12 in "
            f"{first:,} of {both:,} cells and the second in {second:,}, so that day and month cannot be distinguished; "
            f"save the file with one form of date, or {_WRITE_FORM}."
        )
    return f"%d{mark}%m{mark}%Y" if first else f"%m{mark}%d{mark}%Y"


def _read(text: pl.Expr, forms: Sequence[str]) -> pl.Expr:
    local = _local(text)
    read = [local.str.to_datetime(form, time_unit="us", strict=False) for form in forms]
    return pl.coalesce(*read, pl.lit(None, pl.Datetime("us")))


def _ahead(text: pl.Expr) -> pl.Expr:
    """Return by how much the clock of a cell is ahead of universal time."""
    offset = _offset(text).str.strip_prefix("GMT")
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    hours, minutes = (
        offset.str.extract(digits).cast(pl.Int64).fill_null(0)
        for digits in (r"^[+-](\d{1,2})", r"^[+-]\d{1,2}:?(\d{2})$")
    )
    return pl.duration(minutes=sign * (60 * hours + minutes))


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


def _refuse_unread(cells: pl.LazyFrame, read: pl.Expr, place: str) -> None:
    # One that can be read is enough, and is most often among the first: then the column is not gone through.
    for some in (cells.head(_FIRST), cells):
        if some.select(read.count()).collect(engine="streaming").item():
            return
    number, example = cells.select(pl.len(), pl.col("text").first()).collect(engine="streaming").row(0)
    if number:
        raise DataError(
            f"{place}: none of the {number:,} cells can be read as a moment, such as {example!r}; {_WRITE_FORM}."
        )
